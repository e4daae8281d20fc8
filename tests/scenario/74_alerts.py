#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 180
"""Alerts by real dispatchers and a real jobfleet-alerting, to a web server and a mail server of the
test's own: what fires, is told once, repeated, escalated, silenced, acknowledged and over; what
happens when the leader is killed, the receiver is down, or nobody delivers."""

import hashlib
import hmac
import http.server
import json
import os
import signal
import socketserver
import ssl
import subprocess
import threading
import time

from dispatcher_bed import Bed, run, wait_for
from pki_bed import make_ca, make_certificate
from single import died_of_a_thread, single

SECRET = "a secret of the test's own"


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what comes; answers[path] are given first, one a request."""
    got, answers, lock = [], {}, threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with Hook.lock:
            waiting = Hook.answers.get(self.path, [])
            status = waiting.pop(0) if waiting else 204
            Hook.got.append((self.path, status, dict(self.headers), body, time.time()))
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Mail(socketserver.StreamRequestHandler):
    got = []

    def handle(self):
        self.wfile.write(b"220 test\r\n")
        to, sender = [], None
        while True:
            line = self.rfile.readline()
            word = line[:4].upper()
            if not line or word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                Mail.got.append((sender, to, text.decode()))
            elif word == b"MAIL":
                sender = line.decode()
            elif word == b"RCPT":
                to.append(line.decode())
            self.wfile.write(b"250 ok\r\n")


class TlsMail(Mail):
    """The same inside TLS; certificate: of a folder of pki_bed."""
    certificate = None

    def setup(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate + ".crt", self.certificate + ".key")
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        """A client that does not like our certificate goes away."""


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


WEB, SMTP = serve(Hook), serve(Mail)
CONF = """
fleet {
	alert_every = 100ms
	smtp_url = "smtp://127.0.0.1:%d"
	smtp_from = "jobfleet@example.org"
	alert_error_to = "http://127.0.0.1:%d/errors"
}
queue alerts { program = alerting }
task jobfleet.deliver_alert { queue = alerts retry_backoff = 200ms retry_fixed = yes max_retries = 8 }
alert quota_low {
	condition = "quota_used > 80%%"
	level = ERROR
	for = 700ms
	to = "log, http://127.0.0.1:%d/hook, mailto:ops@example.org"
}
source nag { enabled = no }
alert nagging {
	condition = "quota_used(nag) > 200%%"
	to = "env:TEST_HOOK"
	repeat = 1s
	escalate_after = 1500ms
	escalate_to = "http://127.0.0.1:%d/boss"
}
alert refusing {
	condition = "circuit_open > 0"
	to = "http://127.0.0.1:%d/refusing"
}
alert nobody {
	condition = "disk_used > 999%%"
}
""" % (SMTP, WEB, WEB, WEB, WEB)
MEASURES = ("key_refused oldest_task consumers error_rate success_rate run_length raw_files hit_rate"
            " validation_failures quality_score postings_waiting worker_restarts away").split()
CONF += "".join('alert all_%s { condition = "%s > 999999" }\n' % (m, m) for m in MEASURES)

os.environ["JOBFLEET_ALERT_SECRET"] = SECRET
os.environ["TEST_HOOK"] = "http://127.0.0.1:%d/hidden-path" % WEB
bed = Bed(CONF)
ENV = dict(os.environ, JOBFLEET_CONFIG=bed.conf)
workers = []


def start_worker():
    log = open(os.path.join(bed.dir, "alerting.log"), "ab")
    workers.append(subprocess.Popen(single(["jobfleet-alerting", "--hostname", "alerting@test"]),
                                    env=ENV, stderr=log, stdout=log))


def stop_worker():
    process = workers.pop()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert not died_of_a_thread(bed.dir)


def call(*words, status=0):
    got = subprocess.run(["jobfleet", "alerts", *words], stdout=subprocess.PIPE, text=True,
                         stderr=subprocess.PIPE, env=ENV, timeout=60, stdin=subprocess.DEVNULL)
    assert got.returncode == status, (words, got.returncode, got.stdout, got.stderr)
    return got.stdout if status == 0 else got.stderr


def listed(name, subject, *words):
    return next((a for a in json.loads(call("--json", *words))
                 if (a["alert"], a["subject"]) == (name, subject)), None)


def posts(path, subject=None, done=True):
    """What was taken there, in order: the body of each."""
    with Hook.lock:
        bodies = [json.loads(b) for p, status, _, b, _ in Hook.got
                  if p == path and (status < 300 or not done)]
    return [b for b in bodies if subject in (None, b["subject"])]


def kinds(path, subject):
    return [b["kind"] for b in posts(path, subject)]


def use(source, percent):
    bed.sql("INSERT INTO jobfleet.provider_quota (source, period, period_start, used, allowed,"
            " resets_at) VALUES (%s, 'month', '2026-11-01', %s, 100, now() + '1 day') ON CONFLICT"
            " (source, period, period_start) DO UPDATE SET used = excluded.used", source, percent)


def state(rule, subject):
    rows = bed.sql("SELECT phase FROM jobfleet.alert_states WHERE rule = %s AND subject = %s",
                   rule, subject)
    return rows[0][0] if rows else None


def a_rule_fires_after_its_time_once_to_all_its_addresses():
    use("jsearch", 50)
    wait_for("it is seen", lambda: state("quota_low", "jsearch") == "ok")
    use("jsearch", 93)
    wait_for("it is pending", lambda: state("quota_low", "jsearch") != "ok")
    wait_for("the webhook", lambda: posts("/hook", "jsearch"))
    wait_for("the mail", lambda: Mail.got)
    row = bed.sql("SELECT fired_at - %s FROM jobfleet.alert_states WHERE rule = 'quota_low'"
                  " AND subject = 'jsearch'", bed.one("SELECT first_at FROM jobfleet.alerts"))
    assert row, "no state"
    post = posts("/hook", "jsearch")[0]
    assert post["alert"] == "quota_low" and post["level"] == "ERROR", post
    assert post["status"] == post["kind"] == "firing" and post["version"] == 1, post
    assert post["message"] == "quota_used of source jsearch is 93 %, over 80 %", post
    sender, to, text = Mail.got[0]
    assert "jobfleet@example.org" in sender and "ops@example.org" in to[0], (sender, to)
    assert "Subject: jobfleet [ERROR] quota_low jsearch" in text, text
    assert "quota_used of source jsearch is 93 %, over 80 %" in text, text
    bed.wait_log("alert firing name=quota_low subject=\"jsearch\" level=ERROR")


def what_a_webhook_gets_is_signed():
    _, _, headers, body, at = next(x for x in Hook.got if x[0] == "/hook")
    want = hmac.new(SECRET.encode(), headers["X-Jobfleet-Timestamp"].encode() + b"." + body,
                    hashlib.sha256).hexdigest()
    assert headers["X-Jobfleet-Signature"] == "v1=" + want, headers
    assert abs(int(headers["X-Jobfleet-Timestamp"]) - at) < 30, headers
    assert headers["X-Jobfleet-Notification"] == json.loads(body)["id"], headers


def it_shows_what_fired_how_often_and_when():
    row = listed("quota_low", "jsearch")
    assert row["state"] == "firing" and row["fired"] == 1 and row["told"] == 1, row
    assert row["since"] and row["rule"] is True and "http://127" in row["told_to"], row
    rules = {(r["rule"], r["subject"]): r for r in json.loads(call("rules", "--json"))}
    rule = rules["quota_low", "jsearch"]
    assert rule["state"] == "firing" and rule["value"] == 93, rule
    assert rules["nobody", rules_host(rules)]["state"] == "ok", rules


def rules_host(rules):
    return next(subject for name, subject in rules if name == "nobody")


def it_is_over_when_it_has_been_fine_for_a_while_and_is_told_to_all():
    use("jsearch", 10)
    wait_for("over", lambda: kinds("/hook", "jsearch") == ["firing", "resolved"])
    wait_for("the mail", lambda: len(Mail.got) == 2)
    assert "[resolved] quota_low jsearch" in Mail.got[1][2], Mail.got[1]
    thread = [line for line in Mail.got[0][2].splitlines() if line.startswith("References:")]
    assert thread and thread[0] in Mail.got[1][2], "one alert's mails belong together"
    assert listed("quota_low", "jsearch") is None
    assert listed("quota_low", "jsearch", "--since=1h")["state"] == "resolved"
    bed.wait_log("alert resolved name=quota_low")


def a_receiver_that_fails_twice_gets_it_by_retries():
    Hook.answers["/hook"] = [500, 503]
    use("adzuna", 90)
    wait_for("it", lambda: posts("/hook", "adzuna"), 60)
    tries = [(x[1], x[4]) for x in Hook.got if x[0] == "/hook"
             and json.loads(x[3])["subject"] == "adzuna"]
    assert [t[0] for t in tries] == [500, 503, 204], tries
    assert tries[2][1] - tries[1][1] >= 0.9, "Retry-After was not kept: %s" % tries
    ids = {json.loads(x[3])["id"] for x in Hook.got if json.loads(x[3])["subject"] == "adzuna"}
    assert len(ids) == 1, ids
    use("adzuna", 0)


def one_that_refuses_for_good_is_not_asked_again_and_somebody_is_told():
    Hook.answers["/refusing"] = [410]
    bed.sql("INSERT INTO jobfleet.source_state (source, failures, opened_at)"
            " VALUES ('fred', 6, now())")
    wait_for("told", lambda: posts("/errors", "http://127.0.0.1:%d/refusing" % WEB))
    assert posts("/errors")[0]["alert"] == "alert_undelivered", posts("/errors")
    assert "410" in posts("/errors")[0]["message"], posts("/errors")
    assert len(posts("/refusing", "fred", done=False)) == 1
    assert "not told" in call(), call()
    bed.sql("UPDATE jobfleet.source_state SET failures = 0, opened_at = NULL")
    wait_for("it takes the next one", lambda: kinds("/refusing", "fred") == ["resolved"])
    wait_for("that is over as well", lambda: len(posts("/errors")) == 2)


def what_a_program_raises_goes_by_its_level():
    bed.sql("SELECT jobfleet.raise_alert('relay_returned', 'q', 'ERROR', '3 messages for queue q')")
    bed.sql("SELECT jobfleet.raise_alert('endpoint_withdrawn', 'x', 'WARNING', 'to the log alone')")
    wait_for("told", lambda: posts("/errors", "q"))
    assert posts("/errors", "q")[0]["message"] == "3 messages for queue q"
    bed.wait_log("alert firing name=endpoint_withdrawn")
    bed.sql("SELECT jobfleet.raise_alert('relay_returned', 'q', 'ERROR', '4 messages for queue q')")
    call("resolve", "relay_returned/q", "--reason=mended")
    wait_for("over", lambda: kinds("/errors", "q") == ["firing", "resolved"])
    assert posts("/errors", "q")[1]["message"].endswith(": mended"), posts("/errors", "q")
    assert listed("relay_returned", "q", "--all")["raised"] == 2
    assert "nothing that a program raised" in call("resolve", "relay_returned", status=1)


def a_rule_takes_over_what_a_program_raised_under_its_name():
    bed.sql("SELECT jobfleet.raise_alert('quota_low', 'census', 'WARNING', '80 of 100 calls')")
    use("census", 85)
    wait_for("told", lambda: state("quota_low", "census") == "firing")
    use("census", 0)
    wait_for("over", lambda: "resolved" in kinds("/hook", "census"))
    assert kinds("/hook", "census") == ["firing", "resolved"], kinds("/hook", "census")


def it_is_repeated_and_escalated_until_somebody_takes_it():
    use("nag", 250)
    wait_for("repeats", lambda: kinds("/hidden-path", "nag").count("repeated") >= 2)
    wait_for("the boss", lambda: kinds("/boss", "nag") == ["escalated"])
    call("ack", "nagging/nag", "--reason=mine")
    row = listed("nagging", "nag")
    assert row["acked_by"] and row["ack_reason"] == "mine" and row["escalated_at"], row
    last = bed.one("SELECT last_told_at FROM jobfleet.alerts WHERE name = 'nagging'")
    wait_for("time goes on", lambda: bed.one(
        "SELECT seen > %s + interval '2.5 s' FROM jobfleet.alert_states WHERE rule = 'nagging'",
        last) or bed.one("SELECT clock_timestamp() > %s + interval '3 s'", last))
    assert bed.one("SELECT last_told_at FROM jobfleet.alerts WHERE name = 'nagging'") == last
    use("nag", 0)
    wait_for("over", lambda: "resolved" in kinds("/hidden-path", "nag")
             and kinds("/boss", "nag") == ["escalated", "resolved"])


def a_hidden_address_stands_nowhere():
    dump = bed.one("SELECT string_agg(x, ' ') FROM (SELECT n::text AS x FROM jobfleet.alert_notices n"
                   " UNION ALL SELECT a::text FROM jobfleet.alerts a"
                   " UNION ALL SELECT p::text FROM jobfleet.pending p) y")
    for text in (dump, bed.log(), bed.log("alerting"), call("--all", "--json")):
        assert "hidden-path" not in text and SECRET not in text


def a_silenced_one_is_told_when_the_silence_ends():
    call("silence", "quota_low/bls", "1h", "--reason=known")
    use("bls", 99)
    wait_for("it fires", lambda: state("quota_low", "bls") == "firing")
    row = listed("quota_low", "bls")
    assert row["silenced_until"] and row["silence_reason"] == "known" and row["told"] == 0, row
    assert "silenced" in call(), call()
    assert posts("/hook", "bls") == []
    call("unsilence", "quota_low")
    wait_for("told", lambda: kinds("/hook", "bls") == ["firing"])
    assert "nothing silences" in call("unsilence", "quota_low", status=1)
    assert "did you mean quota_low?" in call("silence", "quota_lo", "1h", status=1)
    assert "not a time up to a year" in call("silence", "quota_low", "900d", status=100)
    use("bls", 0)
    wait_for("over", lambda: kinds("/hook", "bls") == ["firing", "resolved"])


def a_test_goes_the_real_way():
    rows = json.loads(call("test", "quota_low", "--json"))
    assert [r["state"] for r in rows] == ["sent", "sent"], rows
    assert [b["status"] for b in posts("/hook", "")] == ["test"], posts("/hook", "")
    assert "[test] quota_low" in Mail.got[-1][2], Mail.got[-1]
    rows = json.loads(call("test", "nobody", "--json"))
    assert rows == [], rows


def mail_goes_by_tls_to_a_server_that_the_ca_vouches_for_and_to_no_other():
    pki = os.path.join(bed.dir, "pki")
    os.mkdir(pki)
    for name in ("ca", "strange"):
        make_ca(pki, name)
    for name, ca, san in (("server", "ca", "IP:127.0.0.1"), ("stranger", "strange", "IP:127.0.0.1"),
                          ("other", "ca", "DNS:elsewhere.test")):
        make_certificate(pki, name, ca, san)
    conf = os.path.join(bed.dir, "tls.conf")
    with open(conf, "w") as f:
        f.write(CONF.replace("smtp://127.0.0.1:%d" % SMTP, "smtps://127.0.0.1:%d" % serve(TlsMail)))
    notice = bed.one("SELECT notice FROM jobfleet.alert_notices WHERE address LIKE 'mailto:%%'"
                     " AND kind = 'test' LIMIT 1")
    notice["id"] = "by-tls"
    bed.sql("INSERT INTO jobfleet.alert_notices (id, kind, address, notice) VALUES ('by-tls', 'test', %s,"
            " %s)", notice["address"], json.dumps(notice))
    before = len(Mail.got)

    def deliver(certificate):
        TlsMail.certificate = os.path.join(pki, certificate)
        return subprocess.run(
            ["jobfleet-alerting", "--run", "jobfleet.deliver_alert", json.dumps([notice])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
            env=dict(ENV, JOBFLEET_CONFIG=conf, SSL_CERT_FILE=os.path.join(pki, "ca.crt")))

    for certificate in ("stranger", "other"):
        got = deliver(certificate)
        assert got.returncode == 111 and "the mail server's certificate" in got.stdout, got
    assert len(Mail.got) == before
    got = deliver("server")
    assert got.returncode == 0 and len(Mail.got) == before + 1, got
    assert "[test] quota_low" in Mail.got[-1][2], Mail.got[-1]


def killed_leaders_tell_it_once():
    bed.start("two")
    wait_for("both are there", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.workers WHERE program = 'dispatcher'") == 2)
    subjects = ["many%d" % i for i in range(12)]
    for subject in subjects:
        use(subject, 99)
    wait_for("some are pending", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.alert_states WHERE subject LIKE 'many%%' AND phase <> 'ok'"))
    leader = bed.one("SELECT holder FROM jobfleet.leases").split("@")[0].split("-")[1]
    bed.kill(leader)
    wait_for("all are told", lambda: all(posts("/hook", s) for s in subjects), 60)
    bed.start(leader)
    for subject in subjects:
        use(subject, 0)
    wait_for("all are over", lambda: all("resolved" in kinds("/hook", s) for s in subjects), 60)
    for s in subjects:
        assert kinds("/hook", s) == ["firing", "resolved"], (s, kinds("/hook", s))


def without_its_worker_it_is_told_all_the_same():
    stop_worker()
    use("remotive", 97)
    wait_for("it fires", lambda: state("quota_low", "remotive") == "firing")
    bed.sql("UPDATE jobfleet.alert_notices SET made_at = made_at - interval '2 minutes'"
            " WHERE state = 'waiting'")
    wait_for("told", lambda: kinds("/hook", "remotive").count("firing") == 1)
    start_worker()
    wait_for("the task finds it done", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.alert_notices WHERE state = 'waiting'") == 0)
    use("remotive", 0)
    wait_for("over", lambda: kinds("/hook", "remotive").count("resolved") == 1)
    assert kinds("/hook", "remotive") == ["firing", "resolved"], kinds("/hook", "remotive")


def every_measure_can_be_read():
    assert "cannot be read" not in bed.log() + bed.log("two")
    rules = {r["rule"]: r for r in json.loads(call("rules", "--json"))}
    for name in "oldest_task consumers postings_waiting worker_restarts away raw_files".split():
        assert rules["all_" + name]["value"] is not None, rules["all_" + name]


def what_operators_said_stands_in_the_record():
    done = {r[0] for r in bed.sql("SELECT action FROM jobfleet.operator_actions"
                                  " WHERE outcome = 'done'")}
    assert done >= {"alerts ack", "alerts silence", "alerts unsilence", "alerts resolve",
                    "alerts test"}, done


bed.start()
start_worker()
try:
    run(bed, a_rule_fires_after_its_time_once_to_all_its_addresses, what_a_webhook_gets_is_signed,
        it_shows_what_fired_how_often_and_when,
        it_is_over_when_it_has_been_fine_for_a_while_and_is_told_to_all,
        a_receiver_that_fails_twice_gets_it_by_retries,
        one_that_refuses_for_good_is_not_asked_again_and_somebody_is_told,
        what_a_program_raises_goes_by_its_level,
        a_rule_takes_over_what_a_program_raised_under_its_name,
        it_is_repeated_and_escalated_until_somebody_takes_it, a_hidden_address_stands_nowhere,
        a_silenced_one_is_told_when_the_silence_ends, a_test_goes_the_real_way,
        mail_goes_by_tls_to_a_server_that_the_ca_vouches_for_and_to_no_other,
        killed_leaders_tell_it_once, without_its_worker_it_is_told_all_the_same,
        every_measure_can_be_read, what_operators_said_stands_in_the_record)
finally:
    for process in workers + list(bed.dispatchers.values()):
        process.kill()
