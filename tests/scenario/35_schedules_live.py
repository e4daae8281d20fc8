#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 240
"""Schedules while the fleet runs: added, changed, paused, run and removed by `jobfleet schedule`
and seen without a restart; runs that queue behind or replace the one before them on real workers;
conditions; retries of a schedule's own; and what is kept of each run."""

import datetime
import json
import os
import subprocess

from fleet_bed import Fleet, run, wait_for

CONF = """
task echo.sleep { queue = "echo" max_retries = 0 }
task echo.fail { queue = "echo" max_retries = 0 }
task echo.echo { queue = "echo" }
task echo.noop_ledger { queue = "echo" }
source little { enabled = no base_url = "https://example.org" monthly_quota = 20 }
schedule filed {
	cron = "0 9 * * *"
	task = echo.noop_ledger
	args = '[]'
}
"""
fleet = Fleet(workers=("one",), conf=CONF)
ENV = dict(os.environ, JOBFLEET_CONFIG=fleet.conf)


def call(*words, status=0):
    got = subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, env=ENV, timeout=60, stdin=subprocess.DEVNULL)
    assert got.returncode == status, "%r: status %d\n%s\n%s" % (words, got.returncode, got.stdout,
                                                                got.stderr)
    return got.stdout, got.stderr


def ask(*words):
    return json.loads(call("schedule", *words, "--json")[0])


def refused(*words, says, status=100):
    out, err = call("schedule", *words, status=status)
    assert says in err and out == "", "%r does not say %r: %r %r" % (words, says, err, out)


def listed(name):
    return next((s for s in ask("list") if s["schedule"] == name), None)


def fires(name):
    return fleet.sql("SELECT task_id, kind, held, outcome, cause, attempts, records, replaced_by,"
                     " started_at, ended_at, due FROM jobfleet.schedule_fires"
                     " WHERE schedule = %s ORDER BY due", name)


def skips(name):
    return [row[0] for row in fleet.sql(
        "SELECT reason FROM jobfleet.schedule_skips WHERE schedule = %s ORDER BY due", name)]


def one_that_is_added_fires_within_seconds_without_a_restart():
    ask("add", "quick", "--every=1s", "--task=echo.echo", '--kwargs={"records": 70}',
        "--overlap=allow")
    wait_for("two runs with their ends", lambda: sum(f[3] == "success" for f in fires("quick")) >= 2)
    first = fires("quick")[0]
    assert first[1] == "time" and first[5] == 1 and first[6] == 70, first
    row = listed("quick")
    assert row["origin"] == "database" and row["state"] == "on" and row["overlap"] == "allow", row
    refused("add", "quick", "--every=2s", "--task=echo.echo", says="is there already", status=1)


def its_history_and_its_figures_are_shown():
    run_ = ask("history", "quick")[-1]
    assert run_["outcome"] == "success" and run_["records"] == 70, run_
    assert run_["attempts"] == 1 and run_["took_s"] >= 0 and run_["records_per_s"] > 0, run_
    stats = next(s for s in ask("list", "--stats") if s["schedule"] == "quick")
    assert stats["success_rate_24h"] == 100 and stats["runs_24h"] >= 2, stats
    assert stats["records_24h"] >= 140 and stats["trend"] is None, stats
    assert any(t["task"] == "echo.echo" for t in ask("list", "--tasks"))


def a_pause_holds_until_resume_and_what_fell_due_is_left_out():
    ask("pause", "quick")
    assert "already" in call("schedule", "pause", "quick")[0]
    at = fleet.one("SELECT next_due FROM jobfleet.schedules WHERE name = 'quick'")
    count = len(fires("quick"))
    wait_for("time goes on", lambda: fleet.one(
        "SELECT next_due > %s + interval '2 seconds' FROM jobfleet.schedules"
        " WHERE name = 'quick'", at))
    assert len(fires("quick")) <= count + 1
    assert listed("quick")["state"] == "paused"
    ask("resume", "quick")
    count = len(fires("quick"))
    wait_for("it goes on", lambda: len(fires("quick")) > count)


def a_change_holds_from_then_on():
    ask("set", "quick", "--every=1h")
    wait_for("it is seen", lambda: (fleet.one(
        "SELECT definition FROM jobfleet.schedules WHERE name = 'quick'")) == "every 3600000 ms")
    assert listed("quick")["when"] == "every 3600 s"
    ask("set", "filed", "--cron=0 8 * * *", "--timezone=Europe/Berlin")
    row = listed("filed")
    assert row["origin"] == "both" and row["when"] == "0 8 * * * (Europe/Berlin)", row
    ask("set", "filed", "--unset=timezone", "--jitter=1m")
    assert listed("filed")["when"] == "0 8 * * *", listed("filed")
    ask("set", "filed", "--unset=cron,jitter")
    assert listed("filed")["when"] == "0 9 * * *", listed("filed")
    refused("set", "filed", "--unset=cron", says="the database sets no cron of schedule filed", status=1)
    refused("set", "filed", "--unset=colour", says='a schedule has no key "colour"')
    refused("set", "filed", "--unset=every", "--every=1h", says="contradict each other")
    refused("set", "quick", "--unset=task", says="task")
    ask("remove", "filed")
    assert listed("filed")["when"] == "0 9 * * *" and listed("filed")["origin"] == "file"


