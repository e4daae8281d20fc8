/* SPDX-License-Identifier: MIT */
/* column: a member of a processed posting that becomes a column of the staging table, and how it
 * goes on into enhanced_jobs. The member names are those that processing writes
 * (workers/processing/posting.h): each is the column's own name. Values are typed by PostgreSQL,
 * from the JSON's own decimal text: no amount passes through floating point. Absent or null members
 * are SQL NULL, or the column's empty value; one of a wrong type refuses its row. */
#ifndef WORKERS_LOADING_COLUMN_H
#define WORKERS_LOADING_COLUMN_H

struct buf;

enum column_kind {
	COLUMN_VALUE,
	COLUMN_LIST_OF_TEXTS,	/* text[], which no aggregate gathers */
};

/* How a merge chooses between the known row's value and the new one's. */
enum column_merge {
	MERGE_KEY,		/* as inserted, but for newer rules (merge.h) */
	MERGE_BEST,		/* the better row's, else whichever there is */
	MERGE_PAY,		/* with the other pay columns as one */
	MERGE_NOTES,		/* the better row's, but for notes on pay, which go with it */
	MERGE_POSTED,		/* the known date, but for one that is exact: "3 days ago" moves daily */
	MERGE_END,		/* the better row's; another's only while it lies ahead */
	MERGE_STAGED,		/* text for other tables: not in enhanced_jobs */
};

/* column, kind, merge, value where the member is absent (NULL = SQL NULL) */
#define COLUMN_LIST(X) \
	X(title, VALUE, BEST, NULL) \
	X(company, VALUE, BEST, NULL) \
	X(location, VALUE, BEST, NULL) \
	X(city, VALUE, BEST, NULL) \
	X(state, VALUE, BEST, NULL) \
	X(country, VALUE, BEST, NULL) \
	X(postal_code, VALUE, BEST, NULL) \
	X(latitude, VALUE, BEST, NULL) \
	X(longitude, VALUE, BEST, NULL) \
	X(remote, VALUE, BEST, "unknown") \
	X(employment_types, LIST_OF_TEXTS, BEST, "{}") \
	X(seniority, VALUE, BEST, "unknown") \
	X(salary_min, VALUE, PAY, NULL) \
	X(salary_max, VALUE, PAY, NULL) \
	X(salary_currency, VALUE, PAY, NULL) \
	X(salary_period, VALUE, PAY, NULL) \
	X(salary_annual_min, VALUE, PAY, NULL) \
	X(salary_annual_max, VALUE, PAY, NULL) \
	X(salary_estimated, VALUE, PAY, "f") \
	X(salary_text, VALUE, PAY, NULL) \
	X(description, VALUE, BEST, "") \
	X(apply_url, VALUE, BEST, NULL) \
	X(apply_options, VALUE, BEST, "[]") \
	X(skills, LIST_OF_TEXTS, BEST, "{}") \
	X(benefits, LIST_OF_TEXTS, BEST, "{}") \
	X(experience_months, VALUE, BEST, NULL) \
	X(education, VALUE, BEST, NULL) \
	X(soc_code, VALUE, BEST, NULL) \
	X(naics_code, VALUE, BEST, NULL) \
	X(language, VALUE, BEST, NULL) \
	X(posted_at, VALUE, POSTED, NULL) \
	X(posted_exact, VALUE, POSTED, "f") \
	X(expires_at, VALUE, END, NULL) \
	X(dedupe_title, VALUE, KEY, "") \
	X(dedupe_company, VALUE, KEY, "") \
	X(dedupe_location, VALUE, KEY, "") \
	X(apply_key, VALUE, BEST, NULL) \
	X(api_provider, VALUE, BEST, NULL) \
	X(external_id, VALUE, BEST, NULL) \
	X(quality_score, VALUE, BEST, "0") \
	X(rules_version, VALUE, BEST, "1") \
	X(is_demo, VALUE, KEY, "f") \
	X(metadata, VALUE, NOTES, "{}") \
	X(raw_data, VALUE, BEST, "{}") \
	X(publisher, VALUE, BEST, NULL) \
	X(company_website, VALUE, STAGED, NULL) \
	X(company_logo, VALUE, STAGED, NULL) \
	X(company_type, VALUE, STAGED, NULL) \
	X(company_linkedin, VALUE, STAGED, NULL) \
	X(naics_name, VALUE, STAGED, NULL)

struct column {
	const char *name;
	enum column_kind kind;
	enum column_merge merge;
	const char *absent;
};

extern const struct column COLUMNS[];
extern const int COLUMNS_COUNT;

/* The columns' names, separated by ", ", each behind prefix. */
void column_put_names(struct buf *out, const char *prefix);
/* The same as values of record r, absent ones replaced. */
void column_put_values(struct buf *out);

#endif
