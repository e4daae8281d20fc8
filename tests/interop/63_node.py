#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 240
"""Clients from Node: celery-node enqueues and awaits by protocol 2 and 1 and gets a failure as an
object, and amqplib's headers, each whole number in the smallest kind that holds it, arrive as they
were. Once plainly, once with the worker killed before its ack."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from conformance_bed import Bed, new_id, plainly, run, with_a_kill

HERE = os.path.dirname(os.path.realpath(__file__))
PACKAGES = ("celery-node@0.5.9", "amqplib@0.10")
NPM_LIMIT_S = 90


def install(where):
    """What stops it, or nothing."""
    if not shutil.which("npm") or not shutil.which("node"):
        return "there is no npm here"
    try:
        got = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefer-offline",
                              "--fetch-retries=0",
                              *PACKAGES], cwd=where, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=NPM_LIMIT_S, text=True)
    except subprocess.TimeoutExpired:
        return "npm does not reach the registry"
    return got.returncode and "npm does not install %s" % " ".join(PACKAGES)


class Node:
    """The process of node_client.js."""

    def __init__(self, where, queue):
        shutil.copy(os.path.join(HERE, "node_client.js"), where)
        self.process = subprocess.Popen(["node", os.path.join(where, "node_client.js"), queue],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, **what):
        print(json.dumps(what), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, "node ended with %s" % self.process.poll()
        return json.loads(line)

    def task(self, name, *args, protocol=2, **kwargs):
        return self.call(call="node", protocol=protocol, task="t." + name, args=args,
                         kwargs=kwargs)


def celery_node_awaits_a_result_by_protocol_2(bed):
    assert node.task("add", 2, 3)["value"] == 5
    value = {"text": "Zürich \u2603", "list": [1, 2.5, None, True], "deep": {"a": {}}}
    assert node.task("identity", value)["value"] == value


def celery_node_awaits_a_result_by_protocol_1(bed):
    assert node.task("add", 2, 3, protocol=1)["value"] == 5
    got = node.task("kw", x=1, z="more", protocol=1)
    assert got["value"] == {"x": 1, "y": 7, "z": "more"}, got


def celery_node_gets_a_failure_as_an_object(bed):
    for protocol in (2, 1):
        got = node.task("fail", protocol=protocol, text="no such town", exc_type="SourceParked")
        assert got["status"] == "FAILURE" and got["exc_type"] == "SourceParked", got
        assert got["exc_message"] == ["no such town"] and got["exc_module"], got


def celery_node_gets_a_wrong_call_and_an_unknown_task_as_failures(bed):
    got = node.task("add", 1)
    assert got["exc_type"] == "TypeError" and "'y'" in got["exc_message"][0], got
    got = node.task("nosuch")
    assert got["exc_type"] == "NotRegistered" and got["exc_message"] == ["t.nosuch"], got


NUMBERS = [0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32769, 2147483647, 2147483648,
           -2147483649, 4503599627370497, -4503599627370497, 2.5, -0.125]


def each_kind_of_number_of_amqplib_arrives_as_it_was(bed):
    task_id = new_id()
    mine = {"n%d" % i: n for i, n in enumerate(NUMBERS)}
    headers = dict(mine, task="t.message", id=task_id, lang="js", retries=3, group_index=200,
                   group="g", timelimit=[50, 40], list=NUMBERS, table={"deep": [mine]},
                   yes=True, none=None)
    node.call(call="amqp", headers=headers, body="[[],{},{}]", priority=None)
    message = bed.app.AsyncResult(task_id).get(timeout=20)
    got = {name: message["headers"].get(name) for name in headers}
    assert got == headers, "expected %s\ngot %s" % (headers, got)
    assert message["retries"] == 3 and message["properties"]["priority"] is None, message


def a_priority_arrives_on_a_queue_that_has_none(bed):
    task_id = new_id()
    node.call(call="amqp", headers={"task": "t.message", "id": task_id, "lang": "js"},
              body="[[],{},{}]", priority=7)
    assert bed.app.AsyncResult(task_id).get(timeout=20)["properties"]["priority"] == 7


ROWS = (celery_node_awaits_a_result_by_protocol_2, celery_node_awaits_a_result_by_protocol_1,
        celery_node_gets_a_failure_as_an_object,
        celery_node_gets_a_wrong_call_and_an_unknown_task_as_failures,
        each_kind_of_number_of_amqplib_arrives_as_it_was,
        a_priority_arrives_on_a_queue_that_has_none)

with tempfile.TemporaryDirectory() as packages:
    problem = install(packages)
    if problem:
        print(problem)
        sys.exit(77)
    node = Node(packages, Bed.queue)
    run(*plainly(Bed, ROWS), *with_a_kill("before-ack", ROWS))
