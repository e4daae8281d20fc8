#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 300
"""What the command line shows of a running fleet: queues, workers, what waits for a time, one
task's story, its progress and its lines, the health of the whole. Each command plain and as JSON,
against real services, with a worker and a dispatcher that run."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
import uuid

import pika

from fleet_bed import Fleet, run, wait_for

CONF = """
queue nobody { program = "salary" }
queue plain { program = "salary" }
queue quorate {
	program = "salary"
	type = quorum
	delivery_limit = 7
}
task echo.add { queue = "echo" }
task echo.sleep { queue = "echo" }
task echo.fail {
	queue = "echo"
	max_retries = 2
	retry_backoff = 1h
	retry_fixed = yes
}
"""

def fleet(workers=("one",), **more):
    made = Fleet(workers=workers, fleet_conf="heartbeat = 1s", conf=CONF, **more)
    made.sql("DELETE FROM jobfleet.workers WHERE state = 'stopped' OR seen_at < now() - interval '9 s'")
    made.sql("UPDATE jobfleet.pauses SET paused = false")
    return made


def call(bed, *words, status=0, **env):
    """stdout, stderr of one command, which must end with that status."""
    got = subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, timeout=60, env=dict(os.environ, JOBFLEET_CONFIG=bed.conf, **env))
    assert got.returncode == status, "%r: status %d, wanted %d\n%s\n%s" % (
        words, got.returncode, status, got.stdout, got.stderr)
    return got.stdout, got.stderr


def asked(bed, *words, status=0):
    return json.loads(call(bed, *words, "--json", status=status)[0])


def declare(bed, queue, **arguments):
    with bed.rabbit() as connection:
        connection.channel().queue_declare(queue, durable=True, arguments=arguments)


def drop_queues(bed, *queues):
    with bed.rabbit() as connection:
        for queue in queues:
            connection.channel().queue_delete(queue)


def queue_row(bed, name, *words):
    return next(r for r in asked(bed, "queues", "--sample=0", *words) if r["queue"] == name)


def enqueue_in_sql(bed, task, args="[]", kwargs="{}", queue="echo", countdown="0", task_id=None):
    """As another service's transaction does: it goes through jobfleet.pending."""
    task_id = task_id or str(uuid.uuid4())
    bed.sql("SELECT jobfleet.enqueue(%s, %s, %s, queue => %s, countdown => %s, task_id => %s)",
            task, args, kwargs, queue, countdown, task_id)
    return task_id


def publish(bed, queue, count):
    with bed.rabbit() as connection:
        channel = connection.channel()
        for _ in range(count):
            channel.basic_publish("", queue, b"[[], {}, {}]", pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8",
                headers={"task": "echo.noop", "id": str(uuid.uuid4())}))


# ---- queues ----

def queues_tell_depth_pauses_and_other_arguments():
    bed = fleet()
    declare(bed, "plain")
    declare(bed, "quorate", **{"x-queue-type": "quorum", "x-delivery-limit": 7})
    declare(bed, "nobody", **{"x-max-priority": 10})
    bed.sql("INSERT INTO jobfleet.pauses (kind, name, reason) VALUES ('queue', 'nobody', 'a test')"
            " ON CONFLICT (kind, name) DO UPDATE SET paused = true, reason = 'a test'")
    publish(bed, "plain", 3)
    wait_for("the broker counts them", lambda: queue_row(bed, "plain")["ready"] == 3)
    wait_for("the worker reports", lambda: queue_row(bed, "echo")["unacked"] == 0)
    rows = {r["queue"]: r for r in asked(bed, "queues", "--sample=0")}
    plain, nobody, echo = rows["plain"], rows["nobody"], rows["echo"]
    assert plain["other_arguments"] and plain["state"] == "nobody consumes, other arguments", plain
    assert plain["oldest_is"] == "unknown" and plain["oldest_s"] is None, plain
    assert "nobody has seen this queue empty" in plain["oldest_note"], plain
    assert nobody["paused"] and nobody["pause_reason"] == "a test" and not nobody["other_arguments"]
    assert nobody["state"] == "paused, nobody consumes" and nobody["oldest_is"] == "none", nobody
    assert echo["state"] == "ok" and echo["consumers"] == 1 and echo["unacked"] == 0, echo
    assert echo["in_per_s"] is None, echo
    out, _ = call(bed, "queues", "--sample=100ms")
    assert "over the 0.1 s" in out and "nobody, paused: a test" in out, out
    assert "used as it stands" in " ".join(out.split()), out
    _, err = call(bed, "queues", "--sample=2m", status=100)
    assert "at most 60s" in err
    assert not rows["quorate"]["other_arguments"], rows["quorate"]
    drop_queues(bed, "quorate")
    declare(bed, "quorate", **{"x-queue-type": "quorum"})
    assert queue_row(bed, "quorate")["other_arguments"]
    drop_queues(bed, "plain", "nobody", "quorate")
    bed.close()


