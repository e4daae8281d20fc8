#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 60
"""Every program has a manual page without a fault, which knows its options and tasks, no more and no
less. (jobfleet.1 has its test in 64_cli_words.py, queues.conf.5 in test_conf_shipped.)"""

import glob
import os
import re
import subprocess
import sys
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PROGRAMS = sorted(os.path.basename(os.path.dirname(p))
                  for p in glob.glob(os.path.join(TOP, "workers/*/main.c")))
SERVED = [p for p in PROGRAMS if p not in ("ctl", "dispatcher")]
WORKER = "common/worker/jobfleet-worker.8"


def page_of(program):
    return "workers/%s/jobfleet-%s.8" % (program, program)


def pages():
    return [WORKER] + [page_of(p) for p in PROGRAMS if p != "ctl"] + [
        "workers/ctl/jobfleet.1", "common/base/queues.conf.5"]


def text_of(path):
    got = subprocess.run(["mandoc", "-Tutf8", "-Owidth=300", os.path.join(TOP, path)], check=True,
                         stdout=subprocess.PIPE, text=True)
    return re.sub(r".\x08", "", got.stdout).replace("\u2010", "-").replace("\u2212", "-")


def say(program, *words):
    got = subprocess.run([os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-" + program), *words],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env=dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf")))
    return got.stdout


def every_program_has_a_page_and_every_page_a_program():
    for path in pages():
        assert os.path.exists(os.path.join(TOP, path)), "there is no " + path
    found = {os.path.relpath(p, TOP) for p in glob.glob(os.path.join(TOP, "*/*/*.[1-8]"))}
    assert found == set(pages()), found ^ set(pages())


def no_page_has_a_fault():
    for path in pages():
        got = subprocess.run(["mandoc", "-Tlint", "-Wwarning", os.path.join(TOP, path)],
                             stdout=subprocess.PIPE, text=True)
        faults = [line for line in got.stdout.splitlines() if "missing date" not in line]
        assert not faults, faults


def every_option_of_the_help_stands_in_the_page_and_the_reverse():
    for path, program in [(page_of("dispatcher"), "dispatcher")] + [(WORKER, p) for p in SERVED]:
        shown = set(re.findall(r"^  (-\w, --\w+)", say(program, "--help"), re.M))
        written = set(re.findall(r"^ {5,7}(-\w, --\w+)", text_of(path), re.M))
        assert shown and shown == written, (path, program, shown ^ written)


def every_task_of_a_program_stands_in_its_page_and_the_reverse():
    for program in SERVED:
        tasks = set(re.findall(r"^  (\S+)$", say(program, "--run", "no.such"), re.M))
        listed = text_of(page_of(program)).partition("\nTASKS\n")[2].partition("\nSEE ALSO\n")[0]
        written = set(re.findall(r"^ {5,7}(\w+\.[\w.]+)", listed, re.M))
        assert tasks and tasks == written, (program, tasks ^ written)


def what_the_units_refer_to_exists():
    known = {os.path.basename(p)[:-2] + "(%s)" % p[-1] for p in pages()}
    for path in glob.glob(os.path.join(TOP, "systemd/*")):
        with open(path) as f:
            for line in re.findall(r"^Documentation=(.*)$", f.read(), re.M):
                for word in line.split():
                    assert word.startswith("man:") and word[4:] in known, (path, word)


failed = 0
for test in (every_program_has_a_page_and_every_page_a_program, no_page_has_a_fault,
             every_option_of_the_help_stands_in_the_page_and_the_reverse,
             every_task_of_a_program_stands_in_its_page_and_the_reverse,
             what_the_units_refer_to_exists):
    try:
        test()
        print("ok", test.__name__.replace("_", " "))
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print("not ok", test.__name__.replace("_", " "))
        failed = 1
sys.exit(failed)
