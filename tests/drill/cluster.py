#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fleet on a cluster of three RabbitMQ nodes with quorum queues, under faults that one node
cannot have: nodes killed, frozen and cut off from the others while tasks run.

usage: tests/drill/cluster.py [--tasks N] [--rounds N] [--json FILE]      as root (JOBFLEET_SEED=n)

Starts PostgreSQL and Redis of its own and three nodes in a network namespace, in which nftables
cuts the third node's links to the other two (a real partition: nothing says that anything is
wrong). The workers' URL names all three nodes. Each fault comes under steady load; afterwards
every task must have ended once, every effect stand once, and every queue be empty. Prints how long
each fault kept tasks from ending (the longest gap between two effects).
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "tests/scenario"), os.path.join(TOP, "tests/services")]
NODES = (1, 2, 3)
CUT_OFF = 3             # runs as root, so that its packets can be told from the others'
LIMIT_S = 120
TICK_S = 5              # net_ticktime: a silent node counts as away after about so long
FREEZE_S, CUT_S = 12, 15
REJOIN_S = 45           # then a node that does not find back is started again, as an operator would
CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = {name}1@localhost
cluster_formation.classic_config.nodes.2 = {name}2@localhost
cluster_formation.classic_config.nodes.3 = {name}3@localhost
cluster_partition_handling = pause_minority
net_ticktime = {tick}
log.console = false
"""


def enter():
    """Into a network of our own, and below services of our own."""
    if os.getuid() != 0:
        sys.exit("cluster: needs root, for a network namespace and for nftables")
    if os.environ.get("JOBFLEET_CLUSTER") != "inside":
        missing = [word for word in ("nft", "unshare", "runuser", "ip") if not shutil.which(word)]
        if missing:
            sys.exit("cluster: %s missing; tests/deps installs them" % ", ".join(missing))
        env = dict(os.environ, JOBFLEET_CLUSTER="inside",
                   JOBFLEET_BIN=os.environ.get("JOBFLEET_BIN", os.path.join(TOP, "build/bin")))
        script = 'ip link set lo up && exec "$0" run --fast -- "$@"'
        os.execvpe("unshare", ["unshare", "--net", "--", "sh", "-c", script,
                               os.path.join(TOP, "tests/services/services"),
                               os.path.realpath(__file__), *sys.argv[1:]], env)


class Node:
    """One RabbitMQ node; it dies with us."""

    def __init__(self, cluster, number):
        self.cluster, self.number, self.process = cluster, number, None
        self.port, self.dist = parts.free_port(), parts.free_port()
        self.home = os.path.join(cluster.dir, str(number))
        for path in self.home, self.home + "/mnesia", self.home + "/log":
            os.mkdir(path)
        self.write("rabbitmq.conf", CONF.format(port=self.port, name=cluster.name, tick=TICK_S))
        self.write("enabled_plugins", "[].\n")
        self.write(".erlang.cookie", cluster.cookie)
        os.chmod(self.home + "/.erlang.cookie", 0o400)
        if self.user():
            subprocess.run(["chown", "-R", "rabbitmq:", self.home], check=True)

    def user(self):
        return None if self.number == CUT_OFF else "rabbitmq"

    def write(self, name, text):
        with open(os.path.join(self.home, name), "w") as f:
            f.write(text)

    def environment(self):
        return dict(parts.BASE_ENV, HOME=self.home, ERL_EPMD_PORT=str(self.cluster.epmd_port),
                    ERL_EPMD_ADDRESS="127.0.0.1", ERL_CRASH_DUMP=self.home + "/erl_crash.dump",
                    RABBITMQ_NODENAME="%s%d@localhost" % (self.cluster.name, self.number),
                    RABBITMQ_DIST_PORT=str(self.dist), RABBITMQ_MNESIA_BASE=self.home + "/mnesia",
                    RABBITMQ_LOG_BASE=self.home + "/log",
                    RABBITMQ_CONFIG_FILE=self.home + "/rabbitmq.conf",
                    RABBITMQ_CONF_ENV_FILE=self.home + "/env.conf",
                    RABBITMQ_ENABLED_PLUGINS_FILE=self.home + "/enabled_plugins",
                    RABBITMQ_GENERATED_CONFIG_DIR=self.home + "/generated",
                    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=
                    "-kernel inet_dist_use_interface {127,0,0,1}")

    def as_user(self, *words):
        user = self.user()
        return (["setpriv", "--pdeathsig", "KILL", "--reuid", user, "--regid", user,
                 "--init-groups", *words] if user else
                ["setpriv", "--pdeathsig", "KILL", *words])

    def start(self):
        with open(os.path.join(self.cluster.dir, "node%d.log" % self.number), "ab") as log:
            self.process = subprocess.Popen(
                self.as_user("env", "RUNNING_UNDER_SYSTEMD=1",
                             parts.RABBITMQ_BIN + "/rabbitmq-server"),
                env=self.environment(), cwd=self.home, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)

    def ctl(self, *words):
        return subprocess.run(self.as_user(parts.RABBITMQ_BIN + "/rabbitmqctl", "-q", *words),
                              env=self.environment(), cwd=self.home, timeout=LIMIT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def alone(self):
        """Does it not know three nodes as running?"""
        done = self.ctl("eval", "length(rabbit_nodes:all_running()).")
        return done.returncode != 0 or done.stdout.split()[-1] != "3"

    def serves(self):
        return parts.answers(self.port, b"AMQP\0\0\x09\x01", b"\x01\0\0")

    def signal(self, sig):
        os.killpg(self.process.pid, sig)


class Cluster:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="jobfleet-cluster-", dir="/var/tmp")
        os.chmod(self.dir, 0o755)
        self.name, self.cookie = "jf%d" % os.getpid(), "c%d" % random.getrandbits(60)
        self.epmd_port = parts.free_port()
        self.epmd = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "epmd", "-address",
                                      "127.0.0.1", "-port", str(self.epmd_port)],
                                     stdin=subprocess.DEVNULL)
        self.nodes = [Node(self, n) for n in NODES]
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            wait_for("node %d serves" % node.number, node.serves, LIMIT_S, 0.2)
        wait_for("three nodes are one cluster", lambda: self.running() == 3, LIMIT_S, 0.5)
        os.environ["JOBFLEET_BROKER_URL"] = "amqp://guest:guest@%s/%%2F" % ",".join(
            "127.0.0.1:%d" % node.port for node in self.nodes)

    def running(self):
        """Nodes that the first one that answers knows as running."""
        for node in self.nodes:
            if node.serves():
                done = node.ctl("eval", "length(rabbit_nodes:all_running()).")
                if done.returncode == 0:
                    return int(done.stdout.strip().splitlines()[-1])
        return 0

    def status(self):
        """What each node says of itself, for a failure's text."""
        return "\n".join("# node %d: serves %s, %s" % (
            node.number, node.serves(),
            " ".join(node.ctl("eval", "rabbit_mnesia:status().").stdout.split()))
            for node in self.nodes)

    def leader(self, queue):
        """The node that leads a quorum queue."""
        for node in self.nodes:
            done = node.ctl("list_queues", "--formatter", "json", "name", "leader")
            if done.returncode == 0:
                for row in json.loads(done.stdout):
                    if row["name"] == queue and row["leader"]:
                        return self.nodes[int(row["leader"].split("@")[0][-1]) - 1]
        return None

    def cut(self):
        """The last node's packets to the others are lost; clients still reach it."""
        node, others = self.nodes[CUT_OFF - 1], self.nodes[:CUT_OFF - 1]
        rules = "\n".join(
            "add rule inet drill out meta skuid 0 tcp %s drop" % match for match in
            ["dport %d" % other.dist for other in others] + ["sport %d" % node.dist])
        subprocess.run(["nft", "-f", "-"], check=True, text=True, input=(
            "add table inet drill\n"
            "add chain inet drill out { type filter hook output priority 0; }\n" + rules + "\n"))

    def heal(self):
        subprocess.run(["nft", "delete", "table", "inet", "drill"], check=True)

    def close(self):
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.signal(signal.SIGKILL)
                node.process.wait()
        self.epmd.kill()
        self.epmd.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def make_fleet(cluster):
    class Quorate(fleet_bed.Fleet):
        queue_arguments = {"x-queue-type": "quorum"}

        def rabbit(self):
            ports = [node.port for node in cluster.nodes]
            random.shuffle(ports)
            return pika.BlockingConnection([pika.URLParameters(
                "amqp://guest:guest@127.0.0.1:%d/%%2F?socket_timeout=5"
                "&blocked_connection_timeout=10&heartbeat=4" % port) for port in ports])

        def counts(self, queue=None):
            for node in cluster.nodes:
                done = node.ctl("list_queues", "--formatter", "json", "name", "messages_ready",
                                "messages_unacknowledged")
                if done.returncode == 0:
                    rows = {row["name"]: row for row in json.loads(done.stdout)}
                    row = rows.get(queue or self.queue)
                    return row and (row["messages_ready"], row["messages_unacknowledged"])
            return None

    Quorate.text = fleet_bed.CONF.replace('	program = "echo"', '	program = "echo"\n	type = quorum')
    return Quorate(fleet_conf="heartbeat = 1s", workers=("one", "two"))