def the_age_of_the_oldest_is_exact_for_our_own_and_else_a_bound():
    bed = fleet(workers=())
    declare(bed, "nobody", **{"x-max-priority": 10})
    task_id = enqueue_in_sql(bed, "echo.noop", queue="nobody")
    wait_for("it is sent", lambda: bed.one("SELECT state FROM jobfleet.pending WHERE task_id = %s",
                                           task_id) == "sent")
    bed.sql("UPDATE jobfleet.pending SET sent_at = sent_at - interval '100 s' WHERE task_id = %s", task_id)
    wait_for("the broker counts it", lambda: queue_row(bed, "nobody")["ready"] == 1)
    row = queue_row(bed, "nobody")
    assert row["oldest_is"] == "exact" and 100 <= row["oldest_s"] < 130 and row["sent"] == 1, row
    publish(bed, "nobody", 1)
    wait_for("the broker counts both", lambda: queue_row(bed, "nobody")["ready"] == 2)
    row = queue_row(bed, "nobody")
    assert row["oldest_is"] == "own" and row["oldest_note"], row
    bed.sql("INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency, version,"
            " seen_at) VALUES ('idle@h', 'echo', 'h', 1, 'running', '{nobody}', 1, '1', now() - interval '200 s')")
    row = queue_row(bed, "nobody")
    assert row["oldest_is"] == "upper bound" and 200 <= row["oldest_s"] < 230, row
    assert "<= 2" in call(bed, "queues", "nobody")[0]
    bed.sql("DELETE FROM jobfleet.workers WHERE node = 'idle@h'")
    drop_queues(bed, "nobody")
    bed.close()


def rates_say_what_goes_in_and_out():
    bed = fleet()
    bed.enqueue([("echo.mark", {"note": "mark", "work_ms": 0})] * 60)
    bed.check()
    assert queue_row(bed, "echo")["out_per_s"] >= 1.0, queue_row(bed, "echo")
    declare(bed, "nobody", **{"x-max-priority": 10})
    feeding = threading.Timer(0.5, publish, (bed, "nobody", 10))
    feeding.start()
    row = next(r for r in asked(bed, "queues", "nobody", "--sample=3s"))
    feeding.join()
    assert 1 < row["in_per_s"] <= 4 and row["out_per_s"] == 0, row
    assert row["oldest_is"] == "upper bound" and row["oldest_s"] >= 3, row
    drop_queues(bed, "nobody")
    bed.close()


# ---- workers ----

def workers_show_counts_rates_and_the_lost_ones():
    bed = fleet()
    bed.enqueue([("echo.mark", {"note": "mark", "work_ms": 0})] * 6)
    bed.check()
    bed.sql("INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency, version,"
            " seen_at) VALUES ('gone@h', 'echo', 'h', 1, 'running', '{echo}', 1, '0', now() - interval '4 s')")
    wait_for("the row counts six", lambda: {r["node"]: r for r in asked(bed, "workers")}
             ["one@test"]["processed"] == 6)
    rows = {r["node"]: r for r in asked(bed, "workers")}
    one = rows["one@test"]
    assert one["state"] == "running" and one["queues"] == ["echo"] and one["concurrency"] == 2, one
    assert one["settled_per_s"] == 0.1 and one["failed"] == 0 and one["pid"] > 1, one
    assert one["host"] and one["version"] and one["started_at"] and one["seen_s_ago"] < 4, one
    assert rows["gone@h"]["state"] == "lost", rows
    assert rows["dispatcher@test"]["state"] == "running", rows
    out, _ = call(bed, "workers")
    assert out.split()[:4] == ["node", "program", "state", "queues"] and "lost" in out, out
    bed.sql("DELETE FROM jobfleet.workers WHERE node = 'gone@h'")
    bed.close()


