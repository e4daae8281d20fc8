/* SPDX-License-Identifier: MIT */
#include "workers/processing/transform.h"

#include <ctype.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/processing/employment.h"
#include "workers/processing/posting.h"
#include "workers/processing/row.h"
#include "workers/processing/soc.h"
#include "workers/processing/text.h"
#include "workers/processing/utf8.h"

enum { EXPERIENCE_MAX_MONTHS = 600 };

static int refuse(struct refusal *r, enum refusal_type type, const char *form, const char *what)
{
	r->type = type;
	snprintf(r->message, sizeof r->message, "%s: %s", form, what);
	return -1;
}

/* What stands in both texts must be there as a text and say something. */
static int check_required(const struct row *row, struct posting *p, struct refusal *r)
{
	static const enum row_member REQUIRED[] = { ROW_JOB_TITLE, ROW_EMPLOYER_NAME };

	for (size_t i = 0; i < COUNT(REQUIRED); i++) {
		const cJSON *member = row->members[REQUIRED[i]];

		if (!member)
			return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Missing required field",
				      row_name(REQUIRED[i]));
		if (!cJSON_IsString(member))
			return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Wrong type, expected a string",
				      row_name(REQUIRED[i]));
	}
	title_clean(row_text(row, ROW_JOB_TITLE), p->title);
	company_clean(row_text(row, ROW_EMPLOYER_NAME), p->company);
	if (!p->title[0])
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Missing required field",
			      row_name(ROW_JOB_TITLE));
	if (!p->company[0])
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Missing required field",
			      row_name(ROW_EMPLOYER_NAME));
	return 0;
}

static void take_place(const struct transform_context *ctx, const struct row *row,
		       struct posting *p)
{
	struct place_fields in = {
		.city = row_text(row, ROW_CITY), .state = row_text(row, ROW_STATE),
		.country = row_text(row, ROW_COUNTRY), .location = row_text(row, ROW_LOCATION),
		.asked_country = ctx->asked_country,
	};

	in.has_coordinates = row_number(row, ROW_LATITUDE, &in.latitude) &&
		row_number(row, ROW_LONGITUDE, &in.longitude);
	place_resolve(&in, &p->place);
}

static void take_description(const struct row *row, struct posting *p)
{
	const char *text = row_text(row, ROW_DESCRIPTION);

	if (text)
		text_clean(text, strlen(text), &p->description);
}

static void take_employment(const struct row *row, struct posting *p)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, row->members[ROW_EMPLOYMENT_TYPES])
		if (cJSON_IsString(item))
			p->employment |= employment_parse(item->valuestring);
	if (!p->employment)
		p->employment = employment_parse(cJSON_IsString(row->members[ROW_EMPLOYMENT_TYPES])
							 ? row_text(row, ROW_EMPLOYMENT_TYPES)
							 : row_text(row, ROW_EMPLOYMENT_TYPE));
}

/* Fields in order of trust; a text that is no date is left out. */
static bool take_date(const struct transform_context *ctx, const struct row *row,
		      enum row_member epoch, const enum row_member *texts, size_t n,
		      struct date *ret)
{
	int64_t seconds = row_integer(row, epoch);
	char number[32];

	if (seconds && !dates_from_epoch(seconds, ctx->reference_us, ret, NULL))
		return true;
	for (size_t i = 0; i < n; i++) {
		const char *text = row_text_or_number(row, texts[i], number);

		if (text && !dates_parse(text, ctx->reference_us, ret, NULL))
			return true;
	}
	return false;
}

static void take_dates(const struct transform_context *ctx, const struct row *row,
		       struct posting *p)
{
	static const enum row_member POSTED[] = { ROW_POSTED_DATE, ROW_POSTED },
				     EXPIRES[] = { ROW_EXPIRES_DATE };

	p->has_posted = take_date(ctx, row, ROW_POSTED_EPOCH, POSTED, COUNT(POSTED), &p->posted);
	p->has_expiry =
		take_date(ctx, row, ROW_EXPIRES_EPOCH, EXPIRES, COUNT(EXPIRES), &p->expires);
}

static bool pay_in_text(const char *text, size_t len, const struct pay_hint *hint, struct pay *ret)
{
	return text && len > 0 && pay_from_text(text, len, hint, ret) > 0;
}

static bool pay_in_line(const char *text, const struct pay_hint *hint, struct posting *p)
{
	char line[512];
	size_t n = text_line(text, line, sizeof line);

	if (!pay_in_text(line, n, hint, &p->pay))
		return false;
	snprintf(p->salary_text, sizeof p->salary_text, "%.*s",
		 (int)utf8_cut(line, n, sizeof p->salary_text - 1), line);
	return true;
}

/* Lists of texts under job_highlights; Benefits is where pay is stated. */
static bool pay_in_highlights(const struct row *row, const struct pay_hint *hint, struct posting *p)
{
	static const char *const LISTS[] = { "Benefits", "Qualifications", "Responsibilities" };

	for (size_t i = 0; i < COUNT(LISTS); i++) {
		const cJSON *list = row->members[ROW_HIGHLIGHTS]
			? json_get(row->members[ROW_HIGHLIGHTS], LISTS[i])
			: NULL;
		const cJSON *item;

		cJSON_ArrayForEach(item, list)
			if (cJSON_IsString(item) && pay_in_line(item->valuestring, hint, p))
				return true;
	}
	return false;
}

