#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 120
"""The collection program among real parts: a batch whose worker is killed goes on at the question it
had reached, a provider that says too fast is left alone until its time, equal calls at once make one,
and every source of sources/ is collected through the local server, then found unchanged."""

import json
import os
import re
import subprocess
import sys
import uuid

import pika

from collection_bed import LIMIT_S, QUEUE, TOP, Fleet, run_all, wait_for

FEEDS = ("adzuna", "usajobs", "themuse", "remotive", "arbeitnow")
BOARDS = ("greenhouse", "lever", "ashby")
REMOTE = ("remoteok", "himalayas", "jobicy")


def shipped():
    with open(TOP + "/queues.conf") as f:
        names = re.findall(r"^source (\w+) ", f.read(), flags=re.M)
    return [name for name in FEEDS + BOARDS + REMOTE if name in names]


def edit(text):
    for name in BOARDS:
        text = re.sub(r"(^source %s \{)((?:.*\n)*?)(\tboards = .*\n)" % name,
                      r'\1\2\tboards = "invented"\n', text, flags=re.M)
    # as often as the test likes
    return re.sub(r"^\trate = .*", "\trate = 1000/s", text, flags=re.M)


SOURCES = shipped()
fleet = Fleet(sources=("jsearch", *SOURCES), edit=edit, env={
    "ADZUNA_APP_ID": "app", "ADZUNA_APP_KEY": "app-key", "USAJOBS_API_KEY": "usa-key",
    "USAJOBS_EMAIL": "fleet@example.org", "JOBFLEET_DEAD_LETTER_RETRY": "2s"})


def questions():
    """(query, status) of each call since the start of this test."""
    with open(fleet.provider.journal) as f:
        lines = [json.loads(line) for line in f][fleet.provider.start:]
    return [(line["query"].get("query", ""), line["status"]) for line in lines]


def a_batch_goes_on_at_the_question_it_had_reached():
    queries = ["baker", "miller", "tanner", "weaver", "smith"]
    task = fleet.collect(queries, num_pages=1, source="jsearch", refresh=False)
    fleet.provider.fault("delay", seconds=0.1, count=2)
    fleet.provider.fault("delay", seconds=2, count=1)
    wait_for("the third question", lambda: not fleet.provider.pending_fault())
    fleet.worker.kill()
    fleet.worker.wait()
    fleet.start()
    result = task.get(timeout=LIMIT_S)
    assert result["status"] == "success" and result["pages"] == 5, result
    good = [query.split()[0] for query, status in questions() if status == 200]
    assert sorted(set(good)) == sorted(queries), good
    # the one that was under way was not stored yet; every other one was asked once
    assert len(good) <= len(queries) + 1, good
    assert sorted(set(fleet.handed_on())) == sorted(result["collection_ids"])


def equal_calls_at_once_make_one():
    fleet.provider.fault("delay", seconds=0.5, count=1)
    tasks = [fleet.collect("cooper", num_pages=1, source="jsearch", refresh=False)
             for _ in range(2)]
    ids = [task.get(timeout=LIMIT_S)["collection_ids"] for task in tasks]
    assert ids[0] == ids[1] and len(ids[0]) == 1, ids
    assert len(questions()) == 1, questions()
    assert fleet.handed_on() == ids[0]


def a_provider_that_says_too_fast_is_left_alone_until_its_time():
    fleet.provider.fault("429_minute", count=1, retry_after=3)
    first = fleet.collect("turner", num_pages=1, source="jsearch")
    wait_for("the refusal", lambda: questions())
    others = [fleet.collect(name, num_pages=1, source="jsearch") for name in ("carter", "mason")]
    for task in [first, *others]:
        assert task.get(timeout=LIMIT_S)["status"] == "success"
    assert [status for _, status in questions()] == [429, 200, 200, 200], questions()
    assert sorted(query.split()[0] for query, _ in questions()[1:]) == ["carter", "mason", "turner"]
    assert fleet.sql("SELECT count(*) FROM jobfleet.alerts WHERE name = 'rate_limited'"
                     " AND resolved_at IS NOT NULL") == [(1,)]
    fleet.handed_on()


def plain(body, **properties):
    link = pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
    link.channel().basic_publish("", QUEUE, body, pika.BasicProperties(**properties))
    link.close()


