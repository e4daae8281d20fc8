#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Loading: its rate beside bare COPY of the same rows, and its cost over the size of the table.

usage: tests/services/services run -- tests/bench/load.py [--sizes N,N,…] [--batches N] [--json FILE]

Each size has a database of its own, filled by SQL (short texts, no embeddings: a million embeddings
would be 6 GB). Then processings of 1,000 new postings each are loaded by jobfleet-loading, in turn
with COPY (binary) of the very rows that this load made, taken out again before: same table, same
indexes, same constraints, vacuum off for both. A load also reads its rows from processed_job_data,
finds what is known, and writes companies, job_sources and statuses. The sizes take turns, so that
what else the machine does hits them alike. The first size is measured with embeddings and full texts
too: the rate. Times are medians; a load's is that of the whole program less that of one that finds
nothing to do. Services and programs share the machine.
"""

import argparse
import io
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
import uuid

import psycopg2

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BATCH = 1000
RATE_AIM, COST_AIM = 0.5, 1.5
VOCABULARY = ["word%04d" % i for i in range(4000)]
WEIGHTS = [1 / (i + 10) for i in range(4000)]

# Rows as loads leave them, ever new: n is counted on.
FILL = """
WITH made AS (
	INSERT INTO enhanced_jobs (title, company, location, city, state, country, latitude, longitude,
		remote, employment_types, seniority, salary_min, salary_max, salary_currency, salary_period,
		salary_annual_min, salary_annual_max, description, apply_url, apply_key, skills, soc_code,
		posted_at, posted_exact, dedupe_title, dedupe_company, dedupe_location, dedupe_key,
		api_provider, external_id, publisher, sources, source_weight, quality_score, company_id,
		near_keys)
	SELECT 'Clerk ' || n, 'firm ' || n %% 50000, 'Town' || n %% 2000 || ', TX', 'Town' || n %% 2000, 'TX',
		'US', 30.5, -97.5, 'onsite', '{FULLTIME}', 'mid', 40000 + n %% 50000, 95000, 'USD', 'YEAR',
		40000 + n %% 50000, 95000, 'word' || n %% 4001 || ' word' || n %% 3989 || ' word' || n %% 97,
		'https://jobs.example.com/f/' || n, 'jobs.example.com/f/' || n,
		ARRAY['skill' || n %% 300, 'skill' || n %% 293], '43-' || 1000 + n %% 900,
		now() - n %% 2000000 * interval '1 s', true, 'clerk ' || n, 'firm ' || n %% 50000,
		'town' || n %% 2000, 'clerk ' || n || '|firm|' || md5(n::text), 'jsearch', 'f' || n, 'Monster',
		'{Monster}', 0.5, 0.9, c.id, ARRAY[hashint8extended(n, 1), hashint8extended(n, 2),
		hashint8extended(n, 3), hashint8extended(n, 4), hashint8extended(n, 5), hashint8extended(n, 6)]
	FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
	LEFT JOIN companies c ON c.match_key = 'firm ' || n %% 50000 AND NOT c.is_demo
	RETURNING id, external_id)
