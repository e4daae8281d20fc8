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


def login(group, part=""):
    """The URL of a fresh role in the group; roles are the whole server's, so the name is ours."""
    role = "%s%s_%s" % (group, part, NAME)
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


def schedules_fire_hold_replace_and_are_noted_on_the_dispatchers_rights():
    for name, overlap in (("line", "queue"), ("newest", "replace"), ("each", "allow")):
        jobfleet("schedule", "add", name, "--every=1s", "--task=" + TASK, "--overlap=" + overlap,
                 "--condition=age(postings) > 1h and age(raw) > 1h and age(benchmarks) > 1h"
                 " and quota(jsearch) > 0")
    for name in ("line", "newest", "each"):
        wait_for(name, lambda: bed.one("SELECT count(*) >= 2 FROM jobfleet.schedule_fires"
                                       " WHERE schedule = %s AND outcome = 'success'", name))
        jobfleet("schedule", "remove", name)


FIGURE = json.dumps({"location": "Denver, CO", "occupation": "Nurses", "median_salary": "1.25",
                     "data_source": "bls", "year": 2025})
# statement -> who may
SALARY = {
    "SELECT * FROM upsert_salary_benchmark('%s')" % FIGURE: "worker",
    "SELECT * FROM jobfleet.store_market_data('[]')": "worker",
    "SELECT * FROM cleanup_salary_data()": "worker",
    "INSERT INTO confidence_scores (data_type, location, year) VALUES ('salary', 'x', 2025)": "worker",
    "INSERT INTO jobfleet.salary_reads (read_at, cache_key, outcome) VALUES (now(), 'k', 'hit')": "worker",
    "SELECT * FROM current_salary_benchmarks": "worker dispatcher reader",
    "SELECT * FROM market_overview": "worker dispatcher reader",
    "SELECT * FROM salary_benchmarks": "worker dispatcher reader",
    "SELECT * FROM jobfleet.salary_changes": "reader",
    "SELECT * FROM jobfleet.salary_erasures": "reader",
    "SELECT * FROM jobfleet.salary_reads": "worker",
    "DELETE FROM jobfleet.salary_reads": "",
    "UPDATE jobfleet.salary_reads SET origin = ''": "",
    "INSERT INTO jobfleet.salary_changes (table_name, action) VALUES ('a', 'insert')": "",
    "DELETE FROM jobfleet.salary_changes": "",
    "SET jobfleet.erasing = 'yes'; DELETE FROM jobfleet.salary_changes": "",
    "SELECT * FROM jobfleet.export_salary_data('Denver, CO')": "",
    "SELECT * FROM jobfleet.erase_salary_data('why', 'Denver, CO')": "",
    "TRUNCATE salary_benchmarks": "",
    "ALTER TABLE salary_benchmarks DISABLE TRIGGER ALL": "",
    "DROP TRIGGER jobfleet_note_update ON salary_benchmarks": "",
}


def each_role_does_with_salary_figures_what_it_needs_and_no_more():
    for role in ("worker", "dispatcher", "reader", "enqueue"):
        connection = psycopg2.connect(login("jobfleet_%s" % role, "_figures"))
        for sql, who in SALARY.items():
            try:
                with connection.cursor() as c:
                    c.execute(sql)
                may = True
            except psycopg2.errors.InsufficientPrivilege:
                may = False
            connection.rollback()
            assert may == (role in who.split()), "%s: %s, expected only: %s" % (
                sql, "%s may" % role if may else "%s may not" % role, who or "nobody")
        connection.close()


def a_change_is_noted_with_the_name_of_who_made_it():
    url = login("jobfleet_worker", "_figures")
    connection = psycopg2.connect(url)
    with connection.cursor() as c:
        c.execute("SELECT * FROM upsert_salary_benchmark(%s)", (FIGURE,))
    connection.commit()
    connection.close()
    assert bed.sql("SELECT changed_by, action FROM jobfleet.salary_changes WHERE location = 'Denver, CO'") == [
        (url.split("//")[1].split(":")[0], "insert")]


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
    schedules_fire_hold_replace_and_are_noted_on_the_dispatchers_rights,
    each_role_does_with_salary_figures_what_it_needs_and_no_more,
    a_change_is_noted_with_the_name_of_who_made_it,
    nobody_was_refused_anything)
