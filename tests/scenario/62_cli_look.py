#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 300
"""What the command line shows of a running fleet: queues, workers, what waits for a time, one
task's story, its progress and its lines, the health of the whole. Each command plain and as JSON,
against real services, with a worker and a dispatcher that run."""

import json
import os
import subprocess
import threading
import time
import uuid

import pika

from fleet_bed import Fleet, run, wait_for

CONF = """
queue nobody { program = "salary" }
queue plain { program = "salary" }
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
    assert "no worker has been idle" in plain["oldest_note"], plain
    assert nobody["paused"] and nobody["pause_reason"] == "a test" and not nobody["other_arguments"]
    assert nobody["state"] == "paused, nobody consumes" and nobody["oldest_is"] == "none", nobody
    assert echo["state"] == "ok" and echo["consumers"] == 1 and echo["unacked"] == 0, echo
    assert echo["in_per_s"] is None, echo
    out, _ = call(bed, "queues", "--sample=100ms")
    assert "over the 0.1 s" in out and "nobody, paused: a test" in out, out
    assert "used as it stands" in " ".join(out.split()), out
    _, err = call(bed, "queues", "--sample=2m", status=100)
    assert "at most 60s" in err
    drop_queues(bed, "plain", "nobody")
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


if __name__ == "__main__":
    run(queues_tell_depth_pauses_and_other_arguments,
        the_age_of_the_oldest_is_exact_for_our_own_and_else_a_bound,
        rates_say_what_goes_in_and_out,
        workers_show_counts_rates_and_the_lost_ones)
