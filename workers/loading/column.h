/* SPDX-License-Identifier: MIT */
/* column: how a member of a processed posting becomes a column of the staging table, in COPY's text
 * form. The member names are those that processing writes (workers/processing/posting.h): each is
 * the column's own name. Absent or null members are SQL NULL, or the column's empty value. */
#ifndef WORKERS_LOADING_COLUMN_H
#define WORKERS_LOADING_COLUMN_H

#include <cjson/cJSON.h>
#include <stdbool.h>

struct buf;

enum column_kind {
	COLUMN_TEXT,
	COLUMN_MONEY,		/* two decimals */
	COLUMN_NUMBER,
	COLUMN_FLAG,
	COLUMN_TEXTS,		/* text[], never null */
	COLUMN_JSON,		/* jsonb object, never null */
	COLUMN_JSON_LIST,	/* jsonb array, never null */
};

/* How a merge chooses between the known row's value and the new one's. */
enum column_merge {
	MERGE_KEY,		/* as inserted, never changed */
	MERGE_BEST,		/* the better row's, else whichever there is */
	MERGE_PAY,		/* with the other pay columns as one */
	MERGE_POSTED,		/* the known date, but for one that is exact: "3 days ago" moves daily */
	MERGE_STAGED,		/* for other tables: not in enhanced_jobs */
};

/* column, kind, merge, value where the member is absent (COPY text; NULL = SQL NULL) */
#define COLUMN_LIST(X) \
	X(title, TEXT, BEST, NULL) \
	X(company, TEXT, BEST, NULL) \
	X(location, TEXT, BEST, NULL) \
	X(city, TEXT, BEST, NULL) \
	X(state, TEXT, BEST, NULL) \
	X(country, TEXT, BEST, NULL) \
	X(latitude, NUMBER, BEST, NULL) \
	X(longitude, NUMBER, BEST, NULL) \
	X(remote, TEXT, BEST, "unknown") \
	X(employment_types, TEXTS, BEST, "{}") \
	X(seniority, TEXT, BEST, "unknown") \
	X(salary_min, MONEY, PAY, NULL) \
	X(salary_max, MONEY, PAY, NULL) \
	X(salary_currency, TEXT, PAY, NULL) \
	X(salary_period, TEXT, PAY, NULL) \
	X(salary_annual_min, MONEY, PAY, NULL) \
	X(salary_annual_max, MONEY, PAY, NULL) \
	X(salary_estimated, FLAG, PAY, "f") \
	X(salary_text, TEXT, PAY, NULL) \
	X(description, TEXT, BEST, "") \
	X(apply_url, TEXT, BEST, NULL) \
	X(apply_options, JSON_LIST, BEST, "[]") \
	X(skills, TEXTS, BEST, "{}") \
	X(benefits, TEXTS, BEST, "{}") \
	X(experience_months, NUMBER, BEST, NULL) \
	X(education, TEXT, BEST, NULL) \
	X(soc_code, TEXT, BEST, NULL) \
	X(naics_code, TEXT, BEST, NULL) \
	X(language, TEXT, BEST, NULL) \
	X(posted_at, TEXT, POSTED, NULL) \
	X(posted_exact, FLAG, POSTED, "f") \
	X(expires_at, TEXT, BEST, NULL) \
	X(dedupe_title, TEXT, KEY, "") \
	X(dedupe_company, TEXT, KEY, "") \
	X(dedupe_location, TEXT, KEY, "") \
	X(apply_key, TEXT, BEST, NULL) \
	X(api_provider, TEXT, BEST, NULL) \
	X(external_id, TEXT, BEST, NULL) \
	X(quality_score, NUMBER, BEST, "0") \
	X(rules_version, NUMBER, BEST, "1") \
	X(is_demo, FLAG, KEY, "f") \
	X(metadata, JSON, BEST, "{}") \
	X(raw_data, JSON, BEST, "{}") \
	X(publisher, TEXT, STAGED, NULL) \
	X(company_website, TEXT, STAGED, NULL) \
	X(company_logo, TEXT, STAGED, NULL) \
	X(company_type, TEXT, STAGED, NULL) \
	X(company_linkedin, TEXT, STAGED, NULL) \
	X(naics_name, TEXT, STAGED, NULL)

struct column {
	const char *name;
	enum column_kind kind;
	enum column_merge merge;
	const char *absent;
};

extern const struct column COLUMNS[];
extern const int COLUMNS_COUNT;

/* Appends all columns of the list, separated by tabs. */
void column_put_all(struct buf *out, const cJSON *posting);
/* One text as a COPY field. */
void column_put_text(struct buf *out, const char *text);

#endif
