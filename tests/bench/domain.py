# SPDX-License-Identifier: MIT
"""The figures of the pipeline: speed of the transform in turn with the parser, and the programs
beside this file that print their own (scores on labelled texts, cost over table size, end to end)."""

import glob
import json
import os
import subprocess

from bed import Trouble
from curve import Curve
from report import Aim, Figure

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIMIT_S = 3600
PASS_S = 3


def transform_once(bed):
    files = sorted(glob.glob(os.path.join(TOP, "tests/providers/data/jsearch/*.json")))
    done = subprocess.run([os.path.join(bed.bin, "transform"), "jsearch", str(PASS_S)] + files,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Trouble("transform: status %d: %s" % (done.returncode, done.stderr[-500:]))
    return json.loads(done.stdout)


def figure_transform(bed, o):
    figure = Figure("transform", "rows to postings, all fields and skills, on one core", "MB/s",
                    "the bundled answers, fastest of the passes in %d s, in turn with the parser"
                    % PASS_S)
    figure.parts = ("postings",)
    figure.aims = [Aim("jobfleet", "cJSON", "rate", 0.3)]
    for _ in range(min(o.pairs, 3)):
        got = transform_once(bed)
        for who, took in (("jobfleet", got["transform_s"]), ("cJSON", got["cjson_s"])):
            figure.add(who, {"rate": got["bytes"] / took / 1e6, "postings": got["postings"] / took})
    return figure


def figure_load(bed, o):
    """load.py's costs over the size of the table, with its own words below."""
    rows = [n for n in (10000, 100000, 1000000) if n <= o.tasks * 20]
    path = os.path.join(bed.dir, "load.json")
    printed = Printed("load", "load.py", "--sizes", ",".join(map(str, rows)), "--json", path)(bed, o)
    curve = Curve("load", "loading a posting over the postings there", "rows", "µs each",
                  "batches of 1,000 short texts, a load beside COPY of the very rows it made")
    with open(path, encoding="utf-8") as f:
        found = json.load(f)
    for size in found["sizes"]:
        for who, key in (("new", "load_us"), ("unchanged", "unchanged_us"), ("COPY", "copy_us")):
            curve.add(who, size["rows"], size[key])
    curve.notes.append(printed.said.rstrip().replace("\n", "\n  "))
    return curve


class Printed:
    """What a program beside this file prints, passed on."""

    def __init__(self, name, *words):
        self.name, self.words = name, words
        self.said, self.load = "", [os.getloadavg()[0]]

    def __call__(self, bed, o):
        env = {k: v for k, v in os.environ.items() if k != "JOBFLEET_CONFIG"}
        done = subprocess.run([os.path.join(HERE, self.words[0]), *self.words[1:]], env=dict(
            env, JOBFLEET_BIN=bed.bin), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=LIMIT_S)
        self.said = done.stdout
        if done.returncode:
            raise Trouble("%s: status %d: %s" % (self.words[0], done.returncode,
                                                 done.stdout[-2000:]))
        return self

    def finish(self):
        self.load.append(os.getloadavg()[0])

    def as_json(self):
        return {"name": self.name, "program": self.words, "said": self.said,
                "load_before_after": self.load}

    def as_text(self):
        return "\n%s: load average %.1f before, %.1f after\n%s" % (
            (self.name,) + tuple(self.load) + (self.said.rstrip(),))


PRINTED = {"pipeline": ("pipeline.py",), "duplicates-curve": ("duplicates_curve.py",), "confidence": ("confidence.py",),
           "salary-dictionary": ("salary_dictionary.py",), "salary-zipf": ("salary_zipf.py",),
           "salary-cached": ("salary_cached.py",), "salary-stampede": ("salary_stampede.py",),
           "salary-sync": ("salary_sync.py",), "salary-queries": ("salary_queries.py",)}

FIGURES = {"transform": figure_transform, "load": figure_load}
for path in sorted(glob.glob(os.path.join(HERE, "score_*.py"))):
    script = os.path.basename(path)
    score = script.removesuffix(".py").replace("_", "-")
    FIGURES[score] = Printed(score, script)
for figure_name, words in PRINTED.items():
    if os.path.exists(os.path.join(HERE, words[0])):
        FIGURES[figure_name] = Printed(figure_name, *words)
