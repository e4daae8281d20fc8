#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""The relay: what SQL enqueues leaves if and only if it commits, when it is due, as a Celery
message; 20,000 due rows leave within seconds."""

import json
import time

import psycopg2

from dispatcher_bed import Bed, ids_of, run, wait_for

bed = Bed("""
queue routed { program = salary }
task t.routed {
	queue = routed
	priority = 7
}
""")
bed.start()


def enqueue(task, queue="work", **more):
    names = "".join(", %s => %%s" % name for name in more)
    return bed.one("SELECT jobfleet.enqueue(%s, queue => %s" + names + ")", task, queue,
                   *more.values())


def a_committed_row_is_delivered_and_a_rolled_back_one_is_not():
    other = psycopg2.connect(bed.database)
    with other.cursor() as c:
        c.execute("SELECT jobfleet.enqueue('t.lost', queue => 'commit')")
    other.rollback()
    with other.cursor() as c:
        c.execute("SELECT jobfleet.enqueue('t.kept', queue => 'commit', args => '[1, 2.50]')")
        kept = c.fetchone()[0]
    assert bed.one("SELECT count(*) FROM jobfleet.pending WHERE queue = 'commit'") == 0
    before = time.time()
    other.commit()
    got = bed.consume("commit", 1)
    assert ids_of(got) == [kept], ids_of(got)
    assert got[0][0] - before < 1, got[0][0] - before
    wait_for("row is sent", lambda: bed.one(
        "SELECT state = 'sent' FROM jobfleet.pending WHERE task_id = %s", kept))


def the_message_is_celery_s():
    task_id = enqueue("t.shape", "shape", args=json.dumps([1, "ü", 12345678901234567890]),
                      kwargs='{"k": [true, null]}', priority=3,
                      headers='{"x-own": {"deep": [1]}}')
    _, properties, body = bed.consume("shape", 1)[0]
    args, kwargs, embed = json.loads(body)
    assert args == [1, "ü", 12345678901234567890] and kwargs == {"k": [True, None]}, body
    assert set(embed) == {"callbacks", "errbacks", "chain", "chord"}
    h = properties.headers
    assert h["task"] == "t.shape" and h["id"] == h["root_id"] == task_id, h
    assert h["x-jobfleet-hop"] == 1 and h["retries"] == 0 and h["lang"] == "sql", h
    assert h["timelimit"] == [None, None] and h["argsrepr"].startswith('[1, "ü"'), h
    assert h["x-own"] == {"deep": [1]} and h["eta"] is None, h
    assert properties.priority == 3 and properties.delivery_mode == 2
    assert properties.correlation_id == task_id
    assert properties.content_type == "application/json"
    assert properties.content_encoding == "utf-8"


def routes_of_queues_conf_reach_sql():
    wait_for("routes", lambda: bed.sql("SELECT queue, priority FROM jobfleet.routes"
                                       " WHERE task = 't.routed'") == [("routed", 7)])
    bed.sql("SELECT jobfleet.enqueue('t.routed')")
    assert bed.consume("routed", 1)[0][1].priority == 7


def lateness():
    """Seconds from due to arrival, of eight tasks in a row."""
    dues = {}
    for i in range(8):
        row = bed.sql("SELECT t, jobfleet.enqueue('t.eta', queue => 'eta', eta => t)"
                      " FROM (SELECT clock_timestamp() + %s * interval '1 ms' AS t) AS x",
                      700 + 210 * i)[0]
        dues[row[1]] = row[0].timestamp()
    late = [arrival - dues[properties.headers["id"]]
            for arrival, properties, _ in bed.consume("eta", 8)]
    print("# eta: late by %.0f to %.0f ms" % (1000 * min(late), 1000 * max(late)))
    return late


def an_eta_is_kept_within_a_tenth_of_a_second():
    # other tests may have the machine's processors just now, so one round of five has to do it
    for _ in range(5):
        late = lateness()
        assert min(late) > -0.005, "too early"
        if max(late) < 0.1:
            return
    raise AssertionError(late)


def a_task_that_is_settled_is_not_sent_again():
    bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node)"
            " VALUES ('settled', 'success', true, 't.done', 'done', 'test')")
    enqueue("t.done", "done", task_id="settled")
    enqueue("t.done", "done", task_id="fresh")
    assert ids_of(bed.consume("done", 1)) == ["fresh"]
    assert bed.one("SELECT count(*) FROM jobfleet.pending WHERE task_id = 'settled'") == 0


def a_sent_row_goes_with_its_final_ledger_row():
    task_id = enqueue("t.gone", "gone")
    bed.consume("gone", 1)
    bed.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node)"
            " VALUES (%s, 'success', true, 't.gone', 'gone', 'test')", task_id)
    wait_for("row pruned", lambda: bed.one(
        "SELECT count(*) = 0 FROM jobfleet.pending WHERE task_id = %s", task_id))


def a_row_that_no_message_can_be_made_of_is_dead_lettered():
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, props, body)"
            " VALUES ('broken', 'retry', 't.broken', 'broken', '\\xffff0001', 'body')")
    wait_for("dead letter", lambda: bed.sql(
        "SELECT cause, body FROM jobfleet.dead_letters WHERE task_id = 'broken'"))
    assert bed.one("SELECT count(*) FROM jobfleet.pending WHERE task_id = 'broken'") == 0


def a_queue_that_is_refused_backs_off_with_an_alert_and_holds_nobody_up():
    enqueue("t.refused", "amq.refused", task_id="refused")
    enqueue("t.next", "next", task_id="next")
    assert ids_of(bed.consume("next", 1)) == ["next"]
    wait_for("backs off", lambda: bed.sql(
        "SELECT 1 FROM jobfleet.pending WHERE task_id = 'refused' AND reason IS NOT NULL"
        " AND due > clock_timestamp()"))
    assert bed.one("SELECT count(*) FROM jobfleet.alerts WHERE name = 'relay_returned'"
                   " AND subject = 'amq.refused'") == 1
    bed.sql("DELETE FROM jobfleet.pending WHERE task_id = 'refused'")


def a_queue_that_was_deleted_is_declared_again():
    enqueue("t.deleted", "deleted")
    bed.consume("deleted", 1)
    with bed.rabbit() as connection:
        connection.channel().queue_delete("deleted")
    task_id = enqueue("t.deleted", "deleted")
    wait_for("it came back", lambda: bed.one(
        "SELECT attempts FROM jobfleet.pending WHERE task_id = %s", task_id) >= 1)
    wait_for("sent", lambda: bed.one(
        "SELECT state = 'sent' FROM jobfleet.pending WHERE task_id = %s", task_id))
    assert ids_of(bed.consume("deleted", 1)) == [task_id]


def twenty_thousand_due_rows_leave_within_seconds():
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due)"
            " SELECT 'many-' || i, 'enqueued', 't.many', 'many', '{}',"
            " convert_to('[[' || i || '], {}, {}]', 'UTF8'), clock_timestamp() + '1 hour'"
            " FROM generate_series(1, 20000) AS i")
    bed.sql("ANALYZE jobfleet.pending")
    started = time.monotonic()
    bed.sql("UPDATE jobfleet.pending SET due = clock_timestamp() WHERE queue = 'many'")
    bed.sql("NOTIFY jobfleet_pending")
    wait_for("all sent", lambda: bed.one(
        "SELECT count(*) = 0 FROM jobfleet.pending WHERE queue = 'many' AND state = 'waiting'"))
    took = time.monotonic() - started
    print("# 20,000 due rows left in %.2f s, %.0f a second" % (took, 20000 / took))
    assert took < 20, took      # a machine that is busy with other tests, too
    got = ids_of(bed.consume("many", 20000))
    assert len(got) == 20000 and len(set(got)) == 20000, len(got)


def sigterm_ends_it_cleanly():
    assert bed.stop() == 0
    assert bed.one("SELECT state FROM jobfleet.workers") == "stopped"


run(bed, a_committed_row_is_delivered_and_a_rolled_back_one_is_not, the_message_is_celery_s,
    routes_of_queues_conf_reach_sql, an_eta_is_kept_within_a_tenth_of_a_second,
    a_task_that_is_settled_is_not_sent_again, a_sent_row_goes_with_its_final_ledger_row,
    a_row_that_no_message_can_be_made_of_is_dead_lettered,
    a_queue_that_is_refused_backs_off_with_an_alert_and_holds_nobody_up,
    a_queue_that_was_deleted_is_declared_again, twenty_thousand_due_rows_leave_within_seconds, sigterm_ends_it_cleanly)
