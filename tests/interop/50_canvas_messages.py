#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 400
"""The canvas of a stock Celery client, carried by our worker: links, chains, groups, chords, in
every nesting, plain and once more with its processes killed in the middle."""

import json
import sys
import time

import celery
from celery import chain, chord, group

from canvas_bed import (GET_S, Stored, add, app, fresh_id, raised, redelivered_in_the_middle, task)
from fleet_bed import Fleet, run, wait_for

fleet = Fleet(workers=("one",), fleet_conf="result_extended = no")
stored = Stored(fleet)


def effects(note):
    return fleet.one("SELECT count(*) FROM effects WHERE note = %s", note)


def ran_once(*ids):
    for task_id in ids:
        rows = fleet.sql("SELECT outcome FROM jobfleet.ledger WHERE task_id = %s", task_id)
        assert rows == [("success",)], (task_id, rows)


def chord_error(result):
    """Of the body itself: get() would raise what a parent failed with first."""
    meta = stored.final(result.id)
    assert meta["status"] == "FAILURE" and meta["result"]["exc_type"] == "ChordError", meta
    return meta["result"]["exc_message"][0]


# ---- links ----

def a_callback_gets_the_result():
    child = add(10).clone()
    child_id = child.freeze().id
    result = add(2, 3).apply_async(link=child)
    assert result.get(timeout=GET_S) == 5
    assert app.AsyncResult(child_id).get(timeout=GET_S) == 15
    meta = stored.final(child_id)
    assert meta["parent_id"] == result.id, meta
    assert stored.meta(result.id)["children"] == [[[child_id, None], None]]
    assert [r.id for r in result.children] == [child_id]


def several_callbacks_become_one_group():
    links = [add(10), add(20), task("identity")]
    ids = [s.freeze().id for s in links]
    result = add(2, 3).apply_async(link=links)
    assert [app.AsyncResult(i).get(timeout=GET_S) for i in ids] == [15, 25, 5]
    children = stored.meta(result.id)["children"]
    assert len(children) == 1 and [c[0][0] for c in children[0][1]] == ids, children
    gid = children[0][0][0]
    assert all(stored.meta(i)["group_id"] == gid for i in ids)


def an_immutable_callback_gets_nothing():
    child = add(1, 1, immutable=True)
    child_id = child.freeze().id
    add(2, 3).apply_async(link=child)
    assert app.AsyncResult(child_id).get(timeout=GET_S) == 2


def callbacks_of_protocol_1_run():
    old = celery.Celery("old", broker=app.conf.broker_url, backend=app.conf.result_backend,
                        set_as_current=False)
    old.conf.task_protocol = 1
    old.conf.task_queue_max_priority = 10
    steps = [old.signature("echo.add", args=a, options={"queue": "echo"})
             for a in ((1, 1), (10,), (100,))]
    assert chain(steps, app=old).apply_async().get(timeout=GET_S) == 112


def callbacks_run_without_a_result():
    child = add(10)
    child_id = child.freeze().id
    result = add(2, 3).apply_async(link=child, ignore_result=True)
    assert app.AsyncResult(child_id).get(timeout=GET_S) == 15
    assert stored.meta(result.id) is None


# ---- errbacks ----

def an_old_errback_gets_the_failed_id():
    errback = task("identity")
    errback_id = errback.freeze().id
    result = task("fail", kwargs={"text": "boom"}).apply_async(link_error=errback)
    assert isinstance(raised(result), ValueError)
    assert app.AsyncResult(errback_id).get(timeout=GET_S) == result.id
    assert stored.final(errback_id)["parent_id"] == result.id


def a_new_errback_of_ours_gets_request_error_and_traceback():
    errback = task("errback")
    errback_id = errback.freeze().id
    result = task("fail", kwargs={"text": "boom"}).apply_async(link_error=errback)
    got = app.AsyncResult(errback_id).get(timeout=GET_S)
    assert got["request"]["id"] == result.id, got
    assert got["exc"]["exc_type"] == "ValueError" and got["exc"]["exc_message"] == ["boom"], got
    assert "boom" in got["traceback"], got


