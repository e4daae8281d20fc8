#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Salary tasks at the same time: a stampede of equal questions, two syncs of the same pairs in another
order, kills in the middle of a sync and of a refresh, and Redis flushed in one. No row twice, no figure
lost, every call answered, no source asked for more than is needed."""

import json
import os
import signal
import subprocess
import threading
import uuid

from salary_bed import passed, SalaryBed, wait_for

NAME = "backend.tasks.salary_data_tasks."
bed = SalaryBed()
enqueue, result = bed.enqueue, bed.result
JOBS = ["Software Engineer", "Data Scientist", "QA Engineer", "Web Developer", "DBA"]
PLACES = ["New York, NY", "Boston, MA", "Chicago, IL", "Austin, TX", "Portland, ME"]


def enqueue_many(n, task, *args):
    """Names of n equal tasks, all in the queue at about the same moment."""
    names = [str(uuid.uuid4()) for _ in range(n)]
    lines = "".join(json.dumps({"task": NAME + task, "args": args, "id": name}) + "\n"
                    for name in names)
    subprocess.run(["jobfleet", "enqueue", "--from=-", "--quiet"], input=lines, env=bed.env,
                   stdout=subprocess.DEVNULL, check=True, text=True, timeout=60)
    return names


def asked():
    """{provider: calls}, by the server's own count."""
    return {provider: sum(n for paths in calls.values() for n in paths.values())
            for provider, calls in bed.control("GET", "/_stats")["calls"].items()}


def equal_questions():
    request = {"location": "NYC", "occupation": "SRE"}
    result(enqueue("fetch_salary_data", request))
    once = asked()
    bed.clean()
    tasks = enqueue_many(1000, "fetch_salary_data", request)
    wait_for("a thousand answers", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.ledger WHERE outcome = 'success' AND final AND task_id = ANY (%s)",
        tasks) == 1000, 120)
    answers = [result(task) for task in tasks[::50]]
    assert all(answer["status"] == "success" for answer in answers)
    medians = {json.dumps([row["median_salary"] for row in answer["salary_benchmarks"]])
               for answer in answers}
    assert len(medians) == 1, medians
    assert bed.one("SELECT count(*) FROM salary_benchmarks") == answers[0]["data_count"]
    assert asked() == once, (asked(), once)
    passed("a thousand equal questions at once cost the calls of one, and have one answer")


def two_syncs():
    bed.clean()
    tasks = [enqueue("sync_salary_data", JOBS, PLACES),
             enqueue("sync_salary_data", JOBS[::-1], PLACES[::-1])]
    answers = [result(task) for task in tasks]
    for answer in answers:
        assert answer["status"] == "success" and answer["pairs"] == 25, answer
        assert answer["remaining"] == 0 and answer["synced"] + answer["fresh"] == 25, answer
    asked = {source: sum(answer["calls_by_source"].get(source, 0) for answer in answers)
             for source in ("bls", "census", "fred")}
    least = {source: max(answer["least_calls_by_source"].get(source, 0) for answer in answers)
             for source in asked}
    assert asked == {**least, "bls": asked["bls"]} and asked["bls"] <= least["bls"] + 1, answers
    assert sum(asked.values()) == bed.calls(), (asked, bed.calls())
    rows = bed.sql("SELECT location, occupation, count(*) FROM salary_benchmarks"
                   " WHERE data_source = 'bls' GROUP BY 1, 2")
    assert len(rows) == 25 and all(count == 1 for _, _, count in rows), rows
    passed("two syncs at once, in opposite orders, ask for nothing twice and leave every pair once")
    calls = bed.calls()
    for place in PLACES:
        answer = result(enqueue("fetch_salary_data", {"location": place, "occupation": "DBA"}))
        assert answer["cache_hit"] and set(answer["sources"]) >= {"bls", "census", "fred"}, answer
    assert bed.calls() == calls
    passed("what was synced is answered from the cache without a call")
    wait_for("the scores that follow", lambda: bed.one(
        "SELECT count(DISTINCT (location, occupation)) FROM confidence_scores") >= 25)
    passed("confidence follows for every place that was synced")


def kill_child():
    wait_for("a child at work", bed.busy_children)
    os.kill(bed.busy_children()[0], signal.SIGKILL)


def kill_program():
    wait_for("a child at work", bed.busy_children)
    bed.kill("salary")
    bed.start("salary")


def killed_in_a_sync():
    bed.clean()
    first = result(enqueue("sync_salary_data", JOBS, PLACES))
    want, once = figures(), asked()
    for kill, source in ((kill_child, "bls"), (kill_program, "fred")):
        bed.clean()
        bed.fault(source, "delay", seconds=2, count=1)
        task = enqueue("sync_salary_data", JOBS, PLACES)
        kill()
        answer = result(task)
        what = (kill.__name__, answer, asked(), once)
        assert answer["status"] == "success" and answer["remaining"] == 0, what
        assert answer["synced"] + answer["fresh"] + answer["unanswered"] == 25, what
        assert figures() == want, what
        # the call that was under way, which nobody can know the end of
        assert sum(asked().values()) <= first["calls"] + 1, what
    passed("a child or the whole program killed in a sync: all figures, and one call made again")


def killed_in_a_refresh():
    for kill in (kill_child, kill_program):
        bed.clean()
        for place in PLACES:
            result(enqueue("fetch_salary_data", {"location": place, "occupation": "DBA"}))
        want, before = figures(), asked()
        bed.fault("census", "delay", seconds=2, count=1)
        task = enqueue("refresh_salary_cache", "salary_data:*")
        kill()
        answer = result(task)
        assert answer["keys_found"] == len(PLACES) and answer["failed"] == 0, answer
        assert figures() == want, kill.__name__
        for source, n in asked().items():
            # of one key, the one that was under way, all calls at most are made again
            assert n <= 2 * before[source] + 3, (kill.__name__, source, asked(), before)
    passed("a child or the whole program killed in a refresh: every answer stands, once")


def figures():
    return bed.sql("SELECT location, occupation, data_source, median_salary, year FROM"
                   " salary_benchmarks ORDER BY 1, 2, 3")


def flush_in_a_refresh():
    bed.clean()
    for place in PLACES:
        assert result(enqueue("fetch_salary_data", {"location": place, "occupation": "DBA"}))
    before = bed.sql("SELECT location, data_source, median_salary FROM salary_benchmarks ORDER BY 1, 2")
    bed.fault("census", "delay", seconds=1, count=5)
    calls, began = bed.calls(), bed.one("SELECT clock_timestamp()")
    enqueue("refresh_salary_cache", "salary_data:*")
    wait_for("the refresh at work", lambda: bed.calls() > calls)
    threading.Thread(target=bed.redis.flushdb).start()
    wait_for("the refreshes", lambda: bed.one(
        "SELECT count(*) FROM salary_data_cache WHERE data_type = 'salary_data' AND updated_at > %s",
        began) == len(PLACES), 60)
    after = bed.sql("SELECT location, data_source, median_salary FROM salary_benchmarks ORDER BY 1, 2")
    assert before == after
    answer = result(enqueue("fetch_salary_data", {"location": "Boston, MA", "occupation": "DBA"}))
    assert answer["cache_hit"] and answer["data_count"] == 2, answer
    passed("Redis flushed in the middle of a refresh loses no figure")


for part in (equal_questions, two_syncs, killed_in_a_sync, killed_in_a_refresh, flush_in_a_refresh):
    part()
bed.stop()
