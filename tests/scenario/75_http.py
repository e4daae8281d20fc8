#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 180
"""What monitors see: /metrics by the parser of Prometheus' own client, /health, hostile requests,
addresses in use, services away. One fleet for all of it: a dispatcher and a salary worker."""

import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from dispatcher_bed import TOP, Bed, run, wait_for
from single import died_of_a_thread, single

TASK = "backend.tasks.salary_data_tasks.monitor_cache_performance"
CONF = open(os.path.join(TOP, "queues.conf")).read()


class Door(threading.Thread):
    """Stands before PostgreSQL: passes bytes, or is shut, and then nobody answers there."""

    def __init__(self, url):
        super().__init__(daemon=True)
        host, port = re.search(r"@([^:/]+):(\d+)", url).groups()
        self.to, self.open, self.pairs = (host, int(port)), True, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = re.sub(r"@[^/]+/", "@127.0.0.1:%d/" % self.listener.getsockname()[1], url)
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            if not self.open:
                client.close()
                continue
            server = socket.create_connection(self.to)
            self.pairs.append((client, server))
            threading.Thread(target=self.pass_on, args=(client, server), daemon=True).start()

    def pass_on(self, *pair):
        try:
            while True:
                for s in select.select(pair, (), ())[0]:
                    data = s.recv(65536)
                    if not data:
                        return
                    pair[s is pair[0]].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            for s in pair:
                s.close()

    def shut(self):
        self.open = False
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def conf(listen, door=None):
    return CONF.replace("# heartbeat = 10s", "heartbeat = 1s").replace(
        '# http_listen = "127.0.0.1:9470"', 'http_listen = "%s"' % listen)


os.environ["ETL_MODE"] = "development"
os.environ.pop("JOBFLEET_HTTP_LISTEN", None)     # queues.conf says it here
bed = Bed(conf("127.0.0.1:0"))
direct, door = bed.database, Door(bed.database)
os.environ["JOBFLEET_DATABASE_URL"] = door.url


def address(name="one"):
    bed.wait_log(r"answering /metrics and /health at", name)
    return re.findall(r"/health at ([0-9.]+):(\d+)", bed.log(name))[-1]


def ask(path, method="GET", headers={}, name="one", timeout=20):
    connection = http.client.HTTPConnection(*address(name), timeout=timeout)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def samples():
    status, text, headers = ask("/metrics")
    assert status == 200, (status, text)
    assert headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("# EOF\n"), text[-200:]
    return {(s.name,) + tuple(sorted(s.labels.items())): s.value
            for f in text_string_to_metric_families(text) for s in f.samples}


def value(name, **labels):
    return samples().get(("jobfleet_" + name,) + tuple(sorted(labels.items())), 0)


def components():
    status, text, _ = ask("/health/ready")
    return status, json.loads(text)["components"]


def start_worker():
    log = open(os.path.join(bed.dir, "salary.log"), "ab")
    return subprocess.Popen(single([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-salary"),
                                    "--hostname=salary@test", "--concurrency=2,2"]), stderr=log,
                            cwd=bed.dir, env=dict(os.environ, JOBFLEET_CONFIG=bed.conf))


def jobfleet(*words):
    return subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, text=True, timeout=60,
                          env=dict(os.environ, JOBFLEET_CONFIG=bed.conf), cwd=bed.dir)


bed.under = single
bed.start()
worker = start_worker()


def counters_grow_by_what_ran():
    labels = {"task": TASK, "queue": "monitoring"}
    before = value("task_runs_total", outcome="success", **labels)
    for _ in range(3):
        assert jobfleet("enqueue", TASK, "--wait", "--timeout=60", "--quiet").returncode == 0
    wait_for("three runs", lambda: value("task_runs_total", outcome="success", **labels) == before + 3)
    got = samples()
    count = got[("jobfleet_task_run_seconds_count", ("queue", "monitoring"), ("task", TASK))]
    assert count == before + 3, count
    assert got[("jobfleet_task_run_seconds_bucket", ("le", "+Inf"), ("queue", "monitoring"),
                ("task", TASK))] == count
    assert got[("jobfleet_task_run_seconds_sum", ("queue", "monitoring"), ("task", TASK))] > 0
    assert ("jobfleet_task_wait_seconds_count", ("queue", "monitoring"), ("task", TASK)) in got


