#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Precision and recall of skills on labelled/skills.jsonl, by `jobfleet parse skills`.

usage: tests/bench/score_skills.py [--bin DIR] [--show]

The set is our own: invented snippets of postings of many occupations in five languages, a third of
them traps. The rules were tuned on its even lines only; the odd ones are held out, and what --show
prints of misses and extras leaves them out. Exit status 1 when either half is under the floor."""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
AIM, FLOOR = 0.95, 0.85


def found_in(program, texts):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run([program, "parse", "skills"], input=lines, stdout=subprocess.PIPE,
                          text=True, check=True)
    return [set(json.loads(line).get("skills", [])) for line in done.stdout.splitlines()]


def score(pairs):
    right = sum(len(want & got) for want, got in pairs)
    precision = right / max(1, sum(len(got) for _, got in pairs))
    recall = right / max(1, sum(len(want) for want, _ in pairs))
    return precision, recall


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--bin", default=os.environ.get("JOBFLEET_BIN", os.path.join(HERE, "../../build/bin")))
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    with open(os.path.join(HERE, "labelled", "skills.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    got = found_in(os.path.join(args.bin, "jobfleet"), [row["text"] for row in rows])
    pairs = [(set(row["skills"]), skills) for row, skills in zip(rows, got)]
    good = len(got) == len(rows)
    for name, half in (("tuned", pairs[1::2]), ("held out", pairs[0::2])):
        precision, recall = score(half)
        good = good and min(precision, recall) >= FLOOR
        print("skills %-9s %3d texts  precision %.4f  recall %.4f  (aim %.2f, floor %.2f)"
              % (name, len(half), precision, recall, AIM, FLOOR))
    if args.show:
        for row, (want, skills) in list(zip(rows, pairs))[1::2]:
            if want != skills:
                print("%s\n  missed %s, extra %s" % (row["text"], sorted(want - skills),
                                                     sorted(skills - want)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