/* The texts that state the currency when the fields do not. */
static const char *stated_currency(const struct row *row, struct pay *scratch, const char *country)
{
	struct pay_hint hint = { .country = country, .is_pay = true };
	const char *text = row_text(row, ROW_SALARY_STRING),
		   *field = row_text(row, ROW_SALARY_CURRENCY);
	char line[256];

	if (field)
		return field;
	if (text && pay_in_text(line, text_line(text, line, sizeof line), &hint, scratch))
		return scratch->currency;
	return NULL;
}

static bool pay_in_fields(const struct row *row, const struct pay_hint *hint, struct posting *p)
{
	int64_t min = row_cents(row, ROW_MIN_SALARY), max = row_cents(row, ROW_MAX_SALARY);
	struct pay scratch;

	if (!min && !max)
		min = max = row_cents(row, ROW_SALARY);
	return pay_from_fields(min, max, stated_currency(row, &scratch, hint->country),
			       row_text(row, ROW_SALARY_PERIOD), hint, &p->pay) > 0;
}

/* From the most to the least explicit: fields, salary text, title, highlights, description. */
static void take_pay(const struct row *row, struct posting *p)
{
	struct pay_hint hint = { .country = p->place.country[0] ? p->place.country : NULL };
	struct pay_hint sure = { .country = hint.country,
				 .currency = row_text(row, ROW_SALARY_CURRENCY),
				 .is_pay = true };
	static const enum row_member TEXTS[] = { ROW_SALARY_STRING, ROW_MIN_SALARY, ROW_SALARY };

	if (pay_in_fields(row, &hint, p)) {
		text_line(row_text(row, ROW_SALARY_STRING), p->salary_text, sizeof p->salary_text);
		return;
	}
	for (size_t i = 0; i < COUNT(TEXTS); i++)
		if (row_text(row, TEXTS[i]) && pay_in_line(row_text(row, TEXTS[i]), &sure, p))
			return;
	if (pay_in_line(row_text(row, ROW_JOB_TITLE), &hint, p) || pay_in_highlights(row, &hint, p))
		return;
	pay_in_text(buf_text(&p->description), p->description.len, &hint, &p->pay);
}

static void take_links(const struct row *row, struct posting *p)
{
	const cJSON *option, *options = row->members[ROW_APPLY_OPTIONS];
	const char *link = row_text(row, ROW_APPLY_LINK);
	char *text;

	if (weblink_is_valid(link))
		snprintf(p->apply_url, sizeof p->apply_url, "%s", link);
	cJSON_ArrayForEach(option, options) {
		link = json_str(option, "apply_link", NULL);
		if (!p->apply_url[0] && weblink_is_valid(link))
			snprintf(p->apply_url, sizeof p->apply_url, "%s", link);
	}
	if (!cJSON_IsArray(options) || cJSON_GetArraySize(options) == 0)
		return;
	text = json_print(options);
	text_to_utf8(text, strlen(text), &p->apply_options);
	free(text);
	if (buf_overflowed(&p->apply_options))
		buf_clear(&p->apply_options);
}

static void take_skills(const struct row *row, struct posting *p)
{
	static const char *const LISTS[] = { "Qualifications", "Responsibilities" };
	const cJSON *item;

	skills_init(&p->skills);
	cJSON_ArrayForEach(item, row->members[ROW_REQUIRED_SKILLS])
		if (cJSON_IsString(item))
			skills_find(&p->skills, item->valuestring, strlen(item->valuestring));
	skills_find(&p->skills, p->title, strlen(p->title));
	skills_find(&p->skills, buf_text(&p->description), p->description.len);
	for (size_t i = 0; i < COUNT(LISTS); i++) {
		const cJSON *list = row->members[ROW_HIGHLIGHTS]
			? json_get(row->members[ROW_HIGHLIGHTS], LISTS[i])
			: NULL;

		cJSON_ArrayForEach(item, list)
			if (cJSON_IsString(item))
				skills_find(&p->skills, item->valuestring,
					    strlen(item->valuestring));
	}
}

static void take_benefits(const struct row *row, struct posting *p)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, row->members[ROW_BENEFITS])
		if (cJSON_IsString(item) && p->nbenefits < POSTING_LIST_MAX &&
		    text_line(item->valuestring, p->benefits[p->nbenefits], sizeof p->benefits[0]))
			p->nbenefits++;
}

