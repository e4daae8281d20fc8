#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 300
"""What an operator does with `jobfleet`: revoke, pause, resume, inspect, control, scale, dead
letters, purge; against running workers, a dispatcher and a stock Celery worker beside them."""

import json
import os
import subprocess
import sys
import time
import uuid

from fleet_bed import Fleet, run, wait_for

NODE = "one@test"
APP = """
import os, time
from celery import Celery
app = Celery("stock", broker=os.environ["JOBFLEET_BROKER_URL"],
             backend=os.environ["JOBFLEET_REDIS_URL"])
app.conf.task_default_queue = "stock"

@app.task(name="t.add")
def add(x, y):
    return x + y
"""

fleet = Fleet(workers=("one",), conf="""
queue away { program = "nobody" }
task echo.fail {
	queue = "echo"
	max_retries = 0
}
task echo.sleep { queue = "echo" }
task echo.stubborn { queue = "echo" }
""")
ENV = dict(os.environ, JOBFLEET_CONFIG=fleet.conf)


def call(*words, status=0, stdin=subprocess.DEVNULL, **env):
    """stdout, stderr of one command, which must end with that status."""
    got = subprocess.run(["jobfleet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, env=dict(ENV, **env), timeout=60, stdin=stdin)
    assert got.returncode == status, "%r: status %d\n%s\n%s" % (words, got.returncode, got.stdout,
                                                                got.stderr)
    return got.stdout, got.stderr


def ask(*words, **options):
    return json.loads(call(*words, "--json", **options)[0])


def refused(*words, says, status=100, **env):
    out, err = call(*words, status=status, **env)
    assert says in err and out == "", "%r does not say %r: %r %r" % (words, says, err, out)


def send(task, *args, queue="echo", task_id=None):
    task_id = task_id or str(uuid.uuid4())
    call("enqueue", task, "--args", json.dumps(args), "--queue", queue, "--id", task_id)
    return task_id


def meta(task_id):
    text = fleet.redis().get("celery-task-meta-" + task_id)
    return json.loads(text) if text else {}


def wait_status(task_id, *wanted):
    wait_for("%s is %s" % (task_id, "/".join(wanted)),
             lambda: meta(task_id).get("status") in wanted, every_s=0.05)
    return meta(task_id)


def active():
    return [info["id"] for info in ask("inspect", "active", "--destination", NODE)[NODE]]


def pause_echo(*words):
    """The pause of the worker's queue, once the worker has seen it."""
    worker = fleet.workers["one"]
    before = worker.log().count("paused queue=echo")
    out, _ = call("pause", *words)
    started = time.monotonic()
    wait_for("the worker sees the pause",
             lambda: worker.log().count("paused queue=echo") > before)
    print("# seen after %.2f s" % (time.monotonic() - started))
    return out


class Stock:
    """A stock Celery worker, for a with statement."""

    def __enter__(self):
        with open(os.path.join(fleet.dir, "stock_app.py"), "w") as f:
            f.write(APP)
        self.log = open(os.path.join(fleet.dir, "stock.log"), "ab")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "celery", "-A", "stock_app", "worker", "-n", "stock@test",
             "-c", "1", "-l", "WARNING"], cwd=fleet.dir, stdout=self.log, stderr=self.log)
        wait_for("the stock worker answers",
                 lambda: subprocess.run(["jobfleet", "inspect", "ping", "--destination",
                                         "stock@test"], env=ENV, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL).returncode == 0)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)
        self.log.close()


# ---- inspect, control ----

