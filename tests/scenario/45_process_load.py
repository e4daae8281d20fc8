#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 240
"""Collections through processing and loading on real parts, with the shipped queues.conf: every
bundled row becomes what its label says, twice at once has one effect, repeats touch nothing, broken
answers and broken rows cost only themselves, and children killed at random change no count."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import pika
import psycopg2

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from fleet_worker import wait_for  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BIN = os.environ["JOBFLEET_BIN"]
DATA = os.path.join(TOP, "tests/providers/data")
LIMIT_S = 60
QUEUES = {"jobfleet.process_collection": "raw_data_processing",
          "jobfleet.load_processed": "processed_data_loading",
          "jobfleet.reprocess": "raw_data_processing"}

sys.stdout.reconfigure(line_buffering=True)
seed = int(os.environ.get("JOBFLEET_SEED") or random.SystemRandom().randrange(1 << 32))
print("# seed %d (JOBFLEET_SEED=%d repeats it)" % (seed, seed))
rng = random.Random(seed)
failed = False


def check(sentence, good, note=""):
    global failed
    print("%s - %s%s" % ("ok" if good else "not ok", sentence, "" if good else ": %s" % (note,)))
    failed = failed or not good


class Bed:
    def __init__(self):
        self.dir = tempfile.mkdtemp()
        conf = os.path.join(self.dir, "queues.conf")
        with open(os.path.join(TOP, "queues.conf"), encoding="utf-8") as f:
            shipped = f.read()
        with open(conf, "w", encoding="utf-8") as f:    # kills at random may hit one task often
            f.write(re.sub(r"# start_budget = \d+", "start_budget = 50", shipped))
        self.env = dict(os.environ, JOBFLEET_CONFIG=conf)
        subprocess.run([os.path.join(BIN, "jobfleet"), "migrate"], check=True, env=self.env,
                       stdout=subprocess.DEVNULL)
        self.pg = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        self.pg.autocommit = True
        self.workers = []

    def sql(self, text, *args):
        with self.pg.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall() if c.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def start(self, program, name):
        path = os.path.join(self.dir, name + ".log")
        with open(path, "ab") as log:
            process = subprocess.Popen([os.path.join(BIN, "jobfleet-" + program), "--hostname",
                                        name + "@test"], env=self.env, stdout=log, stderr=log)
        if program != "dispatcher":
            wait_for(name + " is ready", lambda: "ready node=" in open(path).read() or
                     process.poll() is not None)
        self.workers.append(process)
        return process

    def stop(self):
        for process in self.workers:
            process.terminate()
        for process in self.workers:
            process.wait(LIMIT_S)
        self.workers = []

    def logs(self):
        for name in sorted(os.listdir(self.dir)):
            print("---- %s\n%s" % (name, open(os.path.join(self.dir, name)).read()[-3000:]))

    def send(self, task, *args, **kwargs):
        queue = QUEUES[task]
        connection = pika.BlockingConnection(
            pika.URLParameters(os.environ["JOBFLEET_BROKER_URL"]))
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True, arguments={"x-max-priority": 10})
        task_id = str(uuid.uuid4())
        channel.basic_publish("", queue, json.dumps([args, kwargs, {}]).encode(),
                              pika.BasicProperties(
                                  content_type="application/json", content_encoding="utf-8",
                                  delivery_mode=2, correlation_id=task_id,
                                  headers={"task": task, "id": task_id}), mandatory=True)
        connection.close()
        return task_id

    def collect(self, body, country="us", demo=False, raw=None):
        """A collection as the collection program leaves it."""
        collection = str(uuid.uuid4())
        self.sql("INSERT INTO raw_job_collections (collection_id, timestamp, api_provider,"
                 " query_params, raw_response, raw_body, is_demo) VALUES (%s,"
                 " '2026-11-20T12:00:00Z', 'jsearch', %s, %s, %s, %s)",
                 collection, json.dumps({"query": "q", "country": country}), body, raw, demo)
        return collection

    def collect_all(self):
        found = []
        for name in sorted(os.listdir(os.path.join(DATA, "jsearch"))):
            with open(os.path.join(DATA, "jsearch", name), encoding="utf-8") as f:
                found.append(self.collect(f.read(), name.split("_")[1][:2]))
        return found

    def loaded(self, collections):
        """Every collection has been processed, and loaded where there was something to load."""
        done = self.one("SELECT count(*) FROM job_processing_log WHERE collection_id = ANY (%s::uuid[])"
                        " AND completed_at IS NOT NULL AND (loaded_at IS NOT NULL OR"
                        " jobs_processed = 0)", collections)
        return done >= len(collections) and not self.waiting()

    def waiting(self):
        """Of our tasks: schedules may have fired for programs that do not run here."""
        return self.one("SELECT count(*) FROM jobfleet.pending WHERE task = ANY (%s)", list(QUEUES))

    def empty(self):
        self.sql("TRUNCATE enhanced_jobs, companies, job_sources, processed_job_data,"
                 " job_processing_log, raw_job_collections CASCADE")

    def counts(self):
        return {name: self.one("SELECT count(*) FROM " + name) for name in
                ("enhanced_jobs", "job_sources", "companies", "processed_job_data")}


def labelled():
    with open(os.path.join(DATA, "labels.json"), encoding="utf-8") as f:
        return json.load(f)


def the_bundled_rows(bed, labels):
    """Each collection sent twice at once, to two workers of each program."""
    collections = bed.collect_all()
    for collection in collections:
        bed.send("jobfleet.process_collection", collection)
        bed.send("jobfleet.process_collection", collection)
    wait_for("all is loaded", lambda: bed.loaded(collections))
    duplicates = sum("duplicate_of" in p for p in labels["postings"].values())
    counts = bed.counts()
    check("a collection that comes twice at once is processed once",
          bed.one("SELECT count(*) FROM job_processing_log") == len(collections))
    check("every row is either processed or stands in the errors with its reason",
          counts["processed_job_data"] == len(labels["postings"]) and
          bed.one("SELECT sum(jobs_failed) FROM job_processing_log") == len(labels["refused"]) and
          bed.one("SELECT count(*) FROM job_processing_log, jsonb_array_elements(errors) AS e WHERE"
                  " e->>'error_type' = 'schema_validation' AND e->>'error_message' <> ''")
          == len(labels["refused"]), counts)
    check("each posting is loaded once, duplicates merged",
          counts["enhanced_jobs"] == len(labels["postings"]) - duplicates, counts)
    check("every source of every posting is kept",
          counts["job_sources"] == len(labels["postings"]), counts)
    check("collections with refused rows are partial, the others completed",
          bed.one("SELECT count(*) FROM raw_job_collections c JOIN job_processing_log l USING"
                  " (collection_id) WHERE c.processing_status <> CASE WHEN jobs_failed > 0 THEN"
                  " 'partial' ELSE 'completed' END OR c.processing_status <> l.status") == 0)
    check("the log's metrics are there",
          bed.one("SELECT count(*) FROM job_processing_log WHERE metrics ?& ARRAY["
                  "'processing_time_ms', 'embeddings_generated', 'duplicates_detected']")
          == len(collections))
    check_fields(bed, labels)
    return collections


def check_fields(bed, labels):
    """By each posting's own id, whichever row it was merged into."""
    rows = dict((r[0], r[1:]) for r in bed.sql(
        "SELECT o.external_id, j.country, j.city, j.salary_min, j.salary_max, j.salary_currency,"
        " j.salary_period, j.salary_annual_min, cardinality(j.embedding::real[]), j.is_demo"
        " FROM job_sources o JOIN enhanced_jobs j ON j.id = o.job_id"))
    wrong = []
    for job_id, want in labels["postings"].items():
        row, pay = rows.get(job_id), want.get("salary") or {}
        if row is None or row[0] != want["country"] or row[7] != 1536 or row[8]:
            wrong.append((job_id, want["country"], row))
        elif pay and "duplicate_of" not in want and (
                float(row[2] or 0), float(row[3] or 0), row[4], row[5]) != (
                float(pay["min"] or 0), float(pay["max"] or 0), pay["currency"], pay["period"]):
            wrong.append((job_id, pay, row))
    check("fields are as labelled, pay in at least 97 of 100",
          len(wrong) * 100 <= 3 * len(labels["postings"]), wrong[:5])


