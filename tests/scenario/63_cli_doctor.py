#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
"""`jobfleet doctor` beside services that are well, then with one thing after the other made wrong:
each is found, named with what to do, and nothing else turns bad."""

import json
import os
import subprocess

from fleet_bed import Fleet, run, wait_for

CONF = """
queue plain { program = "salary" }
queue absent { program = "salary" }
"""
CTL = os.environ["JOBFLEET_SERVICES"] + " ctl"


def fleet(fleet_conf="", **more):
    data = os.path.join(os.environ["TMPDIR"], "data")
    os.makedirs(data, exist_ok=True)
    bed = Fleet(workers=("one",), fleet_conf='heartbeat = 1s\n\tdata_dir = "%s"\n%s' % (data, fleet_conf),
                conf=CONF, **more)
    wait_for("the worker reports", lambda: bed.one("SELECT count(*) FROM jobfleet.workers WHERE state ="
                                                   " 'running' AND program = 'echo'"))
    return bed


def doctor(bed, *words, status=0, **env):
    """{(area, check): finding}"""
    got = subprocess.run(["jobfleet", "doctor", "--json", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, timeout=90, env=dict(os.environ, JOBFLEET_CONFIG=bed.conf, **env))
    assert got.returncode == status, (got.returncode, got.stdout, got.stderr)
    return {(f["area"], f["check"]): f for f in json.loads(got.stdout)}


def levels(found, level):
    return sorted(k for k, f in found.items() if f["level"] == level)


def a_fleet_that_is_well_has_no_failure():
    bed = fleet()
    found = doctor(bed, "--rabbitmqctl", CTL)
    assert levels(found, "fail") == [], found
    for what in (("rabbitmq", "version"), ("rabbitmq", "permissions"), ("rabbitmq", "consumer timeout"),
                 ("postgresql", "version"), ("postgresql", "schema"), ("postgresql", "rights"),
                 ("postgresql", "connections"), ("postgresql", "clock"), ("redis", "eviction"),
                 ("redis", "rights"), ("redis", "clock"), ("fleet", "dispatcher"), ("fleet", "workers"),
                 ("fleet", "dead letters"), ("fleet", "results for Redis"), ("host", "data_dir"),
                 ("host", "spool"), ("host", "open files")):
        assert found[what]["level"] == "ok", (what, found[what])
    assert found["rabbitmq", "version"]["text"].startswith("RabbitMQ 3."), found
    assert "1800 s, broker_consumer_timeout 1800 s" in found["rabbitmq", "consumer timeout"]["text"]
    assert found["rabbitmq", "queues declared"]["text"] == "plain, absent", found
    out = subprocess.run(["jobfleet", "doctor", "--rabbitmqctl="], stdout=subprocess.PIPE, text=True,
                         env=dict(os.environ, JOBFLEET_CONFIG=bed.conf)).stdout
    assert "not checked  rabbitmq policy: rabbitmqctl was not asked" in out, out
    assert out.splitlines()[-1].endswith("0 failures, 2 not checked"), out
    bed.close()


def what_is_wrong_with_the_broker_is_named():
    bed = fleet("broker_consumer_timeout = 2h")
    with bed.rabbit() as connection:
        connection.channel().queue_declare("plain", durable=True)
    found = doctor(bed, "--rabbitmqctl", CTL, status=1)
    assert levels(found, "fail") == [("rabbitmq", "consumer timeout")], found
    assert found["rabbitmq", "queue arguments"]["text"] == "plain", found
    assert found["rabbitmq", "consumers"]["text"] == "plain", found
    bed.services("ctl", "set_policy", "jobfleet-dead-letters", "^echo$", '{"dead-letter-routing-key": "x"}')
    found = doctor(bed, "--rabbitmqctl", CTL, status=1)
    assert found["rabbitmq", "policy"]["text"] == "no dead-letter policy on plain", found
    assert "rabbitmqctl set_policy" in found["rabbitmq", "policy"]["advice"], found
    found = doctor(bed, "--rabbitmqctl", CTL, "--set-policy", status=1)
    assert found["rabbitmq", "policy set"]["level"] == found["rabbitmq", "policy"]["level"] == "ok", found
    bed.services("ctl", "set_permissions", "guest", "^(echo|plain)$", ".*", ".*")
    found = doctor(bed, "--rabbitmqctl", CTL, status=1)
    assert found["rabbitmq", "permissions"]["level"] == "fail", found
    assert "set_permissions" in found["rabbitmq", "permissions"]["advice"], found
    bed.services("ctl", "set_permissions", "guest", ".*", ".*", ".*")
    found = doctor(bed, "--rabbitmqctl", "false", status=0)
    assert found["rabbitmq", "consumer timeout"]["level"] == "not checked", found
    with bed.rabbit() as connection:
        connection.channel().queue_delete("plain")
    bed.close()


def what_is_wrong_with_redis_is_named():
    bed = fleet()
    store = bed.redis()
    store.config_set("maxmemory-policy", "allkeys-lru")
    found = doctor(bed, "--rabbitmqctl=")
    assert found["redis", "eviction"]["level"] == "warn", found
    store.config_set("maxmemory", store.info()["used_memory"] + (1 << 20))
    found = doctor(bed, "--rabbitmqctl=", status=1)
    assert levels(found, "fail") == [("redis", "eviction")], found
    assert "noeviction" in found["redis", "eviction"]["advice"] and found["redis", "memory"]["text"], found
    store.config_set("maxmemory", 0)
    store.config_set("maxmemory-policy", "noeviction")
    store.config_set("appendonly", "no")
    store.config_set("save", "")
    assert doctor(bed, "--rabbitmqctl=")["redis", "persistence"]["level"] == "warn"
    store.execute_command("ACL", "SETUSER", "poor", "on", ">x", "~other:*", "+@read")
    host = os.environ["JOBFLEET_REDIS_URL"].split("//")[1]
    found = doctor(bed, "--rabbitmqctl=", status=1, JOBFLEET_REDIS_URL="redis://poor:x@" + host)
    assert found["redis", "rights"]["level"] == "fail", found
    bed.close()


def what_is_wrong_in_the_tables_is_named():
    bed = fleet()
    bed.sql("INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency, version,"
            " seen_at) VALUES ('old@h', 'echo', 'h', 1, 'running', '{}', 200, '0.0.1', now()),"
            " ('gone@h', 'echo', 'h', 1, 'running', '{}', 1, '0', now() - interval '1 day')")
    bed.sql("INSERT INTO jobfleet.dead_letters (queue, cause, reason, fingerprint) VALUES ('q', 'lost', 'x', 'f')")
    bed.sql("INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due, claimed_until) VALUES"
            " ('late', 'enqueued', 'x', 'echo', '{}', '', now() - interval '1 hour', 'infinity')")
    found = doctor(bed, "--rabbitmqctl=", status=1)
    assert levels(found, "fail") == [("postgresql", "connections")], found
    assert found["fleet", "versions"]["level"] == "warn" and "old@h 0.0.1" in found["fleet", "versions"]["text"]
    assert "gone@h" in found["fleet", "heartbeats"]["text"], found
    assert found["fleet", "dead letters"]["text"] == "1" and found["fleet", "overdue"]["text"] == "1", found
    bed.sql("DELETE FROM jobfleet.workers WHERE node LIKE '%%@h'")
    bed.sql("CREATE ROLE looker LOGIN PASSWORD 'x' IN ROLE jobfleet_reader")
    url = "postgresql://looker:x@" + os.environ["JOBFLEET_DATABASE_URL"].split("@", 1)[1]
    found = doctor(bed, "--rabbitmqctl=", status=1, JOBFLEET_DATABASE_URL=url)
    assert found["postgresql", "rights"]["level"] == "fail", found
    assert "looker lacks" in found["postgresql", "rights"]["text"], found
    assert found["fleet", "state"]["level"] == "not checked", found
    bed.forget_all()
    bed.close()


def a_service_that_is_away_is_a_failure_and_the_others_are_checked():
    bed = fleet()
    for name, area in (("BROKER_URL", "rabbitmq"), ("DATABASE_URL", "postgresql"), ("REDIS_URL", "redis")):
        url = {"BROKER_URL": "amqp://guest:s3cret@127.0.0.1:1/", "DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/d",
               "REDIS_URL": "redis://:s3cret@127.0.0.1:1/0"}[name]
        found = doctor(bed, "--rabbitmqctl=", status=1, **{"JOBFLEET_" + name: url})
        assert levels(found, "fail") == [(area, "login")], (name, found)
        assert "s3cret" not in json.dumps(list(found.values())), found
    bed.close()


def leftovers_of_the_spool_are_named_and_explained():
    bed = fleet()
    env = dict(os.environ, JOBFLEET_CONFIG=bed.conf, JOBFLEET_BROKER_URL="amqp://guest:guest@127.0.0.1:1/")
    bed.lock.acquire()              # nobody starts the dispatcher again, who would send it
    bed.dispatcher.kill()
    bed.dispatcher.wait()
    subprocess.run(["jobfleet", "enqueue", "echo.noop", "--queue=echo", "--id=spooled-1"], env=env, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = doctor(bed, "--rabbitmqctl=")
    assert found["host", "spool"]["level"] == "warn" and "1 tasks wait" in found["host", "spool"]["text"], found
    got = subprocess.run(["jobfleet", "explain", "spooled-1", "--json"], stdout=subprocess.PIPE, check=True,
                         timeout=60, env=dict(os.environ, JOBFLEET_CONFIG=bed.conf)).stdout
    assert json.loads(got)["state"] == "spooled", got
    bed.lock.release()
    bed.close()


if __name__ == "__main__":
    run(a_fleet_that_is_well_has_no_failure,
        what_is_wrong_with_the_broker_is_named,
        what_is_wrong_with_redis_is_named,
        what_is_wrong_in_the_tables_is_named,
        a_service_that_is_away_is_a_failure_and_the_others_are_checked,
        leftovers_of_the_spool_are_named_and_explained)
