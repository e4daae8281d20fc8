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
from kombu import Queue

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
queue ranked {
	program = "conformance"
	max_priority = 10
}
%s
"""


class Bed(Fleet):
    program, queue, queue_arguments, text = "conformance", "conformance", {}, CONF

    def __init__(self, workers=("one",), client_conf=None, **options):
        super().__init__(workers=workers, **options)
        self.disturbed = False          # a process is killed in the middle of the row
        self.app = self.client(**(client_conf or {}))

    def client(self, **conf):
        app = Celery("client", broker=os.environ["JOBFLEET_BROKER_URL"],
                     backend=os.environ["JOBFLEET_REDIS_URL"], set_as_current=False)
        app.conf.task_default_queue = self.queue
        app.conf.task_queues = (Queue(self.queue),
                                Queue("ranked", queue_arguments={"x-max-priority": 10}))
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

    def finals(self, ids, limit_s=30):
        """Waits for the final results of many: a client that gets them one by one takes long."""
        keys = ["celery-task-meta-" + task_id for task_id in ids]

        def left():
            metas = self.redis().mget(keys)
            return [k for k, m in zip(keys, metas) if not m or json.loads(m)["status"] not in FINAL]

        wait_for("final results of %d tasks" % len(keys), lambda: not left(), limit_s, 0.05)

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


def as_test(row, name, bed_of):
    def test():
        bed = None
        try:
            bed = bed_of()
            row(bed)
        except Exception:
            for log, text in bed.logs() if bed else ():
                print("---- %s\n%s" % (log, text[-3000:]))
            raise
    test.__name__ = name
    return test


def end(bed):
    try:
        bed.nothing_is_left()
    finally:
        bed.close()


def plainly(open_bed, rows, note=""):
    """Tests out of rows: functions of a bed, whose names are sentences. The bed is opened by the
    first and closed by the last, which finds that nothing is left."""
    opened = []

    def bed_of():
        if not opened:
            opened.append(open_bed())
            Fleet.opened = []           # one row's failure is not the others'
        return opened[0]

    return [as_test(row, row.__name__ + note, bed_of) for row in rows] + [
        as_test(end, "nothing_is_left" + note, bed_of)]


def with_a_kill(point, rows, unkilled=(), kind=Bed, **options):
    """The same rows, each with a process killed by the first who reaches the point; then those
    that look back, without."""
    order = []

    def open_bed():
        bed = kind(faults=True, **options)
        bed.disturbed = True
        order.append(bed.arm(point))
        return bed

    def killed(row):
        def test(bed):
            bed.order_again(order[0])
            row(bed)
            bed.carried_out(order[0], 20)
        test.__name__ = row.__name__
        return test

    return plainly(open_bed, [killed(row) for row in rows] + list(unkilled),
                   "_when_killed_at_" + point.replace("-", "_"))
