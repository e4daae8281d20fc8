#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A stampede: so many equal requests for a salary answer that is not cached, all at once.

usage: tests/services/services run -- tests/bench/salary_stampede.py [--calls N] [--json FILE]

Sends N (1000) equal fetch_salary_data to the shipped program, as two processes of it with two to four
children each, and counts at the local provider server which calls went out. The aim: what one
request alone would have cost, once, and every answer the same."""

import argparse
import json
import os
import time

import salary_common as common

REQUEST = {"location": "Chicago, IL", "occupation": "Data Scientist"}


def stampede(bed, client, n):
    bed.control("DELETE", "/_stats")
    client.connection.process_data_events()
    began = time.perf_counter()
    names = [client.send(common.NAME + "fetch_salary_data", "salary_data", [REQUEST],
                         subscribe=False) for _ in range(n)]
    answers = client.results(names)
    return time.perf_counter() - began, common.calls_of(bed.control("GET", "/_stats")), answers


def figures_of(answer):
    return json.dumps([[row["data_source"], row["median_salary"]]
                       for row in answer["salary_benchmarks"]])


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--json")
    o = parser.parse_args()
    bed = common.bed()
    bed.start("salary", "salary2")
    try:
        client = common.Client()
        bed.clean()
        _, alone, _ = stampede(bed, client, 1)
        bed.clean()
        seconds, calls, answers = stampede(bed, client, o.calls)
    finally:
        bed.stop()
    hits = sum(answer["cache_hit"] for answer in answers)
    same = len({figures_of(answer) for answer in answers}) == 1
    print("salary-stampede: %d equal requests in %.2f s (%.0f a second), load average %.1f"
          % (o.calls, seconds, o.calls / seconds, os.getloadavg()[0]))
    for source in sorted(set(alone) | set(calls)):
        print("  %-7s %3d calls; one request alone costs %d" % (source, calls.get(source, 0),
                                                              alone.get(source, 0)))
    print("  %d answers from the cache, all figures the same: %s" % (hits, "yes" if same else "NO"))
    met = calls == alone and same
    print("  aim: one fetch, %s" % common.verdict(met))
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"requests": o.calls, "seconds": seconds, "calls": calls, "alone": alone,
                       "met": met}, f, indent=1)


main()
