#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Confidence for every figure there is: seconds, figures a second, and the memory of the program.

usage: tests/services/services run -- tests/bench/confidence.py [--rows N] [--json FILE] [--build DIR]

Fills salary_benchmarks with N rows (a million): 1,000 occupations in as many places as it takes, from
four sources; of each fifth occupation postings stand under another title of the same code, as loading
writes them. Then jobfleet-confidence scores location "*" three times: all scores are new, none
changes, those of 1 % of the figures change; and one place alone. Beside it stands COPY of the very
scores into the same table with its indexes and its trail of changes. Memory is the highest resident
set of the process (VmHWM). The program and PostgreSQL share the machine.
"""

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import psycopg2

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TASK = "backend.tasks.salary_data_tasks.update_confidence_scores"
OCCUPATIONS, SOURCES = 1000, 4
FILL = """
INSERT INTO salary_benchmarks (location, occupation, data_source, median_salary, mean_salary,
	percentile_25, percentile_75, percentile_90, sample_size, source_confidence_score,
	data_freshness_days, year, cache_key, metadata)
SELECT 'City ' || to_char(p, 'FM0000') || ', TX',
	CASE WHEN s = 'postings' AND o %% 5 = 0 THEN 'Clerks ' ELSE 'Clerk ' END || to_char(o, 'FM0000'),
	s, m, m * 1.05, m * 0.8, m * 1.25, m * 1.6, CASE WHEN s IN ('postings', 'indeed') THEN 30 + o END,
	0.5, 200 + o, 2025, 'salary_data:city_' || p || ':clerk_' || o,
	CASE WHEN s = 'postings' THEN jsonb_build_object('soc_code', '43-' || 1000 + o, 'currency', 'USD',
		'basis', 'middle of the annualised range of each real offer')
	ELSE jsonb_build_object('soc', '43-' || 1000 + o, 'soc_title', 'Clerks', 'level', 'metro',
		'asked_level', 'metro', 'area_code', p::text, 'steps_wider', o %% 3, 'group', s = 'census',
		'lower_bounds', '[]'::jsonb, 'employment', 10 * o, 'as_of', '2025-05-15', 'covers', 'all') END
FROM generate_series(%(first)s, %(last)s) p, generate_series(1, %(occupations)s) o,
	unnest(ARRAY['bls', 'census', 'indeed', 'postings']) s,
	LATERAL (SELECT 40000 + 100 * o + (hashint4(p * 4001 + o) %% 10000) + length(s) * 500 AS m) AS at
