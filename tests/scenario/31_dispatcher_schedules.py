#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Schedules: three dispatchers fire each due time once; successes trigger what comes after them,
once each; what was missed follows its policy. And the dispatcher's two mailboxes: dead messages
and results that waited for Redis."""

import json
import os
import signal
import socket
import time

import pika
import redis

from dispatcher_bed import Bed, ids_of, run, wait_for

CONF = """
queue ticks { program = salary }
queue beats { program = salary }
queue alone { program = salary }
queue missed { program = salary }
queue stages { program = salary }
queue added { program = salary }
task t.stage_one { queue = stages }
schedule tick {
	cron = "* * * * * *"
	task = t.tick
	queue = ticks
	overlap = allow
}
schedule beat {
	every = 1s
	task = t.beat
	queue = beats
	args = '[1]'
	priority = 4
	overlap = allow
}
schedule alone {
	every = 1s
	task = t.alone
	queue = alone
}
schedule missed_last {
	cron = "0 9 * * *"
	task = t.missed
	queue = missed
	catch_up = last
}
schedule missed_skip {
	cron = "0 9 * * *"
	task = t.missed
	queue = missed
}
schedule missed_all {
	cron = "0 9 * * *"
	task = t.missed
	queue = missed
	overlap = allow
	catch_up = all
	catch_up_max = 3
}
schedule stage_two {
	after = t.stage_one
	delay = 300ms
	task = t.stage_two
	queue = stages
}
schedule stage_three {
	after = stage_two
	task = t.stage_three
	queue = stages
}
"""
NAMES = ("one", "two", "three")

bed = Bed(CONF)
ten_days_ago = "date_trunc('day', now()) - interval '10 days' + interval '9 hours'"
for name in ("missed_last", "missed_skip", "missed_all"):
    bed.sql("INSERT INTO jobfleet.schedules (name, definition, since, next_due)"
            " VALUES (%s, 'cron 0 9 * * * in UTC', now() - interval '11 days', " + ten_days_ago + ")",
            name)
for name in NAMES:
    bed.start(name)


def settle(task_id, task, outcome="success"):
    bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node)"
            " VALUES (%s, %s, true, %s, 'stages', 'test')", task_id, outcome, task)


def fires(schedule):
    return bed.sql("SELECT extract(epoch FROM due)::float, task_id FROM jobfleet.schedule_fires"
                   " WHERE schedule = %s ORDER BY due", schedule)


def three_dispatchers_fire_each_second_once_and_on_time():
    wait_for("6 fires", lambda: len(fires("tick")) >= 6)
    dues = [due for due, _ in fires("tick")]
    assert dues == [dues[0] + i for i in range(len(dues))], dues
    assert all(due == int(due) for due in dues)
    got = bed.consume("ticks", len(dues))
    assert len(set(ids_of(got))) == len(got), "a due time was sent twice"
    late = [row[0] for row in bed.sql(
        "SELECT extract(epoch FROM p.sent_at - f.due)::float FROM jobfleet.pending p"
        " JOIN jobfleet.schedule_fires f USING (task_id) WHERE f.schedule = 'tick'"
        " AND p.sent_at IS NOT NULL")]
    print("# tick: sent %.0f to %.0f ms after its due time" % (1000 * min(late), 1000 * max(late)))
    assert -0.1 < min(late) < 0.2, late     # the clock of a virtual machine steps now and then
    by = bed.sql("SELECT fired_by, count(*) FROM jobfleet.schedule_fires GROUP BY fired_by")
    print("# fires by dispatcher: %s" % dict(by))


def every_keeps_its_distance_and_carries_arguments():
    wait_for("5 fires", lambda: len(fires("beat")) >= 5)
    dues = [due for due, _ in fires("beat")]
    steps = [round(b - a, 3) for a, b in zip(dues, dues[1:])]
    assert set(steps) == {1}, steps
    _, properties, body = bed.consume("beats", 1)[0]
    assert json.loads(body)[0] == [1] and properties.priority == 4
    assert properties.headers["x-jobfleet-schedule"] == "beat"


def overlap_skip_waits_for_the_last_run():
    wait_for("left out", lambda: any("its last run goes on schedule=alone" in bed.log(n)
                                     for n in NAMES))
    first = fires("alone")
    assert len(first) == 1, first
    settle(first[0][1], "t.alone")
    wait_for("the next one", lambda: len(fires("alone")) == 2)


def missed_times_follow_their_policy():
    wait_for("catch-up", lambda: fires("missed_last") and len(fires("missed_all")) == 3)
    last = bed.one("SELECT extract(epoch FROM max(t))::float FROM generate_series("
                   + ten_days_ago + ", now(), '1 day') AS t")
    assert [due for due, _ in fires("missed_last")] == [last], fires("missed_last")
    assert [due for due, _ in fires("missed_all")] == [last - 2 * 86400, last - 86400, last]
    assert bed.one("SELECT next_due > now() FROM jobfleet.schedules WHERE name = 'missed_skip'")
    assert bed.one("SELECT count(*) FROM jobfleet.schedule_skips WHERE schedule = 'missed_skip'"
                   " AND reason LIKE 'no dispatcher ran%'") == 1
    if not 0 <= time.time() % 86400 - 32400 < 300:     # just after 9:00 today's is on time
        assert fires("missed_skip") == [], fires("missed_skip")


def a_success_triggers_once_after_its_delay_and_so_on():
    started = time.time()
    settle("s1", "t.stage_one")
    settle("s2", "t.stage_one")
    settle("s3", "t.stage_one", "failure")
    got = bed.consume("stages", 2)
    assert [p.headers["task"] for _, p, _ in got] == ["t.stage_two"] * 2
    assert {p.headers["x-jobfleet-trigger"] for _, p, _ in got} == {"s1", "s2"}
    assert got[0][0] - started >= 0.3, got[0][0] - started
    for task_id in ids_of(got):
        settle(task_id, "t.stage_two")
    got = bed.consume("stages", 2)
    assert [p.headers["task"] for _, p, _ in got] == ["t.stage_three"] * 2
    # every dispatcher looks once a second; two more looks of each must add nothing
    seen = bed.one("SELECT max(next_due) FROM jobfleet.schedules WHERE name = 'stage_two'")
    wait_for("two more looks", lambda: bed.one(
        "SELECT next_due > %s + interval '2 seconds' FROM jobfleet.schedules"
        " WHERE name = 'stage_two'", seen))
    assert len(fires("stage_two")) == 2 and len(fires("stage_three")) == 2


def a_paused_schedule_does_not_fire():
    bed.sql("UPDATE jobfleet.schedules SET paused = true WHERE name = 'beat'")
    count = len(fires("beat"))
    at = bed.one("SELECT next_due FROM jobfleet.schedules WHERE name = 'beat'")
    wait_for("time goes on", lambda: bed.one("SELECT next_due > %s + interval '1 second'"
                                             " FROM jobfleet.schedules WHERE name = 'beat'", at))
    assert len(fires("beat")) <= count + 1
    bed.sql("UPDATE jobfleet.schedules SET paused = false WHERE name = 'beat'")
    count = len(fires("beat"))
    wait_for("it goes on", lambda: len(fires("beat")) > count)


def publish_mail(body, **properties):
    with bed.rabbit() as connection:
        channel = connection.channel()
        channel.queue_declare("failed_operations", durable=True, arguments={"x-max-priority": 10})
        channel.basic_publish("", "failed_operations", body, pika.BasicProperties(**properties))


def a_dead_message_comes_into_the_table_with_its_bytes_once():
    headers = {"x-jobfleet-cause": "malformed", "x-jobfleet-reason": "body is no JSON (at byte 0)",
               "x-jobfleet-queue": "work", "x-jobfleet-mail-id": "mail-1", "task": "t.bad",
               "id": "bad-1"}
    for _ in range(2):
        publish_mail(b"\x00\xffnot json", headers=headers, content_type="application/json")
    publish_mail(b"{broken", headers=dict(headers, **{"x-jobfleet-mail-id": "mail-2",
                                                      "x-jobfleet-reason": "body is no JSON (at byte 7)",
                                                      "id": "bad-2"}))
    publish_mail(b"\xfe\x00")
    rows = wait_for("3 letters", lambda: (lambda r: r if len(r) == 3 else None)(bed.sql(
        "SELECT task_id, task, queue, cause, reason, body, fingerprint, props IS NOT NULL"
        " FROM jobfleet.dead_letters ORDER BY id")))
    by_id = {row[0]: row for row in rows}
    assert by_id["bad-1"][1:5] == ("t.bad", "work", "malformed", "body is no JSON (at byte 0)")
    assert bytes(by_id["bad-1"][5]) == b"\x00\xffnot json"
    assert by_id["bad-1"][6] == by_id["bad-2"][6] != by_id[None][6], "fingerprints"
    assert by_id[None][3] == "malformed" and bytes(by_id[None][5]) == b"\xfe\x00"
    wait_for("mailbox empty", lambda: bed.depth("failed_operations") == 0)


def the_client_of_a_dead_message_gets_a_failure():
    store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
    meta = json.loads(wait_for("result", lambda: store.get("celery-task-meta-bad-1")))
    assert meta["status"] == "FAILURE" and meta["task_id"] == "bad-1", meta
    assert meta["result"]["exc_message"] == ["body is no JSON (at byte 0)"], meta


def what_the_broker_dead_lettered_as_expired_ends_as_revoked():
    death = {"reason": "expired", "queue": "work", "count": 1, "exchange": "",
             "routing-keys": ["work"]}
    publish_mail(b"[[], {}, {}]", content_type="application/json", content_encoding="utf-8",
                 headers={"task": "t.old", "id": "old-1", "x-death": [death]})
    row = wait_for("its end", lambda: bed.sql(
        "SELECT outcome, final, cause, queue FROM jobfleet.ledger WHERE task_id = 'old-1'"))[0]
    assert row == ("revoked", True, "expired", "work"), row
    assert not bed.one("SELECT count(*) FROM jobfleet.dead_letters WHERE task_id = 'old-1'")
    store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
    meta = json.loads(wait_for("result", lambda: store.get("celery-task-meta-old-1")))
    assert meta["status"] == "REVOKED", meta
    assert meta["result"]["exc_type"] == "TaskRevokedError", meta


def a_result_that_waited_is_delivered_but_not_over_a_final_one():
    store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
    final = json.dumps({"status": "SUCCESS", "result": 1, "task_id": "had", "retries": 0})
    store.set("celery-task-meta-had", final)
    for task_id in ("had", "waited"):
        bed.sql("INSERT INTO jobfleet.result_backlog (task_id, final, meta) VALUES (%s, true, %s)",
                task_id, json.dumps({"status": "SUCCESS", "result": 2, "task_id": task_id}))
    wait_for("backlog empty", lambda: bed.one("SELECT count(*) = 0 FROM jobfleet.result_backlog"))
    assert json.loads(store.get("celery-task-meta-waited"))["result"] == 2
    assert store.get("celery-task-meta-had").decode() == final


def reload_takes_a_good_file_and_refuses_a_bad_one():
    bed.write_conf(CONF.replace("* * * * * *", "99 * * * * *"))
    bed.dispatchers["one"].send_signal(signal.SIGHUP)
    bed.wait_log("reload refused, nothing changed")
    assert 'second: "99" is not 0 to 59' in bed.log()
    bed.write_conf(CONF + 'schedule added {\n\tevery = 1s\n\ttask = t.added\n\tqueue = added\n}\n')
    bed.dispatchers["one"].send_signal(signal.SIGHUP)
    bed.consume("added", 1)


def systemd_hears_of_start_life_and_end():
    path = os.path.join(bed.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(10)
        heard = ""
        os.environ["NOTIFY_SOCKET"] = path
        bed.start("notified")
        del os.environ["NOTIFY_SOCKET"]
        while not all(word in heard for word in ("READY=1", "STATUS=", "WATCHDOG=1")):
            heard += s.recv(4096).decode() + "\n"
        bed.dispatchers["notified"].send_signal(signal.SIGHUP)
        while "RELOADING=1\nMONOTONIC_USEC=" not in heard or heard.count("READY=1") < 2:
            heard += s.recv(4096).decode() + "\n"
        bed.dispatchers["notified"].send_signal(signal.SIGTERM)
        while "STOPPING=1" not in heard:
            heard += s.recv(4096).decode() + "\n"
    assert bed.dispatchers.pop("notified").wait(10) == 0


def a_wrong_file_is_exit_100_and_sigterm_exit_0():
    assert [bed.stop(name) for name in NAMES] == [0, 0, 0]
    bed.write_conf("queue q { program = salary }\n"
                   "schedule x {\n\tcron = \"* * *\"\n\ttask = t\n\tqueue = q\n}\n")
    bed.start("wrong")
    assert bed.dispatchers.pop("wrong").wait(10) == 100
    assert "queues.conf:3" in bed.log("wrong"), bed.log("wrong")


def an_older_schema_is_refused():
    bed.write_conf(CONF)
    bed.sql("DELETE FROM jobfleet.migrations")
    bed.start("early")
    assert bed.dispatchers.pop("early").wait(10) == 111
    assert "run jobfleet migrate" in bed.log("early"), bed.log("early")


run(bed, three_dispatchers_fire_each_second_once_and_on_time,
    every_keeps_its_distance_and_carries_arguments, overlap_skip_waits_for_the_last_run,
    missed_times_follow_their_policy, a_success_triggers_once_after_its_delay_and_so_on,
    a_paused_schedule_does_not_fire, a_dead_message_comes_into_the_table_with_its_bytes_once,
    the_client_of_a_dead_message_gets_a_failure,
    what_the_broker_dead_lettered_as_expired_ends_as_revoked,
    a_result_that_waited_is_delivered_but_not_over_a_final_one,
    reload_takes_a_good_file_and_refuses_a_bad_one,
    systemd_hears_of_start_life_and_end, a_wrong_file_is_exit_100_and_sigterm_exit_0,
    an_older_schema_is_refused)
