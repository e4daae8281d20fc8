#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 400
"""An enqueue answers within its deadline, whatever is wrong with RabbitMQ: confirmed, spooled or
rejected with the reason. What was confirmed or spooled has its effect once, whether the dispatcher
or the next enqueue replays it, and also when the message had arrived all the same."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
import uuid

from doors_bed import CONFIRM, OVER_S, PUBLISH, START_S, FrozenBroker, Proxy, enqueue, entries
from fleet_bed import QUEUE, Fleet, run, wait_for

MANY = 1500


def settle(fleet):
    wait_for("the spool is empty", lambda: not entries(), 60, 0.1)
    fleet.check()
    fleet.close()


def a_healthy_broker_confirms():
    fleet = Fleet(workers=("one",))
    enqueue(fleet, 0)
    settle(fleet)


def a_broker_that_is_down_means_spooled_and_the_dispatcher_replays():
    fleet = Fleet(workers=("one",))
    fleet.services("kill", "rabbitmq")
    for _ in range(3):
        enqueue(fleet, 3)
    assert len(entries()) == 3
    fleet.services("start-one", "rabbitmq")
    settle(fleet)


def the_next_enqueue_replays_too():
    fleet = Fleet(workers=("one",), dispatcher=False)
    fleet.services("stop-one", "rabbitmq")
    enqueue(fleet, 3)
    fleet.services("start-one", "rabbitmq")
    _, err = enqueue(fleet, 0)
    assert "1 of 1 spooled before are sent now" in err, err
    settle(fleet)


def an_alarm_means_spooled():
    fleet = Fleet(workers=("one",))
    fleet.services("ctl", "set_vm_memory_high_watermark", "0")
    try:
        for _ in range(2):
            _, err = enqueue(fleet, 3)
            assert "alarm" in err, err
    finally:
        fleet.services("ctl", "set_vm_memory_high_watermark", "absolute", "1GB")
    settle(fleet)


def a_frozen_broker_means_spooled_at_the_deadline():
    fleet = Fleet(workers=("one",))
    with FrozenBroker():
        for _ in range(2):
            enqueue(fleet, 3, deadline_s=1)
    settle(fleet)


def a_connection_that_swallows_publishes_means_spooled():
    fleet = Fleet(workers=("one",))
    proxy = Proxy(PUBLISH, "in")
    enqueue(fleet, 3, env=proxy.env())
    assert proxy.swallowed
    settle(fleet)


def a_confirm_that_is_lost_means_spooled_and_the_effect_comes_once():
    fleet = Fleet(workers=("one",))
    proxy = Proxy(CONFIRM, "out")
    enqueue(fleet, 3, env=proxy.env())
    assert proxy.swallowed
    settle(fleet)


def a_connection_that_swallows_all_means_spooled():
    fleet = Fleet(workers=("one",))
    enqueue(fleet, 3, env=Proxy(b"AMQP", "in").env())
    settle(fleet)


def a_deleted_queue_is_declared_again_if_queues_conf_names_it():
    fleet = Fleet(workers=("one",))
    with fleet.rabbit() as connection:
        connection.channel().queue_delete(QUEUE)
    enqueue(fleet, 0)
    _, err = enqueue(fleet, 1, words=["--queue=nowhere"], expect=False)
    assert "there is no queue nowhere at the broker" in err, err
    settle(fleet)


def what_no_time_helps_is_rejected_with_the_reason():
    fleet = Fleet(workers=("one",))
    url = os.environ["JOBFLEET_BROKER_URL"]
    _, err = enqueue(fleet, 100, expect=False,
                     env={"JOBFLEET_BROKER_URL": url.replace("guest:guest@", "guest:wr0ng@")})
    assert "ACCESS_REFUSED" in err and "wr0ng" not in err, err
    _, err = enqueue(fleet, 100, expect=False, env={"JOBFLEET_BROKER_URL": url + "nowhere"})
    assert "nowhere" in err, err
    _, err = enqueue(fleet, 100, expect=False, words=["--args", json.dumps(["x" * 5000])],
                     env={"JOBFLEET_MAX_MESSAGE": "4096"})
    assert "max_message is 4096" in err, err
    assert not entries()
    settle(fleet)


def without_broker_and_disk_it_is_rejected_at_the_deadline():
    fleet = Fleet(workers=("one",))
    dead = {"JOBFLEET_BROKER_URL": "amqp://guest:guest@127.0.0.1:1/%2F"}
    _, err = enqueue(fleet, 111, expect=False, env=dict(dead, JOBFLEET_SPOOL_MAX="0"))
    assert "spool_max = 0" in err, err
    _, err = enqueue(fleet, 111, expect=False, env=dict(dead, JOBFLEET_DATA_DIR="/proc/nowhere"))
    assert "cannot make /proc/nowhere/spool" in err, err
    settle(fleet)


def a_broker_that_comes_back_within_the_deadline_is_used_where_there_is_no_disk():
    fleet = Fleet(workers=("one",))
    fleet.services("stop-one", "rabbitmq")
    starter = subprocess.Popen([os.environ["JOBFLEET_SERVICES"], "start-one", "rabbitmq"])
    enqueue(fleet, 0, deadline_s=40, env={"JOBFLEET_SPOOL_MAX": "0"})
    starter.wait(60)
    settle(fleet)


def the_first_silent_of_two_hosts_leaves_time_for_the_second():
    fleet = Fleet(workers=("one",))
    url, silent = os.environ["JOBFLEET_BROKER_URL"], Proxy(b"AMQP", "in").env()
    first = silent["JOBFLEET_BROKER_URL"].split("@")[1].split("/")[0]
    enqueue(fleet, 0, env={"JOBFLEET_BROKER_URL": url.replace("@", "@%s," % first)})
    settle(fleet)


# The name server ends with the shell: its end of the pipe is closed then.
SILENT_NAMES = """
mount --make-rprivate /
echo nameserver 127.0.0.53 >"$TMPDIR/resolv.conf"
mount --bind "$TMPDIR/resolv.conf" /etc/resolv.conf
ip link set lo up
mkfifo "$TMPDIR/life"
python3 -c 'import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.53", 53)); open(sys.argv[1], "w").close(); sys.stdin.read()' "$TMPDIR/ready" \\
    <"$TMPDIR/life" >/dev/null 2>&1 &
