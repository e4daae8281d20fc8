#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The hit rate of the salary cache under callers of whom few ask for most (salary_zipf.c says how).

usage: tests/services/services run -- tests/bench/salary_zipf.py [--pairs N,N] [--reads N] [--days N]
                                                               [--calls N] [--seed N]

The first number of pairs is judged: the 400 that a sync keeps up to date by default, read by single
fetches alone here. BLS gives 500 calls a day with a key; 450 leaves room for the sync.
"""

import argparse
import json
import os
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
AIM = 0.90


def simulate(pairs, options):
    program = os.path.join(os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin")),
                           "salary_zipf")
    words = [str(n) for n in (pairs, options.reads, options.days, options.calls, options.seed)]
    env = dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf"))
    done = subprocess.run([program] + words, env=env, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit("salary_zipf: status %d" % done.returncode)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--pairs", default="400,1000")
    parser.add_argument("--reads", type=int, default=5000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--calls", type=int, default=450)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    sizes = [int(n) for n in options.pairs.split(",")]
    print("  %d reads a day over %d days, %d calls a day at most, seed %d; the second half counts"
          % (options.reads, options.days, options.calls, options.seed))
    for pairs in sizes:
        got = simulate(pairs, options)
        print("  %5d pairs: hit rate %.1f %% (%.1f %% of the reads stale), %.0f calls a day, %d reads"
              " found none left" % (pairs, 100 * got["hit_rate"], 100 * got["stale"],
                                    got["calls_a_day"], got["refused"]))
        if pairs == sizes[0]:
            print("         aim: over %.0f %%: %s"
                  % (100 * AIM, "met" if got["hit_rate"] > AIM else "not met"))


main()
