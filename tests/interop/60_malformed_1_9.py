#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""Section 1.9 of the wire page, row by row: a malformed message gets Celery's answer or the clearer
one, stands in the dead letters once, changes nothing else, and the worker goes on. Once plainly,
once with the worker killed between what it did about the message and its ack."""

from celery.exceptions import NotRegistered

from conformance_bed import Bed, body_of, new_id, plainly, raised, run, wait_for, with_a_kill

GOOD = body_of([2, 3])


def head(task_id, task="t.add", **more):
    return dict({"lang": "py", "task": task, "id": task_id, "retries": 0}, **more)


def refused(bed, body, exc_type, reason, letter=True, **headers):
    """Published with an id: a FAILURE for the client, one dead letter with the same bytes."""
    task_id = new_id()
    bed.publish(body, head(task_id, **headers))
    problem = raised(bed.app.AsyncResult(task_id))
    assert type(problem).__name__ == exc_type and reason in str(problem), repr(problem)
    if letter:
        rows = wait_for("a dead letter", lambda: bed.letters(task_id))
        assert reason in rows[0][1] and bytes(rows[0][2]) == body, rows
    after(bed, task_id, body, letter)
    return problem


def refused_without_an_id(bed, body, headers, reason):
    bed.publish(body, headers)
    rows = wait_for("a dead letter", lambda: bed.letters_of(body))
    assert rows[0][0] == "malformed" and reason in rows[0][1] and rows[0][3] == bed.queue, rows
    after(bed, None, body, True)


def after(bed, task_id, body, letter):
    """The next task is done. What must stand in the dead letters is counted at the end, when no
    copy can be under way any more."""
    bed.goes_on()
    bed.expected_letters.append((task_id, body, 1 if letter else 0))


def each_was_recorded_once_and_nothing_else_changed(bed):
    bed.nothing_is_left()
    for task_id, body, wanted in bed.expected_letters:
        found = bed.letters(task_id) if task_id else bed.letters_of(body)
        assert len(found) == wanted, "%d dead letters: %s" % (len(found), found)
    assert bed.one("SELECT count(*) FROM jobfleet.dead_letters") == sum(
        wanted for _, _, wanted in bed.expected_letters)
    assert not bed.one("SELECT count(*) FROM effects")


def a_body_that_is_not_valid_JSON(bed):
    refused(bed, b'[[2, 3], {}, ' + new_id().encode(), "ValueError", "not valid JSON")


def no_task_header_and_a_body_without_task(bed):
    refused_without_an_id(bed, b'{"id": "%s", "args": []}' % new_id().encode(), {}, "task")


def a_body_that_is_an_object(bed):
    refused(bed, b'{"args": [2, 3], "kwargs": {}, "embed": {}}', "ValueError",
            "not [args, kwargs, embed]")


def a_body_of_two_elements(bed):
    refused(bed, b'[[2, 3], {}]', "ValueError", "2 parts")


def no_id_header(bed):
    refused_without_an_id(bed, body_of([new_id()]), {"task": "t.add", "lang": "py"}, "id")


def a_bad_eta(bed):
    refused(bed, GOOD, "ValueError", "header eta", eta="tomorrow")


def an_unregistered_task(bed):
    problem = refused(bed, GOOD, "NotRegistered", "t.nosuch", task="t.nosuch")
    assert isinstance(problem, NotRegistered), repr(problem)


def kwargs_that_are_not_an_object(bed):
    refused(bed, b'[[2], [3], {}]', "ValueError", "kwargs is not a JSON object")


def a_wrong_argument_count(bed):
    problem = refused(bed, body_of([1, 2, 3]), "TypeError", "takes 2 positional arguments but 3",
                      letter=False)
    assert isinstance(problem, TypeError), repr(problem)


def embed_null(bed):
    task_id = new_id()
    bed.publish(b'[[2, 3], {}, null]', head(task_id))
    assert bed.app.AsyncResult(task_id).get(timeout=20) == 5
    after(bed, task_id, b"", False)


BAD_EMBEDS = (
    {"callbacks": 7}, {"callbacks": [7]}, {"callbacks": [{"args": []}]},
    {"callbacks": [{"task": 7}]}, {"callbacks": [{"task": "t.mark", "args": {}}]},
    {"callbacks": [{"task": "t.mark", "options": {"task_id": 7}}]},
    {"callbacks": [{"task": "t.mark", "options": {"task_id": "a\0b"}}]},
    {"callbacks": [{"task": "t.mark", "options": {"priority": "high"}}]},
    {"callbacks": [{"subtask_type": "chord", "task": "celery.chord", "kwargs": {"header": 7}}]},
    {"callbacks": [{"subtask_type": "group", "task": "celery.group", "kwargs": {"tasks": {}}}]},
    {"chain": "x"}, {"chain": [7]}, {"chain": [{"task": None}]})


def a_bad_signature(bed):
    """What must follow cannot: the task fails, its effects are rolled back."""
    for embed in BAD_EMBEDS:
        task_id = new_id()
        bed.publish(body_of([], {}, embed), head(task_id, "t.mark"))
        meta = bed.final(task_id)
        assert meta["status"] == "FAILURE", (embed, meta)
        assert meta["result"]["exc_type"] in ("TypeError", "ValueError"), (embed, meta)
        bed.expected_letters.append((task_id, b"", len(bed.letters(task_id))))
        assert not bed.effects(task_id), embed
    bed.goes_on()


def a_bad_errback(bed):
    """The task fails as it would have, whatever its errbacks are."""
    for errbacks in (7, [7], [{"task": 7}], [{"task": "t.err", "options": {"task_id": 7}}]):
        task_id = new_id()
        bed.publish(body_of([], {}, {"errbacks": errbacks}), head(task_id, "t.fail"))
        meta = bed.final(task_id)
        assert meta["status"] == "FAILURE", (errbacks, meta)
        bed.expected_letters.append((task_id, b"", len(bed.letters(task_id))))
    bed.goes_on()


def a_bad_chord_body(bed):
    """Its parts are done, the sweeper gives the chord up once, another one is joined."""
    good = {"task": "t.xsum", "options": {"task_id": new_id()}}
    gids = []
    for body in (7, {"task": 7}, {"task": "t.xsum", "options": {"task_id": 7}}, good):
        task_id, gid = new_id(), new_id()
        gids.append(gid)
        bed.redis().set("celery-taskset-meta-%s.s" % gid, "1")
        bed.publish(body_of([2, 3], {}, {"chord": body}),
                    head(task_id, group=gid, group_index=0))
        assert bed.final(task_id)["result"] == 5
    assert bed.final(good["options"]["task_id"])["result"] == 5
    wait_for("the bad ones are given up", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.joins WHERE join_id = ANY(%s) AND state = 'failed'",
        gids[:3]) == 3, 40, 0.1)


ROWS = (a_body_that_is_not_valid_JSON, no_task_header_and_a_body_without_task,
        a_body_that_is_an_object, a_body_of_two_elements, no_id_header, a_bad_eta,
        an_unregistered_task, kwargs_that_are_not_an_object, a_wrong_argument_count, embed_null,
        a_bad_signature, a_bad_errback)
END = (each_was_recorded_once_and_nothing_else_changed,)

def no_process_of_the_worker_was_replaced(bed):
    assert bed.processes() == bed.first_processes, (bed.first_processes, bed.processes())


class Counting(Bed):
    def __init__(self, **options):
        super().__init__(**options)
        self.expected_letters = []
        self.first_processes = self.processes()


run(*plainly(Counting, ROWS + (a_bad_chord_body, no_process_of_the_worker_was_replaced,) + END),
    *with_a_kill("before-ack", ROWS, END, Counting))
