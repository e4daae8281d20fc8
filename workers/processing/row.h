/* SPDX-License-Identifier: MIT */
/* row: one posting as JSearch sends it, of any generation, with typed and forgiving reads.
 *
 * The members are found in one pass over the object; what a row lacks, or has as null, is absent.
 * Numbers may come as texts and flags as texts or numbers: sources send all of them.
 * Borrows from the object, which must outlive it. */
#ifndef WORKERS_PROCESSING_ROW_H
#define WORKERS_PROCESSING_ROW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Sorted by name. */
#define ROW_LIST(X) \
	X(APPLY_OPTIONS, "apply_options") \
	X(EMPLOYER_COMPANY_TYPE, "employer_company_type") \
	X(EMPLOYER_LINKEDIN, "employer_linkedin") \
	X(EMPLOYER_LOGO, "employer_logo") \
	X(EMPLOYER_NAME, "employer_name") \
	X(EMPLOYER_WEBSITE, "employer_website") \
	X(APPLY_LINK, "job_apply_link") \
	X(BENEFITS, "job_benefits") \
	X(CITY, "job_city") \
	X(COUNTRY, "job_country") \
	X(DESCRIPTION, "job_description") \
	X(EMPLOYMENT_TYPE, "job_employment_type") \
	X(EMPLOYMENT_TYPES, "job_employment_types") \
	X(GOOGLE_LINK, "job_google_link") \
	X(HIGHLIGHTS, "job_highlights") \
	X(ID, "job_id") \
	X(IS_REMOTE, "job_is_remote") \
	X(LATITUDE, "job_latitude") \
	X(LOCATION, "job_location") \
	X(LONGITUDE, "job_longitude") \
	X(MAX_SALARY, "job_max_salary") \
	X(MIN_SALARY, "job_min_salary") \
	X(NAICS_CODE, "job_naics_code") \
	X(NAICS_NAME, "job_naics_name") \
	X(EXPIRES_DATE, "job_offer_expiration_datetime_utc") \
	X(EXPIRES_EPOCH, "job_offer_expiration_timestamp") \
	X(ONET_SOC, "job_onet_soc") \
	X(POSTED, "job_posted_at") \
	X(POSTED_DATE, "job_posted_at_datetime_utc") \
	X(POSTED_EPOCH, "job_posted_at_timestamp") \
	X(LANGUAGE, "job_posting_language") \
	X(PUBLISHER, "job_publisher") \
	X(EDUCATION, "job_required_education") \
	X(EXPERIENCE, "job_required_experience") \
	X(REQUIRED_SKILLS, "job_required_skills") \
	X(SALARY, "job_salary") \
	X(SALARY_CURRENCY, "job_salary_currency") \
	X(SALARY_PERIOD, "job_salary_period") \
	X(SALARY_STRING, "job_salary_string") \
	X(STATE, "job_state") \
	X(JOB_TITLE, "job_title") \
	X(UID, "job_uid")

enum row_member {
#define X(id, name) ROW_##id,
	ROW_LIST(X)
#undef X
	ROW_COUNT
};

struct row {
	const cJSON *members[ROW_COUNT];	/* NULL: absent or null */
};

void row_read(struct row *row, const cJSON *object);
const char *row_name(enum row_member member);
/* A text member; NULL if absent or no text. */
const char *row_text(const struct row *row, enum row_member member);
/* A text, or a number as its text in buffer (32 bytes); NULL if neither. */
const char *row_text_or_number(const struct row *row, enum row_member member, char buffer[32]);
/* true, 1, "true", "yes"; all else is false. */
bool row_flag(const struct row *row, enum row_member member);
/* Money in cents, from a number or its text; 0 if absent, not one, or not above zero. */
int64_t row_cents(const struct row *row, enum row_member member);
/* Whole numbers such as epoch seconds, also as text; 0 if absent. */
int64_t row_integer(const struct row *row, enum row_member member);
/* A number, also as text; false if absent. */
bool row_number(const struct row *row, enum row_member member, double *ret);

#endif