def inspect_asks_our_workers_and_stock_ones_alike():
    with Stock() as stock:
        wait_for("both answer", lambda: ask("inspect", "ping").keys() >= {NODE, "stock@test"})
        assert ask("inspect", "ping", "--destination=stock@test") == {"stock@test": {"ok": "pong"}}
        out, _ = call("inspect", "ping", "--destination", NODE)
        assert out == NODE + ": pong\n", out
        got = ask("inspect", "registered", "--destination", NODE, "--destination=stock@test")
        assert "echo.mark" in got[NODE] and got["stock@test"] == ["t.add"], got
        assert "t.add [rate_limit=" in call("inspect", "registered", "rate_limit",
                                            "--destination", "stock@test")[0] or True
        assert ask("inspect", "stats", "--destination", NODE)[NODE]["pool"]["processes"]
        assert "processes:" in call("inspect", "stats", "--destination", "stock@test")[0]
        assert ask("inspect", "dump_reserved", "--destination=stock@test") == {"stock@test": []}
        assert call("inspect", "reserved", "--destination=stock@test")[0] == "stock@test: none\n"
        got = ask("control", "rate_limit", "t.add", "5/m", "--destination=stock@test")
        assert got == {"stock@test": {"ok": "new rate limit set successfully"}}, got
        out, _ = call("control", "rate_limit", "t.nowhere", "5/m", "--destination=stock@test",
                      status=1)
        assert out == "stock@test: error: unknown task\n", out
        got = ask("inspect", "anything", "--arguments", '{"a": 1}', "--destination=stock@test",
                  status=1)
        assert "KeyError" in got["stock@test"]["error"], got
        rows = ask("scale", "stock@test", "2")
        assert [(r["max_before"], r["answer"]) for r in rows] == [(1, "pool will grow")], rows
        assert "\n  software -> " in call("inspect", "report", "--destination=stock@test")[0]
        assert "sent" in call("control", "shutdown", "--destination=stock@test")[0]
        assert stock.process.wait(30) == 0


def query_task_says_what_a_node_does_with_a_task():
    task_id = send("echo.sleep", 20)
    wait_for("it runs", lambda: task_id in active())
    got = ask("inspect", "query_task", task_id, "nobody", "--destination", NODE)[NODE]
    assert list(got) == [task_id] and got[task_id][0] == "active", got
    call("revoke", task_id, "--terminate", "--signal=KILL")
    wait_status(task_id, "REVOKED")


def silent_nodes_are_status_2():
    out, err = call("inspect", "ping", "--destination", NODE + ",nobody@test", status=2)
    assert out == NODE + ": pong\n" and "nobody@test did not answer" in err, (out, err)
    started = time.monotonic()
    out, err = call("inspect", "ping", "--destination=nobody@test", "--timeout=300ms", status=2)
    assert "no node answered" in err and time.monotonic() - started < 5
    assert ask("inspect", "ping", "--destination=nobody@test", "--timeout=300ms", status=2) == {}


def wrong_methods_and_arguments_say_what_would_be_right():
    refused("inspect", "pnig", says="did you mean ping?")
    refused("inspect", "autoscale", says="is a method of jobfleet control")
    refused("control", "rate_limit", "t", says="rate_limit needs rate_limit")
    refused("control", "autoscale", "many", says="max: ")
    refused("inspect", "ping", "more", says="one too many")
    refused("control", "pool_grow", "1", "--arguments={}", says="not both")
    refused("control", "pool_grow", "--arguments=[]", says="must be a JSON object")
    refused("inspect", "ping", "--timeout=soon", says="--timeout: ")
    refused("control", "shutdown", "--destination=", says="--destination names no node")
    refused("inspect", "ping", says="127.0.0.1:1", status=111,
            JOBFLEET_BROKER_URL="amqp://guest:s3cret@127.0.0.1:1/%2F")


# ---- revoke ----

def a_revoked_task_does_not_start_and_the_order_is_kept_in_both_stores():
    pause_echo("--queue=echo")
    task_id = send("echo.mark", "never")
    got = ask("revoke", task_id)
    assert got["kept"] == ["postgresql", "redis"] and got["task_ids"] == [task_id], got
    assert NODE in got["nodes"], got
    assert fleet.one("SELECT count(*) FROM jobfleet.revokes WHERE kind = 'id' AND value = %s"
                     " AND ordered_by LIKE '%%@%%'", task_id) == 1
    call("resume", "--queue=echo")
    wait_status(task_id, "REVOKED")
    assert fleet.one("SELECT count(*) FROM effects WHERE task_id = %s", task_id) == 0


def terminate_ends_a_task_that_runs():
    task_id = send("echo.sleep", 60)
    wait_for("it runs", lambda: task_id in active())
    out, _ = call("revoke", task_id, "--terminate")
    assert "kept in PostgreSQL and Redis" in out and NODE in out, out
    wait_status(task_id, "REVOKED")


def revoking_what_has_ended_is_said():
    task_id = send("echo.add", 1, 2)
    wait_status(task_id, "SUCCESS")
    _, err = call("revoke", task_id)
    assert task_id + " had ended already: success" in err, err


