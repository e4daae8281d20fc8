#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""What sql/014_salary.sql promises other programs: how benchmarks merge, what the views show, that
every change leaves its trail, what retention lets go, and what export and erasure find."""

import json
import os
import subprocess
import threading
import time

import psycopg2

from dispatcher_bed import TOP, Bed, run

bed = Bed()
EXACT = {"steps_wider": 0, "group": False, "area_code": "19740", "soc": "29-1141",
         "lower_bounds": ["percentile_90"], "percentile_10": 51000.5}


def figure(**more):
    return dict({"location": "Denver, CO", "occupation": "Registered Nurses", "data_source": "bls",
                 "year": 2025, "median_salary": "93800.10", "metadata": EXACT}, **more)


def upsert(*figures):
    """[(outcome, row)], numbers as the database prints them."""
    return [(outcome, json.loads(row, parse_float=str, parse_int=str)) for outcome, row in bed.sql(
        "SELECT outcome, benchmark::text FROM upsert_salary_benchmark(%s::jsonb) ORDER BY place",
        json.dumps(figures))]


def row_state():
    return bed.sql("SELECT xmin::text, ctid::text, updated_at FROM salary_benchmarks ORDER BY id")


def start_anew():
    bed.sql("TRUNCATE salary_benchmarks, market_data, confidence_scores, salary_data_cache,"
            " jobfleet.salary_reads")
    bed.sql("SET jobfleet.erasing = 'yes'; DELETE FROM jobfleet.salary_changes; RESET jobfleet.erasing")


def expect(got, want):
    assert got == want, "expected %r, got %r" % (want, got)


def refused(text, sql, *args):
    try:
        bed.sql(sql, *args)
    except psycopg2.Error as e:
        assert text in str(e), "expected %r, got %s" % (text, e)
        return
    raise AssertionError("not refused: " + sql)


# ---- merging ----

def amounts_arrive_digit_by_digit():
    start_anew()
    (outcome, row), = upsert(figure(median_salary="9007199254.37", mean_salary=0.1, percentile_25="0.30"))
    expect(outcome, "inserted")
    expect([row[k] for k in ("median_salary", "mean_salary", "percentile_25")],
           ["9007199254.37", "0.10", "0.30"])
    bed.sql("SELECT upsert_salary_benchmark('{\"location\": \"a\", \"occupation\": \"b\", \"median_salary\":"
            " 9007199254740.99e-3, \"data_source\": \"bls\", \"year\": 2025}')")
    expect(str(bed.one("SELECT median_salary FROM salary_benchmarks WHERE location = 'a'")), "9007199254.74")


def a_row_that_would_stay_as_it_is_is_not_touched():
    start_anew()
    upsert(figure(percentile_90="120000", data_freshness_days=100, source_confidence_score=0.8))
    before, changes = row_state(), bed.one("SELECT count(*) FROM jobfleet.salary_changes")
    (outcome, _), = upsert(figure(percentile_90="120000.00", data_freshness_days=101, industry="",
                                  source_confidence_score=0.8))
    expect(outcome, "unchanged")
    expect(row_state(), before)
    expect(bed.one("SELECT count(*) FROM jobfleet.salary_changes"), changes)
    assert bed.one("SELECT jobfleet.salary_checked('salary_benchmarks', id::text, updated_at) > updated_at"
                   " FROM salary_benchmarks")
    bed.sql("UPDATE salary_benchmarks SET year = year")
    expect([t for _, _, t in row_state()], [t for _, _, t in before])


def a_newer_answer_replaces_the_older():
    start_anew()
    upsert(figure(mean_salary="95000", percentile_90="120000", sample_size=40))
    (outcome, row), = upsert(figure(median_salary="94000", metadata=dict(EXACT, lower_bounds=[])))
    expect(outcome, "updated")
    # a revised median is another release: nothing of the older one stays
    expect([row[k] for k in ("median_salary", "mean_salary", "percentile_90", "sample_size")],
           ["94000.00", None, None, None])
    expect(row["metadata"]["lower_bounds"], [])
    expect(bed.one("SELECT count(*) FROM salary_benchmarks"), 1)


def a_partial_answer_of_the_same_release_erases_nothing():
    start_anew()
    upsert(figure(mean_salary="95000", percentile_90="120000", sample_size=40))
    partial = {k: v for k, v in EXACT.items() if k != "percentile_10"}
    (outcome, row), = upsert(figure(mean_salary="95000.50", metadata=dict(partial, lower_bounds=[])))
    expect(outcome, "updated")
    expect([row[k] for k in ("mean_salary", "percentile_90", "sample_size")], ["95000.50", "120000.00", "40"])
    expect(row["metadata"]["lower_bounds"], ["percentile_90"])
    expect(row["metadata"]["percentile_10"], "51000.5")
    (outcome, row), = upsert(figure(metadata=dict(EXACT, area_code="08")))
    expect([outcome, row["percentile_90"]], ["updated", None])


def a_wider_answer_never_replaces_a_nearer_one():
    start_anew()
    upsert(figure(cache_key="one"))
    for wider in ({"steps_wider": 1}, {"steps_wider": 0, "group": True}):
        (outcome, row), = upsert(figure(median_salary="1", metadata=dict(EXACT, **wider)))
        expect((outcome, row["median_salary"]), ("kept", "93800.10"))
    (_, row), = upsert(figure(median_salary="1", cache_key="two", metadata=dict(EXACT, steps_wider=2)))
    expect((row["median_salary"], row["cache_key"]), ("93800.10", "two"))
    start_anew()
    upsert(figure(metadata=dict(EXACT, steps_wider=2)))
    (outcome, row), = upsert(figure(median_salary="2"))
    expect((outcome, row["median_salary"]), ("updated", "2.00"))


def equal_questions_in_one_call_are_one_row_and_the_later_counts():
    start_anew()
    got = upsert(figure(median_salary="1"), figure(median_salary="2"), figure(data_source="census"))
    expect([(o, r["median_salary"]) for o, r in got],
           [("inserted", "2.00"), ("inserted", "2.00"), ("inserted", "93800.10")])
    expect(bed.one("SELECT count(*) FROM salary_benchmarks"), 2)


def what_cannot_be_stored_is_refused_by_name():
    refused("median is no field", "SELECT upsert_salary_benchmark('{\"median\": 1}')")
    refused("occupation", "SELECT upsert_salary_benchmark('{\"location\": \"a\"}')")
    refused("salary_benchmarks_percentile_90_range",
            "INSERT INTO salary_benchmarks (location, occupation, median_salary, percentile_90, data_source,"
            " year) VALUES ('a', 'b', 1, -1, 'bls', 2025)")
    refused("market_data_unemployment_rate_range",
            "INSERT INTO market_data (location, unemployment_rate, data_source, year)"
            " VALUES ('a', 101, 'bls', 2025)")


def upserts_at_once_neither_wait_in_circles_nor_double_a_row():
    start_anew()
    troubles = []

    def write(n):
        connection = psycopg2.connect(bed.database)
        connection.autocommit = True
        try:
            with connection.cursor() as c:
                for i in range(20):
                    figures = [figure(location="City %d" % (k * (n + 1) % 31), median_salary=str(i))
                               for k in range(31)]
                    c.execute("SELECT count(*) FROM upsert_salary_benchmark(%s::jsonb)",
                              (json.dumps(figures),))
        except psycopg2.Error as e:
            troubles.append(str(e))
        connection.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    expect(troubles, [])
    expect(bed.one("SELECT count(*) FROM salary_benchmarks"), 31)


def market_figures_merge_one_by_one():
    start_anew()

    def store(**more):
        (row,), = bed.sql("SELECT figure FROM jobfleet.store_market_data(%s::jsonb)", json.dumps([dict(
            {"location": "Denver, CO", "data_source": "bls", "year": 2025}, **more)]))
        return row

    store(job_count=10, unemployment_rate="4.10", metadata={"steps_wider": 0, "area_code": "1"})
    before = bed.sql("SELECT xmin::text, updated_at FROM market_data")
    row = store(job_count=10, metadata={"steps_wider": 0, "area_code": "1"})
    expect(bed.sql("SELECT xmin::text, updated_at FROM market_data"), before)
    expect(row["unemployment_rate"], 4.1)
    row = store(unemployment_rate="9", metadata={"steps_wider": 1, "area_code": "2"})
    expect((row["job_count"], row["unemployment_rate"]), (10, 4.1))
    row = store(unemployment_rate="4.20", metadata={"steps_wider": 0, "area_code": "1"})
    expect((row["job_count"], row["unemployment_rate"]), (10, 4.2))


# ---- views ----

def the_views_show_the_best_current_figures():
    start_anew()
    upsert(figure(year=2024, source_confidence_score=0.99, median_salary="1"),
           figure(source_confidence_score=0.7),
           figure(data_source="census", year=2024, source_confidence_score=0.8, median_salary="90000"),
           figure(data_source="postings", year=2026, median_salary="99000"),
           figure(data_source="census", industry="Technology", source_confidence_score=0.2))
    bed.sql("INSERT INTO confidence_scores (data_type, location, occupation, overall_confidence_score, year)"
            " VALUES ('salary', 'Denver, CO', 'Registered Nurses', 0.60, 2024),"
            " ('salary', 'Denver, CO', 'Registered Nurses', 0.65, 2025),"
            " ('market', 'Denver, CO', NULL, 0.50, 2025)")
    expect(bed.sql("SELECT industry, data_source, median_salary::text, sources, lowest_median::text,"
                   " highest_median::text, overall_confidence_score::text FROM current_salary_benchmarks"
                   " ORDER BY industry NULLS FIRST"),
           [(None, "census", "90000.00", 3, "90000.00", "99000.00", "0.65"),
            ("Technology", "census", "93800.10", 1, "93800.10", "93800.10", None)])
    bed.sql("INSERT INTO market_data (location, unemployment_rate, job_count, data_source, year, quarter,"
            " demand_score) VALUES ('Denver, CO', 4.1, NULL, 'bls', 2025, 3, NULL),"
            " ('Denver, CO', 4.9, 7, 'bls', 2025, NULL, NULL), ('Denver, CO', 5, NULL, 'fred', 2024, 4, 0.5)")
    expect(bed.sql("SELECT unemployment_rate::text, job_count, demand_score::text, sources, year,"
                   " overall_confidence_score::text FROM market_overview"),
           [("4.10", 7, "0.50", ["bls", "fred"], 2025, "0.50")])
    bed.sql("INSERT INTO market_data (location, unemployment_rate, data_source, year, quarter, metadata) VALUES"
            " ('Denver, CO', 3.9, 'fred', 2025, 4, '{\"level\": \"state\", \"steps_wider\": 1}'),"
            " ('Denver, CO', 4.2, 'census', 2025, 2, '{\"level\": \"metro\", \"steps_wider\": 0}')")
    expect(bed.sql("SELECT unemployment_rate::text FROM market_overview"), [("4.10",)])
    bed.sql("DELETE FROM market_data WHERE data_source = 'bls'")
    expect(bed.sql("SELECT unemployment_rate::text FROM market_overview"), [("4.20",)])


# ---- the trail ----

def every_change_leaves_its_trail():
    start_anew()
    bed.sql("BEGIN; SET LOCAL jobfleet.task_id = 'a-task'")
    upsert(figure())
    bed.sql("COMMIT")
    bed.sql("UPDATE salary_benchmarks SET median_salary = 94000, industry = NULL")
    bed.sql("UPDATE salary_benchmarks SET median_salary = 94000")
    bed.sql("DELETE FROM salary_benchmarks")
    bed.sql("TRUNCATE market_data")
    trail = bed.sql("SELECT action, task_id, changed_by = session_user, table_name, location, old, new"
                    " FROM jobfleet.salary_changes ORDER BY id")
    expect([t[:5] for t in trail],
           [("insert", "a-task", True, "salary_benchmarks", "Denver, CO"),
            ("update", None, True, "salary_benchmarks", "Denver, CO"),
            ("delete", None, True, "salary_benchmarks", "Denver, CO"),
            ("truncate", None, True, "market_data", None)])
    expect((trail[0][5], trail[0][6]["median_salary"]), (None, 93800.1))
    expect(trail[1][5:], ({"median_salary": 93800.1}, {"median_salary": 94000}))
    expect((trail[2][5]["median_salary"], trail[2][6]), (94000, None))


def a_change_that_is_undone_leaves_none():
    start_anew()
    bed.sql("BEGIN")
    upsert(figure())
    bed.sql("ROLLBACK")
    expect(bed.one("SELECT count(*) FROM jobfleet.salary_changes"), 0)


def nobody_rewrites_the_trail():
    for sql in ("DELETE FROM jobfleet.salary_changes", "UPDATE jobfleet.salary_changes SET new = NULL",
                "TRUNCATE jobfleet.salary_changes"):
        refused("only ever added to", sql)


def a_load_of_many_rows_and_its_change_pass_the_trail_whole():
    start_anew()
    n = 20000
    started = time.monotonic()
    bed.sql("INSERT INTO confidence_scores (data_type, location, occupation, year)"
            " SELECT 'salary', 'City ' || n, 'x', 2025 FROM generate_series(1, %s) n" % n)
    bed.sql("UPDATE confidence_scores SET overall_confidence_score = 0.5")
    expect(bed.sql("SELECT action, count(*), count(DISTINCT row_id) FROM jobfleet.salary_changes GROUP BY 1"
                   " ORDER BY 1"), [("insert", n, n), ("update", n, n)])
    # row by row, or each old row held against each new one, it would be minutes
    assert time.monotonic() - started < 60, "took %d s" % (time.monotonic() - started)


# ---- retention ----

def clean_up_lets_go_of_what_is_over_in_batches():
    start_anew()
    year = bed.one("SELECT extract(year FROM now() AT TIME ZONE 'UTC')::int")
    upsert(*[figure(year=year - k) for k in (0, 9, 10, 11, 12)])
    upsert(figure(occupation="Glaziers", year=year - 20))
    bed.sql("INSERT INTO salary_data_cache (cache_key, data_type, redis_key, is_active, expires_at) VALUES"
            " ('a', 'salary_data', 'a', false, now() - interval '31 d'),"
            " ('b', 'salary_data', 'b', false, now() - interval '29 d'),"
            " ('c', 'salary_data', 'c', true, now() - interval '99 d')")
    bed.sql("INSERT INTO jobfleet.salary_reads SELECT now() - d * interval '1 d', 'k', 'o', NULL, 'hit'"
            " FROM generate_series(88, 92) d")

    def clean(n):
        return {what: (removed, more) for what, removed, more in bed.sql(
            "SELECT * FROM cleanup_salary_data(n => %s)", n) if removed}

    expect(clean(2), {"salary_benchmarks": (2, True), "salary_data_cache": (1, False),
                      "salary_reads": (2, True)})
    expect(clean(2), {"salary_benchmarks": (1, False), "salary_reads": (1, False)})
    expect(bed.sql("SELECT occupation, %s - year FROM salary_benchmarks ORDER BY 1, 2", year),
           [("Glaziers", 20), ("Registered Nurses", 0), ("Registered Nurses", 9)])
    expect(bed.sql("SELECT cache_key FROM salary_data_cache ORDER BY 1"), [("b",), ("c",)])
    expect(bed.sql("SELECT * FROM cleanup_salary_data(keep_changes => '0', n => 100)"
                   " WHERE what = 'salary_changes'"), [("salary_changes", 9, False)])
    refused("above 0", "SELECT cleanup_salary_data(keep_years => 0)")


# ---- export and erasure ----

def fill_two_places():
    start_anew()
    for place, key in (("Denver, CO", "salary_data:denver"), ("Austin, TX", "salary_data:austin")):
        upsert(figure(location=place, cache_key=key))
        bed.sql("INSERT INTO market_data (location, data_source, year) VALUES (%s, 'bls', 2025)", place)
        bed.sql("INSERT INTO confidence_scores (data_type, location, year) VALUES ('salary', %s, 2025)", place)
        bed.sql("INSERT INTO salary_data_cache (cache_key, data_type, redis_key) VALUES (%s, 'salary_data',"
                " %s)", key, key)
        for origin in ("gen1@one", "gen2@two"):
            bed.sql("INSERT INTO jobfleet.salary_reads VALUES (now(), %s, %s, 'task', 'hit')", key, origin)


def counts(**request):
    return dict(bed.sql("SELECT source, count(*) FROM jobfleet.export_salary_data(%s) GROUP BY 1" % ", ".join(
        "%s => %%s" % name for name in request), *request.values()))


def export_gives_all_there_is_of_a_place_an_answer_or_a_caller():
    fill_two_places()
    all_of_it = {"salary_benchmarks": 1, "market_data": 1, "confidence_scores": 1, "salary_data_cache": 1,
                 "salary_changes": 3, "salary_reads": 2}
    expect(counts(location="Denver, CO"), all_of_it)
    expect(counts(location="Denver, CO", origin="gen1@one"), {"salary_reads": 1})
    expect(counts(cache_key="salary_data:austin"), {"salary_benchmarks": 1, "salary_data_cache": 1,
                                                     "salary_changes": 1, "salary_reads": 2})
    expect(counts(origin="gen2@two"), {"salary_reads": 2})
    expect(counts(occupation="Glaziers"), {})
    refused("name a location", "SELECT * FROM jobfleet.export_salary_data()")


def erasure_leaves_nothing_of_it_but_that_it_was():
    fill_two_places()
    erased = dict(bed.sql("SELECT * FROM jobfleet.erase_salary_data('a request', location => 'Denver, CO')"))
    expect(erased, {"salary_benchmarks": 1, "market_data": 1, "confidence_scores": 1,
                    "salary_data_cache": 1, "salary_changes": 6, "salary_reads": 2})
    expect(counts(location="Denver, CO"), {})
    expect(counts(location="Austin, TX")["salary_reads"], 2)
    erased = dict(bed.sql("SELECT * FROM jobfleet.erase_salary_data('a request', origin => 'gen1@one')"))
    expect(erased, {"salary_reads": 1})
    expect(counts(location="Austin, TX")["salary_reads"], 1)
    logged = bed.sql("SELECT reason, request, erased FROM jobfleet.salary_erasures ORDER BY id DESC LIMIT 1")
    assert logged[0][0] == "a request" and "gen1" not in json.dumps(logged[0]), logged
    expect(list(logged[0][1]), ["origin_sha256"])
    nobody_rewrites_the_trail()


# ---- who may, and by task ----

def the_functions_are_nobodys_but_their_roles():
    for function, roles in (("public.upsert_salary_benchmark(jsonb)", ["jobfleet_worker"]),
                            ("jobfleet.export_salary_data(text, text, text, text)", []),
                            ("jobfleet.erase_salary_data(text, text, text, text, text)", [])):
        expect([r for r, in bed.sql(
            "SELECT r FROM unnest(ARRAY['jobfleet_dispatcher', 'jobfleet_enqueue', 'jobfleet_reader',"
            " 'jobfleet_worker', 'pg_monitor']) r WHERE has_function_privilege(r, %s, 'EXECUTE')",
            function)], roles)


def clean_up_by_task_says_what_went():
    said = subprocess.run(
        [os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-salary"), "--run",
         "backend.tasks.salary_data_tasks.cleanup_expired_cache", "{}"],
        env=dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf")), stdout=subprocess.PIPE,
        check=True, text=True, timeout=60).stdout
    removed = json.loads(said)["removed"]
    assert set(removed) >= {"salary_benchmarks", "salary_changes", "salary_reads"}, removed


def arguments_of_another_type_are_refused_by_name():
    for task, kwargs, named in (("refresh_salary_cache", {"cache_pattern": 5}, "cache_pattern"),
                                ("refresh_salary_cache", {"cache_pattern": {"a": 1}}, "cache_pattern"),
                                ("refresh_salary_cache", {"max_calls": "many"}, "max_calls"),
                                ("sync_salary_data", {"max_calls": "9e99"}, "max_calls")):
        done = subprocess.run(
            [os.path.join(os.environ["JOBFLEET_BIN"], "jobfleet-salary"), "--run",
             "backend.tasks.salary_data_tasks." + task, json.dumps(kwargs)],
            env=dict(os.environ, JOBFLEET_CONFIG=os.path.join(TOP, "queues.conf")),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode != 0 and named in done.stdout, (task, kwargs, done.stdout)


run(bed,
    amounts_arrive_digit_by_digit,
    a_row_that_would_stay_as_it_is_is_not_touched,
    a_newer_answer_replaces_the_older,
    a_partial_answer_of_the_same_release_erases_nothing,
    a_wider_answer_never_replaces_a_nearer_one,
    equal_questions_in_one_call_are_one_row_and_the_later_counts,
    what_cannot_be_stored_is_refused_by_name,
    upserts_at_once_neither_wait_in_circles_nor_double_a_row,
    market_figures_merge_one_by_one,
    the_views_show_the_best_current_figures,
    every_change_leaves_its_trail,
    a_change_that_is_undone_leaves_none,
    nobody_rewrites_the_trail,
    a_load_of_many_rows_and_its_change_pass_the_trail_whole,
    clean_up_lets_go_of_what_is_over_in_batches,
    export_gives_all_there_is_of_a_place_an_answer_or_a_caller,
    erasure_leaves_nothing_of_it_but_that_it_was,
    the_functions_are_nobodys_but_their_roles,
    clean_up_by_task_says_what_went,
    arguments_of_another_type_are_refused_by_name)
