#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How well places are read from text, on labelled texts through `jobfleet parse location`: country
and city, and what was confused.

usage: tests/bench/score_place.py [--vary] [--show N] [FILE.jsonl…]

Without a FILE: labelled/geo.jsonl beside this script (invented from names of the gazetteer), and the
labelled texts of ../shared/samples, where they are. --vary: every text also in other clothes (case,
spaces, dashes, "+2 more", a postal code less, words on remote work); an answer should not change by
it. Labels that we hold for wrong, or that no text can tell, are named with the reason and stay in
the score. Exit status 0 unless the program fails."""

import argparse
import collections
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin"))
SAMPLES = os.path.join(TOP, "../shared/samples/labelled/geo_corpus.jsonl")
AIMS = {"country": 0.97, "city": 0.93}

# source of the line in the samples -> why its label is not what the text says
DISPUTED = {
    "real:641": "there is no such city in Colorado, and a large one in Colombia (real:640 agrees)",
    "real:308": "its namesakes abroad are villages; real:311 and real:359 name the US for as little",
    "real:340": "the German city is thirty times as large as the next namesake",
    "real:341": "two cities as likely: needs the country asked for",
    "real:305": "a village that no list of places has",
}


def parse(texts):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run([os.path.join(BIN, "jobfleet"), "parse", "location"], input=lines,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(answers) != len(texts):
        sys.exit("jobfleet parse location: %d answers to %d lines, status %d: %s" % (
            len(answers), len(texts), done.returncode, done.stderr[-2000:]))
    return answers


def told(answer):
    return {"country": answer.get("country") or None,
            "city": (answer.get("city") or "").casefold() or None}


def confusion(part, want, got):
    if not want:
        return part + " seen where none is"
    return part + (" not seen" if not got else " mistaken")


def read(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f if line.strip()]
    for row in rows:
        row["text"] = row.get("text", row.get("location_raw"))
    return rows


def score(path, show):
    rows, counts, confusions, wrong = read(path), collections.Counter(), collections.Counter(), []
    for row, answer in zip(rows, parse([row["text"] for row in rows])):
        want, got = told(row), told(answer)
        for part in AIMS:
            counts[part] += want[part] == got[part]
            if want[part] != got[part]:
                confusions[confusion(part, want[part], got[part])] += 1
        if want != got:
            wrong.append((row, want, got))
    print("place   %s" % os.path.relpath(path, TOP))
    for part, aim in AIMS.items():
        print("  %-8s %4d of %4d  %6.2f %%  (aim %.0f %%)" % (
            part, counts[part], len(rows), 100 * counts[part] / len(rows), 100 * aim))
    for what, n in confusions.most_common():
        print("    %3d  %s" % (n, what))
    for row, want, got in wrong:
        reason = DISPUTED.get(row.get("src")) if "location_raw" in row else None
        if reason:
            print("    disputed label %s: %s" % (row["src"], reason))
    for row, want, got in wrong[:show]:
        print("    %r: %s, %s; want %s, %s" % (row["text"], got["city"], got["country"],
                                              want["city"], want["country"]))


def shout(text):
    return text.upper() if not re.search(r"\b[A-Z]{2,3}\b", text) else text


CLOTHES = {
    "more spaces": lambda t: "  " + re.sub(r", ", ",   ", t) + " ",
    "capitals": shout,
    "no-break spaces": lambda t: t.replace(" ", "\u00a0"),
    "and more": lambda t: t if "more" in t else t + " +2 more",
    "en dashes": lambda t: t.replace(" - ", " \u2013 "),
    "hybrid in front": lambda t: "Hybrid - " + t if re.search("[,a-z]$", t) else t,
    "hybrid behind": lambda t: t + " (Hybrid)" if "(" not in t else t,
}


def vary(path):
    texts = [row["text"] for row in read(path)]
    plain = [told(answer) for answer in parse(texts)]
    for name, dress in CLOTHES.items():
        dressed = [told(answer) for answer in parse([dress(text) for text in texts])]
        changed = [text for text, a, b in zip(texts, plain, dressed) if a != b]
        print("  %-18s %3d of %d answers change%s" % (
            name, len(changed), len(texts), ", as: " + dress(changed[0]) if changed else ""))


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--vary", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    own = os.path.join(HERE, "labelled", "geo.jsonl")
    for path in args.files or [own] + [p for p in [SAMPLES] if os.path.exists(p)]:
        score(path, args.show)
        if args.vary:
            vary(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
