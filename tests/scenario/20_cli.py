#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""The command line `jobfleet`, with a worker played by this test: what it sends is what Celery
sends, what it waits for is what Celery stores, and its exit status tells failure (1), no result in
time (2), wrong usage (100) and a service that is away (111) apart."""

import json
import os
import signal
import subprocess
import threading
import time

import redis

from dispatcher_bed import Bed, run, wait_for

bed = Bed("""
queue work { program = salary }
queue loads { program = loading }
task t.add {
	queue = work
	priority = 7
}
task jobfleet.collect_jobs { queue = work }
task jobfleet.run_pipeline { queue = work }
task jobfleet.reprocess { queue = work }
schedule nightly {
	cron = "0 3 * * *"
	task = t.add
	args = "[1, 2]"
}
schedule behind {
	after = nightly
	delay = 5m
	task = t.add
	enabled = no
}
""", tables=False)
store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
db = os.environ["JOBFLEET_REDIS_URL"].rsplit("/", 1)[1]
ENV = dict(os.environ, JOBFLEET_CONFIG=bed.conf, JOBFLEET_DATA_DIR=bed.dir)


def call(*words, status=0, **env):
    """stdout, stderr of one command, which must end with that status."""
    got = subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, env=dict(ENV, **env), timeout=60)
    assert got.returncode == status, "%r: status %d\n%s\n%s" % (words, got.returncode, got.stdout,
                                                                got.stderr)
    return got.stdout, got.stderr


def refused(*words, says, status=100, **env):
    out, err = call(*words, status=status, **env)
    assert says in err and out == "", "%r does not say %r: %r %r" % (words, says, err, out)


def put(task_id, status, result, **more):
    meta = json.dumps({"status": status, "result": result, "traceback": None, "children": [],
                       "date_done": None, "task_id": task_id, **more})
    key = "celery-task-meta-" + task_id
    store.setex(key, 100, meta)
    store.publish(key, meta)


class Call:
    """A command that goes on while the test looks at what it says on stderr."""

    def __init__(self, *words):
        self.err = ""
        self.process = subprocess.Popen(["jobfleet", *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=ENV)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.err += line

    def says(self, text):
        wait_for("stderr says %r" % text, lambda: text in self.err)

    def end(self, status=0):
        out = self.process.stdout.read()
        self.reader.join()
        assert self.process.wait(30) == status, (self.process.returncode, out, self.err)
        return out


class Worker(threading.Thread):
    """Answers one message of the queue: act(id, args, kwargs) puts states."""

    def __init__(self, act, queue="work"):
        super().__init__(daemon=True)
        self.act, self.queue = act, queue
        self.start()

    def run(self):
        _, properties, body = bed.consume(self.queue, 1)[0]
        args, kwargs, _ = json.loads(body)
        self.act(properties.headers["id"], args, kwargs)


# ---- migrate, config ----

def migrate_makes_the_schema_and_a_second_run_changes_nothing():
    out, _ = call("migrate")
    assert out.splitlines()[0] == "001_fleet.sql", out
    out, _ = call("migrate")
    assert out.splitlines()[-1].endswith(", 0 applied") and len(out.splitlines()) == 1, out
    assert bed.one("SELECT to_regclass('public.enhanced_jobs') IS NOT NULL")
    refused("migrate", "--dir", "/nowhere", says="/nowhere")
    refused("migrate", "--wait=0", says="PostgreSQL", status=111,
            JOBFLEET_DATABASE_URL="postgresql://u:s3cret@127.0.0.1:1/d")


def config_check_prints_settings_without_passwords_or_every_error():
    out, _ = call("config", "check", JOBFLEET_REDIS_URL="redis://:s3cret@127.0.0.1:1/0")
    assert "redis_url" in out and "s3cret" not in out, out
    wrong = os.path.join(bed.dir, "wrong.conf")
    with open(wrong, "w") as f:
        f.write("fleet { batch_size = many }\nqueue q { max_priority = 11 }\n")
    _, err = call("config", "check", wrong, status=100)
    assert "wrong.conf:1" in err and "wrong.conf:2" in err, err


# ---- enqueue, result ----

def what_enqueue_sends_is_what_celery_sends():
    out, err = call("enqueue", "t.add", "--args", "[1, 12345678901234567890]", "--kwargs",
                    '{"k": "ü"}')
    assert err == ""
    _, properties, body = bed.consume("work", 1)[0]
    args, kwargs, embed = json.loads(body)
    assert args == [1, 12345678901234567890] and kwargs == {"k": "ü"}, body
    assert set(embed) == {"callbacks", "errbacks", "chain", "chord"}
    assert out.strip() == properties.headers["id"] == properties.correlation_id
    assert properties.headers["task"] == "t.add" and properties.content_type == "application/json"
    assert properties.priority == 7 and properties.delivery_mode == 2


def options_become_what_they_mean():
    before = time.time()
    out, _ = call("enqueue", "t.other", "--queue=loads", "--priority=0", "--id=my-id",
                  "--countdown=1h", "--expires", "2h", "--json")
    assert json.loads(out) == {"task_id": "my-id"}
    _, properties, _ = bed.consume("loads", 1)[0]
    h = properties.headers
    assert h["id"] == "my-id" and properties.priority == 0
    assert abs(to_time(h["eta"]) - before - 3600) < 5 and abs(to_time(h["expires"]) - before - 7200) < 5
    assert 7_190_000 < int(properties.expiration) <= 7_200_000
    call("enqueue", "t.add", "--eta=2030-01-02T03:04:05Z")
    assert bed.consume("work", 1)[0][1].headers["eta"].startswith("2030-01-02T03:04:05")


def operands_headers_and_limits_become_what_they_mean():
    call("enqueue", "t.add", "3", "nurse", "null", '{"a": 1.50}', "--header=x-team=blue",
         '--header=x-n={"k": [1]}', "--time-limit=90", "--soft-time-limit=1m",
         "--unique-key=k1", "--unique-for=10m", "--unique-mode=throttle", "--", "-7")
    _, properties, body = bed.consume("work", 1)[0]
    h = properties.headers
    assert body.startswith(b'[[3, "nurse", null, {"a": 1.50}, -7], {}, {'), body
    assert h["x-team"] == "blue" and h["x-n"] == {"k": [1]} and h["timelimit"] == [90, 60], h
    assert (h["x-jobfleet-unique-key"], h["x-jobfleet-unique-for"],
            h["x-jobfleet-unique-mode"]) == ("k1", 600, "throttle"), h


def to_time(text):
    import datetime
    return datetime.datetime.fromisoformat(text).timestamp()


def wrong_calls_say_what_would_be_right():
    refused("enqueue", says="something is missing; usage: jobfleet enqueue TASK")
    refused("enqueue", "t.add", "more", "--args=[1]", says='"more" is an argument of the task')
    refused("enqueue", "t.add", "--time-limit=x", says="--time-limit: ")
    refused("enqueue", "t.add", "--deadline=1ms", says="--deadline: ")
    refused("enqueue", "t.add", "--header=x", says="is no NAME=JSON")
    refused("enqueue", "t.add", "--header=retries=3", says="header retries is not free")
    refused("enqueue", "t.add", "--unique-for=1m", says="--unique-key")
    refused("enqueue", "t.add", "--unique-key=k", "--unique-mode=x", says="reject, replace or throttle")
    refused("enqueue", "t.add", "--unique-key=k", "--unique-mode=throttle", says="--unique-for=10m")
    refused("enqueue", "t.add", "--stop-on-error", says="goes with --from")
    refused("enqueue", "t.add", "--from=-", "--wait", says="--from does not go with --wait")
    refused("enqueue", "--from=/nowhere", says="cannot read /nowhere")
    refused("enqueue", "t.ad", says="did you mean t.add?")
    refused("enqueue", "add", says="did you mean t.add?")
    refused("enqueue", "x.y", says="name one with --queue")
    refused("enqueue", "t.add", "--args={}", says="--args must be a JSON array")
    refused("enqueue", "t.add", "--kwargs=[]", says="--kwargs must be a JSON object")
    refused("enqueue", "t.add", "--args=[1", says="--args: ")
    refused("enqueue", "t.add", "--priority=10", says="--priority: ")
    refused("enqueue", "t.add", "--countdown=soon", says="--countdown: ")
    refused("enqueue", "t.add", "--countdown=1", "--eta=2030-01-01", says="give one")
    refused("enqueue", "t.add", "--eta=tomorrow", says="--eta: ")
    refused("enqueue", "t.add", "--expires=2001-01-01", says="in the past")
    refused("enqueue", "t.add", "--id=a b", says="no spaces")
    refused("enqueue", "t.add", "--wiat", says="did you mean --wait?")
    refused("enqueue", "t.add", "--args", says="needs a value")
    refused("enqueue", "t.x", "--queue=nowhere", says="there is no queue nowhere", status=1)
    refused("enqeue", says="did you mean enqueue?")
    refused(says="no command")
    refused("dlq", "replai", says="no command dlq replai")
    refused("dlq", "show", "x", says="is not a dead letter's id")
    refused("pipeline", "run", "q", "--results=0", says="--results: ")
    refused("collect", "q", "p", "--pages=x", says="--pages: ")


def every_command_has_help():
    out, _ = call("--help")
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert len(names) >= 10
    for words in [[n] for n in names] + [["dlq", c] for c in ("list", "show", "replay", "drop")] + \
            [["schedule", "list"], ["pipeline", "run"]]:
        out, _ = call(*words, "--help")
        assert out.startswith("usage: "), out


def wait_shows_progress_and_prints_the_result_with_all_its_digits():
    doing = Call("enqueue", "t.add", "--wait")
    task_id = bed.consume("work", 1)[0][1].headers["id"]
    put(task_id, "PROGRESS", {"current": 1, "total": 2, "step": "half"})
    doing.says("1/2 half")
    meta = '{"status": "SUCCESS", "result": {"n": 12345678901234567890, "x": 1.10}, "task_id": "x"}'
    store.setex("celery-task-meta-" + task_id, 100, meta)
    store.publish("celery-task-meta-" + task_id, meta)
    out = doing.end()
    assert out == '{"n": 12345678901234567890, "x": 1.10}\n', out


def a_result_whose_message_was_lost_is_found_all_the_same():
    doing = Call("enqueue", "t.add", "--wait", "--timeout=20s")
    task_id = bed.consume("work", 1)[0][1].headers["id"]
    doing.says(task_id)
    store.setex("celery-task-meta-" + task_id, 100, '{"status": "SUCCESS", "result": 1}')
    assert doing.end() == "1\n"


def a_wait_survives_the_loss_of_its_connections():
    doing = Call("enqueue", "t.add", "--wait", "--timeout=20s")
    task_id = bed.consume("work", 1)[0][1].headers["id"]
    doing.says(task_id)
    channel = "celery-task-meta-" + task_id
    me = str(store.client_id())
    for client in store.client_list():      # of our database: the server may be shared
        if client["db"] == db and client["id"] != me:
            store.client_kill_filter(_id=client["id"])
    wait_for("it listens again", lambda: dict(store.pubsub_numsub(channel))[channel.encode()])
    put(task_id, "SUCCESS", 2)
    assert doing.end() == "2\n"


def a_failed_task_is_status_1_with_its_exception():
    worker = Worker(lambda i, a, k: put(i, "FAILURE", {
        "exc_type": "ValueError", "exc_message": ["no such place"], "exc_module": "builtins"},
        traceback="Traceback: here\n"))
    out, err = call("enqueue", "t.add", "--wait", status=1)
    worker.join()
    assert out == "" and "task failed: ValueError: no such place" in err and "here" in err, err
    task_id = err.splitlines()[0]
    _, err = call("result", task_id, status=1)
    assert "no such place" in err
    out, _ = call("result", task_id, "--json", status=1)
    assert json.loads(out)["status"] == "FAILURE"
    worker = Worker(lambda i, a, k: put(i, "REVOKED", {
        "exc_type": "TaskRevokedError", "exc_message": ["expired"], "exc_module": "x"}))
    _, err = call("enqueue", "t.add", "--wait", status=1)
    assert "was revoked: TaskRevokedError: expired" in err


def no_result_in_time_is_status_2_and_can_be_asked_for_later():
    _, err = call("enqueue", "t.add", "--id=later", "--wait", "--timeout=200ms", status=2)
    assert "jobfleet result later --wait" in err, err
    refused("result", "later", says="nothing is known about task later", status=1)
    put("later", "STARTED", {"pid": 1})
    _, err = call("result", "later", status=2)
    assert "STARTED" in err
    threading.Timer(0.2, lambda: put("later", "SUCCESS", 5)).start()
    assert call("result", "later", "--wait")[0] == "5\n"
    bed.consume("work", 1)


def a_result_that_redis_forgot_is_found_in_the_ledger():
    bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node, meta) VALUES"
            " ('old', 'success', true, 't', 'q', 'n', %s)",
            json.dumps({"status": "SUCCESS", "result": [1.50], "task_id": "old"}))
    assert json.loads(call("result", "old")[0]) == [1.5]
    bed.sql("SELECT jobfleet.enqueue('t', queue => 'q', task_id => 'due', countdown => '1 hour')")
    _, err = call("result", "due", status=2)
    assert "enqueued, waiting, due" in err, err


def services_that_are_away_are_status_111_within_the_deadline():
    started = time.monotonic()
    refused("enqueue", "t.add", "--deadline=1s", says="127.0.0.1:1", status=111,
            JOBFLEET_BROKER_URL="amqp://guest:s3cret@127.0.0.1:1/%2F", JOBFLEET_SPOOL_MAX="0")
    refused("enqueue", "t.add", "--wait", says="127.0.0.1:1", status=111,
            JOBFLEET_REDIS_URL="redis://:s3cret@127.0.0.1:1/0")
    refused("workers", says="127.0.0.1", status=111,
            JOBFLEET_DATABASE_URL="postgresql://u:s3cret@127.0.0.1:1/d")
    assert time.monotonic() - started < 20


def without_a_broker_a_task_is_spooled_and_the_next_enqueue_sends_it():
    out, err = call("enqueue", "t.add", "--id=spooled-1", status=3,
                    JOBFLEET_BROKER_URL="amqp://guest:s3cret@127.0.0.1:1/%2F")
    assert out == "spooled-1\n" and "spooled on this host" in err and "s3cret" not in err, err
    _, err = call("enqueue", "t.add", "--id=next-1")
    assert "1 of 1 spooled before are sent now" in err, err
    ids = {m[1].headers["id"] for m in bed.consume("work", 2)}
    assert ids == {"spooled-1", "next-1"}, ids


def a_broker_that_says_nothing_does_not_hold_the_call_for_ever():
    import socket
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        started = time.monotonic()
        call("enqueue", "t.add", "--deadline=2s", status=111, JOBFLEET_SPOOL_MAX="0",
             JOBFLEET_BROKER_URL="amqp://guest:guest@127.0.0.1:%d/%%2F" % silent.getsockname()[1])
        assert time.monotonic() - started < 4


# ---- enqueue --from ----

def bulk(lines, *words, status=0, stdin=True, **env):
    """Summary and stderr of an enqueue of these lines."""
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
    path = "-"
    if not stdin:
        path = os.path.join(bed.dir, "tasks.jsonl")
        with open(path, "w") as f:
            f.write(text)
    got = subprocess.run(["jobfleet", "enqueue", *words, "--from", path, "--json"], text=True,
                         input=text if stdin else None, capture_output=True, timeout=60,
                         env=dict(ENV, **env))
    assert got.returncode == status, (got.returncode, got.stdout, got.stderr)
    return json.loads(got.stdout), got.stderr


def a_file_of_tasks_is_sent_line_by_line_with_all_its_digits():
    sums, err = bulk([{"task": "t.add", "args": [1], "id": "l1", "priority": 2},
                      '{"task": "t.add", "args": [12345678901234567890, 1.10], "id": "l2"}', "",
                      {"id": "l3", "kwargs": {"k": "ü"}, "countdown": "1h", "expires": 7200,
                       "time_limit": 5, "headers": {"x-h": "y"}, "unique_key": "u"}],
                     "t.add", "--priority=4", stdin=False)
    assert err == "" and sums["confirmed"] == 3 and sums["lines"] == 4 and sums["wrong"] == 0, sums
    got = {m[1].headers["id"]: m for m in bed.consume("work", 3)}
    assert got["l1"][1].priority == 2 and got["l2"][1].priority == 4
    assert got["l2"][2].startswith(b"[[12345678901234567890, 1.10]"), got["l2"][2]
    h = got["l3"][1].headers
    assert abs(to_time(h["eta"]) - time.time() - 3600) < 30 and h["timelimit"] == [5, None]
    assert h["x-h"] == "y" and h["x-jobfleet-unique-key"] == "u" and got["l3"][1].expiration


def wrong_lines_are_named_and_the_others_sent():
    wrong = [("{", "line 2"), ("[1]", "must be a JSON object"), ({"args": [1]}, '"task" is missing'),
             ({"task": "t.add", "arg": [1]}, "did you mean args?"),
             ({"task": "t.add", "args": 3}, "args must be a JSON array"),
             ({"task": "t.add", "priority": 12}, "a number from 0 to 9"),
             ({"task": "t.add", "countdown": "soon"}, "countdown must be seconds"),
             ({"task": "t.add", "eta": 5}, "eta must be a time"),
             ({"task": "t.ad"}, "did you mean t.add?"),
             ({"task": "t.add", "headers": {"eta": 1}}, "header eta is not free"),
             ({"task": "t.x", "queue": "nowhere"}, "there is no queue nowhere")]
    lines = [{"task": "t.add", "id": "good-1"}] + [x for x, _ in wrong] + [{"task": "t.add"}]
    sums, err = bulk(lines, status=1)
    assert sums["confirmed"] == 2 and sums["wrong"] == 10 and sums["rejected"] == 1, (sums, err)
    for number, (_, says) in enumerate(wrong, 2):
        line = [x for x in err.splitlines() if x.startswith("stdin:%d: " % number)]
        assert line and (says in line[0] or says == "line 2"), (number, says, err)
    assert len(bed.consume("work", 2)) == 2
    sums, err = bulk(lines, "--stop-on-error", status=1)
    assert sums["confirmed"] == 1 and sums["lines"] == 2 and "stopped after line 2" in err, (sums, err)
    bed.consume("work", 1)


def a_line_of_any_length_is_no_harm():
    sums, err = bulk([{"task": "t.add", "args": ["x" * 300000]}, {"task": "t.add"}, "y" * 400000],
                     status=1, JOBFLEET_MAX_MESSAGE="100K")
    assert sums["confirmed"] == 1 and sums["wrong"] == 2 and "longer than max_message" in err, err
    bed.consume("work", 1)


def a_slow_pipe_is_sent_as_it_comes():
    process = subprocess.Popen(["jobfleet", "enqueue", "t.add", "--from=-"], env=ENV, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for i in range(3):
        process.stdin.write('{"id": "slow-%d"}\n' % i)
        process.stdin.flush()
        assert bed.consume("work", 1)[0][1].headers["id"] == "slow-%d" % i
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1 and out.startswith("3 confirmed, 0 spooled"), (out, err)
    assert "stopped after line 3" in err, err


def thousands_of_lines_go_at_full_confirmed_speed():
    n = 5000
    sums, _ = bulk([{"args": [i]} for i in range(n)], "t.add", stdin=False)
    print("# %d lines: %.0f/s" % (n, sums["rate"]))
    assert sums["confirmed"] == n and sums["rate"] > 500, sums
    assert sorted(json.loads(m[2])[0][0] for m in bed.consume("work", n)) == list(range(n))


def a_terminal_sees_a_bar():
    import pty
    master, slave = pty.openpty()
    path = os.path.join(bed.dir, "few.jsonl")
    with open(path, "w") as f:
        f.write('{"task": "t.add"}\n' * 3)
    got = subprocess.run(["jobfleet", "enqueue", "--from", path], env=ENV, stderr=slave,
                         stdout=subprocess.PIPE, timeout=30, text=True)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    assert got.returncode == 0 and "[########################] 3 sent" in shown, shown
    assert "3 confirmed, 0 spooled, 0 rejected" in shown and "\r" in shown, shown
    bed.consume("work", 3)


# ---- lists ----

def queues_show_depth_and_consumers():
    call("enqueue", "t.add")
    rows = {r["queue"]: r for r in json.loads(call("queues", "--json")[0])}
    work = {k: rows["work"][k] for k in ("queue", "program", "ready", "consumers", "state")}
    assert work == {"queue": "work", "program": "salary", "ready": 1, "consumers": 0,
                    "state": "nobody consumes"}, rows
    assert rows["failed_operations"]["ready"] is None or "state" in rows["failed_operations"]
    out, _ = call("queues", "work")
    assert out.split()[:5] == ["queue", "program", "ready", "unacked", "consumers"], out
    assert call("queues", "nowhere", "--quiet")[0].endswith("not declared\n")
    bed.consume("work", 1)


def workers_are_listed_and_a_silent_one_is_lost():
    assert call("workers")[0] == "no worker has reported itself\n"
    bed.sql("INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency,"
            " version, seen_at) VALUES ('salary@a', 'salary', 'a', 1, 'running', '{work,x}', 2, '1',"
            " now()), ('salary@b', 'salary', 'b', 2, 'running', '{work}', 2, '1',"
            " now() - interval '10 minutes'), ('salary@c', 'salary', 'c', 3, 'stopped', '{}', 2, '1', now())")
    rows = json.loads(call("workers", "--json")[0])
    assert [(r["node"], r["state"]) for r in rows] == [("salary@a", "running"), ("salary@b", "lost")]
    assert rows[0]["queues"] == ["work", "x"] and rows[0]["concurrency"] == 2
    assert len(json.loads(call("--json", "workers", "--all")[0])) == 3


def schedules_are_listed_with_their_last_fire():
    bed.sql("INSERT INTO jobfleet.schedules (name, definition, next_due) VALUES ('nightly', 'x',"
            " '2030-01-01 03:00+00')")
    bed.sql("INSERT INTO jobfleet.schedule_fires (schedule, due, task_id, fired_by) VALUES"
            " ('nightly', '2026-01-01 03:00+00', 'old', 'd')")
    rows = {r["schedule"]: r for r in json.loads(call("schedule", "list", "--json")[0])}
    nightly = rows["nightly"]
    assert nightly["next_due"] == "2030-01-01 03:00" and nightly["last_outcome"] == "success", nightly
    assert nightly["args"] == [1, 2] and nightly["state"] == "on"
    assert rows["behind"]["state"] == "off" and rows["behind"]["when"] == "after nightly + 300 s"


# ---- dead letters ----

def bury(message):
    """A message from a queue becomes a dead letter, as the dispatcher would make it."""
    _, properties, body = message
    return bed.one("INSERT INTO jobfleet.dead_letters (task_id, task, queue, cause, reason, fingerprint,"
                   " props, body) VALUES (%s, %s, 'work', 'exhausted', 'gave up', 'f', %s, %s) RETURNING id",
                   properties.headers["id"], properties.headers["task"], encode(properties), body)


def encode(properties):
    return b"".join(properties.encode())


def a_dead_letter_is_listed_shown_replayed_once_and_dropped():
    assert call("dlq", "list")[0] == "no dead letters\n"
    call("enqueue", "t.add", "--args=[3]", "--id=dead-1", "--expires=1h")
    number = str(bury(bed.consume("work", 1)[0]))
    rows = json.loads(call("dlq", "list", "--json", "--cause=exhausted", "--task=add")[0])
    assert [(r["task_id"], r["reason"]) for r in rows] == [("dead-1", "gave up")], rows
    assert json.loads(call("dlq", "list", "--json", "--queue=other")[0]) == []
    shown = json.loads(call("dlq", "show", number, "--json")[0])
    assert shown["body"][0] == [3] and shown["task"] == "t.add" and shown["expires"], shown
    assert "gave up" in call("dlq", "show", number)[0]
    assert call("dlq", "replay", number)[0] == number + " replayed\n"
    row = bed.sql("SELECT task_id, generation, retries, hop, queue, state, kind FROM jobfleet.pending"
                  " WHERE task_id = 'dead-1'")
    assert row == [("dead-1", 1, 0, 0, "work", "waiting", "outbox")], row
    refused("dlq", "replay", number, says="is replayed already", status=1)
    refused("dlq", "drop", number, says="is replayed already", status=1)
    refused("dlq", "show", "999999", says="there is no dead letter 999999", status=1)


def a_replayed_letter_is_delivered_as_a_new_generation():
    bed.start()
    _, properties, body = bed.consume("work", 1)[0]
    h = properties.headers
    assert h["id"] == "dead-1" and h["x-jobfleet-generation"] == 1, h
    assert h.get("expires") is None and properties.expiration is None
    assert json.loads(body)[0] == [3] and properties.priority == 7
    bed.stop()


def a_letter_without_a_readable_message_is_shown_in_hex_and_not_replayed():
    number = str(bed.one("INSERT INTO jobfleet.dead_letters (queue, cause, reason, fingerprint, props,"
                         " body) VALUES ('work', 'malformed', 'torn', 'g', '\\xff', '\\x00ff') RETURNING id"))
    shown = json.loads(call("dlq", "show", number, "--json")[0])
    assert shown["body_hex"] == "00ff" and shown["unreadable"], shown
    refused("dlq", "replay", number, says="cannot be sent again", status=100)
    out, err = call("dlq", "drop", number, "999999", status=1)
    assert out == number + " dropped\n" and "no dead letter 999999" in err
    assert call("dlq", "list")[0] == "no dead letters\n"
    assert len(json.loads(call("dlq", "list", "--all", "--json")[0])) == 2


# ---- pipeline ----

def collect_asks_for_what_was_said():
    out, _ = call("collect", "Python Developer", "New York", "--pages=3", "--priority=high",
                  "--source=jsearch")
    _, properties, body = bed.consume("work", 1)[0]
    assert properties.headers["task"] == "jobfleet.collect_jobs"
    assert json.loads(body)[1] == {"query": "Python Developer", "location": "New York",
                                   "source": "jsearch", "priority": "high", "num_pages": 3}
    assert out.strip() == properties.headers["id"]
    call("collect", "Nurse", "--source=jsearch,adzuna", "--results=40", "--refresh",
         "--strategy=incremental")
    _, _, body = bed.consume("work", 1)[0]
    assert json.loads(body)[1] == {"query": "Nurse", "source": ["jsearch", "adzuna"], "results": 40,
                                   "refresh": True, "strategy": "incremental"}, body
    refused("collect", "q", "--results=0", says="--results: ")


def reprocess_asks_for_what_was_said():
    number = "6d3b5d0e-9a57-4c39-8c53-2f1d2f6a0001"
    call("reprocess", number)
    _, properties, body = bed.consume("work", 1)[0]
    assert properties.headers["task"] == "jobfleet.reprocess"
    assert json.loads(body)[1] == {"collection_id": number}
    call("reprocess", "--failed", "--limit=5")
    assert json.loads(bed.consume("work", 1)[0][2])[1] == {"failed": True, "limit": 5}
    refused("reprocess", says="which ones?")
    refused("reprocess", "12", says="not a collection's id")
    refused("reprocess", number, "--failed", says="not both")


def settle(task_id, outcome, result):
    bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node, meta) VALUES"
            " (%s, %s, true, 't', 'work', 'n', %s)", task_id, outcome,
            json.dumps({"status": outcome.upper(), "result": result, "task_id": task_id}))


def pipeline_run_follows_all_stages_to_their_end():
    doing = Call("pipeline", "run", "Python Developer", "New York", "--results", "20", "--wait", "--json")
    doing.says("waiting for a worker")
    _, properties, body = bed.consume("work", 1)[0]
    run_id = properties.headers["id"]
    assert json.loads(body)[1] == {"query": "Python Developer", "location": "New York", "results": 20}
    answer = bed.one("INSERT INTO raw_job_collections (api_provider, query_params, raw_response,"
                     " metadata, run_id) VALUES ('jsearch', '{}', '{}', '{\"job_count\": 3}', %s)"
                     " RETURNING collection_id", run_id)
    doing.says("collecting: 3 postings in 1 answers")
    bed.sql("INSERT INTO jobfleet.steps (task_id, step) VALUES (%s, 'collected')", run_id)
    doing.says("collected: 3 postings in 1 answers")
    log = bed.one("INSERT INTO job_processing_log (collection_id, status, jobs_processed, jobs_failed,"
                  " errors, completed_at) VALUES (%s, 'partial', 2, 1, %s, now())"
                  " RETURNING processing_id", answer, json.dumps(
                      [{"job_index": 2, "error_type": "schema_validation",
                        "error_message": "Missing required field: job_title"}]))
    bed.sql("INSERT INTO processed_job_data (processing_id, job_index, processed_data) VALUES"
            " (%s, 0, '{}'), (%s, 1, '{}')", log, log)
    bed.sql("UPDATE raw_job_collections SET processing_status = 'partial' WHERE run_id = %s", run_id)
    doing.says("to load 2")
    assert doing.process.poll() is None
    with bed.pg.cursor() as c:
        c.execute("BEGIN")
        c.execute("UPDATE processed_job_data SET load_status = 'loaded', loaded_at = now()"
                  " WHERE processing_id = %s", (log,))
        c.execute("UPDATE job_processing_log SET jobs_loaded = 1, jobs_merged = 1, loaded_at = now()"
                  " WHERE processing_id = %s", (log,))
        c.execute("COMMIT")
    settle(run_id, "success", {"status": "success", "collection_ids": [str(answer)]})
    got = json.loads(doing.end())
    assert got["status"] == "success" and got["collected"] == 3 and got["answers"] == 1, got
    assert (got["processed"], got["refused"], got["loaded"], got["duplicates"]) == (2, 1, 1, 1), got
    assert got["errors"] == ["Missing required field: job_title"] and got["timings"]["all_s"] > 0, got


def a_run_whose_task_died_ends_and_says_why():
    def act(run_id, args, kwargs):
        with bed.pg.cursor() as c:
            c.execute("BEGIN")
            c.execute("INSERT INTO raw_job_collections (api_provider, query_params, raw_response, run_id)"
                      " VALUES ('jsearch', '{}', '{}', %s) RETURNING collection_id", (run_id,))
            body = json.dumps([[c.fetchone()[0]], {}, {}]).encode()
            c.execute("INSERT INTO jobfleet.dead_letters (task_id, task, queue, cause, reason,"
                      " fingerprint, body) VALUES ('p', 'jobfleet.process_collection', 'work', 'lost',"
                      " 'killed thrice', 'h', %s)", (body,))
            c.execute("COMMIT")
        settle(run_id, "success", {"status": "partial"})

    worker = Worker(act)
    out, _ = call("pipeline", "run", "q", "--wait")
    worker.join()
    assert "partial" in out and "killed thrice" in out, out


def a_run_that_fails_is_status_1_and_one_that_lasts_is_status_2():
    worker = Worker(lambda i, a, k: settle(i, "failure", {"exc_type": "X", "exc_message": ["nothing"]}))
    out, _ = call("pipeline", "run", "q", "--wait", status=1)
    worker.join()
    assert "failed: nothing" in out, out
    out, _ = call("pipeline", "run", "q", "--wait", "--timeout=0.3", status=2)
    assert "under way" in out, out
    bed.consume("work", 1)


def pipeline_counts_collections_postings_and_errors():
    got = json.loads(call("pipeline", "--json")[0])
    rows = {(r["source"], r["status"]): r for r in got["collections"]}
    assert rows[("jsearch", "partial")]["collections"] == 1
    assert rows[("jsearch", "partial")]["postings"] == 3
    assert (got["processed"], got["failed"], got["loaded"], got["duplicates"]) == (2, 1, 1, 1), got
    assert got["oldest_waiting"] and got["oldest_waiting_s"] >= 0
    assert got["errors"][0]["message"] == "Missing required field: job_title"
    out, _ = call("pipeline")
    assert "processed 2, refused 1; loaded 1 new, 1 duplicates" in out, out


def an_interrupted_wait_ends_at_once():
    process = subprocess.Popen(["jobfleet", "enqueue", "t.add", "--wait", "--timeout=0"], env=ENV,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for("the task is sent", lambda: process.stderr.readline().strip())
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == -signal.SIGINT
    bed.consume("work", 1)


run(bed,
    migrate_makes_the_schema_and_a_second_run_changes_nothing,
    config_check_prints_settings_without_passwords_or_every_error,
    what_enqueue_sends_is_what_celery_sends,
    options_become_what_they_mean,
    operands_headers_and_limits_become_what_they_mean,
    wrong_calls_say_what_would_be_right,
    every_command_has_help,
    wait_shows_progress_and_prints_the_result_with_all_its_digits,
    a_result_whose_message_was_lost_is_found_all_the_same,
    a_wait_survives_the_loss_of_its_connections,
    a_failed_task_is_status_1_with_its_exception,
    no_result_in_time_is_status_2_and_can_be_asked_for_later,
    a_result_that_redis_forgot_is_found_in_the_ledger,
    services_that_are_away_are_status_111_within_the_deadline,
    without_a_broker_a_task_is_spooled_and_the_next_enqueue_sends_it,
    a_broker_that_says_nothing_does_not_hold_the_call_for_ever,
    a_file_of_tasks_is_sent_line_by_line_with_all_its_digits,
    wrong_lines_are_named_and_the_others_sent,
    a_line_of_any_length_is_no_harm,
    a_slow_pipe_is_sent_as_it_comes,
    thousands_of_lines_go_at_full_confirmed_speed,
    a_terminal_sees_a_bar,
    queues_show_depth_and_consumers,
    workers_are_listed_and_a_silent_one_is_lost,
    schedules_are_listed_with_their_last_fire,
    a_dead_letter_is_listed_shown_replayed_once_and_dropped,
    a_replayed_letter_is_delivered_as_a_new_generation,
    a_letter_without_a_readable_message_is_shown_in_hex_and_not_replayed,
    collect_asks_for_what_was_said,
    reprocess_asks_for_what_was_said,
    pipeline_run_follows_all_stages_to_their_end,
    a_run_whose_task_died_ends_and_says_why,
    a_run_that_fails_is_status_1_and_one_that_lasts_is_status_2,
    pipeline_counts_collections_postings_and_errors,
    an_interrupted_wait_ends_at_once)
