#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 150
"""The fleet on accounts that `jobfleet config rights` makes at all three services: a stock client's
tasks, chain and chord, follow-ups and a schedule run; what those accounts do not need is refused."""

import atexit
import os
import secrets
import subprocess
import urllib.parse

import pika
import psycopg2
import redis
from celery import Celery, chain, chord, signature

from fleet_bed import Fleet, Worker, run, wait_for

ADMIN = {name: os.environ["JOBFLEET_%s_URL" % name] for name in ("BROKER", "DATABASE", "REDIS")}
USER, PASSWORD = "fleet_%s" % secrets.token_hex(4), secrets.token_hex(12)
SCHEDULE = 'schedule tick {\n\tevery = "1s"\n\ttask = "echo.noop_ledger"\n}\n'


def limited(url):
    scheme, rest = url.split("://")
    return "%s://%s:%s@%s" % (scheme, USER, PASSWORD, rest.rsplit("@", 1)[-1])


def become(urls):
    for name, url in urls.items():
        os.environ["JOBFLEET_%s_URL" % name] = url


def remove_accounts():
    redis.Redis.from_url(ADMIN["REDIS"]).execute_command("ACL", "DELUSER", USER)
    subprocess.run([os.environ["JOBFLEET_SERVICES"], "ctl", "delete_user", USER],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def open_fleet():
    fleet = Fleet(workers=(), dispatcher=False, conf=SCHEDULE
                  + 'task echo.noop_ledger {\n\tqueue = "echo"\n}\n')
    script = subprocess.run(["jobfleet", "config", "rights", fleet.conf], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    atexit.register(remove_accounts)
    made = subprocess.run(["sh", "-s"], input=script, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=dict(
                              os.environ, JOBFLEET_USER=USER, JOBFLEET_PASSWORD=PASSWORD,
                              RABBITMQCTL=os.environ["JOBFLEET_SERVICES"] + " ctl",
                              REDIS_CLI="redis-cli -u " + ADMIN["REDIS"],
                              PSQL="psql " + ADMIN["DATABASE"]))
    assert made.returncode == 0, made.stdout
    assert PASSWORD not in script, "the script holds the password"
    fleet.sql("GRANT INSERT ON effects TO " + USER)      # the test task's own table
    become({name: limited(url) for name, url in ADMIN.items()})
    return fleet


def migrate_makes_the_roles_and_gives_their_rights_again():
    got = subprocess.run(["jobfleet", "migrate", "--roles"], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    assert got.returncode == 0 and "jobfleet_worker" in got.stdout, got.stdout


def the_fleet_runs_on_what_the_script_gave():
    fleet = open_fleet()
    with fleet.lock:
        fleet.start_dispatcher()
        fleet.workers["one"] = Worker(fleet, "one", False)
    fleet.workers["one"].wait_ready()
    fleet.enqueue([("echo.mark", {"note": "mark"})] * 5
                  + [("echo.mark_and_spawn", {"n": 2, "note": "mark"})] * 3)
    # a client has an account of its own, whose library asks for more
    app = Celery(broker=ADMIN["BROKER"], backend=ADMIN["REDIS"])
    app.conf.update(task_queue_max_priority=10, task_default_queue="echo",
                    task_create_missing_queues=True)

    def sig(name, *args):
        return signature(name, args=args, app=app, queue="echo")

    assert chain(sig("echo.add", 1, 2), sig("echo.add", 3)).apply_async().get(30) == 6
    assert chord([sig("echo.add", i, i) for i in range(3)], sig("echo.sum")).apply_async().get(30) == 6
    admin = psycopg2.connect(ADMIN["DATABASE"])
    admin.autocommit = True
    with admin.cursor() as c:
        def fired():
            c.execute("SELECT count(*) FROM jobfleet.schedule_fires WHERE outcome = 'success'")
            return c.fetchone()[0] >= 2
        wait_for("the schedule fires", fired)
    got = subprocess.run(["jobfleet", "inspect", "ping"], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf))
    assert got.returncode == 0 and "one@test" in got.stdout, got.stdout
    fleet.close()
    for name, text in fleet.logs():
        for word in ("NOPERM", "ACCESS_REFUSED", "permission denied", "42501", "access to "):
            assert word not in text, (name, text[text.find(word) - 300:][:600])


def rabbitmq_refuses_the_rest():
    for what, call in (
            ("declares another queue", lambda c: c.queue_declare("other")),
            ("reads another queue", lambda c: c.basic_get("other")),
            ("purges another queue", lambda c: c.queue_purge("other")),
            ("declares another exchange", lambda c: c.exchange_declare("other")),
            ("writes to another exchange", lambda c: c.basic_publish("amq.topic", "k", b"", mandatory=True)),
            ("binds to another exchange", lambda c: c.queue_bind("echo", "amq.fanout"))):
        link = pika.BlockingConnection(pika.URLParameters(limited(ADMIN["BROKER"])))
        channel = link.channel()
        channel.confirm_delivery()
        try:
            call(channel)
            raise AssertionError("the account " + what)
        except pika.exceptions.ChannelClosedByBroker as refusal:
            assert refusal.reply_code in (403, 404) and (refusal.reply_code == 403 or "other" in what), what
        link.close()


def redis_refuses_the_rest():
    client = redis.Redis.from_url(limited(ADMIN["REDIS"]))
    assert client.set("jobfleet:rights", "1", ex=5)
    for words in (("FLUSHALL",), ("FLUSHDB",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("SHUTDOWN",),
                  ("ACL", "LIST"), ("GET", "other"), ("SET", "other", "1"),
                  ("PUBLISH", "other", "1"), ("CLIENT", "KILL", "TYPE", "normal"), ("MONITOR",),
                  ("EVAL", "return redis.call('SET', 'other', 1)", "0"),
                  ("EVAL", "return redis.call('FLUSHALL')", "0"), ("SCRIPT", "FLUSH")):
        try:
            client.execute_command(*words)
            raise AssertionError("the account may " + " ".join(words))
        except redis.exceptions.ResponseError as refusal:
            assert "NOPERM" in str(refusal) or "can't " in str(refusal) or "permission" in str(refusal), (
                words, refusal)


def postgresql_refuses_the_rest():
    connection = psycopg2.connect(limited(ADMIN["DATABASE"]))
    for sql in ("CREATE TABLE public.x (i int)", "CREATE TABLE jobfleet.x (i int)", "CREATE SCHEMA x",
                "TRUNCATE jobfleet.ledger", "DROP TABLE jobfleet.pending",
                "ALTER TABLE public.enhanced_jobs ADD x int", "SELECT * FROM pg_authid",
                "CREATE ROLE another_role", "DELETE FROM jobfleet.salary_changes",
                "INSERT INTO jobfleet.migrations DEFAULT VALUES", "COPY effects TO '/tmp/x'",
                "SELECT * FROM effects", "SELECT jobfleet.grant_rights()"):
        try:
            with connection.cursor() as c:
                c.execute(sql)
            raise AssertionError("the account may " + sql)
        except psycopg2.errors.InsufficientPrivilege:
            pass
        connection.rollback()
    connection.close()


run(migrate_makes_the_roles_and_gives_their_rights_again,
    the_fleet_runs_on_what_the_script_gave,
    rabbitmq_refuses_the_rest,
    redis_refuses_the_rest,
    postgresql_refuses_the_rest)
