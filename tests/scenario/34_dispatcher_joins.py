#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 240
"""The dispatcher's sweeper of chords: parts stand in the ledger and in Redis as workers leave them,
and what it does with them is read from the body's queue, the results and jobfleet.joins."""

import json
import os
import uuid

import redis

from dispatcher_bed import Bed, run, wait_for

QUEUE = "bodies"
TIMEOUT_S = 3
bed = Bed("fleet {\n\tjoin_timeout = \"%ds\"\n}\nqueue bodies {\n\tprogram = \"salary\"\n}\n" % TIMEOUT_S)
client = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])


class Join:
    def __init__(self, size=None, root="root", options=None, age_s=0):
        self.id, self.body_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.body = {"task": "b.body", "args": [], "kwargs": {}, "subtask_type": None,
                     "immutable": False,
                     "options": dict({"task_id": self.body_id, "queue": QUEUE}, **options or {})}
        bed.sql("INSERT INTO jobfleet.joins (join_id, size, body, root_id, created_at, moved_at)"
                " VALUES (%s, %s, %s, %s, now() - %s * interval '1 second',"
                " now() - %s * interval '1 second')", self.id, size, json.dumps(self.body), root,
                age_s, age_s)

    def key(self, end):
        return "celery-taskset-meta-%s%s" % (self.id, end)

    def settle(self, index, value="null", outcome="success", age_s=10):
        """Our worker's part as the ledger has it."""
        task_id = "%s-%d" % (self.id, index)
        bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node, join_id,"
                " join_index, join_part, settled_at) VALUES (%s, %s, true, 't', 'q', 'n', %s, %s,"
                " %s, now() - %s * interval '1 second')", task_id, outcome, self.id, index, value,
                age_s)
        return task_id

    def count(self, index, value="null", ours=True, status="SUCCESS"):
        """A part as Redis has it."""
        task_id = "%s-%d" % (self.id, index)
        client.zadd(self.key(".j"), {'[1, "%s", "%s", %s]' % (task_id, status, value): index})
        if ours:
            client.hset(self.key(".seen"), task_id, 1)

    def state(self):
        return bed.one("SELECT state FROM jobfleet.joins WHERE join_id = %s", self.id)

    def wait_state(self, state, limit_s=30):
        wait_for("the join is " + state, lambda: self.state() == state, limit_s)

    def result(self):
        text = client.get("celery-task-meta-" + self.body_id)
        return json.loads(text) if text else None


def bodies(n=1):
    """The body messages that are there, by id: (args, headers)."""
    return {m[1].headers["id"]: (json.loads(m[2])[0], m[1].headers) for m in bed.consume(QUEUE, n)}


def no_body():
    assert bed.depth(QUEUE) == 0, bed.depth(QUEUE)


def parts_that_redis_never_got_are_put_back_and_the_body_runs():
    join = Join(size=3)
    client.setex(join.key(".s"), 60, 3)
    join.settle(2, '{"n": 9007199254740993}')
    join.settle(0, "NaN")
    join.settle(1, '"\\u00e9"')
    join.count(1, '"\\u00e9"')
    bed.start()
    args, headers = bodies()[join.body_id]
    assert json.dumps(args) == '[[NaN, "\\u00e9", {"n": 9007199254740993}]]', args
    assert headers["task"] == "b.body" and headers["root_id"] == "root", headers
    join.wait_state("done")
    assert not client.keys(join.key(".[jst]")), client.keys(join.key("*"))
    bed.wait_log("chord finished by the sweeper join_id=" + join.id)


def after_a_flush_a_join_is_rebuilt_from_the_ledger():
    join = Join(size=500)
    for i in range(500):
        join.settle(i, str(i))
    client.flushall()
    args, _ = bodies()[join.body_id]
    assert args == [list(range(500))], args
    join.wait_state("done")
    bed.wait_log("Redis is new or has lost its data")


def values_nest_after_a_flush_as_before():
    join = Join(size=3)
    leaves = [[[join.settle(i, str(i)), None], None] for i in range(3)]
    tree = {"result": [[join.id, None], [[["inner", None], leaves[:2]], leaves[2]]]}
    client.setex(join.key(".s"), 60, 3)
    client.set(join.key(""), json.dumps(tree))
    wait_for("the tree is kept", lambda: bed.one(
        "SELECT tree FROM jobfleet.joins WHERE join_id = %s", join.id))
    args, _ = bodies()[join.body_id]
    assert args == [[[0, 1], 2]], args
    again = Join(size=3)
    for i in range(3):
        again.settle(i, str(i))
    bed.sql("UPDATE jobfleet.joins SET tree = %s WHERE join_id = %s",
            json.dumps(tree).replace(join.id, again.id), again.id)
    args, _ = bodies()[again.body_id]
    assert args == [[[0, 1], 2]], args
    again.wait_state("done")


