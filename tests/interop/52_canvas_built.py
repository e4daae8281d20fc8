#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 400
"""Canvases that our tasks build, tasks that replace themselves, Celery's own task names, other ends
of a task, and work mixed with a Python worker: plain, and with processes killed in the middle."""

import sys
import time

import celery
from celery import chain, chord, group
from celery.exceptions import NotRegistered

from canvas_bed import (GET_S, PythonWorker, Stored, add, app, fresh_id, raised,
                        redelivered_in_the_middle, task)
from fleet_bed import Fleet, run, wait_for

fleet = Fleet(workers=("one",))
stored = Stored(fleet)
python = PythonWorker()


def effects(note):
    return fleet.one("SELECT count(*) FROM effects WHERE note = %s", note)


def value_of(task_id):
    """Read from Redis: a second get() of Celery 5.2's client may miss a result that is there."""
    meta = stored.final(task_id)
    assert meta["status"] == "SUCCESS", meta
    return meta["result"]


def by(name, signature):
    """Ours applies it, or is replaced by it."""
    return task(name, kwargs={"signature": signature})


# ---- signatures built inside a task ----

def a_chain_built_in_C_runs():
    last = task("build", "chain", kwargs={"n": 4}).apply_async().get(timeout=GET_S)
    assert value_of(last) == 0 + 1 + 1 + 2 + 3


def a_chord_built_in_C_runs():
    body = task("build", "chord", kwargs={"n": 5}).apply_async().get(timeout=GET_S)
    assert value_of(body) == 0 + 1 + 2 + 3 + 4 + 5


def a_group_built_in_C_runs_and_is_a_child():
    result = task("build", "group", kwargs={"n": 3}).apply_async()
    gid = result.get(timeout=GET_S)
    children = stored.meta(result.id)["children"]
    assert children[0][0][0] == gid
    assert [value_of(c[0][0]) for c in children[0][1]] == [1, 2, 3]


def signatures_given_as_arguments_are_applied():
    flow = chain(add(1, 1), group(add(1), add(2)), task("sum"))
    body = by("apply", flow).apply_async().get(timeout=GET_S)
    assert value_of(body) == 7


def callbacks_and_errbacks_built_in_C_are_called():
    for signature, called in (add(2, 3), {0: 15, 1: 2}), (task("fail"), {2: None}):
        ids = [fresh_id() for _ in range(3)]
        main = fresh_id()
        signature.set(task_id=main)
        task("link", kwargs={"signature": signature, "ids": ids}).apply_async().get(timeout=GET_S)
        for n, value in called.items():
            assert value_of(ids[n]) == (main if value is None else value), (n, stored.meta(ids[n]))
        others = [n for n in range(3) if n not in called and stored.meta(ids[n])]
        assert not others, others


def a_wrong_signature_fails_the_task_that_applies_it():
    for wrong in ({"args": []}, {"task": "t", "args": {}}, {"task": "t", "subtask_type": "what"},
                  {"task": "t", "options": []}, 7):
        problem = raised(task("apply", kwargs={"signature": wrong}).apply_async())
        assert "signature" in str(problem), repr(problem)


# ---- replace ----

def a_task_is_replaced_by_a_task():
    result = by("replace", add(2, 3)).apply_async()
    assert result.get(timeout=GET_S) == 5
    rows = fleet.sql("SELECT nesting, outcome FROM jobfleet.ledger WHERE task_id = %s"
                     " ORDER BY nesting", result.id)
    assert rows == [(0, "replaced"), (1, "success")], rows


def a_task_is_replaced_by_a_chain():
    assert by("replace", chain(add(1, 1), add(10), add(100))).apply_async().get(
        timeout=GET_S) == 112


def a_task_is_replaced_by_a_group():
    assert by("replace", group(add(1, 1), add(2, 2))).apply_async().get(timeout=GET_S) == [2, 4]


def a_task_is_replaced_by_a_chord():
    assert by("replace", chord([add(1, 1), add(2, 2)], task("sum"))).apply_async().get(
        timeout=GET_S) == 6


def a_task_is_replaced_by_a_chain_that_ends_with_a_group():
    flow = chain(add(1, 1), group(add(1), add(2)))
    assert by("replace", flow).apply_async().get(timeout=GET_S) == [3, 4]


def replacements_replace_themselves():
    flow = by("replace", by("replace", by("replace", add(4, 4))))
    result = flow.apply_async()
    assert result.get(timeout=GET_S) == 8
    assert fleet.one("SELECT max(nesting) FROM jobfleet.ledger WHERE task_id = %s",
                     result.id) == 3