def repeats_touch_nothing(bed, collections):
    before = bed.sql("SELECT id, xmin::text, updated_at FROM enhanced_jobs ORDER BY id")
    companies = bed.sql("SELECT id, xmin::text FROM companies ORDER BY id")
    for collection in collections:
        bed.send("jobfleet.reprocess", collection)
    wait_for("all is loaded again", lambda: bed.one(
        "SELECT count(*) FROM job_processing_log WHERE loaded_at IS NOT NULL")
        == 2 * len(collections) and not bed.waiting())
    check("a repeated collection touches no posting",
          before == bed.sql("SELECT id, xmin::text, updated_at FROM enhanced_jobs ORDER BY id"))
    check("and no company", companies == bed.sql("SELECT id, xmin::text FROM companies ORDER BY id"))
    check("and its postings know what they repeat", bed.one(
        "SELECT count(*) FROM processed_job_data p JOIN job_processing_log l USING (processing_id)"
        " WHERE duplicate_of IS NULL AND (l.jobs_loaded = 0)") == 0)


def broken_answers(bed):
    html = b"<html><body>502 Bad Gateway</body></html>"
    packed = subprocess.run(["zstd", "-q", "-c"], input=html, stdout=subprocess.PIPE,
                            check=False).stdout if os.path.exists("/usr/bin/zstd") else b"not zstd"
    cases = {
        "html": (bed.collect("{}", raw=psycopg2.Binary(packed)), "failed"),
        "nothing": (bed.collect("{}"), "failed"),
        "an error message": (bed.collect('{"message": "You are not subscribed to this API."}'),
                             "failed"),
        "no rows": (bed.collect('{"status": "OK", "data": {"jobs": []}}'), "completed"),
        "only bad rows": (bed.collect('{"data": [1, null, {}]}'), "failed"),
        "a number": (bed.collect("7"), "failed"),
    }
    for collection, _ in cases.values():
        bed.send("jobfleet.process_collection", collection)
    ids = [c for c, _ in cases.values()]
    wait_for("broken answers are settled", lambda: bed.one(
        "SELECT count(*) FROM job_processing_log WHERE collection_id = ANY (%s::uuid[])", ids)
        == len(ids))
    for name, (collection, status) in cases.items():
        found = bed.sql("SELECT l.status, c.processing_status, errors FROM job_processing_log l JOIN"
                        " raw_job_collections c USING (collection_id) WHERE collection_id = %s",
                        collection)[0]
        check("an answer of %s ends as %s, a failed one with its reason" % (name, status),
              found[0] == found[1] == status and bool(found[2]) == (status == "failed"), found)
    sent = [bed.send("jobfleet.process_collection", str(uuid.uuid4())),
            bed.send("jobfleet.process_collection", "no uuid")]
    wait_for("unknown collections fail", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.ledger WHERE outcome = 'failure' AND task_id = ANY (%s)", sent)
        == 2)
    check("an unknown collection fails the task", True)


