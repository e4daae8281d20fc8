#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 120
"""Tasks of one order key leave one after the other, in the order of their enqueues, whatever the
dispatchers do: three of them at once, one killed in the middle. One that is held up holds up its key
and nothing else."""

import threading

import psycopg2

from dispatcher_bed import Bed, ids_of, run, wait_for

KEYS, EACH = 8, 25

bed = Bed()
for name in ("one", "two", "three"):
    bed.start(name)


def enqueue(key, queue="ordered", connection=None, **more):
    names = "".join(", %s => %%s" % name for name in more)
    with (connection or bed.pg).cursor() as c:
        c.execute("SELECT jobfleet.enqueue('t.ordered', queue => %s, order_key => %s" + names + ")",
                  (queue, key, *more.values()))
        return c.fetchone()[0]


def first_arrivals(messages):
    """Ids in the order of their arrival; what a killed relay sent a second time counts once."""
    return list(dict.fromkeys(ids_of(messages)))


def rows_of_a_key_arrive_in_their_order_though_a_relay_is_killed():
    ids = {}
    for i in range(EACH):
        for key in range(KEYS):
            ids.setdefault(key, []).append(enqueue("key %d" % key, task_id="%d-%d" % (key, i)))
        if i == EACH // 2:
            bed.kill("two")
    bed.start("two")
    got = first_arrivals(bed.consume("ordered", KEYS * EACH, 60))
    assert len(got) == KEYS * EACH, len(got)
    for key, wanted in ids.items():
        mine = [i for i in got if i.startswith("%d-" % key)]
        assert mine == wanted, (key, mine, wanted)


def a_row_that_is_held_up_holds_up_its_key_alone():
    held = enqueue("slow", "held", countdown="1 hour")
    behind = [enqueue("slow", "held") for _ in range(3)]
    others = [enqueue("quick", "held"), enqueue(None, "held")]
    assert sorted(ids_of(bed.consume("held", 2))) == sorted(others)
    assert bed.one("SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting'"
                   " AND task_id = ANY(%s)", [held] + behind) == 4
    bed.sql("UPDATE jobfleet.pending SET due = now() WHERE task_id = %s", held)
    bed.sql("NOTIFY jobfleet_pending")
    assert first_arrivals(bed.consume("held", 4)) == [held] + behind


def a_queue_that_takes_nothing_holds_up_its_key_alone():
    enqueue("refused", "amq.refused", task_id="refused-1")
    behind = enqueue("refused", "fine", task_id="refused-2")
    free = enqueue("other", "fine")
    assert ids_of(bed.consume("fine", 1)) == [free]
    wait_for("the first backs off", lambda: bed.one(
        "SELECT attempts > 0 AND due > now() FROM jobfleet.pending WHERE task_id = 'refused-1'"))
    assert bed.one("SELECT state FROM jobfleet.pending WHERE task_id = %s", behind) == "waiting"
    bed.sql("DELETE FROM jobfleet.pending WHERE task_id = 'refused-1'")
    bed.sql("NOTIFY jobfleet_pending")
    assert ids_of(bed.consume("fine", 1)) == [behind]


def the_order_is_that_of_the_commits():
    first = psycopg2.connect(bed.database)
    early = enqueue("commits", "commits", first)
    late = []

    def wait_and_enqueue():
        second = psycopg2.connect(bed.database)
        late.append(enqueue("commits", "commits", second))
        second.commit()

    other = threading.Thread(target=wait_and_enqueue)
    other.start()
    wait_for("the second one waits", lambda: bed.one(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"))
    first.commit()
    other.join()
    assert first_arrivals(bed.consume("commits", 2)) == [early] + late


def a_key_behind_more_keys_than_a_turn_passes_gets_its_turn():
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due, order_key)"
            " SELECT 'm' || n, 'enqueued', 't.ordered', 'many', '{}', '[[],{},{}]',"
            " now() + interval '1 hour', 'm' || n FROM generate_series(1, 21000) n")
    last = enqueue("z", "many")
    assert ids_of(bed.consume("many", 1, 60)) == [last]


def a_wrong_key_is_refused():
    try:
        enqueue("x" * 513)
    except psycopg2.errors.InvalidParameterValue as problem:
        assert "order_key must have 1 to 512 letters" in str(problem), problem
    else:
        raise AssertionError("a key of 513 letters was taken")


run(bed, rows_of_a_key_arrive_in_their_order_though_a_relay_is_killed,
    a_row_that_is_held_up_holds_up_its_key_alone,
    a_queue_that_takes_nothing_holds_up_its_key_alone,
    the_order_is_that_of_the_commits, a_wrong_key_is_refused,
    a_key_behind_more_keys_than_a_turn_passes_gets_its_turn)