ORDER BY 1, 2, 3
"""
COLUMNS = ("data_type, location, occupation, industry, sample_size_score, data_freshness_score,"
           " source_reliability_score, methodology_score, consistency_score,"
           " overall_confidence_score, year, quarter, cache_key, metadata")


class Bench:
    def __init__(self, programs):
        self.program = os.path.join(programs, "jobfleet-confidence")
        shared = os.environ["JOBFLEET_DATABASE_URL"]
        self.admin = psycopg2.connect(shared)
        self.admin.autocommit = True
        self.admin.cursor().execute("DROP DATABASE IF EXISTS confidence_bench")
        self.admin.cursor().execute("CREATE DATABASE confidence_bench")
        url = re.sub("/[^/?]*(?=$|[?])", "/confidence_bench", shared)
        self.env = dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf"),
                        JOBFLEET_DATABASE_URL=url)
        subprocess.run([os.path.join(programs, "jobfleet"), "migrate"], check=True, env=self.env,
                       stdout=subprocess.DEVNULL)
        self.pg = psycopg2.connect(url)
        self.pg.autocommit = True

    def close(self):
        self.pg.close()
        self.admin.cursor().execute("DROP DATABASE confidence_bench")

    def sql(self, text, args=None):
        with self.pg.cursor() as c:
            c.execute(text, args)
            return c.fetchall() if c.description else None

    def fill(self, rows):
        """Without the trail; the indexes that can wait are made behind it."""
        places = max(1, rows // (OCCUPATIONS * SOURCES))
        occupations = min(OCCUPATIONS, rows // SOURCES)
        later = self.sql("SELECT indexname, indexdef FROM pg_indexes WHERE tablename ="
                         " 'salary_benchmarks' AND indexdef NOT LIKE '%UNIQUE%'")
        for name, _ in later:
            self.sql("DROP INDEX " + name)
        self.sql("ALTER TABLE salary_benchmarks DISABLE TRIGGER USER")
        for first in range(1, places + 1, 10):
            self.sql(FILL, {"first": first, "last": min(places, first + 9),
                            "occupations": occupations})
        self.sql("SET maintenance_work_mem = '256MB'")
        for _, definition in later:
            self.sql(definition)
        self.sql("ALTER TABLE salary_benchmarks ENABLE TRIGGER USER")
        self.sql("ALTER TABLE confidence_scores SET (autovacuum_enabled = off)")
        self.sql("VACUUM ANALYZE salary_benchmarks")
        self.sql("CHECKPOINT")
        return self.sql("SELECT count(*) FROM salary_benchmarks")[0][0]

    def score(self, **arguments):
        """Its answer, the seconds of the whole program, and its highest resident set in KiB."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started, peak = time.monotonic(), 0
            process = subprocess.Popen([self.program, "--run", TASK, json.dumps(arguments)],
                                       env=self.env, stdout=out, stderr=err)
            while process.poll() is None:
                peak = max(peak, high_water_kib(process.pid))
                time.sleep(0.02)
            seconds = time.monotonic() - started
            out.seek(0)
            err.seek(0)
            if process.returncode:
                raise SystemExit("confidence: " + err.read().decode()[-2000:])
            return json.load(out), seconds, peak

    def copy(self):
        """The very scores, taken out and copied in again; seconds."""
        rows = io.BytesIO()
        with self.pg.cursor() as c:
            c.copy_expert("COPY (SELECT %s FROM confidence_scores ORDER BY data_type, location,"
                          " occupation) TO STDOUT (FORMAT binary)" % COLUMNS, rows)
            c.execute("TRUNCATE confidence_scores")
            rows.seek(0)
            started = time.monotonic()
            c.copy_expert("COPY confidence_scores (%s) FROM STDIN (FORMAT binary)" % COLUMNS, rows)
            return time.monotonic() - started


def high_water_kib(pid):
    try:
        with open("/proc/%d/status" % pid) as f:
            return int(re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M).group(1))
    except (OSError, AttributeError):
        return 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--json")
    parser.add_argument("--build", default="build")
    o = parser.parse_args()
    if o.rows < SOURCES:
        parser.error("--rows: at least %d" % SOURCES)
    bench = Bench(os.environ.get("JOBFLEET_BIN") or os.path.join(TOP, o.build, "bin"))
    rows = bench.fill(o.rows)
    print("confidence of %d figures, load average %.1f" % (rows, os.getloadavg()[0]), flush=True)
    found = {"rows": rows}
    for name, before in (
            ("new", None), ("unchanged", None),
            ("1 % changed", "UPDATE salary_benchmarks SET sample_size = 12345, metadata = metadata -"
                            " 'steps_wider' WHERE hashtext(location || occupation) % 100 = 0")):
        if before:
            bench.sql(before)
        answer, seconds, peak = bench.score(location="*")
        if answer["figures"] != rows or answer["warnings"]:
            raise SystemExit("confidence: %d of %d figures; %s" % (
                answer["figures"], rows, answer["warnings"]))
        found[name] = {"seconds": seconds, "rate": rows / seconds, "peak_kib": peak,
                       "scores": answer["scores_updated"], "changed": answer["scores_changed"]}
        print("%-12s %7.1f s: %7.0f figures/s; %d scores, %d of them written; %.1f MiB" % (
            name, seconds, rows / seconds, answer["scores_updated"], answer["scores_changed"],
            peak / 1024), flush=True)
    answer, seconds, peak = bench.score(location="City 0001, TX")
    found["place"] = {"seconds": seconds, "scores": answer["scores_updated"]}
    print("one place    %7.1f s: %d scores; %.1f MiB" % (seconds, answer["scores_updated"],
                                                       peak / 1024))
    found["copy"] = {"seconds": bench.copy()}
    print("bare COPY    %7.1f s of the same scores into the same table: the new ones took %.1f times"
          " that" % (found["copy"]["seconds"], found["new"]["seconds"] / found["copy"]["seconds"]))
    bench.close()
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)


if __name__ == "__main__":
    sys.exit(main())
