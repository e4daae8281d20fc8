#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 400
"""Every row of celery-wire 6.3, asked by a stock client and by `celery inspect`: idle, while all
children are busy, and once more after a forced redelivery; beside a Python worker, too."""

import json
import os
import sys
import time
from urllib.parse import urlsplit

import pika

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from control_bed import NODE, PYTHON_NODE, Bed, run, took, wait_for  # noqa: E402

QUEUE_KEYS = ["alias", "auto_delete", "binding_arguments", "bindings", "consumer_arguments",
              "durable", "exchange", "exclusive", "expires", "max_length", "max_length_bytes",
              "max_priority", "message_ttl", "name", "no_ack", "no_declare", "queue_arguments",
              "routing_key"]
INFO_KEYS = ["acknowledged", "args", "delivery_info", "hostname", "id", "kwargs", "name",
             "time_start", "type", "worker_pid"]
bed = Bed(conf="""
task echo.add {
	queue = "echo"
	rate_limit = "300/m"
	time_limit = "90s"
}
""", fleet_conf='eta_hold = "60s"')


def is_info(info, result, name, args, kwargs=None):
    assert sorted(info) == INFO_KEYS, info
    assert info["id"] == result.id and info["name"] == info["type"] == name, info
    assert info["args"] == args and info["kwargs"] == (kwargs or {}), info
    assert info["hostname"] == NODE and info["acknowledged"] is False, info
    assert info["delivery_info"] == {"exchange": "", "routing_key": "echo", "priority": 0,
                                     "redelivered": info["delivery_info"]["redelivered"]}, info


# ---- the rows ----

def ping_is_answered():
    assert bed.inspect().ping() == {NODE: {"ok": "pong"}}
    assert bed.ask("ping") == {"ok": "pong"}
    assert bed.celery_json("inspect", "ping") == {"ok": "pong"}


def stats_shows_totals_pool_broker_and_rusage():
    assert bed.send("echo.mark").get(timeout=20)
    worker = bed.fleet.workers["one"]
    stats = bed.inspect().stats()[NODE]
    assert stats["pid"] == worker.process.pid and stats["total"]["echo.mark"] >= 1, stats
    assert stats["clock"].isdigit() and isinstance(stats["uptime"], int), stats
    assert sorted(stats["pool"]["processes"]) == sorted(worker.children()), stats["pool"]
    assert stats["pool"]["max-concurrency"] == 2 and stats["pool"]["timeouts"] == [0, 0]
    assert stats["pool"]["max-tasks-per-child"] == "N/A" and stats["pool"]["implementation"]
    assert stats["broker"]["transport"] == "amqp" and stats["broker"]["port"] > 0, stats["broker"]
    assert "password" not in stats["broker"] and stats["broker"]["alternates"] == []
    assert stats["prefetch_count"] > 0 and len(stats["rusage"]) == 16, stats["rusage"]
    assert stats["rusage"]["maxrss"] > 1000 and "autoscaler" not in stats
    assert bed.celery_json("inspect", "stats")["pid"] == worker.process.pid


def active_lists_what_runs():
    assert bed.inspect().active() == {NODE: []}
    before = time.time()
    result = bed.started(bed.send("echo.sleep", 60))
    for info in (bed.inspect().active()[NODE][0], bed.ask("dump_active")[0],
                 bed.celery_json("inspect", "active")[0]):
        is_info(info, result, "echo.sleep", [60])
        assert before - 1 < info["time_start"] < time.time() + 1, info
        assert info["worker_pid"] in bed.fleet.workers["one"].children(), info
    safe = bed.inspect().active(safe=True)[NODE][0]
    assert safe["args"] == "(60,)" and safe["kwargs"] == "{}", safe
    bed.end([result])


def active_shows_the_shadow_as_name_and_numbers_unchanged():
    big = 12345678901234567890123
    result = bed.started(bed.send("echo.sleep", 60, shadow="nap", kwargs={}))
    other = bed.started(bed.send("echo.stubborn", kwargs={"seconds": 60}))
    infos = {i["id"]: i for i in bed.inspect().active()[NODE]}
    assert infos[result.id]["name"] == "nap" and infos[result.id]["type"] == "echo.sleep", infos
    assert infos[other.id]["kwargs"] == {"seconds": 60}, infos
    bed.end([result, other])
    waiting, = bed.waiting({"n": big, "t": "Zürich ☃"})
    assert bed.inspect().reserved()[NODE][0]["kwargs"] == {"n": big, "t": "Zürich ☃"}
    assert waiting.get(timeout=60)["t"] == "Zürich ☃"


