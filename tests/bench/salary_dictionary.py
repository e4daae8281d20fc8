#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The salary cache by itself: how small its entries are, and how long a read of one takes.

usage: tests/services/services run -- tests/bench/salary_dictionary.py [--documents N] [--reads N]

Documents are made by fetch_salary_data for invented pairs of place and occupation that the
dictionary was not trained on (one of four pairs is held back). An entry is the head of
cacheentry.h and the packed document; the same bound for zstd alone. A read is cache_get:
Redis, unpacking, checking; on the machine that runs everything else too.
"""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from salary_documents import environment    # noqa: E402

SMALLER_AIM, P99_AIM_US = 0.60, 1000


def measure(documents, reads):
    programs = os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
    with environment(programs) as env:
        done = subprocess.run([os.path.join(programs, "salary_dictionary"), "measure",
                               str(documents), str(reads)], env=env, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit("salary_dictionary: status %d" % done.returncode)
    return json.loads(done.stdout)


def verdict(met):
    return "met" if met else "not met"


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--documents", type=int, default=600)
    parser.add_argument("--reads", type=int, default=20000)
    options = parser.parse_args()
    got = measure(options.documents, options.reads)
    n, plain = got["documents"], got["plain"]
    print("  %d documents, %.0f bytes each; dictionary %d, trained on others"
          % (n, plain / n, got["dictionary"]))
    for name, key in (("plain", "plain"), ("zstd alone", "zstd"), ("with dictionary", "entries")):
        print("  %-16s %6.0f bytes each, %5.1f %% smaller" % (name, got[key] / n,
                                                              100 - 100 * got[key] / plain))
    smaller = 1 - got["entries"] / plain
    print("  aim: %.0f %% smaller: %s" % (100 * SMALLER_AIM, verdict(smaller >= SMALLER_AIM)))
    print("  cache read: p50 %d us, p99 %d us, CPU %.1f us each (%d reads); aim: p99 under %d us: %s"
          % (got["read_p50_us"], got["read_p99_us"], got["read_cpu_us"], got["reads"], P99_AIM_US,
             verdict(got["read_p99_us"] < P99_AIM_US)))


main()
