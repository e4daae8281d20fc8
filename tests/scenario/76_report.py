#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 180
"""`jobfleet report` of a fleet that did nothing, and of one that ran the pipeline, met wrong calls and
hostile names: the page is opened in a real browser, wide and narrow, light and dark, and read there:
every plot has the marks that its numbers want, no text lies over another or beyond its place, no name
became an element. And where the page goes: a file that is there whole or not at all."""

import os
import re
import shutil
import subprocess
import sys

import pika

from browser_bed import Browser
from collection_bed import BIN, LIMIT_S, QUEUE, TEMP, Fleet, run_all, wait_for

PLOTS = ["throughput", "run-time", "queue-wait", "failures", "queues", "stages", "postings", "quality",
         "quota", "schedules", "tasks", "alerts"]
EVIL = "<img src=x onerror=alert(1)>\u202e'\"&\x1b[2J" + "W" * 150
PAGE = os.path.join(TEMP, "page.html")

fleet = Fleet(edit=lambda text: re.sub(r"^\trate = .*", "\trate = 1000/s", text, flags=re.M))
browser = Browser()
stages = {}

# All in one look: what a reader would stumble over. Text that is cut off by its own place counts as
# far as it is seen.
LOOK = r"""(() => {
  const seen = e => e.checkVisibility({checkOpacity: true});
  const cut = (r, e) => {
    const clip = e.closest('svg.clip');
    if (!clip)
      return r;
    const left = clip.parentElement.getScreenCTM().e + clip.x.baseVal.value;
    return {left: Math.max(r.left, left), right: Math.min(r.right, left + clip.width.baseVal.value),
      top: r.top, bottom: r.bottom};
  };
  const faults = [], plots = {};
  for (const svg of document.querySelectorAll('svg.plot')) {
    const box = svg.closest('section').getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].filter(seen).map(
      e => ({text: e.textContent, r: cut(e.getBoundingClientRect(), e)}));
    for (const e of [...svg.querySelectorAll('text.value')].filter(seen))
      if (e.getBBox().width > e.closest('svg').width.baseVal.value)
        faults.push([svg.id, 'cut off', e.textContent]);
    texts.forEach((a, i) => {
      if (a.r.left < box.left || a.r.right > box.right || a.r.top < box.top || a.r.bottom > box.bottom)
        faults.push([svg.id, 'beyond its place', a.text]);
      for (const b of texts.slice(i + 1))
        if (a.r.left < b.r.right - 1 && b.r.left < a.r.right - 1 && a.r.top < b.r.bottom - 3 &&
            b.r.top < a.r.bottom - 3)
          faults.push([svg.id, 'one over the other', a.text, b.text]);
    });
    for (const m of svg.querySelectorAll('.mark')) {
      const r = m.getBoundingClientRect();
      if (r.left < box.left || r.right > box.right || r.bottom > box.bottom || !(r.width >= 0))
        faults.push([svg.id, 'a mark beyond its place', m.textContent]);
    }
    plots[svg.id.slice(2)] = {
      marks: [...svg.querySelectorAll('.mark')].map(m => m.querySelector('title').textContent),
      named: svg.getAttribute('aria-labelledby').split(' ').every(i => document.getElementById(i).textContent),
      cells: [...svg.closest('section').querySelectorAll('tbody tr')].map(
        tr => [...tr.children].map(td => td.textContent))};
  }
  for (const e of document.querySelectorAll('body *'))
    if (seen(e) && !e.closest('svg') && !e.closest('.scroll') && !e.matches('caption') &&
        e.getBoundingClientRect().right > innerWidth + 1)
      faults.push([e.tagName, 'wider than the screen', e.textContent.slice(0, 40)]);
  return {faults, plots, wide: document.documentElement.scrollWidth,
    ids: [...document.querySelectorAll('[id]')].map(e => e.id),
    tags: [...new Set([...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase()))].sort(),
    handlers: [...document.querySelectorAll('*')].filter(
      e => [...e.attributes].some(a => a.name.startsWith('on') || /^(src|href)$/.test(a.name))).length,
    empty: [...document.querySelectorAll('.empty')].map(e => e.textContent),
    text: document.body.textContent, color: getComputedStyle(document.body).backgroundColor};
})()"""
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "main", "footer", "h1", "h2", "p", "dl",
        "div", "dt", "dd", "section", "svg", "desc", "text", "line", "rect", "circle", "polyline", "ul", "li",
        "span", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td"}