# ---- scheduled ----

def scheduled_lists_what_waits_with_filters_and_the_total():
    bed = fleet(workers=(), dispatcher=False)
    for n in range(3):
        enqueue_in_sql(bed, "x.later", queue="nobody", countdown="%d hours" % (n + 1), task_id="later-%d" % n)
    enqueue_in_sql(bed, "x.other", queue="plain", countdown="30 minutes", task_id="other")
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due, reason) VALUES"
            " ('held', 'parked', 'x.held', 'echo', '{}', '', 'infinity', 'paused')")
    got = asked(bed, "scheduled")
    ids = [r["task_id"] for r in got["scheduled"]]
    assert got["total"] == 5 and ids == ["other", "later-0", "later-1", "later-2", "held"], got
    held = got["scheduled"][-1]
    assert held["due"] is None and held["in_s"] is None and held["reason"] == "paused", held
    assert 1700 < got["scheduled"][0]["in_s"] <= 1800 and got["scheduled"][0]["kind"] == "enqueued", got
    got = asked(bed, "scheduled", "--task=later", "--queue=nobody", "--limit=2")
    assert got["total"] == 3 and len(got["scheduled"]) == 2, got
    assert [r["task_id"] for r in asked(bed, "scheduled", "--kind=parked")["scheduled"]] == ["held"]
    out, _ = call(bed, "scheduled", "--limit=1")
    assert "5 wait, 1 shown" in out and "other" in out, out
    assert call(bed, "scheduled", "--task=none")[0] == "nothing waits\n"
    call(bed, "scheduled", "--limit=0", status=100)
    bed.forget_all()
    bed.close()


# ---- explain ----

def explained(bed, task_id, *words, status=0):
    return asked(bed, "explain", task_id, *words, status=status)


def settled(bed, task_id, outcome="success"):
    wait_for("%s ends" % task_id, lambda: bed.sql(
        "SELECT 1 FROM jobfleet.ledger WHERE final AND task_id = %s AND outcome = %s", task_id, outcome))


def explain_tells_a_finished_task_step_by_step():
    bed = fleet()
    task_id = enqueue_in_sql(bed, "echo.mark_steps", kwargs='{"n": 2}')
    settled(bed, task_id)
    wait_for("its result", lambda: explained(bed, task_id)["redis_status"] == "SUCCESS")
    got = explained(bed, task_id)
    assert got["state"] == "ended" and got["outcome"] == "success" and got["node"] == "one@test", got
    assert [s["kind"] for s in got["story"]] == ["started", "step", "step", "settled"], got
    assert [s["at"] for s in got["story"]] == sorted(s["at"] for s in got["story"]), got
    out, _ = call(bed, "explain", task_id)
    assert "step step 1 was done" in out and "attempt 1 ended on one@test: success" in out, out
    bed.close()


def explain_says_why_a_task_does_not_run_yet():
    bed = fleet()
    declare(bed, "nobody", **{"x-max-priority": 10})
    later = enqueue_in_sql(bed, "echo.add", "[1, 2]", countdown="1 hour")
    got = explained(bed, later)
    assert got["state"] == "waiting" and "for its time, due at" in got["why"][0], got
    retrying = enqueue_in_sql(bed, "echo.fail", kwargs='{"transient": true, "text": "no luck"}')
    wait_for("its retry waits", lambda: explained(bed, retrying)["state"] == "waiting")
    got = explained(bed, retrying)
    assert "for its retry" in got["why"][0] and got["story"][-1]["kind"] in ("stored", "settled"), got
    assert any(s["kind"] == "settled" and s["detail"]["outcome"] == "retry" for s in got["story"]), got
    sent = [enqueue_in_sql(bed, "x.y", queue="nobody") for _ in range(3)]
    wait_for("all are there", lambda: explained(bed, sent[0])["queue_ready"] == 3)
    bed.sql("INSERT INTO jobfleet.pauses (kind, name, reason) VALUES ('queue', 'nobody', 'repair')"
            " ON CONFLICT (kind, name) DO UPDATE SET paused = true, reason = 'repair'")
    got = explained(bed, sent[0])
    why = " ".join(got["why"])
    assert got["state"] == "sent" and "at most 2 are ahead" in why and "No worker consumes" in why, got
    assert "Queue nobody is paused: repair" in why, got
    bed.sql("INSERT INTO jobfleet.revokes (kind, value, ordered_by) VALUES ('id', %s, 'the test')", sent[1])
    got = explained(bed, sent[1])
    assert got["state"] == "revoked" and "by the test" in got["why"][0], got
    bed.sql("DELETE FROM jobfleet.revokes WHERE value = %s", sent[1])
    drop_queues(bed, "nobody")
    bed.forget_all()
    bed.close()


