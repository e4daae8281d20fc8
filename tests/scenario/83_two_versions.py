#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 120
"""Two builds of the fleet side by side, one of which wants the schema's next step: a start on the
older schema is refused, the newer schema is tolerated, and an upgrade under load loses nothing and
repeats nothing. The next build is this one with one file compiled anew and the programs linked
again; its step stands in a copy of sql/."""

import os
import re
import shlex
import shutil
import subprocess
import time

import fleet_bed
from fleet_bed import LIMIT_S, TOP, Fleet, run, seed, wait_for

BUILD = os.path.dirname(os.environ["JOBFLEET_BIN"])
PROGRAMS = ("jobfleet-echo", "jobfleet-dispatcher", "jobfleet-ctl")
FLAGS = {"build": [], "build-coverage": ["COVERAGE=1"], "build-faults": ["FAULTS=1"]}
# Expand first: what is new is nullable, has a default or is a table of its own.
STEP = """-- SPDX-License-Identifier: MIT
ALTER TABLE jobfleet.ledger ADD COLUMN next_note text;
ALTER TABLE jobfleet.pending ADD COLUMN next_order integer NOT NULL DEFAULT 0;
CREATE TABLE jobfleet.next_things (id bigint PRIMARY KEY, task_id text);
CREATE INDEX next_ledger ON jobfleet.ledger (node);
"""
with open(os.path.join(TOP, "common/store/migrate.h")) as f:
    HEADER = f.read()
SCHEMA = int(re.search(r"^#define MIGRATE_SCHEMA (\d+)$", HEADER, re.M).group(1))
OLD = {"JOBFLEET_SQL_DIR": os.path.join(TOP, "sql")}


