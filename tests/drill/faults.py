# SPDX-License-Identifier: MIT
"""What a drill does to the fleet. A fault is a function of the fleet and a random generator: it
injects, waits until its cause is gone, and returns the processes it killed (or nothing). Workers are
chosen anew each time; whoever is gone meanwhile is left alone."""

import os
import resource
import signal
import time

import pika
import psycopg2

from drill_fleet import FAKETIME, QUEUE, kill, stat_of, wait_for

HEARTBEAT_S = 1
CHILD_POINTS = ("taken", "begin", "handler-done", "before-step", "after-step", "ledger-row",
                "before-commit", "after-commit", "after-follow-ups", "after-result", "answered",
                "join-counted", "join-publish", "join-published")
PARENT_POINTS = ("delivered", "before-hand-over", "before-ack", "after-ack")
KEEPER_POINTS = ("keeper-asked", "keeper-done")
POINT_LIMIT_S = 8           # a rare point may not be reached under this load
OUTAGE_S = (0.5, 3)


def outage(rng):
    time.sleep(rng.uniform(*OUTAGE_S))      # how long the cause lasts


# ---- kill -9 ----

def victim(fleet, rng, pick):
    """A process of any worker that has one."""
    for worker in rng.sample(fleet.workers(), len(fleet.workers())):
        pid = pick(worker)
        if pid and stat_of(pid):
            return pid
    return None


def kill_child(fleet, rng):
    """One that works, if there is one: an idle child's death proves little."""
    busy = [row[0] for row in fleet.sql(
        "SELECT pid FROM jobfleet.drill_begins b WHERE run = %s AND at > now() - interval '8 s'"
        " AND NOT EXISTS (SELECT FROM jobfleet.drill_effects e WHERE e.run = b.run"
        " AND e.task_id = b.task_id AND e.part = b.part)", fleet.run)]
    pid = victim(fleet, rng, lambda w: rng.choice(
        [c for c in w.children() if c in busy] or w.children() or [None]))
    return [pid] if pid and kill(pid) else []


def kill_children(fleet, rng):
    """Several in a row, each at an instant of its own."""
    killed = []
    for _ in range(rng.randint(3, 8)):
        killed += kill_child(fleet, rng)
        time.sleep(rng.uniform(0.01, 0.2))
    return killed


def kill_keeper(fleet, rng):
    pid = victim(fleet, rng, lambda w: w.keeper())
    return [pid] if pid and kill(pid) else []


def kill_zygote(fleet, rng):
    worker = rng.choice(fleet.workers())
    family = worker.family()
    return family if family and kill(family[0]) else []


def kill_parent(fleet, rng):
    worker = rng.choice(fleet.workers())
    family = [worker.pid()] + worker.family()
    return family if kill(family[0]) else []


def kill_all_parents(fleet, rng):
    killed = []
    for worker in fleet.workers():
        family = [worker.pid()] + worker.family()
        killed += family if kill(family[0]) else []
    return killed


def kill_dispatcher(fleet, rng):
    pid = rng.choice(fleet.dispatchers()).pid()
    return [pid] if kill(pid) else []


def stop_worker(fleet, rng):
    """SIGTERM, as systemctl restart does: nothing may be repeated either."""
    kill(rng.choice(fleet.workers()).pid(), signal.SIGTERM)


def kill_at_point(fleet, rng):
    """A worker begins anew as the program with crash points, with an order for one of them."""
    point = rng.choice(CHILD_POINTS + PARENT_POINTS + KEEPER_POINTS)
    path = os.path.join(fleet.dir, "order-%s-%d" % (point, rng.randrange(1 << 30)))
    worker = fleet.workers()[1]
    with fleet.lock:
        worker.bin = os.environ["JOBFLEET_FAULTS_BIN"]
        worker.extra["JOBFLEET_FAULT"] = "%s:%s" % (point, path)
        kill(worker.pid(), signal.SIGTERM)
    wait_for("the worker goes on", lambda: worker.process.poll() is None and worker.children(), 90)
    open(path, "w").close()
    deadline = time.monotonic() + POINT_LIMIT_S
    while os.path.exists(path) and time.monotonic() < deadline:
        if point in KEEPER_POINTS:      # it has starts to count when children die
            kill_child(fleet, rng)
        time.sleep(0.1)
    if os.path.exists(path):
        os.unlink(path)
    with fleet.lock:
        del worker.extra["JOBFLEET_FAULT"]


