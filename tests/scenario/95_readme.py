#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 400
"""The README's own commands, word for word: each block marked `run:` runs, those marked `file:` and
`append:` are written first, all in a copy of the tree beside a fleet of its own."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BLOCK = re.compile(r"<!-- (run|file|append): (\S+) -->\n```\w*\n(.*?)```", re.S)
RUNNERS = {"python": ["/usr/bin/python3"], "shell": ["sh", "-e"], "extend": ["bash", "-e"],
           "sql": ["psql", "-q", "-v", "ON_ERROR_STOP=1"], "node": ["node"]}
NODE_LIMIT_S = 60


def blocks():
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        return BLOCK.findall(f.read())


def copy_tree(into):
    """What git knows, and the objects that are built already."""
    names = subprocess.run(["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=TOP,
                           stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    for name in names:
        if name and os.path.isfile(os.path.join(TOP, name)):
            os.makedirs(os.path.dirname(os.path.join(into, name)), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), os.path.join(into, name))
    if os.path.isdir(os.path.join(TOP, "build")):
        subprocess.run(["cp", "-a", os.path.join(TOP, "build"), into], check=True)


def has_amqplib(where):
    try:
        got = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "amqplib"], cwd=where,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=NODE_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return got.returncode == 0


def run(kind, text, where):
    command = list(RUNNERS[kind])
    if kind == "sql":
        command.append(os.environ["JOBFLEET_DATABASE_URL"])
    if kind == "node" and not has_amqplib(where):
        print("ok node # npm does not reach amqplib here: not run")
        return True
    path = os.path.join(where, f"readme.{kind}{'.js' if kind == 'node' else ''}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    command += ["-f", path] if kind == "sql" else [path]
    got = subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(("ok " if got.returncode == 0 else "not ok ") + f"the README's {kind} block runs")
    if got.returncode:
        print(f"expected: exit status 0\ngot: {got.returncode}\n{got.stdout.decode()}")
    return got.returncode == 0


def inside(where):
    """Beside the fleet, in the copy."""
    return all([run(name, text, where) for kind, name, text in blocks() if kind == "run"])


def newcomers_environment():
    """Without what a make around this test has said: a newcomer's make is a plain one."""
    for name in ("SAN", "FAULTS", "COVERAGE", "WERROR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        os.environ.pop(name, None)


def main():
    newcomers_environment()
    if len(sys.argv) > 1:
        return 0 if inside(sys.argv[1]) else 1
    with tempfile.TemporaryDirectory() as where:
        copy_tree(where)
        # the fleet runs what is shipped; what the README adds comes to it while it is up
        for kind, name, text in blocks():
            path = os.path.join(where, name)
            if kind == "file":
                os.makedirs(os.path.dirname(path), exist_ok=True)
            if kind in ("file", "append"):
                with open(path, "a" if kind == "append" else "w", encoding="utf-8") as f:
                    f.write(text)
        fleet = [os.path.join(TOP, "tests/fleet"), "run", "--providers",
                 os.path.join(TOP, "tests/providers/data"), "--", "env",
                 f"JOBFLEET_CONFIG={where}/queues.conf", os.path.realpath(__file__), where]
        return subprocess.run(fleet, cwd=TOP).returncode


if __name__ == "__main__":
    sys.exit(main())