def a_finisher_that_died_after_its_claim_is_replaced():
    join = Join(size=1)
    client.setex(join.key(".s"), 60, 1)
    join.settle(0, "7")
    join.count(0, "7")
    client.set(join.key(".claim"), "somebody", px=4000)
    assert bodies()[join.body_id][0] == [[7]]
    join.wait_state("done")


def a_failed_part_fails_the_body_and_calls_its_errbacks():
    join = Join(size=2, options={"link_error": [
        {"task": "b.errback", "args": [], "kwargs": {}, "options": {"queue": QUEUE},
         "subtask_type": None, "immutable": False}]})
    bad = join.settle(0, '{"exc_type": "MyError", "exc_message": ["boom", 7],'
                         ' "exc_module": "m"}', "failure")
    join.settle(1)
    [(args, headers)] = bodies().values()
    assert headers["task"] == "b.errback" and args == [join.body_id], (args, headers)
    join.wait_state("failed")
    assert join.result()["result"]["exc_type"] == "ChordError", join.result()
    assert join.result()["result"]["exc_message"] == [
        "Dependency %s raised MyError('boom', 7)" % bad], join.result()


def a_size_that_nobody_saw_fails_it_in_time():
    join = Join()
    join.settle(0, age_s=0)
    join.wait_state("failed")
    text = join.result()["result"]["exc_message"][0]
    assert "1 parts came, but nobody knows how many there are" in text, text
    no_body()


def parts_of_others_that_redis_lost_fail_it_in_time_and_say_so():
    join = Join(size=3, age_s=3600)
    join.settle(0, age_s=0)
    client.setex(join.key(".s"), 60, 3)
    join.count(0)
    join.count(1, ours=False)
    wait_for("the sweeper saw them", lambda: bed.one(
        "SELECT parts FROM jobfleet.joins WHERE join_id = %s", join.id) == 2)
    client.flushall()
    join.wait_state("failed")
    text = join.result()["result"]["exc_message"][0]
    assert "Redis lost its data before" in text and "1 of 3 parts are known" in text, text
    no_body()


def a_join_whose_parts_merely_take_long_is_left_alone():
    join = Join(size=3)
    join.settle(0, age_s=TIMEOUT_S * 10)
    join.count(0)
    join.count(1, ours=False)
    client.setex(join.key(".s"), 60, 3)
    bed.sql("UPDATE jobfleet.joins SET moved_at = now() - interval '1 hour', parts = 2,"
            " look_at = now() WHERE join_id = %s", join.id)
    looked = "SELECT look_at > now() + interval '50 seconds' FROM jobfleet.joins WHERE join_id = %s"
    wait_for("it was looked at", lambda: bed.one(looked, join.id))
    other = Join(size=1)
    other.settle(0)
    bodies()
    other.wait_state("done")
    assert join.state() == "open" and join.result() is None, join.state()
    join.count(2, ours=False)
    bed.sql("UPDATE jobfleet.joins SET look_at = now() WHERE join_id = %s", join.id)
    assert bodies()[join.body_id][0] == [[None, None, None]]
    join.wait_state("done")


def what_a_python_worker_ended_is_not_ended_again():
    join = Join(size=2)
    join.settle(0)
    client.hset(join.key(".seen"), "%s-0" % join.id, 1)
    join.wait_state("done")
    failed = Join(size=2)
    failed.settle(0)
    failed.count(0)
    failed.count(1, '{"exc_type": "E"}', False, "FAILURE")
    client.setex(failed.key(".s"), 60, 2)
    client.set("celery-task-meta-" + failed.body_id, json.dumps(
        {"status": "FAILURE", "result": {"exc_type": "ChordError", "exc_message": ["theirs"]}}))
    failed.wait_state("failed")
    assert failed.result()["result"]["exc_message"] == ["theirs"], failed.result()
    no_body()


def two_dispatchers_end_each_join_once():
    bed.start("two")
    joins = [Join(size=2) for _ in range(50)]
    for join in joins:
        join.settle(0, "1")
        join.settle(1, "2")
    got = bed.consume(QUEUE, 50)
    for join in joins:
        join.wait_state("done")
    got += bed.consume(QUEUE, 0)
    assert sorted(m[1].headers["id"] for m in got) == sorted(j.body_id for j in joins), len(got)
    assert bed.stop("two") == 0
    assert bed.stop() == 0


run(bed, parts_that_redis_never_got_are_put_back_and_the_body_runs,
    after_a_flush_a_join_is_rebuilt_from_the_ledger,
    values_nest_after_a_flush_as_before,
    a_finisher_that_died_after_its_claim_is_replaced,
    a_failed_part_fails_the_body_and_calls_its_errbacks,
    a_size_that_nobody_saw_fails_it_in_time,
    parts_of_others_that_redis_lost_fail_it_in_time_and_say_so,
    a_join_whose_parts_merely_take_long_is_left_alone,
    what_a_python_worker_ended_is_not_ended_again,
    two_dispatchers_end_each_join_once)
