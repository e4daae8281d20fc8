#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 240
"""Confidence under faults: the program dies by kill -9 at each named point of a walk over several
pages (built with FAULTS=1), PostgreSQL is restarted in the middle, the soft limit strikes, two walks
go at once. Afterwards every score is there once, the same that an undisturbed walk gives, and what
was kept before the fault was not done again. And what salary_data stores is what confidence scores."""

import json
import os
import re
import signal
import subprocess

import psycopg2

import pipeline_bed
from salary_bed import LIMIT_S, SalaryBed, wait_for

NAME = "backend.tasks.salary_data_tasks."
POINTS = ["confidence.written", "before-step", "after-step", "before-commit", "after-commit"]
# two or three sources for each title, in two places: three pages (EVIDENCE_PAGE_ROWS)
TITLES, FIGURES, KEPT = 2600, 6500, ["salary 1", "salary 2"]
FILL = """
INSERT INTO salary_benchmarks (location, occupation, data_source, median_salary, year,
	data_freshness_days, metadata)
SELECT 'Place ' || t / 2 % 2, 'Title ' || t, s, 50000 + t, 2025, 100, jsonb_build_object('soc', t / 2)
FROM generate_series(1, 2600) t, unnest(ARRAY['bls', 'census', 'postings']) s
WHERE s <> 'postings' OR t % 2 = 0
"""
PARTS = ("data_type, location, occupation, industry, sample_size_score, data_freshness_score,"
         " source_reliability_score, methodology_score, consistency_score,"
         " overall_confidence_score, year, metadata")


def passed(what):
    print("ok " + what)


class Bed(SalaryBed):
    """Retries come after 0.2 s instead of five minutes. The dispatcher sends them, and what a killed
    child left."""

    def __init__(self):
        super().__init__(programs=())
        with open(self.env["JOBFLEET_CONFIG"]) as f:
            self.task_conf = f.read()
        self.set_task(retry_backoff="200ms", max_retries="20")
        self.running = {"dispatcher": self.run("dispatcher")}

    def connect(self):
        self.pg = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        self.pg.autocommit = True

    def set_task(self, **settings):
        """In the block of the task, for programs that start from now on."""
        head = "task %supdate_confidence_scores {" % NAME
        at = self.task_conf.index(head)
        end = self.task_conf.index("}", at)
        block = self.task_conf[at:end]
        for key, value in settings.items():
            block, n = re.subn(r"(\t%s = )\S+" % key, r"\g<1>" + value, block)
            assert n == 1, (key, block)
        self.task_conf = self.task_conf[:at] + block + self.task_conf[end:]
        with open(self.env["JOBFLEET_CONFIG"], "w") as f:
            f.write(self.task_conf)

    def run(self, program, faults=False, **env):
        folder = os.environ["JOBFLEET_FAULTS_BIN" if faults else "JOBFLEET_BIN"]
        with open(os.path.join(self.dir, program + ".log"), "ab") as log:
            return subprocess.Popen([os.path.join(folder, "jobfleet-" + program)], stderr=log,
                                    env=dict(self.env, **env), cwd=self.dir)

    def enqueue(self, task, *args):
        return subprocess.run(
            ["jobfleet", "enqueue", NAME + task, "--quiet", "--args", json.dumps(args)],
            env=self.env, stdout=subprocess.PIPE, check=True, text=True, timeout=30).stdout.strip()

    def result(self, task):
        got = subprocess.run(["jobfleet", "result", task, "--wait", "--timeout=60"], env=self.env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90)
        assert got.returncode == 0, (got.stdout, got.stderr, self.log()[-3000:])
        return json.loads(got.stdout)

    def walk(self, point=None, order=""):
        """A walk over everything, on a worker of its own: (task, worker). The one who reaches the
        point first carries out the order (fault.h)."""
        self.sql("TRUNCATE confidence_scores, jobfleet.steps")
        self.order = os.path.join(self.dir, "order")
        if point:
            with open(self.order, "w") as f:
                f.write(order)
        task = self.enqueue("update_confidence_scores", "*")
        worker = self.run("confidence", bool(point), **({"JOBFLEET_FAULT": "%s:%s" % (
            point, self.order)} if point else {}))
        if point:
            wait_for("what happens at " + point, lambda: not os.path.exists(self.order))
        return task, worker

    def check(self, task, kept=True):
        """As the undisturbed walk has it. A page is kept once, whoever did it, and the last one goes
        with the task."""
        answer = self.result(task)
        assert (answer["scores_updated"], answer["figures"]) == (TITLES, FIGURES), answer
        wrong = self.sql("SELECT %s FROM confidence_scores EXCEPT SELECT %s FROM rights LIMIT 2"
                         % (PARTS, PARTS))
        assert wrong == [], wrong
        assert self.one("SELECT count(*) FROM confidence_scores") == TITLES
        steps = self.sql("SELECT step FROM jobfleet.steps WHERE task_id = %s ORDER BY 1", task)
        assert not kept or [step for step, in steps] == KEPT, steps

    def children_of(self, worker):
        return [pid for pid in pipeline_bed.offspring(worker.pid)
                for pid in [pid] + pipeline_bed.offspring(pid)]