def gauges_show_the_fleet_as_it_is():
    wait_for("two children", lambda: value("pool_children", program="salary") == 2)
    got = samples()
    assert got[("jobfleet_workers", ("program", "salary"), ("state", "running"))] == 1
    assert got[("jobfleet_queue_consumers", ("queue", "monitoring"))] == 1
    assert got[("jobfleet_component_state", ("component", "database"))] == 0
    assert got[("jobfleet_database_connections", ("program", "jobfleet-salary"))] > 0, \
        [k for k in got if "connections" in k[0]]
    for process in ("parent", "zygote", "children"):
        key = (("node", "salary@test"), ("process", process))
        assert got[("jobfleet_process_peak_memory_bytes",) + key] > 100000
        assert got[("jobfleet_process_cpu_seconds_total",) + key] >= 0
    assert got[("jobfleet_loop_age_seconds",)] < 30
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due) SELECT 'w' || n,"
            " 'parked', 'a\"b\\c', 'monitoring', '{}', '', 'infinity' FROM generate_series(1, 5) n")
    wait_for("five parked", lambda: value("queue_waiting", queue="monitoring", kind="parked") == 5)
    assert value("tasks", task='a"b\\c', queue="monitoring", state="parked") == 5
    bed.sql("DELETE FROM jobfleet.pending WHERE due = 'infinity'")


def a_killed_child_and_a_killed_worker_show_in_restarts():
    global worker
    pid = bed.one("SELECT pid FROM jobfleet.workers WHERE program = 'salary'")
    zygote = min(map(int, open("/proc/%d/task/%d/children" % (pid, pid)).read().split()))
    child = max(map(int, open("/proc/%d/task/%d/children" % (zygote, zygote)).read().split()))
    os.kill(child, signal.SIGKILL)
    wait_for("a restart", lambda: sum(
        value("restarts_total", program="salary", cause=c) for c in ("killed", "keeper_died")) == 1)
    runs = value("task_runs_total", task=TASK, queue="monitoring", outcome="success")
    worker.kill()
    worker.wait()
    worker = start_worker()
    wait_for("the program's death", lambda: value("restarts_total", program="salary",
                                                  cause="program_died") == 1)
    assert value("task_runs_total", task=TASK, queue="monitoring", outcome="success") == runs


def health_names_each_component_with_its_reason():
    wait_for("the worker", lambda: components()[1]["salary"]["state"] == "ok")
    status, got = components()
    assert status == 200, got
    assert {"collector", "processor", "loader", "salary", "confidence", "dispatcher", "database", "redis",
            "broker", "api_quota:bls", "api_connectivity:bls", "system_resources",
            "data_quality"} <= set(got), sorted(got)
    assert got["collector"]["state"] == "degraded" and "none is running" in got["collector"]["reason"]
    assert all(c["last_proof"] for c in (got["database"], got["salary"]))
    told = jobfleet("status", "--json")
    assert told.returncode == 1, told
    told = json.loads(told.stdout)
    assert told["status"] == "degraded" and set(got) - set(told["components"]) == {"dispatcher_loop"}


def pages_dashboard_and_rules_are_made_of_the_same_list():
    made = subprocess.run([os.path.join(TOP, "tools/metrics"), "--check"], stdout=subprocess.PIPE, text=True)
    assert made.returncode == 0, made.stdout + "(run tools/metrics)"
    listed = [line.split("\t")[0] for line in open(os.path.join(TOP, "workers/dispatcher/metrics.tsv"))
              if not line.startswith("#")]
    assert [f.name for f in text_string_to_metric_families(ask("/metrics")[1])] == listed
    rules = [r for g in yaml.safe_load(open(os.path.join(TOP, "docs/rules.yml")))["groups"] for r in g["rules"]]
    assert len(rules) > 10 and all("expr" in r and ("record" in r or "for" in r) for r in rules)
    board = json.load(open(os.path.join(TOP, "docs/dashboard.json")))
    assert {m for m in listed} <= {re.search(r"jobfleet_[a-z0-9_]+?(?=(_total|_bucket|_info)?\b)", t["expr"]).group()
                                   for p in board["panels"] for t in p.get("targets", ())}
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "rules", os.path.join(TOP, "docs/rules.yml")], check=True)


def no_answer_tells_a_secret():
    secrets = [re.search(r"//[^:]*:([^@]+)@", os.environ[v]).group(1) for v in
               ("JOBFLEET_DATABASE_URL", "JOBFLEET_BROKER_URL", "JOBFLEET_REDIS_URL")
               if re.search(r"//[^:]*:[^@]+@", os.environ[v])]
    assert secrets
    for path in ("/metrics", "/health/live", "/health/ready", "/"):
        text = ask(path)[1]
        assert not [s for s in secrets if len(s) > 5 and s in text], path