def commands_of_make():
    """What this build would do if one file had changed: compile it, link these."""
    name = os.path.basename(BUILD)
    flags = FLAGS.get(name, ["SAN=" + name[len("build-"):].replace("-", ",")])
    got = subprocess.run(
        ["make", "-n", "V=1", "-W", "common/store/migrate.c", *flags]
        + ["%s/bin/%s" % (name, p) for p in PROGRAMS], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True,
        env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")})
    lines = [shlex.split(line) for line in got.stdout.splitlines()]
    return {words[words.index("-o") + 1]: words for words in lines if "-o" in words}


def build_next(where):
    """The programs that want one step more; returns their folder and their sql/."""
    name, commands = os.path.basename(BUILD), commands_of_make()
    own, sql, bins = os.path.join(where, "common/store"), os.path.join(where, "sql"), os.path.join(where, "bin")
    os.makedirs(own)
    os.makedirs(bins)
    with open(os.path.join(own, "migrate.h"), "w") as f:
        f.write(re.sub(r"^(#define MIGRATE_SCHEMA) \d+$", r"\1 %d" % (SCHEMA + 1), HEADER, flags=re.M))
    object_file, theirs = os.path.join(where, "migrate.o"), name + "/common/store/migrate.o"
    words = commands[theirs]
    words[words.index("-o") + 1] = object_file
    subprocess.run(words[:1] + ["-I" + where] + words[1:], cwd=TOP, check=True)
    links = []
    for program in PROGRAMS:
        words = commands["%s/bin/%s" % (name, program)]
        words[words.index("-o") + 1] = os.path.join(bins, program)
        words.insert(words.index(name + "/libcommon.a"), object_file)
        links.append(subprocess.Popen(words, cwd=TOP))
    assert [link.wait() for link in links] == [0] * len(links)
    os.symlink("jobfleet-ctl", os.path.join(bins, "jobfleet"))
    shutil.copytree(os.path.join(TOP, "sql"), sql)
    with open(os.path.join(sql, "%03d_next.sql" % (SCHEMA + 1)), "w") as f:
        f.write(STEP)
    return bins, {"JOBFLEET_SQL_DIR": sql}


class TwoFleets(Fleet):
    def call(self, where, *words, env=(), status=0):
        got = subprocess.run([os.path.join(where, words[0]), *words[1:]], timeout=LIMIT_S, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=dict(os.environ, JOBFLEET_CONFIG=self.conf, **dict(env)))
        assert got.returncode == status, (words, got.returncode, got.stdout)
        return got.stdout

    def start_next(self, where, program, node):
        with open(os.path.join(self.dir, node + ".log"), "ab") as log:
            return subprocess.Popen([os.path.join(where, program), "--hostname", node + "@test"],
                                    stdout=log, stderr=log, env=dict(os.environ, JOBFLEET_CONFIG=self.conf))

    def log_of(self, node):
        with open(os.path.join(self.dir, node + ".log")) as f:
            return f.read()

    def done_by(self, node):
        return self.one("SELECT count(*) FROM jobfleet.ledger WHERE node = %s AND final", node + "@test")


def an_upgrade_step_by_step_under_load_loses_nothing():
    rng, began = seed(), time.monotonic()
    fleet = TwoFleets(workers=("old",), fleet_conf="heartbeat = 1s")
    new, sql = build_next(os.path.join(fleet.dir, "next"))
    print("# the next build took %.1f s" % (time.monotonic() - began))
    stopping = fleet_bed.threading.Event()

    def feed():
        while not stopping.is_set():
            fleet.enqueue(list(fleet.mixture(10, rng)), pause_s=0.03)
    feeder = fleet_bed.Feeder(feed)
    feeder.start()
    wait_for("the old worker works", lambda: fleet.done_by("old") > 5)

    # the new programs refuse the old schema, say what to do, and touch nothing
    too_old = "the database's schema is %d, this program needs %d: run jobfleet migrate" % (SCHEMA, SCHEMA + 1)
    early = [fleet.start_next(new, program, "early") for program in ("jobfleet-echo", "jobfleet-dispatcher")]
    assert [process.wait(LIMIT_S) for process in early] == [111, 111], fleet.log_of("early")
    assert fleet.log_of("early").count(too_old) >= 2 and "ready node=" not in fleet.log_of("early"), \
        fleet.log_of("early")
    assert fleet.done_by("early") == 0
    assert too_old in fleet.call(new, "jobfleet", "doctor", status=1)

    # the step is made while the old ones work; they go on
    assert "schema %d, 1 applied" % (SCHEMA + 1) in fleet.call(new, "jobfleet", "migrate", env=sql)
    before, starts = fleet.done_by("old"), fleet.workers["old"].starts
    wait_for("the old worker goes on", lambda: fleet.done_by("old") > before + 5)
    assert fleet.workers["old"].starts == starts and fleet.dispatcher.poll() is None
    assert "the schema (%d) is newer than these files (%d)" % (SCHEMA + 1, SCHEMA) in fleet.call(
        os.environ["JOBFLEET_BIN"], "jobfleet", "migrate", env=OLD)

    # both versions side by side, worker and dispatcher; an old one may also start anew
    late = fleet.start_next(new, "jobfleet-echo", "new")
    second = fleet.start_next(new, "jobfleet-dispatcher", "second")
    wait_for("the new worker works", lambda: fleet.done_by("new") > 5)
    with fleet.lock:
        assert fleet.workers["old"].stop() == 0
        fleet.workers["old"].start()
    fleet.workers["old"].wait_ready(again=True)
    before = fleet.done_by("old")
    wait_for("the old worker works on the newer schema", lambda: fleet.done_by("old") > before + 5)

    # the old ones go
    with fleet.lock:
        old = fleet.workers.pop("old")
        assert old.stop() == 0
        dispatcher, fleet.dispatcher = fleet.dispatcher, None
        dispatcher.terminate()
        assert dispatcher.wait(LIMIT_S) == 0
    before = fleet.done_by("new")
    wait_for("the new worker works alone", lambda: fleet.done_by("new") > before + 5)
    stopping.set()
    feeder.join()
    fleet.check()
    for process in late, second:
        process.terminate()
        assert process.wait(LIMIT_S) == 0
    fleet.close()
    print("# %d tasks by the old build, %d by the new one" % (fleet.done_by("old"), fleet.done_by("new")))


def a_step_that_was_edited_is_refused():
    fleet = TwoFleets(workers=(), dispatcher=False)
    sql = os.path.join(fleet.dir, "sql")
    shutil.copytree(os.path.join(TOP, "sql"), sql)
    with open(os.path.join(sql, "001_fleet.sql"), "a") as f:
        f.write("-- a later thought\n")
    said = fleet.call(os.environ["JOBFLEET_BIN"], "jobfleet", "migrate", env={"JOBFLEET_SQL_DIR": sql}, status=100)
    assert "001_fleet.sql was changed after it was applied" in said and "new migration" in said, said
    fleet.close()


run(an_upgrade_step_by_step_under_load_loses_nothing, a_step_that_was_edited_is_refused)
