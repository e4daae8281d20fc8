#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 150
"""The loading program's child dies by kill -9 at each named point of a load (built with FAULTS=1), and
the load is called twice: its postings, sources, follow-ups and calls of listeners are there once."""

import os
import signal
import subprocess

from loading_bed import LIMIT_S, Bed, posting, wait_for

POINTS = ["loading.staged", "loading.batch", "loading.merged", "loading.told", "before-commit",
          "after-commit"]
FAULTS = os.environ["JOBFLEET_FAULTS_BIN"]


def effects(bed):
    return bed.sql(
        "SELECT (SELECT count(*) FROM enhanced_jobs), (SELECT count(*) FROM job_sources),"
        " (SELECT max(times_seen) FROM job_sources), (SELECT count(*) FROM companies),"
        " (SELECT count(*) FROM processed_job_data WHERE load_status = 'loaded'),"
        " (SELECT count(*) FROM job_processing_log WHERE jobs_loaded = 30),"
        " (SELECT count(*) FROM jobfleet.pending WHERE task = 'test.heard'),"
        " (SELECT count(*) FROM jobfleet.ledger WHERE task = 'jobfleet.settle_load' AND final) +"
        " (SELECT count(*) FROM jobfleet.pending WHERE task = 'jobfleet.settle_load' AND task_id NOT"
        "  IN (SELECT task_id FROM jobfleet.ledger))")[0]


def dies_at(bed, point):
    order, log = os.path.join(bed.dir, "die"), os.path.join(bed.dir, point + ".log")
    with open(order, "w"):
        pass
    processing = bed.processed([posting(i) for i in range(30)])
    for _ in range(2):
        bed.send(processing)
    with open(log, "wb") as out:
        worker = subprocess.Popen(
            [os.path.join(FAULTS, "jobfleet-loading"), "--concurrency=2,2"], stderr=out, cwd=bed.dir,
            env=dict(bed.env, JOBFLEET_FAULT=point + ":" + order))
    try:
        wait_for("the death at " + point, lambda: not os.path.exists(order))
        wait_for("it is loaded", lambda: bed.one(
            "SELECT loaded_at IS NOT NULL FROM job_processing_log"))
        wait_for("both calls are settled", lambda: bed.one(
            "SELECT count(*) FROM jobfleet.ledger WHERE task = 'jobfleet.load_processed' AND final") == 2)
        wait_for("what follows is", lambda: bed.one(
            "SELECT count(*) FROM jobfleet.ledger WHERE task = 'jobfleet.settle_load' AND final") >= 1)
        found = effects(bed)
        bed.check("killed at %s, a load called twice has one effect" % point,
                  found == (30, 30, 1, 1, 30, 1, 1, 1), found)
    except AssertionError as problem:
        bed.check("killed at %s, a load called twice has one effect" % point, False, problem)
        with open(log, encoding="utf-8") as f:
            print(f.read()[-3000:])
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(LIMIT_S)


def test_of(point):
    def test(bed):
        bed.sql("TRUNCATE jobfleet.ledger")
        dies_at(bed, point)
    test.__name__ = point
    return test


bed = Bed('\tload_subscribers = "test.heard"\n')
with open(os.path.join(bed.dir, "dispatcher.log"), "wb") as output:
    # it sends again what a killed child left
    dispatcher = subprocess.Popen([os.path.join(FAULTS, "jobfleet-dispatcher")], env=bed.env,
                                  stderr=output, cwd=bed.dir)
try:
    bed.run_all([test_of(point) for point in POINTS])
finally:
    dispatcher.terminate()
    dispatcher.wait(LIMIT_S)