def explain_shows_who_holds_and_runs_a_task():
    bed = fleet()
    bed.sql("INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency, version, info)"
            " VALUES ('two@h', 'echo', 'h', 1, 'running', '{echo}', 1, '1', %s)", json.dumps({
                "active": [{"id": "running-1", "name": "echo.sleep", "since": time.time() - 5}],
                "reserved": ["held-1"]}))
    got = explained(bed, "running-1")
    assert got["state"] == "running" and got["node"] == "two@h" and got["task"] == "echo.sleep", got
    assert explained(bed, "held-1")["state"] == "delivered"
    real = enqueue_in_sql(bed, "echo.sleep", kwargs='{"seconds": 4}')
    wait_for("it runs", lambda: explained(bed, real)["state"] == "running")
    assert "It runs on one@test since" in call(bed, "explain", real)[0]
    bed.sql("UPDATE jobfleet.workers SET seen_at = now() - interval '1 minute' WHERE node = 'two@h'")
    got = explained(bed, "running-1", status=1)
    assert got["state"] == "unknown" and got["story"] == [], got
    bed.sql("DELETE FROM jobfleet.workers WHERE node = 'two@h'")
    bed.close()


def explain_counts_interrupted_starts_and_points_to_the_dead_letter():
    bed = fleet()
    task_id = enqueue_in_sql(bed, "echo.once", kwargs='{"seconds": 0}')
    settled(bed, task_id)
    bed.sql("INSERT INTO jobfleet.starts (task_id, starts, arrivals, causes) VALUES (%s, 2, 1,"
            " '[\"killed by hand\", \"killed by hand\"]')", "interrupted")
    got = explained(bed, "interrupted")
    assert got["state"] == "interrupted" and got["unfinished_starts"] == 2, got
    assert "killed by hand, 2 times" in got["story"][0]["text"], got
    number = bed.one("INSERT INTO jobfleet.dead_letters (task_id, task, queue, cause, reason, fingerprint)"
                     " VALUES ('buried', 'x.y', 'echo', 'lost', 'no way', 'f') RETURNING id")
    got = explained(bed, "buried")
    assert got["state"] == "dead letter" and got["dead_letter"] == str(number), got
    assert "dlq replay %d" % number in got["why"][0] and got["story"][0]["kind"] == "dead letter", got
    bed.sql("UPDATE jobfleet.dead_letters SET state = 'dropped' WHERE id = %s", number)
    assert explained(bed, "buried", status=1)["story"][-1]["kind"] == "dropped"
    bed.forget_all()
    bed.close()


def explain_tells_of_a_chord_by_its_id_its_bodys_and_its_parts():
    bed = fleet(workers=(), dispatcher=False)
    bed.sql("INSERT INTO jobfleet.joins (join_id, size, body) VALUES ('chord-1', 3, %s)", json.dumps(
        {"task": "x.sum", "args": ["\0"], "kwargs": {}, "options": {"task_id": "body-1"}}))
    for part in ("part-1", "part-2"):
        bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node, join_id) VALUES"
                " (%s, 'success', true, 'x.add', 'echo', 'n', 'chord-1')", part)
    got = explained(bed, "chord-1")
    assert got["state"] == "chord" and "It is chord chord-1: 2 of 3 parts have ended." == got["why"][0], got
    got = explained(bed, "body-1")
    assert got["state"] == "chord" and "body of chord chord-1: 2 of 3" in got["why"][0], got
    assert "a part of chord chord-1" in explained(bed, "part-1")["story"][-1]["text"]
    bed.sql("DELETE FROM jobfleet.joins")
    bed.forget_all()
    bed.close()