def what_is_removed_fires_no_more_and_what_stands_in_the_file_stays():
    ask("add", "last", "--after=quick", "--task=echo.noop_ledger")
    refused("remove", "quick", says="schedule last comes after it", status=1)
    ask("remove", "last")
    ask("remove", "quick")
    assert listed("quick") is None
    refused("remove", "filed", says="stands in queues.conf", status=1)
    refused("remove", "fled", says="did you mean filed?", status=1)


def one_is_run_by_hand_at_once():
    task_id = ask("run", "filed")["task_id"]
    wait_for("its end", lambda: fires("filed") and fires("filed")[-1][3] == "success")
    assert fires("filed")[-1][:2] == (task_id, "manual"), fires("filed")


def one_for_once_fires_once():
    at = fleet.one("SELECT clock_timestamp() + interval '2 seconds'")
    ask("add", "once", "--at=" + at.astimezone(datetime.timezone.utc).isoformat(),
        "--task=echo.noop_ledger")
    wait_for("its end", lambda: [f[3] for f in fires("once")] == ["success"])
    assert fleet.one("SELECT next_due = 'infinity' FROM jobfleet.schedules WHERE name = 'once'")
    ask("remove", "once")


def queued_runs_go_one_after_the_other():
    ask("add", "line", "--every=1s", "--task=echo.sleep", "--args=[2]", "--overlap=queue")
    wait_for("two wait", lambda: sum(f[2] for f in fires("line")) >= 2)
    ask("set", "line", "--enabled=no")
    count = len(wait_for("all end", lambda: (lambda f: f if all(x[3] for x in f) else None)(
        fires("line")), 90))
    rows = fires("line")
    assert count >= 3 and all(f[3] == "success" for f in rows), rows
    assert all(a[9] <= b[8] for a, b in zip(rows, rows[1:])), "two ran at once: %s" % rows