# ---- SIGSTOP, SIGCONT ----

def freeze(fleet, rng, pids, beats):
    stopped = [pid for pid in pids if pid and kill(pid, signal.SIGSTOP)]
    time.sleep(beats * HEARTBEAT_S)
    for pid in stopped:
        kill(pid, signal.SIGCONT)


def freeze_child(fleet, rng, beats=None):
    """A thawed twin of a task that others have taken over must have no effect."""
    freeze(fleet, rng, [victim(fleet, rng, lambda w: rng.choice(w.children() or [None]))],
           beats or rng.choice((1, 2)))


def freeze_parent(fleet, rng, beats=None):
    freeze(fleet, rng, [rng.choice(fleet.workers()).pid()], beats or rng.choice((1, 2)))


def freeze_worker(fleet, rng, beats=None):
    worker = rng.choice(fleet.workers())
    freeze(fleet, rng, [worker.pid()] + worker.family(), beats or rng.choice((1, 2)))


def freeze_worker_10(fleet, rng):
    freeze_worker(fleet, rng, 10)


def freeze_child_10(fleet, rng):
    freeze_child(fleet, rng, 10)


def freeze_keeper(fleet, rng):
    freeze(fleet, rng, [victim(fleet, rng, lambda w: w.keeper())], rng.choice((1, 2)))


def freeze_dispatcher(fleet, rng):
    freeze(fleet, rng, [rng.choice(fleet.dispatchers()).pid()], rng.choice((1, 2)))


# ---- RabbitMQ ----

def broker_restart(fleet, rng):
    fleet.services("restart", "rabbitmq")


def broker_kill(fleet, rng):
    fleet.services("kill", "rabbitmq")
    fleet.services("start-one", "rabbitmq")


def alarm(fleet, rng, on, off):
    """Beside another fault the broker may be away just now."""
    def tell(expression):
        wait_for("the broker obeys", lambda: fleet.services(
            "ctl", "eval", expression, check=False).returncode == 0, 120, 0.1)
    tell(on)
    outage(rng)
    tell(off)


def memory_alarm(fleet, rng):
    alarm(fleet, rng, "vm_memory_monitor:set_vm_memory_high_watermark(0.0).",
          "vm_memory_monitor:set_vm_memory_high_watermark(0.4).")


def disk_alarm(fleet, rng):
    alarm(fleet, rng, "rabbit_disk_monitor:set_disk_free_limit(\"900TB\").",
          "rabbit_disk_monitor:set_disk_free_limit(\"50MB\").")


def close_connections(fleet, rng):
    fleet.services("ctl", "close_all_connections", "drill")


def queue_deleted(fleet, rng):
    """What our SQL door took is sent again; of the others' messages those in the queue are gone."""
    try:
        with fleet.rabbit() as connection:
            connection.channel().queue_delete(QUEUE)
    except (pika.exceptions.AMQPError, OSError):
        return
    fleet.sql("UPDATE jobfleet.drill_runs SET queue_deleted_at = clock_timestamp()"
              " WHERE run = %s", fleet.run)


# ---- PostgreSQL ----

def postgres_restart(fleet, rng):
    fleet.services("restart", "postgres")


def postgres_kill(fleet, rng):
    fleet.services("kill", "postgres")
    outage(rng)
    fleet.services("start-one", "postgres")


def backends_terminated(fleet, rng):
    for _ in range(rng.randint(1, 4)):
        fleet.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <>"
                  " pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.7")
        time.sleep(rng.uniform(0, 0.3))


