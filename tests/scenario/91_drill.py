#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 480
"""A quick drill: 5,000 tasks and up to 20 faults, the real pipeline beside, every effect and every
posting counted (tests/drill/run), always of the same seed (`make drill QUICK=1` draws one,
JOBFLEET_SEED gives one). A deliberate bug whose patch no longer applies is told here, too;
`make drill-proof` sees that each is found."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DRILL = os.path.join(TOP, "tests/drill")
LEVELS = ["availability", "accepted", "recovery_s", "pipeline", "errors"]
seed = os.environ.get("JOBFLEET_SEED") or "20261122"
log, out = (os.path.join(os.environ["TMPDIR"], name) for name in ("drill.log", "drill.json"))
failed = subprocess.run([os.path.join(DRILL, "proof"), "--check"]).returncode != 0
kept = subprocess.run([os.path.join(DRILL, "run"), "--quick", "--seed", seed, "--log", log, "--out",
                       out]).returncode == 0
print("ok" if kept else "not ok", "every promise is kept under faults, seed", seed)
if not kept and os.path.exists(log):
    with open(log, errors="replace") as f:
        print(f.read()[-40000:])


def stated():
    """The names of the levels that stand in the figures, and faults drawn in the page's picture."""
    with open(out) as f:
        figures = json.load(f)
    with open(out.replace(".json", ".html"), encoding="utf-8") as f:
        page = f.read()
    picture = xml.etree.ElementTree.fromstring(page[page.index("<svg"):page.index("</svg>") + 6])
    drawn = sum(len(mark) for mark in picture.iter("{http://www.w3.org/2000/svg}rect"))
    faults = sum(one["times"] for one in figures["injections"])
    return [one["name"] for one in figures["levels"]], drawn, faults


levels, drawn, faults = stated()
told = levels == LEVELS and drawn == faults > 0
print("ok" if told else "not ok", "the service levels stand beside their aims, each fault in the picture")
if not told:
    print("expected %s and as many marks as faults, got %s, %d marks of %d faults" % (
        LEVELS, levels, drawn, faults))
sys.exit(0 if kept and told and not failed else 1)