def an_immutable_errback_keeps_its_arguments():
    errback = add(1, 2, immutable=True)
    errback_id = errback.freeze().id
    task("fail").apply_async(link_error=errback)
    assert app.AsyncResult(errback_id).get(timeout=GET_S) == 3


def retries_call_no_errback():
    errback = task("identity")
    errback_id = errback.freeze().id
    result = task("fail", kwargs={"transient": True, "until": 1}).apply_async(link_error=errback)
    assert result.get(timeout=GET_S) == 1
    assert stored.meta(errback_id) is None
    assert not fleet.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = %s", errback_id)


# ---- chains ----

def a_chain_passes_results_on():
    result = chain(add(1, 1), add(10), add(100)).apply_async()
    assert result.get(timeout=GET_S) == 112
    assert result.parent.get(timeout=GET_S) == 12
    assert [v for _, v in result.parent.parent.collect()] == [2, 12, 112]
    first, second, third = (stored.meta(r.id) for r in (result.parent.parent, result.parent, result))
    assert second["parent_id"] == first["task_id"] and third["parent_id"] == second["task_id"]


def roots_and_parents_are_handed_on():
    result = chain(task("headers"), task("headers", immutable=True),
                   task("headers", immutable=True)).apply_async()
    third = result.get(timeout=GET_S)
    second, first = result.parent.get(timeout=GET_S), result.parent.parent.get(timeout=GET_S)
    root = first["id"]
    assert [x["root_id"] for x in (first, second, third)] == [root] * 3
    assert [x.get("parent_id") for x in (first, second, third)] == [None, root, second["id"]]


def chains_in_chains_run():
    inner = chain(add(10), chain(add(100), add(1000)))
    assert chain(add(1, 1), inner, add(10000)).apply_async().get(timeout=GET_S) == 11112


def a_chain_as_callback_runs():
    child = chain(add(10), add(100))
    child_id = child.freeze().id
    add(1, 1).apply_async(link=child)
    assert app.AsyncResult(child_id).get(timeout=GET_S) == 112


def a_step_that_fails_fails_the_rest():
    result = chain(task("fail", kwargs={"text": "early"}), add(1), add(2)).apply_async()
    assert isinstance(raised(result), ValueError)
    problem = raised(result.parent)
    assert isinstance(problem, ValueError) and "early" in str(problem)
    assert stored.final(result.id)["result"]["exc_message"] == ["early"]


def errbacks_of_a_chain_are_called():
    errback = task("identity")
    errback_id = errback.freeze().id
    result = chain(add(1, 1), task("fail", kwargs={"text": "x"}, immutable=True),
                   add(2)).apply_async(link_error=errback)
    raised(result)
    assert app.AsyncResult(errback_id).get(timeout=GET_S) == result.parent.id


def a_callback_that_cannot_be_applied_fails_the_task():
    result = add(1, 1).apply_async(link=celery.signature(
        {"task": "echo.add", "args": [], "kwargs": {}, "options": {"queue": "echo",
                                                                   "priority": "high"},
         "subtask_type": None, "immutable": False}))
    problem = raised(result)
    assert isinstance(problem, TypeError) and "priority" in str(problem), repr(problem)


def a_long_chain_runs():
    result = chain(add(0, 0), *[add(1) for _ in range(120)]).apply_async()
    assert result.get(timeout=GET_S) == 120


# ---- groups ----

def a_group_returns_in_order():
    result = group(add(i, i) for i in range(50)).apply_async()
    assert result.get(timeout=GET_S) == [2 * i for i in range(50)]


def a_chain_ends_with_a_group():
    result = chain(add(1, 1), group(add(10), add(20), chain(add(1), add(2)))).apply_async()
    assert result.get(timeout=GET_S) == [12, 22, 5]


def a_group_in_a_group_is_flat():
    result = chain(add(1, 1), group(add(1), group(add(2), add(3)))).apply_async()
    assert sorted(result.get(timeout=GET_S)) == [3, 4, 5]


# ---- chords ----

