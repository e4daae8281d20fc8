#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 420
"""A quick drill: 5,000 tasks and up to 20 faults, every effect counted (tests/drill/run), always of the
same seed (`make drill QUICK=1` draws one, JOBFLEET_SEED gives one). A deliberate bug whose patch no
longer applies is told here, too; `make drill-proof` sees that each is found."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DRILL = os.path.join(TOP, "tests/drill")
seed = os.environ.get("JOBFLEET_SEED") or "20261122"
log = os.path.join(os.environ["TMPDIR"], "drill.log")
failed = subprocess.run([os.path.join(DRILL, "proof"), "--check"]).returncode != 0
kept = subprocess.run([os.path.join(DRILL, "run"), "--quick", "--seed", seed, "--log", log, "--out",
                       os.path.join(os.environ["TMPDIR"], "drill.json")]).returncode == 0
print("ok" if kept else "not ok", "every promise is kept under faults, seed", seed)
if not kept and os.path.exists(log):
    with open(log, errors="replace") as f:
        print(f.read()[-40000:])
sys.exit(0 if kept and not failed else 1)