def a_replaced_step_goes_on_with_its_chain():
    for flow in (add(2, 3), chain(add(1, 1), add(3)), chord([add(1, 1), add(1, 2)], task("sum"))):
        assert chain(by("replace", flow), add(10)).apply_async().get(timeout=GET_S) == 15


def a_replaced_member_counts_in_its_chord():
    for flow in (add(2, 3), chain(add(1, 1), add(3)), chord([add(1, 1), add(1, 2)], task("sum"))):
        result = chord([by("replace", flow), add(10, 10)], task("sum")).apply_async()
        assert result.get(timeout=GET_S) == 25


def a_replaced_task_keeps_its_callbacks_and_errbacks():
    callback, errback = add(10), task("identity")
    callback_id, errback_id = callback.freeze().id, errback.freeze().id
    by("replace", chain(add(1, 1), add(1))).apply_async(link=callback)
    assert value_of(callback_id) == 13
    result = by("replace", task("fail")).apply_async(link_error=errback)
    assert isinstance(raised(result), ValueError)
    assert value_of(errback_id) == result.id


def an_empty_replacement_is_refused():
    problem = raised(by("replace", {"task": "celery.chain", "subtask_type": "chain",
                                    "kwargs": {"tasks": []}}).apply_async())
    assert "empty" in str(problem), repr(problem)


# ---- other ends ----

def an_ignored_task_stores_nothing():
    child = add(1, immutable=False)
    child_id = child.freeze().id
    result = task("ignore").apply_async(link=child)
    wait_for("its row", lambda: fleet.sql(
        "SELECT 1 FROM jobfleet.ledger WHERE task_id = %s AND outcome = 'ignored'", result.id))
    assert stored.meta(result.id) is None and stored.meta(child_id) is None


def a_rejected_task_becomes_a_dead_letter():
    result = task("reject").apply_async()
    wait_for("its letter", lambda: fleet.sql(
        "SELECT 1 FROM jobfleet.dead_letters WHERE task_id = %s AND cause = 'rejected'"
        " AND reason = 'not for me'", result.id))
    assert stored.meta(result.id) is None


def results_that_no_client_can_read_are_refused():
    problem = raised(task("odd", "utf8").apply_async())
    assert isinstance(problem, ValueError) and "UTF-8" in str(problem), repr(problem)
    problem = raised(task("odd", "large").apply_async())
    assert isinstance(problem, OverflowError) and "bytes" in str(problem), repr(problem)


# ---- Celery's own tasks ----

def map_calls_each():
    flow = app.signature("celery.map", kwargs={"task": task("identity"), "it": [1, "two", None]},
                         options={"queue": "echo"})
    assert flow.apply_async().get(timeout=GET_S) == [1, "two", None]


def starmap_calls_each():
    flow = app.signature("celery.starmap", kwargs={"task": add(), "it": [[1, 2], [3, 4]]},
                         options={"queue": "echo"})
    assert flow.apply_async().get(timeout=GET_S) == [3, 7]


def chunks_of_a_client_and_of_a_message():
    numbers = [(i, i) for i in range(10)]
    parts = [app.signature("celery.starmap", kwargs={"task": add(), "it": numbers[i:i + 4]},
                           options={"queue": "echo"}) for i in range(0, 10, 4)]
    assert group(parts).apply_async().get(timeout=GET_S) == [[0, 2, 4, 6], [8, 10, 12, 14],
                                                             [16, 18]]
    one = app.signature("celery.chunks", kwargs={"task": add(), "it": numbers, "n": 4},
                        options={"queue": "echo"})
    assert one.apply_async().get(timeout=GET_S) == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]


def wrong_arguments_of_celerys_own_tasks_are_refused():
    for name, args, kwargs, says in (
            ("map", [], {"task": add(), "it": 5}, "celery.map: argument 'it' is not a list"),
            ("starmap", [], {"task": add(), "it": [1]},
             "celery.starmap: argument 'it' is not a list of lists"),
            ("chunks", [], {"task": add(), "it": [[1, 2]], "n": 0},
             "celery.chunks: argument 'n' is not a whole number above 0"),
            ("accumulate", [1, 2], {"index": "x"},
             "celery.accumulate: argument 'index' is not a whole number"),
            ("accumulate", [1, 2], {"index": 5}, "tuple index out of range")):
        flow = app.signature("celery." + name, args=args, kwargs=kwargs, options={"queue": "echo"})
        problem = raised(flow.apply_async())
        assert says in str(problem), (name, kwargs, problem)


def a_failing_item_fails_the_map():
    flow = app.signature("celery.starmap", kwargs={"task": add(), "it": [[1, 2], [3]]},
                         options={"queue": "echo"})
    assert isinstance(raised(flow.apply_async()), TypeError)
    flow = app.signature("celery.map", kwargs={"task": task("nosuch"), "it": [1]},
                         options={"queue": "echo"})
    assert isinstance(raised(flow.apply_async()), NotRegistered)


