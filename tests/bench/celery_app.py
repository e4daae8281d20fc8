# SPDX-License-Identifier: MIT
"""The bench's Celery: worker (yardstick) and client in one app. Tasks have the names and do the work
of tests/workers/echo; the queue is declared as ours is. BENCH_QUEUE names it."""

import os
import socket
import time

import psycopg2
from celery import Celery
from celery.signals import worker_ready
from kombu import Exchange, Queue

QUEUE = os.environ.get("BENCH_QUEUE", "celery")
PREFETCH, CONCURRENCY = 600, int(os.environ.get("BENCH_CONCURRENCY", "2"))

app = Celery("bench", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.update(
    task_queues=[Queue(QUEUE, Exchange(QUEUE), routing_key=QUEUE, max_priority=10)],
    task_queue_max_priority=10, task_default_queue=QUEUE, task_acks_late=True,
    worker_prefetch_multiplier=max(1, PREFETCH // CONCURRENCY), worker_hijack_root_logger=False)
connection = None


@app.task(name="echo.noop")
def noop(*args, **kwargs):
    return None


@app.task(name="echo.add")
def add(x, y):
    return x + y


@app.task(name="echo.sum")
def total(numbers):
    return sum(numbers)


app.task(add.run, name="echo.add_loose")
app.task(total.run, name="echo.sum_loose")


@app.task(name="echo.stamp")
def stamp(work_ms=0):
    now = time.time()
    time.sleep(work_ms / 1000)
    return now


@app.task(name="echo.mark", bind=True)
def mark(self, note="", work_ms=0):
    global connection
    if connection is None:
        connection = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO public.effects (task_id, pid, note) VALUES (%s, %s, %s)",
                       (self.request.id, os.getpid(), note))
    time.sleep(work_ms / 1000)
    return self.request.id


@worker_ready.connect
def tell_ready(**_):
    """Sent once the worker consumes, which is when jobfleet's say READY=1."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"READY=1", path)
