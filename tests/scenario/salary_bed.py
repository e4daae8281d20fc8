# SPDX-License-Identifier: MIT
"""What the tests of the salary programs share: a migrated database, the local provider server with
its faults, and the programs themselves, as they are shipped. All waiting polls to a deadline."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import psycopg2
import redis

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LIMIT_S = 30
# FRED's keys have 32 lower-case characters; this one must turn up nowhere.
SECRET = "5ec2e7" + secrets.token_hex(13)
KEYS = ("BLS_API_KEY", "CENSUS_API_KEY", "FRED_API_KEY")

sys.stdout.reconfigure(line_buffering=True)


def wait_for(what, check, limit_s=LIMIT_S):
    """The first true answer of check()."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s" % (limit_s, what))
        time.sleep(0.02)


def offspring(pid):
    """All processes below."""
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        try:
            with open("/proc/%d/task/%d/children" % (parent, parent)) as f:
                children = [int(word) for word in f.read().split()]
        except OSError:
            children = []
        found += children
        queue += children
    return found


def sockets_of(pid):
    try:
        return {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)}
    except OSError:
        return set()


def passed(what):
    print("ok " + what)


class SalaryBed:
    def __init__(self, programs=("salary", "confidence"), conf=None, faults=False, **env):
        self.dir = tempfile.mkdtemp()
        self.bin = os.environ["JOBFLEET_FAULTS_BIN" if faults else "JOBFLEET_BIN"]
        self.processes = {}
        self.env = dict(os.environ, JOBFLEET_CONFIG=conf or self.unlimited(), **env)
        self.env.update((key, SECRET) for key in KEYS if key not in env)
        subprocess.run(["jobfleet", "migrate"], env=self.env, check=True, stdout=subprocess.DEVNULL)
        self.pg = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        self.pg.autocommit = True
        self.redis = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
        self.start_providers()
        for name in programs:
            self.start(name)

    def unlimited(self):
        """The shipped queues.conf, but no task waits for its turn: there is no dispatcher here to
        send what was parked for its slot."""
        with open(os.path.join(TOP, "queues.conf")) as f:
            text = re.sub(r"\trate_limit = \S+\n(?!\trate_limit_at = fetch)", "", f.read())
        path = os.path.join(self.dir, "queues.conf")
        with open(path, "w") as f:
            f.write(text)
        return path

    def start_providers(self):
        port_file = os.path.join(self.dir, "port")
        self.requests = os.path.join(self.dir, "requests.jsonl")
        self.server = subprocess.Popen(
            [os.path.join(TOP, "tests/providers/server"), "--port-file", port_file,
             "--log", self.requests, "--die-with-parent"])
        wait_for("provider server", lambda: os.path.exists(port_file))
        with open(port_file) as f:
            self.base = "http://127.0.0.1:%d" % int(f.read())
        for name in ("bls", "census", "fred"):
            self.env["JOBFLEET_SOURCE_%s_URL" % name.upper()] = "%s/%s" % (self.base, name)

    def start(self, name, node=None):
        """Returns when the program has said READY. node: for a second one of it."""
        node = node or name
        address = "jobfleet-test-" + secrets.token_hex(8)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, \
                open(os.path.join(self.dir, node + ".log"), "ab") as log:
            ready.bind("\0" + address)
            ready.settimeout(LIMIT_S)
            self.processes[node] = subprocess.Popen(
                [os.path.join(self.bin, "jobfleet-" + name), "--loglevel=DEBUG",
                 "--hostname=%s@test" % node],
                env=dict(self.env, NOTIFY_SOCKET="@" + address), stderr=log)
            while b"READY=1" not in ready.recv(4096).split(b"\n"):
                pass

    def kill(self, node):
        """As a crash of the whole program: nobody says goodbye."""
        self.processes[node].kill()
        self.processes.pop(node).wait(LIMIT_S)

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            assert process.wait(LIMIT_S) == 0, "%s ended with %d" % (name, process.returncode)
        self.processes = {}

    def log(self):
        """Everything that the programs wrote."""
        text = ""
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".log"):
                with open(os.path.join(self.dir, name), errors="replace") as f:
                    text += f.read()
        return text

    def busy_children(self, node="salary"):
        """Pids below the program that hold a connection to the provider server."""
        port = ":%04X" % int(self.base.rsplit(":", 1)[1])
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        inodes = {"socket:[%s]" % row[9] for row in rows if row[2].endswith(port) and row[3] == "01"}
        return [pid for pid in offspring(self.processes[node].pid) if inodes & sockets_of(pid)]

    # ---- tasks ----

    def enqueue(self, task, *args):
        """The task's id."""
        return subprocess.run(
            ["jobfleet", "enqueue", "backend.tasks.salary_data_tasks." + task, "--quiet",
             "--args", json.dumps(args)], env=self.env, stdout=subprocess.PIPE, check=True,
            text=True, timeout=30).stdout.strip()

    def result(self, task):
        got = subprocess.run(["jobfleet", "result", task, "--wait", "--timeout=60"], env=self.env,
                             stdout=subprocess.PIPE, text=True, timeout=90)
        assert got.returncode == 0, got.stdout
        return json.loads(got.stdout)

    # ---- the provider server ----

    def control(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method,
                                         data=json.dumps(body).encode() if body else None)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def fault(self, provider, kind, **more):
        self.control("POST", "/_fault", dict(more, provider=provider, kind=kind))

    def calls(self):
        return self.control("GET", "/_stats")["total"]

    def clean(self):
        """No fault, no cached answer, no row, no parking."""
        self.control("DELETE", "/_fault")
        self.control("DELETE", "/_stats")
        self.redis.flushdb()
        self.sql("TRUNCATE salary_benchmarks, market_data, confidence_scores, salary_data_cache,"
                 " jobfleet.provider_quota, jobfleet.source_state, jobfleet.alerts,"
                 " jobfleet.salary_parts, jobfleet.asking")

    # ---- PostgreSQL ----

    def sql(self, text, *args):
        with self.pg.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall() if c.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]