def a_row_that_postgresql_refuses(bed, loader):
    """Broken between processing and loading, as only a bug could: the others load."""
    loader.terminate()
    loader.wait(LIMIT_S)
    bed.workers.remove(loader)
    rows = [{"job_title": "Clerk %d" % i, "employer_name": "Acme", "job_id": "r%d" % i}
            for i in range(30)]
    collection = bed.collect(json.dumps({"data": rows}))
    bed.send("jobfleet.process_collection", collection)
    wait_for("processed", lambda: bed.one("SELECT count(*) FROM processed_job_data p JOIN"
                                          " job_processing_log l USING (processing_id) WHERE"
                                          " l.collection_id = %s", collection) == 30)
    bed.sql("UPDATE processed_job_data p SET processed_data = CASE job_index WHEN 4 THEN"
            " processed_data - 'title' WHEN 17 THEN processed_data || '{\"remote\": \"moon\"}'"
            " ELSE processed_data || '{\"salary_min\": 1e15}' END FROM job_processing_log l"
            " WHERE l.processing_id = p.processing_id AND l.collection_id = %s AND job_index IN"
            " (4, 17, 29)", collection)
    bed.start("loading", "loading-again")
    wait_for("the rest is loaded", lambda: bed.loaded([collection]))
    found = bed.sql("SELECT load_status, count(*), count(load_error), array_agg(job_index ORDER BY"
                    " job_index) FROM processed_job_data p JOIN job_processing_log l USING"
                    " (processing_id) WHERE l.collection_id = %s GROUP BY 1 ORDER BY 1", collection)
    check("rows that PostgreSQL refuses are found and reported, the rest is loaded",
          [(f[0], f[1], f[2]) for f in found] == [("failed", 3, 3), ("loaded", 27, 0)] and
          found[0][3] == [4, 17, 29], found)


def demo_rows_stay_apart(bed):
    body = json.dumps({"data": [{"job_title": "Potter", "employer_name": "Acme", "job_id": "p"}]})
    collections = [bed.collect(body), bed.collect(body, demo=True)]
    for collection in collections:
        bed.send("jobfleet.process_collection", collection)
    wait_for("both are loaded", lambda: bed.loaded(collections))
    check("sample rows are marked and never merged with real ones",
          bed.sql("SELECT is_demo FROM enhanced_jobs WHERE title = 'Potter' ORDER BY 1")
          == [(False,), (True,)] and
          bed.one("SELECT count(*) FROM companies WHERE match_key = 'acme'") == 2)


