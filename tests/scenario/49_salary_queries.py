#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 300
"""What is asked of the salary tables at a million figures is answered by indexes: what callers ask
(tests/bench/salary_tables.py), every statement of the salary and confidence programs as it stands in
their source, and what upsert and clean-up ask inside. And each index is there for one of them."""

import ast
import glob
import json
import os
import re
import subprocess
import sys

from dispatcher_bed import TOP, Bed, run

sys.path.insert(0, os.path.join(TOP, "tests/bench"))
import salary_tables    # noqa: E402

INDEXES = 25
LITERALS = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+')
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
# A value for a parameter of each type, as planners see them: libpq plans each call for its own.
VALUES = {"text": "City 1, ST", "character varying": "City 1, ST", "jsonb": '["a"]', "boolean": "t",
          "uuid": "00000000-0000-4000-8000-000000000000", "timestamp with time zone": "2026-01-01",
          "date": "2026-01-01", "interval": "1 day"}
# Programs that add up all rows of the tracking table, hourly at most.
SUMS = ("workers/salary/monitor.c", "workers/salary/aims.c", "workers/salary/cleanup.c")

bed = Bed()
used = {}


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def read_whole(plan):
    """Tables of which each row is looked at; the first rows of one, whichever they are, do not count."""
    few = [part for n in nodes(plan) if n["Node Type"] == "Limit" for part in n["Plans"]
           if part.get("Filter", "IS NOT NULL)").endswith("IS NOT NULL)")]
    return [n["Relation Name"] for n in nodes(plan) if n["Node Type"] == "Seq Scan" and n not in few
            and n["Relation Name"] in salary_tables.TABLES]


def explained(sql, *values):
    return bed.one("EXPLAIN (FORMAT JSON) " + sql, *values)[0]["Plan"]


def shown(plan, depth=0):
    text = "\n%s%s %s %s" % ("  " * depth, plan["Node Type"], plan.get("Relation Name", ""),
                             plan.get("Index Name", ""))
    return text + "".join(shown(part, depth + 1) for part in plan.get("Plans", ()))


def a_million_figures_are_there():
    salary_tables.fill(bed.pg)
    assert bed.one("SELECT count(*) FROM salary_benchmarks") == salary_tables.ROWS == 1000000


def each_common_query_uses_its_index():
    random, wrong = salary_tables.seeded(1), []
    for query in salary_tables.QUERIES:
        plan = explained(query.sql, *query.values(random))
        names = {n.get("Index Name") for n in nodes(plan)}
        used.setdefault(query.index, query.what)
        if query.index not in names or read_whole(plan):
            wrong.append("%s: expected %s, got%s" % (query.what, query.index, shown(plan)))
    assert not wrong, "\n".join(wrong)


def each_index_is_there_for_one_of_them():
    there = {name for name, in bed.sql("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
                                       " AND tablename = ANY (%s)", list(salary_tables.TABLES))}
    assert len(there) == INDEXES, "expected %d indexes, got %d: %s" % (INDEXES, len(there), there)
    assert there == set(used), "not asked for: %s; not there: %s" % (there - set(used),
                                                                      set(used) - there)


def statements(path):
    """The SQL in a C file, macros and pieces put together."""
    text = subprocess.run(["cc", "-E", "-P", "-I.", path], cwd=TOP, stdout=subprocess.PIPE,
                          check=True, text=True).stdout
    for found in LITERALS.finditer(text):
        sql = "".join(ast.literal_eval("b" + piece).decode()
                      for piece in re.findall(r'"(?:[^"\\\n]|\\.)*"', found.group()))
        if STATEMENT.match(sql) and any(table in sql for table in salary_tables.TABLES):
            yield sql


def no_statement_of_the_programs_reads_a_table_whole():
    seen, wrong = 0, []
    # of tables in memory: what a batch of 1,000 costs beside 100,000 rows hangs on it
    bed.sql("SET plan_cache_mode = force_custom_plan; SET random_page_cost = 1.1")
    for path in sorted(glob.glob(os.path.join(TOP, "workers/salary/*.c"))
                       + glob.glob(os.path.join(TOP, "workers/confidence/*.c"))):
        with open(path) as f:
            if not re.search(r'"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b', f.read()):
                continue
        for sql in statements(path):
            seen += 1
            bed.sql("PREPARE asked AS " + sql)
            types = bed.one("SELECT parameter_types::text[] FROM pg_prepared_statements")
            values = ["{1}" if t.endswith("[]") else VALUES.get(t, "1") for t in types]
            plan = explained("EXECUTE asked" + (
                "(%s)" % ", ".join(["%s"] * len(values)) if values else ""), *values)
            bed.sql("DEALLOCATE asked")
            name, whole = os.path.relpath(path, TOP), read_whole(plan)
            if whole and not (name in SUMS and set(whole) == {"salary_data_cache"}):
                wrong.append("%s: %s%s" % (name, sql, shown(plan)))
    bed.sql("RESET plan_cache_mode; RESET random_page_cost")
    assert seen >= 10, "found %d statements: how they stand in the source has changed" % seen
    assert not wrong, "\n".join(wrong)


def plans_inside(sql, *values):
    """The plans of the statements that a function runs; what it did is undone."""
    bed.sql("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;"
            " SET auto_explain.log_nested_statements = on; SET auto_explain.log_format = json;"
            " SET auto_explain.log_level = notice; SET client_min_messages = notice")
    bed.pg.notices = []
    bed.sql("BEGIN")
    bed.sql(sql, *values)
    bed.sql("ROLLBACK")
    bed.sql("SET auto_explain.log_min_duration = -1; RESET client_min_messages")
    texts = [notice[notice.index("{"):] for notice in bed.pg.notices if "plan:" in notice]
    return [json.loads(text) for text in texts]


def expect_indexes_inside(least, sql, *values):
    plans = plans_inside(sql, *values)
    assert len(plans) >= least, "expected %d statements, got %d" % (least, len(plans))
    wrong = ["%s%s" % (p["Query Text"], shown(p["Plan"])) for p in plans if read_whole(p["Plan"])]
    assert not wrong, "\n".join(wrong)


def upserts_and_clean_up_find_their_rows_by_indexes():
    figures = [{"location": "City %d, ST" % i, "occupation": "Occupation 7", "median_salary": "50000.25",
                "data_source": "bls", "year": 2026, "metadata": {"steps_wider": 0}} for i in range(3)]
    expect_indexes_inside(2, "SELECT * FROM upsert_salary_benchmark(%s::jsonb)", json.dumps(figures))
    market = [{"location": "City 1, ST", "occupation": "Occupation 7", "job_count": 7,
               "data_source": "bls", "year": 2026}]
    expect_indexes_inside(2, "SELECT * FROM jobfleet.store_market_data(%s::jsonb)", json.dumps(market))
    expect_indexes_inside(7, "SELECT * FROM cleanup_salary_data(keep_years => 4, n => 100)")


run(bed,
    a_million_figures_are_there,
    each_common_query_uses_its_index,
    each_index_is_there_for_one_of_them,
    no_statement_of_the_programs_reads_a_table_whole,
    upserts_and_clean_up_find_their_rows_by_indexes)
