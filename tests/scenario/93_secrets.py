#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 150
"""Planted secrets, looked for everywhere: passwords of the three services and the keys of all
providers. A fleet works and fails with them (providers that quote the key in every kind of answer,
wrong hosts, wrong passwords, malformed URLs, wrong files); then logs, the database, Redis, events,
results, files, what the command line prints, command lines and environments of all processes are
searched, and the processes leave no core dump."""

import atexit
import base64
import glob
import gzip
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import urllib.parse
import zlib
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pika
import psycopg2
import redis

from dispatcher_bed import TOP, Bed, run, wait_for

SUPER = {name: os.environ["JOBFLEET_%s_URL" % name] for name in ("BROKER", "DATABASE", "REDIS")}
KEYS = ("RAPIDAPI_KEY", "ADZUNA_APP_ID", "ADZUNA_APP_KEY", "USAJOBS_API_KEY", "THEMUSE_API_KEY",
        "BLS_API_KEY", "CENSUS_API_KEY", "FRED_API_KEY", "INDEED_CLIENT_ID", "INDEED_API_KEY",
        "JOBFLEET_EMBEDDING_KEY")
POSTINGS = ("jsearch", "adzuna", "usajobs", "themuse")
FIGURES = ("bls", "census", "fred", "indeed")
PROGRAMS = ("collection", "salary", "dispatcher")
LOGIN = "secrets_%s" % secrets.token_hex(4)
SALARY = "backend.tasks.salary_data_tasks.fetch_salary_data"

bed = Bed(tables=False)
planted = {key: secrets.token_hex(16) for key in KEYS}      # FRED's have 32 lower-case characters
for service in SUPER:                                       # with what a URL must encode
    planted[service] = "%s+/%s" % (secrets.token_hex(8), secrets.token_hex(8))
    planted["WRONG " + service] = secrets.token_hex(12)
seen = {}           # what is searched: a name and its bytes


def forms(secret):
    raw = secret.encode()
    return {raw, urllib.parse.quote(secret, safe="").encode(), base64.b64encode(raw),
            base64.b64encode(b"\0%s\0%s" % (LOGIN.encode(), raw)), secret.replace("/", "\\/").encode()}


NEEDLES = {form: name for name, secret in planted.items() for form in forms(secret)}


def search(name, data):
    seen[name] = seen.get(name, 0) + len(data)
    for needle, secret in NEEDLES.items():
        at = data.find(needle)
        assert at < 0, "%s stands in %s: %r" % (secret, name, data[max(at - 200, 0):at + 200])


# ---- a provider that quotes all it was told, in every kind of answer ----

class Gossip(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mode, heard = "200", b""

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.do_GET()

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = "%s %s %s" % (self.path, dict(self.headers), body.decode(errors="replace"))
        Gossip.heard += told.encode()
        answer = json.dumps({
            "status": "REQUEST_NOT_PROCESSED", "message": ["The key is wrong: " + told],
            "error": {"message": told, "code": "bad_key"}, "errors": [{"detail": told}],
            "error_message": told, "detail": told, "Results": {}, "data": [], "results": [],
            "jobs": [], "exception": told, "display": told}).encode()
        mode, kind = Gossip.mode, "application/json"
        if mode == "html":
            mode, kind, answer = "403", "text/html", b"<html><title>%s</title></html>" % told.encode()
        elif mode == "postings":    # what looks like data is kept whole
            mode = "200"
            answer = json.dumps({"status": "OK", "data": [
                {"job_id": "j1", "job_title": "Nurse", "employer_name": told,
                 "job_description": told, "job_apply_link": "http://127.0.0.1" + self.path}]}).encode()
        elif mode == "census":
            mode, answer = "200", json.dumps([["NAME", "B01"], [told, "1"]]).encode()
        if "/groups/" in self.path:     # asked without the key, which the next question carries
            mode, kind = "200", "application/json"
            answer = json.dumps({"variables": {"B24011_008E": {
                "label": "Estimate!!Total:!!Computer and mathematical occupations:"}}}).encode()
        self.send_response(int(mode), "No " + urllib.parse.quote(told)[:500])
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer) + (9 if mode == "206" else 0)))
        self.send_header("X-Told", urllib.parse.quote(told))
        self.send_header("Retry-After", "0")
        self.send_header("ETag", '"%s"' % urllib.parse.quote(told)[:300])
        if mode == "302":
            self.send_header("Location", "http://localhost:1/?" + urllib.parse.quote(told)[:2000])
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = mode == "206"       # cut off


gossip = ThreadingHTTPServer(("127.0.0.1", 0), Gossip)
threading.Thread(target=gossip.serve_forever, daemon=True).start()
ADDRESS = "http://127.0.0.1:%d" % gossip.server_address[1]


