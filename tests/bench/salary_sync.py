#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A full sync of 400 pairs of occupation and place: calls to the sources beside the least possible.

usage: tests/services/services run -- tests/bench/salary_sync.py [--pairs N] [--json FILE]

Runs sync_salary_data for the pairs of queues.conf (20 occupations x 20 places, of the first places
only with --pairs) against the local provider server, under the rates as shipped; once more, which
must ask for nothing; then a fetch of every twentieth pair, which must be a hit. The calls are counted
at the server."""

import argparse
import collections
import json
import os
import re
import subprocess
import time

import salary_common as common

EVERY = 20


def conf_list(bed, key):
    """As `config check` prints it: fleet.KEY = "…; …"  # origin."""
    said = subprocess.run(["jobfleet", "config", "check"], env=bed.env, stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    text = re.search(r"^fleet\.%s = \"?(.*?)\"?\s+#" % key, said, re.M).group(1)
    return [part.strip() for part in text.split(";") if part.strip()]


def asked_series(bed):
    """How often each BLS series was asked for, by the server's own record."""
    series = collections.Counter()
    with open(bed.requests) as f:
        for text in f:
            body = json.loads(text).get("body") or {}
            series.update(body.get("seriesid", []))
    return series


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--json")
    o = parser.parse_args()
    bed = common.bed()
    try:
        client = common.Client()
        jobs, places = conf_list(bed, "salary_occupations"), conf_list(bed, "salary_locations")
        places = places[:max(1, o.pairs // len(jobs))]
        args = [jobs, places]
        bed.control("DELETE", "/_stats")
        began = time.perf_counter()
        first = client.call(common.NAME + "sync_salary_data", "analytics", *args)
        seconds = time.perf_counter() - began
        calls = common.calls_of(bed.control("GET", "/_stats"))
        again = client.call(common.NAME + "sync_salary_data", "analytics", *args)
        series = asked_series(bed)
        pairs = [(place, job) for place in places for job in jobs][::EVERY]
        hits = sum(client.call(common.NAME + "fetch_salary_data", "salary_data", {
            "location": place, "occupation": job})["cache_hit"] for place, job in pairs)
        after = common.calls_of(bed.control("GET", "/_stats"))
    finally:
        bed.stop()
    used, least = first["calls_by_source"], first["least_calls_by_source"]
    print("salary-sync: %d pairs in %.1f s under the shipped rates, load average %.1f: %d synced, %d "
          "without a published median, %d remaining" % (
              first["pairs"], seconds, os.getloadavg()[0], first["synced"], first["unanswered"],
              first["remaining"]))
    print("  %-7s %5s  %5s  why that is the least" % ("", "calls", "least"))
    pay = [name for name in series if name.startswith("OE")]
    units = {name[:23] for name in pay}
    metros = {name for name in units if name[3] == "M"}
    why = {
        "bls": "%d series, each asked for %s, 50 a call: %d of pay for %d places and occupation codes "
               "(%d of them wider, where the metro has no median), the rest on each place's labour "
               "market" % (len(series), "once" if max(series.values()) == 1 else
                           "up to %d times" % max(series.values()), len(pay), len(units),
                           len(units) - len(metros)),
        "census": "all places of a kind in one call of up to 50 columns, and the list of columns",
        "fred": "one series a call: price level and unemployment of each place or its state"}
    for source in sorted(used):
        print("  %-7s %5d  %5d  %s" % (source, used[source], least[source], why.get(source, "")))
    print("  %-7s %5d  %5d" % ("all", first["calls"], first["least_calls"]))
    print("  the server counted %s; a second sync asked %d times (%d pairs fresh); %d of %d fetches "
          "of synced pairs were hits, for %d calls" % (
              json.dumps(calls), again["calls"], again["fresh"], hits, len(pairs),
              sum(after.values()) - sum(calls.values())))
    met = (first["calls"] <= first["least_calls"] + 2 and calls == {k: v for k, v in used.items() if v}
           and again["calls"] == 0 and hits == len(pairs) and after == calls)
    print("  aim: no more than one call for each wider level beyond the least, none twice: %s"
          % common.verdict(met))
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"pairs": first["pairs"], "seconds": seconds, "calls": used, "least": least,
                       "server": calls, "report": first, "met": met}, f, indent=1)


main()
