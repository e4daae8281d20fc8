#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
"""A task on a queue whose program does not serve it goes to the queue that queues.conf routes it
to, confirmed and then acked, with its id and headers; where that queue does not exist it is parked
for minutes and then ends in the dead letters as unregistered. None is lost, none doubled,
whichever way they come mixed."""

import json
import uuid

import pika

from fleet_bed import QUEUE, Fleet, run, wait_for

CONF = """
queue other {
	program = "salary"
}
queue nowhere {
	program = "salary"
}
task t.other {
	queue = "other"
}
task t.nowhere {
	queue = "nowhere"
}
task t.home {
	queue = "echo"
}
"""


def tasks_of_others_are_forwarded_and_those_without_a_queue_become_dead_letters():
    fleet = Fleet(workers=("one",), conf=CONF)
    ids = {name: [] for name in ("t.other", "t.nowhere", "t.home")}
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("other", durable=True, arguments={"x-max-priority": 10})
        for i in range(150):
            name = ("t.other", "t.nowhere", "t.home")[i % 3]
            ids[name].append(str(uuid.uuid4()))
            channel.basic_publish("", QUEUE, b"[[%d], {}, {}]" % i, pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8", delivery_mode=2,
                headers={"task": name, "id": ids[name][-1], "traceparent": "00-%d" % i}),
                mandatory=True)
    lost = ids["t.nowhere"] + ids["t.home"]
    wait_for("those without a queue are parked", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE kind = 'parked' AND state = 'waiting' AND"
        " due BETWEEN created_at + interval '29 s' AND created_at + interval '31 s'") == 50)

    def hurried():
        """As if the time of parking were over."""
        fleet.sql("UPDATE jobfleet.pending SET due = now() WHERE kind = 'parked'"
                  " AND state = 'waiting' AND due > now()")
        return fleet.one("SELECT count(*) FROM jobfleet.dead_letters") >= len(lost)

    wait_for("the dead letters", hurried, 60, 0.1)
    rows = fleet.sql("SELECT task_id, cause FROM jobfleet.dead_letters")
    assert sorted(rows) == sorted((i, "unregistered") for i in lost), rows[:5]
    for task_id in lost:
        meta = json.loads(fleet.redis().get("celery-task-meta-" + task_id))
        assert meta["result"]["exc_type"] == "NotRegistered", meta
    got = []
    with fleet.rabbit() as connection:
        channel = connection.channel()
        while True:
            method, props, body = channel.basic_get("other", auto_ack=True)
            if method is None:
                break
            number = int(props.headers["traceparent"][3:])
            assert props.headers["x-jobfleet-forwards"] == 1 and body == b"[[%d], {}, {}]" % number
            got.append(props.headers["id"])
    assert sorted(got) == sorted(ids["t.other"]), "%d of %d forwarded" % (len(got), 50)
    wait_for("nothing is left", lambda: fleet.counts() == (0, 0), 20, 0.1)
    fleet.close()


run(tasks_of_others_are_forwarded_and_those_without_a_queue_become_dead_letters)
