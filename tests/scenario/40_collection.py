#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 240
"""The collection program on real parts: a stock Celery client asks, the local provider server
answers with faults, children, the worker and PostgreSQL are killed. No page is asked for twice,
none is lost, none is handed on twice, and the key is nowhere."""

import glob
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


class Fleet:
    def __init__(self):
        self.provider = Provider()
        self.data = os.path.join(TEMP, "data")
        self.conf = os.path.join(TEMP, "queues.conf")
        self.log = os.path.join(TEMP, "worker.log")
        self.env = dict(
            os.environ, JOBFLEET_CONFIG=self.conf, RAPIDAPI_KEY=KEY, ETL_REQUESTS_PER_MINUTE="6000",
            JOBFLEET_SOURCE_JSEARCH_URL=self.provider.base + "/jsearch")
        with open(os.path.join(TOP, "queues.conf")) as f:
            text = f.read()
        with open(self.conf, "w") as f:     # nothing may fire by itself
            f.write(re.sub(r"^schedule .*?^}", "", text, flags=re.M | re.S))
        subprocess.run([os.path.join(BIN, "jobfleet"), "migrate"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)
        self.app = Celery(broker=os.environ["JOBFLEET_BROKER_URL"],
                          backend=os.environ["JOBFLEET_REDIS_URL"])
        self.app.conf.task_queue_max_priority = 10
        self.declare("raw_data_processing")
        self.worker = None
        # it sends again what waits for its next attempt
        with open(os.path.join(TEMP, "dispatcher.log"), "wb") as log:
            self.dispatcher = subprocess.Popen([os.path.join(BIN, "jobfleet-dispatcher")],
                                               env=self.env, stderr=log, cwd=TEMP)

    def declare(self, queue):
        link = pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        link.channel().queue_declare(queue, durable=True, arguments={"x-max-priority": 10})
        link.close()

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
                [os.path.join(BIN, "jobfleet-collection"), "--concurrency=2,2", "--loglevel=DEBUG"],
                env=self.env, stderr=log, cwd=TEMP)

        def ready():
            with open(self.log) as f:
                f.seek(size)
                return " ready " in f.read()
        wait_for("the worker", ready)

    def stop(self):
        for process in self.worker, self.dispatcher:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT_S)

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

    def collect(self, query, **more):
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


fleet = Fleet()


def a_celery_client_gets_the_collection():
    result = fleet.collect("software engineer", num_pages=3).get(timeout=LIMIT_S)
    fleet.check_run(result, 3)
    assert result["job_count"] == 30, result
    assert [status for _, status in fleet.provider.asked()] == [200, 200, 200]


def a_failing_provider_is_asked_again_for_the_failed_page_only():
    fleet.provider.fault("503", count=1)
    result = fleet.collect("data analyst", num_pages=2).get(timeout=LIMIT_S)
    fleet.check_run(result, 2)
    assert [status for _, status in fleet.provider.asked()] == [503, 200, 200]
    assert fleet.sql("SELECT count(*) FROM raw_job_collections WHERE run_id = %s AND"
                     " processing_status = 'failed' AND http_status = 503", result["run_id"]) == [(1,)]


def a_used_up_quota_parks_the_source_without_another_call():
    fleet.provider.fault("429_monthly", count=1, reset=1000)
    result = fleet.collect("nurse", num_pages=2).get(timeout=LIMIT_S)
    assert result["status"] == "parked" and 900 < result["retry_after_s"] <= 1000, result
    assert fleet.collect("nurse").get(timeout=LIMIT_S)["status"] == "parked"
    assert [status for _, status in fleet.provider.asked()] == [429]
    assert fleet.sql("SELECT count(*) FROM jobfleet.alerts WHERE name = 'quota_used_up'"
                     " AND resolved_at IS NULL") == [(1,)]
    fleet.sql("DELETE FROM jobfleet.source_state")
    fleet.sql("DELETE FROM jobfleet.provider_quota")
    assert fleet.handed_on() == []


