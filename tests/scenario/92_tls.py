#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 150
"""The fleet against services that speak nothing but TLS, under a CA made here; and against one that
shows a certificate of another CA, of another name, an expired one, or none: refused with the reason,
and nothing, no password either, goes out in the clear."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from pki_bed import make_ca, make_certificate

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PASSWORD = "pw-of-tls-test"
SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))


def make_pki():
    """ca: what all trust here. Of the others each is wrong in one thing."""
    directory = os.path.join(tempfile.mkdtemp(), "pki")
    os.mkdir(directory)
    make_ca(directory, "ca")
    make_ca(directory, "strange")
    make_certificate(directory, "server", "ca", "IP:127.0.0.1")
    make_certificate(directory, "other-ca", "strange", "IP:127.0.0.1")
    make_certificate(directory, "other-name", "ca", "DNS:elsewhere.test")
    make_certificate(directory, "expired", "ca", "IP:127.0.0.1", days=-1)
    return directory


if "JOBFLEET_TLS_PKI" not in os.environ:        # once more, inside services of its own
    services = os.path.join(TOP, "tests/services/services")
    pki = make_pki()
    os.execve(services, [services, "run", "--fast", "--tls", pki, "--", *sys.argv],
              dict(os.environ, JOBFLEET_TLS_PKI=pki))

PKI = os.environ["JOBFLEET_TLS_PKI"]
# for the test's own connections; the programs find the CA by SSL_CERT_FILE alone
CA = os.environ["SSL_CERT_FILE"]
URLS = {name: os.environ["JOBFLEET_%s_URL" % name] for name in ("BROKER", "DATABASE", "REDIS")}

from fleet_bed import Fleet, run, wait_for      # noqa: E402


class TlsFleet(Fleet):
    def sql(self, text, *args):
        os.environ["PGSSLROOTCERT"] = CA
        try:
            return super().sql(text, *args)
        finally:
            del os.environ["PGSSLROOTCERT"]


class Imposter:
    """A port that shows one certificate, or takes no TLS at all (None), and keeps what comes in
    the clear. It knows PostgreSQL's question for TLS and answers yes, or without TLS no."""

    def __init__(self, certificate):
        self.context, self.clear, self.inside = None, b"", b""
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(os.path.join(PKI, certificate + ".crt"),
                                         os.path.join(PKI, certificate + ".key"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            connection.settimeout(5)
            try:
                self.meet(connection)
            except OSError:
                pass
            connection.close()

    def meet(self, connection):
        first = connection.recv(8, socket.MSG_PEEK)
        if first == SSL_REQUEST:
            connection.recv(8)
            connection.sendall(b"S" if self.context else b"N")
        if self.context:
            with self.context.wrap_socket(connection, server_side=True) as inside:
                self.inside += inside.recv(4096)
            return
        while True:
            data = connection.recv(4096)
            if not data:
                return
            # a TLS hello is what should come; whoever answers it is left waiting otherwise
            if data[0] == 0x16:
                return
            self.clear += data

    def urls(self, host="127.0.0.1"):
        at = "%s:%d" % (host, self.port)
        return {"JOBFLEET_BROKER_URL": "amqps://guest:%s@%s/%%2F" % (PASSWORD, at),
                "JOBFLEET_DATABASE_URL": "postgresql://fleet:%s@%s/jobfleet?sslmode=verify-full"
                                         % (PASSWORD, at),
                "JOBFLEET_REDIS_URL": "rediss://:%s@%s/0" % (PASSWORD, at)}


def jobfleet(*words, **env):
    return subprocess.run(["jobfleet", *words], env=dict(os.environ, **env), text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def a_fleet_works_over_tls_alone():
    fleet = TlsFleet(workers=("one",))
    fleet.enqueue([("echo.mark", {"note": "mark"})] * 10
                  + [("echo.mark_and_spawn", {"n": 2, "note": "mark"})] * 5)
    fleet.check()
    # every connection of theirs, PostgreSQL's own knowledge
    plain = fleet.sql("SELECT a.application_name FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)"
                      " WHERE a.client_addr IS NOT NULL AND NOT s.ssl")
    assert plain == [], plain

    # the command line: the door with its result, remote control, the look into all three
    env = {"JOBFLEET_CONFIG": fleet.conf}
    got = jobfleet("enqueue", "echo.add", "--queue=echo", "--kwargs={\"x\": 2, \"y\": 3}", "--wait",
                   "--timeout=30", "--quiet", **env)
    assert got.returncode == 0 and got.stdout.strip() == "5", got.stdout
    got = jobfleet("inspect", "ping", "--json", **env)
    assert got.returncode == 0 and "one@test" in got.stdout, got.stdout
    got = jobfleet("doctor", "--json", "--rabbitmqctl=", **env)
    rows = [row for row in json.loads(got.stdout) if row["check"] == "login"]
    assert len(rows) == 3 and {row["level"] for row in rows} == {"ok"}, got.stdout

    # whatever is cut comes back over TLS, and a large message passes
    fleet.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> ''"
              " AND pid <> pg_backend_pid() AND client_addr IS NOT NULL")
    fleet.redis().execute_command("CLIENT", "KILL", "TYPE", "normal")
    fleet.enqueue([("echo.mark", {"note": "mark"})] * 10)
    fleet.check()
    fleet.sent["large"] = ("echo.identity", {"value": "x" * 3000000}, False)
    fleet.publish(["large"])
    got = jobfleet("result", "large", "--wait", "--timeout=30", "--quiet", **env)
    assert got.returncode == 0 and len(got.stdout) > 3000000, got.stdout[:500]
    fleet.close()


def reasons(**urls):
    """What doctor says about each service."""
    got = jobfleet("doctor", "--json", "--rabbitmqctl=", **urls)
    assert PASSWORD not in got.stdout, got.stdout
    return {row["area"]: row for row in json.loads(got.stdout)
            if row["area"] in ("rabbitmq", "postgresql", "redis") and row["check"] == "login"}


def refused(certificate, pattern, host="127.0.0.1"):
    imposter = Imposter(certificate)
    rows = reasons(**imposter.urls(host))
    assert sorted(rows) == ["postgresql", "rabbitmq", "redis"], rows
    for area, row in rows.items():
        assert row["level"] == "fail" and re.search(pattern, row["text"], re.I), (area, row)
    assert imposter.clear == b"" and imposter.inside == b"", (imposter.clear, imposter.inside)


def another_ca_is_refused_and_told():
    refused("other-ca", "certificate.*(unable to get local issuer|verify failed)")


def another_name_is_refused_and_told():
    refused("other-name", "certificate.*mismatch|does not match host name")


def an_expired_certificate_is_refused_and_told():
    refused("expired", "certificate.*(has expired|verify failed)")


def a_service_without_tls_is_refused_and_sees_nothing():
    refused(None, "TLS|SSL")


def a_worker_and_a_dispatcher_say_why_and_send_nothing():
    imposter = Imposter("expired")
    for program in ("salary", "dispatcher"):
        env = dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf"),
                   JOBFLEET_BROKER_URL=imposter.urls()["JOBFLEET_BROKER_URL"])
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(["jobfleet-" + program], env=env, stderr=log)

            def text():
                log.seek(0)
                return log.read()

            try:
                wait_for(program + " says why", lambda: "certificate refused: certificate has expired"
                         in text() or process.poll() is not None, 30)
                assert "certificate has expired" in text() and PASSWORD not in text(), text()
            finally:
                process.kill()
                process.wait()
    assert imposter.clear == b"" and imposter.inside == b"", (imposter.clear, imposter.inside)


def the_services_take_nothing_in_the_clear():
    for name, url in URLS.items():
        plain = {"BROKER": url.replace("amqps:", "amqp:"), "REDIS": url.replace("rediss:", "redis:"),
                 "DATABASE": url.replace("verify-full", "disable")}[name]
        rows = reasons(**{"JOBFLEET_%s_URL" % name: plain})
        area = {"BROKER": "rabbitmq", "REDIS": "redis", "DATABASE": "postgresql"}[name]
        assert rows[area]["level"] == "fail", rows
        assert all(row["level"] == "ok" for key, row in rows.items() if key != area), rows


run(a_fleet_works_over_tls_alone,
    another_ca_is_refused_and_told,
    another_name_is_refused_and_told,
    an_expired_certificate_is_refused_and_told,
    a_service_without_tls_is_refused_and_sees_nothing,
    a_worker_and_a_dispatcher_say_why_and_send_nothing,
    the_services_take_nothing_in_the_clear)
