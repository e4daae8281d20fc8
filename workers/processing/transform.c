/* SPDX-License-Identifier: MIT */
#include "workers/processing/transform.h"

#include <ctype.h>
#include <math.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "sources/listing.h"
#include "workers/processing/employment.h"
#include "workers/processing/issues.h"
#include "workers/processing/language.h"
#include "workers/processing/lexicon.h"
#include "workers/processing/money.h"
#include "workers/processing/posting.h"
#include "workers/processing/soc.h"
#include "workers/processing/step.h"

#define MONEY_LIMIT 1e12

static enum transformed refuse(struct refusal *r, enum refusal_type type, const char *form,
			       const char *what)
{
	r->type = type;
	snprintf(r->message, sizeof r->message, "%s: %s", form, what);
	return TRANSFORM_REFUSED;
}

/* What must be there as a text; it may still say nothing. */
static int check_text(const cJSON *member, const char *name, struct refusal *r)
{
	if (!member || cJSON_IsNull(member))
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Missing required field", name);
	if (!cJSON_IsString(member))
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Wrong type, expected a string", name);
	return 0;
}

static int take_required(const struct listing *l, struct posting *p, struct refusal *r)
{
	bool named = cJSON_IsString(l->company) && l->company->valuestring[0];

	if (check_text(l->title, l->title_name, r) < 0 ||
	    (!l->company_default && check_text(l->company, l->company_name, r) < 0))
		return -1;
	title_clean(l->title->valuestring, p->title);
	company_clean(named			   ? l->company->valuestring
			      : l->company_default ? l->company_default
						   : "",
		      p->company);
	if (!p->title[0])
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Missing required field",
			      l->title_name);
	if (!p->company[0])
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Missing required field",
			      l->company_name);
	return 0;
}

/* A feed or board tells the same whatever country was asked for. */
static const char *likely_country(const struct transform_context *ctx, const struct listing *l)
{
	if (l->country_likely || ctx->source->kind != SOURCE_SEARCH)
		return l->country_likely;
	return ctx->asked_country;
}

static void resolve(const char *asked_country, const struct listing_place *from,
		    struct place *ret)
{
	struct place_fields in = {
		.city = from->city, .state = from->region, .country = from->country,
		.location = from->text, .asked_country = asked_country,
		.has_coordinates = from->has_coordinates, .latitude = from->latitude,
		.longitude = from->longitude,
	};

	place_resolve(&in, ret);
}

static void add_other(struct posting *p, const struct place *place)
{
	if (p->nplaces == POSTING_PLACES_MAX)
		return;
	place_label(place, p->places[p->nplaces], sizeof p->places[0]);
	p->nplaces += p->places[p->nplaces][0] != '\0';
}

/* "London or Berlin": a text alone may name several. */
static void add_others_of_text(const char *country, const struct listing_place *from,
			       struct posting *p)
{
	struct place places[LISTING_PLACES];
	char line[512];
	size_t n;

	if (from->city || !from->text || text_line(from->text, line, sizeof line) == 0)
		return;
	n = place_parse_all(line, country, places, LISTING_PLACES);
	for (size_t i = 1; i < n; i++)
		add_other(p, &places[i]);
}

/* The first place is the posting's; the others are kept by name. */
static void take_places(const struct transform_context *ctx, const struct listing *l,
			struct posting *p)
{
	const char *country = likely_country(ctx, l);
	struct place other;
	static const struct listing_place nowhere;

	resolve(country, l->nplaces ? &l->place[0] : &nowhere, &p->place);
	if (l->nplaces && l->place[0].postal_code)
		text_line(l->place[0].postal_code, p->postal_code, sizeof p->postal_code);
	if (l->nplaces)
		add_others_of_text(country, &l->place[0], p);
	for (size_t i = 1; i < l->nplaces; i++) {
		resolve(country, &l->place[i], &other);
		add_other(p, &other);
	}
}

static void take_description(const struct listing *l, struct posting *p)
{
	struct buf part;

	if (l->nparts == 1) {
		text_clean(l->part[0], strlen(l->part[0]), &p->description);
		return;
	}
	buf_init(&part, 2 * TEXT_MAX_BYTES);
	for (size_t i = 0; i < l->nparts; i++) {
		buf_clear(&part);
		text_clean(l->part[i], strlen(l->part[i]), &part);
		if (part.len == 0 || p->description.len + part.len > TEXT_MAX_BYTES)
			continue;
		buf_puts(&p->description, p->description.len ? "\n\n" : "");
		buf_append(&p->description, part.data, part.len);
	}
	buf_release(&part);
}

