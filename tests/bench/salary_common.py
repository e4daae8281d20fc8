# SPDX-License-Identifier: MIT
"""What the bench's salary programs share: the shipped programs against the local provider server, a
client that speaks Celery's protocol without Celery, and percentiles."""

import json
import os
import sys
import time
import uuid

import pika
import redis

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
NAME = "backend.tasks.salary_data_tasks."
LIMIT_S = 300
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests/scenario"))
os.environ.setdefault("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
os.environ["PATH"] = os.environ["JOBFLEET_BIN"] + ":" + os.environ["PATH"]


def bed(programs=("salary",), **more):
    import salary_bed
    return salary_bed.SalaryBed(programs=programs, **more)


class Client:
    """Protocol 2, results from Redis by its publication, as Celery's own client does it."""

    def __init__(self):
        url = os.environ["JOBFLEET_BROKER_URL"]
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.redis = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
        self.pubsub = self.redis.pubsub()

    def send(self, task, queue, args, subscribe=True):
        name = str(uuid.uuid4())
        if subscribe:
            # until Redis has taken it: the publication of a short task could be faster
            self.pubsub.subscribe("celery-task-meta-" + name)
            while (self.pubsub.get_message(timeout=1) or {}).get("type") != "subscribe":
                pass
        body = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None,
                                      "chord": None}])
        self.sent_at = time.perf_counter()
        self.channel.basic_publish("", queue, body, pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8", delivery_mode=2, priority=5,
            correlation_id=name, headers={
                "lang": "py", "task": task, "id": name, "root_id": name, "parent_id": None,
                "group": None, "retries": 0, "eta": None, "expires": None,
                "timelimit": [None, None], "argsrepr": "", "kwargsrepr": "{}",
                "origin": "bench@here", "ignore_result": False}))
        return name

    def result(self, name):
        """Of a task that was subscribed to; nothing else is under way."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            message = self.pubsub.get_message(timeout=1)
            meta = {"status": "PENDING"}
            if message and message["type"] == "message":
                meta = json.loads(message["data"])
            if meta["status"] in ("SUCCESS", "FAILURE", "REVOKED"):
                self.pubsub.unsubscribe("celery-task-meta-" + name)
                if meta["status"] != "SUCCESS":
                    raise SystemExit("bench: %s: %s" % (name, meta))
                return meta["result"]
        raise SystemExit("bench: no result of %s within %d s" % (name, LIMIT_S))

    def call(self, task, queue, *args):
        return self.result(self.send(task, queue, list(args)))

    def results(self, names):
        """Of many at once; waits for all of them."""
        keys = ["celery-task-meta-" + name for name in names]
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            metas = [json.loads(m) if m else {"status": "PENDING"} for m in self.redis.mget(keys)]
            if all(m["status"] == "SUCCESS" for m in metas):
                return [m["result"] for m in metas]
            bad = [m for m in metas if m["status"] in ("FAILURE", "REVOKED")]
            if bad:
                raise SystemExit("bench: %s" % bad[0])
            time.sleep(0.02)
        raise SystemExit("bench: %d of %d results within %d s" % (
            sum(m["status"] == "SUCCESS" for m in metas), len(keys), LIMIT_S))


def percentiles(ms):
    ms = sorted(ms)
    return [ms[min(len(ms) - 1, int(len(ms) * q))] for q in (0.5, 0.95, 0.99)]


def calls_of(stats):
    """{provider: calls}"""
    return {provider: sum(n for by_status in paths.values() for n in by_status.values())
            for provider, paths in stats["calls"].items()}


def verdict(met):
    return "met" if met else "MISSED"