def longest_gap(fleet, since):
    return fleet.one(
        "SELECT coalesce(max(gap), 0)::float FROM (SELECT extract(epoch FROM at - lag(at) OVER"
        " (ORDER BY at)) AS gap FROM effects WHERE at >= %s) g", since)


def under_load(fleet, rng, n, what):
    """what() happens while n tasks are enqueued, confirmed one by one; (seconds, longest gap)."""
    since = fleet.one("SELECT clock_timestamp()")
    started = time.monotonic()
    feeder = fleet.enqueue_beside(fleet.mixture(n, rng), pause_s=0.02)
    wait_for("tasks run", lambda: fleet.one("SELECT count(*) FROM effects WHERE at >= %s",
                                            since) > 10)
    what()
    feeder.join(LIMIT_S * 2)
    fleet.check(limit_s=LIMIT_S)
    return time.monotonic() - started, longest_gap(fleet, since)


def faults(cluster, fleet):
    """(name, what to do), each leaves the cluster whole."""
    def is_whole():
        return all(n.serves() for n in cluster.nodes) and cluster.running() == 3

    def whole():
        """RabbitMQ 3.10 now and then leaves a node out that was away for a while."""
        try:
            wait_for("the cluster is whole", is_whole, REJOIN_S, 0.5)
        except AssertionError:
            print("# after %d s still not one cluster, nodes are started again:\n%s" % (
                REJOIN_S, cluster.status()))
            for node in cluster.nodes:
                if not node.serves() or node.alone():
                    node.signal(signal.SIGKILL)
                    node.process.wait()
                    node.start()
            wait_for("the cluster is whole", is_whole, LIMIT_S, 0.5)

    def kill_leader():
        node = wait_for("a leader", lambda: cluster.leader(fleet.queue), LIMIT_S, 0.5)
        node.signal(signal.SIGKILL)
        node.process.wait()
        time.sleep(3)           # the length of the outage
        node.start()
        whole()

    def freeze_leader():
        node = wait_for("a leader", lambda: cluster.leader(fleet.queue), LIMIT_S, 0.5)
        node.signal(signal.SIGSTOP)
        time.sleep(FREEZE_S)    # the length of the freeze
        node.signal(signal.SIGCONT)
        whole()

    def cut_one_off():
        cluster.cut()
        time.sleep(CUT_S)       # the length of the partition
        cluster.heal()
        whole()

    return [("leader killed", kill_leader), ("leader frozen for %d s" % FREEZE_S, freeze_leader),
            ("a node cut off for %d s" % CUT_S, cut_one_off)]


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json")
    args = parser.parse_args()
    rng, figures = fleet_bed.seed(), []
    cluster = Cluster()
    try:
        with_queue = make_fleet(cluster)
        for _ in range(args.rounds):
            for name, what in faults(cluster, with_queue):
                seconds, gap = under_load(with_queue, rng, args.tasks, what)
                figures.append({"fault": name, "seconds": round(seconds, 1),
                                "longest_gap_s": round(gap, 2)})
                print("ok %s: nothing lost, nothing twice; %.0f s, longest gap between effects "
                      "%.1f s" % (name, seconds, gap), flush=True)
        with_queue.close()
    except Exception:
        for fleet in fleet_bed.Fleet.opened:
            for name, text in fleet.logs():
                print("---- %s\n%s" % (name, text[-4000:]))
        raise
    finally:
        cluster.close()
    if args.json:
        with open(args.json, "w") as f:
            json.dump(figures, f, indent=1)
    return 0


if __name__ == "__main__":
    enter()
    import pika             # noqa: E402
    import fleet_bed        # noqa: E402
    import parts            # noqa: E402
    from fleet_bed import wait_for      # noqa: E402
    sys.exit(main())
