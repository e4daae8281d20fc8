#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Salary tasks at the same time: equal questions, two syncs of the same pairs in another order, and
Redis flushed in the middle of a refresh. No row twice, no figure lost, every call answered."""

import json
import subprocess
import threading

from salary_bed import SalaryBed, wait_for

NAME = "backend.tasks.salary_data_tasks."
bed = SalaryBed()
JOBS = ["Software Engineer", "Data Scientist", "QA Engineer", "Web Developer", "DBA"]
PLACES = ["New York, NY", "Boston, MA", "Chicago, IL", "Austin, TX", "Portland, ME"]


def passed(what):
    print("ok " + what)


def enqueue(task, *args):
    return subprocess.run(["jobfleet", "enqueue", NAME + task, "--quiet", "--args", json.dumps(args)],
                          env=bed.env, stdout=subprocess.PIPE, check=True, text=True,
                          timeout=30).stdout.strip()


def result(task):
    got = subprocess.run(["jobfleet", "result", task, "--wait", "--timeout=60"], env=bed.env,
                         stdout=subprocess.PIPE, text=True, timeout=90)
    assert got.returncode == 0, got.stdout
    return json.loads(got.stdout)


def equal_questions():
    tasks = [enqueue("fetch_salary_data", {"location": "NYC", "occupation": "SRE"}) for _ in range(10)]
    answers = [result(task) for task in tasks]
    assert all(answer["status"] == "success" for answer in answers)
    medians = {json.dumps([row["median_salary"] for row in answer["salary_benchmarks"]])
               for answer in answers}
    assert len(medians) == 1, medians
    assert bed.one("SELECT count(*) FROM salary_benchmarks") == 2
    passed("ten equal questions at once give one figure and one row a source")


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


for part in (equal_questions, two_syncs, flush_in_a_refresh):
    part()
bed.stop()