def a_refused_key_fails_the_task_and_raises_an_alert():
    fleet.provider.fault("403", count=1)
    task = fleet.collect("nurse")
    try:
        task.get(timeout=LIMIT_S)
        raise AssertionError("a refused key is a success")
    except PermissionError as refused:
        assert "You are not subscribed" in str(refused), refused
    assert fleet.sql("SELECT count(*) FROM jobfleet.alerts WHERE name = 'provider_key_refused'"
                     " AND resolved_at IS NULL") == [(1,)]
    fleet.sql("DELETE FROM jobfleet.source_state")


def killed_in_the_middle(kill):
    """kill(task) strikes while the third of four pages is under way."""
    task = fleet.collect("engineer", num_pages=4)
    fleet.provider.fault("delay", seconds=2, count=1)
    wait_for("the delayed page", lambda: not fleet.provider.pending_fault())
    kill(task)
    fleet.check_run(task.get(timeout=LIMIT_S), 4)
    good = [cursor for cursor, status in fleet.provider.asked() if status == 200]
    assert len(set(good)) == 4, good
    # the page that was under way was not stored yet; every other one was asked for once
    assert len(good) <= 5, good


def a_killed_child_costs_only_the_page_it_was_waiting_for():
    killed_in_the_middle(lambda task: os.kill(wait_for(
        "the child", lambda: fleet.running_child(task.id)), signal.SIGKILL))


def a_killed_worker_costs_only_the_page_it_was_waiting_for():
    def kill(_):
        fleet.worker.kill()
        fleet.worker.wait()
        fleet.start()
    killed_in_the_middle(kill)


def an_answer_survives_in_a_file_while_postgresql_is_away():
    fleet.provider.fault("delay", seconds=4, count=1)
    task = fleet.collect("welder", num_pages=2)
    wait_for("the delayed page", lambda: not fleet.provider.pending_fault())
    fleet.services("kill", "postgres")
    pattern = os.path.join(fleet.data, "raw_collections/*/*/*/jsearch_*.json")
    path = wait_for("the file", lambda: glob.glob(pattern))[0]
    with open(path) as f:
        kept = json.load(f)
    assert kept["in_database"] is False and kept["http_status"] == 200, kept
    assert len(kept["raw_response"]["data"]["jobs"]) == 10
    assert KEY not in json.dumps(kept)
    fleet.services("start-one", "postgres")
    result = task.get(timeout=LIMIT_S)
    fleet.check_run(result, 2)
    assert glob.glob(pattern) == []
    assert [status for _, status in fleet.provider.asked()] == [200, 200], fleet.provider.asked()


def the_key_is_nowhere():
    with open(fleet.log) as f:
        assert KEY not in f.read()
    dump = subprocess.run(["pg_dump", "--data-only", os.environ["JOBFLEET_DATABASE_URL"]], check=True,
                          stdout=subprocess.PIPE).stdout
    assert KEY.encode() not in dump
    with open("/proc/%d/cmdline" % fleet.worker.pid, "rb") as f:
        assert KEY.encode() not in f.read()


TESTS = [
    a_celery_client_gets_the_collection,
    a_failing_provider_is_asked_again_for_the_failed_page_only,
    a_used_up_quota_parks_the_source_without_another_call,
    a_refused_key_fails_the_task_and_raises_an_alert,
    a_killed_child_costs_only_the_page_it_was_waiting_for,
    a_killed_worker_costs_only_the_page_it_was_waiting_for,
    an_answer_survives_in_a_file_while_postgresql_is_away,
    the_key_is_nowhere,
]


def main():
    failed = 0
    fleet.start()
    for test in TESTS:
        fleet.provider.begin()
        try:
            test()
            print("ok - " + test.__name__.replace("_", " "))
        except Exception as problem:
            failed += 1
            print("not ok - %s: %s %s" % (test.__name__.replace("_", " "), type(problem).__name__,
                                         problem))
    fleet.stop()
    if failed:
        with open(fleet.log) as f:
            print("".join(f.readlines()[-60:]))
    return 1 if failed else 0


sys.exit(main())
