# SPDX-License-Identifier: MIT
"""What the dispatcher's scenarios share: the tables, a broker to look into, and dispatchers to
start, kill and stop. Times are wall-clock seconds. Nothing here sleeps for luck: all waiting polls
to a deadline."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import pika
import psycopg2

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LIMIT_S = 30

sys.stdout.reconfigure(line_buffering=True)


def wait_for(what, check, limit_s=LIMIT_S):
    """The first true answer of check()."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s" % (limit_s, what))
        time.sleep(0.01)


class Bed:
    under = list            # makes of a program's words those that run it otherwise

    def __init__(self, conf="", tables=True):
        self.dir = tempfile.mkdtemp()
        self.database = os.environ["JOBFLEET_DATABASE_URL"]
        self.conf = os.path.join(self.dir, "queues.conf")
        self.write_conf(conf)
        self.dispatchers = {}
        self.connect()
        if tables:
            subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet"), "migrate"],
                           check=True, stdout=subprocess.DEVNULL)

    def write_conf(self, text):
        with open(self.conf, "w") as f:
            f.write(text)

    # ---- PostgreSQL ----

    def connect(self):
        self.pg = psycopg2.connect(self.database)
        self.pg.autocommit = True

    def sql(self, text, *args):
        with self.pg.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall() if c.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    # ---- dispatchers ----

    def start(self, name="one"):
        env = dict(os.environ, JOBFLEET_CONFIG=self.conf)
        with open(os.path.join(self.dir, name + ".log"), "ab") as log:
            self.dispatchers[name] = subprocess.Popen(
                self.under([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-dispatcher"),
                            "--hostname", "dispatcher-%s@test" % name, "--loglevel", "DEBUG"]),
                env=env, stderr=log)
        process = self.dispatchers[name]
        wait_for("start", lambda: "starting node=" in self.log(name) or process.poll() is not None)
        if process.poll() is not None:
            print(self.log(name))

    def log(self, name="one"):
        with open(os.path.join(self.dir, name + ".log")) as f:
            return f.read()

    def wait_log(self, text, name="one", limit_s=LIMIT_S):
        wait_for("log says %r\n%s" % (text, self.log(name)[-3000:]),
                 lambda: re.search(text, self.log(name)), limit_s)

    def kill(self, name="one"):
        self.dispatchers[name].kill()
        self.dispatchers.pop(name).wait()

    def stop(self, name="one"):
        """Its exit status after SIGTERM."""
        process = self.dispatchers.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(15)

    # ---- RabbitMQ ----

    def rabbit(self):
        return pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))

    def consume(self, queue, count, limit_s=LIMIT_S, connection=None):
        """Messages of queue, (arrival, properties, body) each: until `count` different tasks came,
        and what else is there then. Connects again when the broker goes away."""
        got, ids = [], set()
        deadline = time.monotonic() + limit_s

        def on_message(channel, method, properties, body):
            got.append((time.time(), properties, body))
            ids.add(properties.headers["id"])
            channel.basic_ack(method.delivery_tag)

        while len(ids) < count:
            try:
                with self.rabbit() as connection:
                    channel = connection.channel()
                    channel.queue_declare(queue, durable=True, arguments={"x-max-priority": 10})
                    channel.basic_qos(prefetch_count=1000)
                    channel.basic_consume(queue, on_message)
                    while len(ids) < count:
                        if time.monotonic() > deadline:
                            raise AssertionError("%d of %d messages on %s within %d s"
                                                 % (len(ids), count, queue, limit_s))
                        connection.process_data_events(0.05)
                    connection.process_data_events(0.2)
            except (pika.exceptions.AMQPError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        return got

    def depth(self, queue):
        with self.rabbit() as connection:
            return connection.channel().queue_declare(queue, passive=True).method.message_count

    def services(self, *words):
        subprocess.run([os.environ["JOBFLEET_SERVICES"], *words], check=True,
                       stdout=subprocess.DEVNULL)


def ids_of(messages):
    return [m[1].headers["id"] for m in messages]


def run(bed, *tests):
    """Each test is a function; its name is the sentence. Ends the program; the dispatchers' logs
    are shown if one failed."""
    failed = 0
    for test in tests:
        name = test.__name__.replace("_", " ")
        try:
            test()
            print("ok", name)
        except Exception:
            import traceback
            traceback.print_exc(file=sys.stdout)
            print("not ok", name)
            failed += 1
    for name in os.listdir(bed.dir) if failed else ():
        if name.endswith(".log"):
            print("---- %s\n%s" % (name, bed.log(name[:-4])[-6000:]))
    sys.exit(1 if failed else 0)
