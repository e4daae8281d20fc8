#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 120
"""The words of `jobfleet`: every verb has help, the man page and the help name the same verbs and
options, and bash and zsh complete what is typed."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PAGE = os.path.join(TOP, "workers/ctl/jobfleet.1")
DIR = tempfile.mkdtemp()
ENV = dict(os.environ, JOBFLEET_CONFIG=os.path.join(DIR, "queues.conf"))

with open(ENV["JOBFLEET_CONFIG"], "w") as conf:
    conf.write("""
queue echo { program = "echo" }
queue away { program = "nobody" }
task echo.mark { queue = "echo" }
task echo.fail { queue = "echo" }
task echo.stay { queue = "echo" }
schedule nightly { task = "echo.mark" cron = "0 3 * * *" }
alert slow { condition = "quota_used > 80%" }
""")


def call(*words, status=0):
    """stdout, stderr of one command, which must end with that status."""
    got = subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, env=ENV, timeout=60, stdin=subprocess.DEVNULL)
    assert got.returncode == status, "%r: status %d\n%s\n%s" % (words, got.returncode, got.stdout,
                                                                got.stderr)
    return got.stdout, got.stderr


def refused(*words, says, status=100):
    out, err = call(*words, status=status)
    assert says in err and out == "", "%r does not say %r: %r %r" % (words, says, err, out)


# ---- completion ----

def candidates(*words):
    return call("completion", "candidates", "--", *words)[0].split()


def completion_knows_commands_methods_options_and_names():
    assert candidates("re") == ["result", "reprocess", "report", "revoke", "resume"]
    assert candidates("dlq", "re") == ["replay"] and candidates("help", "pau") == ["pause"]
    assert "--canary=" in candidates("dlq", "replay", "--") and "--yes" in candidates("purge", "-")
    assert candidates("inspect", "acti") == ["active", "active_queues"]
    assert candidates("purge", "") == ["echo", "away"], candidates("purge", "")
    assert candidates("purge", "--queue=x") == []
    assert candidates("pause", "--queue=e") == ["--queue=echo"]
    assert candidates("pause", "--queue", "") == ["echo", "away"]
    assert "echo.mark" in candidates("enqueue", "") and "echo.fail" in candidates("--json", "enqueue", "echo.f")
    assert candidates("control", "rate_limit", "echo.s") == ["echo.stay"]
    assert candidates("control", "--timeout", "1s", "pool_g") == ["pool_grow"]
    assert candidates("revoke", "--signal=SIGK") == ["--signal=SIGKILL"]
    assert candidates("scale", "no") == ["nobody"] and candidates("completion", "") == ["bash", "zsh"]
    assert candidates("--config=/nowhere", "purge", "") == []
    refused("completion", "fish", says="there is bash and zsh")


def completion_knows_the_values_of_options():
    for words, option, values in (
            (("schedule", "add", "x"), "after", ["nightly"]),
            (("schedule", "add", "x"), "overlap", ["skip", "allow", "queue", "replace"]),
            (("schedule", "add", "x"), "catch-up", ["skip", "last", "all"]),
            (("enqueue", "x"), "unique-mode", ["reject", "replace", "throttle"]),
            (("dlq", "list"), "task", ["echo.mark", "echo.fail", "echo.stay"]),
            (("dlq", "list"), "cause", ["lost", "exhausted", "malformed", "unregistered",
                                        "hard_limit", "returned", "expired"]),
            (("actions",), "outcome", ["begun", "done", "failed", "refused"])):
        got = candidates(*words, "--%s=" % option)
        assert got == ["--%s=%s" % (option, value) for value in values], (words, option, got)
    assert candidates("schedule", "set", "x", "--unset=ti") == ["--unset=timezone",
                                                                "--unset=time-limit"]
    assert candidates("schedule", "pause", "n") == ["nightly"]
    assert candidates("alerts", "ack", "s") == ["slow"]
    assert candidates("queues", "ec") == ["echo"]


def typed_into(shell, setup, line):
    """What the shell shows after `line`, typed on a terminal."""
    pid, fd = os.forkpty()
    if pid == 0:
        os.execvpe(shell[0], shell, dict(ENV, PS1="$ ", TERM="dumb", HOME=DIR))
    seen = b""

    def read_until(text):
        nonlocal seen
        deadline = time.monotonic() + 30
        while text not in seen:
            assert time.monotonic() < deadline, (text, seen)
            if select.select([fd], [], [], 1)[0]:
                seen += os.read(fd, 4096)
        seen = seen[seen.index(text) + len(text):]

    try:
        for command in setup:
            os.write(fd, command.encode() + b"; echo do''ne\n")
            read_until(b"done")
        os.write(fd, line.replace("\t", "").encode())
        read_until(line.replace("\t", "").encode())
        os.write(fd, b"\t")
        return lambda text: read_until(text.encode())
    finally:
        typed_into.cleanup.append((pid, fd))


typed_into.cleanup = []


def close_shells():
    for pid, fd in typed_into.cleanup:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
    typed_into.cleanup.clear()


SHELL_LINES = (("jobfleet purge ec\t", "ho "), ("jobfleet pause --queue=aw\t", "ay"),
               ("jobfleet enqueue echo.st\t", "ay"), ("jobfleet dlq replay --dry\t", "-run"),
               ("jobfleet pause --que\t", "ue="))


def bash_completes_what_is_typed():
    try:
        for line, rest in SHELL_LINES:
            typed_into(["bash", "--norc", "-i"], ["source <(jobfleet completion bash)"], line)(rest)
    finally:
        close_shells()


def zsh_completes_what_is_typed():
    if not shutil.which("zsh"):
        raise AssertionError("zsh is not installed: run tests/deps")
    try:
        for line, rest in SHELL_LINES:
            typed_into(["zsh", "-f", "-i"], ["autoload -U compinit", "compinit -u -D",
                                            "source <(jobfleet completion zsh)"], line)(rest)
    finally:
        close_shells()


# ---- help ----

def every_verb_has_help_in_both_forms():
    out, _ = call("help")
    verbs = re.findall(r"^  (\w+) ", out, re.M)
    assert {"revoke", "pause", "resume", "inspect", "control", "dlq"} <= set(verbs), verbs
    for verb in verbs:
        assert call("help", verb)[0] == call(verb, "--help")[0]
    assert call("help", "dlq", "replay")[0].startswith("usage: jobfleet dlq replay")
    refused("hlep", says="no command")
    refused("help", "reviok", says="did you mean revoke?")


# ---- the man page ----

def section(text, title):
    """The first words under a title."""
    return re.findall(r"^  ([\w-]+)", text.partition("\n%s:\n" % title)[2].partition("\n\n")[0],
                      re.M)


def helps():
    """The help of every verb and of its commands: words, text."""
    for verb in section(call("help")[0], "Commands"):
        text = call(verb, "--help")[0]
        yield (verb,), text
        for sub in section(text, "Commands"):
            yield (verb, sub), call(verb, sub, "--help")[0]


def page():
    """The page as text, without its markup."""
    got = subprocess.run(["man", "--nh", "--nj", "-l", PAGE], env=dict(ENV, MANWIDTH="200", MAN_KEEP_FORMATTING=""),
                         stdout=subprocess.PIPE, check=True, text=True)
    return re.sub(r".\x08", "", got.stdout).replace("\u2010", "-").replace("\u2212", "-")


def the_man_page_has_no_fault():
    got = subprocess.run(["man", "--warnings=all", "-E", "UTF-8", "-l", "-Tutf8", PAGE], env=ENV,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert got.returncode == 0 and got.stderr == "", got.stderr
    if shutil.which("mandoc"):
        got = subprocess.run(["mandoc", "-Tlint", "-Wwarning", PAGE], stdout=subprocess.PIPE,
                             text=True)
        faults = [line for line in got.stdout.splitlines() if "missing date" not in line]
        assert not faults, faults


def every_verb_and_option_of_the_help_stands_in_the_man_page():
    text = page()
    for words, shown in helps():
        assert re.search(r"^ +%s\b" % " ".join(words), text, re.M) or len(words) == 1 and \
            "\nCommands:\n" in shown, "the page has no " + " ".join(words)
        for option in section(shown, "Options"):
            if option != "--help":
                assert option in text, "the page has no %s of %s" % (option, words)
        for method in section(shown, "Methods"):
            assert method in text, "the page has no method %s of %s" % (method, words)


def every_verb_and_option_of_the_man_page_stands_in_the_help():
    text = page()
    shown = {words: t for words, t in helps()}
    options = {o for t in shown.values() for o in re.findall(r"--([\w-]+)", t)} | {"version"}
    for option in set(re.findall(r"(?<![\w-])--([a-z][\w-]+)", text)):
        assert option in options, "no command has --" + option
    known = {" ".join(words) for words in shown} | {"help"}
    commands = text.split("COMMANDS\n")[1].split("\nEXIT STATUS")[0]
    for line in re.findall(r"^ {7}([a-z].*)$", commands, re.M):
        words = re.match(r"[a-z]+( [a-z]+)?", line).group(0)
        assert words in known or words.split()[0] in known, "there is no command " + line


def an_address_that_no_service_can_have_is_a_wrong_setting():
    """Not an outage to wait for. The variable and what would be right, and nothing of the password."""
    env = dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf"), ETL_MODE="development",
               JOBFLEET_BROKER_URL="amqp://127.0.0.1:1", JOBFLEET_REDIS_URL="redis://127.0.0.1:1",
               JOBFLEET_DATABASE_URL="postgresql://127.0.0.1:1/none", JOBFLEET_HTTP_LISTEN="off")
    wrong = {"BROKER": ("amqp://fleet:geheim@host:99999/v", "amqp://fleet:ge/heim@host/v", "amqp:///v",
                        "amqp://fleet:geheim@host:x,b/v", "amqp://fleet:geheim@a,b:heim/v"),
             "DATABASE": ("postgresql://fleet:geheim@host:70000/x", "postgresql://fleet:geheim@[::1/x",
                          "postgresql://fleet:geheim@h/x?sslmode=sure", "postgresql://h/x?geheim=1"),
             "DATABASE_DIRECT": ("postgresql://fleet:geheim@a:1,b:0/x",),
             "REDIS": ("redis://:ge/heim@host/0", "redis:///0", "redis://:geheim@host/zero")}
    for name, urls in wrong.items():
        for i, url in enumerate(urls):
            program = ("jobfleet-salary", "jobfleet-dispatcher")[i % 2]
            got = subprocess.run([program], env=dict(env, **{"JOBFLEET_%s_URL" % name: url}), timeout=60,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            assert got.returncode == 100, (program, url, got)
            assert "environment JOBFLEET_%s_URL: " % name in got.stderr, (url, got.stderr)
            assert "a right URL looks like" in got.stderr and "heim" not in got.stderr, (url, got.stderr)


def run(*tests):
    failed = 0
    for test in tests:
        if sys.argv[1:] and not any(word in test.__name__ for word in sys.argv[1:]):
            continue
        name = test.__name__.replace("_", " ")
        try:
            test()
            print("ok", name)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("not ok", name)
            failed += 1
    sys.exit(1 if failed else 0)


run(every_verb_has_help_in_both_forms,
    completion_knows_commands_methods_options_and_names,
    completion_knows_the_values_of_options,
    bash_completes_what_is_typed,
    zsh_completes_what_is_typed,
    an_address_that_no_service_can_have_is_a_wrong_setting,
    the_man_page_has_no_fault,
    every_verb_and_option_of_the_help_stands_in_the_man_page,
    every_verb_and_option_of_the_man_page_stands_in_the_help)