exec 9>"$TMPDIR/life"
until [ -e "$TMPDIR/ready" ]; do sleep 0.02; done
exec "$@"
"""


def a_name_server_that_says_nothing_costs_no_more_than_the_deadline():
    with tempfile.TemporaryDirectory() as directory:
        conf = os.path.join(directory, "queues.conf")
        with open(conf, "w") as f:
            f.write("queue echo { program = echo }\ntask echo.mark { queue = echo }\n")
        user = ["--map-root-user"] if os.getuid() else []
        started = time.monotonic()
        got = subprocess.run(
            ["unshare", *user, "--mount", "--net", "sh", "-c", SILENT_NAMES, "sh", "jobfleet",
             "enqueue", "echo.mark", "--deadline=3s"], capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL, env=dict(
                os.environ, JOBFLEET_CONFIG=conf, JOBFLEET_DATA_DIR=directory, TMPDIR=directory,
                JOBFLEET_BROKER_URL="amqp://guest:guest@no.such.example/%2F"))
        took = time.monotonic() - started
        assert "name resolution" in got.stderr and took < 3 + 1 + 1.5, (got, took)
        assert os.listdir(directory + "/spool") == [got.stdout.strip()], got


def in_the_middle_of_a_file(disturb):
    """Of MANY lines half are sent before disturb(fleet), the rest in the context it gives."""
    fleet = Fleet(workers=("one", "two"))
    process = subprocess.Popen(["jobfleet", "enqueue", "echo.mark", "--from=-", "--json",
                                "--deadline=2s"], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf))

    def write(count):
        for _ in range(count):
            task_id = str(uuid.uuid4())
            fleet.expected[task_id] = ("echo.mark", 1)
            process.stdin.write(json.dumps({"id": task_id, "kwargs": {
                "note": "mark", "work_ms": 0}}) + "\n")
        process.stdin.flush()

    write(MANY // 2)
    wait_for("half of it is on its way", fleet.done, 30)
    with disturb(fleet):
        started = time.monotonic()
        write(MANY - MANY // 2)
        out, err = process.communicate(timeout=120)
        took = time.monotonic() - started
    sums = json.loads(out)
    print("# %s, the second half took %.1f s" % (sums, took))
    assert process.returncode == 3, (process.returncode, err)
    assert sums["confirmed"] + sums["spooled"] == MANY and sums["spooled"] > 0, sums
    assert took < 2 + 5 + OVER_S + START_S, took
    settle(fleet)


@contextlib.contextmanager
def killed(fleet):
    fleet.services("kill", "rabbitmq")
    yield
    fleet.services("start-one", "rabbitmq")


def a_kill_in_the_middle_of_a_file_loses_and_repeats_nothing():
    in_the_middle_of_a_file(killed)


def a_frozen_broker_in_the_middle_of_a_file_costs_one_deadline():
    in_the_middle_of_a_file(lambda fleet: FrozenBroker())


def an_alarm_in_the_middle_of_a_file_costs_one_deadline_not_one_each():
    fleet = Fleet(workers=("one",))
    fleet.services("ctl", "set_vm_memory_high_watermark", "0")
    lines = ""
    for _ in range(300):
        task_id = str(uuid.uuid4())
        fleet.expected[task_id] = ("echo.mark", 1)
        lines += json.dumps({"id": task_id, "kwargs": {"note": "mark", "work_ms": 0}}) + "\n"
    started = time.monotonic()
    try:
        got = subprocess.run(["jobfleet", "enqueue", "echo.mark", "--from=-", "--json",
                              "--deadline=3s"], input=lines, capture_output=True, text=True,
                             env=dict(os.environ, JOBFLEET_CONFIG=fleet.conf), timeout=60)
    finally:
        took = time.monotonic() - started
        fleet.services("ctl", "set_vm_memory_high_watermark", "absolute", "1GB")
    assert got.returncode == 3 and took < 20, (got, took)
    assert json.loads(got.stdout)["spooled"] == 300, got.stdout
    print("# 300 spooled in %.1f s" % took)
    settle(fleet)


run(a_healthy_broker_confirms,
    a_broker_that_is_down_means_spooled_and_the_dispatcher_replays,
    the_next_enqueue_replays_too,
    an_alarm_means_spooled,
    a_frozen_broker_means_spooled_at_the_deadline,
    a_connection_that_swallows_publishes_means_spooled,
    a_confirm_that_is_lost_means_spooled_and_the_effect_comes_once,
    a_connection_that_swallows_all_means_spooled,
    a_deleted_queue_is_declared_again_if_queues_conf_names_it,
    what_no_time_helps_is_rejected_with_the_reason,
    without_broker_and_disk_it_is_rejected_at_the_deadline,
    a_broker_that_comes_back_within_the_deadline_is_used_where_there_is_no_disk,
    the_first_silent_of_two_hosts_leaves_time_for_the_second,
    a_name_server_that_says_nothing_costs_no_more_than_the_deadline,
    a_kill_in_the_middle_of_a_file_loses_and_repeats_nothing,
    a_frozen_broker_in_the_middle_of_a_file_costs_one_deadline,
    an_alarm_in_the_middle_of_a_file_costs_one_deadline_not_one_each)