def accumulate_and_cleanup_answer():
    def call(name, *args, **kwargs):
        return app.send_task(name, args=args, kwargs=kwargs, queue="echo").get(timeout=GET_S)

    assert call("celery.accumulate", 1, [2], None) == [1, [2], None]
    assert call("celery.accumulate", 1, [2], index=1) == [2]
    assert call("celery.backend_cleanup") is None
    gid = fresh_id()
    tuple_ = call("celery.group", [add(1, 1), add(2, 2)], [[gid, None], []], gid, [])
    assert [value_of(c[0][0]) for c in tuple_[1]] == [2, 4] and tuple_[0][0] == gid, tuple_
    problem = raised(app.send_task("celery.chord_unlock", queue="echo"))
    assert isinstance(problem, NotImplementedError), repr(problem)


# ---- mixed with a Python worker ----

def chains_cross_over():
    flow = chain(add(1, 1), task("python.add", 10), add(100), task("python.add", 1000))
    assert flow.apply_async().get(timeout=GET_S) == 1112


def chords_mix():
    header = [add(1, 1), task("python.add", 2, 2), add(3, 3), task("python.add", 4, 4)]
    for body in (task("sum"), task("python.sum")):
        assert chord(header, body).apply_async().get(timeout=GET_S) == 20


def chords_mix_many():
    header = [task("python.add" if i % 3 else "add", i, i) for i in range(60)]
    assert chord(header, task("sum")).apply_async().get(timeout=GET_S) == sum(
        2 * i for i in range(60))


def errbacks_of_another_worker_are_called():
    fleet.redis().delete("errbacks")
    links = [task("python.old_errback"), task("python.new_errback")]
    result = task("fail").apply_async(link_error=links)
    raised(result)
    wait_for("both came", lambda: fleet.redis().llen("errbacks") == 2, GET_S)
    got = sorted(x.decode() for x in fleet.redis().lrange("errbacks", 0, -1))
    assert got == ["new " + result.id, "old " + result.id], got


def a_python_member_that_fails_fails_our_chord():
    header = [add(1, 1), task("python.fail", 1)]
    result = chord(header, task("sum")).apply_async()
    meta = stored.final(result.id)
    assert meta["result"]["exc_type"] == "ChordError", meta
    assert "python boom" in meta["result"]["exc_message"][0], meta


# ---- killed in the middle ----

def a_replacement_happens_once_whatever_is_killed():
    def begin():
        flow = chain(task("mark", kwargs={"note": "r%d" % i, "work_ms": 20}, immutable=True)
                     for i in range(6))
        return [by("replace", flow).apply_async(), by("replace", group(
            task("mark", kwargs={"note": "member", "work_ms": 20}) for _ in range(10))).apply_async()]

    def check(results):
        for result in results:
            result.get(timeout=60)
        assert [effects("r%d" % i) for i in range(6)] == [1] * 6
        assert effects("member") == 10

    redelivered_in_the_middle(fleet, begin, check)


def nothing_is_left():
    wait_for("no row is left", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"), 60)
    fleet.close()
    python.close()


print("# celery %s" % celery.__version__)
run(a_chain_built_in_C_runs,
    a_chord_built_in_C_runs,
    a_group_built_in_C_runs_and_is_a_child,
    signatures_given_as_arguments_are_applied,
    callbacks_and_errbacks_built_in_C_are_called,
    a_wrong_signature_fails_the_task_that_applies_it,
    a_task_is_replaced_by_a_task,
    a_task_is_replaced_by_a_chain,
    a_task_is_replaced_by_a_group,
    a_task_is_replaced_by_a_chord,
    a_task_is_replaced_by_a_chain_that_ends_with_a_group,
    replacements_replace_themselves,
    a_replaced_step_goes_on_with_its_chain,
    a_replaced_member_counts_in_its_chord,
    a_replaced_task_keeps_its_callbacks_and_errbacks,
    an_empty_replacement_is_refused,
    an_ignored_task_stores_nothing,
    a_rejected_task_becomes_a_dead_letter,
    results_that_no_client_can_read_are_refused,
    map_calls_each,
    starmap_calls_each,
    chunks_of_a_client_and_of_a_message,
    wrong_arguments_of_celerys_own_tasks_are_refused,
    a_failing_item_fails_the_map,
    accumulate_and_cleanup_answer,
    chains_cross_over,
    chords_mix,
    chords_mix_many,
    errbacks_of_another_worker_are_called,
    a_python_member_that_fails_fails_our_chord,
    a_replacement_happens_once_whatever_is_killed,
    nothing_is_left)
