# SPDX-License-Identifier: MIT
"""What the collection program's scenarios share: the provider server with faults and a journal, the
program beside a dispatcher, a stock Celery client, and looks into database and queue."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pika
import psycopg2
from celery import Celery

from single import died_of_a_thread, single

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BIN = os.environ["JOBFLEET_BIN"]
TEMP = os.environ.get("TMPDIR", "/tmp")
KEY = "k3y-that-must-not-be-seen"
LIMIT_S = 25
QUEUE = "job_collection_requests"

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
        time.sleep(0.02)


class Provider:
    """The provider server and its counters."""

    def __init__(self):
        port_file = os.path.join(TEMP, "provider-port")
        self.journal = os.path.join(TEMP, "provider-journal")
        self.process = subprocess.Popen(
            [os.path.join(TOP, "tests/providers/server"), "--port-file", port_file, "--match", "all",
             "--log", self.journal, "--die-with-parent"])
        wait_for("the provider server", lambda: os.path.exists(port_file))
        with open(port_file) as f:
            self.base = "http://127.0.0.1:%d" % int(f.read())

    def tell(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def fault(self, kind, **more):
        self.tell("POST", "/_fault", dict(more, provider="jsearch", kind=kind))

    def pending_fault(self):
        return self.tell("GET", "/_fault")["faults"]

    def asked(self):
        """(cursor, status) of each search since the start of this test."""
        with open(self.journal) as f:
            lines = [json.loads(line) for line in f][self.start:]
        return [(line["query"].get("cursor", ""), line["status"]) for line in lines]

    def begin(self):
        self.tell("DELETE", "/_fault")
        with open(self.journal, "a+") as f:
            f.seek(0)
            self.start = len(f.readlines())


def only_sources(text, names):
    """queues.conf with no other source enabled, so that nothing calls out of this machine."""
    def one(block):
        name = re.match(r"source (\w+)", block.group()).group(1)
        body = re.sub(r"^\tenabled = .*\n", "", block.group(), flags=re.M)
        return body.replace("{", "{\n\tenabled = " + ("yes" if name in names else "no"), 1)
    return re.sub(r"^source .*?^}", one, text, flags=re.M | re.S)


class Fleet:
    def __init__(self, faults=False, sources=("jsearch",), edit=lambda text: text, env=()):
        self.bin = os.environ["JOBFLEET_FAULTS_BIN"] if faults else BIN
        self.provider = Provider()
        self.data = os.path.join(TEMP, "data")
        self.conf = os.path.join(TEMP, "queues.conf")
        self.log = os.path.join(TEMP, "worker.log")
        self.env = dict(
            os.environ, JOBFLEET_CONFIG=self.conf, RAPIDAPI_KEY=KEY, ETL_REQUESTS_PER_MINUTE="6000",
            **{"JOBFLEET_SOURCE_%s_URL" % name.upper(): "%s/%s" % (self.provider.base, name)
               for name in sources}, **dict(env))
        with open(os.path.join(TOP, "queues.conf")) as f:
            text = f.read()
        with open(self.conf, "w") as f:     # nothing may fire by itself
            text = re.sub(r"^schedule .*?^}", "", text, flags=re.M | re.S)
            f.write(edit(only_sources(text, sources)))
        subprocess.run([os.path.join(BIN, "jobfleet"), "migrate"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)
        self.app = Celery(broker=os.environ["JOBFLEET_BROKER_URL"],
                          backend=os.environ["JOBFLEET_REDIS_URL"])
        self.app.conf.task_queue_max_priority = 10
        self.declare("raw_data_processing")
        self.worker = None
        # it sends again what waits for its next attempt
        with open(os.path.join(TEMP, "dispatcher.log"), "wb") as log:
            self.dispatcher = subprocess.Popen(
                single([os.path.join(BIN, "jobfleet-dispatcher")]), env=self.env, stderr=log, cwd=TEMP)

    def declare(self, queue):
        link = pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        link.channel().queue_declare(queue, durable=True, arguments={"x-max-priority": 10})
        link.close()

    def depth(self, queue):
        link = pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        n = link.channel().queue_declare(queue, passive=True).method.message_count
        link.close()
        return n

    def handed_on(self):
        """Takes the messages for processing: their collection ids."""
        link = pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        channel, ids = link.channel(), []
        while True:
            method, _, body = channel.basic_get("raw_data_processing", auto_ack=True)
            if method is None:
                break
            ids.append(json.loads(body)[0][0])
        link.close()
        return ids

    def start(self):
        size = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.worker = subprocess.Popen(
                single([os.path.join(self.bin, "jobfleet-collection"), "--concurrency=2,2",
                        "--loglevel=DEBUG"]), env=self.env, stderr=log, cwd=TEMP)

        def ready():
            with open(self.log) as f:
                f.seek(size)
                return " ready " in f.read()
        wait_for("the worker", ready)

    def stop(self):
        for process in self.worker, self.dispatcher:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT_S)
        assert not died_of_a_thread(TEMP)

    def running_child(self, task_id):
        """The process that said it had started this task."""
        with open(self.log) as f:
            for line in f:
                if "collection started" in line and "task_id=" + task_id in line:
                    child = int(line.split("[")[1].split("]")[0])
        return child

    def sql(self, text, *args):
        link = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        with link, link.cursor() as c:
            c.execute(text, args or None)
            rows = c.fetchall() if c.description else None
        link.close()
        return rows

    def services(self, *words):
        subprocess.run([os.environ["JOBFLEET_SERVICES"], *words], check=True,
                       stdout=subprocess.DEVNULL)

    def collect(self, query, refresh=True, **more):
        more["refresh"] = refresh
        return self.app.send_task("jobfleet.collect_jobs", args=[query, "New York, NY"],
                                  kwargs=more, queue=QUEUE)

    def check_run(self, result, pages):
        """Each page one row, each row handed on once, and nothing else."""
        assert result["status"] == "success" and result["pages"] == pages, result
        rows = [row[0] for row in self.sql(
            "SELECT collection_id::text FROM raw_job_collections WHERE run_id = %s"
            " AND processing_status = 'pending'", result["run_id"])]
        assert sorted(rows) == sorted(result["collection_ids"]) and len(rows) == pages, rows
        handed = self.handed_on()
        assert sorted(set(handed)) == sorted(rows), (handed, rows)
        ids = self.sql("SELECT count(DISTINCT task_id), count(*) FROM jobfleet.pending WHERE task ="
                       " 'jobfleet.process_collection' AND convert_from(body, 'UTF8') ~ ANY(%s)", rows)
        assert ids[0][0] == ids[0][1] == pages, ids


def run_all(fleet, tests):
    """The exit status; each test's outcome is printed as it comes."""
    failed = 0
    fleet.start()
    for name, test in tests:
        fleet.provider.begin()
        try:
            test()
            print("ok - " + name)
        except Exception as problem:
            failed += 1
            print("not ok - %s: %s %s" % (name, type(problem).__name__, problem))
    fleet.stop()
    if failed:
        with open(fleet.log) as f:
            print("".join(f.readlines()[-60:]))
    return 1 if failed else 0