# ---- progress ----

class Doing:
    """A command that goes on while the test looks at what it says."""

    def __init__(self, bed, *words):
        self.out = self.err = ""
        self.process = subprocess.Popen(["jobfleet", *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True,
                                        env=dict(os.environ, JOBFLEET_CONFIG=bed.conf))
        self.readers = [threading.Thread(target=self.read, args=x, daemon=True)
                        for x in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self.readers:
            reader.start()

    def read(self, name, stream):
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def says(self, text, name="out"):
        wait_for("std%s says %r" % (name, text), lambda: text in getattr(self, name))

    def end(self, status=0):
        assert self.process.wait(60) == status, (self.process.returncode, self.out, self.err)
        for reader in self.readers:
            reader.join()
        return self.out


def progress_shows_each_step_and_ends_with_the_result():
    bed = fleet()
    task_id = str(uuid.uuid4())
    lines, states = Doing(bed, "progress", task_id), Doing(bed, "progress", task_id, "--json")
    lines.says("Nothing is stored about it", "err")
    listening = "celery-task-meta-" + task_id
    wait_for("both listen", lambda: dict(bed.redis().pubsub_numsub(listening))[listening.encode()] == 2)
    enqueue_in_sql(bed, "echo.mark_steps", kwargs='{"n": 3, "work_ms": 300}', task_id=task_id)
    lines.says("1/3 step 1", "err")
    assert lines.end() == "3\n"
    assert "2/3 step 2" in lines.err and "]  66% 2/3" in lines.err, lines.err
    got = [json.loads(line) for line in states.end().splitlines()]
    assert got[-1]["status"] == "SUCCESS" and got[-1]["result"] == 3, got
    assert [g["result"]["current"] for g in got if g["status"] == "PROGRESS"][:2] == [1, 2], got
    bed.close()


def progress_of_a_failed_or_silent_task_has_its_exit_status():
    bed = fleet()
    failing = enqueue_in_sql(bed, "echo.fail", kwargs='{"text": "no luck"}')
    _, err = call(bed, "progress", failing, status=1)
    assert "no luck" in err, err
    _, err = call(bed, "progress", "never", "--timeout=300ms", status=2)
    assert "no result in 0.3 s" in err, err
    quiet = bed.enqueue([("echo.mark", {"note": "mark"})], ignore_result=True)[0]
    settled(bed, quiet)
    _, err = call(bed, "progress", quiet)
    assert "no result was kept" in err, err
    bed.forget_all()
    bed.close()


# ---- logs ----

def logs_finds_a_tasks_lines_in_the_file_and_follows_it():
    path = os.path.join(os.environ["TMPDIR"], "fleet.log")
    bed = Fleet(workers=(), fleet_conf="log_file = \"%s\"" % path, conf=CONF,
                dispatcher=False)
    with open(path, "w") as log:
        log.write("2026-01-01T00:00:00.000Z INFO     jobfleet-echo[1] task settled ms=1 task_id=a-1 task=x\n"
                  "2026-01-01T00:00:01.000Z INFO     jobfleet-echo[1] task settled ms=1 task_id=a-11 task=x\n"
                  "2026-01-01T00:00:02.000Z WARNING  jobfleet-echo[1] child lost id=a-1 deaths=1\n"
                  "2026-01-01T00:00:03.000Z INFO     processing[1] processing starts run_id=a-1\n"
                  "2026-01-01T00:00:04.000Z INFO     processing[1] half a line id=a-1")
    out, _ = call(bed, "logs", "a-1")
    assert len(out.splitlines()) == 3 and "child lost" in out and "a-11" not in out, out
    got = [json.loads(line) for line in call(bed, "logs", "a-1", "--json")[0].splitlines()]
    assert got[1] == {"at": "2026-01-01T00:00:02.000Z", "level": "WARNING", "program": "jobfleet-echo",
                      "source": "file", "line": out.splitlines()[1]}, got
    _, err = call(bed, "logs", "b-1", status=1)
    assert "no lines of task b-1; journal: " in err and path + " read" in err, err
    call(bed, "logs", "a-1", "--since=1h", status=1)
    following = Doing(bed, "logs", "a-1", "--follow")
    following.says("run_id=a-1")
    with open(path, "a") as log:
        log.write(" is whole now\n")
    following.says("half a line id=a-1 is whole now")
    os.rename(path, path + ".1")
    with open(path, "w") as log:
        log.write("2026-01-01T00:00:05.000Z INFO     x[1] after rotation id=a-1\n")
    following.says("after rotation")
    following.process.terminate()
    assert len(following.end().splitlines()) == 5, following.out
    bed.close()


def logs_finds_a_tasks_lines_in_the_journal():
    bed = Fleet(workers=(), conf=CONF, dispatcher=False)
    where = os.path.join(os.environ["TMPDIR"], "journal")
    os.mkdir(where)
    entries = [{"MESSAGE": "task settled", "PRIORITY": "6", "JOBFLEET_TASK_ID": "j-1"},
               {"MESSAGE": "child lost id=j-1 deaths=1", "PRIORITY": "4"},
               {"MESSAGE": "child lost id=j-2 deaths=1", "PRIORITY": "4"}]
    export = "".join("__REALTIME_TIMESTAMP=%d\nJOBFLEET_PROGRAM=echo\n%s\n" % (
        1763774000000000 + i, "".join("%s=%s\n" % x for x in entry.items())) for i, entry in enumerate(entries))
    subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", os.path.join(where, "x.journal"), "-"],
                   input=export, text=True, check=True, stderr=subprocess.DEVNULL)
    out, _ = call(bed, "logs", "j-1", "--journal", where)
    assert [line.split(None, 2)[1:] for line in out.splitlines()] == [
        ["INFO", "echo task settled"], ["WARNING", "echo child lost id=j-1 deaths=1"]], out
    assert out.startswith("2025-11-22T01:13:20.000Z"), out
    _, err = call(bed, "logs", "j-1", "--journal", where + "/none", status=1)
    assert "journal: cannot be read (No such file or directory); log_file: not set" in err, err
    bed.close()


# ---- top ----

class Terminal:
    """A command on a terminal of its own; the screen is whatever was last drawn from its corner."""

    def __init__(self, bed, *words, rows=30, columns=100):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(JOBFLEET_CONFIG=bed.conf, TERM="xterm")
            self.size(rows, columns, 0)
            os.execvp("jobfleet", ["jobfleet", *words])
        self.seen = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def size(self, rows, columns, fd=None):
        fcntl.ioctl(self.fd if fd is None else fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        try:
            while True:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            pass            # it has ended

    def screens(self):
        return self.seen.split("\033[H")[1:]

    def shows(self, text):
        wait_for("the screen shows %r" % text, lambda: self.screens() and text in self.screens()[-1])

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        got = wait_for("it ends", lambda: os.waitpid(self.pid, os.WNOHANG)[0] and [True])
        self.reader.join(10)
        return got


def lines_of(screen):
    """What a screen shows, without the sequences."""
    lines = re.split("\r\n|\033\\[[0-9]+;1H", screen)
    return [re.sub("\033\\[[0-9;]*[A-Za-z]", "", line).strip("\r") for line in lines]


def top_shows_one_screen_without_a_terminal_and_as_json():
    bed = fleet()
    task_id = enqueue_in_sql(bed, "echo.sleep", kwargs='{"seconds": 10}')
    bed.sql("SELECT jobfleet.raise_alert('backlog', 'echo', 'WARNING', 'a test alert')")
    wait_for("the heartbeat says what runs", lambda: [
        r for r in asked(bed, "top")["running"] if r["task_id"] == task_id])
    got = asked(bed, "top")
    running = got["running"][0]
    assert running["task"] == "echo.sleep" and running["node"] == "one@test", running
    assert 0 < running["running_s"] < 60 and got["active"] == 1 and got["workers_alive"] == 1, got
    assert got["alerts"][0]["message"] == "a test alert" and got["queues_error"] is None, got
    assert {q["queue"] for q in got["queues"]} == {
        "echo", "nobody", "plain", "quorate", "failed_operations"}, got
    assert got["queues"][0]["in_per_s"] is not None, got
    assert {"failing", "schedules", "sources", "stages", "runs"} <= set(got) and got["tables_error"] is None, got
    out, _ = call(bed, "top")
    assert out.startswith("jobfleet  20") and "running 1 of 2" in out and task_id in out, out
    assert "a test alert" in out and "\033" not in out, out
    out, _ = call(bed, "top", "--once", JOBFLEET_BROKER_URL="amqp://guest:guest@127.0.0.1:1/")
    assert "\n! " in out and "127.0.0.1:1" in out and "one@test" in out, out
    call(bed, "top", "--every=1ms", status=100)
    bed.sql("UPDATE jobfleet.alerts SET resolved_at = now()")
    bed.close()


def top_lives_on_a_terminal_follows_its_size_and_gives_it_back():
    bed = fleet()
    terminal = Terminal(bed, "top", "--every=300ms")
    terminal.shows("one@test")
    terminal.shows("q quit")
    assert terminal.seen.startswith("\033[?1049h"), terminal.seen[:20]
    assert all(len(line) <= 100 for line in lines_of(terminal.screens()[-1])), terminal.screens()[-1]
    running = enqueue_in_sql(bed, "echo.sleep", kwargs='{"seconds": 8}')
    terminal.shows(running)
    terminal.size(10, 60)
    wait_for("it is drawn anew", lambda: len(lines_of(terminal.screens()[-1])) <= 10 and
             "\033[10;1H" in terminal.screens()[-1] and
             all(len(line) <= 60 for line in lines_of(terminal.screens()[-1])))
    count = len(terminal.screens())
    terminal.press("b")
    wait_for("a key draws", lambda: len(terminal.screens()) > count)
    terminal.size(24, 80)
    failing = enqueue_in_sql(bed, "echo.fail", kwargs='{"text": "no luck"}')
    settled(bed, failing, "failure")
    for key, text in (("5", "echo.fail"), ("2", "[2 queues]"), ("3", "children"), ("4", "[4 running]"),
                      ("6", "[6 schedules]"), ("7", "no run of the pipeline"), ("\t", "[1 all]"), ("h", "hold the picture"),
                      ("h", "echo"), ("p", "HELD (p)")):
        terminal.press(key)
        wait_for("the key %r shows %r" % (key, text), lambda: text in "\n".join(lines_of(terminal.screens()[-1])))
        assert all(len(line) <= 80 for line in lines_of(terminal.screens()[-1])), terminal.screens()[-1]
    terminal.size(8, 80)
    wait_for("it is small", lambda: "\033[8;1H" in terminal.screens()[-1])
    top = lines_of(terminal.screens()[-1])[1:3]
    terminal.press("\033[6~")
    wait_for("it is scrolled by a page", lambda: lines_of(terminal.screens()[-1])[1:3] != top)
    terminal.press("\033[5~")
    wait_for("and back", lambda: lines_of(terminal.screens()[-1])[1:3] == top)
    terminal.press("q")
    terminal.end()
    assert terminal.seen.endswith("\033[?25h\033[?1049l"), terminal.seen[-40:]
    killed = Terminal(bed, "top")
    killed.shows("one@test")
    os.kill(killed.pid, signal.SIGTERM)
    killed.end()
    assert killed.seen.endswith("\033[?25h\033[?1049l"), killed.seen[-40:]
    bed.close()


if __name__ == "__main__":
    run(queues_tell_depth_pauses_and_other_arguments,
        the_age_of_the_oldest_is_exact_for_our_own_and_else_a_bound,
        rates_say_what_goes_in_and_out,
        workers_show_counts_rates_and_the_lost_ones,
        scheduled_lists_what_waits_with_filters_and_the_total,
        explain_tells_a_finished_task_step_by_step,
        explain_says_why_a_task_does_not_run_yet,
        explain_shows_who_holds_and_runs_a_task,
        explain_counts_interrupted_starts_and_points_to_the_dead_letter,
        explain_tells_of_a_chord_by_its_id_its_bodys_and_its_parts,
        progress_shows_each_step_and_ends_with_the_result,
        progress_of_a_failed_or_silent_task_has_its_exit_status,
        logs_finds_a_tasks_lines_in_the_file_and_follows_it,
        logs_finds_a_tasks_lines_in_the_journal,
        top_shows_one_screen_without_a_terminal_and_as_json,
        top_lives_on_a_terminal_follows_its_size_and_gives_it_back)