def jobfleet(*words, status=0, **env):
    got = subprocess.run([os.path.join(BIN, "jobfleet"), *words], env=dict(fleet.env, **env), timeout=60,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TEMP)
    assert got.returncode == status, (words, got.returncode, got.stdout[:500], got.stderr)
    return got.stdout, got.stderr


def start(program):
    with open(os.path.join(TEMP, program + ".log"), "ab") as log:
        stages[program] = subprocess.Popen([os.path.join(BIN, "jobfleet-" + program)], env=fleet.env,
                                           stderr=log, cwd=TEMP)


def seen(width, dark=False, opened=False):
    """The page as it is read at a width; nothing of it may be odd, whatever it shows."""
    browser.open(PAGE, width, dark=dark)
    if opened:
        browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    got = browser.evaluate(LOOK)
    keep = os.environ.get("JOBFLEET_PICTURES")
    if keep:
        browser.picture(os.path.join(keep, "report-%d%s%s.png" % (width, "-dark" * dark, "-open" * opened)))
    assert browser.complaints() == [] and browser.asked_for() == ["file://" + PAGE], browser.events
    assert got["faults"] == [] and got["wide"] <= width, (width, got["faults"][:5], got["wide"])
    assert set(got["tags"]) <= TAGS and got["handlers"] == 0, set(got["tags"]) - TAGS
    assert len(got["ids"]) == len(set(got["ids"])), got["ids"]
    assert all(p["named"] for p in got["plots"].values())
    return got


def a_fleet_that_did_nothing_says_so():
    wait_for("nothing is under way", lambda: fleet.sql("SELECT count(*) FROM jobfleet.ledger") == [(0,)])
    fleet.sql("DELETE FROM jobfleet.alerts")
    jobfleet("report", "--output", PAGE, "--since=1h")
    for width in 1200, 400:
        got = seen(width)
        assert list(got["plots"]) == ["queues"], list(got["plots"])
        assert "No task ended in this time." in got["empty"] and len(got["empty"]) == 11, got["empty"]


def make_history():
    """Real work: a run of the pipeline, calls that fail, a message nobody can read."""
    jobfleet("pipeline", "run", "software engineer", "New York, NY", "--results", "20", "--wait", "--quiet")
    wrong = [fleet.app.send_task("jobfleet.collect_jobs", args=["x"], kwargs={EVIL: 1}, queue=QUEUE)
             for _ in range(3)]
    with pika.BlockingConnection(pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"])) as link:
        link.channel().basic_publish("", QUEUE, EVIL.encode(), pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8",
            headers={"task": EVIL, "lang": "py", "retries": 0}))
    for task in wrong:
        task.get(timeout=LIMIT_S, propagate=False)
    wait_for("the dead letter", lambda: fleet.sql("SELECT 1 FROM jobfleet.dead_letters"))
    # whether a follow-up's send is marked before it starts is chance; this one's wait is known
    fleet.sql("INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, cause, node, sent_at, started_at)"
              " VALUES ('evil-2', 'failure', true, %s, 'q', %s, 'n', now() - interval '5 s',"
              " now() - interval '3 s')", EVIL, EVIL)
    fleet.sql("SELECT jobfleet.raise_alert(%s, %s, 'ERROR', %s)", EVIL.replace("\x1b", ""), EVIL, EVIL)
    fleet.sql("INSERT INTO jobfleet.schedule_fires (schedule, due, task_id, fired_by, started_at, ended_at, outcome)"
              " SELECT 'nightly', now() - n * interval '3 h', n::text, 'x', now() - n * interval '3 h',"
              " now() - n * interval '3 h' + interval '2 s', CASE WHEN n %% 4 = 1 THEN 'failure' ELSE 'success' END"
              " FROM generate_series(1, 15) n WHERE %s", True)


