#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 200
"""The fleet as its units run it, in a real systemd: start, readiness, watchdog, scale, reload, stop
under load, loss of a child, wrong settings, secrets, journal."""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

from fleet_worker import wait_for
from systemd_bed import SECRETS, TOP, Machine, Tasks, install, run, write

PROGRAMS = sorted(os.path.basename(os.path.dirname(p)) for p in
                  glob.glob(os.path.join(TOP, "workers/*/main.c")))
WORKERS = ["jobfleet-worker@%s" % p for p in PROGRAMS if p not in ("ctl", "dispatcher", "drill")]
ECHO = "jobfleet-worker@echo"
EXPOSURE_MOST = 1.5

root = os.path.join(tempfile.mkdtemp(), "root")
os.makedirs(root)
install(root)
shutil.copy(os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-echo"), root + "/usr/bin")
conf = root + "/etc/jobfleet/queues.conf"
with open(conf) as shipped:
    write(root, "/etc/jobfleet/queues.conf", shipped.read() + Tasks.CONF)
write(root, "/etc/systemd/system/%s.service.d/test.conf" % ECHO,
      "[Service]\nLogRateLimitIntervalSec=600\nLogRateLimitBurst=20\n")
machine = Machine(root)
machine.run("systemd-sysusers", "jobfleet.conf")
machine.run("systemd-tmpfiles", "--create", "jobfleet.conf")
machine.ctl("daemon-reload")
machine.give_secrets()
tasks = Tasks(conf)

# The providers that the fleet asks: their addresses from /etc/default, their keys as credentials.
port_file = os.path.join(os.path.dirname(root), "port")
providers = subprocess.Popen([os.path.join(TOP, "tests/providers/server"), "--port-file", port_file,
                              "--die-with-parent"], stdout=subprocess.DEVNULL)
wait_for("the provider server", lambda: os.path.exists(port_file) and open(port_file).read(), 60)
ADDRESS = "http://127.0.0.1:" + open(port_file).read().strip()
machine.run("sh", "-c", "cat >/etc/default/jobfleet", stdin="".join(
    "JOBFLEET_SOURCE_%s_URL=%s/%s\n" % (name.upper(), ADDRESS, name)
    for name in ("jsearch", "bls", "census", "fred")))
for key in ("RAPIDAPI_KEY", "BLS_API_KEY", "CENSUS_API_KEY", "FRED_API_KEY"):
    machine.run("sh", "-c", "umask 77; echo a-key >$0", "/etc/credstore/" + key)


def the_units_are_correct_and_expose_little():
    units = ["jobfleet.target", "jobfleet-dispatcher.service", "jobfleet-migrate.service",
             WORKERS[0] + ".service"]
    paths = ["/usr/lib/systemd/system/" + unit.replace(WORKERS[0], "jobfleet-worker@")
             for unit in units]
    got = machine.run("systemd-analyze", "verify", "--man=no", *paths)
    assert got.text == "", got.text
    for unit in units[1:]:
        text = machine.run("systemd-analyze", "security", "--no-pager", unit).text
        level = float(re.search(r"Overall exposure level for .*: ([\d.]+)", text).group(1))
        print("# exposure of %s: %.1f" % (unit, level))
        assert level <= EXPOSURE_MOST, text


def the_target_brings_up_the_whole_fleet_after_the_schema():
    started = time.monotonic()
    machine.ctl("start", "jobfleet.target")
    print("# from nothing to ready, schema included: %.2f s" % (time.monotonic() - started))
    schema = int(machine.show("jobfleet-migrate", "ActiveEnterTimestampMonotonic"))
    for unit in WORKERS + ["jobfleet-dispatcher"]:
        state, began, status = machine.show(unit, "ActiveState", "ExecMainStartTimestampMonotonic",
                                            "StatusText")
        assert state == "active", (unit, state)
        assert int(began) > schema, "%s did not wait for the schema" % unit
        wait_for("a status of " + unit, lambda: machine.show(unit, "StatusText"), 20, 0.05)
    assert "consum" in machine.show(WORKERS[0], "StatusText"), status
    machine.ctl("stop", "jobfleet.target")
    for unit in WORKERS + ["jobfleet-dispatcher"]:
        machine.wait_state(unit, "inactive")
        assert machine.show(unit, "Result") == "success", unit
    started = time.monotonic()
    machine.ctl("start", "jobfleet.target")
    print("# started again: %.2f s" % (time.monotonic() - started))
    tasks.sql("CREATE TABLE IF NOT EXISTS effects (task_id text, pid int, note text,"
              " at timestamptz DEFAULT clock_timestamp())")


def health_and_metrics_are_answered_inside_the_dispatchers_sandbox():
    unit = "jobfleet-dispatcher"
    machine.drop_in(unit, "[Service]\nEnvironment=JOBFLEET_HTTP_LISTEN=127.0.0.1:0\n", "http")
    machine.ctl("restart", unit)

    def address():
        return [e["MESSAGE"].split()[-1] for e in machine.journal("-u", unit)
                if "answering /metrics and /health at 127.0.0.1:" in e["MESSAGE"]
                and "9470" not in e["MESSAGE"]]
    wait_for("the dispatcher says where", address, 20, 0.1)
    where = "http://" + address()[-1]

    def ready():
        try:
            with urllib.request.urlopen(where + "/health/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:         # 503 until the services were reached
            return False
    wait_for("GET /health/ready answers 200", ready, 30, 0.1)
    with urllib.request.urlopen(where + "/metrics", timeout=20) as answer:
        assert b"jobfleet_" in answer.read(), answer.headers


def secrets_reach_the_unit_and_nobody_else():
    unit, other = WORKERS[0], WORKERS[1]
    path = "/run/credentials/%s.service/%s" % (unit, SECRETS[1])
    secret = os.environ[SECRETS[1]]
    password = re.search(r":([^:@/]+)@", secret).group(1)
    for user in ("nobody", "jobfleet"):
        got = machine.run("cat", "/etc/credstore/" + SECRETS[1], user=user, check=False)
        assert got.returncode != 0 and password not in got.text, (user, got.text)
    assert machine.run("cat", path, user="nobody", check=False).returncode != 0
    # the same user, but where another unit runs
    for where, expected in ((unit, True), (other, False)):
        got = machine.run("nsenter", "-t", str(machine.pid(where)), "-m", "setpriv",
                          "--reuid=jobfleet", "--clear-groups", "cat", path, check=False)
        assert (secret in got.text) == expected, (where, got.text)
    shown = machine.run("sh", "-c", "for p in $(pgrep -u jobfleet); do"
                        " tr '\\0' '\\n' </proc/$p/environ; tr '\\0' ' ' </proc/$p/cmdline; done").text
    assert password not in shown and "CREDENTIALS_DIRECTORY=" in shown
    assert password not in machine.ctl("show", unit) + machine.run("journalctl", "-b").text


def the_pipeline_and_salaries_run_with_all_that_is_taken_away():
    got = json.loads(tasks.jobfleet("pipeline", "run", "software engineer", "New York, NY",
                                    "--results=10", "--source=jsearch", "--wait", "--json",
                                    "--quiet"))
    assert got["status"] == "success" and got["collected"] > 0, got
    assert got["loaded"] + got["duplicates"] == got["processed"], got
    kept = machine.run("find", "/var/lib/jobfleet/raw_collections", "-type", "f", "-user",
                       "jobfleet").text
    assert kept, "there is no copy of the answer"
    salary = json.loads(tasks.jobfleet(
        "enqueue", "backend.tasks.salary_data_tasks.fetch_salary_data", "--wait", "--quiet",
        '{"location": "New York, NY", "occupation": "Software Engineer"}'))
    assert "bls" in json.dumps(salary).lower(), salary
    tasks.jobfleet("enqueue", "backend.tasks.salary_data_tasks.update_confidence_scores",
                   "New York, NY", "Software Engineer", "--wait", "--quiet")


def every_secret_that_the_settings_name_has_a_credential():
    with open(os.path.join(TOP, "systemd/credentials.conf")) as f:
        known = set(re.findall(r"^LoadCredential=(\w+)$", f.read(), re.M))
    with open(os.path.join(TOP, "queues.conf")) as f:
        named = set(re.findall(r"^\t(?:# )?\w*_variable = (\w+)$", f.read(), re.M))
    assert named - known == set(), named - known


def the_dispatchers_user_scales_workers_to_three_and_back():
    three = [ECHO, ECHO + ":2", ECHO + ":3"]
    machine.ctl("start", *three, user="jobfleet")
    nodes = [row[0] for row in tasks.sql("SELECT node FROM jobfleet.workers WHERE program = 'echo'"
                                         " ORDER BY node")]
    assert nodes == ["echo:2@sandbox", "echo:3@sandbox", "echo@sandbox"], nodes
    ids = tasks.enqueue("echo.mark", 30, work_ms=30)
    tasks.check(ids)
    machine.ctl("stop", *three[1:], user="jobfleet")
    # the dispatcher itself, inside all that its unit takes from it
    ids = machine.run("id", "-u", "jobfleet").text, machine.run("id", "-g", "jobfleet").text
    for verb in ("start", "stop"):
        machine.run("nsenter", "-t", str(machine.pid("jobfleet-dispatcher")), "-m", "-U",
                    "--setuid", ids[0], "--setgid", ids[1], "systemctl", verb, three[2])
    assert [machine.show(unit, "ActiveState", "Result") for unit in three[1:]] == [
        ["inactive", "success"]] * 2
    for user, words in (("nobody", ["start", three[1]]), ("jobfleet", ["stop", "dbus.socket"]),
                        ("jobfleet", ["stop", "jobfleet-dispatcher"]),
                        ("jobfleet", ["kill", three[0]]), ("jobfleet", ["mask", three[1]])):
        got = machine.run("systemctl", "--no-ask-password", *words, user=user, check=False)
        assert got.returncode != 0, "%s may %s" % (user, words)


def by_hand_too_where_polkit_lets_one():
    def scale(n, user):
        got = machine.run("jobfleet", "scale", "echo", "--instances=%s" % n, "--json", "--quiet",
                          user=user, check=False)
        return got.returncode, got.text

    status, text = scale(2, "jobfleet")
    assert status == 0 and [(r["instance"], r["before"], r["after"]) for r in json.loads(
        text[text.index("["):])] == [("echo", "up", "up"), ("echo:2", "-", "up")], text
    status, text = scale(3, "nobody")
    assert status == 100 and "systemd does not let user id" in text, (status, text)
    status, text = scale(1, "jobfleet")
    assert status in (0, 1), text       # 1: it is still ending
    machine.wait_state(ECHO + ":2", "inactive")
    assert machine.show(ECHO, "ActiveState") == "active"


def the_dispatcher_scales_by_backlog_and_back():
    beat = "/etc/systemd/system/jobfleet-worker@.service.d"
    plain = machine.run("cat", "/etc/jobfleet/queues.conf").stdout
    machine.run("sh", "-c", "mkdir -p $0 && cat >$0/beat.conf", beat,
                stdin="[Service]\nEnvironment=JOBFLEET_HEARTBEAT=1s\n")
    machine.ctl("daemon-reload")
    machine.ctl("restart", ECHO)

    def settings(text):
        machine.run("sh", "-c", "cat >/etc/jobfleet/queues.conf", stdin=text)
        machine.ctl("reload", "jobfleet-dispatcher")

    assert "program = \"echo\"\n" in plain
    settings(plain.replace("program = \"echo\"\n", "program = \"echo\"\n\tinstances = {1, 3}\n"
                           "\tscale_target = 1s\n\tscale_up_after = 1s\n\tscale_down_after = 3s\n"))
    ids = tasks.enqueue("echo.mark", 300, work_ms=100)
    more = [ECHO + ":2", ECHO + ":3"]
    for unit in more:
        machine.wait_state(unit, "active")
    nodes = [row[0] for row in tasks.sql("SELECT node FROM jobfleet.workers WHERE program = 'echo'"
                                         " AND state IN ('starting', 'running') ORDER BY node")]
    assert nodes == ["echo:2@sandbox", "echo:3@sandbox", "echo@sandbox"], nodes
    tasks.check(ids)
    for unit in more:
        machine.wait_state(unit, "inactive")
        assert machine.show(unit, "Result") == "success", unit
    assert machine.show(ECHO, "ActiveState", "NRestarts") == ["active", "0"]
    steps = tasks.sql("SELECT arguments->>2, outcome FROM jobfleet.operator_actions WHERE operator ="
                      " 'autoscale' ORDER BY id")
    print("# %s" % [step[0] for step in steps])
    assert steps[:2] == [("--instances=2", "done"), ("--instances=3", "done")], steps
    assert steps[-1] == ("--instances=1", "done") and len(steps) <= 4, steps
    settings(plain)
    machine.run("rm", "-r", beat)
    machine.ctl("daemon-reload")
    machine.ctl("restart", ECHO)


def a_stopped_process_is_ended_by_the_watchdog_and_started_again():
    units = [ECHO + ":4", "jobfleet-dispatcher"]
    for unit in units:
        machine.drop_in(unit, "[Service]\nWatchdogSec=2\n")
    machine.ctl("restart", *units)
    began = time.monotonic()
    before = [machine.pid(unit) for unit in units]
    machine.run("kill", "-STOP", *map(str, before))
    for unit, pid in zip(units, before):
        machine.restarted(unit, 1)
        assert machine.pid(unit) != pid
        assert machine.said(unit, "Watchdog timeout"), unit
    print("# two stopped programs were there again after %.1f s" % (time.monotonic() - began))
    machine.run("sh", "-c", "rm /etc/systemd/system/jobfleet-dispatcher.service.d/test.conf")
    machine.ctl("daemon-reload")
    machine.ctl("stop", units[0])


def reload_takes_a_good_file_and_refuses_a_bad_one():
    good = machine.run("cat", "/etc/jobfleet/queues.conf").stdout
    before = machine.pid(ECHO)

    def reload(text):
        machine.run("sh", "-c", "cat >/etc/jobfleet/queues.conf", stdin=text)
        machine.ctl("reload", ECHO)

    reload(good.replace("program = \"echo\"\n\tconcurrency = {2, 2}",
                        "program = \"echo\"\n\tconcurrency = {3, 3}"))
    wait_for("it has three children", lambda: machine.said(ECHO, "children=3"), 20, 0.05)
    reload(good + "queue broken {\n")
    wait_for("the bad file is refused", lambda: machine.said(ECHO, "reload refused"), 20, 0.05)
    machine.wait_state(ECHO, "active", 20)
    assert machine.run("systemctl", "reload", "jobfleet-migrate", check=False).returncode != 0
    reload(good)
    wait_for("it is as before", lambda: machine.said(ECHO, "children=2"), 20, 0.05)
    machine.ctl("reload", "jobfleet-*")
    assert machine.pid(ECHO) == before
    machine.wait_state(ECHO, "active", 20)


def a_stop_under_load_loses_nothing_and_repeats_nothing():
    ids = tasks.enqueue("echo.mark", 200, work_ms=10)
    ids += tasks.enqueue("echo.mark_loose", 50, work_ms=10)
    wait_for("some are done", lambda: tasks.done(ids) > 20, 30, 0.01)
    # beside: a child that dies costs its task a start, and the unit nothing
    machine.run("pkill", "-KILL", "-n", "jobfleet-echo")
    began = time.monotonic()
    machine.ctl("stop", ECHO)
    took = time.monotonic() - began
    assert machine.show(ECHO, "Result", "NRestarts") == ["success", "0"]
    left = len(ids) - tasks.done(ids)
    print("# stopped after %.2f s with %d tasks left" % (took, left))
    machine.ctl("start", ECHO)
    marked = ids[:200]
    tasks.check(marked)
    wait_for("the loose ones are done", lambda: tasks.one(
        "SELECT count(DISTINCT task_id) FROM effects WHERE task_id = ANY(%s)", ids[200:]) == 50)


def a_stop_waits_for_a_task_inside_its_own_limit_only():
    unit = ECHO + ":5"
    machine.ctl("stop", ECHO)
    machine.drop_in(unit, "[Service]\nTimeoutStopSec=2\n")
    machine.ctl("start", unit)
    limited = tasks.enqueue("echo.mark", work_ms=4500)
    wait_for("it runs", lambda: "1 running" in machine.show(unit, "StatusText"), 20, 0.05)
    began = time.monotonic()
    machine.ctl("stop", unit)
    took = time.monotonic() - began
    assert machine.show(unit, "Result") == "success" and took > 2.5, (took, machine.show(unit, "Result"))
    tasks.check(limited)
    machine.ctl("start", unit)
    endless = tasks.enqueue("echo.mark_loose", work_ms=600000)[0]
    wait_for("it runs", lambda: "1 running" in machine.show(unit, "StatusText"), 20, 0.05)
    tasks.jobfleet("revoke", endless, "--quiet")
    machine.ctl("stop", unit)
    assert machine.show(unit, "Result") == "timeout", machine.show(unit, "Result")


def a_child_without_memory_dies_alone():
    unit = ECHO + ":6"
    machine.drop_in(unit, "[Service]\nMemoryMax=64M\n")
    machine.ctl("start", unit)
    before = machine.pid(unit)
    greedy = tasks.enqueue("echo.swell", mib=400)[0]
    modest = tasks.enqueue("echo.mark", 5)
    wait_for("its starts are used up", lambda: tasks.sql(
        "SELECT 1 FROM jobfleet.dead_letters WHERE task_id = %s", greedy), 30, 0.1)
    tasks.check(modest)
    assert machine.show(unit, "ActiveState", "NRestarts") == ["active", "0"]
    assert machine.pid(unit) == before
    lost = [entry for entry in machine.journal("-u", unit) if "child lost" in entry["MESSAGE"]]
    assert lost and lost[0]["JOBFLEET_TASK_ID"] == greedy, lost
    assert lost[0]["JOBFLEET_TASK"] == "echo.swell" and lost[0]["JOBFLEET_QUEUE"] == "echo", lost
    machine.ctl("stop", unit)


def a_newer_schema_is_borne_and_an_older_one_waited_for():
    """As with two versions side by side: each looks at the schema that the other left."""
    newest = tasks.one("SELECT max(number) FROM jobfleet.migrations")
    machine.ctl("start", ECHO)
    tasks.sql("INSERT INTO jobfleet.migrations (number, name, checksum, run_ms)"
              " VALUES (%s, 'of a later version', '', 0)", newest + 1)
    tasks.check(tasks.enqueue("echo.mark", 5))
    machine.ctl("restart", "jobfleet-migrate", ECHO, "jobfleet-dispatcher")
    tasks.check(tasks.enqueue("echo.mark", 5))
    machine.ctl("stop", ECHO)
    tasks.sql("DELETE FROM jobfleet.migrations WHERE number > %s", newest)
    kept = tasks.sql("DELETE FROM jobfleet.migrations WHERE number = %s RETURNING number, name,"
                     " checksum, run_ms", newest)[0]
    waiting = tasks.enqueue("echo.mark", 5)
    for unit in (ECHO, "jobfleet-dispatcher"):
        machine.run("systemctl", "restart", unit, check=False)
        wait_for("%s tries again" % unit, lambda: int(machine.show(unit, "NRestarts")) > 0, 30, 0.1)
        assert machine.said(unit, "run jobfleet migrate"), unit
    assert tasks.done(waiting) == 0
    tasks.sql("INSERT INTO jobfleet.migrations (number, name, checksum, run_ms)"
              " VALUES (%s, %s, %s, %s)", *kept)
    for unit in (ECHO, "jobfleet-dispatcher"):
        machine.wait_state(unit, "active")
    tasks.check(waiting)


def a_shutdown_by_remote_control_stays_down():
    machine.ctl("restart", ECHO)
    # Celery's own; nobody answers to this request, which it takes for a fault
    subprocess.run(["/usr/bin/python3", "-m", "celery", "-b", os.environ["JOBFLEET_BROKER_URL"],
                    "control", "-d", "echo@sandbox", "shutdown"], timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine.wait_state(ECHO, "inactive", 20)
    assert machine.show(ECHO, "Result", "NRestarts") == ["success", "0"]
    machine.ctl("start", ECHO)


def wrong_settings_are_not_tried_again():
    machine.run("sh", "-c", "echo 'fleet { heartbeat = often }' >/etc/jobfleet/wrong.conf")
    wrong, unknown = ECHO + ":7", "jobfleet-worker@nothing"
    machine.drop_in(wrong, "[Service]\nEnvironment=JOBFLEET_CONFIG=/etc/jobfleet/wrong.conf\n")
    for unit, word in ((wrong, "wrong.conf:1"), (unknown, "no program")):
        assert machine.run("systemctl", "start", unit, check=False).returncode != 0
        assert machine.show(unit, "ActiveState", "ExecMainStatus", "NRestarts") == [
            "failed", "100", "0"], unit
        assert machine.said(unit, word), machine.journal("-u", unit)


def crashes_are_started_again_at_once_then_slower():
    unit = WORKERS[0]
    began = []
    for times in (1, 2):
        before = time.monotonic()
        machine.run("kill", "-KILL", str(machine.pid(unit)))
        machine.restarted(unit, times)
        began.append(time.monotonic() - before)
    print("# there again after %.2f s, then after %.2f s" % tuple(began))
    assert began[1] > 1.2, began
    assert machine.said(unit, "failed 2 times, waiting 1 s")
    machine.ctl("restart", unit)
    machine.run("test", "!", "-e", "/run/jobfleet/%s/failures" % unit.partition("@")[2])


def the_journal_has_a_tasks_fields_and_loses_no_line_that_matters():
    entries = machine.journal("-u", ECHO)
    settled = [e for e in entries if "task settled" in e["MESSAGE"]]
    known = {row[0] for row in tasks.sql("SELECT task_id FROM effects")}
    assert settled
    for entry in settled:
        assert entry["JOBFLEET_TASK_ID"] in known, entry
        assert entry["JOBFLEET_TASK"].startswith("echo.mark"), entry
        assert entry["JOBFLEET_QUEUE"] == "echo" and int(entry["JOBFLEET_ATTEMPT"]) >= 1, entry
        assert entry["PRIORITY"] == "7" and entry["JOBFLEET_PROGRAM"] == "jobfleet-echo", entry
    ran = tasks.one("SELECT count(*) FROM effects")
    assert len(settled) < ran, "the flood of %d lines was not limited: the test shows nothing" % ran
    print("# %d of %d lines of tasks were kept" % (len(settled), ran))
    for text in ("ready node=", "draining reason=SIGTERM", "stopped processed=", "reload refused"):
        lines = [e for e in entries if text in e["MESSAGE"]]
        assert lines and all(e["PRIORITY"] in "36" for e in lines), text
    told = subprocess.run(
        ["nsenter", "-t", machine.init, "-m", "-u", "-p", "jobfleet", "logs", settled[0]["JOBFLEET_TASK_ID"],
         "--json"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "task settled" in json.loads(told.splitlines()[0])["line"], told


def groups():
    return glob.glob("/sys/fs/cgroup/**/sandbox-%d" % machine.process.pid, recursive=True)


def the_machine_leaves_nothing_behind_even_when_it_is_killed():
    assert groups()
    machine.process.kill()
    machine.process.wait(20)
    wait_for("its processes are gone", lambda: not os.path.exists("/proc/" + machine.init), 60, 0.05)
    wait_for("its cgroups are gone", lambda: not groups(), 60, 0.1)


run(the_units_are_correct_and_expose_little,
    the_target_brings_up_the_whole_fleet_after_the_schema,
    health_and_metrics_are_answered_inside_the_dispatchers_sandbox,
    secrets_reach_the_unit_and_nobody_else,
    every_secret_that_the_settings_name_has_a_credential,
    the_pipeline_and_salaries_run_with_all_that_is_taken_away,
    the_dispatchers_user_scales_workers_to_three_and_back,
    by_hand_too_where_polkit_lets_one, the_dispatcher_scales_by_backlog_and_back,
    a_stopped_process_is_ended_by_the_watchdog_and_started_again,
    reload_takes_a_good_file_and_refuses_a_bad_one,
    a_stop_under_load_loses_nothing_and_repeats_nothing,
    a_stop_waits_for_a_task_inside_its_own_limit_only,
    a_child_without_memory_dies_alone,
    a_newer_schema_is_borne_and_an_older_one_waited_for,
    a_shutdown_by_remote_control_stays_down,
    wrong_settings_are_not_tried_again,
    crashes_are_started_again_at_once_then_slower,
    the_journal_has_a_tasks_fields_and_loses_no_line_that_matters,
    after=(the_machine_leaves_nothing_behind_even_when_it_is_killed,))