def ended_well():
    return fleet.sql("SELECT count(*) FROM jobfleet.ledger WHERE task = 'jobfleet.collect_jobs'"
                     " AND final AND outcome = 'success'")[0][0]


def a_bare_json_object_is_a_call():
    ended = ended_well()
    call = {"query": "roofer", "location": "New York, NY", "priority": "high", "retry_count": 0,
            "max_retries": 3}
    plain(json.dumps(call))
    task_id = str(uuid.uuid4())
    plain(json.dumps({"query": "glazier", "priority": 3}), correlation_id=task_id,
          content_type="application/json")
    result = fleet.app.AsyncResult(task_id).get(timeout=LIMIT_S)
    assert result["status"] == "success" and result["pages"] > 0, result
    # the other one asks every source too: it has to be over before the next test counts calls
    wait_for("the end of both", lambda: ended_well() == ended + 2)
    assert any("roofer" in query for query, _ in questions()), questions()
    # the same identity again is the same call
    before = len(questions())
    plain(json.dumps({"query": "glazier", "priority": 3}), correlation_id=task_id)
    wait_for("the queue to be empty", lambda: fleet.depth(QUEUE) == 0)
    assert len(questions()) == before
    fleet.handed_on()


def what_used_up_its_retries_is_retried_by_rule():
    fleet.provider.fault("503", count=2)
    task_id = str(uuid.uuid4())
    plain(json.dumps({"query": "saddler", "num_pages": 1, "source": "jsearch", "max_retries": 1}),
          correlation_id=task_id)
    wait_for("its death", lambda: fleet.sql(
        "SELECT cause FROM jobfleet.dead_letters WHERE task_id = %s", task_id) == [("exhausted",)])
    wait_for("its end after all", lambda: fleet.sql(
        "SELECT outcome FROM jobfleet.ledger WHERE task_id = %s AND final AND generation = 1",
        task_id) == [("success",)])
    assert [status for _, status in questions()] == [503, 503, 200], questions()
    fleet.handed_on()


def what_is_no_call_is_a_dead_letter():
    bodies = ['["roofer"]', '{"query": ', '{"task": 7, "query": "a"}', '"roofer"']
    before = fleet.sql("SELECT count(*) FROM jobfleet.dead_letters"
                       " WHERE cause = 'malformed'")[0][0]
    for body in bodies:
        plain(body)
    wait_for("the dead letters", lambda: fleet.sql(
        "SELECT count(*) FROM jobfleet.dead_letters WHERE cause = 'malformed'")[0][0]
        == before + len(bodies))


def every_source_is_collected_and_then_unchanged():
    result = fleet.collect("engineer", num_pages=1, source=SOURCES).get(timeout=LIMIT_S)
    for name in SOURCES:
        got = result["sources"][name]
        assert got["status"] == "success" and got["job_count"] > 0, (name, got)
    assert sorted(set(fleet.handed_on())) == sorted(result["collection_ids"])
    fleet.sql("UPDATE raw_job_collections SET timestamp = timestamp - interval '3 days'")
    again = fleet.collect("engineer", num_pages=1, source=SOURCES, strategy="incremental",
                          refresh=False).get(timeout=LIMIT_S)
    assert again["status"] == "success", again
    steady = {name for name in SOURCES if again["sources"][name]["unchanged"]}
    # those that can be asked for what is new are asked another question by now
    assert steady >= {"arbeitnow", "greenhouse"} & set(SOURCES), again["sources"]
    dump = subprocess.run(["pg_dump", "--data-only", os.environ["JOBFLEET_DATABASE_URL"]],
                          check=True, stdout=subprocess.PIPE).stdout
    assert b"app-key" not in dump and b"usa-key" not in dump
    assert again["job_count"] == sum(again["sources"][name]["job_count"]
                                     for name in set(SOURCES) - steady)


TESTS = [
    a_batch_goes_on_at_the_question_it_had_reached,
    equal_calls_at_once_make_one,
    a_provider_that_says_too_fast_is_left_alone_until_its_time,
    a_bare_json_object_is_a_call,
    what_used_up_its_retries_is_retried_by_rule,
    what_is_no_call_is_a_dead_letter,
    every_source_is_collected_and_then_unchanged,
]

sys.exit(run_all(fleet, [(test.__name__.replace("_", " "), test) for test in TESTS]))