def reserved_lists_what_waits():
    assert bed.inspect().reserved() == {NODE: []}
    waiting = bed.waiting({"n": 1}, {"n": 2})
    for infos in (bed.inspect().reserved()[NODE], bed.ask("dump_reserved"),
                  bed.celery_json("inspect", "reserved")):
        infos = {i["id"]: i for i in infos}
        for n, result in enumerate(waiting):
            info = infos[result.id]
            is_info(info, result, "echo.echo", [], {"n": n + 1})
            assert info["time_start"] is None and info["worker_pid"] is None, info
    for n, result in enumerate(waiting):
        assert result.get(timeout=60) == {"n": n + 1}


def scheduled_lists_what_has_an_eta():
    assert bed.inspect().scheduled() == {NODE: []}
    result = bed.send("echo.add", 3, 4, countdown=20, priority=4)
    wait_for("it is scheduled", lambda: bed.inspect().scheduled()[NODE])
    for entry in (bed.inspect().scheduled()[NODE][0], bed.ask("dump_schedule")[0],
                  bed.celery_json("inspect", "scheduled")[0]):
        assert sorted(entry) == ["eta", "priority", "request"], entry
        assert entry["eta"].endswith("+00:00") and entry["priority"] == 6, entry
        assert entry["request"]["id"] == result.id and entry["request"]["args"] == [3, 4], entry
        assert entry["request"]["delivery_info"]["priority"] == 4, entry
    assert bed.inspect().reserved() == {NODE: []}
    assert bed.inspect().query_task([result.id]) == {NODE: {}}, "ETA ids are left out"
    bed.end([result])


