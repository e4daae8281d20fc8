#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Debian's Celery as the client of the salary tasks, word for word as Python services call them:
declarations in backend/tasks/salary_data_tasks.py, then .delay(...).get()."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "../scenario")]

from salary_bed import SalaryBed, wait_for   # noqa: E402
from backend.tasks import salary_data_tasks   # noqa: E402

WAIT_S = 30
bed = SalaryBed(ETL_MODE="production")


def passed(what):
    print("ok " + what)


def delay_and_get():
    answer = salary_data_tasks.fetch_salary_data.delay({
        "location": "New York, NY", "occupation": "Software Engineer", "industry": "Technology",
        "experience_level": "Mid", "education_level": "Bachelor's", "year": 2025,
        "include_market_data": True, "include_confidence_scores": True,
        "cache_strategy": "standard"}).get(timeout=WAIT_S)
    assert answer["status"] == "success" and not answer["cache_hit"], answer
    assert answer["data_count"] == len(answer["salary_benchmarks"]) == 2
    assert {"salary_benchmarks", "market_data", "confidence_scores", "sources", "warnings",
            "processing_time_ms"} <= set(answer)
    bls = next(r for r in answer["salary_benchmarks"] if r["data_source"] == "bls")
    assert isinstance(bls["median_salary"], float) and bls["median_salary"] > 100000
    assert bls["experience_level"] == "Mid" and bls["education_level"] == "Bachelor's"
    assert all(isinstance(row["overall_confidence_score"], float)
               for row in answer["confidence_scores"])
    assert set(answer["sources"]) == {"bls", "fred", "census"}
    passed("fetch_salary_data.delay({...}).get() answers the figures of all sources")


def second_call():
    for location in ("New York, NY", "NYC"):
        answer = salary_data_tasks.fetch_salary_data.delay({
            "location": location, "occupation": "Software Engineer", "industry": "Technology",
            "experience_level": "Mid", "education_level": "Bachelor's", "year": 2025}).get(timeout=WAIT_S)
        assert answer["cache_hit"], answer
    passed("a second call is answered from the cache")


def keyword_arguments():
    answer = salary_data_tasks.fetch_salary_data.apply_async(kwargs={
        "request_data": {"location": "Boston, MA", "occupation": "Data Scientist"}}).get(timeout=WAIT_S)
    assert answer["status"] == "success"
    passed("keyword arguments work like positional ones")


def other_tasks():
    answer = salary_data_tasks.refresh_salary_cache.delay("salary_data:new_york:*").get(timeout=WAIT_S)
    assert (answer["status"], answer["keys_found"], answer["refreshed"]) == ("success", 1, 1), answer
    answer = salary_data_tasks.monitor_cache_performance.delay().get(timeout=WAIT_S)
    assert answer["status"] == "success" and answer["total_hits"] == 2, answer
    answer = salary_data_tasks.cleanup_expired_cache.delay().get(timeout=WAIT_S)
    assert answer["status"] == "success" and answer["expired"] == 0, answer
    answer = salary_data_tasks.update_confidence_scores.delay("NYC").get(timeout=WAIT_S)
    assert answer["status"] == "success" and answer["scores_updated"] == 2, answer
    answer = salary_data_tasks.update_confidence_scores.delay(
        "Boston, MA", occupation="Data Scientist").get(timeout=WAIT_S)
    assert answer["status"] == "success" and answer["scores_updated"] == 2, answer
    answer = salary_data_tasks.sync_salary_data.delay(
        ["SRE", "Data Scientist"], ["Seattle, WA", "Denver, CO"]).get(timeout=WAIT_S)
    assert (answer["status"], answer["pairs"], answer["calls_by_source"]["bls"]) == (
        "success", 4, 1), answer
    passed("the other five tasks answer word for word")


def send_task_by_name():
    answer = salary_data_tasks.app.send_task(
        "backend.tasks.salary_data_tasks.fetch_salary_data",
        args=[{"location": "Denver", "occupation": "SRE"}], queue="salary_data").get(timeout=WAIT_S)
    assert answer["status"] == "success"
    passed("send_task by name needs no declaration")


def errors_reach_the_client():
    for request, kind, says in (({"location": "Xyzzyville", "occupation": "SRE"}, LookupError, "unknown"),
                                ({"location": "NYC", "occupation": "Wizard"}, LookupError, "did you mean"),
                                ({"location": "NYC"}, ValueError, "occupation is missing")):
        try:
            salary_data_tasks.fetch_salary_data.delay(request).get(timeout=WAIT_S)
            raise AssertionError("%r was answered" % request)
        except kind as error:
            assert says in str(error), error
    try:
        salary_data_tasks.app.send_task("backend.tasks.salary_data_tasks.fetch_salary_data",
                                        queue="salary_data").get(timeout=WAIT_S)
        raise AssertionError("a call without arguments was answered")
    except TypeError as error:
        assert "request_data" in str(error), error
    passed("wrong requests raise Python's own exceptions with what would be right")


def shell():
    got = subprocess.run(["jobfleet", "salary", "Software Engineer", "nyc", "--timeout=30s"],
                         env=bed.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert got.returncode == 0, got
    lines = got.stdout.splitlines()
    assert lines[0].split() == ["source", "year", "median", "25", "%", "75", "%", "90", "%",
                                "confidence"], got.stdout
    row = next(line.split() for line in lines if line.startswith("bls "))
    median = bed.one("SELECT median_salary::text FROM salary_benchmarks WHERE data_source = 'bls'"
                     " AND location = 'New York, NY' AND industry IS NULL")
    assert row[2] == median, (row, median)
    assert any(line.startswith("merged: %s USD a year" % median) for line in lines), got.stdout
    assert "Software Engineer (15-1252) in New York, NY (metro 35620)" in got.stderr, got.stderr
    got = subprocess.run(["jobfleet", "salary", "Wizard", "nyc", "--timeout=30s"], env=bed.env,
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert got.returncode == 1 and "did you mean" in got.stderr, got
    passed("jobfleet salary prints the same figures for people")


def inspect():
    registered = salary_data_tasks.app.control.inspect(timeout=5).registered()
    names = {name.split(" ")[0] for tasks in registered.values() for name in tasks}
    for task in ("fetch_salary_data", "refresh_salary_cache", "update_confidence_scores",
                 "cleanup_expired_cache", "monitor_cache_performance", "sync_salary_data"):
        assert "backend.tasks.salary_data_tasks." + task in names, names
    passed("celery inspect registered names all six tasks")


def rows_stand_in_the_tables():
    wait_for("scores by the follow-up", lambda: bed.one(
        "SELECT count(*) FROM confidence_scores WHERE location = 'Denver, CO' AND occupation = 'SRE'"))
    assert bed.one("SELECT count(*) FROM salary_benchmarks WHERE location = 'New York, NY'"
                   " AND industry IS NOT NULL") == 2
    passed("benchmarks and confidence stand in their tables")


for part in (delay_and_get, second_call, keyword_arguments, other_tasks, send_task_by_name,
             errors_reach_the_client, shell, inspect, rows_stand_in_the_tables):
    part()
bed.stop()
