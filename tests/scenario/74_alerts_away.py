#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 180
"""Alerts while what they are told by is away: PostgreSQL, then RabbitMQ, each behind a relay of the
test that it can cut. Two dispatchers and one jobfleet-alerting; a web server of the test's own."""

import http.server
import json
import os
import re
import socket
import subprocess
import threading

import redis

from dispatcher_bed import Bed, run, wait_for


class Hook(http.server.BaseHTTPRequestHandler):
    got, second = [], []

    def do_POST(self):
        to = Hook.got if self.path == "/hook" else Hook.second
        to.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


class Relay:
    """Passes connections on until it is cut; then it takes none, and those that are there end."""

    def __init__(self, host, port):
        self.to, self.pairs, self.cut = (host, port), [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near = self.listener.accept()[0]
            try:
                far = None if self.cut else socket.create_connection(self.to)
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def set(self, cut):
        self.cut = cut
        for pair in self.pairs if cut else ():
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []


def behind(variable):
    url = os.environ[variable]
    host, port = re.search(r"([^@/:]+):(\d+)(?=[/?]|$)", url).groups()
    relay = Relay(host, int(port))
    os.environ[variable] = url.replace("%s:%s" % (host, port), "127.0.0.1:%d" % relay.port)
    return relay


web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=web.serve_forever, daemon=True).start()
bed = Bed("""
fleet {
	alert_every = 100ms
	data_dir = "%s"
}
queue alerts { program = alerting }
task jobfleet.deliver_alert { queue = alerts retry_backoff = 200ms retry_fixed = yes }
alert service_away {
	condition = "away > 1s"
	level = CRITICAL
	to = "log, http://127.0.0.1:%d/hook, http://127.0.0.1:%d/second"
}
""" % (os.environ.get("TMPDIR", "/tmp"), web.server_address[1], web.server_address[1]))
database, broker = behind("JOBFLEET_DATABASE_URL"), behind("JOBFLEET_BROKER_URL")
ENV = dict(os.environ, JOBFLEET_CONFIG=bed.conf)


def kinds(subject, got=Hook.got):
    return [n["kind"] for n in got if n["subject"] == subject]


SERVICES = ("postgresql", "rabbitmq")


def states():
    return dict(bed.sql("SELECT subject, phase FROM jobfleet.alert_states"))


def all_is_there():
    wait_for("all is there", lambda: states() == dict.fromkeys(
        ("postgresql", "rabbitmq", "redis"), "ok"), 60)
    # as if an hour had passed: what has not flapped needs no long calm time
    bed.sql("UPDATE jobfleet.alert_states SET fired = 0, fired_at = NULL")


def postgresql_away_is_told_once_while_it_is_away_and_over_when_it_is_back():
    all_is_there()
    database.set(True)
    wait_for("told while it is away", lambda: kinds("postgresql"), 60)
    assert Hook.got[0]["level"] == "CRITICAL", Hook.got
    assert re.match(r"away of service postgresql is \d+ s, over 1 s", Hook.got[0]["message"]), Hook.got
    for name in ("one", "two"):
        bed.wait_log('alert firing name=service_away subject="postgresql"', name)
    database.set(False)
    wait_for("over", lambda: "resolved" in kinds("postgresql"), 60)
    all_is_there()
    assert kinds("postgresql") == ["firing", "resolved"], Hook.got
    row = bed.sql("SELECT told, resolved_at IS NOT NULL, told_to LIKE '%%/hook%%' FROM jobfleet.alerts"
                  " WHERE name = 'service_away' AND subject = 'postgresql'")
    assert row == [(1, True, True)], row


def rabbitmq_away_is_told_once_though_the_task_waits_for_it():
    all_is_there()
    broker.set(True)
    wait_for("told while it is away", lambda: kinds("rabbitmq"), 60)
    broker.set(False)
    wait_for("over", lambda: "resolved" in kinds("rabbitmq"), 60)
    wait_for("all notices are done", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.alert_notices WHERE state <> 'sent'") == 0, 60)
    wait_for("no task waits", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting'") == 0, 60)
    assert kinds("rabbitmq") == ["firing", "resolved"], Hook.got



def nothing_waits():
    wait_for("all notices are done", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.alert_notices WHERE state <> 'sent'") == 0, 60)


def both_away_are_told_to_every_address_at_once():
    all_is_there()
    before = {s: len(kinds(s, got)) for s in SERVICES for got in (Hook.got, Hook.second)}
    for relay in (database, broker):
        relay.set(True)
    for s in SERVICES:
        for got in (Hook.got, Hook.second):
            wait_for("told while both are away", lambda s=s, got=got: kinds(s, got)[before[s]:], 60)
    for relay in (database, broker):
        relay.set(False)
    for s in SERVICES:
        for got in (Hook.got, Hook.second):
            wait_for("over", lambda s=s, got=got: "resolved" in kinds(s, got)[before[s]:], 90)
    nothing_waits()
    for s in SERVICES:
        for got in (Hook.got, Hook.second):
            assert kinds(s, got)[before[s]:] == ["firing", "resolved"], (s, got)


def the_next_absence_is_told_as_well_and_over_though_who_told_it_was_killed():
    all_is_there()
    before = len(kinds("postgresql"))
    database.set(True)
    wait_for("told again", lambda: kinds("postgresql")[before:], 60)
    node = [n["node"] for n in Hook.got if n["subject"] == "postgresql"][-1]
    name, other = ("one", "two") if "one" in node else ("two", "one")
    store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
    key = b"alert-away:service_away:postgresql"
    holder = lambda: [store.get(k) or b"" for k in store.scan_iter(b"*" + key)]
    bed.kill(name)
    wait_for("the other one goes on", lambda: any(other.encode() in v for v in holder()), 60)
    database.set(False)
    wait_for("over", lambda: "resolved" in kinds("postgresql")[before:], 60)
    nothing_waits()
    assert kinds("postgresql")[before:] == ["firing", "resolved"], Hook.got


bed.start("one")
bed.start("two")
log = open(os.path.join(bed.dir, "alerting.log"), "ab")
worker = subprocess.Popen(["jobfleet-alerting", "--hostname", "alerting@test"], env=ENV,
                          stderr=log, stdout=log)
try:
    run(bed, postgresql_away_is_told_once_while_it_is_away_and_over_when_it_is_back,
        rabbitmq_away_is_told_once_though_the_task_waits_for_it,
        both_away_are_told_to_every_address_at_once,
        the_next_absence_is_told_as_well_and_over_though_who_told_it_was_killed)
finally:
    for process in [worker] + list(bed.dispatchers.values()):
        process.kill()
