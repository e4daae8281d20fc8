# SPDX-License-Identifier: MIT
"""The three services and RabbitMQ's port mapper: how each is laid out, started, asked and stopped.

Everything is computed from `state`, the dictionary that DIR/state.json holds: ports, node name,
password, data directory, whether to skip fsync. Nothing here keeps state of its own.
"""

import base64
import glob
import hashlib
import json
import os
import pwd
import random
import secrets
import signal
import socket
import ssl
import subprocess

NAMES = ("rabbitmq", "postgres", "redis")      # what a user may name
ORDER = ("epmd",) + NAMES                      # what is spawned, in this order
USERS = {"epmd": "rabbitmq", "rabbitmq": "rabbitmq", "postgres": "postgres", "redis": "redis"}
STOP_SIGNAL = {"epmd": signal.SIGTERM, "rabbitmq": signal.SIGTERM,
               "postgres": signal.SIGINT, "redis": signal.SIGTERM}
PORTS = {"epmd": ("epmd",), "rabbitmq": ("rabbitmq", "dist"),
         "postgres": ("postgres",), "redis": ("redis",)}

# Not "jobfleet": PostgreSQL's default search_path has the schema of the role's own name in front.
ROLE = "fleet"
RABBITMQ_BIN = "/usr/lib/rabbitmq/bin"
BASE_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}

# Below the kernel's range for outgoing connections: a client that dials a stopped service on a
# port of that range can be given the very same port as its own and so connect to itself, which
# looks like a live service and keeps the real one from starting.
PORT_FIRST, PORT_LAST = 20000, 32000

RABBITMQ_PLAIN = "listeners.tcp.1 = 127.0.0.1:{rabbitmq}\n"
RABBITMQ_TLS = """\
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{rabbitmq}
ssl_options.cacertfile = {home}/ca.crt
ssl_options.certfile = {home}/server.crt
ssl_options.keyfile = {home}/server.key
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
"""
RABBITMQ_CONF = """\
vm_memory_high_watermark.absolute = 4GB
disk_free_limit.absolute = 50MB
log.file.level = info
log.console = false
load_definitions = {home}/definitions.json
"""

# What our queues expire or reject goes to failed_operations, as common/broker/policy.h says: here
# for queues of any name but those of remote control, replies and events.
POLICY_DEFINITION = {"dead-letter-exchange": "", "dead-letter-routing-key": "failed_operations"}
POLICY_PATTERN = r"^(?!failed_operations$|celeryev|amq\.|.*pidbox$|.*reply)"

POSTGRES_CONF = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
log_timezone = 'UTC'
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""
POSTGRES_TLS = """\
ssl = on
ssl_cert_file = '{home}/server.crt'
ssl_key_file = '{home}/server.key'
hba_file = '{home}/hba.conf'
"""
POSTGRES_TLS_HBA = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
TLS_FILES = ("ca.crt", "server.crt", "server.key")