static void take_employment(const struct listing *l, struct posting *p)
{
	for (size_t i = 0; i < l->employment.n; i++)
		p->employment |= employment_parse(l->employment.text[i]);
}

static bool take_date(const struct transform_context *ctx, const struct listing_date *from,
		      struct date *ret)
{
	return (from->epoch && !dates_from_epoch(from->epoch, ctx->reference_us, ret, NULL)) ||
		(from->text && !dates_parse(from->text, ctx->reference_us, ret, NULL));
}

static bool pay_in_line(const char *text, const struct pay_hint *hint, struct posting *p)
{
	char line[512];
	size_t n = text_line(text, line, sizeof line);

	if (n == 0 || pay_from_text(line, n, hint, &p->pay) <= 0)
		return false;
	snprintf(p->salary_text, sizeof p->salary_text, "%.*s",
		 (int)utf8_cut(line, n, sizeof p->salary_text - 1), line);
	return true;
}

/* A double holds cents exactly up to 2^53, far above any pay; rounding undoes 22.1 * 100. */
static int64_t cents_of(const struct listing *l, const cJSON *m)
{
	int64_t cents = 0;

	if (cJSON_IsString(m))
		cents = money_cents(m->valuestring);
	else if (cJSON_IsNumber(m) && m->valuedouble > 0 && m->valuedouble < MONEY_LIMIT)
		cents = llround(m->valuedouble * 100);
	return cents <= 0 ? 0 : l->pay_in_cents ? cents / 100 : cents;
}

/* The currency of the fields: as stated, else as a text about pay has it. */
static const char *currency_of(const struct listing *l, const char *country, struct pay *scratch)
{
	struct pay_hint hint = { .country = country, .is_pay = true };
	char line[512];

	for (size_t i = 0; !l->pay_currency && i < l->pay.n; i++)
		if (pay_from_text(line, text_line(l->pay.text[i], line, sizeof line), &hint,
				  scratch) > 0)
			return scratch->currency;
	return l->pay_currency;
}

static bool pay_in_fields(const struct listing *l, const struct pay_hint *hint, struct posting *p)
{
	struct pay scratch;
	int64_t min = cents_of(l, l->pay_min), max = cents_of(l, l->pay_max);

	return (min || max) && pay_from_fields(min, max, currency_of(l, hint->country, &scratch),
					       l->pay_period, hint, &p->pay) > 0;
}

/* What the source has under pay: fields, then texts, then fields that are texts. */
static bool pay_of_source(const struct listing *l, const struct pay_hint *hint, struct posting *p)
{
	struct pay_hint sure = *hint;
	const cJSON *const fields[] = { l->pay_min, l->pay_max };

	sure.currency = l->pay_currency;
	sure.is_pay = true;
	if (pay_in_fields(l, hint, p)) {
		text_line(l->pay.n ? l->pay.text[0] : NULL, p->salary_text, sizeof p->salary_text);
		return true;
	}
	for (size_t i = 0; i < l->pay.n; i++)
		if (pay_in_line(l->pay.text[i], &sure, p))
			return true;
	for (size_t i = 0; i < COUNT(fields); i++)
		if (cJSON_IsString(fields[i]) && pay_in_line(fields[i]->valuestring, &sure, p))
			return true;
	return false;
}

/* What the employer wrote elsewhere: title, lines, description. */
static bool pay_of_text(const struct listing *l, const struct pay_hint *hint, struct posting *p)
{
	if (pay_in_line(l->title->valuestring, hint, p))
		return true;
	for (size_t i = 0; i < l->lines.n; i++)
		if (pay_in_line(l->lines.text[i], hint, p))
			return true;
	return p->description.len &&
		pay_from_text(buf_text(&p->description), p->description.len, hint, &p->pay) > 0;
}

/* From the most to the least explicit; a source's guess is worth less than the employer's word. */
static void take_pay(const struct listing *l, struct posting *p)
{
	struct pay_hint hint = { .country = p->place.country[0] ? p->place.country : NULL,
				 .lang = p->language[0] ? p->language : NULL,
				 .federal = l->pay_federal };

	if (!l->pay_estimated)
		(void)(pay_of_source(l, &hint, p) || pay_of_text(l, &hint, p));
	else if (!pay_of_text(l, &hint, p))
		p->pay_estimated = pay_of_source(l, &hint, p);
}

