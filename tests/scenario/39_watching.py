#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 180
"""The dispatchers hold broker, database and workers against each other: what stands still is set
going or told of, and the alert goes when the trouble does. Two of them at once. All troubles are made
first, so that each is found while the others are looked for."""

import json
import os
import uuid

import redis

from dispatcher_bed import Bed, run, wait_for

bed = Bed("""
fleet {
	heartbeat = 1
}
queue echo { program = "echo" }
queue raw_data_processing { program = "processing" }
queue processed_data_loading { program = "loading" }
""")
memory = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
ANSWER, STUCK, POSTINGS = (str(uuid.uuid4()) for _ in range(3))
LIMIT_S = 60            # each is looked for every 5 s


def alert(name, subject):
    rows = bed.sql("SELECT resolved_at IS NULL, message FROM jobfleet.alerts WHERE name = %s"
                   " AND subject = %s ORDER BY id DESC LIMIT 1", name, subject)
    return rows[0] if rows else (None, "")


def raised(name, subject):
    wait_for("alert %s of %s" % (name, subject), lambda: alert(name, subject)[0] is True, LIMIT_S)
    return alert(name, subject)[1]


def taken_back(name, subject):
    wait_for("alert %s of %s is taken back" % (name, subject),
             lambda: alert(name, subject)[0] is False, LIMIT_S)


def worker_row(node, age):
    bed.sql("INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency,"
            " reserved, version, seen_at) VALUES (%s, 'echo', 'test', 1, 'running', '{echo}', 2, 3,"
            " '1', now() - %s::interval)", node, age)


def make_trouble():
    with bed.rabbit() as connection:
        channel = connection.channel()
        channel.queue_declare("echo", durable=True, arguments={"x-max-priority": 10})
        channel.basic_publish("", "echo", b"[]")
    worker_row("silent@test", "2 minutes")
    worker_row("forgotten@test", "2 hours")
    worker_row("old@test", "8 days")
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, claimed_until)"
            " VALUES ('held', 'enqueued', 't.held', 'held', '{}', '[[],{},{}]', now() + '1 day')")
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due)"
            " VALUES ('leased', 'claim', 't.leased', 'held', '{}', '[[],{},{}]', now() + '1 day'),"
            " ('later', 'enqueued', 't.later', 'held', '{}', '[[],{},{}]', now() + '1 day')")
    bed.sql("INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
            " raw_response, processing_status, created_at) VALUES"
            " (%s, 'sample', '{}', '{}', 'pending', now() - interval '20 min'),"
            " (%s, 'sample', '{}', '{}', 'processing', now() - interval '20 min'),"
            " (gen_random_uuid(), 'sample', '{}', '{}', 'pending', now() - interval '1 year'),"
            " (gen_random_uuid(), 'sample', '{}', '{}', 'pending', now())", ANSWER, STUCK)
    bed.sql("INSERT INTO job_processing_log (processing_id, collection_id, started_at, status)"
            " VALUES (%s, %s, now() - interval '20 min', 'completed'),"
            " (gen_random_uuid(), NULL, now() - interval '20 min', 'processing')", POSTINGS, ANSWER)
    bed.sql("INSERT INTO processed_job_data (processing_id, job_index, processed_data, created_at)"
            " VALUES (%s, 0, '{}', now() - interval '20 min')", POSTINGS)
    bed.sql("INSERT INTO jobfleet.joins (join_id, size, body, parts, moved_at, look_at) VALUES"
            " ('lost chord', 3, '{}', 1, now() - interval '2 h', 'infinity')")
    # as if the database had known more: the next look finds less than Redis remembers
    n = bed.one("SELECT n + 1000 FROM jobfleet.marks")
    memory.set("jobfleet:mark:database", "%d %d" % (n, bed.one(
        "SELECT (extract(epoch FROM now()) * 1000000)::bigint")))