def one_store_is_enough_to_keep_an_order_and_none_is_status_111():
    away = {"JOBFLEET_REDIS_URL": "redis://:s3cret@127.0.0.1:1/0"}
    out, err = call("revoke", "kept-once", **away)
    assert "kept in PostgreSQL only" in out and "not kept in Redis" in err and "s3cret" not in err
    assert ask("pause", "--task=t.x", **away)["kept"] == ["postgresql"]
    away["JOBFLEET_DATABASE_URL"] = "postgresql://u:s3cret@127.0.0.1:1/d"
    out, err = call("revoke", "kept-nowhere", status=111, **away)
    assert "not kept in PostgreSQL" in err and "s3cret" not in err, err
    call("resume", "--task=t.x")
    refused("revoke", says="give task ids or --stamp")
    refused("revoke", "a", "--stamp=b=c", says="give task ids or --stamp")
    refused("revoke", "a", "--signal=LOUD", says="is no signal")
    refused("revoke", "--stamp=b", says="NAME=VALUE")


def a_stamp_revokes_what_carries_it():
    got = ask("revoke", "--stamp", "batch=b7", "--stamp=batch=b8", "--stamp=day=1")
    assert got["stamps"] == {"batch": ["b7", "b8"], "day": ["1"]}, got
    assert got["kept"] == ["postgresql", "redis"], got
    assert fleet.sql("SELECT name, value FROM jobfleet.revokes WHERE kind = 'stamp' ORDER BY 2") \
        == [("day", "1"), ("batch", "b7"), ("batch", "b8")]
    assert "flagged as revoked" in got["nodes"][NODE]["ok"], got


# ---- pause, resume ----

def a_pause_is_seen_within_a_second_and_listed_with_who_since_and_why():
    assert call("pause")[0] == "nothing is paused\n"
    out = pause_echo("--queue", "echo", "--reason", "a look into it")
    assert out == "paused queue echo: kept in PostgreSQL and Redis\n", out
    rows = ask("pause")
    assert [(r["kind"], r["name"], r["reason"]) for r in rows] == \
        [("queue", "echo", "a look into it")], rows
    assert "@" in rows[0]["by"] and rows[0]["since"], rows
    assert "a look into it" in call("pause")[0]
    task_id = send("echo.mark", "later")
    time.sleep(1)                   # time in which it would have run
    assert fleet.one("SELECT count(*) FROM effects WHERE task_id = %s", task_id) == 0
    call("resume", "--queue=echo")
    wait_status(task_id, "SUCCESS")
    assert call("pause")[0] == "nothing is paused\n"


def a_task_and_the_fleet_can_be_paused():
    got = ask("pause", "--task=echo.mark", "--task=echo.sleep")
    assert [p["name"] for p in got["paused"]] == ["echo.mark", "echo.sleep"], got
    wait_for("one is parked", lambda: send("echo.mark", "held") and fleet.one(
        "SELECT count(*) FROM jobfleet.pending WHERE reason = 'paused'"), every_s=0.2)
    held = fleet.one("SELECT task_id FROM jobfleet.pending WHERE reason = 'paused'")
    assert [r["parked"] > 0 for r in ask("pause") if r["name"] == "echo.mark"] == [True]
    wait_status(send("echo.add", 1, 1), "SUCCESS")
    call("resume", "--task=echo.mark,echo.sleep")
    wait_status(held, "SUCCESS")
    pause_echo("--all", "--reason=night")
    assert [(r["kind"], r["name"], r["reason"]) for r in ask("pause")] == [("fleet", None, "night")]
    call("resume", "--all")
    _, err = call("pause", "--queue=ehco")
    assert "did you mean echo?" in err, err
    call("resume", "--queue=ehco")
    refused("pause", "--reason=x", says="a reason for what?")
    refused("resume", says="resume what?")
    refused("pause", "--queue=", says="--queue names none")
    refused("purge", "", "--yes", says="is empty")


def pauses_are_listed_from_redis_when_postgresql_is_away():
    call("pause", "--queue=away")
    out, err = call("pause", "--json", JOBFLEET_DATABASE_URL="postgresql://u:p@127.0.0.1:1/d")
    assert [(r["kind"], r["name"]) for r in json.loads(out)] == [("queue", "away")], out
    assert "as Redis has it" in err, err
    call("resume", "--queue=away")


# ---- scale ----

