#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 180
"""One run of the whole pipeline under one id, as an operator and as a Celery client start it: counts,
timings and errors over all stages; again while it is fresh; with loading away; with its worker
killed; and stored answers through today's rules again."""

import json
import os
import re
import signal
import subprocess
import sys

from collection_bed import BIN, LIMIT_S, QUEUE, TEMP, Fleet, run_all, wait_for
from single import died_of_a_thread, single

fleet = Fleet(edit=lambda text: re.sub(r"^\trate = .*", "\trate = 1000/s", text, flags=re.M))
stages = {}


def start(program):
    path = os.path.join(TEMP, program + ".log")
    with open(path, "ab") as log:
        stages[program] = subprocess.Popen(single([os.path.join(BIN, "jobfleet-" + program)]),
                                           env=fleet.env, stderr=log, cwd=TEMP)


def stop(program):
    process = stages.pop(program)
    process.send_signal(signal.SIGTERM)
    process.wait(LIMIT_S)


def jobfleet(*words, status=0):
    got = subprocess.run([os.path.join(BIN, "jobfleet"), *words], env=fleet.env, timeout=90,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert got.returncode == status, (words, got.returncode, got.stdout, got.stderr)
    return got.stdout


def pipeline(*words):
    return json.loads(jobfleet("pipeline", "run", *words, "--wait", "--json", "--quiet"))


def check(got, postings):
    assert got["status"] == "success" and got["collected"] == postings, got
    assert got["processed"] + got["refused"] == postings, got
    assert got["loaded"] + got["duplicates"] == got["processed"], got
    assert got["waiting_to_load"] == got["failed_to_load"] == 0 and not got["dead_letters"], got
    assert got["timings"]["all_s"] > 0, got


def an_operator_sees_all_stages_under_one_id():
    got = pipeline("software engineer", "New York, NY", "--results", "20")
    check(got, 20)
    assert fleet.sql("SELECT count(*) FROM raw_job_collections WHERE run_id = %s",
                     got["run_id"]) == [(2,)]
    state = json.loads(jobfleet("pipeline", "--json"))
    assert state["processed"] >= 18 and state["waiting_to_load"] == 0, state
    result = json.loads(jobfleet("result", got["run_id"], "--json"))["result"]
    assert result["run_id"] == got["run_id"] and result["loaded"] == got["loaded"], result
    # each stage says its start and end under the id
    for program in "collection", "processing":
        log = fleet.log if program == "collection" else os.path.join(TEMP, program + ".log")
        with open(log) as f:
            assert "run_id=" + got["run_id"] in f.read(), program


def a_celery_client_gets_the_counts():
    got = fleet.app.send_task("jobfleet.run_pipeline", args=["data analyst", "Boston, MA"],
                              kwargs={"results": 10}, queue=QUEUE).get(timeout=LIMIT_S)
    check(got, 10)
    assert got["api_calls_used"] == 1 and got["sources"]["jsearch"]["status"] == "success", got


def a_fresh_run_costs_nothing_and_says_the_same():
    first = pipeline("plumber", "Austin, TX", "--results", "10")
    calls = len(fleet.provider.asked())
    again = pipeline("plumber", "Austin, TX", "--results", "10")
    assert len(fleet.provider.asked()) == calls
    for name in "collected", "processed", "refused", "loaded", "duplicates":
        assert again[name] == first[name], (name, first, again)


def runs_that_wait_for_loading_keep_nobody_from_collecting():
    stop("loading")
    tasks = [fleet.app.send_task("jobfleet.run_pipeline", args=[name, "Denver, CO"],
                                 kwargs={"results": 10}, queue=QUEUE)
             for name in ("potter", "printer", "painter")]
    wait_for("their collections", lambda: len(fleet.provider.asked()) >= 3)
    # two children, three runs that wait: this one gets its turn all the same
    assert fleet.collect("sailor", num_pages=1).get(timeout=LIMIT_S)["status"] == "success"
    fleet.worker.kill()
    fleet.worker.wait()
    fleet.start()
    start("loading")
    for task in tasks:
        check(task.get(timeout=60), 10)
    assert len(fleet.provider.asked()) == 4, fleet.provider.asked()


def stored_answers_go_through_the_rules_again():
    number = fleet.sql("SELECT collection_id::text FROM raw_job_collections LIMIT 1")[0][0]
    postings = fleet.sql("SELECT count(*) FROM enhanced_jobs")
    runs = "SELECT count(*) FROM job_processing_log WHERE collection_id = %s AND loaded_at IS NOT NULL"
    before = fleet.sql(runs, number)[0][0]
    got = json.loads(jobfleet("reprocess", number, "--wait", "--json", "--quiet"))
    assert got["result"]["enqueued"] == 1, got
    wait_for("its processing", lambda: fleet.sql(runs, number)[0][0] > before)
    assert fleet.sql("SELECT count(*) FROM enhanced_jobs") == postings


TESTS = [
    an_operator_sees_all_stages_under_one_id,
    a_celery_client_gets_the_counts,
    a_fresh_run_costs_nothing_and_says_the_same,
    runs_that_wait_for_loading_keep_nobody_from_collecting,
    stored_answers_go_through_the_rules_again,
]

for name in "processing", "loading":
    start(name)
status = run_all(fleet, [(test.__name__.replace("_", " "), test) for test in TESTS])
for name in list(stages):
    stop(name)
assert not died_of_a_thread(TEMP)
sys.exit(status)