def what_is_claimed_without_an_end_is_freed():
    assert {"held", "leased"} == {m[1].headers["id"] for m in bed.consume("held", 2, LIMIT_S)}
    assert "freed" in raised("claim_freed", "held")
    assert bed.one("SELECT state FROM jobfleet.pending WHERE task_id = 'later'") == "waiting"


def a_silent_worker_is_told_of_and_forgotten_after_an_hour():
    assert "held 3 tasks" in raised("worker_lost", "silent@test")
    assert bed.one("SELECT state FROM jobfleet.workers WHERE node = 'forgotten@test'") == "stopped"
    wait_for("an old row goes", lambda: not bed.sql(
        "SELECT FROM jobfleet.workers WHERE node = 'old@test'"))
    assert alert("worker_lost", "forgotten@test")[0] is not True
    assert alert("worker_lost", "back@test")[0] is None, "it had no time to report"
    bed.sql("UPDATE jobfleet.workers SET seen_at = now() + interval '1 h' WHERE node = 'silent@test'")
    taken_back("worker_lost", "silent@test")


def messages_that_nobody_consumes_are_told_of():
    assert "1 messages wait in queue echo" in raised("queue_unserved", "echo")
    with bed.rabbit() as connection:
        channel = connection.channel()
        channel.basic_consume("echo", lambda *_: None)
        wait_for("somebody consumes", lambda: connection.process_data_events(0.1) or
                 alert("queue_unserved", "echo")[0] is False, LIMIT_S)
        channel.queue_purge("echo")
        channel.basic_ack(0, multiple=True)


def stages_without_a_task_are_set_going_once():
    wanted = {("jobfleet.process_collection", ANSWER), ("jobfleet.process_collection", STUCK),
              ("jobfleet.load_processed", POSTINGS)}
    raised("stage_stuck", "load")
    raised("stage_stuck", "collection")
    raised("stage_stuck", "processing run")
    got = [(task, json.loads(bytes(body))[0][0]) for task, body in bed.sql(
        "SELECT task, body FROM jobfleet.pending WHERE task LIKE 'jobfleet.%%'")]
    assert sorted(got) == sorted(wanted), got
    assert bed.one("SELECT processing_status FROM raw_job_collections WHERE collection_id = %s",
                   STUCK) == "pending"
    assert bed.one("SELECT status FROM job_processing_log WHERE collection_id IS NULL") == "failed"


def a_database_that_was_put_back_is_told_of():
    assert "put back" in raised("database_put_back", "")
    assert bed.one("SELECT count(*) FROM jobfleet.put_backs WHERE lost_until >= stood_at") == 1


def an_orphaned_chord_is_told_of():
    wait_for("the tasks above are sent", lambda: not bed.one(
        "SELECT count(*) FROM jobfleet.pending WHERE task LIKE 'jobfleet.%%' AND state = 'waiting'"))
    for queue in ("raw_data_processing", "processed_data_loading"):
        with bed.rabbit() as connection:
            connection.channel().queue_purge(queue)
    assert "1 of 3 parts" in raised("join_orphaned", "lost chord")
    bed.sql("UPDATE jobfleet.joins SET state = 'done' WHERE join_id = 'lost chord'")
    taken_back("join_orphaned", "lost chord")


worker_row("back@test", "2 minutes")    # as after a while without PostgreSQL
bed.start("one")
wait_for("the first mark", lambda: memory.get("jobfleet:mark:database"))
bed.sql("UPDATE jobfleet.workers SET seen_at = now() + interval '1 h' WHERE node = 'back@test'")
make_trouble()
bed.start("two")
run(bed, what_is_claimed_without_an_end_is_freed,
    a_silent_worker_is_told_of_and_forgotten_after_an_hour,
    messages_that_nobody_consumes_are_told_of, stages_without_a_task_are_set_going_once,
    a_database_that_was_put_back_is_told_of, an_orphaned_chord_is_told_of)
