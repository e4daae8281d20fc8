#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""Revokes and pauses are data: seen by every worker within a second, kept by PostgreSQL and Redis
through whatever is killed, restarted or emptied, and honoured before a start, when an ETA has come
and while draining."""

import json
import os
import subprocess
import time
import uuid
from datetime import datetime, timedelta, timezone

import pika

from fleet_bed import QUEUE, Fleet, kill, run, wait_for

SEEN_S = 1.0


def ctl(*words):
    done = subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet"), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, (words, done.stdout)
    return done.stdout


class bed(Fleet):
    def forget_all(self):
        """Also the orders of an earlier test, in both stores: each would tell the other."""
        self.sql("TRUNCATE jobfleet.revokes, jobfleet.pauses, jobfleet.unique_keys")
        self.redis().flushall()
        super().forget_all()


def send(fleet, task="echo.mark", task_id=None, eta_s=None, **headers):
    """One message as a Celery client publishes it, confirmed; its id."""
    task_id = task_id or str(uuid.uuid4())
    headers.update(task=task, id=task_id)
    if eta_s is not None:
        headers["eta"] = (datetime.now(timezone.utc) + timedelta(seconds=eta_s)).isoformat()
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        kwargs = {"note": "mark"} if task.startswith("echo.mark") else {}
        kwargs = headers.pop("kwargs", kwargs)
        channel.basic_publish("", QUEUE, json.dumps([[], kwargs, {}]).encode(),
                              pika.BasicProperties(
                                  content_type="application/json", content_encoding="utf-8",
                                  delivery_mode=2, correlation_id=task_id, headers=headers),
                              mandatory=True)
    return task_id


def celery(*words):
    return subprocess.run(["/usr/bin/python3", "-m", "celery", "-b",
                           os.environ["JOBFLEET_BROKER_URL"], *words, "--timeout=2"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60).stdout


def pidbox(fleet, method, **arguments):
    """As `celery control` casts it, nobody waiting for an answer."""
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.exchange_declare("celery.pidbox", "fanout")
        channel.basic_publish("celery.pidbox", "", json.dumps(
            {"method": method, "arguments": arguments, "destination": None, "pattern": None,
             "matcher": None}).encode(), pika.BasicProperties(
                 content_type="application/json", content_encoding="utf-8",
                 headers={"clock": 1, "expires": 0}))


def status(fleet, task_id):
    meta = fleet.redis().get("celery-task-meta-" + task_id)
    return json.loads(meta)["status"] if meta else None


def effects(fleet, *ids):
    return fleet.one("SELECT count(*) FROM effects WHERE task_id = ANY(%s)", list(ids))


def revoked(fleet, task_id, limit_s=30):
    wait_for("%s is revoked" % task_id, lambda: status(fleet, task_id) == "REVOKED", limit_s, 0.05)
    outcome, ran = wait_for("the ledger says so", lambda: fleet.sql(
        "SELECT outcome, (SELECT count(*) FROM effects e WHERE e.task_id = l.task_id)"
        " FROM jobfleet.ledger l WHERE task_id = %s", task_id), limit_s)[0]
    assert (outcome, ran) == ("revoked", 0), (outcome, ran)


def done(fleet, task_id, limit_s=30):
    wait_for("%s is done" % task_id, lambda: status(fleet, task_id) == "SUCCESS", limit_s, 0.05)


def known(fleet, task_id):
    """Every worker says so."""
    for worker in fleet.workers.values():
        wait_for("%s knows of %s" % (worker.name, task_id), lambda: task_id in ctl(
            "inspect", "revoked", "--destination=%s@test" % worker.name), 20, 0.1)


# ---- revokes ----

def a_task_revoked_before_it_arrives_during_its_eta_or_in_the_buffer_never_runs():
    fleet = bed()
    first, later, held, other = (str(uuid.uuid4()) for _ in range(4))
    ctl("revoke", first)
    time.sleep(SEEN_S)      # what is promised, no waiting for luck
    send(fleet, task_id=first)
    revoked(fleet, first)
    send(fleet, task_id=later, eta_s=8)     # parked
    wait_for("it is parked", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE task_id = %s", later))
    send(fleet, task_id=held, eta_s=3)      # held by a worker
    ctl("revoke", held)
    ctl("revoke", later)
    revoked(fleet, held)
    revoked(fleet, later)
    blockers = [send(fleet, "echo.sleep", kwargs={"seconds": 3}) for _ in range(4)]
    wait_for("all children are busy", lambda: fleet.counts()[1] >= 4, 20, 0.1)
    send(fleet, task_id=other)
    ctl("revoke", other)
    revoked(fleet, other)
    for task_id in blockers:
        done(fleet, task_id)
    task_id = send(fleet)
    ctl("revoke", send(fleet, task_id=task_id))
    done(fleet, task_id) if effects(fleet, task_id) else None
    wait_for("nothing is left", lambda: fleet.counts() == (0, 0), 20, 0.1)
    assert not fleet.one("SELECT count(*) FROM jobfleet.dead_letters")
    fleet.close()


def a_stamp_is_revoked_like_an_id():
    fleet = bed()
    pidbox(fleet, "revoke_by_stamped_headers", headers={"batch": ["b1", "b2"]})
    wait_for("it is persisted", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.revokes WHERE kind = 'stamp' AND name = 'batch'") == 2)
    time.sleep(SEEN_S)
    stamped = send(fleet, stamped_headers=["batch"], stamps={"batch": "b1"})
    listed = send(fleet, stamped_headers=["batch"], stamps={"batch": ["b0", "b2"]})
    other = send(fleet, stamped_headers=["batch"], stamps={"batch": "b3"})
    done(fleet, other)
    revoked(fleet, stamped)
    revoked(fleet, listed)
    fleet.close()


def a_revoke_survives_kill_9_of_the_worker_and_of_the_dispatcher():
    fleet = bed(workers=("one",))
    task_id = str(uuid.uuid4())
    pidbox(fleet, "revoke", task_id=task_id)
    wait_for("it is persisted", lambda: fleet.one("SELECT count(*) FROM jobfleet.revokes"))
    with fleet.lock:
        fleet.dispatcher.kill()
        fleet.dispatcher.wait()
        worker = fleet.workers["one"]
        worker.kill_parent()
        worker.start()
    worker.wait_ready(again=True)
    send(fleet, task_id=task_id)
    revoked(fleet, task_id)
    fleet.close()


def a_revoke_survives_a_redis_that_lost_its_data_and_a_restart_of_PostgreSQL():
    fleet = bed(workers=("one",))
    lost, restarted = str(uuid.uuid4()), str(uuid.uuid4())
    ctl("revoke", lost)
    fleet.redis().flushall()
    with fleet.lock:
        worker = fleet.workers["one"]
        worker.kill_parent()
        worker.start()
    worker.wait_ready(again=True)
    send(fleet, task_id=lost)
    revoked(fleet, lost)
    ctl("revoke", restarted)
    fleet.services("restart", "postgres")
    fleet.services("restart", "redis")
    send(fleet, task_id=restarted)
    revoked(fleet, restarted)
    fleet.close()


def an_order_given_while_PostgreSQL_was_away_comes_to_it_and_to_an_emptied_Redis():
    fleet = bed(workers=("one",))
    task_id, kept = str(uuid.uuid4()), str(uuid.uuid4())
    ctl("revoke", kept)
    fleet.services("stop-one", "postgres")
    pidbox(fleet, "revoke", task_id=task_id)
    wait_for("Redis has it", lambda: any(task_id.encode() in m for m in fleet.redis().zrange(
        "jobfleet:revokes", 0, -1)), 60)
    fleet.services("start-one", "postgres")
    wait_for("PostgreSQL has it", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.revokes WHERE value = %s", task_id))
    fleet.redis().flushall()
    wait_for("Redis has both again", lambda: fleet.redis().zcard("jobfleet:revokes") == 2, 30)
    send(fleet, task_id=task_id)
    revoked(fleet, task_id)
    fleet.close()


def what_was_revoked_is_refused_also_while_draining():
    fleet = bed(workers=("one",))
    worker = fleet.workers["one"]
    blockers = [send(fleet, "echo.sleep", kwargs={"seconds": 4}) for _ in range(2)]
    wait_for("both children are busy", lambda: fleet.counts()[1] >= 2, 20, 0.1)
    task_id = send(fleet, "echo.mark", eta_s=2)     # held in memory
    with fleet.lock:
        ctl("revoke", task_id)
        assert worker.stop() == 0
        worker.start()
    worker.wait_ready(again=True)
    revoked(fleet, task_id)
    for blocker in blockers:
        done(fleet, blocker)
    fleet.close()


def a_revoke_without_any_worker_is_heard_and_kept_by_the_dispatcher():
    fleet = bed(workers=())
    task_id = str(uuid.uuid4())
    wait_for("the dispatcher listens", lambda: "listening" in dict(fleet.logs())["dispatcher.log"])
    pidbox(fleet, "revoke", task_id=[task_id])
    wait_for("it is persisted", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.revokes WHERE value = %s", task_id))
    assert any(task_id.encode() in m for m in fleet.redis().zrange("jobfleet:revokes", 0, -1))
    # Debian's Celery hears no answer, for a dispatcher is no worker; the order is kept all the same
    task_id = str(uuid.uuid4())
    said = celery("control", "revoke", task_id)
    assert "No nodes replied" in said, said
    wait_for("it is persisted", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.revokes WHERE value = %s", task_id))
    assert "No nodes replied" in celery("inspect", "ping")
    # and so it is when it was sent while the dispatcher was restarting
    task_id = str(uuid.uuid4())
    with fleet.lock:
        fleet.dispatcher.kill()
        fleet.dispatcher.wait()
        pidbox(fleet, "revoke", task_id=task_id)
        fleet.start_dispatcher()
    wait_for("it is persisted", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.revokes WHERE value = %s", task_id))
    fleet.close()


# ---- pauses ----

def pausing_and_resuming(what, *words):
    """Paused: enqueued tasks are kept and none starts, on two workers; resumed: all run."""
    fleet = bed()
    done(fleet, send(fleet))
    ctl("pause", *words, "--reason=a test")
    time.sleep(SEEN_S)
    kept = [send(fleet) for _ in range(20)]
    kept += [send(fleet, eta_s=7)]
    kept += [fleet.one("SELECT jobfleet.enqueue('echo.mark', kwargs => '{\"note\": \"mark\"}',"
                       " queue => 'echo')")]
    if what == "task":      # others run
        done(fleet, send(fleet, "echo.noop"))
        wait_for("the paused ones are parked", lambda: fleet.one(
            "SELECT count(*) FROM jobfleet.pending WHERE due = 'infinity'"
            " AND reason = 'paused'") >= 21, 20, 0.1)
    else:
        wait_for("the queue keeps them", lambda: fleet.counts()[0] >= 20, 20, 0.1)
    wait_for("what is due meanwhile is kept, too", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE due = 'infinity' AND reason = 'paused'"
        " AND task_id = ANY(%s)", kept[-1:]), 30, 0.1)
    with fleet.lock:        # also by a worker that starts meanwhile
        fleet.workers["one"].kill_parent()
        fleet.workers["one"].start()
    fleet.workers["one"].wait_ready(again=True)
    assert effects(fleet, *kept) == 0, "something ran while paused"
    ctl("resume", *words)
    for task_id in kept:
        done(fleet, task_id)
    assert effects(fleet, *kept) == len(kept)
    wait_for("nothing is left", lambda: fleet.counts() == (0, 0) and not fleet.one(
        "SELECT count(*) FROM jobfleet.pending"), 30, 0.1)
    fleet.close()


def a_paused_queue_keeps_what_is_enqueued_until_it_is_resumed():
    pausing_and_resuming("queue", "--queue=echo")


def a_paused_task_is_parked_until_it_is_resumed_and_others_go_on():
    pausing_and_resuming("task", "--task=echo.mark")


def a_paused_fleet_starts_nothing_until_it_is_resumed():
    pausing_and_resuming("fleet", "--all")


def a_pause_is_seen_by_both_workers_within_a_second_under_load():
    fleet = bed()
    fleet.enqueue(("echo.mark", {"note": "mark", "work_ms": 10}) for _ in range(3000))
    wait_for("they run", fleet.done)
    ctl("pause", "--queue=echo")
    at = fleet.one("SELECT clock_timestamp()")
    wait_for("nobody runs anything", lambda: fleet.counts()[1] == 0, 20, 0.1)
    late = fleet.one("SELECT extract(epoch FROM max(at) - %s) FROM effects", at)
    left = fleet.counts()[0]
    print("# the last effect came %.2f s after the pause was given, %d wait" % (late, left))
    assert late < SEEN_S and left > 0
    ctl("resume", "--queue=echo")
    fleet.check()
    fleet.close()


if __name__ == "__main__":
    run(a_task_revoked_before_it_arrives_during_its_eta_or_in_the_buffer_never_runs,
        a_stamp_is_revoked_like_an_id,
        a_revoke_survives_kill_9_of_the_worker_and_of_the_dispatcher,
        a_revoke_survives_a_redis_that_lost_its_data_and_a_restart_of_PostgreSQL,
        an_order_given_while_PostgreSQL_was_away_comes_to_it_and_to_an_emptied_Redis,
        what_was_revoked_is_refused_also_while_draining,
        a_revoke_without_any_worker_is_heard_and_kept_by_the_dispatcher,
        a_paused_queue_keeps_what_is_enqueued_until_it_is_resumed,
        a_paused_task_is_parked_until_it_is_resumed_and_others_go_on,
        a_paused_fleet_starts_nothing_until_it_is_resumed,
        a_pause_is_seen_by_both_workers_within_a_second_under_load)