static void take_links(const struct listing *l, struct posting *p)
{
	char *text;

	if (weblink_is_valid(l->apply_url))
		snprintf(p->apply_url, sizeof p->apply_url, "%s", l->apply_url);
	for (size_t i = 0; !p->apply_url[0] && i < l->apply_more.n; i++)
		if (weblink_is_valid(l->apply_more.text[i]))
			snprintf(p->apply_url, sizeof p->apply_url, "%s", l->apply_more.text[i]);
	if (!l->apply_options)
		return;
	text = json_print(l->apply_options);
	text_to_utf8(text, strlen(text), &p->apply_options);
	free(text);
	if (buf_overflowed(&p->apply_options))
		buf_clear(&p->apply_options);
}

/* One reading of the words for all that look for words. A source's own lists come first. */
static void take_words(const struct transform_context *ctx, const struct listing *l,
		       struct posting *p)
{
	struct skills *skills = ctx->skills ? &p->skills : NULL;
	struct education unused = { 0 };

	skills_init(&p->skills);
	benefits_init(&p->benefits);
	for (size_t i = 0; skills && i < l->skills.n; i++)
		skills_find(skills, l->skills.text[i], strlen(l->skills.text[i]));
	for (size_t i = 0; i < l->benefits.n; i++)
		benefits_add(&p->benefits, l->benefits.text[i]);
	if (skills)
		skills_find(skills, p->title, strlen(p->title));
	lexicon_read(buf_text(&p->description), p->description.len, skills, &p->benefits,
		     &p->education);
	for (size_t i = 0; i < l->lines.n; i++)
		lexicon_read(l->lines.text[i], strlen(l->lines.text[i]), skills, &p->benefits,
			     p->education.level ? &unused : &p->education);
}

/* What the source says itself wins over what the text says. */
static void take_requirements(const struct listing *l, struct posting *p)
{
	struct experience found = { .min_months = -1, .max_months = -1 };

	if (l->experience_months >= 0 && l->experience_months <= EXPERIENCE_MONTHS_MAX)
		found.min_months = l->experience_months;
	else
		experience_find(buf_text(&p->description), p->description.len, &found);
	p->experience_months = found.min_months;
	p->experience_max_months = found.max_months;
	if (education_of(l->education))
		p->education = (struct education){ .level = education_of(l->education) };
}

static void take_language(const struct listing *l, struct posting *p)
{
	const char *said = l->language;

	if (said && isalpha((unsigned char)said[0]) && isalpha((unsigned char)said[1]) &&
	    (!said[2] || said[2] == '-' || said[2] == '_'))
		snprintf(p->language, sizeof p->language, "%c%c", tolower((unsigned char)said[0]),
			 tolower((unsigned char)said[1]));
	else
		snprintf(p->language, sizeof p->language, "%s",
			 language_guess(buf_text(&p->description), p->description.len));
}

/* A title that names no level leaves the word to the source's own member. */
static void take_level(const struct listing *l, struct posting *p)
{
	p->level = level_parse(p->title);
	if (p->level == LEVEL_UNKNOWN && l->level)
		p->level = level_parse(l->level);
}

/* The title tells the SOC 2018 code; the row's own is O*NET-SOC 2010, split differently since, and
 * serves only where both have the same code. */
static void take_codes(const struct listing *l, struct posting *p)
{
	const struct soc *known = soc_of(p->title);
	const char *soc = known ? known->code : NULL;

	if (!soc && l->onet_soc)
		soc = soc_of_onet(l->onet_soc);
	p->role = known && known->role[0] ? known->role : NULL;
	if (soc)
		snprintf(p->soc_code, sizeof p->soc_code, "%s", soc);
	text_line(l->naics_code, p->naics_code, sizeof p->naics_code);
	text_line(l->naics_name, p->naics_name, sizeof p->naics_name);
}

static void take_link_field(const char *link, char *out, size_t size)
{
	if (weblink_is_valid(link) && strlen(link) < size)
		snprintf(out, size, "%s", link);
}

static void take_company(const struct listing *l, struct posting *p)
{
	take_link_field(l->company_website, p->company_website, sizeof p->company_website);
	take_link_field(l->company_logo, p->company_logo, sizeof p->company_logo);
	take_link_field(l->company_linkedin, p->company_linkedin, sizeof p->company_linkedin);
	text_line(l->company_type, p->company_type, sizeof p->company_type);
}