def a_chord_of_one():
    assert chord([add(1, 1)], task("sum")).apply_async().get(timeout=GET_S) == 2


def a_chord_of_a_hundred_in_order():
    result = chord([add(i, i) for i in range(100)], task("identity")).apply_async()
    assert result.get(timeout=GET_S) == [2 * i for i in range(100)]
    gid = stored.meta(result.parent[0].id)["group_id"]
    wait_for("the join's keys are gone", lambda: not [
        k for k in stored.chord_keys(gid) if k.endswith((b".j", b".s", b".t"))])


def a_chord_in_a_chain():
    flow = chain(add(1, 1), group(add(1), add(2)), task("sum"), add(100))
    result = flow.apply_async()
    assert result.get(timeout=GET_S) == 107


def a_chord_begun_by_our_worker_names_root_and_parent():
    flow = chain(task("headers"), group(task("headers", immutable=True)
                                        for _ in range(3)), task("headers", immutable=True))
    result = flow.apply_async()
    body = result.get(timeout=GET_S)
    parts = result.parent.get(timeout=GET_S)
    first = result.parent.parent.get(timeout=GET_S)
    assert {p["root_id"] for p in parts} == {first["id"]} == {body["root_id"]}
    assert {p["parent_id"] for p in parts} == {first["id"]} == {body["parent_id"]}
    assert [p["group_index"] for p in parts] == [0, 1, 2]
    children = stored.meta(first["id"])["children"]
    assert [c[0][0] for c in children[0][1]] == [p["id"] for p in parts], children


def chords_in_chords():
    inner = chord([add(1, 1), add(2, 2)], task("sum"))
    flow = chord([inner, add(10, 10), chain(add(1, 2), add(3))], task("sum"))
    assert flow.apply_async().get(timeout=GET_S) == 6 + 20 + 6


def a_chord_whose_body_is_a_chord():
    body = chord([add(100, immutable=False), task("identity", immutable=True, kwargs={"value": 3})],
                 task("sum"))
    flow = chain(add(1, 1), chord([add(1), add(2)], chain(task("sum"), body)))
    assert flow.apply_async().get(timeout=GET_S) == 7 + 100 + 3


def chords_one_after_the_other():
    flow = chain(add(1, 1), group(add(1), add(2)), task("sum"), group(add(10), add(20)),
                 task("sum"))
    assert flow.apply_async().get(timeout=GET_S) == 17 + 27


def a_group_at_the_end_of_a_member_nests_its_values():
    flow = chord([chain(add(1, 1), group(add(10), add(20))), add(5, 5)], task("identity"))
    assert flow.apply_async().get(timeout=GET_S) == [[12, 22], 10]


def the_same_begun_by_our_worker():
    flow = chain(add(0, 1), chord([chain(add(1), group(add(10), add(20))), add(5)],
                                  task("identity")))
    assert flow.apply_async().get(timeout=GET_S) == [[12, 22], 6]


def a_body_that_is_a_group_or_a_chain():
    flow = chord([add(1, 1), add(2, 2)], chain(task("sum"), add(10)))
    assert flow.apply_async().get(timeout=GET_S) == 16
    members = group(task("sum"), task("identity"))
    assert chord([add(1, 1), add(2, 2)], members).apply_async().get(timeout=GET_S) == [6, [2, 4]]


def an_empty_header_runs_the_body_at_once():
    flow = {"task": "celery.chord", "args": [], "subtask_type": "chord", "immutable": False,
            "options": {}, "kwargs": {"kwargs": {}, "header": [], "body": dict(task("sum"))}}
    flow["kwargs"]["body"]["options"]["task_id"] = body_id = fresh_id()
    add(1, 1).apply_async(link=flow)
    assert app.AsyncResult(body_id).get(timeout=GET_S) == 0


def parts_without_results_count():
    header = [add(i, i).set(ignore_result=True) for i in range(3)]
    assert chord(header, task("sum")).apply_async().get(timeout=GET_S) == 6