def lock_held(fleet, rng):
    """Longer than lock_timeout, now and then."""
    table = rng.choice(("ledger", "pending", "drill_effects", "steps"))
    try:
        connection = fleet.connect()
        connection.autocommit = False
        with connection.cursor() as c:
            c.execute("SET lock_timeout = '5s'")
            c.execute("LOCK TABLE jobfleet.%s IN ACCESS EXCLUSIVE MODE" % table)
            time.sleep(rng.uniform(1, 6))
        connection.rollback()
        connection.close()
    except psycopg2.Error:
        pass


def out_of_connections(fleet, rng):
    """All that are left are taken, and then as many of the fleet's as come back for one."""
    held = []
    backends_terminated(fleet, rng)
    end = time.monotonic() + rng.uniform(1, 3)
    while time.monotonic() < end:
        try:
            held.append(fleet.connect())
        except psycopg2.Error:
            time.sleep(0.05)
    for connection in held:
        connection.close()


# ---- Redis ----

def redis_restart(fleet, rng):
    fleet.services("restart", "redis")


def redis_kill(fleet, rng):
    fleet.services("kill", "redis")
    outage(rng)
    fleet.services("start-one", "redis")


def redis_flush(fleet, rng):
    """Results of before are gone, what the fleet counts there is not."""
    fleet.redis().flushall()
    fleet.sql("UPDATE jobfleet.drill_runs SET results_since = clock_timestamp() WHERE run = %s",
              fleet.run)


def redis_full(fleet, rng):
    fleet.redis().config_set("maxmemory", 1)
    outage(rng)
    fleet.redis().config_set("maxmemory", 0)


# ---- network ----

def network(fleet, rng, *order):
    name = rng.choice(list(fleet.network.ports))
    fleet.network.order(name, *order)
    outage(rng)
    fleet.network.order(name, "pass")


def net_delay(fleet, rng):
    network(fleet, rng, "delay", round(rng.uniform(0.02, 0.4), 3))


def net_cut(fleet, rng):
    network(fleet, rng, "cut")


def net_half_open(fleet, rng):
    name = rng.choice(list(fleet.network.ports))
    fleet.network.order(name, "hold")
    time.sleep(rng.uniform(1, 6))           # some are noticed by heartbeats, some pass
    fleet.network.order(name, "pass")


def net_reset(fleet, rng):
    for _ in range(rng.randint(1, 4)):
        fleet.network.order(rng.choice(list(fleet.network.ports)), "reset")
        time.sleep(rng.uniform(0, 0.5))


def net_bytes(fleet, rng):
    network(fleet, rng, "bytes")


# ---- this host ----

