#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""What a viewer, an operator and an admin may do: the database decides, by the login's roles, and
the record of actions has it, refusals included."""

import json
import os
import subprocess

import psycopg2

from dispatcher_bed import Bed, run

CONF = """
queue q { program = salary }
task t.one { queue = q }
schedule filed {
	cron = "0 9 * * *"
	task = t.one
}
"""
bed = Bed(CONF)
NAME = bed.database.rsplit("/", 1)[1]
ENV = dict(os.environ, JOBFLEET_CONFIG=bed.conf)


def login(group):
    """The URL of a fresh role in the group; roles are the whole server's, so the name is ours."""
    role = "%s_%s" % (group, NAME)
    bed.sql("DROP ROLE IF EXISTS %s" % role)
    bed.sql("CREATE ROLE %s LOGIN PASSWORD 'x' IN ROLE %s" % (role, group))
    return "postgresql://%s:x@%s" % (role, bed.database.split("@", 1)[1])


VIEWER, OPERATOR, ADMIN, READER = (login("jobfleet_" + name) for name in (
    "viewer", "operator", "admin", "reader"))


def call(url, *words):
    got = subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, env=dict(ENV, JOBFLEET_DATABASE_URL=url), timeout=60,
                         stdin=subprocess.DEVNULL)
    return got.returncode, got.stdout, got.stderr


def works(url, *words):
    status, out, err = call(url, *words)
    assert status == 0, (words, status, out, err)
    return out


def refused(url, role, *words):
    status, out, err = call(url, *words)
    assert status == 100 and "needs the role jobfleet_" + role in err, (words, status, out, err)


def refused_by_database(url, *statements):
    connection = psycopg2.connect(url)
    for statement in statements:
        try:
            with connection.cursor() as c:
                c.execute(statement)
            raise AssertionError("allowed: " + statement)
        except psycopg2.errors.InsufficientPrivilege:
            connection.rollback()
    connection.close()


def a_viewer_sees_everything_and_changes_nothing():
    for words in (("schedule", "list"), ("schedule", "next"), ("schedule", "history"),
                  ("schedule", "list", "--stats"), ("schedule", "list", "--tasks"), ("actions",),
                  ("workers",), ("scheduled",), ("dlq", "list"), ("pause",)):
        works(VIEWER, *words)
    refused(VIEWER, "operator", "revoke", "some-task")
    refused(VIEWER, "operator", "pause", "--queue=q")
    refused(VIEWER, "operator", "resume", "--all")
    refused(VIEWER, "operator", "schedule", "pause", "filed")
    refused(VIEWER, "operator", "schedule", "run", "filed")
    refused(VIEWER, "operator", "control", "pool_grow", "1")
    refused(VIEWER, "admin", "schedule", "set", "filed", "--cron=0 8 * * *")
    refused_by_database(
        VIEWER, "INSERT INTO jobfleet.revokes (kind, value) VALUES ('id', 'x')",
        "UPDATE jobfleet.schedules SET paused = true",
        "INSERT INTO jobfleet.schedule_settings VALUES ('x', '{}')",
        "SELECT jobfleet.schedule_pause('filed', true, 'me')",
        "SELECT jobfleet.schedule_put('filed', '{}', 'me')", "DELETE FROM jobfleet.pending",
        "SELECT jobfleet.enqueue('t.one', queue => 'q')",
        "DELETE FROM jobfleet.operator_actions")
    assert bed.one("SELECT count(*) FROM jobfleet.revokes") == 0
    assert bed.one("SELECT count(*) FROM jobfleet.pauses") == 0


def an_operator_runs_the_fleet_but_changes_no_plan():
    works(OPERATOR, "revoke", "some-task", "--timeout=1s")
    works(OPERATOR, "pause", "--queue=q")
    works(OPERATOR, "resume", "--queue=q")
    works(OPERATOR, "schedule", "pause", "filed")
    works(OPERATOR, "schedule", "resume", "filed")
    works(OPERATOR, "schedule", "run", "filed")
    refused(OPERATOR, "admin", "schedule", "add", "more", "--every=1h", "--task=t.one")
    refused(OPERATOR, "admin", "schedule", "set", "filed", "--enabled=no")
    with bed.rabbit() as connection:
        connection.channel().queue_declare("q", durable=True, arguments={"x-max-priority": 10})
    refused(OPERATOR, "admin", "purge", "q", "--yes")
    refused_by_database(
        OPERATOR, "SELECT jobfleet.schedule_put('filed', '{}', 'me')",
        "UPDATE jobfleet.schedules SET next_due = now()", "DELETE FROM jobfleet.operator_actions",
        "UPDATE jobfleet.operator_actions SET outcome = 'done'",
        "SELECT * FROM jobfleet.grant_rights()")


def an_admin_changes_the_plan_and_purges():
    works(ADMIN, "schedule", "add", "more", "--every=1h", "--task=t.one")
    works(ADMIN, "schedule", "set", "more", "--every=2h")
    works(ADMIN, "schedule", "remove", "more")
    works(ADMIN, "purge", "q", "--yes", "--quiet")


def a_service_login_is_no_operator():
    refused(READER, "operator", "revoke", "some-task")


def the_record_has_who_what_when_and_how_it_ended():
    rows = json.loads(works(VIEWER, "actions", "--json", "--limit=1000"))
    assert {(r["action"], r["outcome"]) for r in rows if "_viewer_" in r["login"]} == {
        (a, "refused") for a in ("revoke", "pause", "resume", "schedule pause", "schedule run",
                                 "control", "schedule set")}, rows
    done = {(r["action"], r["outcome"]) for r in rows if "_operator_" in r["login"]}
    assert {("revoke", "done"), ("pause", "done"), ("schedule run", "done"),
            ("purge", "refused")} <= done, done
    assert ("purge", "done") in {(r["action"], r["outcome"]) for r in rows if "_admin_" in r["login"]}
    revoke = next(r for r in rows if r["action"] == "revoke" and r["outcome"] == "done")
    assert revoke["arguments"] == ["revoke", "some-task", "--timeout=1s"], revoke
    assert "@" in revoke["operator"] and revoke["at"].startswith("20"), revoke
    only = json.loads(works(VIEWER, "actions", "--json", "--outcome=refused", "--action=schedule"))
    assert only and all(r["action"].startswith("schedule ") for r in only), only


def what_fails_is_written_down_as_failed():
    status, _, err = call(ADMIN, "schedule", "remove", "more")
    assert status == 1 and "there is no schedule more" in err
    bed.sql("CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'not today'; END $$")
    bed.sql("CREATE TRIGGER no BEFORE INSERT ON jobfleet.schedule_settings FOR EACH ROW"
            " EXECUTE FUNCTION public.no()")
    status, _, err = call(ADMIN, "schedule", "add", "more", "--every=1h", "--task=t.one")
    assert status != 0 and "not today" in err, err
    row = json.loads(works(ADMIN, "actions", "--json", "--limit=1"))[0]
    assert row["outcome"] == "failed" and "not today" in row["detail"], row


run(bed, a_viewer_sees_everything_and_changes_nothing,
    an_operator_runs_the_fleet_but_changes_no_plan, an_admin_changes_the_plan_and_purges,
    a_service_login_is_no_operator, the_record_has_who_what_when_and_how_it_ended,
    what_fails_is_written_down_as_failed)
