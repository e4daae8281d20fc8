#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""The fleet under login roles that have only the rights of their group: a worker, a dispatcher, and
a foreign service that may enqueue by SQL and do nothing else."""

import json
import os
import signal
import subprocess

import psycopg2

from dispatcher_bed import TOP, Bed, run, wait_for

bed = Bed(tables=False)
BIN = os.environ["JOBFLEET_BIN"]
ENV = dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf"), ETL_MODE="development")
NAME = bed.database.rsplit("/", 1)[1]
TASK = "backend.tasks.salary_data_tasks.monitor_cache_performance"
started = []


def jobfleet(*words):
    return subprocess.run(["jobfleet", *words], env=ENV, check=True, stdout=subprocess.PIPE, text=True,
                          timeout=60).stdout


def login(group):
    """The URL of a fresh role in the group; roles are the whole server's, so the name is ours."""
    role = "%s_%s" % (group, NAME)
    bed.sql("DROP ROLE IF EXISTS %s" % role)
    bed.sql("CREATE ROLE %s LOGIN PASSWORD 'x' IN ROLE %s" % (role, group))
    return "postgresql://%s:x@%s" % (role, bed.database.split("@", 1)[1])


def start(program, group):
    log = open(os.path.join(bed.dir, program + ".log"), "wb")
    started.append(subprocess.Popen(
        [os.path.join(BIN, "jobfleet-" + program), "--hostname=%s@least" % program, "--loglevel=DEBUG"],
        env=dict(ENV, JOBFLEET_DATABASE_URL=login(group)), stderr=log, cwd=bed.dir))


def workers_start_on_the_rights_of_their_group():
    jobfleet("migrate", "--quiet")
    start("salary", "jobfleet_worker")
    start("dispatcher", "jobfleet_dispatcher")
    wait_for("both report themselves", lambda: {w["program"] for w in json.loads(
        jobfleet("workers", "--json"))} == {"salary", "dispatcher"})


def a_task_runs_and_leaves_its_ledger_row():
    got = json.loads(jobfleet("enqueue", TASK, "--id=by-cli", "--wait", "--timeout=30", "--quiet"))
    assert got["status"] == "success", got


def what_an_enqueuer_commits_is_relayed_and_run():
    other = psycopg2.connect(login("jobfleet_enqueue"))
    with other.cursor() as c:
        c.execute("SELECT jobfleet.enqueue(%s, queue => 'monitoring', task_id => 'by-sql')", (TASK,))
    other.commit()
    got = json.loads(jobfleet("result", "by-sql", "--wait", "--timeout=30", "--quiet"))
    assert got["status"] == "success", got
    with other.cursor() as c:
        try:
            c.execute("SELECT * FROM jobfleet.pending")
            raise AssertionError("an enqueuer reads what others enqueued")
        except psycopg2.errors.InsufficientPrivilege:
            pass
    other.close()


def nobody_was_refused_anything():
    for process in started:
        process.send_signal(signal.SIGTERM)
    assert [p.wait(30) for p in started] == [0, 0]
    for program in ("salary", "dispatcher"):
        log = bed.log(program)
        assert "permission denied" not in log and "42501" not in log, log


run(bed,
    workers_start_on_the_rights_of_their_group,
    a_task_runs_and_leaves_its_ledger_row,
    what_an_enqueuer_commits_is_relayed_and_run,
    nobody_was_refused_anything)