def fill_disk(fleet):
    """Returns what ends it."""
    path = os.path.join(fleet.data, "fill")
    if not fleet.small_disk:
        return lambda: None
    with open(path, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    return lambda: os.unlink(path)


def disk_full(fleet, rng):
    """No room for the spool, while the broker takes nothing."""
    empty = fill_disk(fleet)
    try:
        memory_alarm(fleet, rng)
    finally:
        empty()


def limits(fleet, rng, what, low):
    """Of a worker's processes, for a while."""
    worker = rng.choice(fleet.workers())
    pids = [worker.pid()] + worker.family()
    before = {}
    for pid in pids:
        try:
            before[pid] = resource.prlimit(pid, what)
            resource.prlimit(pid, what, (low(pid), before[pid][1]))
        except (OSError, ValueError):
            pass
    outage(rng)
    for pid, value in before.items():
        try:
            resource.prlimit(pid, what, value)
        except (OSError, ValueError):
            pass


def few_descriptors(fleet, rng):
    limits(fleet, rng, resource.RLIMIT_NOFILE,
           lambda pid: len(os.listdir("/proc/%d/fd" % pid)) + rng.randint(0, 2))


def little_memory(fleet, rng):
    def low(pid):
        with open("/proc/%d/statm" % pid) as f:
            return int(f.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + (1 << 20)
    limits(fleet, rng, resource.RLIMIT_AS, low)


def clock_jump(fleet, rng):
    """An hour forth or back, or a day forth, on a dispatcher's host, then right again: its wall
    clock through libfaketime. (A worker there would rightly take an eta of this evening for one of
    the past.)"""
    if FAKETIME is None:
        raise FileNotFoundError("libfaketime is not installed: tests/deps")
    process = fleet.dispatchers()[1]
    faked = dict(LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=fleet.clock, FAKETIME_NO_CACHE="1",
                 DONT_FAKE_MONOTONIC="1")
    with fleet.lock:
        process.extra.update(faked)
        kill(process.pid(), signal.SIGTERM)
    outage(rng)
    fleet.set_clock(rng.choice((-3600, 3600, 86400)))
    outage(rng)
    fleet.set_clock(0)
    with fleet.lock:
        for name in faked:
            del process.extra[name]
        kill(process.pid(), signal.SIGTERM)


# ---- the pipeline's programs, beside any of the above ----

def kill_pipeline_child(fleet, rng):
    program = rng.choice(fleet.pipeline())
    pid = rng.choice(program.children() or [None])
    return [pid] if pid and kill(pid) else []


def kill_pipeline_parent(fleet, rng):
    program = rng.choice(fleet.pipeline())
    family = [program.pid()] + program.family()
    return family if kill(family[0]) else []


def freeze_pipeline(fleet, rng):
    program = rng.choice(fleet.pipeline())
    freeze(fleet, rng, [program.pid()] + program.family(), rng.choice((1, 2, 5)))


def raw_disk_full(fleet, rng):
    """A provider's answer is under way, then there is neither a database for it nor room for a
    file; either may come back first."""
    before = fleet.postings.calls()
    fleet.postings.delay(rng.choice((1, 3)), 2)
    if fleet.postings.order(fleet) is None:
        return
    deadline = time.monotonic() + POINT_LIMIT_S
    while fleet.postings.calls() == before and time.monotonic() < deadline:
        time.sleep(0.02)
    empty = fill_disk(fleet)
    fleet.services("kill", "postgres")
    outage(rng)
    room_first = rng.random() < 0.5
    if room_first:
        empty()
        outage(rng)
    fleet.services("start-one", "postgres")
    if not room_first:
        outage(rng)
        empty()


# How often each is drawn. A drill draws one of each kind before it draws freely; two at a time are
# of two kinds, so that they never fight over one service.
FAULTS = {
    "process": {kill_child: 4, kill_children: 6, kill_keeper: 3, kill_zygote: 3, kill_parent: 6,
                kill_all_parents: 3, kill_dispatcher: 3, stop_worker: 2, kill_at_point: 10},
    "freeze": {freeze_child: 3, freeze_parent: 3, freeze_worker: 3, freeze_keeper: 2,
               freeze_dispatcher: 2},
    "twin": {freeze_worker_10: 2, freeze_child_10: 1},
    "broker": {broker_restart: 1, broker_kill: 1, memory_alarm: 1, disk_alarm: 1,
               close_connections: 2, queue_deleted: 1},
    "postgres": {postgres_restart: 1, postgres_kill: 1, backends_terminated: 3, lock_held: 2,
                 out_of_connections: 1},
    "redis": {redis_restart: 1, redis_kill: 1, redis_flush: 1, redis_full: 1},
    "network": {net_delay: 1, net_cut: 2, net_half_open: 2, net_reset: 2, net_bytes: 1},
    "host": {disk_full: 1, few_descriptors: 1, little_memory: 1, clock_jump: 1},
}
PIPELINE = {kill_pipeline_child: 4, kill_pipeline_parent: 2, freeze_pipeline: 2, raw_disk_full: 1}
NAMES = {f.__name__.replace("_", " "): f
         for group in (*FAULTS.values(), PIPELINE) for f in group}
NO_SERVICE = ("process", "freeze")     # kinds beside which a service may be hurt by another
