# SPDX-License-Identifier: MIT
"""A machine with a real systemd (tests/systemd/sandbox) in which the tree is installed, or a package
will be. Its network is ours, so the test's services are the machine's. It ends with us, however we
end. Waiting polls to a deadline."""

import json
import os
import subprocess
import sys
import time
import traceback
import uuid

import psycopg2

from fleet_worker import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.dirname(os.environ["JOBFLEET_BIN"])
SECRETS = ("JOBFLEET_BROKER_URL", "JOBFLEET_DATABASE_URL", "JOBFLEET_REDIS_URL")
SKIP = 77
LIMIT_S = 60

sys.stdout.reconfigure(line_buffering=True)


def install(root, *extra):
    """make install below root, as a package would be."""
    subprocess.run([os.path.join(TOP, "tools/install"), *extra, BUILD], check=True, timeout=LIMIT_S,
                   env=dict(os.environ, DESTDIR=root, PREFIX="/usr"))


def write(root, path, text, mode=0o644):
    path = root + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


class Machine:
    def __init__(self, root):
        self.root = root
        self.process = subprocess.Popen(
            [os.path.join(TOP, "tests/systemd/sandbox"), root], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started = time.monotonic()
        said = self.process.stdout.readline().strip()
        if not said.isdigit():
            print(said)
            sys.exit(SKIP if self.process.wait(LIMIT_S) == SKIP else 1)
        self.init = said
        print("# systemd is up after %.2f s" % (time.monotonic() - started))

    def run(self, *words, check=True, user=None, stdin=None, limit_s=LIMIT_S):
        """A command inside; as text."""
        become = ["runuser", "-u", user, "--"] if user else []
        got = subprocess.run(
            ["nsenter", "-t", self.init, "-m", "-u", "-i", "-p", "-C", "--wd=/", "--", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root",
             "DEBIAN_FRONTEND=noninteractive", *become, *words],
            input=stdin, stdin=None if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=limit_s)
        assert got.returncode == 0 or not check, "%s: status %d: %s" % (
            " ".join(words), got.returncode, got.stdout[-3000:])
        got.text = got.stdout.strip()
        return got

    def ctl(self, *words, **options):
        return self.run("systemctl", *words, **options).text

    def show(self, unit, *names):
        """One property as text, or several as a list."""
        found = dict(line.partition("=")[::2] for line in self.ctl(
            "show", unit, "-p", ",".join(names)).splitlines())
        return found[names[0]] if len(names) == 1 else [found[name] for name in names]

    def pid(self, unit):
        return int(self.show(unit, "MainPID"))

    def wait_state(self, unit, state, limit_s=LIMIT_S):
        wait_for("%s is %s" % (unit, state), lambda: self.show(unit, "ActiveState") == state,
                 limit_s, 0.05)

    def restarted(self, unit, times, limit_s=LIMIT_S):
        def again():
            restarts, state = self.show(unit, "NRestarts", "ActiveState")
            return int(restarts) >= times and state == "active"
        wait_for("%s started again" % unit, again, limit_s, 0.05)

    def journal(self, *words):
        text = self.run("journalctl", "-q", "-o", "json", "--all", *words).stdout
        return [json.loads(line) for line in text.splitlines()]

    def said(self, unit, text):
        return any(text in str(entry["MESSAGE"]) for entry in self.journal("-u", unit))

    def drop_in(self, unit, text, name="test"):
        """Of the instance only; with what it needs for it to hold."""
        self.run("sh", "-c", "mkdir -p $0 && cat >$0/%s.conf" % name,
                 "/etc/systemd/system/%s.service.d" % unit, stdin=text)
        self.ctl("daemon-reload")

    def give_secrets(self):
        self.run("mkdir", "-p", "-m", "700", "/etc/credstore")
        for name in SECRETS:
            self.run("sh", "-c", "umask 77; cat >$0", "/etc/credstore/" + name,
                     stdin=os.environ[name] + "\n")

    def close(self):
        self.process.stdin.close()
        return self.process.wait(LIMIT_S)


class Tasks:
    """Tasks of the test worker echo, and what they left: an effect that happened twice stands in the
    table twice."""

    CONF = """
queue echo {
	program = "echo"
	concurrency = {2, 2}
}
task echo.mark {
	queue = "echo"
	time_limit = 60s
}
task echo.mark_loose {
	queue = "echo"
}
task echo.swell {
	queue = "echo"
}
"""

    def __init__(self, conf):
        self.conf, self.sent = conf, []
        self.connection = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        self.connection.autocommit = True

    def jobfleet(self, *words, stdin=None):
        got = subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet"), *words],
                             env=dict(os.environ, JOBFLEET_CONFIG=self.conf), input=stdin,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=LIMIT_S)
        assert got.returncode == 0, "%s: %s" % (words, got.stdout)
        return got.stdout.strip()

    def sql(self, text, *args):
        with self.connection.cursor() as cursor:
            cursor.execute(text, args or None)
            return cursor.fetchall() if cursor.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def enqueue(self, task, n=1, **kwargs):
        """Their ids, confirmed by the broker."""
        ids = [str(uuid.uuid4()) for _ in range(n)]
        lines = [json.dumps({"task": task, "id": i, "kwargs": kwargs}) for i in ids]
        self.jobfleet("enqueue", "--from=-", "--quiet", stdin="\n".join(lines) + "\n")
        return ids

    def done(self, ids):
        return self.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = ANY(%s)", ids)

    def check(self, ids, limit_s=LIMIT_S):
        """All are done, each effect once."""
        wait_for("%d tasks are done" % len(ids), lambda: self.done(ids) == len(ids), limit_s, 0.05)
        rows = dict(self.sql("SELECT task_id, count(*) FROM effects WHERE task_id = ANY(%s)"
                             " GROUP BY 1", ids))
        assert rows == dict.fromkeys(ids, 1), {i: n for i, n in rows.items() if n != 1}


def run(*tests, after=()):
    """Each test is a function, its name the sentence; `after` runs at the end, whatever happened."""
    failed = 0
    for test in tests + tuple(after):
        if sys.argv[1:] and test not in after and not any(w in test.__name__ for w in sys.argv[1:]):
            continue
        name = test.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            test()
            print("ok %s (%.1f s)" % (name, time.monotonic() - started))
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("not ok", name)
            failed += 1
    sys.exit(1 if failed else 0)