def scheduled_lists_what_is_parked_in_the_database():
    """Due later than eta_hold, it waits in no worker's memory; whoever serves its queue shows it."""
    later = bed.send("echo.add", 5, 6, countdown=600, priority=7)
    retried = bed.send("echo.add", kwargs={"x": 1, "y": 2}, countdown=900)
    in_sql = bed.fleet.one("SELECT jobfleet.enqueue('echo.add', args => '[7, 8]',"
                           " queue => 'echo', eta => now() + interval '1 hour')")
    ids = [later.id, retried.id, in_sql]
    wait_for("all are parked", lambda: [e["request"]["id"] for e in
                                        bed.inspect().scheduled()[NODE]] == ids)
    first, second, third = bed.celery_json("inspect", "scheduled")
    assert first["request"]["args"] == [5, 6] and third["request"]["args"] == [7, 8], (first, third)
    assert first["request"]["delivery_info"]["priority"] == 7, first
    assert second["request"]["kwargs"] == {"x": 1, "y": 2}, second
    assert 590 < time.mktime(time.strptime(first["eta"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone \
        - time.time() < 601, first
    bed.fleet.sql("DELETE FROM jobfleet.pending WHERE task_id = ANY(%s)", ids)
    assert bed.inspect().scheduled() == {NODE: []}


def registered_lists_the_names():
    names = bed.inspect().registered()[NODE]
    assert names == sorted(names) and "echo.mark" in names, names
    assert "echo.add [rate_limit=5/s]" in names, names
    assert not [n for n in names if n.startswith("celery.")], names
    assert bed.ask("dump_tasks") == names
    assert bed.celery_json("inspect", "registered") == names


def registered_shows_the_attributes_asked_for():
    names = bed.inspect().registered("serializer", "rate_limit", "time_limit", "nosuch")[NODE]
    assert "echo.add [serializer=json rate_limit=5/s time_limit=90]" in names, names
    assert "echo.mark [serializer=json]" in names, names
    assert names == bed.celery_json("inspect", "registered", "serializer", "rate_limit",
                                    "time_limit", "nosuch")


def revoked_lists_the_ids():
    bed.control.revoke("revoked-by-70", destination=[NODE], reply=True, timeout=5)
    assert "revoked-by-70" in bed.inspect().revoked()[NODE]
    assert "revoked-by-70" in bed.ask("dump_revoked")
    assert "revoked-by-70" in bed.celery_json("inspect", "revoked")


def active_queues_describes_the_queues():
    for queues in (bed.inspect().active_queues()[NODE], bed.celery_json("inspect",
                                                                        "active_queues")):
        assert len(queues) == 1 and sorted(queues[0]) == QUEUE_KEYS, queues
        queue = queues[0]
        assert queue["name"] == queue["routing_key"] == "echo" and queue["durable"], queue
        assert queue["exchange"] == {
            "name": "echo", "type": "direct", "arguments": None, "durable": True,
            "passive": False, "auto_delete": False, "delivery_mode": None, "no_declare": False}
        assert queue["queue_arguments"] == {"x-max-priority": 10}, queue


def conf_shows_settings_without_passwords():
    few, all_ = bed.inspect().conf()[NODE], bed.inspect().conf(with_defaults=True)[NODE]
    assert few["broker_url"].startswith("amqp://") and few["result_backend"].startswith("redis")
    assert few["task_serializer"] == "json" and few["worker_concurrency"] == 2, few
    assert set(few) < set(all_) and all_["fleet.lease"] == "15s", sorted(all_)
    for variable in ("JOBFLEET_BROKER_URL", "JOBFLEET_REDIS_URL", "JOBFLEET_DATABASE_URL"):
        secret = urlsplit(os.environ[variable]).password
        if secret:
            assert ":%s@" % secret not in str(all_), variable
    if urlsplit(os.environ["JOBFLEET_BROKER_URL"]).password:
        assert ":********@" in few["broker_url"], few
    assert bed.ask("dump_conf") == few
    assert bed.celery_json("inspect", "conf")["broker_url"] == few["broker_url"]


def report_is_a_text():
    report = bed.inspect().report()[NODE]["ok"]
    assert report.startswith("\nsoftware -> jobfleet:") and "settings -> transport:amqp" in report
    status, out = bed.celery("inspect", "report", "-t", "5", "-d", NODE)
    assert status == 0 and "software -> jobfleet" in out, out


def clock_only_grows():
    first = bed.inspect().clock()[NODE]["clock"]
    second = bed.celery_json("inspect", "clock")["clock"]
    assert isinstance(first, int) and second > first, (first, second)
    bed.control.mailbox.clock.adjust(second + 100000)
    assert bed.inspect().clock()[NODE]["clock"] > second + 100000, "it follows a later clock"


def query_task_says_what_a_task_does():
    running = bed.started(bed.send("echo.sleep", 60))
    waiting, = bed.waiting({"n": 1})
    ids = [running.id, waiting.id, "nobody"]
    for found in (bed.inspect().query_task(ids)[NODE], bed.ask("query_task", ids=ids),
                  bed.celery_json("inspect", "query_task", *ids)):
        assert sorted(found) == sorted(ids[:2]), found
        assert found[running.id][0] == "active" and found[waiting.id][0] == "reserved", found
        is_info(found[running.id][1], running, "echo.sleep", [60])
    assert bed.ask("query_task", ids=waiting.id)[waiting.id][0] == "reserved"
    bed.end([running])
    assert waiting.get(timeout=60) == {"n": 1}
    assert bed.inspect().query_task(ids) == {NODE: {}}


def hello_tells_the_clock_and_revokes_as_floats():
    bed.control.revoke("revoked-for-hello", destination=[NODE], reply=True, timeout=5)
    answer = bed.ask("hello", from_node="other@test", revoked={"told-by-hello": time.time()})
    when, named = answer["revoked"]["revoked-for-hello"]
    assert isinstance(when, float) and named == "revoked-for-hello", answer
    assert isinstance(answer["clock"], int)
    assert "told-by-hello" in bed.inspect().revoked()[NODE]
    assert bed.ask("hello", from_node=NODE) is None


def memsample_memdump_and_objgraph_are_answered():
    assert bed.inspect().memsample()[NODE].endswith("MB")
    assert "rss" in bed.inspect().memdump()[NODE]
    assert "error" in bed.ask("objgraph")


# ---- errors ----

def an_unknown_method_is_a_KeyError():
    assert bed.ask("nosuch") == {"error": "KeyError('nosuch')"}


def wrong_arguments_are_a_TypeError():
    assert bed.ask("query_task") == {
        "error": "TypeError(\"query_task() missing 1 required positional argument: 'ids'\")"}
    assert bed.ask("active_queues", x=1) == {
        "error": "TypeError(\"active_queues() got an unexpected keyword argument 'x'\")"}
    assert bed.ask("ping", x=1) == {"ok": "pong"}


# ---- who is meant ----

def destination_pattern_and_matcher_choose():
    def answers(**options):
        got = bed.control.broadcast("ping", reply=True, timeout=2, **options)
        return [list(r)[0] for r in got]

    assert answers(limit=1) == [NODE]
    assert answers(destination=["other@test"]) == []
    assert answers(destination=["other@test", NODE]) == [NODE]
    assert answers(pattern="one@*", matcher="glob") == [NODE]
    assert answers(pattern="two@*", matcher="glob") == []
    assert answers(pattern="o.e@te", matcher="pcre") == [NODE]
    assert answers(pattern="ne@", matcher="pcre") == [], "anchored at the start"
    assert answers(pattern="(", matcher="pcre") == []
    assert answers(pattern="*", matcher="nosuch") == []


def a_request_that_expired_is_not_served():
    """A revoke would be: dispatchers keep it, however late they hear it."""
    before = bed.ask("clock")["clock"]
    with bed.fleet.rabbit() as connection:
        channel = connection.channel()
        for name, expires in (("echo.mark", time.time() - 60), ("echo.sum", time.time() + 60)):
            channel.basic_publish("celery.pidbox", "", json.dumps(
                {"method": "rate_limit", "arguments": {"task_name": name, "rate_limit": "7/s"}}).encode(),
                pika.BasicProperties(content_type="application/json", content_encoding="utf-8",
                                     headers={"clock": before, "expires": int(expires)}))
    wait_for("the later one was served",
             lambda: "echo.sum [rate_limit=7/s]" in bed.inspect().registered()[NODE])
    assert "echo.mark [rate_limit=7/s]" not in bed.inspect().registered()[NODE]
    bed.app.control.rate_limit("echo.sum", "0", destination=[NODE], reply=True, timeout=10)
    assert "[rate_limit=7/s]" not in str(bed.inspect().registered())


def malformed_messages_change_nothing():
    bodies = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"method": 1}',
              b'{"method": "ping", "arguments": 1}', b'{"method": "ping", "destination": {}}',
              b'{"method": "ping", "destination": [1]}', b'{"method": "ping", "reply_to": 1}',
              b'{"method": "ping", "reply_to": {"exchange": "x"}}', b"[" * 100000,
              b'{"method": "ping", "pattern": 7, "matcher": "glob"}']
    with bed.fleet.rabbit() as connection:
        channel = connection.channel()
        for body in bodies:
            channel.basic_publish("celery.pidbox", "", body)
        channel.basic_publish("celery.pidbox", "", b'{"method": "ping"}',
                              pika.BasicProperties(headers={"clock": "x", "expires": {}}))
    assert bed.inspect().ping() == {NODE: {"ok": "pong"}}
    assert bed.send("echo.add", 2, 2).get(timeout=20) == 4
    assert bed.fleet.workers["one"].starts == 1


def it_declares_what_Celery_declares_and_no_more():
    """Another declaration than the one that stands would be refused. Without gossip and mingle a
    worker has no queue for events, and asks nobody for hello."""
    with bed.fleet.rabbit() as connection:
        channel = connection.channel()
        channel.exchange_declare("celery.pidbox", "fanout", durable=False)
        channel.exchange_declare("reply.celery.pidbox", "direct", durable=False)
        channel.exchange_declare("celeryev", "topic", durable=True)
        got = channel.queue_declare(NODE + ".celery.pidbox", durable=False, auto_delete=True,
                                    arguments={"x-expires": 10000, "x-message-ttl": 300000})
        assert got.method.consumer_count == 1
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "celery.pidbox", "")
        worker = bed.fleet.workers["one"]
        starts = worker.starts
        worker.kill_parent()
        wait_for("the worker is there again", lambda: worker.starts > starts)
        worker.wait_ready(again=True)
        assert bed.inspect().ping()
        heard = []
        while True:
            method, _, body = channel.basic_get(queue, auto_ack=True)
            if not method:
                break
            heard.append(json.loads(body)["method"])
        assert heard == ["ping"], heard