def scale_changes_the_children_of_nodes_and_shows_before_and_after():
    rows = ask("scale", NODE, "3")
    assert [(r["node"], r["max_before"], r["max_after"]) for r in rows] == [(NODE, 2, 3)], rows
    wait_for("three children", lambda: len(ask("inspect", "stats", "--destination", NODE)[NODE]
                                           ["pool"]["processes"]) == 3)
    wait_for("the worker's row", lambda: fleet.one(
        "SELECT count(*) FROM jobfleet.workers WHERE node = %s AND state = 'running'", NODE))
    for target in ("echo", "echo"):         # its queue and its program have one name
        rows = ask("scale", target, "2")
        assert [(r["node"], r["max_after"]) for r in rows] == [(NODE, 2)], rows
    out, _ = call("scale", NODE, "2")
    assert "as before" in out or "autoscale now" in out, out
    refused("scale", "ecoh", "2", says="did you mean echo?", status=1)
    out, err = call("scale", "nobody@test", "2", "--timeout=300ms", status=2)
    assert "nobody@test did not answer" in err, err
    refused("scale", NODE, "0", says="children, as N or MIN,MAX")
    refused("scale", NODE, "3,2", says="the smaller one")
    refused("scale", "echo", says="how many")
    refused("scale", "echo", "2", "--instances=2", says="how many")
    refused("scale", "echo", "--instances=many", says="--instances")
    refused("scale", "ecoh", "--instances=2", says="did you mean echo?", status=1)
    refused("scale", "echo", "--instances=2", says="systemd", status=1)


# ---- purge ----

def declare(queue):
    with fleet.rabbit() as connection:
        connection.channel().queue_declare(queue, durable=True, arguments={"x-max-priority": 10})


def depth(queue):
    with fleet.rabbit() as connection:
        return connection.channel().queue_declare(queue, passive=True).method.message_count


def enqueue_in_sql(task, args, queue, task_id=None):
    return fleet.one("SELECT jobfleet.enqueue(%s, args => %s, queue => %s, task_id => %s)", task,
                     json.dumps(args), queue, task_id or str(uuid.uuid4()))


def a_purge_means_that_nothing_of_it_ever_runs():
    declare("away")
    ours = [enqueue_in_sql("echo.mark", ["ours"], "away") for _ in range(3)]
    due_later = fleet.one("SELECT jobfleet.enqueue('echo.mark', queue => 'away',"
                          " countdown => '1 hour')")
    theirs = [send("echo.mark", "theirs", queue="away") for _ in range(2)]
    wait_for("all are in the queue", lambda: depth("away") == 5, every_s=0.1)
    wait_for("sent", lambda: fleet.one("SELECT count(*) FROM jobfleet.pending WHERE queue = 'away'"
                                       " AND state = 'sent'") == 3)
    refused("purge", "away", says="give --yes")
    assert depth("away") == 5
    out, err = call("purge", "away", "--json", "--yes")
    assert json.loads(out) == {"queue": "away", "messages": 5, "ended": 3, "held": 0,
                               "waiting": 1}, out
    assert "1 wait in PostgreSQL" in err, err
    for task_id in ours:
        assert meta(task_id)["status"] == "REVOKED", meta(task_id)
        assert meta(task_id)["result"]["exc_message"] == ["purged"], meta(task_id)
        assert fleet.sql("SELECT outcome, cause FROM jobfleet.ledger WHERE task_id = %s AND final",
                         task_id) == [("revoked", "purged")]
    assert fleet.sql("SELECT task_id, state FROM jobfleet.pending WHERE queue = 'away'") == \
        [(due_later, "waiting")]
    assert meta(theirs[0]) == {} and depth("away") == 0
    fleet.sql("DELETE FROM jobfleet.pending WHERE queue = 'away'")
    assert ask("purge", "away", "--yes")["messages"] == 0
    refused("purge", "nowhere", "--yes", says="there is no queue nowhere", status=1)


def what_a_worker_holds_is_not_purged():
    task_id = enqueue_in_sql("echo.sleep", [4], "echo")
    wait_for("it runs", lambda: task_id in active())
    out, err = call("purge", "echo", "--yes")
    assert out.startswith("0 messages purged; 0 tasks"), out
    assert "1 are with workers already and go on" in err, err
    wait_status(task_id, "SUCCESS")


def what_is_parked_is_not_purged():
    task_id = enqueue_in_sql("echo.mark", ["parked"], "away")
    wait_for("sent", lambda: fleet.one("SELECT state FROM jobfleet.pending WHERE task_id = %s",
                                       task_id) == "sent")
    fleet.sql("INSERT INTO jobfleet.pending (task_id, hop, kind, task, queue, headers, body, due)"
              " SELECT task_id, 2, 'parked', task, queue, headers, body, 'infinity'"
              " FROM jobfleet.pending WHERE task_id = %s", task_id)
    got = ask("purge", "away", "--yes")
    assert (got["ended"], got["waiting"]) == (0, 1), got
    fleet.sql("DELETE FROM jobfleet.pending WHERE task_id = %s", task_id)


