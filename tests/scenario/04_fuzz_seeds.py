#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 300
"""Each fuzz target bears its seeds and some thousand inputs made of them (make fuzz: for as long as
one likes)."""

import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(TOP, "build-fuzz")
RUNS = 3000

if not os.path.isdir(os.path.join(BUILD, "bin")):
    print("there is no clang with libFuzzer here")
    sys.exit(77)
os.execv(os.path.join(TOP, "tests/fuzz/run"), ["run", "--runs", str(RUNS), BUILD])
