#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How well duplicates are found, on labelled pairs through the real programs: precision, recall and
what was confused, by kind of perturbation.

usage: tests/services/services run --fast -- tests/bench/score_duplicates.py [--pairs N] [--seed N]

Pairs come from duplicates_generator.py. Of every three pairs one goes into a single collection, the
others are collected one after the other. Two postings are one for us if they were loaded into one
row; pairs that run together count against precision as well. Exit status 1: below 0.99."""

import argparse
import collections
import json
import os
import subprocess
import sys
import uuid

import psycopg2
import psycopg2.extras

import duplicates_generator
import scratch

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BIN = os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
AIM = 0.99


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("%s: %s" % (" ".join(words), done.stderr[-2000:]))
    return done.stdout


def load(pg, rows):
    """One collection, processed and loaded by the programs themselves."""
    collection = str(uuid.uuid4())
    with pg.cursor() as c:
        c.execute("INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
                  " raw_response) VALUES (%s, 'jsearch', '{\"country\": \"us\"}', %s)",
                  (collection, json.dumps({"status": "OK", "data": rows})))
    answer = json.loads(run(os.path.join(BIN, "jobfleet-processing"), "--run",
                            "jobfleet.process_collection",
                            json.dumps({"collection_id": collection})))
    run(os.path.join(BIN, "jobfleet-loading"), "--run", "jobfleet.load_processed",
        json.dumps({"processing_id": answer["processing_id"]}))
    return answer


def loaded_as(pg):
    """The main table's row of every posting, by the posting's own id."""
    with pg.cursor() as c:
        c.execute("SELECT p.processed_data->>'external_id', p.job_id FROM processed_job_data p")
        return dict(c.fetchall())


def score(pairs, jobs, say=print):
    right = collections.Counter()
    wrong = collections.defaultdict(list)
    true = false = missed = 0
    for kind, is_same, origin, one, two in pairs:
        merged = jobs[one["job_id"]] == jobs[two["job_id"]]
        true += merged and is_same
        false += merged and not is_same
        missed += is_same and not merged
        right[kind, origin] += merged == is_same
        if merged != is_same:
            wrong[kind, origin].append((one, two))
    owners = collections.defaultdict(set)
    for number, pair in enumerate(pairs):
        for row in pair[3:]:
            owners[jobs[row["job_id"]]].add(number)
    strangers = sum(len(numbers) - 1 for numbers in owners.values())
    false += strangers
    for kind, origin in sorted(set(right) | set(wrong)):
        n = right[kind, origin] + len(wrong[kind, origin])
        say("  %-24s %-4s %4d pairs %5.1f %% right" % (kind, origin, n,
                                                       100.0 * right[kind, origin] / n))
    precision, recall = true / max(1, true + false), true / max(1, true + missed)
    say("duplicates: %d pairs, precision %.4f, recall %.4f (aim %.2f each); %d of different pairs "
        "run together" % (len(pairs), precision, recall, AIM, strangers))
    return precision, recall, wrong


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=2400)
    options.add_argument("--seed", type=int, default=20261122)
    options.add_argument("--show", type=int, default=0, help="so many wrong pairs of each kind")
    options = options.parse_args()
    with scratch.database("pairs") as url:
        return measure(options, url)


def measure(options, url):
    run(os.path.join(BIN, "jobfleet"), "migrate")
    pg = psycopg2.connect(url)
    pg.autocommit = True
    pairs, nreal = duplicates_generator.pairs(options.pairs, options.seed, TOP)
    if not nreal:
        print("without ../shared/samples: texts of our own only")
    load(pg, [row for i, p in enumerate(pairs) if i % 3 == 0 for row in p[3:]])
    load(pg, [p[3] for i, p in enumerate(pairs) if i % 3])
    load(pg, [p[4] for i, p in enumerate(pairs) if i % 3])
    precision, recall, wrong = score(pairs, loaded_as(pg))
    for (kind, origin), found in sorted(wrong.items()):
        for one, two in found[:options.show]:
            print("---- %s %s\n%s\n%s" % (kind, origin, json.dumps(one)[:1500], json.dumps(two)[:1500]))
    return precision < AIM or recall < AIM


if __name__ == "__main__":
    sys.exit(main())