def frozen(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "T"


def has_pending(pid, number):
    with open("/proc/%d/status" % pid) as f:
        return any(int(mask, 16) >> (number - 1) & 1
                   for mask in re.findall(r"^S[hi][dg]Pnd:\t(\w+)", f.read(), re.M))


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(LIMIT_S)


def the_same_as_the_fetch(bed):
    """What fetch_salary_data answers and what the tables score later."""
    salary, worker = bed.run("salary"), bed.run("confidence")
    cases = [("New York, NY", "Software Engineer"), ("Boston, MA", "Data Scientist"),
             ("Portland, ME", "DBA"), ("Texas", "QA Engineer"), ("USA", "Web Developer")]
    answers = []
    for number, (location, occupation) in enumerate(cases + [("Austin, TX", "SRE")]):
        if number == len(cases):        # bundled figures
            bed.fault("*", "503_html")
        answers.append(bed.result(bed.enqueue("fetch_salary_data", {
            "location": location, "occupation": occupation, "include_market_data": True,
            "include_confidence_scores": True})))
    for answer in answers:
        assert answer["confidence_scores"], answer
        for said in answer["confidence_scores"]:
            place = (said["data_type"], said["location"], said["occupation"])
            wait_for("the score of %s, %s, %s" % place, lambda: bed.one(
                "SELECT count(*) FROM confidence_scores WHERE (data_type, location, occupation) ="
                " (%s, %s, %s)", *place))
            stored = bed.one("SELECT to_jsonb(c) FROM confidence_scores c WHERE (data_type, location,"
                             " occupation) = (%s, %s, %s)", *place)
            assert {key: stored[key] for key in said if key not in ("metadata", "cache_key")} == \
                {key: said[key] for key in said if key not in ("metadata", "cache_key")}, (said, stored)
            assert said["metadata"].items() <= stored["metadata"].items(), (said, stored)
    stop(salary)
    stop(worker)
    passed("what a fetch answers and what the tables score is the same, bundled figures included")


def undisturbed(bed):
    bed.sql("TRUNCATE salary_benchmarks, market_data, confidence_scores")
    bed.sql(FILL)
    task, worker = bed.walk()
    answer = bed.result(task)
    assert answer["scores_updated"] == answer["scores_changed"] == TITLES, answer
    bed.sql("CREATE TABLE rights AS SELECT * FROM confidence_scores")
    bed.check(task)
    again = bed.result(bed.enqueue("update_confidence_scores", "*"))
    assert (again["scores_updated"], again["scores_changed"]) == (TITLES, 0), again
    passed("a walk over several pages scores each title once; a repeat writes nothing")
    bed.sql("TRUNCATE confidence_scores")
    two = [bed.enqueue("update_confidence_scores", "*") for _ in range(2)]
    for task in two:
        bed.check(task)
    stop(worker)
    passed("two walks at once leave every score once, and neither waits for ever")


def dies_at(bed, point):
    task, worker = bed.walk(point)
    bed.check(task)
    stop(worker)
    passed("killed at %s, a walk goes on behind its last page" % point)


def postgresql_restarts(bed):
    task, worker = bed.walk("before-step", "STOP")     # a page is written and not kept
    child, = [pid for pid in bed.children_of(worker) if frozen(pid)]
    subprocess.run([os.environ["JOBFLEET_SERVICES"], "restart", "postgres"], check=True,
                   stdout=subprocess.DEVNULL)
    os.kill(child, signal.SIGCONT)
    bed.connect()
    bed.check(task)
    stop(worker)
    passed("PostgreSQL restarted in the middle of a page, nothing is lost or doubled")


def the_soft_limit_strikes(bed):
    bed.set_task(soft_time_limit="3")
    task, worker = bed.walk("after-step", "STOP")       # a page is kept
    child, = [pid for pid in bed.children_of(worker) if frozen(pid)]
    wait_for("the soft limit", lambda: has_pending(child, signal.SIGUSR1))
    os.kill(child, signal.SIGCONT)
    bed.check(task)
    assert bed.one("SELECT max(retries) FROM jobfleet.ledger WHERE task_id = %s", task) >= 1
    stop(worker)
    passed("ended by its soft limit, a walk is tried again and goes on behind its last page")


bed = Bed()
the_same_as_the_fetch(bed)
undisturbed(bed)
for name in POINTS:
    dies_at(bed, name)
postgresql_restarts(bed)
the_soft_limit_strikes(bed)
stop(bed.running["dispatcher"])