def numbers(titles, word):
    return sum(int(re.match(r".*: ([\d,]+) ", t).group(1).replace(",", "")) for t in titles if t.endswith(word))


def every_plot_shows_what_the_tables_hold():
    make_history()
    wait_for("the bound is written down", lambda: fleet.sql("SELECT 1 FROM jobfleet.provider_quota"))
    jobfleet("report", "-o", PAGE, "--since=2h")
    got = seen(1200)
    plots = got["plots"]
    assert sorted(plots) == sorted(PLOTS), set(PLOTS) ^ set(plots)
    ended = dict(fleet.sql("SELECT outcome, count(*) FROM jobfleet.ledger GROUP BY 1"))
    marks = plots["throughput"]["marks"]
    assert numbers(marks, " succeeded") == ended["success"], (marks, ended)
    assert numbers(marks, " failed") == ended["failure"] >= 3, (marks, ended)
    for name in "throughput", "postings":       # a mark for each number above 0
        cells = [c for row in plots[name]["cells"] for c in row[1:]]
        assert len(plots[name]["marks"]) == sum(c not in ("0", "-") for c in cells) > 0, (name, cells)
    for name in "run-time", "queue-wait":       # and here for each number
        cells = [c for row in plots[name]["cells"] for c in row[1:]]
        assert len(plots[name]["marks"]) == sum(c != "-" for c in cells) > 0, (name, cells)
    loaded = fleet.sql("SELECT sum(jobs_loaded), sum(jobs_failed) FROM job_processing_log")[0]
    assert numbers(plots["postings"]["marks"], " loaded as new") == loaded[0] > 0, loaded
    assert len(plots["stages"]["marks"]) == 6 and len(plots["stages"]["cells"]) == 3, plots["stages"]
    causes = fleet.sql("SELECT count(DISTINCT cause) FROM (SELECT cause FROM jobfleet.ledger WHERE outcome IN"
                       " ('failure', 'retry') UNION SELECT cause FROM jobfleet.dead_letters) x")[0][0]
    assert len(plots["failures"]["marks"]) == causes > 0, plots["failures"]
    assert len(plots["queues"]["marks"]) == sum(row[1] != "-" for row in plots["queues"]["cells"]) > 0
    assert [m for m in plots["quota"]["marks"] if m.startswith("jsearch, this month: ")], plots["quota"]
    assert plots["schedules"]["cells"][0][:3] == ["nightly", "8", "75.0"], plots["schedules"]["cells"]
    assert len(plots["tasks"]["marks"]) == len(plots["tasks"]["cells"]) >= 4, plots["tasks"]
    assert len(plots["alerts"]["marks"]) == len(plots["alerts"]["cells"]) >= 1, plots["alerts"]
    assert any("jobfleet.load_processed" in row[0] for row in plots["tasks"]["cells"])


def hostile_names_are_text_at_every_width():
    for width, dark, opened in (400, False, False), (400, True, True), (1200, True, True), (760, False, True):
        got = seen(width, dark, opened)
        assert "<img src=x onerror=alert(1)>\ufffd'\"&" in got["text"] and "\x1b" not in got["text"]
        assert got["color"] == ("rgb(18, 21, 26)" if dark else "rgb(255, 255, 255)"), got["color"]


