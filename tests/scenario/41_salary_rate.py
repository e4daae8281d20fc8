#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""The rate of fetch_salary_data is the sources', not the callers': what the cache answers costs
none, and a call that finds the bucket empty waits its turn without counting as a retry."""

import json
import os
import re
import subprocess
import tempfile
import time

from salary_bed import TOP, SalaryBed, wait_for

NAME = "backend.tasks.salary_data_tasks.fetch_salary_data"
CITIES = ("NYC", "Boston", "Chicago", "Dallas", "Houston", "Miami", "Denver", "Austin, TX", "Seattle",
          "Atlanta", "Phoenix", "San Diego")


def rated(rate, burst):
    """The shipped queues.conf with another rate of this one task, and none of the others."""
    with open(os.path.join(TOP, "queues.conf")) as f:
        text = re.sub(r"\trate_limit = \S+\n(?!\trate_limit_at = fetch)", "", f.read())
    text, n = re.subn(r"rate_limit = \S+\n(\trate_limit_at = fetch\n\trate_limit_burst =) \d+",
                      r"rate_limit = %s\n\1 %d" % (rate, burst), text)
    assert n == 1, "%d tasks take their rate at the fetch" % n
    path = os.path.join(tempfile.mkdtemp(), "queues.conf")
    with open(path, "w") as f:
        f.write(text)
    return path


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


def places():
    return bed.one("SELECT count(DISTINCT location) FROM salary_benchmarks")


# A minute for what must happen before the next one may go.
bed = SalaryBed(programs=("salary", "dispatcher"), conf=rated("1/m", 10))
for city in CITIES:
    enqueue(city)
wait_for("ten fetches", lambda: places() >= 10)
assert places() < len(CITIES), "all %d went at once" % len(CITIES)
passed("ten fetches go at once, the rest waits")

answer = result(enqueue("New York, NY"))
assert answer["status"] == "SUCCESS" and answer["result"]["cache_hit"], answer
assert places() < len(CITIES), "the cached answer waited"
passed("a cached answer goes past those that wait")
bed.stop()

for key in bed.redis.scan_iter("*limit:" + NAME):
    bed.redis.delete(key)
bed = SalaryBed(programs=("salary", "dispatcher"), conf=rated("30/m", 1))
started = time.monotonic()
for task in [enqueue(city) for city in ("Portland, OR", "Omaha", "Tulsa")]:
    answer = result(task)
    assert answer["status"] == "SUCCESS" and not answer["result"]["cache_hit"], answer
took = time.monotonic() - started
assert took > 3.5, "the third came after %.1f s of 4" % took
retries = bed.one("SELECT max(retries) FROM jobfleet.ledger WHERE task = %s AND final", NAME)
assert retries == 0, "%d retries were counted" % retries
passed("those that waited are fetched at the rate, and no retry is counted")
bed.stop()
