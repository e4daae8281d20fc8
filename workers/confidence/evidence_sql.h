/* SPDX-License-Identifier: MIT */
/* The statements that evidence.c reads with; nobody else includes this. Both kinds give the same
 * columns, in the order of enum column.
 * Parameters of a page: $1 $2 the mark, $3 its rows, $4 to $7 the place and the occupation. */
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
	" 'YYYY-MM-DD')) AS as_of, NULL, NULL, NULL, NULL, NULL," \
	" metadata ->> 'steps_wider' AS steps_wider, false AS lower_bound, false AS estimate, NULL"

#define BEHIND_PAY "(location, occupation) > ($1, $2)"
/* location >= $1 is for the index; the nulls come last in it */
#define BEHIND_MARKET \
	"location >= $1 AND (location > $1 OR ($2::text IS NOT NULL" \
	" AND (occupation > $2 OR occupation IS NULL)))"
/* Parameters are known when it is planned: what is true without looking at a row costs nothing. */
#define PLACE(n1, n2, n3, n4) \
	" AND ($" #n1 "::text = '*' OR location IN ($" #n1 ", $" #n2 "))" \
	" AND ($" #n3 "::text = '' OR occupation IN ($" #n3 ", $" #n4 "))"

#define WITHIN PLACE(4, 5, 6, 7)

/* A title may be told under two codes: the newest figure of both is lent. */
#define PAY_PAGE \
	"WITH own AS (SELECT DISTINCT ON (" KEY ", data_source) " KEY "," PAY_COLUMNS \
	" FROM salary_benchmarks WHERE " BEHIND_PAY WITHIN " ORDER BY " KEY \
	", data_source, " NEWEST " LIMIT $3::bigint)," \
	" titles AS (SELECT DISTINCT " KEY ", code FROM own WHERE code IS NOT NULL)" \
	" SELECT own.*, false AS lent FROM own" \
	" UNION ALL SELECT t.location, t.occupation, t.industry, s.*, true" \
	" FROM titles t CROSS JOIN LATERAL (SELECT DISTINCT ON (data_source)" PAY_COLUMNS \
	" FROM salary_benchmarks WHERE location = t.location AND " CODE " = t.code" \
	" AND occupation <> t.occupation AND industry IS NULL AND data_source <> 'fallback'" \
	" ORDER BY data_source, " NEWEST ") s" \
	" ORDER BY " KEY ", lent, data_source, year DESC"
#define MARKET_PAGE \
	"SELECT DISTINCT ON (" KEY ", data_source) " KEY "," MARKET_COLUMNS ", false AS lent" \
	" FROM market_data WHERE " BEHIND_MARKET WITHIN " ORDER BY " KEY ", data_source, " NEWEST \
	" LIMIT $3::bigint"

#endif