def an_answer_goes_where_the_request_says():
    """Also to the default exchange; one to nobody harms no other."""
    with bed.fleet.rabbit() as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        for exchange, key in (("nobodys.replies", "x"), ("", queue)):
            channel.basic_publish("celery.pidbox", "", json.dumps({
                "method": "ping", "ticket": "t-1",
                "reply_to": {"exchange": exchange, "routing_key": key}}).encode())
        _, properties, body = wait_for("the answer", lambda: [
            got for got in [channel.basic_get(queue, auto_ack=True)] if got[0]])[0]
        assert json.loads(body) == {NODE: {"ok": "pong"}}, body
        assert properties.headers["ticket"] == "t-1" and properties.delivery_mode == 1, properties
        assert isinstance(properties.headers["clock"], int), properties
    assert bed.inspect().ping() == {NODE: {"ok": "pong"}}


# ---- under load, after a redelivery, beside Python ----

ROWS = ("ping", "stats", "active", "reserved", "scheduled", "registered", "revoked",
        "active_queues", "conf", "report", "clock", "memsample", "memdump")


def every_row_answers(results):
    slowest = 0
    for row in ROWS:
        answer, seconds = took(getattr(bed.inspect(), row))
        assert answer and NODE in answer, (row, answer)
        slowest = max(slowest, seconds)
    answer, _ = took(bed.inspect().query_task, [r.id for r in results])
    assert sorted(answer[NODE]) == sorted(r.id for r in results), answer
    assert sorted(i["id"] for i in bed.inspect().active()[NODE]) == sorted(r.id for r in results)
    print("# the slowest answer took %.0f ms" % (slowest * 1000))