static void take_requirements(const struct row *row, struct posting *p)
{
	static const struct {
		const char *flag, *name;
	} DEGREES[] = {
		{ "postgraduate_degree", "postgraduate" }, { "bachelors_degree", "bachelors" },
		{ "associates_degree", "associates" }, { "high_school", "high_school" },
	};
	const cJSON *experience = row->members[ROW_EXPERIENCE],
		    *education = row->members[ROW_EDUCATION];
	int64_t months =
		experience ? json_int(experience, "required_experience_in_months", -1) : -1;

	if (experience && json_bool(experience, "no_experience_required", false))
		months = 0;
	if (months >= 0 && months <= EXPERIENCE_MAX_MONTHS)
		p->experience_months = (int)months;
	for (size_t i = 0; education && !p->education && i < COUNT(DEGREES); i++)
		if (json_bool(education, DEGREES[i].flag, false))
			p->education = DEGREES[i].name;
}

/* The title tells the SOC 2018 code; the row's own is O*NET-SOC 2010, split differently since, and
 * serves only where both have the same code. */
static void take_codes(const struct row *row, struct posting *p)
{
	char number[32];
	const char *given = row_text_or_number(row, ROW_ONET_SOC, number);
	const char *soc = soc_of_title(p->title);

	if (!soc && given)
		soc = soc_of_onet(given);
	if (soc)
		snprintf(p->soc_code, sizeof p->soc_code, "%s", soc);
	text_line(row_text_or_number(row, ROW_NAICS_CODE, number), p->naics_code,
		  sizeof p->naics_code);
	text_line(row_text(row, ROW_NAICS_NAME), p->naics_name, sizeof p->naics_name);
}

static void take_link_field(const char *link, char *out, size_t size)
{
	if (weblink_is_valid(link) && strlen(link) < size)
		snprintf(out, size, "%s", link);
}

static void take_company(const struct row *row, struct posting *p)
{
	take_link_field(row_text(row, ROW_EMPLOYER_WEBSITE), p->company_website,
			sizeof p->company_website);
	take_link_field(row_text(row, ROW_EMPLOYER_LOGO), p->company_logo, sizeof p->company_logo);
	take_link_field(row_text(row, ROW_EMPLOYER_LINKEDIN), p->company_linkedin,
			sizeof p->company_linkedin);
	text_line(row_text(row, ROW_EMPLOYER_COMPANY_TYPE), p->company_type,
		  sizeof p->company_type);
}

static void take_source(const struct transform_context *ctx, const struct row *row,
			struct posting *p)
{
	char number[32];
	const char *language = row_text(row, ROW_LANGUAGE);
	const char *id = row_text_or_number(row, ROW_ID, number);

	p->provider = ctx->provider;
	p->is_demo = ctx->is_demo;
	text_line(id ? id : row_text_or_number(row, ROW_UID, number), p->external_id,
		  sizeof p->external_id);
	text_line(row_text(row, ROW_PUBLISHER), p->publisher, sizeof p->publisher);
	if (language && isalpha((unsigned char)language[0]) &&
	    isalpha((unsigned char)language[1]) && (!language[2] || language[2] == '-'))
		snprintf(p->language, sizeof p->language, "%c%c",
			 tolower((unsigned char)language[0]), tolower((unsigned char)language[1]));
}

static void take_remote(const struct row *row, struct posting *p)
{
	char title[512], location[256];

	text_line(row_text(row, ROW_JOB_TITLE), title, sizeof title);
	text_line(row_text(row, ROW_LOCATION), location, sizeof location);
	p->remote = remote_combine(row_flag(row, ROW_IS_REMOTE), title, location,
				   buf_text(&p->description), p->description.len);
}

static int take_raw(const cJSON *object, struct posting *p, struct refusal *r)
{
	char *text = json_print(object);

	text_to_utf8(text, strlen(text), &p->raw);
	free(text);
	if (p->raw.len > POSTING_RAW_MAX || buf_overflowed(&p->raw))
		return refuse(r, REFUSAL_TOO_LARGE, "Posting larger than 1 MiB", p->title);
	return 0;
}

int transform_row(const struct transform_context *ctx, const cJSON *object, struct posting *p,
		  struct refusal *ret_refusal)
{
	struct row row;

	posting_clear(p);
	if (!cJSON_IsObject(object))
		return refuse(ret_refusal, REFUSAL_SCHEMA_VALIDATION,
			      "Wrong type, expected an object", "row");
	row_read(&row, object);
	if (check_required(&row, p, ret_refusal) < 0 || take_raw(object, p, ret_refusal) < 0)
		return -1;
	take_source(ctx, &row, p);
	take_place(ctx, &row, p);
	take_description(&row, p);
	take_remote(&row, p);
	take_employment(&row, p);
	take_dates(ctx, &row, p);
	take_pay(&row, p);
	take_links(&row, p);
	if (ctx->skills)
		take_skills(&row, p);
	take_benefits(&row, p);
	take_requirements(&row, p);
	take_codes(&row, p);
	take_company(&row, p);
	posting_finish(p);
	return 0;
}

const cJSON *transform_rows(const cJSON *answer)
{
	const cJSON *data = cJSON_IsArray(answer) ? answer : json_get(answer, "data");

	if (cJSON_IsObject(data))
		data = json_get(data, "jobs");
	return cJSON_IsArray(data) ? data : NULL;
}
