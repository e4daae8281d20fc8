#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""The rate of fetch_salary_data is the sources', not the callers': what the cache answers costs
none, and a call that finds the bucket empty waits its turn without counting as a retry."""

import json
import subprocess
import time

from salary_bed import SalaryBed, wait_for

NAME = "backend.tasks.salary_data_tasks.fetch_salary_data"
CITIES = ("NYC", "Boston", "Chicago", "Dallas", "Houston", "Miami", "Denver", "Austin, TX", "Seattle",
          "Atlanta", "Phoenix", "San Diego")
bed = SalaryBed(programs=("salary", "dispatcher"))


def passed(what):
    print("ok " + what)


def enqueue(city):
    return subprocess.run(
        ["jobfleet", "enqueue", NAME, "--quiet", "--args",
         json.dumps([{"location": city, "occupation": "SRE"}])],
        env=bed.env, stdout=subprocess.PIPE, check=True, text=True, timeout=30).stdout.strip()


def result(task, timeout=60):
    got = subprocess.run(["jobfleet", "result", task, "--wait", "--json", "--timeout=%d" % timeout],
                         env=bed.env, stdout=subprocess.PIPE, text=True, timeout=90)
    assert got.returncode == 0, got.stdout
    return json.loads(got.stdout)


started = time.monotonic()
tasks = [enqueue(city) for city in CITIES]
wait_for("ten fetches", lambda: bed.one("SELECT count(DISTINCT location) FROM salary_benchmarks") >= 10)
assert bed.one("SELECT count(DISTINCT location) FROM salary_benchmarks") < len(CITIES)
passed("ten fetches go at once, the rest waits")

cached = enqueue("New York, NY")
answer = result(cached)
assert answer["status"] == "SUCCESS" and answer["result"]["cache_hit"], answer
assert time.monotonic() - started < 6, "the cached answer waited"
passed("a cached answer goes past those that wait")

for task in tasks:
    assert result(task)["status"] == "SUCCESS"
assert time.monotonic() - started > 5
assert bed.one("SELECT count(DISTINCT location) FROM salary_benchmarks") == len(CITIES)
retries = bed.one("SELECT max(retries) FROM jobfleet.ledger WHERE task = %s AND final", NAME)
assert retries == 0, "%d retries were counted" % retries
passed("those that waited are fetched at the rate, and no retry is counted")
bed.stop()