# ---- accounts, credentials, settings ----

def services_ctl(code):
    return subprocess.run([os.environ["JOBFLEET_SERVICES"], "ctl", "eval", code], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def binary(text):
    return '<<"%s">>' % text


def with_login(url, password, user=LOGIN):
    scheme, rest = url.split("://")
    return "%s://%s:%s@%s" % (scheme, user, urllib.parse.quote(password, safe=""),
                              rest.rsplit("@", 1)[-1])


def make_accounts():
    vhost = urllib.parse.unquote(SUPER["BROKER"].rsplit("/", 1)[1])
    services_ctl('ok = rabbit_auth_backend_internal:add_user(%s, %s, %s),'
                 ' ok = rabbit_auth_backend_internal:set_permissions(%s, %s, %s, %s, %s, %s).'
                 % tuple(map(binary, (LOGIN, planted["BROKER"], "tests", LOGIN, vhost, ".*", ".*",
                                      ".*", "tests"))))
    bed.sql("CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE jobfleet_worker, jobfleet_dispatcher,"
            " jobfleet_admin" % (LOGIN, planted["DATABASE"]))
    redis.Redis.from_url(SUPER["REDIS"]).execute_command(
        "ACL", "SETUSER", LOGIN, "on", ">" + planted["REDIS"], "~*", "&*", "+@all")
    atexit.register(lambda: redis.Redis.from_url(SUPER["REDIS"]).execute_command(
        "ACL", "DELUSER", LOGIN))


def write_credentials(name, **urls):
    """A directory as systemd gives one."""
    directory = os.path.join(bed.dir, name)
    os.mkdir(directory, 0o700)
    values = dict({"JOBFLEET_%s_URL" % service: with_login(url, planted[service])
                   for service, url in SUPER.items()}, **{key: planted[key] for key in KEYS},
                  USAJOBS_EMAIL="post@example.org", **urls)
    for variable, value in values.items():
        with open(os.path.join(directory, variable), "w") as f:
            f.write(value + "\n")
    return directory


def write_conf():
    with open(os.path.join(TOP, "queues.conf")) as f:
        text = f.read()
    text = re.sub(r"^schedule .*?^}", "", text, flags=re.M | re.S)
    text = re.sub(r"\t(rate|rate_limit|rate_limit_at) = .*\n", "", text)
    text = re.sub(r"\tmax_retries = .*", "\tmax_retries = 0", text)
    text = re.sub(r"^(source (%s) {\n)\tenabled = no\n" % "|".join(POSTINGS + FIGURES), r"\1", text,
                  flags=re.M)
    text = text.replace("fleet {", "fleet {\n\tevents = yes\n\tresult_extended = yes\n"
                        "\tembedding_url = \"%s/embeddings\"\n\tdata_dir = \"%s/data\""
                        % (ADDRESS, bed.dir), 1)
    with open(bed.conf, "w") as f:
        f.write(text)


subprocess.run(["jobfleet", "migrate", "--quiet"], check=True)
make_accounts()
write_conf()
GOOD = write_credentials("good")
ENV = {k: v for k, v in os.environ.items() if not re.match(r"JOBFLEET_\w+_URL$", k)}
ENV.update({"JOBFLEET_SOURCE_%s_URL" % name.upper(): "%s/%s" % (ADDRESS, name)
            for name in POSTINGS + FIGURES}, JOBFLEET_CONFIG=bed.conf, ETL_REQUESTS_PER_MINUTE="6000")
processes = {}


def jobfleet(*words, credentials=GOOD, conf=bed.conf, limit_s=60):
    """What it prints is searched at once."""
    got = subprocess.run(["jobfleet", *words], cwd=bed.dir, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=limit_s, stdin=subprocess.DEVNULL,
                         env=dict(ENV, CREDENTIALS_DIRECTORY=credentials, JOBFLEET_CONFIG=conf))
    search("output of jobfleet " + words[0], got.stdout)
    return got.stdout.decode(errors="replace")


def all_at_once(commands, credentials=GOOD):
    """They mostly wait."""
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(jobfleet, *words, credentials=credentials) for words in commands]:
            done.result()


def start(program, credentials=GOOD, name=None):
    def allow_core():
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))

    with open(os.path.join(bed.dir, (name or program) + ".log"), "ab") as log:
        processes[name or program] = subprocess.Popen(
            [os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-" + program), "--loglevel=DEBUG",
             "--hostname=%s@secrets" % (name or program)], stderr=log, stdout=log, cwd=bed.dir,
            env=dict(ENV, CREDENTIALS_DIRECTORY=credentials), preexec_fn=allow_core)