def a_replaced_run_is_ended_before_the_next_one_starts():
    ask("add", "newest", "--every=2s", "--task=echo.sleep", "--args=[120]", "--overlap=replace")
    wait_for("the first is ended", lambda: fires("newest") and fires("newest")[0][3])
    ask("set", "newest", "--enabled=no")
    first, second = fires("newest")[:2]
    assert first[3] == "revoked" and first[7] == second[0], (first, second)
    latest = fires("newest")[-1][0]
    wait_for("the latest runs", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE task_id = %s AND due < 'infinity'", latest))
    call("revoke", "--terminate", latest)
    wait_for("all ended", lambda: all(f[3] for f in fires("newest")), 60)


def a_condition_that_does_not_hold_leaves_the_time_out():
    fleet.sql("INSERT INTO jobfleet.provider_quota (source, period, period_start, used, allowed,"
              " resets_at) VALUES ('little', 'month', now()::date, 15, 20, now() + '1 day')")
    ask("add", "thrifty", "--every=1s", "--task=echo.noop_ledger", "--overlap=allow",
        "--condition=quota(little) > 5")
    ask("add", "stale", "--every=1s", "--task=echo.noop_ledger", "--overlap=allow",
        "--condition=age(stale) > 1h")
    wait_for("left out", lambda: skips("thrifty") and skips("stale"))
    assert "quota(little) is 5, not over 5" in skips("thrifty")[0], skips("thrifty")
    assert not fires("thrifty") and len(fires("stale")) >= 1
    assert skips("stale")[0].startswith("its condition does not hold: age(stale) is "), skips("stale")
    fleet.sql("UPDATE jobfleet.provider_quota SET used = 14 WHERE source = 'little'")
    wait_for("it holds now", lambda: fires("thrifty"))
    why = [h["why"] for h in ask("history", "thrifty") if h["outcome"] == "left out"]
    assert why and "its condition does not hold" in why[0], why
    ask("remove", "thrifty")
    ask("remove", "stale")


def its_own_retries_and_their_distance_hold_for_its_runs():
    ask("add", "failing", "--every=1h", "--task=echo.fail", '--kwargs={"transient": true}',
        "--max-retries=2", "--retry-distance=300ms", "--time-limit=1m")
    wait_for("it is there", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.schedules WHERE name = 'failing' AND definition <> ''"))
    task_id = ask("run", "failing")["task_id"]
    wait_for("its end", lambda: fires("failing") and fires("failing")[0][3] == "failure", 60)
    assert fires("failing")[0][5] == 3, fires("failing")
    assert fleet.one("SELECT min(b.started_at - a.settled_at) >= '300 ms' FROM jobfleet.ledger a"
                     " JOIN jobfleet.ledger b ON b.task_id = a.task_id"
                     " AND b.retries = a.retries + 1 WHERE a.task_id = %s", task_id)
    ask("remove", "failing")


def wrong_settings_are_refused_with_what_would_be_right():
    add = ("add", "wrong", "--task=echo.noop_ledger")
    refused(*add, "--cron=0 25 * * *", says='hour: "25" is not 0 to 23')
    refused(*add, "--cron=0 9 * *", says="4 fields; write 5")
    refused(*add, "--cron=0 9 * * *", "--timezone=berlin", says="did you mean Europe/Berlin?")
    refused(*add, says="nothing says when")
    refused(*add, "--every=1h", "--overlap=wait", says='"wait" is none of: allow skip queue replace')
    refused(*add, "--after=wrong", says="set each other off for ever")
    refused(*add, "--every=1h", "--condition=age(posting) > 1h", says="there is no data")
    refused("add", "wrong", "--every=1h", "--task=echo.slep", says='did you mean "echo.sleep"?')
    refused("add", "w r", "--every=1h", "--task=echo.sleep", says="is not a name")
    refused("simulate", "0 9 * * *", "--tz=Nowhere/At_All", says="unknown time zone")
    refused("simulate", "0 9 * * *", "--from=tomorrow", says="--from")
    assert listed("wrong") is None


def a_wrong_row_harms_no_other_and_can_be_removed():
    fleet.sql("INSERT INTO jobfleet.schedule_settings (name, settings) VALUES"
              " ('broken', '{\"cron\": \"61 * * * *\", \"task\": \"echo.noop_ledger\"}'),"
              " ('amid', '{\"every\": \"1s\", \"task\": \"echo.noop_ledger\", \"overlap\": \"allow\"}')")
    wait_for("the other fires", lambda: fires("amid"))
    wait_for("an alert", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.alerts WHERE name = 'schedule_wrong' AND subject = 'broken'"
        " AND message LIKE '%%minute: \"61\" is not 0 to 59%%'"))
    assert "schedule broken of the database is left out" in call("schedule", "list")[1]
    ask("remove", "broken")
    ask("remove", "amid")


def next_and_simulate_reckon_in_the_zone():
    row = ask("next", "filed", "--count=2")
    assert [r["due"][11:] for r in row] == ["09:00:00"] * 2, row
    rows = ask("simulate", "30 2 * * *", "--from=2026-03-28", "--to=2026-03-31", "--tz=Europe/Berlin")
    assert [r["due"] for r in rows] == ["2026-03-28 01:30:00", "2026-03-29 01:00:00",
                                       "2026-03-30 00:30:00"], rows
    assert rows[1]["note"] == "right after a gap of the clock", rows
    assert rows[1]["local"] == "2026-03-29 03:00:00 +02:00", rows
    assert len(ask("simulate", "filed", "--from=2026-01-01", "--to=2027-01-01")) == 365


def every_change_is_in_the_record_of_actions():
    rows = json.loads(call("actions", "--json", "--limit=1000")[0])
    done = {r["action"] for r in rows if r["outcome"] == "done"}
    assert done >= {"schedule add", "schedule set", "schedule remove", "schedule pause",
                    "schedule resume", "schedule run", "revoke"}, done
    quick = [r for r in rows if r["arguments"][:3] == ["schedule", "add", "quick"]][-1]
    assert "--every=1s" in quick["arguments"] and "@" in quick["operator"], quick


run(one_that_is_added_fires_within_seconds_without_a_restart,
    its_history_and_its_figures_are_shown,
    a_pause_holds_until_resume_and_what_fell_due_is_left_out, a_change_holds_from_then_on,
    what_is_removed_fires_no_more_and_what_stands_in_the_file_stays, one_is_run_by_hand_at_once,
    one_for_once_fires_once, queued_runs_go_one_after_the_other,
    a_replaced_run_is_ended_before_the_next_one_starts,
    a_condition_that_does_not_hold_leaves_the_time_out,
    its_own_retries_and_their_distance_hold_for_its_runs,
    wrong_settings_are_refused_with_what_would_be_right,
    a_wrong_row_harms_no_other_and_can_be_removed, next_and_simulate_reckon_in_the_zone,
    every_change_is_in_the_record_of_actions)