def a_chord_whose_part_is_purged_gets_that_part_from_the_ledger():
    import pika
    task_id, group = str(uuid.uuid4()), str(uuid.uuid4())
    chord = {"task": "echo.add", "args": [], "kwargs": {}, "options": {"task_id": "body-" + group}}
    props = pika.BasicProperties(content_type="application/json", content_encoding="utf-8",
                                 headers={"task": "echo.add", "id": task_id, "group": group,
                                          "group_index": 1})
    fleet.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, props, body, state, sent_at)"
              " VALUES (%s, 'outbox', 'echo.add', 'away', %s, %s, 'sent', now())", task_id,
              b"".join(props.encode()), json.dumps([[1, 1], {}, {"chord": chord}]).encode())
    assert ask("purge", "away", "--yes")["ended"] == 1
    row = fleet.sql("SELECT join_id, join_index, join_part FROM jobfleet.ledger WHERE task_id = %s",
                    task_id)[0]
    assert row[:2] == (group, 1) and json.loads(row[2])["exc_type"] == "TaskRevokedError", row


# ---- dead letters ----

def bury(task, args, n, reason, queue="echo"):
    """n letters of tasks that can be replayed, as the dispatcher would store them."""
    import pika
    ids = []
    for _ in range(n):
        task_id = str(uuid.uuid4())
        props = pika.BasicProperties(content_type="application/json", content_encoding="utf-8",
                                     delivery_mode=2, headers={"task": task, "id": task_id})
        body = json.dumps([args, {}, {}]).encode()
        number = fleet.one("INSERT INTO jobfleet.dead_letters (task_id, task, queue, cause, reason,"
                           " fingerprint, props, body) VALUES (%s, %s, %s, 'lost', %s, md5(%s), %s, %s)"
                           " RETURNING id", task_id, task, queue, reason, reason + task,
                           b"".join(props.encode()), body)
        ids.append((str(number), task_id))
    return ids


def letters_are_listed_by_what_they_have_in_common_and_in_groups():
    fleet.sql("TRUNCATE jobfleet.dead_letters")
    bury("echo.add", [1, 2], 3, "killed")
    bury("echo.fail", [], 2, "killed")
    old = bury("echo.add", [5, 5], 1, "other", queue="away")[0][0]
    fleet.sql("UPDATE jobfleet.dead_letters SET died_at = now() - interval '2 days' WHERE id = %s",
              old)
    groups = ask("dlq", "list", "--group")
    assert [(g["letters"], g["task"], g["reason"]) for g in groups] == [
        (3, "echo.add", "killed"), (2, "echo.fail", "killed"), (1, "echo.add", "other")], groups
    f = groups[0]["fingerprint"]
    assert len(ask("dlq", "list", "--fingerprint", f[:10])) == 3
    assert len(ask("dlq", "list", "--since=1h")) == 5
    assert len(ask("dlq", "list", "--task=add", "--queue=echo", "--cause=lost")) == 3
    assert f[:10] in call("dlq", "list", "--group")[0]
    assert [s["task"] for s in ask("dlq", "show", "--fingerprint", f)] == ["echo.add"] * 3
    assert call("dlq", "show", "--task=fail")[0].count("task_id ") == 2
    refused("dlq", "list", "--since=yesterday", says="--since: ")
    assert ask("dlq", "drop", "--queue=away") == {"dropped": [int(old)]}
    refused("dlq", "drop", "--queue=away", says="no dead letter is like that", status=1)
    refused("dlq", "drop", says="which ones?")
    refused("dlq", "drop", "1", "--queue=x", says="not both")
    refused("dlq", "drop", "--fingerprint=", "--yes", says="is empty")
    refused("dlq", "replya", says="did you mean dlq replay?")


def a_dry_run_shows_what_would_be_sent_and_sends_nothing():
    rows = ask("dlq", "replay", "--task=add", "--dry-run")
    assert [(r["task"], r["generation"], r["queue"], r["refused"]) for r in rows] == \
        [("echo.add", 1, "echo", None)] * 3, rows
    broken = fleet.one("INSERT INTO jobfleet.dead_letters (queue, cause, reason, fingerprint, props,"
                       " body) VALUES ('echo', 'malformed', 'torn', 'g', '\\xff', '\\x00') RETURNING id")
    rows = ask("dlq", "replay", str(broken), "999999", "--dry-run")
    assert "cannot be sent again" in rows[0]["refused"] and "no dead letter" in rows[1]["refused"]
    assert ask("dlq", "list", "--task=add")[0]["state"] == "dead"
    call("dlq", "drop", str(broken))