def every_row_answers_while_all_children_are_busy():
    busy = bed.busy()
    every_row_answers(busy)
    assert all(r.state == "STARTED" for r in busy)
    bed.end(busy)


def every_row_answers_after_a_forced_redelivery():
    results = bed.redeliver()
    every_row_answers(results)
    assert all(i["delivery_info"]["redelivered"] for i in bed.inspect().active()[NODE])
    bed.end(results)


def the_status_of_the_fleet_shows_the_node():
    status, out = bed.celery("status", "-t", "5")
    assert status == 0 and NODE in out and "1 node online" in out, out


def a_long_list_is_bounded_and_says_so():
    for _ in range(20):
        bed.send("echo.add", 1, 2).get(timeout=20)      # quick tasks open the window
    sent = [bed.send("echo.echo", kwargs={"text": "x" * 60000}, countdown=40) for _ in range(40)]
    long_one = bed.send("echo.echo", kwargs={"text": "y" * 100000}, countdown=40, priority=9)

    def names():
        return [e["request"]["name"] for e in bed.inspect().scheduled()[NODE]]

    wait_for("more than fit are there", lambda: [n for n in names() if n.startswith("(")], 60)
    assert len(json.dumps(bed.inspect().scheduled())) < 1200000
    found = {e["request"]["id"]: e["request"] for e in bed.inspect().scheduled()[NODE]}
    if long_one.id in found:
        assert found[long_one.id]["kwargs"].startswith("{'text': 'yyy"), "as text"
    for result in sent + [long_one]:
        assert result.get(timeout=60)["text"]


def a_python_worker_beside_ours_syncs_and_answers():
    bed.control.revoke("revoked-for-python", destination=[NODE], reply=True, timeout=5)
    for _ in range(4):      # its mingle waits one second for answers, which is little under load
        bed.start_python()
        log = bed.log_of_python()
        if "mingle: sync with 1 nodes" in log:
            break
        bed.stop_python()
    assert "mingle: sync with 1 nodes" in log and "mingle: sync complete" in log, log
    got = bed.control.inspect(timeout=5, destination=[NODE, PYTHON_NODE])
    assert got.ping() == {NODE: {"ok": "pong"}, PYTHON_NODE: {"ok": "pong"}}
    assert "revoked-for-python" in got.revoked()[PYTHON_NODE]
    status, out = bed.celery("inspect", "ping", "-t", "5", "-d", NODE + "," + PYTHON_NODE)
    assert status == 0 and NODE in out and PYTHON_NODE in out, out
    assert bed.app.send_task("py.add", (2, 3), queue="python").get(timeout=30) == 5
    assert bed.send("echo.add", 2, 3).get(timeout=20) == 5
    bed.stop_python()


run(ping_is_answered,
    stats_shows_totals_pool_broker_and_rusage,
    active_lists_what_runs,
    active_shows_the_shadow_as_name_and_numbers_unchanged,
    reserved_lists_what_waits,
    scheduled_lists_what_has_an_eta,
    scheduled_lists_what_is_parked_in_the_database,
    registered_lists_the_names,
    registered_shows_the_attributes_asked_for,
    revoked_lists_the_ids,
    active_queues_describes_the_queues,
    conf_shows_settings_without_passwords,
    report_is_a_text,
    clock_only_grows,
    query_task_says_what_a_task_does,
    hello_tells_the_clock_and_revokes_as_floats,
    memsample_memdump_and_objgraph_are_answered,
    an_unknown_method_is_a_KeyError,
    wrong_arguments_are_a_TypeError,
    destination_pattern_and_matcher_choose,
    a_request_that_expired_is_not_served,
    malformed_messages_change_nothing,
    an_answer_goes_where_the_request_says,
    it_declares_what_Celery_declares_and_no_more,
    every_row_answers_while_all_children_are_busy,
    every_row_answers_after_a_forced_redelivery,
    the_status_of_the_fleet_shows_the_node,
    a_long_list_is_bounded_and_says_so,
    a_python_worker_beside_ours_syncs_and_answers,
    bed.close)