def family():
    """Every process of the fleet."""
    found = [p.pid for p in processes.values()]
    for pid in found:
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                found += [int(word) for word in f.read().split()]
        except OSError:
            pass
    return found


def read_proc(pid, name):
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            return f.read()
    except OSError:
        return b""


class Events(threading.Thread):
    """All that goes over the exchanges of events and of remote control."""

    def __init__(self):
        super().__init__(daemon=True)
        self.link = pika.BlockingConnection(pika.URLParameters(SUPER["BROKER"]))
        channel = self.link.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.exchange_declare("celeryev", "topic", durable=True)
        channel.queue_bind(queue, "celeryev", "#")
        channel.basic_consume(queue, self.take, auto_ack=True)
        self.got, self.ending = [], False
        self.start()

    def take(self, _channel, method, props, body):
        self.got.append(method.routing_key.encode() + repr(props).encode() + body)

    def run(self):
        while not self.ending:
            self.link.process_data_events(0.05)


events = Events()


# ---- the tests ----

def the_fleet_works_and_asks_with_its_keys():
    for program in PROGRAMS:
        start(program)
    wait_for("all report themselves", lambda: {w["program"] for w in json.loads(
        jobfleet("workers", "--json"))} >= set(PROGRAMS))
    for mode in ("200", "postings", "census", "400", "401", "html", "429", "500", "302", "206"):
        Gossip.mode = mode
        # nothing is held back because of what was before
        bed.sql("TRUNCATE jobfleet.source_state, jobfleet.asking, jobfleet.provider_quota,"
                " jobfleet.pending")
        client = redis.Redis.from_url(SUPER["REDIS"])
        for key in client.scan_iter("jobfleet:*"):
            client.delete(key)
        tasks = [jobfleet("enqueue", "jobfleet.collect_jobs", "--quiet", "--kwargs", json.dumps(
            {"query": "nurse " + mode, "location": "Denver, CO", "source": source, "refresh": True}))
            for source in POSTINGS]
        tasks.append(jobfleet("enqueue", SALARY, "--quiet", "--args", json.dumps(
            [{"location": "Denver, CO", "occupation": "Data Scientist", "max_age": 0}])))
        for task in tasks if mode != "429" else ():     # which waits for its time
            jobfleet("result", task.strip(), "--wait", "--timeout=30s", "--quiet")
        wait_for("all are asked", lambda: Gossip.heard.count(b"nurse%20" + mode.encode())
                 + Gossip.heard.count(b"nurse+" + mode.encode()) >= 3)
    for key in KEYS:
        # else nothing would be shown; Indeed's grants nothing without a token first
        if key not in ("JOBFLEET_EMBEDDING_KEY",):
            assert planted[key].encode() in Gossip.heard, key + " was never sent"


def what_fails_does_not_quote_them_either():
    Gossip.mode = "401"
    jobfleet("config", "check")
    assert planted["JOBFLEET_EMBEDDING_KEY"].encode() in Gossip.heard
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    nowhere = {"JOBFLEET_%s_URL" % s: re.sub(r":\d+/", ":%d/" % port, with_login(
        url, planted["WRONG " + s])) for s, url in SUPER.items()}
    wrong = {"JOBFLEET_%s_URL" % s: with_login(url, planted["WRONG " + s])
             for s, url in SUPER.items()}
    broken = {"JOBFLEET_%s_URL" % s: "%s://%s:%s@:x%s[/" % (
        url.split(":")[0], LOGIN, planted["WRONG " + s], planted[s][:4]) for s, url in SUPER.items()}
    host = {"JOBFLEET_%s_URL" % s: with_login(re.sub(r"@?127.0.0.1:\d+", "@no-host.invalid", url),
                                              planted["WRONG " + s]) for s, url in SUPER.items()}
    for name, urls in (("nowhere", nowhere), ("wrong", wrong), ("broken", broken), ("host", host)):
        credentials = write_credentials(name, **urls)
        all_at_once((("doctor", "--rabbitmqctl="), ("enqueue", SALARY, "--timeout=2s"),
                     ("result", "some-id"), ("queues",), ("inspect", "ping", "--timeout=1s"),
                     ("config", "check"), ("migrate", "--wait=1s"), ("explain", "some-id")),
                    credentials)
        for program in ("salary", "dispatcher"):
            start(program, credentials, name + "-" + program)
            process = processes[name + "-" + program]
            wait_for("a reason", lambda: process.poll() is not None or re.search(
                r"WARN|ERROR", bed.log(name + "-" + program)))
    # a file with a secret is refused without quoting it
    with open(bed.conf) as f:
        text = f.read()
    bad = os.path.join(bed.dir, "bad.conf")
    for line in ('\tredis_url = "%s"' % wrong["JOBFLEET_REDIS_URL"],
                 '\tembedding_url = "http://127.0.0.1/?api_key=%s"' % planted["FRED_API_KEY"],
                 '\tdatabase_url = "postgresql://h/d?password=%s"' % planted["WRONG DATABASE"]):
        with open(bad, "w") as f:
            f.write(text.replace("fleet {", "fleet {\n" + line, 1))
        assert "secret" in jobfleet("config", "check", conf=bad), line


