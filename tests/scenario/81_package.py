#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 240
"""The Debian package: built, clean by lintian, installed in a machine of its own with a real systemd,
upgraded under load, removed, purged."""

import glob
import os
import shutil
import subprocess
import tempfile

from fleet_worker import wait_for
from systemd_bed import BUILD, TOP, Machine, Tasks, run, write

UNITS = ["jobfleet-worker@%s" % os.path.basename(os.path.dirname(p))
         for p in sorted(glob.glob(os.path.join(TOP, "workers/*/main.c")))]
UNITS = [u for u in UNITS if not u.endswith(("@ctl", "@dispatcher", "@drill"))]
UNITS += ["jobfleet-dispatcher"]
ECHO = "jobfleet-worker@echo"
CONF = "/etc/jobfleet/queues.conf"

work = tempfile.mkdtemp()
root = work + "/root"
os.makedirs(root + "/usr/bin")
shutil.copy(os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-echo"), root + "/usr/bin")
write(root, "/srv/queues.conf", open(os.path.join(TOP, "queues.conf")).read() + Tasks.CONF)
machine = Machine(root)
tasks = Tasks(root + "/srv/queues.conf")
machine.run("rm", "-f", "/var/lib/man-db/auto-update")      # an index of all the host's pages


def host(*words):
    quick = dict(os.environ, DPKG_DEB_COMPRESSOR_TYPE="gzip", DPKG_DEB_COMPRESSOR_LEVEL="1")
    got = subprocess.run(words, env=quick, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert got.returncode == 0, "%s: %s" % (words, got.stdout[-4000:])
    return got.stdout.strip()


def newer(package):
    """The same as a later version, with other settings as its default."""
    tree = work + "/newer"
    host("dpkg-deb", "-R", package, tree)
    for path, old, new in ((tree + "/DEBIAN/control", "\nVersion: ", "\nVersion: 99+"),
                           (tree + CONF, "# log_level = INFO", "# log_level = WARNING")):
        with open(path) as f:
            text = f.read()
        assert old in text
        with open(path, "w") as f:
            f.write(text.replace(old, new))
    host("dpkg-deb", "--root-owner-group", "-b", tree, work)
    return glob.glob(work + "/jobfleet_99*.deb")[0]


def dpkg(*words):
    return machine.run("dpkg", "--force-confold", *words).text


def put_in(package):
    shutil.copy(package, "/proc/%s/root/srv/" % machine.init)
    return "/srv/" + os.path.basename(package)


def the_package_is_built_and_lintian_has_nothing_to_say():
    host(os.path.join(TOP, "tools/deb"), BUILD, work + "/deb")
    package = glob.glob(work + "/deb/*.deb")[0]
    said = host("lintian", "--allow-root", "--fail-on", "error,warning", package)
    assert said == "", said
    print("# %s: %.1f MB" % (os.path.basename(package), os.path.getsize(package) / 1e6))


def an_installation_lays_out_what_is_needed_and_starts_nothing():
    dpkg("-i", put_in(glob.glob(work + "/deb/*.deb")[0]))
    assert machine.run("stat", "-c", "%U:%G %a", "/var/lib/jobfleet", "/etc/credstore").text == \
        "jobfleet:jobfleet 750\nroot:root 700"
    assert machine.run("getent", "passwd", "jobfleet").text.endswith(
        ":/var/lib/jobfleet:/usr/sbin/nologin")
    assert CONF in machine.run("dpkg-query", "-W", "-f", "${Conffiles}", "jobfleet").text
    assert "/var/lib/jobfleet" in machine.run("jobfleet", "config", "check").text
    machine.run("man", "-w", "jobfleet", "jobfleet-salary", "queues.conf")
    machine.run("dpkg", "--verify", "jobfleet")
    assert machine.ctl("list-units", "jobfleet*", "--no-legend", "--all") == ""
    assert machine.ctl("is-enabled", "jobfleet.target", check=False) == "disabled"


def the_first_steps_bring_the_fleet_up():
    machine.give_secrets()
    machine.run("sh", "-c", "cat >>" + CONF, stdin=Tasks.CONF)
    machine.ctl("enable", "--now", "jobfleet.target", ECHO)
    assert [machine.show(u, "ActiveState") for u in UNITS] == ["active"] * len(UNITS)
    assert machine.ctl("is-enabled", "jobfleet.target") == "enabled"
    tasks.sql("CREATE TABLE IF NOT EXISTS effects (task_id text, pid int, note text,"
              " at timestamptz DEFAULT clock_timestamp())")


def an_upgrade_under_load_loses_nothing_and_keeps_the_settings():
    package = put_in(newer(glob.glob(work + "/deb/*.deb")[0]))
    running = UNITS + [ECHO]
    before = {unit: machine.pid(unit) for unit in running}
    ids = tasks.enqueue("echo.mark", 150, work_ms=20)
    wait_for("some are done", lambda: tasks.done(ids) > 5, 30, 0.01)
    dpkg("-i", package)
    for unit in running:
        wait_for(unit + " runs anew", lambda: machine.show(unit, "ActiveState") == "active" and
                 machine.pid(unit) != before[unit], 60, 0.1)
        assert machine.show(unit, "NRestarts") == "0", unit
    tasks.check(ids)
    assert "99+" in machine.run("dpkg-query", "-W", "-f", "${Version}", "jobfleet").text
    assert "task echo.mark {" in machine.run("cat", CONF).text
    machine.run("test", "-e", CONF + ".dpkg-dist")


def a_removal_stops_the_fleet_and_keeps_settings_and_data():
    dpkg("-r", "jobfleet")
    assert machine.run("pgrep", "-u", "jobfleet", check=False).text == ""
    assert machine.ctl("list-units", "jobfleet*", "--no-legend", "--type=service") == ""
    machine.run("test", "-e", CONF)
    machine.run("test", "-d", "/var/lib/jobfleet")
    machine.run("test", "!", "-e", "/usr/bin/jobfleet")


def a_purge_leaves_nothing_but_the_administrators_own():
    dpkg("-P", "jobfleet")
    left = machine.run("find", "/etc", "/lib/systemd", "/usr/lib", "/usr/share", "/usr/bin",
                       "/var/lib/jobfleet", "/run", "-xdev", "(", "-name", "jobfleet*", "-o",
                       "-user", "jobfleet", ")", "-not", "-name", "jobfleet-echo", check=False).text
    left = [line for line in left.splitlines() if "No such file" not in line]
    assert left == [], left
    machine.run("test", "-e", "/etc/credstore/JOBFLEET_DATABASE_URL")


def the_machine_ends_in_order():
    assert machine.close() == 0


run(the_package_is_built_and_lintian_has_nothing_to_say,
    an_installation_lays_out_what_is_needed_and_starts_nothing,
    the_first_steps_bring_the_fleet_up,
    an_upgrade_under_load_loses_nothing_and_keeps_the_settings,
    a_removal_stops_the_fleet_and_keeps_settings_and_data,
    a_purge_leaves_nothing_but_the_administrators_own,
    after=(the_machine_ends_in_order,))