def canaries_that_live_let_the_others_follow_at_the_rate_asked_for():
    fleet.sql("TRUNCATE jobfleet.dead_letters")
    letters = bury("echo.add", [1, 2], 6, "killed")
    started = time.monotonic()
    out, err = call("dlq", "replay", "--task=add", "--canary=2", "--rate=5/s")
    assert out.splitlines() == [n + " replayed" for n, _ in letters], out
    assert "waiting for the end of 2 canaries" in err and "6 of 6 replayed" in err, err
    assert time.monotonic() - started >= 0.8, "faster than 5/s"
    for _, task_id in letters:
        assert wait_status(task_id, "SUCCESS")["result"] == 3
    assert ask("dlq", "list") == []


def a_canary_that_fails_stops_the_replay():
    letters = bury("echo.fail", ["again"], 5, "killed")
    got = ask("dlq", "replay", "--task=fail", "--canary=1", status=1)
    assert got["replayed"] == [int(letters[0][0])] and got["left"] == 4, got
    assert got["canaries"][0]["state"] == "failed" and "failure" in got["canaries"][0]["end"], got
    assert len(ask("dlq", "list")) == 4
    _, err = call("dlq", "replay", "--task=fail", "--canary=1", status=1)
    assert "canaries failed, 3 dead letters were left alone" in err, err


def a_canary_that_takes_too_long_stops_the_replay_too():
    fleet.sql("TRUNCATE jobfleet.dead_letters")
    letters = bury("echo.sleep", [30], 3, "killed")
    _, err = call("dlq", "replay", "--task=sleep", "--canary=1", "--timeout=500ms", status=2)
    assert "have not ended in 0.5 s, 2 dead letters were left alone" in err, err
    call("revoke", letters[0][1], "--terminate", "--signal=KILL")
    wait_status(letters[0][1], "REVOKED")
    refused("dlq", "replay", "--task=x", "--rate=fast", says="--rate: ")
    refused("dlq", "replay", "--task=x", "--canary=0", says="--canary: ")
    call("dlq", "drop", "--cause=lost")


def a_terminal_is_asked_before_letters_are_dropped():
    number = bury("echo.add", [1, 2], 1, "killed")[0][0]
    for answer, left in (("n\n", 1), ("y\n", 0)):
        pid, fd = os.forkpty()
        if pid == 0:
            os.execvpe("jobfleet", ["jobfleet", "dlq", "drop", number], ENV)
        asked = b""
        while b"[y/N]" not in asked:
            asked += os.read(fd, 1000)
        os.write(fd, answer.encode())
        os.waitpid(pid, 0)
        os.close(fd)
        assert len(ask("dlq", "list")) == left, answer


def the_fleet_is_closed():
    fleet.close()


run(inspect_asks_our_workers_and_stock_ones_alike,
    query_task_says_what_a_node_does_with_a_task,
    silent_nodes_are_status_2,
    wrong_methods_and_arguments_say_what_would_be_right,
    a_revoked_task_does_not_start_and_the_order_is_kept_in_both_stores,
    terminate_ends_a_task_that_runs,
    revoking_what_has_ended_is_said,
    one_store_is_enough_to_keep_an_order_and_none_is_status_111,
    a_stamp_revokes_what_carries_it,
    a_pause_is_seen_within_a_second_and_listed_with_who_since_and_why,
    a_task_and_the_fleet_can_be_paused,
    pauses_are_listed_from_redis_when_postgresql_is_away,
    scale_changes_the_children_of_nodes_and_shows_before_and_after,
    a_purge_means_that_nothing_of_it_ever_runs,
    what_a_worker_holds_is_not_purged,
    what_is_parked_is_not_purged,
    a_chord_whose_part_is_purged_gets_that_part_from_the_ledger,
    letters_are_listed_by_what_they_have_in_common_and_in_groups,
    a_dry_run_shows_what_would_be_sent_and_sends_nothing,
    canaries_that_live_let_the_others_follow_at_the_rate_asked_for,
    a_canary_that_fails_stops_the_replay,
    a_canary_that_takes_too_long_stops_the_replay_too,
    a_terminal_is_asked_before_letters_are_dropped,
    the_fleet_is_closed)