static void take_origin(const struct transform_context *ctx, const struct listing *l,
			struct posting *p)
{
	p->provider = ctx->source->name;
	p->is_demo = ctx->is_demo;
	text_line(l->external_id, p->external_id, sizeof p->external_id);
	text_line(l->publisher, p->publisher, sizeof p->publisher);
}

/* A member made for it wins over words; a flag is only one of them. */
static void take_remote(const struct listing *l, struct posting *p)
{
	static const enum remote SAID[] = {
		[LISTING_ONSITE] = REMOTE_ONSITE, [LISTING_HYBRID] = REMOTE_HYBRID,
		[LISTING_REMOTE] = REMOTE_REMOTE,
	};
	char title[512], location[256];

	if (l->remote != LISTING_UNSAID) {
		p->remote = SAID[l->remote];
		return;
	}
	text_line(l->title->valuestring, title, sizeof title);
	text_line(l->nplaces ? l->place[0].text : NULL, location, sizeof location);
	p->remote = remote_combine(l->remote_flag, title, location, buf_text(&p->description),
				   p->description.len);
}

/* The row as valid UTF-8 on one line: whatever is read from it is what PostgreSQL takes, too. */
static bool keep_raw(struct raw text, struct posting *p)
{
	if (text.len > POSTING_RAW_MAX)
		return false;
	text_to_utf8(text.at, text.len, &p->raw);
	if (p->raw.len > POSTING_RAW_MAX || buf_overflowed(&p->raw))
		return false;
	if (memchr(buf_text(&p->raw), '\n', p->raw.len)) {
		cJSON_Minify(p->raw.data);
		p->raw.len = strlen(p->raw.data);
	}
	return true;
}

static void take_all(const struct transform_context *ctx, const struct listing *l,
		     struct posting *p)
{
	take_origin(ctx, l, p);
	take_places(ctx, l, p);
	take_description(l, p);
	take_language(l, p);
	take_remote(l, p);
	take_employment(l, p);
	p->has_posted = take_date(ctx, &l->posted, &p->posted);
	p->has_expiry = take_date(ctx, &l->expires, &p->expires);
	take_pay(l, p);
	take_links(l, p);
	take_words(ctx, l, p);
	take_requirements(l, p);
	take_level(l, p);
	take_codes(l, p);
	take_company(l, p);
}

static bool is_swapped(const struct listing *l)
{
	int64_t min = cents_of(l, l->pay_min), max = cents_of(l, l->pay_max);

	return max && min > max;
}

static enum transformed judge(const struct transform_context *ctx, const struct listing *l,
			      struct posting *p, struct refusal *r)
{
	char reason[STEP_REASON] = "";

	if (ctx->steps && !steps_run(ctx->steps, p, reason))
		return refuse(r, REFUSAL_STEP, "Refused by a processing step", reason);
	posting_finish(p);
	p->issues = issues_find(p, ctx->reference_us, is_swapped(l));
	if (p->quality >= ctx->reject_below)
		return TRANSFORM_POSTING;
	snprintf(reason, sizeof reason, "completeness %.2f, at least %.2f is asked for", p->quality,
		 ctx->reject_below);
	return refuse(r, REFUSAL_QUALITY, "Posting says too little", reason);
}

static enum transformed transform(const struct transform_context *ctx, const cJSON *row,
				  struct posting *p, struct refusal *r)
{
	struct listing l;

	if (!cJSON_IsObject(row))
		return refuse(r, REFUSAL_SCHEMA_VALIDATION, "Wrong type, expected an object",
			      "row");
	listing_init(&l);
	if (!ctx->source->read_row(&ctx->from, row, &l))
		return TRANSFORM_NOTICE;
	if (take_required(&l, p, r) < 0)
		return TRANSFORM_REFUSED;
	take_all(ctx, &l, p);
	return judge(ctx, &l, p, r);
}

enum transformed transform_row(const struct transform_context *ctx, struct raw text,
			       struct posting *ret, struct refusal *ret_refusal)
{
	cJSON *row = NULL;
	struct err e = { 0 };
	enum transformed r;

	posting_clear(ret);
	if (!keep_raw(text, ret))
		return refuse(ret_refusal, REFUSAL_TOO_LARGE, "Posting larger than 1 MiB", "row");
	if (json_parse(ret->raw.data, ret->raw.len, &row, &e) < 0)
		return refuse(ret_refusal, REFUSAL_INVALID_JSON, "The row is no JSON", e.msg);
	r = transform(ctx, row, ret, ret_refusal);
	cJSON_Delete(row);
	return r;
}