def free_port():
    while True:
        port = random.randint(PORT_FIRST, PORT_LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def pick_ports(state, part):
    for name in PORTS[part]:
        state["ports"][name] = free_port()


def new_state(data, fast, tls=None):
    """tls: a directory with TLS_FILES; then no service takes a connection without."""
    state = {"data": data, "fast": fast, "tls": tls, "ports": {}, "password": secrets.token_hex(16),
             "node": "jobfleet%s@localhost" % secrets.token_hex(4), "role": ROLE}
    for part in ORDER:
        pick_ports(state, part)
    return state


def user_of(part):
    """The account a service runs under: its package's own when started by root, else ours."""
    return USERS[part] if os.getuid() == 0 else None


def home_of(state, part):
    return os.path.join(state["data"], "rabbitmq" if part == "epmd" else part)


def definitions():
    """What RabbitMQ has after its first start (a file of definitions replaces that), and the policy
    of dead letters. No rabbitmqctl, which would cost each start a second."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + b"guest").digest()
    return json.dumps({
        "users": [{"name": "guest", "tags": "administrator",
                   "password_hash": base64.b64encode(salt + digest).decode(),
                   "hashing_algorithm": "rabbit_password_hashing_sha256"}],
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*",
                         "read": ".*"}],
        "policies": [{"vhost": "/", "name": "jobfleet-dead-letters", "pattern": POLICY_PATTERN,
                      "apply-to": "queues", "priority": 0,
                      "definition": POLICY_DEFINITION}]})


def write_private(path, text, part):
    # removed first: the old one may belong to the service's user and be a link by now
    if os.path.lexists(path):
        os.unlink(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
        f.write(text)
    own(path, part)


def own(path, part):
    if user_of(part):
        account = pwd.getpwnam(user_of(part))
        os.chown(path, account.pw_uid, account.pw_gid)


def prepare(state, part):
    """Directory and configuration of one service, from the current ports."""
    home = home_of(state, part)
    if not os.path.isdir(home):
        os.mkdir(home, 0o700)
        own(home, part)
    for name in TLS_FILES if state.get("tls") else ():
        with open(os.path.join(state["tls"], name)) as f:
            write_private(os.path.join(home, name), f.read(), part)
    if part == "rabbitmq":
        text = (RABBITMQ_TLS if state.get("tls") else RABBITMQ_PLAIN) + RABBITMQ_CONF
        write_private(home + "/rabbitmq.conf", text.format(home=home, **state["ports"]), part)
        write_private(home + "/definitions.json", definitions(), part)
        write_private(home + "/enabled_plugins", "[].\n", part)
        if not os.path.exists(home + "/.erlang.cookie"):
            write_private(home + "/.erlang.cookie", secrets.token_hex(20), part)
            os.chmod(home + "/.erlang.cookie", 0o400)
    elif part == "postgres":
        fsync = "fsync = off\n" if state["fast"] else ""
        port = "port = %d\n" % state["ports"]["postgres"]
        tls = POSTGRES_TLS.format(home=home) if state.get("tls") else ""
        write_private(home + "/jobfleet.conf", POSTGRES_CONF + tls + port + fsync, part)
        write_private(home + "/hba.conf", POSTGRES_TLS_HBA, part)
        write_private(home + "/password", state["password"] + "\n", part)


def environment(state, part):
    home = home_of(state, part)
    env = dict(BASE_ENV, HOME=home)
    if part in ("epmd", "rabbitmq"):
        env.update({
            "ERL_EPMD_PORT": str(state["ports"]["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP": home + "/erl_crash.dump",
            "RABBITMQ_NODENAME": state["node"],
            "RABBITMQ_DIST_PORT": str(state["ports"]["dist"]),
            "RABBITMQ_MNESIA_BASE": home + "/mnesia",
            "RABBITMQ_LOG_BASE": home + "/log",
            "RABBITMQ_CONFIG_FILE": home + "/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": home + "/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": home + "/env.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": home + "/enabled_plugins",
            "RABBITMQ_PLUGINS_EXPAND_DIR": home + "/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": home + "/generated",
            "RABBITMQ_FEATURE_FLAGS_FILE": home + "/feature_flags",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1}",
        })
    return env


def postgres_bin():
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise SystemExit("services: PostgreSQL is not installed; run tests/deps")
    return max((os.path.dirname(path) for path in found), key=lambda d: float(d.split("/")[4]))


def command(state, part):
    """The argument list that becomes the service: every one ends as the spawned pid itself."""
    home = home_of(state, part)
    if part == "epmd":
        return ["epmd", "-address", "127.0.0.1", "-port", str(state["ports"]["epmd"])]
    if part == "rabbitmq":
        # this variable makes the script exec the node instead of waiting beside it
        return ["env", "RUNNING_UNDER_SYSTEMD=1", RABBITMQ_BIN + "/rabbitmq-server"]
    if part == "redis":
        port = str(state["ports"]["redis"])
        tls = ["--port", "0", "--tls-port", port, "--tls-auth-clients", "no",
               "--tls-ca-cert-file", "ca.crt", "--tls-cert-file", "server.crt",
               "--tls-key-file", "server.key"]
        return ["redis-server", "--bind", "127.0.0.1", "--dir", home, "--appendonly", "yes",
                "--daemonize", "no"] + (tls if state.get("tls") else ["--port", port])
    script = """
        if [ ! -f data/global/pg_control ]; then
            rm -rf data
            "$1/initdb" -D data --username="$2" --pwfile=password --auth=scram-sha-256 \
                --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions
            echo "include '$PWD/jobfleet.conf'" >>data/postgresql.conf
        fi
        exec "$1/postgres" -D data -c "config_file=$PWD/data/postgresql.conf"
    """
    return ["sh", "-ec", script, "postgres", postgres_bin(), state["role"]]


def spawn_request(state, part, directory):
    """What the keeper has to know to start this service."""
    return dict(name=part, argv=command(state, part), env=environment(state, part),
                cwd=home_of(state, part), log=os.path.join(directory, part + ".log"),
                user=user_of(part), stop=STOP_SIGNAL[part], rank=0 if part == "epmd" else 1)


def urls(state):
    ports = state["ports"]
    if state.get("tls"):
        return {
            "JOBFLEET_BROKER_URL": "amqps://guest:guest@127.0.0.1:%d/%%2F" % ports["rabbitmq"],
            "JOBFLEET_DATABASE_URL": "postgresql://%s:%s@127.0.0.1:%d/jobfleet?sslmode=verify-full"
                                     % (state["role"], state["password"], ports["postgres"]),
            "JOBFLEET_REDIS_URL": "rediss://127.0.0.1:%d/0" % ports["redis"],
            "SSL_CERT_FILE": os.path.join(state["tls"], "ca.crt"),
        }
    return {
        "JOBFLEET_BROKER_URL": "amqp://guest:guest@127.0.0.1:%d/%%2F" % ports["rabbitmq"],
        "JOBFLEET_DATABASE_URL": "postgresql://%s:%s@127.0.0.1:%d/jobfleet"
                                 % (state["role"], state["password"], ports["postgres"]),
        "JOBFLEET_REDIS_URL": "redis://127.0.0.1:%d/0" % ports["redis"],
    }


def answers(port, say, expect, tls=None):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as plain:
            with (ssl.create_default_context(cafile=tls + "/ca.crt").wrap_socket(
                    plain, server_hostname="127.0.0.1") if tls else plain) as s:
                s.sendall(say)
                return s.recv(64).startswith(expect)
    except OSError:
        return False


def ready(state, part):
    """One look, without waiting: does the service serve?"""
    ports, tls = state["ports"], state.get("tls")
    if part == "epmd":
        return answers(ports["epmd"], b"\0\1n", b"\0\0")
    if part == "redis":
        return answers(ports["redis"], b"PING\r\n", b"+PONG", tls)
    if part == "rabbitmq":
        # listeners open last, so a Connection.Start frame means that the node is up
        return answers(ports["rabbitmq"], b"AMQP\0\0\x09\x01", b"\x01\0\0", tls)
    return database_ready(state)


def database_ready(state):
    url, tls = urls(state)["JOBFLEET_DATABASE_URL"], state.get("tls")
    trust = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": tls + "/ca.crt"} if tls else {}

    def psql(database, sql):
        return subprocess.run(
            [postgres_bin() + "/psql", "-XAtq", "-c", sql, url[:url.rindex("/") + 1] + database],
            env=dict(BASE_ENV, PGCONNECT_TIMEOUT="2", **trust), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    if not answers(state["ports"]["postgres"], b"\0\0\0\x08\x04\xd2\x16\x2f",
                   b"S" if tls else b"N"):
        return False        # no SSLRequest answer yet: cheaper to ask than a psql each time
    got = psql("jobfleet", "SELECT 1")
    if got.returncode and "does not exist" in got.stderr:
        got = psql("postgres", "CREATE DATABASE jobfleet")
    return got.returncode == 0