INSERT INTO job_sources (job_id, api_provider, publisher, external_id)
SELECT id, 'jsearch', 'Monster', external_id FROM made
"""


class Bench:
    """One database with so many postings."""

    def __init__(self, programs, size):
        url = os.environ["JOBFLEET_DATABASE_URL"]
        admin = psycopg2.connect(url)
        admin.autocommit = True
        admin.cursor().execute("CREATE DATABASE load_%d" % size)
        admin.close()
        self.url = re.sub("/[^/?]*(?=$|[?])", "/load_%d" % size, url)
        self.size, self.loader = size, os.path.join(programs, "jobfleet-loading")
        self.env = dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf"),
                        JOBFLEET_DATABASE_URL=self.url)
        subprocess.run([os.path.join(programs, "jobfleet"), "migrate"], check=True, env=self.env,
                       stdout=subprocess.DEVNULL)
        self.pg = psycopg2.connect(self.url)
        self.pg.autocommit = True
        self.rng = random.Random(4)
        self.words = self.rng.choices(VOCABULARY, WEIGHTS, k=200000)
        self.numbers = ["%.5f" % self.rng.uniform(-0.1, 0.1) for _ in range(5000)]
        self.made = 0
        for table in ("enhanced_jobs", "job_sources", "companies", "processed_job_data"):
            self.sql("ALTER TABLE %s SET (autovacuum_enabled = off)" % table)
        self.columns = self.sql("SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE"
                                " attrelid = 'enhanced_jobs'::regclass AND attnum > 0 AND NOT"
                                " attisdropped AND attgenerated = ''")[0][0]
        self.sql("INSERT INTO companies (name, match_key, website) SELECT 'Firm ' || n, 'firm ' || n,"
                 " 'https://firm.example' FROM generate_series(0, 49999) n")

    def sql(self, text, args=None):
        with self.pg.cursor() as c:
            c.execute(text, args)
            return c.fetchall() if c.description else None

    def fill(self):
        """The indexes that can wait are made behind it."""
        later = self.sql("SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN"
                         " ('enhanced_jobs', 'job_sources') AND indexdef NOT LIKE '%UNIQUE%'")
        for name, _ in later:
            self.sql("DROP INDEX " + name)
        for first in range(0, self.size, 100000):
            self.sql(FILL, {"first": first + 1, "last": min(self.size, first + 100000)})
        self.sql("SET maintenance_work_mem = '256MB'")
        for _, definition in later:
            self.sql(definition)
        for table in ("enhanced_jobs", "job_sources", "companies"):
            self.sql("VACUUM ANALYZE " + table)
        self.sql("CHECKPOINT")

    def posting(self, number, words):
        start = self.rng.randrange(190000)
        company = "company %d" % self.rng.randrange(20000)
        title, town = "Engineer %d" % number, "City%d" % (number % 500)
        text = " ".join(self.words[start:start + words])
        key = "%s|%s|%s" % (title.lower(), company, town)
        return {
            "title": title, "company": company, "location": town + ", TX", "city": town, "state": "TX",
            "country": "US", "latitude": 30.1234567, "longitude": -97.1234567, "remote": "onsite",
            "employment_types": ["FULLTIME"], "seniority": "senior", "salary_min": 90000 + number % 999,
            "salary_max": 120000, "salary_currency": "USD", "salary_period": "YEAR",
            "salary_annual_min": 90000 + number % 999, "salary_annual_max": 120000,
            "salary_text": "$90k - $120k", "description": text, "language": "en",
            "apply_url": "https://jobs.example.com/view/%d" % number, "apply_options": [],
            "skills": ["skill%d" % self.rng.randrange(300) for _ in range(8)],
            "benefits": ["dental_coverage"], "experience_months": 36, "education": "bachelor",
            "soc_code": "15-1252", "naics_code": "541511", "posted_at": "2026-11-20T10:00:00Z",
            "posted_exact": True, "dedupe_title": title.lower(), "dedupe_company": company,
            "dedupe_location": town, "dedupe_key": key, "merge_key": key,
            "apply_key": "jobs.example.com/view/%d" % number, "api_provider": "jsearch",
            "external_id": "x%d" % number, "quality_score": 0.95, "rules_version": 1,
            "is_demo": False, "metadata": {"salary_period_assumed": False}, "publisher": "LinkedIn",
            "company_website": "https://company.example", "raw_data": {
                "job_id": "x%d" % number, "employer_name": company, "job_title": title,
                "job_description": text, "job_city": town}}

    def processing(self, words, embeddings):
        ids = str(uuid.uuid4()), str(uuid.uuid4())
        self.sql("INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
                 " raw_response) VALUES (%s, 'jsearch', '{}', '{}')", ids[:1])
        self.sql("INSERT INTO job_processing_log (collection_id, processing_id, status, completed_at,"
                 " jobs_processed) VALUES (%s, %s, 'completed', now(), 1000)", ids)
        lines = io.StringIO()
        for i in range(BATCH):
            self.made += 1
            at = self.rng.randrange(3000)
            lines.write("%s\t%d\t%s\t%s\t{%s}\n" % (
                ids[1], i, json.dumps(self.posting(self.made, words)).replace("\\", "\\\\"),
                "{%s}" % ",".join(self.numbers[at:at + 1536]) if embeddings else "\\N",
                ",".join(str(self.rng.getrandbits(63)) for _ in range(6))))
        lines.seek(0)
        with self.pg.cursor() as c:
            c.copy_expert("COPY processed_job_data (processing_id, job_index, processed_data,"
                          " embedding, near_keys) FROM STDIN", lines)
        return ids[1]

    def repeat(self, processing):
        """Another processing of the same postings."""
        ids = str(uuid.uuid4()), str(uuid.uuid4())
        self.sql("INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
                 " raw_response) VALUES (%s, 'jsearch', '{}', '{}')", ids[:1])
        self.sql("INSERT INTO job_processing_log (collection_id, processing_id, status, completed_at,"
                 " jobs_processed) VALUES (%s, %s, 'completed', now(), 1000)", ids)
        self.sql("INSERT INTO processed_job_data (processing_id, job_index, processed_data, embedding,"
                 " near_keys) SELECT %s, job_index, processed_data, embedding, near_keys FROM"
                 " processed_job_data WHERE processing_id = %s", (ids[1], processing))
        return ids[1]

    def run(self, processing):
        started = time.monotonic()
        done = subprocess.run([self.loader, "--run", "jobfleet.load_processed",
                               json.dumps({"processing_id": processing})], env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seconds = time.monotonic() - started
        if done.returncode:
            raise SystemExit("load: " + done.stderr[-2000:])
        return seconds, json.loads(done.stdout)

    def load(self, processing, outcome="inserted"):
        seconds, answer = self.run(processing)
        if answer[outcome] != BATCH:
            raise SystemExit("load: %s" % answer)
        return seconds - min(self.run(processing)[0] for _ in range(3))

    def copy(self, processing):
        """The load's rows, taken out and copied in again."""
        rows = io.BytesIO()
        with self.pg.cursor() as c:
            c.copy_expert("COPY (SELECT %s FROM enhanced_jobs WHERE source_processing_id = '%s') TO"
                          " STDOUT (FORMAT binary)" % (self.columns, processing), rows)
            c.execute("DELETE FROM enhanced_jobs WHERE source_processing_id = %s", (processing,))
            rows.seek(0)
            started = time.monotonic()
            c.copy_expert("COPY enhanced_jobs (%s) FROM STDIN (FORMAT binary)" % self.columns, rows)
            return time.monotonic() - started

    def measure(self, words, embeddings):
        """(load, load again, COPY) of a batch, µs a posting."""
        processing = self.processing(words, embeddings)
        load = self.load(processing)
        again = self.load(self.repeat(processing), "unchanged")
        return [seconds * 1e6 / BATCH for seconds in (load, again, self.copy(processing))]


