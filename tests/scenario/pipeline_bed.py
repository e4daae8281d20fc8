# SPDX-License-Identifier: MIT
"""Programs of the pipeline on the services of a test: migrated schema, the shipped queues.conf with
additions, workers that are started, killed and started again as systemd would."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import pika
import psycopg2

from fleet_worker import wait_for  # noqa: E402,F401

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LIMIT_S = 60
QUEUES = {"jobfleet.collect_jobs": "job_collection_requests",
          "jobfleet.process_collection": "raw_data_processing",
          "jobfleet.reprocess": "raw_data_processing",
          "jobfleet.load_processed": "processed_data_loading"}


class Program:
    """One of the fleet's programs; whoever ends it otherwise than by stop sees it come back."""

    def __init__(self, bed, program, name):
        self.bed, self.program, self.name = bed, program, name
        self.log = os.path.join(bed.dir, name + ".log")
        self.stopping = False
        self.start()
        threading.Thread(target=self.keep, daemon=True).start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bed.bin, "jobfleet-" + self.program), "--hostname",
                 self.name + "@test"], env=self.bed.env, stdout=log, stderr=log,
                cwd=self.bed.dir)

    def keep(self):
        while not self.stopping:
            self.process.wait()
            if not self.stopping:
                time.sleep(0.1)     # systemd's RestartSec
                self.start()

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def stop(self):
        self.stopping = True
        self.process.terminate()
        try:
            self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Bed:
    def __init__(self, faults=False, fleet_conf="", env=None):
        self.bin = os.environ["JOBFLEET_FAULTS_BIN" if faults else "JOBFLEET_BIN"]
        self.dir = tempfile.mkdtemp()
        self.conf = os.path.join(self.dir, "queues.conf")
        with open(os.path.join(TOP, "queues.conf"), encoding="utf-8") as f:
            shipped = f.read()
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(re.sub(r"^fleet \{\n", "fleet {\n" + fleet_conf + "\n", shipped, 1, re.M))
        self.env = dict(os.environ, JOBFLEET_CONFIG=self.conf, **(env or {}))
        subprocess.run([os.path.join(self.bin, "jobfleet"), "migrate"], check=True, env=self.env,
                       stdout=subprocess.DEVNULL)
        self.pg = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        self.pg.autocommit = True
        self.programs = []

    def sql(self, text, *args):
        with self.pg.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall() if c.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def run(self, program, name=None):
        new = Program(self, program, name or program)
        if program != "dispatcher":
            wait_for(new.name + " is ready", lambda: "ready node=" in new.text())
        self.programs.append(new)
        return new

    def stop(self, *programs):
        for program in programs or self.programs[:]:
            program.stop()
            self.programs.remove(program)

    def send(self, task, *args, **kwargs):
        connection = pika.BlockingConnection(
            pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(QUEUES[task], durable=True, arguments={"x-max-priority": 10})
        task_id = str(uuid.uuid4())
        channel.basic_publish("", QUEUES[task], json.dumps([args, kwargs, {}]).encode(),
                              pika.BasicProperties(
                                  content_type="application/json", content_encoding="utf-8",
                                  delivery_mode=2, correlation_id=task_id,
                                  headers={"task": task, "id": task_id}), mandatory=True)
        connection.close()
        return task_id

    def collect(self, rows, provider="jsearch"):
        """A collection as the collection program leaves it."""
        collection = str(uuid.uuid4())
        self.sql("INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
                 " raw_response) VALUES (%s, %s, '{\"query\": \"q\", \"country\": \"us\"}', %s)",
                 collection, provider, json.dumps({"data": rows}))
        return collection

    def loaded(self, *collections):
        return self.one("SELECT count(*) FROM job_processing_log WHERE collection_id ="
                        " ANY (%s::uuid[]) AND (loaded_at IS NOT NULL OR jobs_processed = 0)"
                        " AND completed_at IS NOT NULL", list(collections)) >= len(collections)

    def dead(self):
        return self.sql("SELECT task, reason FROM jobfleet.dead_letters")

    def logs(self):
        for program in sorted(os.listdir(self.dir)):
            if program.endswith(".log"):
                with open(os.path.join(self.dir, program), errors="replace") as f:
                    print("---- %s\n%s" % (program, f.read()[-4000:]))

    def close(self):
        self.stop()
        self.pg.close()


def offspring(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def run(bed, *tests):
    """Each test's name is its sentence."""
    failed = 0
    sys.stdout.reconfigure(line_buffering=True)
    for test in tests:
        began = time.monotonic()
        try:
            test()
            word = "ok"
        except Exception:       # pylint: disable=broad-except
            import traceback
            traceback.print_exc()
            failed, word = failed + 1, "not ok"
        print("%s %s (%.1f s)" % (word, test.__name__.replace("_", " "),
                                  time.monotonic() - began))
    if failed:
        bed.logs()
    bed.close()
    sys.exit(1 if failed else 0)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