def the_page_is_there_whole_or_not_at_all():
    out, err = jobfleet("report", "-o", "-")
    assert out.startswith("<!DOCTYPE html>") and out.endswith("</html>\n") and not err
    _, err = jobfleet("report", "-o", "/no/such/place/r.html", status=100)
    assert "cannot write /no/such/place/r.html: No such file or directory" in err, err
    _, err = jobfleet("report", "-o", TEMP, status=100)
    assert "Is a directory" in err, err
    _, err = jobfleet("report", "-o", "/dev/full", status=111)
    assert "cannot write /dev/full: No space left on device" in err, err
    real, link = os.path.join(TEMP, "real.html"), os.path.join(TEMP, "link.html")
    with open(real, "w") as f:
        f.write("before")
    os.chmod(real, 0o600)
    os.symlink(real, link)
    _, err = jobfleet("report", "-o", link)
    assert "wrote " + link in err and os.path.islink(link) and os.stat(real).st_mode & 0o777 == 0o600
    assert os.path.getsize(real) > 10000
    jobfleet("report")
    assert os.path.getsize(os.path.join(TEMP, "jobfleet-report.html")) > 10000
    full = os.path.join(TEMP, "full")
    os.mkdir(full)
    got = subprocess.run(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=16k none \"$1\" && echo old >\"$1/r.html\" &&"
         " \"$2\" report -o \"$1/r.html\"; echo $?; ls \"$1\"; cat \"$1/r.html\"", "sh", full,
         os.path.join(BIN, "jobfleet")], env=fleet.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert got.stdout == "111\nr.html\nold\n" and "No space left on device" in got.stderr, got
    assert [n for n in os.listdir(TEMP) if re.search(r"html\..{6}$", n)] == []


def times_and_zones_are_as_somebody_said():
    out, _ = jobfleet("report", "-o", "-", "--since=2026-03-28", "--until=2026-03-30T06:00",
                      "--tz=Europe/Berlin")
    assert "From 2026-03-28 00:00 to 2026-03-30 06:00 (Europe/Berlin)" in out
    assert "No task ended in this time." in out and "by time (Europe/Berlin)" not in out
    for words, says in ((["--tz=Berlin"], "--tz: "), (["--since=yesterday"], "--since: "),
                        (["--since=1h", "--until=2020-01-01T00:00:00Z", "--tz=UTC"], None),
                        (["--since=2026-01-02", "--until=2026-01-01"], "--since is not before --until"),
                        (["--since=9000d"], "at most ten years"), (["--until=x"], "--until: ")):
        if says:
            _, err = jobfleet("report", "-o", "-", *words, status=100)
            assert says in err, (words, err)
        else:
            jobfleet("report", "-o", "-", *words)
    _, err = jobfleet("report", "-o", PAGE, status=111,
                      JOBFLEET_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert "PostgreSQL" in err and os.path.getsize(PAGE) > 10000, err
    out, err = jobfleet("report", "-o", "-", JOBFLEET_BROKER_URL="amqp://127.0.0.1:1")
    assert "left out of the report: Queues now" in err and 'id="throughput"' in out, err


def a_viewer_may_write_it_and_who_may_not_is_told_so():
    database = os.environ["JOBFLEET_DATABASE_URL"]

    def login(group, text):
        role = "%s_%s" % (group, database.rsplit("/", 1)[1])
        fleet.sql("DROP ROLE IF EXISTS %s" % role)
        fleet.sql("CREATE ROLE %s LOGIN PASSWORD 'x' %s" % (role, text))
        return "postgresql://%s:x@%s" % (role, database.split("@", 1)[1])

    viewer, nobody = login("jobfleet_viewer", "IN ROLE jobfleet_viewer"), login("stranger", "")
    words = ("report", "-o", "-", "--since=2h")
    plots = [re.findall(r'<section id="([^"]+)"', jobfleet(*words, JOBFLEET_DATABASE_URL=url)[0])
             for url in (database, viewer)]
    assert plots[0] == plots[1] and len(plots[0]) >= 10, plots
    _, err = jobfleet(*words, status=100, JOBFLEET_DATABASE_URL=nobody)
    assert "permission denied" in err and "jobfleet_viewer" in err, err


TESTS = [
    a_fleet_that_did_nothing_says_so,
    every_plot_shows_what_the_tables_hold,
    hostile_names_are_text_at_every_width,
    the_page_is_there_whole_or_not_at_all,
    times_and_zones_are_as_somebody_said,
    a_viewer_may_write_it_and_who_may_not_is_told_so,
]

if not shutil.which("chromium"):
    sys.exit("chromium is not installed; run tests/deps")
for name in "processing", "loading":
    start(name)
try:
    status = run_all(fleet, [(test.__name__.replace("_", " "), test) for test in TESTS])
finally:
    browser.close()
    for process in stages.values():
        process.terminate()
        process.wait(LIMIT_S)
sys.exit(status)
