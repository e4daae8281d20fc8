# SPDX-License-Identifier: MIT
"""What the interop tests of the wire page share: one conformance worker (tests/workers/conformance)
and a dispatcher, a stock Celery client, a raw AMQP publisher, and rows that run once plainly and
once more with a process killed in their middle."""

import json
import os
import sys
import uuid

import pika
from celery import Celery

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../scenario"))
from fleet_bed import Fleet, kill, run, wait_for  # noqa: E402,F401

NODE = "one@test"
FINAL = ("SUCCESS", "FAILURE", "REVOKED")
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
CONF = """\
fleet {
	shutdown = "60s"
	%s
}
queue conformance {
	program = "conformance"
	# as clients declare it that can send no arguments
	max_priority = 0
	concurrency = {2, 2}
}
%s
"""


class Bed(Fleet):
    program, queue, queue_arguments, text = "conformance", "conformance", {}, CONF

    def __init__(self, workers=("one",), client_conf=None, **options):
        super().__init__(workers=workers, **options)
        self.app = self.client(**(client_conf or {}))

    def client(self, **conf):
        app = Celery("client", broker=os.environ["JOBFLEET_BROKER_URL"],
                     backend=os.environ["JOBFLEET_REDIS_URL"], set_as_current=False)
        app.conf.task_default_queue = self.queue
        if self.queue_arguments:
            app.conf.task_queue_max_priority = self.queue_arguments["x-max-priority"]
        app.conf.update(conf)
        return app

    def send(self, name, *args, **options):
        """Of task "t.<name>"; keyword arguments of the task go as kwargs={...}."""
        return self.app.send_task("t." + name, args=args, **options)

    def publish(self, body, headers, content_type="application/json", content_encoding="utf-8",
                **props):
        """Whatever bytes, as no client would send them."""
        with self.rabbit() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", self.queue, body, pika.BasicProperties(
                content_type=content_type, content_encoding=content_encoding, delivery_mode=2,
                headers=headers, **props), mandatory=True)

    # ---- what became of a task ----

    def meta(self, task_id):
        text = self.redis().get("celery-task-meta-" + task_id)
        return json.loads(text) if text else None

    def final(self, task_id, limit_s=20):
        """Its final result as it stands in Redis."""
        wait_for("a final result of %s" % task_id,
                 lambda: (self.meta(task_id) or {}).get("status") in FINAL, limit_s)
        return self.meta(task_id)

    def letters(self, task_id):
        return self.sql("SELECT cause, reason, body, queue FROM jobfleet.dead_letters"
                        " WHERE task_id = %s", task_id)

    def letters_of(self, body):
        """By their bytes: of what had no id that could be read."""
        return self.sql("SELECT cause, reason, body, queue FROM jobfleet.dead_letters"
                        " WHERE body = %s", body)

    def effects(self, task_id):
        return self.one("SELECT count(*) FROM effects WHERE task_id = %s", task_id)

    def effect_at(self, task_id, limit_s=20):
        """When its (first) effect happened, epoch seconds."""
        wait_for("an effect of %s" % task_id, lambda: self.effects(task_id), limit_s)
        return self.one("SELECT extract(epoch FROM min(at))::float FROM effects"
                        " WHERE task_id = %s", task_id)

    # ---- the worker around it ----

    def processes(self):
        worker = self.workers["one"]
        return [worker.process.pid] + sorted(worker.family())

    def goes_on(self):
        """A good task is done."""
        assert self.send("add", 2, 3).get(timeout=20) == 5

    def nothing_is_left(self):
        wait_for("no row is pending", lambda: not self.one("SELECT count(*) FROM jobfleet.pending"))
        for queue in (self.queue, "failed_operations"):
            wait_for(queue + " is empty", lambda q=queue: self.counts(q) == (0, 0), 20, 0.1)


def raised(result, limit_s=20):
    """What a client gets to see instead of a value."""
    try:
        value = result.get(timeout=limit_s)
    except Exception as problem:
        return problem
    raise AssertionError("no failure, but %r" % (value,))


def states_of(result, limit_s=30):
    """Every state seen until a final one, in their order."""
    seen = []

    def done():
        state = result.state
        if state not in seen:
            seen.append(state)
        return state in FINAL

    wait_for("an end; seen %s" % seen, done, limit_s, 0.005)
    return seen


def new_id():
    return str(uuid.uuid4())


def body_of(args=(), kwargs=None, embed=None):
    return json.dumps([list(args), kwargs or {}, EMBED if embed is None else embed]).encode()


def as_test(bed, row, name, before=lambda: None, after=lambda: None):
    def test():
        try:
            before()
            row(bed)
            after()
        except Exception:
            for log, text in bed.logs():
                print("---- %s\n%s" % (log, text[-3000:]))
            raise
    test.__name__ = name
    return test


def plainly(bed, rows):
    """Tests out of rows: functions of the bed, whose names are sentences."""
    return [as_test(bed, row, row.__name__) for row in rows]


def with_a_kill(bed, point, rows):
    """The same rows, each with a process killed (or frozen) by the first who reaches the point. The
    bed is one with crash points (faults=True)."""
    order = []

    def before():
        if order:
            bed.order_again(order[0])
        else:
            order.append(bed.arm(point))

    return [as_test(bed, row, "%s_when_killed_at_%s" % (row.__name__, point.replace("-", "_")),
                    before, lambda: bed.carried_out(order[0], 20)) for row in rows]
