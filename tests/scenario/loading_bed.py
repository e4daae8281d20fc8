# SPDX-License-Identifier: MIT
"""What the loading program's scenarios share: processings as the processing program leaves them, the
program's tasks run by hand or by a worker, and looks into the database."""

import json
import os
import re
import subprocess
import sys
import tempfile
import uuid

import pika
import psycopg2

from fleet_worker import wait_for  # noqa: E402,F401

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BIN = os.environ["JOBFLEET_BIN"]
LIMIT_S = 60
QUEUE = "processed_data_loading"
HEARD = 'task test.heard {\n\tqueue = monitoring\n}\n'

sys.stdout.reconfigure(line_buffering=True)


def posting(number, **more):
    """A processed posting; equal numbers are the same one."""
    made = {
        "title": "Baker %d" % number, "company": "Oven & Sons", "location": "Tulsa, OK",
        "city": "Tulsa", "state": "OK", "country": "US", "remote": "onsite", "seniority": "mid",
        "description": "Bake bread before dawn. " * 20, "skills": ["Baking"], "benefits": [],
        "employment_types": ["FULLTIME"], "apply_url": "https://jobs.example.com/%d" % number,
        "posted_at": "2026-11-20T08:00:00Z", "posted_exact": True,
        "dedupe_title": "baker %d" % number, "dedupe_company": "oven sons",
        "dedupe_location": "tulsa|ok|us", "dedupe_key": "baker %d|oven sons|tulsa" % number,
        "api_provider": "jsearch", "external_id": "b%d" % number, "publisher": "Monster",
        "quality_score": 0.8, "rules_version": 1, "is_demo": False, "metadata": {},
        "raw_data": {"job_id": "b%d" % number}}
    made["merge_key"] = more.get("dedupe_key", made["dedupe_key"])
    made.update(more)
    return {name: value for name, value in made.items() if value is not None}


class Bed:
    def __init__(self, conf_lines=""):
        self.dir = tempfile.mkdtemp()
        self.conf = os.path.join(self.dir, "queues.conf")
        with open(os.path.join(TOP, "queues.conf"), encoding="utf-8") as f:
            text = re.sub(r"^schedule .*?^}", "", f.read(), flags=re.M | re.S)
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("fleet {\n", "fleet {\n" + conf_lines, 1) + HEARD)
        self.env = dict(os.environ, JOBFLEET_CONFIG=self.conf)
        subprocess.run([os.path.join(BIN, "jobfleet"), "migrate"], check=True, env=self.env,
                       stdout=subprocess.DEVNULL)
        self.pg = self.connect()
        self.failed = False

    def connect(self):
        pg = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        pg.autocommit = True
        return pg

    def sql(self, text, *args):
        with self.pg.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall() if c.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def empty(self):
        self.sql("TRUNCATE enhanced_jobs, companies, job_sources, processed_job_data,"
                 " job_processing_log, raw_job_collections, salary_benchmarks, jobfleet.pending CASCADE")

    def check(self, sentence, good, note=""):
        print("%s - %s%s" % ("ok" if good else "not ok", sentence,
                             "" if good else ": %s" % (note,)))
        self.failed = self.failed or not good

    def processed(self, postings, seen="now", query="baker"):
        """A collection, processed; seen: when it was made, as PostgreSQL reads it."""
        collection, processing = str(uuid.uuid4()), str(uuid.uuid4())
        self.sql("INSERT INTO raw_job_collections (collection_id, timestamp, api_provider,"
                 " query_params, raw_response) VALUES (%s, %s::timestamptz, 'jsearch', %s, '{}')",
                 collection, seen, json.dumps({"query": query}))
        self.sql("INSERT INTO job_processing_log (processing_id, collection_id, status,"
                 " completed_at, jobs_processed, run_id) VALUES (%s, %s, 'completed', now(), %s,"
                 " 'run-1')", processing, collection, len(postings))
        with self.pg.cursor() as c:
            c.executemany("INSERT INTO processed_job_data (processing_id, job_index, processed_data)"
                          " VALUES (%s, %s, %s)", [(processing, i, json.dumps(p))
                                                   for i, p in enumerate(postings)])
        return processing

    def start(self, task, **kwargs):
        return subprocess.Popen(
            [os.path.join(BIN, "jobfleet-loading"), "--run", "jobfleet." + task, json.dumps(kwargs)],
            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def answer(self, process):
        out, err = process.communicate(timeout=LIMIT_S)
        if process.returncode:
            raise AssertionError("%s: %s" % (process.args[2:], err[-2000:]))
        return json.loads(out)

    def run(self, task, **kwargs):
        return self.answer(self.start(task, **kwargs))

    def load(self, postings, **more):
        return self.run("load_processed", processing_id=self.processed(postings, **more))

    def send(self, processing_id):
        """The message that calls load_processed."""
        link = pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        channel = link.channel()
        channel.confirm_delivery()
        channel.queue_declare(QUEUE, durable=True, arguments={"x-max-priority": 10})
        task_id = str(uuid.uuid4())
        channel.basic_publish("", QUEUE, json.dumps([[processing_id], {}, {}]).encode(),
                              pika.BasicProperties(
                                  content_type="application/json", content_encoding="utf-8",
                                  delivery_mode=2, correlation_id=task_id,
                                  headers={"task": "jobfleet.load_processed", "id": task_id}))
        link.close()

    def called(self, task):
        """What waits to be sent: [kwargs or args]."""
        bodies = [json.loads(bytes(row[0])) for row in
                  self.sql("SELECT body FROM jobfleet.pending WHERE task = %s ORDER BY id", task)]
        return [body[1] or body[0] for body in bodies]

    def run_all(self, tests):
        for test in tests:
            self.empty()
            try:
                test(self)
            except Exception as problem:
                self.check(test.__name__, False, "%s %s" % (type(problem).__name__, problem))
        sys.exit(1 if self.failed else 0)
