/* SPDX-License-Identifier: MIT */
/* The statements that evidence.c reads with; nobody else includes this. Both kinds give the same
 * columns, in the order of enum column.
 * Parameters of a page: $1 $2 the mark, $3 its rows, $4 the place, $5 and $6 the occupation. */
#ifndef CONFIDENCE_EVIDENCE_SQL_H
#define CONFIDENCE_EVIDENCE_SQL_H

#define KEY "location, occupation, industry"
#define NEWEST "year DESC, quarter DESC NULLS LAST, updated_at DESC, id"
#define SINCE_WRITTEN "floor(extract(epoch FROM now() - updated_at) / 86400)"
/* as the index salary_benchmarks_soc has it */
#define CODE "coalesce(metadata ->> 'soc', metadata ->> 'soc_code')"

/* Numbers of metadata come as text: whatever others wrote there must not end the statement. */
#define PAY_COLUMNS \
	" data_source, year, cache_key, median_salary AS value, metadata ->> 'as_of' AS as_of," \
	" data_freshness_days, " SINCE_WRITTEN " AS since_written, sample_size," \
	" metadata ->> 'employment' AS employment, metadata ->> 'error_percent' AS error_percent," \
	" metadata ->> 'steps_wider' AS steps_wider," \
	" coalesce(metadata -> 'lower_bounds' ? 'median_salary', false) AS lower_bound," \
	" coalesce(metadata -> 'group' = 'true', false) AS estimate, " CODE " AS code"
#define MARKET_COLUMNS \
	" data_source, year, cache_key, coalesce(unemployment_rate, 0) AS value," \
	" coalesce(metadata ->> 'as_of', to_char(make_date(year, coalesce(quarter * 3, 12), 15)," \
	" 'YYYY-MM-DD')) AS as_of, NULL AS data_freshness_days, NULL AS since_written," \
	" NULL AS sample_size, NULL AS employment, NULL AS error_percent," \
	" metadata ->> 'steps_wider' AS steps_wider, false AS lower_bound, false AS estimate," \
	" NULL AS code"
/* the same without how they are made */
#define FIGURE \
	"data_source, year, cache_key, value, as_of, data_freshness_days, since_written, sample_size," \
	" employment, error_percent, steps_wider, lower_bound, estimate, code"

#define BEHIND_PAY "(location, occupation) > ($1, $2)"
/* location >= $1 is for the index; the nulls come last in it */
#define BEHIND_MARKET \
	"location >= $1 AND (location > $1 OR ($2::text IS NOT NULL" \
	" AND (occupation > $2 OR occupation IS NULL)))"
/* Parameters are known when it is planned: what is true without looking at a row costs nothing. */
#define WITHIN(place, job, job_given) \
	"($" #place "::text = '*' OR location = $" #place ") AND ($" #job \
	"::text = '' OR occupation IN ($" #job ", $" #job_given "))"
#define OF_PAGE " AND " WITHIN(4, 5, 6) " ORDER BY " KEY

/* Rows are read in the order of the index salary_benchmarks_once, so that a page costs its rows and
 * nothing else, whatever years and variants of a figure there are; only then the newest are picked.
 * A title may be told under two codes: the newest figure of both is lent. */
#define PAY_PAGE \
	"WITH page AS (SELECT " KEY ", quarter, updated_at, id," PAY_COLUMNS \
	" FROM salary_benchmarks WHERE " BEHIND_PAY OF_PAGE \
	", experience_level, education_level, data_source, year, quarter LIMIT $3::bigint)," \
	" own AS (SELECT DISTINCT ON (" KEY ", data_source) " KEY ", " FIGURE " FROM page" \
	" ORDER BY " KEY ", data_source, " NEWEST ")," \
	" titles AS (SELECT DISTINCT " KEY ", code FROM own WHERE code IS NOT NULL)" \
	" SELECT own.*, false AS lent, (SELECT count(*) FROM page) FROM own" \
	" UNION ALL SELECT t.location, t.occupation, t.industry, s.*, true, 0" \
	" FROM titles t CROSS JOIN LATERAL (SELECT DISTINCT ON (data_source)" PAY_COLUMNS \
	" FROM salary_benchmarks WHERE location = t.location AND " CODE " = t.code" \
	" AND occupation <> t.occupation AND industry IS NULL AND data_source <> 'fallback'" \
	" ORDER BY data_source, " NEWEST ") s" \
	" ORDER BY " KEY ", lent, data_source, year DESC"
#define MARKET_PAGE \
	"WITH page AS (SELECT " KEY ", quarter, updated_at, id," MARKET_COLUMNS \
	" FROM market_data WHERE " BEHIND_MARKET OF_PAGE \
	", data_source, year, quarter LIMIT $3::bigint)" \
	" SELECT DISTINCT ON (" KEY ", data_source) " KEY ", " FIGURE ", false AS lent," \
	" (SELECT count(*) FROM page) FROM page ORDER BY " KEY ", data_source, " NEWEST

#endif