def a_member_that_fails_fails_the_body():
    errback, other = task("identity"), task("identity")
    body_errback, member_errback = errback.freeze().id, other.freeze().id
    bad = task("fail", kwargs={"text": "boom"}, immutable=True).set(link_error=[other])
    result = chord([add(1, 1), bad], task("sum").on_error(errback)).apply_async()
    assert "raised ValueError('boom')" in chord_error(result)
    assert app.AsyncResult(body_errback).get(timeout=GET_S) == result.id
    bad_id = [r.id for r in result.parent][1]
    assert app.AsyncResult(member_errback).get(timeout=GET_S) == bad_id


def a_failed_chord_fails_what_follows_it():
    flow = chain(add(1, 1), group(add(1), task("fail", immutable=True)), task("sum"), add(1))
    result = flow.apply_async()
    assert "raised ValueError" in chord_error(result)


def a_failed_chord_fails_the_chord_around_it():
    inner = chord([add(1, 1), task("fail", immutable=True)], task("sum"))
    result = chord([inner, add(1, 1)], task("sum")).apply_async()
    assert "raised ChordError" in chord_error(result)


def a_chain_that_fails_in_a_member_fails_the_body():
    member = chain(task("fail", immutable=True), add(1))
    result = chord([member, add(1, 1)], task("sum")).apply_async()
    assert "raised ValueError" in chord_error(result)


def a_member_that_a_limit_ends_fails_the_body():
    slow = task("stubborn", 30, time_limit=1)
    errback = task("identity")
    errback_id = errback.freeze().id
    result = chord([add(1, 1), slow], task("sum").on_error(errback)).apply_async()
    assert "TimeLimitExceeded" in chord_error(result)
    assert app.AsyncResult(errback_id).get(timeout=GET_S) == result.id


def a_member_that_expired_fails_the_body():
    late = add(1, 1).set(expires="2001-01-01T00:00:00+00:00")
    result = chain(add(1, 1), chord([add(1), late], task("sum"))).apply_async()
    assert "TaskRevokedError" in chord_error(result)


def a_step_before_a_chord_that_fails_fails_its_body():
    result = chain(task("fail", kwargs={"text": "early"}), group(add(1), add(2)),
                   task("sum")).apply_async()
    problem = raised(result)
    assert isinstance(problem, ValueError) and "early" in str(problem), repr(problem)


# ---- what messages carry ----

def options_become_headers_and_properties():
    child = task("headers", immutable=True, priority=7, headers={"tenant": "blue"},
                 shadow="seen", soft_time_limit=50, time_limit=60, expires=600,
                 stamped_headers=["mtask", "other"], mtask="m1", other=["a", "b"])
    child_id = child.freeze().id
    add(1, 1).apply_async(link=child)
    got = app.AsyncResult(child_id).get(timeout=GET_S)
    assert got["tenant"] == "blue" and got["shadow"] == "seen", got
    assert got["timelimit"] == [60, 50] and got["expires"], got
    assert got["stamped_headers"] == ["mtask", "other"], got
    assert got["stamps"] == {"mtask": "m1", "other": ["a", "b"]}, got
    assert got["priority"] == 7, got


def children_have_priority_0_by_default():
    child = task("headers", immutable=True)
    child_id = child.freeze().id
    add(1, 1).apply_async(link=child, priority=5)
    assert app.AsyncResult(child_id).get(timeout=GET_S)["priority"] == 0


def a_countdown_in_a_chain_is_kept():
    began = time.time()
    result = chain(add(1, 1), add(1).set(countdown=1.5)).apply_async()
    assert result.get(timeout=GET_S) == 3
    assert time.time() - began >= 1.5


def numbers_pass_unchanged():
    value = {"n": 12345678901234567890, "f": 1.10, "s": "Zürich \u2603"}
    result = chain(task("identity", kwargs={"value": 1}),
                   task("keep", value, immutable=True)).apply_async()
    assert result.get(timeout=GET_S)["n"] == "12345678901234567890"


