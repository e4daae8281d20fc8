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
import signal
import subprocess
import sys

from collection_bed import KEY, LIMIT_S, Fleet, run_all, wait_for

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
    waiting = os.path.join(fleet.data, "raw_collections/waiting/*.json")
    path = wait_for("the file", lambda: glob.glob(waiting))[0]
    wait_for("its name by day", lambda: os.stat(path).st_nlink == 2)
    with open(path) as f:
        kept = json.load(f)
    assert kept["in_database"] is False and kept["http_status"] == 200, kept
    assert len(kept["raw_response"]["data"]["jobs"]) == 10
    assert KEY not in json.dumps(kept)
    fleet.services("start-one", "postgres")
    result = task.get(timeout=LIMIT_S)
    fleet.check_run(result, 2)
    assert glob.glob(os.path.join(fleet.data, "raw_collections/waiting/*")) == []
    for copy in glob.glob(pattern):
        with open(copy) as f:
            assert json.load(f)["in_database"] is True, copy
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

sys.exit(run_all(fleet, [(test.__name__.replace("_", " "), test) for test in TESTS]))