def best_values_are_kept(bed):
    """Poor, then full from another source, then poor again: each fills gaps, none takes away."""
    poor = {"job_title": "Glazier", "employer_name": "Acme Glass", "job_city": "Tulsa",
            "job_state": "OK", "job_country": "US", "job_publisher": "Indeed", "job_id": "g1",
            "job_benefits": ["dental_coverage"]}
    full = dict(poor, job_state="Oklahoma", job_publisher="ZipRecruiter", job_id="g2",
                job_title="Glazier (m/f/d)", employer_name="Acme Glass, LLC",
                job_description="Cut and fit glass. " * 20, job_min_salary=41000,
                job_max_salary=52000, job_salary_period="YEAR", job_benefits=None,
                job_apply_link="https://jobs.example.com/view/556677",
                employer_website="https://acme-glass.example")
    other = dict(poor, job_publisher="Monster", job_id="g3", job_min_salary=1,
                 job_salary_period="HOUR")
    bed.sql("LISTEN jobfleet_loaded")
    outcomes = []
    for row in (poor, full, other, full):
        collection = bed.collect(json.dumps({"data": [row]}))
        bed.send("jobfleet.process_collection", collection)
        wait_for("it is loaded", lambda: bed.loaded([collection]))
        outcomes.append(bed.sql("SELECT jobs_loaded, jobs_merged FROM job_processing_log WHERE"
                                " collection_id = %s", collection)[0])
    job = bed.sql("SELECT title, company, length(description), salary_min, salary_period, benefits,"
                  " apply_url, sources, times_seen FROM enhanced_jobs WHERE dedupe_title = 'glazier'")
    check("a posting of several sources keeps the best of each", len(job) == 1 and
          job[0][:2] == ("Glazier", "Acme Glass, LLC") and job[0][2] > 300 and
          job[0][3:6] == (41000, "YEAR", ["dental_coverage"]) and job[0][6].endswith("556677"), job)
    check("and names them all, the unchanged repeat changing nothing",
          job[0][7] == ["Indeed", "Monster", "ZipRecruiter"] and job[0][8] == 3 and
          bed.one("SELECT count(*) FROM job_sources o JOIN enhanced_jobs j ON j.id = o.job_id WHERE"
                  " dedupe_title = 'glazier'") == 3 and
          bed.one("SELECT times_seen FROM job_sources WHERE external_id = 'g2'") == 2, job)
    check("the log counts it as loaded once and merged after",
          outcomes == [(1, 0), (0, 1), (0, 1), (0, 1)], outcomes)
    check("its company gathers what it lacked", bed.one(
        "SELECT website FROM companies WHERE match_key = 'acme glass'")
        == "https://acme-glass.example")
    bed.pg.poll()
    told = [json.loads(n.payload) for n in bed.pg.notifies]
    check("each load is told with its postings", len(told) >= 4 and
          [len(n["job_ids"]) for n in told[-4:]] == [1, 1, 1, 0], told[-4:])


def quality_is_told_honestly(bed):
    done = subprocess.run([os.path.join(BIN, "jobfleet-processing"), "--run",
                           "jobfleet.check_quality", "{}"], env=bed.env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    told = json.loads(done.stdout) if done.returncode == 0 else {}
    figures = told.get("figures", {})
    check("quality is told beside its thresholds", told.get("status") == "success" and
          told["postings"] == bed.counts()["enhanced_jobs"] and
          0.8 < figures["completeness"]["value"] <= 1 and figures["completeness"]["ok"] and
          figures["consistency"]["value"] > 0.99 and 0 < figures["duplicates"]["value"] < 0.1,
          (done.stdout, done.stderr))


def offspring(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def children_killed_at_random(bed, expected):
    bed.empty()
    collections = bed.collect_all()
    for collection in collections:
        bed.send("jobfleet.process_collection", collection)
    kills = 0
    while not bed.loaded(collections) and kills < 40:
        worker = rng.choice([w for w in bed.workers if offspring(w.pid)])
        victims = [pid for zygote in offspring(worker.pid) for pid in offspring(zygote)]
        if victims:
            try:
                os.kill(rng.choice(victims), signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
        time.sleep(rng.uniform(0.005, 0.05))    # the random instant itself
    wait_for("all is loaded in spite of it", lambda: bed.loaded(collections))
    found = bed.counts()
    check("children killed at random (%d kills) change no count" % kills,
          found == expected and bed.one("SELECT count(*) FROM job_processing_log")
          == len(collections), (found, expected))


def main():
    bed, labels = Bed(), labelled()
    try:
        bed.start("dispatcher", "dispatcher")
        for name in ("one", "two"):
            bed.start("processing", "processing-" + name)
            loader = bed.start("loading", "loading-" + name)
        collections = the_bundled_rows(bed, labels)
        expected = bed.counts()
        quality_is_told_honestly(bed)
        repeats_touch_nothing(bed, collections)
        broken_answers(bed)
        demo_rows_stay_apart(bed)
        best_values_are_kept(bed)
        for worker in bed.workers[:]:
            if worker.args[0].endswith("jobfleet-loading") and worker is not loader:
                worker.terminate()
                worker.wait(LIMIT_S)
                bed.workers.remove(worker)
        a_row_that_postgresql_refuses(bed, loader)
        children_killed_at_random(bed, expected)
        bed.stop()
    except Exception:
        bed.logs()
        raise
    if failed:
        bed.logs()
    sys.exit(1 if failed else 0)


main()