def medians(batches):
    """The first warms up."""
    return [statistics.median(times) for times in zip(*batches[1:])]


def aim(good):
    return "reached" if good else "MISSED"


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--json")
    parser.add_argument("--build", default="build")
    o = parser.parse_args()
    print("load of %d postings a time, load average %.1f" % (BATCH, os.getloadavg()[0]), flush=True)
    benches = []
    for size in o.sizes.split(","):
        benches.append(Bench(os.path.join(TOP, o.build, "bin"), int(size)))
        benches[-1].fill()
    load, _, copy = medians([benches[0].measure(400, True) for _ in range(o.batches + 1)])
    print("with embeddings and texts of 400 words, %d rows there: load %.0f postings/s, bare COPY of the"
          " same rows %.0f: %.2f of it (aim %.1f: %s)" % (
              benches[0].size, 1e6 / load, 1e6 / copy, copy / load, RATE_AIM,
              aim(copy / load >= RATE_AIM)), flush=True)
    found = {"rate": {"load": 1e6 / load, "copy": 1e6 / copy, "ratio": copy / load}, "sizes": []}
    turns = [[bench.measure(60, False) for bench in benches] for _ in range(o.batches + 1)]
    for bench, batches in zip(benches, zip(*turns)):
        load, again, copy = medians(batches)
        found["sizes"].append({"rows": bench.size, "load_us": load, "unchanged_us": again,
                               "copy_us": copy})
        print("%8d rows there: load %4.0f µs a new posting, %4.0f µs one that is unchanged; bare COPY"
              " %4.0f µs" % (bench.size, load, again, copy), flush=True)
    first, last = found["sizes"][0]["load_us"], found["sizes"][-1]["load_us"]
    print("from first to last: %.2f times the cost (aim at most %.1f: %s)" % (
        last / first, COST_AIM, aim(last <= COST_AIM * first)))
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)


if __name__ == "__main__":
    sys.exit(main())
