#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A foreign producer of a drill: Debian's Celery, with the broker's confirms or without.

usage: foreign.py RUN confirmed|unconfirmed COUNT RATE SEED

Writes each intent (jobfleet.drill_intents) before it enqueues, and afterwards that it was taken.
What raises has no answer: nobody knows what became of it. Ends when all are sent."""

import os
import random
import signal
import sys
import time
import uuid

import celery
import psycopg2

FIRST = {"confirmed": 1000000, "unconfirmed": 1500000}      # numbers of their intents
ANSWER_LIMIT_S = 600        # no outage lasts longer
CALL_LIMIT_S = 10           # of a call that would wait for ever, as under an alarm
run, door, count, rate, seed = sys.argv[1:]
rng = random.Random("%s/%s" % (seed, door))


def application():
    app = celery.Celery("drill", broker=os.environ["JOBFLEET_BROKER_URL"],
                        backend=os.environ["JOBFLEET_REDIS_URL"])
    app.conf.update(
        task_queue_max_priority=10, task_default_queue="drill", broker_connection_timeout=3,
        task_serializer="json", result_serializer="json", accept_content=["json"],
        task_create_missing_queues=True, redis_socket_timeout=5, redis_socket_connect_timeout=3,
        result_backend_transport_options={"retry_policy": {"max_retries": 0}},
        broker_transport_options={"confirm_publish": door == "confirmed", "max_retries": 1,
                                  "read_timeout": 5, "write_timeout": 5})
    return app


class Store:
    connection = None

    def sql(self, *statement):
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while True:
            try:
                if self.connection is None:
                    self.connection = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"],
                                                       connect_timeout=5)
                    self.connection.autocommit = True
                with self.connection.cursor() as c:
                    return c.execute(*statement)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.connection = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def canvas(app, kind, n, root):
    """The signature of one root and the options that give it its id."""
    about = {"run": run, "root": root}

    def sig(name, *args, **kwargs):
        return app.signature("drill." + name, args=args, kwargs=dict(about, **kwargs),
                             app=app).set(queue="drill", priority=rng.randrange(10))

    if kind == "links":
        return celery.chain([sig("link", 0, i=1)] + [sig("link", i=i) for i in range(2, n + 1)])
    if kind == "members":
        return celery.group([sig("member", i=i) for i in range(1, n + 1)])
    if kind == "sum":
        return celery.chord([sig("member", i=i) for i in range(1, n + 1)], sig("sum"))
    return sig(kind, n=n).set(task_id=root)


def give_up(*_):
    raise TimeoutError("the call does not end")


signal.signal(signal.SIGALRM, give_up)
app, store = application(), Store()
for number in range(FIRST[door], FIRST[door] + int(count)):
    kind = rng.choice(("short", "short", "retried", "steps", "links", "members", "sum"))
    n = rng.randint(2, 4)
    root = str(uuid.uuid5(uuid.NAMESPACE_URL, "%s/%d" % (run, number)))
    store.sql("INSERT INTO jobfleet.drill_intents (run, number, task_id, kind, n, door)"
              " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
              (run, number, root, kind, n, door))
    signal.alarm(CALL_LIMIT_S)
    try:
        canvas(app, kind, n, root).apply_async(retry=False)
    except Exception as problem:        # of any of the libraries below it
        signal.alarm(0)
        print("%s %s: %s" % (kind, root, str(problem)[:100]), file=sys.stderr)
        app = application()             # without a close of the old one, which may wait, too
    else:
        signal.alarm(0)
        store.sql("UPDATE jobfleet.drill_intents SET answer = 'confirmed',"
                  " answered_at = clock_timestamp() WHERE run = %s AND number = %s",
                  (run, number))
    time.sleep(1 / float(rate))         # the pace of the load