def hostile_requests_are_refused_and_the_rest_goes_on():
    assert ask("/metrics", "POST")[0] == 405 and ask("/metrics", "POST")[2]["Allow"] == "GET, HEAD"
    assert ask("/metrics", "DELETE")[0] == 405 and ask("/../etc/passwd")[0] == 404
    status, text, headers = ask("/metrics", "HEAD")
    assert (status, text) == (200, "") and int(headers["Content-Length"]) > 1000
    slow = []
    for _ in range(80):     # more than there are places for; none ever ends its request
        s = socket.create_connection(address(), timeout=20)
        s.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        slow.append(s)
    for s in slow:
        s.close()
    wait_for("live again", lambda: ask("/health/live")[0] == 200)
    big = socket.create_connection(address(), timeout=20)
    try:
        big.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 100000 + b"\r\n\r\n")
        answer = big.recv(100)
        assert not answer or answer.split()[1] in (b"413", b"431", b"414"), answer
    except (BrokenPipeError, ConnectionResetError):
        pass
    odd = socket.create_connection(address(), timeout=20)
    odd.sendall(os.urandom(512) + b"\r\n\r\n")
    odd.close()
    assert ask("/health/live")[0] == 200


def an_address_in_use_is_told_and_taken_when_it_is_free():
    taken = socket.create_server(("127.0.0.1", 0))
    bed.write_conf(conf("127.0.0.1:%d" % taken.getsockname()[1]))
    bed.start("two")
    bed.wait_log("no /metrics and no /health here, trying again reason=.*Address already in use", "two")
    bed.wait_log("PostgreSQL is there", "two")
    taken.close()
    assert ask("/health/live", name="two")[0] == 200
    path = os.path.join(bed.dir, "http.sock")
    bed.write_conf(conf("unix:" + path))
    bed.dispatchers["two"].send_signal(signal.SIGHUP)

    def by_path():
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
        except OSError:
            return False
        s.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
        return s.recv(100).startswith(b"HTTP/1.0 200") or s.recv(100)
    wait_for("an answer on the path", by_path)
    assert os.stat(path).st_mode & 0o777 == 0o660
    assert bed.stop("two") == 0
    bed.write_conf(conf("127.0.0.1:0"))


def what_dies_of_it_is_started_again():
    """By a dispatcher that has connections by now, of which the new processes keep none."""
    family = bed.dispatchers["one"].pid

    def children():
        return [int(pid) for pid in open("/proc/%d/task/%d/children" % (family, family)).read().split()]

    before = children()
    assert len(before) == 2, before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for("two deaths", lambda: bed.log().count("for monitors died and is started again") == 2)
    wait_for("a new address", lambda: bed.log().count("answering /metrics") == 2)
    for pid in children():
        held = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
        assert not [f for f in held if "signalfd" in f], held
        assert len([f for f in held if f.startswith("socket:")]) <= 4, held
    assert ask("/metrics")[0] == 200 and not set(before) & set(children())
    os.kill(max(children()), signal.SIGKILL)
    wait_for("a third death, borne longer", lambda: re.search(
        r"for monitors died and is started again.*in_ms=1000", bed.log()))
    wait_for("both are there", lambda: len(children()) == 2 and ask("/metrics")[0] == 200)


def without_postgresql_it_lives_and_is_not_ready():
    door.shut()
    status, text, _ = ask("/health/ready")
    got = json.loads(text)
    assert status == 503 and got["status"] == "failed", text
    assert got["components"]["database"]["state"] == "failed"
    assert "PostgreSQL" in got["components"]["database"]["reason"], text
    assert got["components"]["database"]["last_proof"], text
    assert got["components"]["salary"] == {"state": "unknown", "reason": "the database is away",
                                           "last_proof": None, "required": True}
    began = time.monotonic()
    assert ask("/health/live")[0] == 200 and time.monotonic() - began < 10
    wait_for("the metrics know", lambda: value("component_state", component="database") == 3)
    now = samples()
    assert not [k for k in now if k[0] == "jobfleet_workers"], "figures of before pass for new ones"
    told = jobfleet("status")
    assert told.returncode == 2 and told.stdout.rstrip().endswith("failed"), told
    door.open = True
    wait_for("it is back", lambda: ask("/health/ready")[0] == 200)


def it_ends_with_its_dispatcher():
    at = address()
    assert bed.stop() == 0
    worker.terminate()
    worker.wait(30)
    assert not died_of_a_thread(bed.dir)

    def refused():
        try:
            socket.create_connection(at, timeout=5).close()
        except OSError:
            return True
    wait_for("nobody listens", refused)


run(bed, counters_grow_by_what_ran, gauges_show_the_fleet_as_it_is,
    a_killed_child_and_a_killed_worker_show_in_restarts, health_names_each_component_with_its_reason,
    pages_dashboard_and_rules_are_made_of_the_same_list, no_answer_tells_a_secret,
    hostile_requests_are_refused_and_the_rest_goes_on,
    an_address_in_use_is_told_and_taken_when_it_is_free, what_dies_of_it_is_started_again,
    without_postgresql_it_lives_and_is_not_ready, it_ends_with_its_dispatcher)
