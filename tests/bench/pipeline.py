#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Postings end to end: asked for by tasks, fetched over HTTP, stored raw, processed, loaded.

usage: tests/services/services run -- tests/bench/pipeline.py [--postings N] [--json FILE]

Generates N distinct postings (50000), serves them from the local provider server in JSearch's
format, 100 a page, and sends one collect_jobs task for each thousand. The fleet is as shipped, but
for the provider's rate and quota, which would make it a test of patience. Prints what each stage
had done over time, the sustained rate beside the aim of 278 a second (a million an hour), and the
programs' memory. Services, provider and programs share the machine.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests/scenario"))
import pipeline_bed     # noqa: E402

AIM = 278
RUN, PAGE = 1000, 100
LEAST = 480
LIMIT_S = 1800
STATE = """
SELECT (SELECT coalesce(sum((metadata->>'job_count')::int), 0) FROM raw_job_collections),
       (SELECT coalesce(sum(jobs_processed + jobs_failed), 0) FROM job_processing_log),
       (SELECT coalesce(sum(jobs_processed) FILTER (WHERE loaded_at IS NOT NULL), 0)
          + coalesce(sum(jobs_failed), 0) FROM job_processing_log),
       (SELECT count(*) FROM enhanced_jobs)
"""


def pss_kib(pid):
    """Of a process and all below it."""
    total = 0
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            total = int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    except (OSError, AttributeError):
        pass
    return total + sum(pss_kib(child) for child in pipeline_bed.offspring(pid))


def provider(directory, postings):
    data, port_file = os.path.join(directory, "data"), os.path.join(directory, "port")
    subprocess.run([os.path.join(TOP, "tests/providers/generate"), "--out", data, "--count",
                    str(postings), "--seed", "bench"], check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen(
        [os.path.join(TOP, "tests/providers/server"), "--data", data, "--port-file", port_file,
         "--match", "all", "--page-size", str(PAGE), "--quota", "1000000", "--die-with-parent"],
        stdout=subprocess.DEVNULL)
    pipeline_bed.wait_for("the provider server", lambda: os.path.exists(port_file) and
                          open(port_file).read().strip(), 120)
    with open(os.path.join(data, "labels.json")) as f:
        rows = json.load(f)["counts"]["rows"]
    with open(port_file) as f:
        return server, int(f.read()), rows


def start(port):
    bed = pipeline_bed.Bed(env={
        "JOBFLEET_SOURCE_JSEARCH_URL": "http://127.0.0.1:%d/jsearch" % port,
        "RAPIDAPI_KEY": "bench", "ETL_REQUESTS_PER_MINUTE": "60000", "LOG_LEVEL": "WARNING"})
    with open(bed.conf) as f:
        conf = f.read()
    conf = conf.replace('path = "/search-v2"', 'path = "/search"').replace(
        "monthly_quota = 200", "monthly_quota = 1000000")
    with open(bed.conf, "w") as f:
        f.write(conf)
    for program in ("dispatcher", "collection", "processing", "loading"):
        new = pipeline_bed.Program(bed, program, program)
        bed.programs.append(new)
    pipeline_bed.wait_for("the programs", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.workers") >= 3)
    return bed


def follow(bed, rows):
    """Looks once a second until all is loaded; rows of (seconds, collected, processed, loaded)."""
    began, shown, peak = time.monotonic(), 0, {}
    seen = []
    while True:
        state = bed.sql(STATE)[0]
        now = time.monotonic() - began
        seen.append((now,) + tuple(int(n) for n in state))
        for p in bed.programs:
            peak[p.name] = max(peak.get(p.name, 0), pss_kib(p.process.pid))
        if now - shown >= 10 or state[2] >= rows:
            shown = now
            print("  %4.0f s  collected %6d  processed %6d  loaded %6d" % ((now,) + tuple(state[:3])),
                  flush=True)
        if state[2] >= rows:
            return seen, peak
        if now > LIMIT_S:
            raise SystemExit("pipeline: not all loaded within %d s" % LIMIT_S)
        time.sleep(1)


def stage_rate(seen, column):
    """Postings a second of one stage, from its first to its last posting."""
    first = next(s[0] for s in seen if s[column] > 0)
    last = next(s[0] for s in seen if s[column] >= seen[-1][column])
    return seen[-1][column] / max(last - first, 1)


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--postings", type=int, default=50000)
    parser.add_argument("--json")
    o = parser.parse_args()
    if o.postings < LEAST:
        parser.error("--postings: the generator makes at least %d" % LEAST)
    os.environ.setdefault("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
    with tempfile.TemporaryDirectory() as directory:
        server, port, rows = provider(directory, o.postings)
        bed = start(port)
        try:
            for page in range(1, (rows + PAGE - 1) // PAGE + 1, RUN // PAGE):
                bed.send("jobfleet.collect_jobs", query="*", page=page, num_pages=RUN // PAGE,
                         source="jsearch", strategy="batch")
            seen, peak = follow(bed, rows)
            jobs, dead = seen[-1][4], bed.dead()
        except BaseException:
            bed.logs()
            raise
        finally:
            bed.close()
            server.terminate()
    seconds = seen[-1][0]
    figures = {"rows": rows, "seconds": seconds, "rate": rows / seconds, "aim": AIM,
               "postings": jobs, "dead": len(dead), "peak_pss_kib": peak,
               "stages": {name: stage_rate(seen, column) for column, name in
                          ((1, "collect"), (2, "process"), (3, "load"))}}
    print("pipeline: %d rows end to end in %.1f s: %.0f a second (aim %d: %s); %d postings, %d dead"
          % (rows, seconds, figures["rate"], AIM, "met" if figures["rate"] >= AIM else "MISSED",
             jobs, len(dead)))
    print("  memory at most: " + ", ".join("%s %.1f MiB" % (name, kib / 1024)
                                           for name, kib in sorted(peak.items())))
    if o.json:
        with open(o.json, "w") as f:
            json.dump(figures, f, indent=1)
    sys.exit(1 if dead else 0)


main()