def looks_show_none():
    all_at_once((("doctor", "--json", "--rabbitmqctl="), ("explain", "x"), ("workers", "--json"),
                 ("queues", "--json"), ("dlq", "list", "--json"), ("scheduled", "--json"),
                 ("inspect", "conf", "--json"), ("inspect", "stats", "--json"), ("top", "--once"),
                 ("inspect", "report", "--json"), ("inspect", "active", "--json"), ("actions",),
                 ("pipeline", "--json"), ("config", "policy"), ("status", "--json"),
                 ("alerts", "--json"), ("report",), ("audit",)))
    letters = json.loads(jobfleet("dlq", "list", "--json"))[:20]
    all_at_once([("dlq", "show", str(letter["id"])) for letter in letters]
                + [("explain", letter["task_id"]) for letter in letters])


def command_lines_environments_and_limits_hold_none():
    pids = family()
    assert len(pids) > 10, pids
    for pid in pids:
        search("command lines", read_proc(pid, "cmdline"))
        search("environments", read_proc(pid, "environ"))
        limit = re.search(r"^Max core file size +(\S+)", read_proc(pid, "limits").decode(), re.M)
        assert not limit or limit.group(1) == "0", limit.group(0)


def a_crash_leaves_no_core_dump():
    below = [pid for pid in family() if pid not in [p.pid for p in processes.values()]]
    os.kill(below[-1], signal.SIGABRT)
    for name in PROGRAMS:
        os.kill(processes[name].pid, signal.SIGABRT)
        _, status = os.waitpid(processes[name].pid, 0)
        assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status), (name, status)
    for name in set(processes) - set(PROGRAMS):
        processes[name].kill()
        processes[name].wait()
    wait_for("all are gone", lambda: not [p for p in below if read_proc(p, "cmdline")])
    assert not glob.glob(bed.dir + "/core*"), os.listdir(bed.dir)


def inflated(data):
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout or data
    return data


def logs_and_files_hold_none():
    for path in glob.glob(bed.dir + "/**", recursive=True):
        kept_by_us = os.path.relpath(path, bed.dir).split("/")[0]
        if not os.path.isfile(path) or kept_by_us in ("good", "nowhere", "wrong", "broken", "host",
                                                      "bad.conf"):
            continue
        with open(path, "rb") as f:
            search("logs" if path.endswith(".log") else "files", inflated(f.read()))
    assert seen["logs"] > 20000 and seen.get("files"), seen


def the_database_holds_none():
    dump = subprocess.run(["pg_dump", "--inserts", SUPER["DATABASE"]], check=True,
                          stdout=subprocess.PIPE).stdout
    search("database", dump)
    packed = bed.sql("SELECT raw_body FROM raw_job_collections WHERE raw_body IS NOT NULL")
    for (body,) in packed:
        search("packed answers", inflated(bytes(body)))
    assert bed.one("SELECT count(*) FROM raw_job_collections") >= 8


def redis_holds_none():
    client = redis.Redis.from_url(SUPER["REDIS"])
    for key in client.keys("*"):
        search("Redis", key)
        kind = client.type(key)
        if kind == b"string":
            data = client.get(key)
            search("Redis", inflated(data))
            try:
                search("Redis", zlib.decompress(data))
            except zlib.error:
                pass
        elif kind == b"hash":
            search("Redis", b" ".join(x for pair in client.hgetall(key).items() for x in pair))
        else:
            search("Redis", client.dump(key) or b"")
    assert seen["Redis"] > 1000, seen


def events_hold_none():
    events.ending = True
    events.join()
    for event in events.got:
        search("events", event)
    assert len(events.got) > 20, len(events.got)
    print("# bytes searched: %s" % ", ".join("%s %d" % row for row in sorted(seen.items())))


run(bed,
    the_fleet_works_and_asks_with_its_keys,
    what_fails_does_not_quote_them_either,
    looks_show_none,
    command_lines_environments_and_limits_hold_none,
    a_crash_leaves_no_core_dump,
    logs_and_files_hold_none,
    the_database_holds_none,
    redis_holds_none,
    events_hold_none)
