/* SPDX-License-Identifier: MIT */
/* posting: one job posting in the main schema, whatever source it came from, and its JSON form.
 *
 * The JSON form is what processed_job_data.processed_data holds and the loading program reads: its
 * members are named as the columns of enhanced_jobs (sql/002_domain.sql), beside company_* for
 * companies, publisher and external_id for job_sources, merge_key (the dedupe key under which it
 * is loaded) and raw_data (the source's own row). Absent values are left out.
 * Amounts are decimal numbers with two places, made from cents.
 * Ownership: init/release; clear makes it ready for the next. */
#ifndef WORKERS_PROCESSING_POSTING_H
#define WORKERS_PROCESSING_POSTING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/market/place.h"
#include "workers/processing/benefits.h"
#include "workers/processing/company.h"
#include "workers/processing/dates.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/education.h"
#include "workers/processing/experience.h"
#include "workers/processing/level.h"
#include "workers/processing/pay.h"
#include "workers/processing/remote.h"
#include "workers/processing/skills.h"
#include "workers/processing/title.h"
#include "workers/processing/weblink.h"

/* Of the rules that make a posting; raise it when a change makes another one of the same row. */
enum {
	POSTING_RULES_VERSION = 2, POSTING_PLACES_MAX = 15,
	POSTING_RAW_MAX = 1024 * 1024,
};

/* Why a row is refused: the closed list of error_type in job_processing_log.errors. */
#define REFUSAL_LIST(X) \
	X(NONE, "") \
	X(SCHEMA_VALIDATION, \
	  "schema_validation")		    /* a required field is missing or of a wrong type */ \
	X(TOO_LARGE, "too_large")	    /* past a stated limit */ \
	X(INVALID_JSON, "invalid_json")	    /* the answer is no JSON; job_index null */ \
	X(UNKNOWN_FORMAT, "unknown_format") /* JSON without a list of postings; job_index null */ \
	X(QUALITY, "quality")		    /* says too little: quality_reject in queues.conf */ \
	X(STEP, "processing_step")	    /* a step of this installation refuses it */ \
	X(CRASHED, "crashed")		    /* the process that read it died (poison.h) */ \
	X(DATABASE, "database")		    /* PostgreSQL refuses the row */

enum refusal_type {
#define X(id, text) REFUSAL_##id,
	REFUSAL_LIST(X)
#undef X
	REFUSAL_COUNT
};

struct refusal {
	enum refusal_type type;
	char message[256];		/* "Missing required field: job_title" */
};
const char *refusal_name(enum refusal_type type);

struct posting {
	char title[TITLE_MAX], company[COMPANY_MAX], location[256];
	struct place place;
	char postal_code[16];
	char places[POSTING_PLACES_MAX][128];	/* the others, as labels */
	size_t nplaces;
	enum remote remote;
	enum level level;
	unsigned employment;			/* set of employment.h */
	struct pay pay;
	bool pay_estimated;			/* by the source, not offered */
	char salary_text[256];
	struct buf description;
	char apply_url[WEBLINK_MAX];
	struct buf apply_options;		/* JSON array, "" none */
	struct skills skills;
	struct benefits benefits;
	int experience_months;			/* at least; -1 unknown */
	int experience_max_months;		/* -1 open */
	struct education education;
	const char *role;			/* static: "software engineer"; NULL none of ours */
	char soc_code[16], naics_code[16], naics_name[128], language[8];
	bool has_posted, has_expiry;
	struct date posted, expires;
	char company_website[256], company_logo[512], company_type[64], company_linkedin[256];
	const char *provider;			/* borrowed */
	char publisher[128], external_id[256];
	struct dedupe_keys keys;
	double quality;				/* 0 to 1: completeness, share of what a full posting has */
	uint32_t issues;			/* set of issues.h */
	struct buf notes;			/* of steps: members of metadata, "" none */
	bool is_demo;
	struct buf raw;				/* the source's row, JSON, valid UTF-8 */
};

void posting_init(struct posting *p);
void posting_clear(struct posting *p);
void posting_release(struct posting *p);

/* Fills what follows from the rest: keys, location, quality. */
void posting_finish(struct posting *p);
/* merge_key NULL: its own dedupe key; "": left out, for who adds it later. */
void posting_json(const struct posting *p, const char *merge_key, struct buf *out);

#endif
