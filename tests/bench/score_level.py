#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How well the level is read from a title, on labelled titles through `jobfleet parse level`.

usage: tests/bench/score_level.py [--vary] [--show N] [FILE.jsonl…]

Without a FILE: labelled/level.jsonl beside this script (invented titles in seven languages), and the
labelled titles of ../shared/samples, where they are. --vary: every title also in other clothes; an
answer should not change by it. Labels that contradict others of their file are named and stay in
the score. Exit status 0 unless the program fails."""

import argparse
import collections
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
SAMPLES = os.path.join(TOP, "../shared/samples/labelled/level_corpus.jsonl")
AIM = 0.95

# words of a title in the samples and its label -> the labels that it contradicts
DISPUTED = (
    ("(Senior/Principal)", "principal", "three other titles for senior or principal are senior"),
    ("Assistant Manager | ", "manager", "two other assistant managers are unknown"),
    ("Vice President", "manager", "the same title is labelled executive, too"),
    ("Platform Management, Analyst", "entry", "the same title is labelled unknown, twice"),
    ("SPEC 3 SV", "unknown", "other grades of 3 are senior, and 1 before SV is entry"),
    ("I/II/III", "unknown", "other titles for I, II and III are entry"),
)


def parse(titles):
    lines = "".join(json.dumps({"title": title}) + "\n" for title in titles)
    done = subprocess.run([os.path.join(BIN, "jobfleet"), "parse", "level"], input=lines,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    answers = [json.loads(line).get("level") for line in done.stdout.splitlines()]
    if done.returncode or len(answers) != len(titles):
        sys.exit("jobfleet parse level: %d answers to %d lines, status %d: %s" % (
            len(answers), len(titles), done.returncode, done.stderr[-2000:]))
    return answers


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def score(path, show):
    rows = read(path)
    got = parse([row["title"] for row in rows])
    wrong = [(row, level) for row, level in zip(rows, got) if level != row["level"]]
    right = len(rows) - len(wrong)
    print("level   %s" % os.path.relpath(path, TOP))
    print("  %4d of %4d  %6.2f %%  (aim %.0f %%)" % (right, len(rows), 100 * right / len(rows),
                                                   100 * AIM))
    for (want, level), n in collections.Counter((row["level"], level) for row, level in wrong
                                                ).most_common():
        print("    %3d  %s read as %s" % (n, want, level))
    for row, level in wrong:
        for words, label, reason in DISPUTED:
            if words in row["title"] and row["level"] == label and "src" in row:
                print("    disputed label %s: %s" % (row["src"], reason))
    for row, level in wrong[:show]:
        print("    %r: %s; want %s" % (row["title"], level, row["level"]))


CLOTHES = {
    "capitals": str.upper,
    "small letters": str.lower,
    "gender": lambda t: t + " (m/w/d)",
    "remote": lambda t: t + " - Remote",
    "place": lambda t: t + " | Denver, CO",
    "requisition": lambda t: t + " (R-20417)",
    "spaces": lambda t: t.replace(" ", "\u00a0 "),
}


def vary(path):
    titles = [row["title"] for row in read(path)]
    plain = parse(titles)
    for name, dress in CLOTHES.items():
        changed = [title for title, a, b in zip(titles, plain, parse([dress(t) for t in titles]))
                   if a != b]
        print("  %-18s %3d of %d answers change%s" % (
            name, len(changed), len(titles), ", as: " + dress(changed[0]) if changed else ""))


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--vary", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    own = os.path.join(HERE, "labelled", "level.jsonl")
    for path in args.files or [own] + [p for p in [SAMPLES] if os.path.exists(p)]:
        score(path, args.show)
        if args.vary:
            vary(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