def nulls_in_options_count_as_absent():
    child = dict(add(1, immutable=False))
    child["options"] = {"task_id": fresh_id(), "root_id": None, "parent_id": None, "queue": "echo",
                        "priority": None, "group_id": None, "chord": None, "link": None}
    child["subtask_type"] = None
    add(1, 1).apply_async(link=child)
    assert app.AsyncResult(child["options"]["task_id"]).get(timeout=GET_S) == 3


# ---- killed in the middle ----

def a_chain_runs_once_whatever_is_killed():
    def begin():
        return chain(task("mark", kwargs={"note": "k%d" % i, "work_ms": 20}, immutable=True)
                     for i in range(12)).apply_async()

    def check(result):
        result.get(timeout=60)
        assert [effects("k%d" % i) for i in range(12)] == [1] * 12

    redelivered_in_the_middle(fleet, begin, check)


def a_chord_is_joined_once_whatever_is_killed():
    def begin():
        header = [task("mark", kwargs={"note": "part", "work_ms": 10}) for _ in range(40)]
        return chord(header, task("mark", kwargs={"note": "body"}, immutable=True)).apply_async()

    def check(result):
        result.get(timeout=60)
        assert effects("part") == 40 and effects("body") == 1

    redelivered_in_the_middle(fleet, begin, check)


def a_chord_begun_by_our_worker_is_joined_once_whatever_is_killed():
    def begin():
        header = [task("mark", kwargs={"note": "inner", "work_ms": 10}, immutable=True)
                  for _ in range(30)]
        return chain(task("mark", kwargs={"note": "starter", "work_ms": 30}), group(header),
                     task("mark", kwargs={"note": "end"}, immutable=True)).apply_async()

    def check(result):
        result.get(timeout=60)
        assert (effects("starter"), effects("inner"), effects("end")) == (1, 30, 1)

    redelivered_in_the_middle(fleet, begin, check)


def nothing_is_left():
    wait_for("no row is left", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"), 60)
    fleet.close()


print("# celery %s" % celery.__version__)
run(a_callback_gets_the_result,
    several_callbacks_become_one_group,
    an_immutable_callback_gets_nothing,
    callbacks_of_protocol_1_run,
    callbacks_run_without_a_result,
    an_old_errback_gets_the_failed_id,
    a_new_errback_of_ours_gets_request_error_and_traceback,
    an_immutable_errback_keeps_its_arguments,
    retries_call_no_errback,
    a_chain_passes_results_on,
    roots_and_parents_are_handed_on,
    chains_in_chains_run,
    a_chain_as_callback_runs,
    a_step_that_fails_fails_the_rest,
    errbacks_of_a_chain_are_called,
    a_callback_that_cannot_be_applied_fails_the_task,
    a_long_chain_runs,
    a_group_returns_in_order,
    a_chain_ends_with_a_group,
    a_group_in_a_group_is_flat,
    a_chord_of_one,
    a_chord_of_a_hundred_in_order,
    a_chord_in_a_chain,
    a_chord_begun_by_our_worker_names_root_and_parent,
    chords_in_chords,
    a_chord_whose_body_is_a_chord,
    chords_one_after_the_other,
    a_group_at_the_end_of_a_member_nests_its_values,
    the_same_begun_by_our_worker,
    a_body_that_is_a_group_or_a_chain,
    an_empty_header_runs_the_body_at_once,
    parts_without_results_count,
    a_member_that_fails_fails_the_body,
    a_failed_chord_fails_what_follows_it,
    a_failed_chord_fails_the_chord_around_it,
    a_chain_that_fails_in_a_member_fails_the_body,
    a_member_that_a_limit_ends_fails_the_body,
    a_member_that_expired_fails_the_body,
    a_step_before_a_chord_that_fails_fails_its_body,
    options_become_headers_and_properties,
    children_have_priority_0_by_default,
    a_countdown_in_a_chain_is_kept,
    numbers_pass_unchanged,
    nulls_in_options_count_as_absent,
    a_chain_runs_once_whatever_is_killed,
    a_chord_is_joined_once_whatever_is_killed,
    a_chord_begun_by_our_worker_is_joined_once_whatever_is_killed,
    nothing_is_left)
