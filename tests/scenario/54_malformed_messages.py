#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""Messages that cannot be understood: each ends in the dead letters with its bytes and the reason,
or with a FAILURE that says why, or both; no process of the worker dies of it, and a good task that
comes after it is done. What Celery compresses, and its protocol 1, is understood."""

import gzip
import json
import pickle
import uuid
import zlib

import pika

from fleet_bed import QUEUE, Fleet, run, wait_for

fleet = Fleet(workers=("one",), fleet_conf='max_message = 16M')
worker = fleet.workers["one"]
V2 = {"task": "echo.mark", "lang": "py", "retries": 0}
GOOD = b'[[], {"note": "mark"}, {}]'


def publish(body, headers, content_type="application/json", content_encoding="utf-8", **props):
    with fleet.rabbit() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", QUEUE, body, pika.BasicProperties(
            content_type=content_type, content_encoding=content_encoding, delivery_mode=2,
            headers=headers, **props), mandatory=True)


def letter(where, *args):
    rows = fleet.sql("SELECT cause, reason, body, task_id, queue FROM jobfleet.dead_letters WHERE "
                     + where, *args)
    return rows[0] if rows else None


def meta(task_id):
    text = fleet.redis().get("celery-task-meta-" + task_id)
    return json.loads(text) if text else None


def a_good_task_is_done():
    task_id = fleet.enqueue([("echo.mark", {"note": "mark"})])[0]
    wait_for("the good task", lambda: (meta(task_id) or {}).get("status") == "SUCCESS", 20)


# sentence, body, headers beside id, reason's part, result's exc_type (None: no id, so no result),
# dead letter wanted?
def head(**more):
    return dict(V2, **more)


DEEP = b"[" * 100000 + b"]" * 100000
TABLE = [
    ("no JSON at all", b"hello", head(), "not valid JSON", "ValueError", True),
    ("an empty body", b"", head(), "not valid JSON", "ValueError", True),
    ("JSON that is cut off", GOOD[:-5], head(), "not valid JSON", "ValueError", True),
    ("an object for a body", b'{"args": []}', head(), "not [args, kwargs", "ValueError", True),
    ("two parts", b'[[], {}]', head(), "2 parts", "ValueError", True),
    ("four parts", b'[[], {}, {}, {}]', head(), "4 parts", "ValueError", True),
    ("args that are an object", b'[{}, {}, {}]', head(), "args is not a JSON array", "ValueError",
     True),
    ("kwargs that are a list", b'[[], [], {}]', head(), "kwargs is not a JSON object", "ValueError",
     True),
    ("embed that is a number", b'[[], {}, 7]', head(), "embed is not a JSON object", "ValueError",
     True),
    ("NaN", b'[[NaN], {}, {}]', head(), "not valid JSON", "ValueError", True),
    ("bytes that are no UTF-8", b'[["\xff\xfe"], {}, {}]', head(), "not UTF-8 at byte 3",
     "ValueError", True),
    ("nesting 100,000 deep", b"[[" + DEEP + b"], {}, {}]", head(), "not valid JSON", "ValueError",
     True),
    ("nesting 100,000 deep that never closes", b"[" * 100000, head(), "not valid JSON",
     "ValueError", True),
    ("pickle", pickle.dumps([[], {}, {}]), head(), "content type application/x-python-serialize",
     "ContentDisallowed", True),
    ("yaml", b"- []\n- {}\n- {}\n", head(), "content type application/x-yaml", "ContentDisallowed",
     True),
    ("an unknown compression", GOOD, head(compression="application/x-brotli"),
     "compression application/x-brotli", "ContentDisallowed", True),
    ("compression that is none", GOOD, head(compression="application/x-gzip"),
     "zlib or gzip stream", "ValueError", True),
    ("a compressed stream that is cut off", zlib.compress(GOOD * 50)[:-8],
     head(compression="application/x-gzip"), "zlib or gzip stream", "ValueError", True),
    ("a zlib bomb", zlib.compress(b"[" + b" " * (300 << 20) + b"]", 9),
     head(compression="application/x-gzip"), "when decompressed", "OverflowError", True),
    ("a body over max_message", b'[["' + b"x" * (20 << 20) + b'"], {}, {}]', head(),
     "over max_message", "ValueError", True),
    ("an eta that is none", GOOD, head(eta="tomorrow"), "header eta", "ValueError", True),
    ("an expires that is none", GOOD, head(expires="never"), "header expires", "ValueError", True),
    ("retries that are text", GOOD, head(retries="many"), "header retries", "ValueError", True),
    ("headers of 119,000 bytes that are wrong, too", GOOD,
     head(eta="tomorrow", big="x" * 119000), "header eta", "ValueError", True),
    ("headers of 125,000 bytes", GOOD, head(big="x" * 125000), "at most 120000", "ValueError",
     True),
    ("headers that fill their frame", GOOD, head(big="x" * 130500), "at most 120000", "ValueError",
     True),
    ("300 headers", GOOD, head(**{"h%d" % i: i for i in range(300)}), "headers, at most",
     "ValueError", True),
    ("a task header that is a number", GOOD, head(task=7), "header task is not a UTF-8 string",
     "ValueError", True),
    ("too many arguments", b'[[1, 2, 3, 4], {}, {}]', head(), "takes 2 positional arguments but 4",
     "TypeError", False),
    ("an unknown argument", b'[[], {"nose": 1}, {}]', head(), "unexpected keyword argument 'nose'",
     "TypeError", False),
    ("an unregistered task", GOOD, head(task="echo.nothing"), "echo.nothing", "NotRegistered",
     True),
]
TYPES = {"pickle": ("application/x-python-serialize", "binary"),
         "yaml": ("application/x-yaml", "utf-8")}
NO_ID = [
    ("no id", GOOD, head(), "id"),
    ("an empty id", GOOD, head(id=""), "id"),
    ("an id over 255 bytes", GOOD, head(id="x" * 256), "id"),
    ("an id of 100,000 bytes", GOOD, head(id="x" * 100000), "id"),
    ("an id that is a number", GOOD, head(id=42), "id"),
    ("an id with a NUL in it", GOOD, head(id="a\0b"), "id"),
    ("an id that is no UTF-8", GOOD, head(id=b"\xff\xfe\xfd"), "id"),
    ("protocol 1 without a task", b'{"id": "one", "args": [], "kwargs": {}}', {}, "task"),
    ("protocol 1 that is a list", b'[[], {}, {}]', {}, "task"),
    ("neither headers nor sense", b"\x00\x01\x02", None, ""),
]


def same_processes(before):
    assert [worker.process.pid] + worker.family() == before, "a process of the worker was replaced"


def check_known(sentence, body, headers, reason, exc_type, dead):
    task_id = str(uuid.uuid4())
    content_type, encoding = TYPES.get(sentence, ("application/json", "utf-8"))
    publish(body, dict(headers, id=task_id), content_type, encoding)
    if exc_type:
        got = wait_for("a result of %s" % sentence, lambda: meta(task_id), 30)
        assert got["status"] == "FAILURE" and got["result"]["exc_type"] == exc_type, got
        assert reason in str(got["result"]["exc_message"]), got
    if dead:
        row = wait_for("a dead letter of %s" % sentence,
                       lambda: letter("task_id = %s", task_id), 30)
        assert reason in row[1], row[:2]
        assert bytes(row[2]) == body, "other bytes: %r" % bytes(row[2])[:100]
        assert row[4] == QUEUE, row[4]


def check_unknown(sentence, body, headers, reason):
    before = fleet.one("SELECT count(*) FROM jobfleet.dead_letters")
    publish(body, headers)
    wait_for("a dead letter of %s" % sentence, lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.dead_letters") == before + 1, 30)
    row = letter("true ORDER BY id DESC LIMIT 1")
    assert row[0] == "malformed" and reason in row[1], row[:2]
    assert bytes(row[2]) == body, "other bytes: %r" % bytes(row[2])[:100]


def each(check, rows):
    def tell(row):
        before = [worker.process.pid] + worker.family()
        check(*row)
        a_good_task_is_done()
        same_processes(before)
    for row in rows:
        def test(row=row):
            tell(row)
        test.__name__ = row[0].replace(" ", "_") + "_is_answered_and_hurts_nobody"
        yield test


def compressed(name, body):
    def test():
        for label in ("application/x-gzip", "gzip", "zlib"):
            task_id = str(uuid.uuid4())
            publish(body, head(id=task_id, task="echo.add", compression=label),
                    content_encoding="utf-8")
            got = wait_for("a result", lambda: meta(task_id), 20)
            assert got["status"] == "SUCCESS" and got["result"] == 5, got
    test.__name__ = "a_message_compressed_with_%s_runs" % name
    return test


def a_protocol_1_message_runs():
    task_id = str(uuid.uuid4())
    publish(json.dumps({"task": "echo.add", "id": task_id, "args": [2], "kwargs": {"y": 3},
                        "group": None, "retries": 0, "eta": None, "expires": None, "utc": True,
                        "callbacks": None, "errbacks": None, "timelimit": [None, None],
                        "taskset": None, "chord": None}).encode(), {})
    got = wait_for("a result", lambda: meta(task_id), 20)
    assert got["status"] == "SUCCESS" and got["result"] == 5, got


def what_celery_node_sends_runs():
    task_id = str(uuid.uuid4())
    publish(b"[[2,3],{},{}]", {"lang": "js", "task": "echo.add", "id": task_id})
    got = wait_for("a result", lambda: meta(task_id), 20)
    assert got["status"] == "SUCCESS" and got["result"] == 5, got


def keyword_names_differ_by_case():
    task_id = str(uuid.uuid4())
    publish(b'[[], {"a": 1, "A": 2}, {}]', {"task": "echo.echo", "id": task_id})
    got = wait_for("a result", lambda: meta(task_id), 20)
    assert got["status"] == "SUCCESS" and got["result"] == {"a": 1, "A": 2}, got


def nothing_is_left_in_a_queue_or_unacked():
    for queue in (QUEUE, "failed_operations"):
        wait_for(queue + " is empty", lambda: fleet.counts(queue) == (0, 0), 20, 0.1)
    assert not fleet.one("SELECT count(*) FROM jobfleet.pending")
    fleet.close()


SUM = b"[[2, 3], {}, {}]"
run(*each(check_known, TABLE), *each(check_unknown, NO_ID),
    compressed("zlib", zlib.compress(SUM)), compressed("gzip", gzip.compress(SUM)),
    a_protocol_1_message_runs, what_celery_node_sends_runs, keyword_names_differ_by_case,
    nothing_is_left_in_a_queue_or_unacked)
