# SPDX-License-Identifier: MIT
"""Generated salary tables, and what is asked of them: one list for the bench, which times each query,
and for tests/scenario/43_salary_plans.py, which holds each to its index."""

import random

PLACES, OCCUPATIONS, SOURCES = 500, 400, 5
PAIRS = PLACES * OCCUPATIONS
ROWS = PAIRS * SOURCES
TABLES = ("salary_benchmarks", "market_data", "confidence_scores", "salary_data_cache")

# n counts pairs of a place p and an occupation o; tail ends their cache key.
PAIR = """(
        SELECT n, p, o, 'City ' || p || ', ST' AS location, 'Occupation ' || o AS occupation,
            ':city_' || p || ':occupation_' || o || ':st:us:any:any:any:latest' AS tail,
            now() - n * 7919 % 8640000 * interval '1 s' AS written
        FROM (SELECT n, n % {p} AS p, n / {p} % {o} AS o FROM generate_series(0::bigint, {{n}} - 1) n) AS pair
        OFFSET 0) AS pair""".format(p=PLACES, o=OCCUPATIONS)
FILL = {
    "salary_benchmarks": (PAIRS, """
        INSERT INTO salary_benchmarks (location, occupation, median_salary, mean_salary, percentile_25,
            data_source, source_confidence_score, data_freshness_days, year, cache_key, metadata, updated_at)
        SELECT location, occupation, m, m + 1000, m - 9000.50, source, score, n % 700, 2027 - k, tail, notes,
            written - k * interval '1 h'
        FROM (SELECT *, 40000 + n * 7919 % 90000 + 0.25 AS m, 0.3 + n * 31 % 60 / 100.0 AS score,
                jsonb_build_object('soc', '15-' || 1000 + o, 'area_code', p::text, 'steps_wider', n % 3,
                    'lower_bounds', '[]'::jsonb) AS notes
            FROM PAIR OFFSET 0) AS pair
        CROSS JOIN unnest('{bls,bls,census,postings,fallback}'::text[]) WITH ORDINALITY AS s (source, k)"""),
    "market_data": (PAIRS // 2, """
        INSERT INTO market_data (location, occupation, job_count, unemployment_rate, data_source, year,
            quarter, cache_key, metadata, updated_at)
        SELECT location, CASE WHEN o > 0 THEN occupation END, n % 9000, 2 + n * 31 % 900 / 100.0,
            ('{bls,fred,census}'::text[])[1 + n::int % 3], 2024 + n % 3, nullif(n % 5, 0), tail,
            '{"steps_wider": 0}', written
        FROM PAIR"""),
    "confidence_scores": (PAIRS // 2, """
        INSERT INTO confidence_scores (data_type, location, occupation, overall_confidence_score, year,
            cache_key, updated_at)
        SELECT 'salary', location, occupation, n * 31 % 100 / 100.0, 2024 + n % 3, tail, written FROM PAIR"""),
    "salary_data_cache": (PAIRS // 2, """
        INSERT INTO salary_data_cache (cache_key, data_type, redis_key, is_active, expires_at)
        SELECT tail, 'salary_data', tail, n % 50 > 0,
            now() + (CASE WHEN n % 50 > 0 THEN n % 86400 - 10 ELSE -n % 5000000 END) * interval '1 s'
        FROM PAIR"""),
}

# A key goes and comes back with its constraint, an index alone.
INDEXES = """
    SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %%s', i.indexrelid::regclass)
            ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', i.indrelid::regclass, c.conname) END,
        CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
            ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', i.indrelid::regclass, c.conname,
                pg_get_constraintdef(c.oid)) END
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
    WHERE i.indrelid = %s::regclass ORDER BY i.indexrelid"""


def fill(connection, share=1.0):
    """Rows without a trail; indexes are made last, in one go each."""
    with connection.cursor() as c:
        c.execute("SET maintenance_work_mem = '256MB'")
        for table, (n, sql) in FILL.items():
            c.execute(INDEXES, (table,))
            indexes = c.fetchall()
            c.execute("ALTER TABLE %s SET UNLOGGED; ALTER TABLE %s DISABLE TRIGGER USER" % (table, table))
            for drop, _ in indexes:
                c.execute(drop)
            c.execute(sql.replace("PAIR", PAIR.format(n=int(n * share))))
            for _, make in indexes:
                c.execute(make)
            c.execute("ALTER TABLE %s ENABLE TRIGGER USER" % table)
        c.execute("VACUUM ANALYZE " + ", ".join(TABLES))


# ---- what is asked ----

class Query:
    """index: the one that must serve it; values() are drawn anew for each time it is asked."""

    def __init__(self, what, index, sql, values=lambda r: ()):
        self.what, self.index, self.sql, self.values = what, index, sql, values


def place(r):
    return "City %d, ST" % r.randrange(PLACES)


def occupation(r):
    return "Occupation %d" % r.randrange(1, OCCUPATIONS // 2)


def key(r):
    return (":city_%d:occupation_%d:st:us:any:any:any:latest"
            % (r.randrange(PLACES), r.randrange(OCCUPATIONS // 2)),)


def pair(r):
    return place(r), occupation(r)


QUERIES = [
    Query("figures of a place and an occupation", "salary_benchmarks_once",
          "SELECT * FROM salary_benchmarks WHERE location = %s AND occupation = %s", pair),
    Query("a place's occupations", "salary_benchmarks_once",
          "SELECT occupation, median_salary FROM salary_benchmarks WHERE location = %s"
          " ORDER BY occupation LIMIT 50", lambda r: (place(r),)),
    Query("an occupation across places, newest first", "salary_benchmarks_occupation",
          "SELECT location, median_salary, year FROM salary_benchmarks WHERE occupation = %s"
          " ORDER BY year DESC LIMIT 50", lambda r: (occupation(r),)),
    Query("the figures of an answer", "salary_benchmarks_cache_key",
          "SELECT * FROM salary_benchmarks WHERE cache_key = %s", key),
    Query("the newest year", "salary_benchmarks_year", "SELECT max(year) FROM salary_benchmarks"),
    Query("the best paid of a year", "salary_benchmarks_year",
          "SELECT location, occupation, median_salary FROM salary_benchmarks WHERE year = %s"
          " ORDER BY median_salary DESC LIMIT 50", lambda r: (r.randrange(2022, 2027),)),
    Query("a source's stalest figures", "salary_benchmarks_source",
          "SELECT location, occupation, year FROM salary_benchmarks WHERE data_source = %s"
          " ORDER BY updated_at LIMIT 50", lambda r: (r.choice(("bls", "census", "postings")),)),
    Query("figures changed since", "salary_benchmarks_updated",
          "SELECT id FROM salary_benchmarks WHERE updated_at > now() - %s * interval '1 s'"
          " ORDER BY updated_at LIMIT 50", lambda r: (r.randrange(1, 3600),)),
    Query("figures of a SOC code at a place", "salary_benchmarks_soc",
          "SELECT occupation, median_salary, year FROM salary_benchmarks WHERE location = %s"
          " AND coalesce(metadata ->> 'soc', metadata ->> 'soc_code') = %s",
          lambda r: (place(r), "15-%d" % (1000 + r.randrange(OCCUPATIONS)))),
    Query("the best current benchmark (view)", "salary_benchmarks_once",
          "SELECT * FROM current_salary_benchmarks WHERE location = %s AND occupation = %s", pair),
    Query("market figures of a place and an occupation", "market_data_once",
          "SELECT * FROM market_data WHERE location = %s AND occupation = %s", pair),
    Query("the market at a place (view)", "market_data_once",
          "SELECT * FROM market_overview WHERE location = %s AND occupation = %s", pair),
    Query("the market for an occupation across places", "market_data_occupation",
          "SELECT location, job_count FROM market_data WHERE occupation = %s ORDER BY year DESC LIMIT 50",
          lambda r: (occupation(r),)),
    Query("the market figures of an answer", "market_data_cache_key",
          "SELECT * FROM market_data WHERE cache_key = %s", key),
    Query("a source's stalest market figures", "market_data_source",
          "SELECT location, occupation FROM market_data WHERE data_source = %s ORDER BY updated_at LIMIT 50",
          lambda r: (r.choice(("bls", "fred", "census")),)),
    Query("places of least unemployment", "market_data_year",
          "SELECT location, unemployment_rate FROM market_data WHERE year = %s"
          " ORDER BY unemployment_rate LIMIT 50", lambda r: (r.randrange(2024, 2027),)),
    Query("scores of a place and an occupation", "confidence_scores_place",
          "SELECT * FROM confidence_scores WHERE location = %s AND occupation = %s", pair),
    Query("a place's scores of one kind", "confidence_scores_once",
          "SELECT occupation, overall_confidence_score FROM confidence_scores"
          " WHERE data_type = 'salary' AND location = %s ORDER BY occupation LIMIT 50",
          lambda r: (place(r),)),
    Query("the least certain", "confidence_scores_weakest",
          "SELECT location, occupation FROM confidence_scores WHERE data_type = 'salary'"
          " AND overall_confidence_score < %s ORDER BY overall_confidence_score LIMIT 50",
          lambda r: (r.randrange(10, 50) / 100,)),
    Query("the scores of an answer", "confidence_scores_cache_key",
          "SELECT * FROM confidence_scores WHERE cache_key = %s", key),
    Query("a year's stalest scores", "confidence_scores_year",
          "SELECT location, occupation FROM confidence_scores WHERE year = %s ORDER BY updated_at LIMIT 50",
          lambda r: (r.randrange(2024, 2027),)),
    Query("the tracking of an answer", "salary_data_cache_cache_key_key",
          "SELECT * FROM salary_data_cache WHERE cache_key = %s", key),
    Query("is a key of Redis tracked", "salary_data_cache_redis_key",
          "SELECT is_active FROM salary_data_cache WHERE redis_key = %s", key),
    Query("answers that have ended", "salary_data_cache_expiry",
          "SELECT cache_key FROM salary_data_cache WHERE is_active AND expires_at <= now()"
          " ORDER BY expires_at LIMIT 50"),
    Query("tracking rows to let go", "salary_data_cache_over",
          "SELECT id FROM salary_data_cache WHERE NOT is_active"
          " AND coalesce(expires_at, updated_at) < now() - interval '30 days'"
          " ORDER BY coalesce(expires_at, updated_at) LIMIT 50"),
] + [
    Query("a row of %s by its id" % table, table + "_pkey", "SELECT * FROM %s WHERE id = %%s" % table,
          lambda r: ("%08x-0000-4000-8000-000000000000" % r.randrange(1 << 32),))
    for table in TABLES
]


def seeded(seed):
    return random.Random(seed)
