#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""What messages and results carry on, with extended results and inherited priorities: retries,
stamps, raw messages of other clients, a message given back."""

import json

import celery
import pika
from celery import chain

from canvas_bed import GET_S, Stored, add, app, fresh_id, raised, task
from fleet_bed import Fleet, run, wait_for

fleet = Fleet(workers=("one",), fleet_conf="result_extended = yes\n\tinherit_priority = yes\n"
              "\tresult_expires = \"1h\"")
stored = Stored(fleet)
STAMPS = {"stamped_headers": ["mtask"], "stamps": {"mtask": "m1"}}


def publish(name, args, embed=None, headers=None, **properties):
    """As no Celery client would write it."""
    task_id = fresh_id()
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "echo", json.dumps([args, {}, embed]).encode(),
                              pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8", delivery_mode=2,
            correlation_id=task_id, headers=dict({"task": name, "id": task_id}, **headers or {}),
            **properties), mandatory=True)
    return task_id


def value_of(task_id):
    return app.AsyncResult(task_id).get(timeout=GET_S)


def results_are_extended():
    result = app.send_task("echo.add", args=[2], kwargs={"y": 3}, queue="echo")
    assert result.get(timeout=GET_S) == 5
    meta = stored.meta(result.id)
    assert (meta["name"], meta["args"], meta["kwargs"]) == ("echo.add", [2], {"y": 3}), meta
    assert (meta["worker"], meta["queue"], meta["retries"]) == ("one@test", "echo", 0), meta
    assert app.AsyncResult(result.id).name == "echo.add"


def failures_are_extended():
    result = task("fail", kwargs={"text": "boom"}).apply_async()
    raised(result)
    meta = stored.meta(result.id)
    assert meta["name"] == "echo.fail" and meta["kwargs"] == {"text": "boom"}, meta


def states_on_the_way_are_extended():
    result = task("mark_steps", kwargs={"n": 3, "work_ms": 400}).apply_async()
    wait_for("PROGRESS", lambda: (stored.meta(result.id) or {}).get("status") == "PROGRESS")
    assert stored.meta(result.id)["name"] == "echo.mark_steps"
    assert result.get(timeout=GET_S) == 3


def stamps_stand_in_results():
    task_id = publish("echo.add", [1, 2], headers=STAMPS)
    assert value_of(task_id) == 3
    meta = stored.meta(task_id)
    assert meta["stamped_headers"] == ["mtask"] and meta["mtask"] == "m1", meta


def results_expire():
    result = add(1, 1).apply_async()
    result.get(timeout=GET_S)
    ttl = fleet.redis().ttl("celery-task-meta-" + result.id)
    assert 3500 < ttl <= 3600, ttl


def priorities_are_inherited():
    child = task("headers", immutable=True)
    child_id = child.freeze().id
    add(1, 1).apply_async(link=child, priority=6)
    assert value_of(child_id)["priority"] == 6
    result = chain(add(1, 1), task("headers", immutable=True, priority=3),
                   task("headers", immutable=True)).apply_async(priority=8)
    last = result.get(timeout=GET_S)
    assert last["priority"] in (3, 8), last


def a_retry_keeps_id_headers_and_canvas():
    child = task("headers", immutable=True)
    child_id = child.freeze().id
    task_id = publish("echo.retry_headers", [],
                      embed={"callbacks": [dict(child)], "chain": [dict(add(1, 2, immutable=True))]},
                      headers=dict(STAMPS, tenant="blue", **{"x-death": [{"count": 1}]}),
                      priority=4, reply_to="nobody")
    got = value_of(task_id)
    assert got["id"] == task_id and got["retries"] == 1, got
    assert got["tenant"] == "blue" and got["stamps"] == {"mtask": "m1"}, got
    assert "x-death" not in got and got["priority"] == 4 and got["parent_id"] == task_id, got
    assert value_of(child_id)["parent_id"] == task_id
    assert len(stored.meta(task_id)["children"]) == 2


def an_embed_may_be_missing_null_or_empty():
    for embed in (None, {}, {"callbacks": None, "chord": None}, {"chain": []}):
        assert value_of(publish("echo.add", [1, 2], embed=embed)) == 3


def a_wrong_embed_is_a_failure_and_changes_nothing_else():
    for embed in (7, []):
        problem = raised(app.AsyncResult(publish("echo.add", [1, 2], embed=embed)))
        assert isinstance(problem, ValueError), repr(problem)
    for embed in ({"callbacks": 7}, {"callbacks": [7]}, {"chain": {}}, {"chain": [{"task": 1}]},
                  {"callbacks": [{"task": "t", "subtask_type": "what"}]}):
        task_id = publish("echo.mark", ["wrong embed"], embed=embed)
        assert isinstance(raised(app.AsyncResult(task_id)), (ValueError, TypeError)), embed
    assert not fleet.one("SELECT count(*) FROM effects WHERE note = 'wrong embed'")
    for embed in ({"errbacks": 7}, {"errbacks": [{"args": 1}]}):
        assert isinstance(raised(app.AsyncResult(publish("echo.fail", [], embed=embed))),
                          ValueError)


def a_message_given_back_comes_again():
    assert app.send_task("echo.requeue", args=[fresh_id()], queue="echo").get(timeout=GET_S) == 3


def nothing_is_left():
    wait_for("no row is left", lambda: not fleet.one("SELECT count(*) FROM jobfleet.pending"), 60)
    fleet.close()


print("# celery %s" % celery.__version__)
run(results_are_extended,
    failures_are_extended,
    states_on_the_way_are_extended,
    stamps_stand_in_results,
    results_expire,
    priorities_are_inherited,
    a_retry_keeps_id_headers_and_canvas,
    an_embed_may_be_missing_null_or_empty,
    a_wrong_embed_is_a_failure_and_changes_nothing_else,
    a_message_given_back_comes_again,
    nothing_is_left)
