#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 90
"""One of three dispatchers leads. When it is killed or frozen another one does in under 5 s, with a
higher term; when it stops orderly, at once. What thawed does not lead. No two ever lead at a time."""

import json
import os
import re
import signal
import subprocess
import time

import psycopg2

from dispatcher_bed import Bed, run, wait_for

TAKEOVER_S = 5
NAMES = ("one", "two", "three")

bed = Bed()


def lease():
    """Who holds it (one of NAMES, or None), its term and beat."""
    rows = bed.sql("SELECT substring(holder FROM 'dispatcher-(.*)@test'), term, beat, holder"
                   " FROM jobfleet.leases WHERE name = 'dispatcher'")
    return rows[0] if rows else (None, 0, 0, None)


def another_than(who, term, limit_s=30):
    def changed():
        now = lease()
        return now if now[0] and now[1] > term and now[0] != who else None
    started = time.monotonic()
    now = wait_for("another leads", changed, limit_s)
    return now, time.monotonic() - started


def steps(name):
    """What its log says of leading: (wall-clock second, leads?, term)."""
    return [(at, word == "from now on", int(term)) for at, word, term in re.findall(
        r"^(\S+) .*leads (from now on|no more) term=(\d+)", bed.log(name), re.M)]


def one_of_three_leads():
    for name in NAMES:
        bed.start(name)
    who, term, beat, _ = wait_for("one leads", lambda: lease() if lease()[0] else None)
    assert term == 1, term
    wait_for("it beats", lambda: lease()[2] > beat + 1)
    assert lease()[:2] == (who, 1), lease()
    wait_for("its row says so", lambda: bed.one(
        "SELECT count(*) = 1 FROM jobfleet.workers WHERE (info->>'leads')::bool"
        " AND (info->>'term')::int = 1 AND node = %s", "dispatcher-%s@test" % who))
    assert [len(steps(name)) for name in NAMES if name != who] == [0, 0]


def tables_that_somebody_locks_cost_no_lease_and_no_watchdog():
    """What needs the tables fails and is tried again; nobody waits for them as long as a lease lasts."""
    who, term, beat, _ = lease()
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due) VALUES"
            " ('locked', 'enqueued', 't.locked', 'locked', '{}', '[[],{},{}]', now() + interval '2 s')")
    with psycopg2.connect(bed.database) as other, other.cursor() as c:
        c.execute("LOCK TABLE jobfleet.pending, jobfleet.ledger")
        wait_for("the lease is renewed all the same", lambda: lease()[2] > beat + 4)
        assert lease()[:2] == (who, term), (lease(), who, term)
        # the watchdog hears of each turn, and so does the window: nobody may stand still for long
        bed.wait_log("lock timeout", who)
    other.close()
    assert bed.consume("locked", 1)
    assert lease()[:2] == (who, term) and not [s for s in steps(who) if not s[1]], steps(who)


def a_killed_leader_is_followed_in_under_5_s():
    who, term, _, _ = lease()
    bed.kill(who)
    (next_one, next_term, _, _), took = another_than(who, term)
    print("# after kill -9: %.2f s" % took)
    assert took < TAKEOVER_S and next_term == term + 1, (took, next_term)
    bed.start(who)	# under the same name: a holder of its own
    bed.wait_log("PostgreSQL is there", who)
    assert lease()[0] == next_one


def a_frozen_leader_is_followed_and_does_not_lead_when_it_thaws():
    who, term, _, _ = lease()
    bed.dispatchers[who].send_signal(signal.SIGSTOP)
    (next_one, next_term, _, _), took = another_than(who, term)
    print("# after SIGSTOP: %.2f s" % took)
    assert took < TAKEOVER_S and next_term == term + 1, (took, next_term)
    bed.dispatchers[who].send_signal(signal.SIGCONT)
    bed.wait_log("leads no more", who)
    beat = lease()[2]
    wait_for("the next one beats on", lambda: lease()[2] > beat)
    assert lease()[:2] == (next_one, next_term), lease()


def a_leader_that_stops_is_followed_at_once():
    who, term, _, _ = lease()
    assert bed.stop(who) == 0
    now, took = another_than(who, term)
    print("# after an orderly stop: %.2f s" % took)
    assert took < 3, took	# a lease that nobody gave back lasts longer
    assert now[1] == term + 1, now


def a_restarted_process_of_the_same_name_is_another_holder():
    for name in [n for n in NAMES if n in bed.dispatchers and n != lease()[0]]:
        assert bed.stop(name) == 0
    who, term, _, holder = lease()
    bed.kill(who)
    bed.start(who)
    again = wait_for("it leads again", lambda: lease() if lease()[1] > term else None)
    assert again[0] == who and again[3] != holder and again[1] == term + 1, again
    assert bed.stop(who) == 0


def clocks_that_jump_neither_take_nor_keep_a_lease():
    def hold(holder, at, watched=None):
        return bed.sql("SELECT held, term, beat, leader FROM jobfleet.hold_lease('test', %s,"
                       " interval '3 s', %s, %s)", holder, at, watched)[0]

    assert hold("a 1", "2026-01-01 00:00:00Z") == (True, 1, 1, "a 1")
    assert hold("b 1", "2036-01-01 00:00:00Z") == (False, 1, 1, "a 1"), "ten years ahead, unwatched"
    assert hold("a 1", "2026-01-01 00:00:01Z") == (True, 1, 2, "a 1")
    assert hold("b 1", "2026-01-01 00:00:09Z", 1) == (False, 1, 2, "a 1"), "it has beaten since"
    assert hold("b 1", "1999-01-01 00:00:00Z", 2) == (True, 2, 3, "b 1"), "years back, but watched"
    assert hold("a 1", "2026-01-01 00:00:10Z") == (False, 2, 3, "b 1"), "it thaws"
    assert hold("c 1", "2026-01-01 00:00:10Z", 2) == (False, 2, 3, "b 1"), "c comes late"
    assert not bed.one("SELECT jobfleet.leave_lease('test', 'a 1', '2026-01-01 00:00:11Z')")
    assert bed.one("SELECT jobfleet.leave_lease('test', 'b 1', '2026-01-01 00:00:11Z')")
    assert hold("a 1", "2026-01-01 00:00:11Z") == (True, 3, 5, "a 1")


def no_two_led_at_a_time_as_their_logs_tell():
    told = sorted(step for name in NAMES for step in steps(name))
    terms = [term for _, leads, term in told if leads]
    assert terms == sorted(set(terms)) and len(terms) >= 4, told


run(bed, one_of_three_leads, tables_that_somebody_locks_cost_no_lease_and_no_watchdog,
    a_killed_leader_is_followed_in_under_5_s,
    a_frozen_leader_is_followed_and_does_not_lead_when_it_thaws,
    a_leader_that_stops_is_followed_at_once,
    a_restarted_process_of_the_same_name_is_another_holder,
    clocks_that_jump_neither_take_nor_keep_a_lease, no_two_led_at_a_time_as_their_logs_tell)
