#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What finding duplicates costs per posting, by the size of the main table.

usage: tests/services/services run --fast -- tests/bench/duplicates_curve.py [--sizes N,N,N]

Each size is a database of its own, filled by SQL (short texts, 22 near keys a row as real postings
have), the indexes made behind it. Then in turns, so that a busy moment of the machine meets all
sizes, `lookup` (lookup.c) asks for batches of 100 by key, link and description, through the very
code of processing; the fastest turn of each counts. The aim: at the last size at most 1.5 times the
first. No figure is a test: the exit status tells failures only."""

import argparse
import contextlib
import json
import os
import subprocess
import sys

import psycopg2

import scratch

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BIN = os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
AIM = 1.5
BATCHES = 40
ROUNDS = 7
FILL = """
INSERT INTO enhanced_jobs (title, company, dedupe_title, dedupe_company, dedupe_location, dedupe_key,
	apply_key, api_provider, description, near_keys)
SELECT 'clerk ' || n, 'firm ' || n % 50000, 'clerk ' || n, 'firm ' || n % 50000, 'austin,tx,us',
	md5(n::text) || '|' || n, 'jobs.example.com/f/' || n, 'bench', 'word' || n % 4001,
	ARRAY[{keys}]
FROM generate_series({first}::bigint, {last}::bigint) n
""".replace("{keys}", ", ".join(
    "(hashint8extended(n, %d) & -4294967296) | (hashint8extended(n, %d) & 4294967295)" % (
        k // 10, 9 + k) for k in range(22)))


def sql(pg, text):
    with pg.cursor() as c:
        c.execute(text)
        return c.fetchall() if c.description else None


def fill(pg, rows):
    later = sql(pg, "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'enhanced_jobs'"
                    " AND indexdef NOT LIKE '%UNIQUE%'")
    for name, _ in later:
        sql(pg, "DROP INDEX " + name)
    for at in range(0, rows, 100000):
        sql(pg, FILL.replace("{first}", str(at + 1)).replace("{last}", str(min(rows, at + 100000))))
    sql(pg, "SET maintenance_work_mem = '256MB'")
    for _, definition in later:
        sql(pg, definition)
    sql(pg, "VACUUM ANALYZE enhanced_jobs")
    sql(pg, "CHECKPOINT")


def prepared(stack, size):
    """The URL of a database of its own with so many postings."""
    url = stack.enter_context(scratch.database("curve_%d" % size))
    subprocess.run([os.path.join(BIN, "jobfleet"), "migrate"], check=True, stdout=subprocess.DEVNULL)
    pg = psycopg2.connect(url)
    pg.autocommit = True
    sql(pg, "ALTER TABLE enhanced_jobs SET (autovacuum_enabled = off)")
    fill(pg, size)
    pg.close()
    return url


def lookup(url):
    done = subprocess.run([os.path.join(BIN, "lookup"), str(BATCHES)], text=True,
                          env=dict(os.environ, JOBFLEET_DATABASE_URL=url), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit("lookup: %s" % done.stderr)
    return json.loads(done.stdout)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="10000,100000,1000000")
    sizes = [int(n) for n in options.parse_args().sizes.split(",")]
    costs = []
    with contextlib.ExitStack() as stack:
        urls = [prepared(stack, size) for size in sizes]
        turns = [[lookup(url) for url in urls] for _ in range(ROUNDS)]
    print("duplicates: microseconds a posting, batches of 100, half of them copies")
    for size, found in zip(sizes, zip(*turns)):
        got = min(found, key=lambda f: f["ask_us"])
        costs.append(got["ask_us"])
        print("  %9d rows: ask %7.1f  make keys %5.1f  embed %5.1f  copies found %.1f %%" % (
            size, got["ask_us"], got["keys_us"], got["embed_us"], 100 * got["found"]))
    print("last / first: %.2f (aim %.1f)" % (costs[-1] / costs[0], AIM))


if __name__ == "__main__":
    main()
