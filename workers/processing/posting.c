/* SPDX-License-Identifier: MIT */
#include "workers/processing/posting.h"

#include <inttypes.h>
#include <stddef.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "workers/processing/employment.h"
#include "workers/processing/issues.h"

const char *refusal_name(enum refusal_type type)
{
	static const char *const NAMES[REFUSAL_COUNT] = {
#define X(id, text) text,
		REFUSAL_LIST(X)
#undef X
	};

	return NAMES[type];
}

void posting_init(struct posting *p)
{
	memset(p, 0, sizeof *p);
	buf_init(&p->description, 2 * TEXT_MAX_BYTES);
	buf_init(&p->apply_options, POSTING_RAW_MAX);
	buf_init(&p->raw, 2 * POSTING_RAW_MAX);
	buf_init(&p->notes, 64 * 1024);
	p->experience_months = -1;
}

/* The buffers keep their memory: a batch reuses one posting. */
void posting_clear(struct posting *p)
{
	struct buf description = p->description, options = p->apply_options, raw = p->raw,
		   notes = p->notes;

	memset(p, 0, sizeof *p);
	buf_clear(&description);
	buf_clear(&options);
	buf_clear(&raw);
	buf_clear(&notes);
	p->description = description;
	p->apply_options = options;
	p->raw = raw;
	p->notes = notes;
	p->experience_months = -1;
}

void posting_release(struct posting *p)
{
	buf_release(&p->description);
	buf_release(&p->apply_options);
	buf_release(&p->raw);
	buf_release(&p->notes);
}

/* Weights in hundredths; they add up to 100. */
static double completeness(const struct posting *p)
{
	int share = 20;			/* title and company, which every posting has */

	share += p->place.city[0] || p->remote == REMOTE_REMOTE ? 15 : 0;
	share += p->place.country[0] ? 5 : 0;
	share += p->description.len >= 200 ? 15 : p->description.len > 0 ? 5 : 0;
	share += p->has_posted ? 10 : 0;
	share += p->apply_url[0] ? 10 : 0;
	share += p->employment ? 5 : 0;
	share += p->pay.ranges ? 10 : 0;
	share += p->skills.n > 0 ? 5 : 0;
	share += p->external_id[0] ? 5 : 0;
	return share / 100.0;
}

void posting_finish(struct posting *p)
{
	dedupe_keys_fill(&p->keys, p->title, p->company, &p->place, remote_name(p->remote),
			 p->apply_url);
	if (!p->location[0])
		place_label(&p->place, p->location, sizeof p->location);
	p->quality = completeness(p);
}

/* Bytes of clean UTF-8 need only quotes, backslashes and controls escaped: copied in runs. */
static void put_string(struct buf *out, const char *s, size_t len)
{
	size_t from = 0;

	buf_putc(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_append(out, s + from, i - from);
		if (c == '"' || c == '\\')
			buf_append(out, (const char[]){ '\\', (char)c }, 2);
		else if (c == '\n')
			buf_append(out, "\\n", 2);
		else
			buf_printf(out, "\\u%04x", c);
		from = i + 1;
	}
	buf_append(out, s + from, len - from);
	buf_putc(out, '"');
}

static void put_name(struct buf *out, const char *name)
{
	buf_putc(out, out->len > 0 && out->data[out->len - 1] != '{' ? ',' : ' ');
	buf_putc(out, '"');
	buf_puts(out, name);
	buf_append(out, "\":", 2);
}

static void put_text(struct buf *out, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	put_name(out, name);
	put_string(out, value, strlen(value));
}

static void put_flag(struct buf *out, const char *name, bool value)
{
	put_name(out, name);
	buf_puts(out, value ? "true" : "false");
}

static void put_cents(struct buf *out, const char *name, int64_t cents)
{
	if (cents <= 0)
		return;
	put_name(out, name);
	buf_printf(out, "%" PRId64 ".%02d", cents / 100, (int)(cents % 100));
}

static void put_time(struct buf *out, const char *name, bool has, const struct date *date)
{
	char iso[CLOCK_ISO_SIZE];

	if (!has)
		return;
	clock_iso(date->us, iso);
	put_text(out, name, iso);
}

static void put_list(struct buf *out, const char *name, const char *const *items, size_t n)
{
	put_name(out, name);
	buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(out, ',');
		put_string(out, items[i], strlen(items[i]));
	}
	buf_putc(out, ']');
}

static void put_place(struct buf *out, const struct posting *p)
{
	put_text(out, "location", p->location);
	put_text(out, "city", p->place.city);
	put_text(out, "state", p->place.region_code[0] ? p->place.region_code : p->place.region);
	put_text(out, "country", p->place.country);
	put_text(out, "postal_code", p->postal_code);
	if (p->place.has_coordinates) {
		put_name(out, "latitude");
		buf_printf(out, "%.7f", p->place.latitude);
		put_name(out, "longitude");
		buf_printf(out, "%.7f", p->place.longitude);
	}
	put_text(out, "remote", remote_name(p->remote));
}

static void put_pay(struct buf *out, const struct posting *p)
{
	const struct pay *pay = &p->pay;

	put_text(out, "salary_text", p->salary_text);
	if (!pay->ranges)
		return;
	put_cents(out, "salary_min", pay->min_cents);
	put_cents(out, "salary_max", pay->max_cents);
	put_text(out, "salary_currency", pay->currency);
	put_text(out, "salary_period", pay_period_name(pay->period));
	put_cents(out, "salary_annual_min", pay->annual_min_cents);
	put_cents(out, "salary_annual_max", pay->annual_max_cents);
	if (p->pay_estimated)
		put_flag(out, "salary_estimated", true);
}

static void put_lists(struct buf *out, const struct posting *p)
{
	const char *items[BENEFITS_MAX];
	size_t n = 0;

	put_list(out, "skills", p->skills.names, p->skills.n);
	for (unsigned i = 0; benefits_name(i); i++)
		if (p->benefits.set >> i & 1)
			items[n++] = benefits_name(i);
	put_list(out, "benefits", items, n);
	n = 0;
	for (unsigned i = 0; i < EMPLOYMENT_COUNT; i++)
		if (p->employment & 1u << i)
			items[n++] = employment_name(i);
	put_list(out, "employment_types", items, n);
	if (p->apply_options.len > 0) {
		put_name(out, "apply_options");
		buf_append(out, p->apply_options.data, p->apply_options.len);
	}
}

static void put_company(struct buf *out, const struct posting *p)
{
	put_text(out, "company", p->company);
	put_text(out, "company_website", p->company_website);
	put_text(out, "company_logo", p->company_logo);
	put_text(out, "company_type", p->company_type);
	put_text(out, "company_linkedin", p->company_linkedin);
	put_text(out, "naics_code", p->naics_code);
	put_text(out, "naics_name", p->naics_name);
}

static void put_keys(struct buf *out, const struct posting *p, const char *merge_key)
{
	put_text(out, "dedupe_title", p->keys.title);
	put_text(out, "dedupe_company", p->keys.company);
	put_text(out, "dedupe_location", p->keys.place);
	put_text(out, "dedupe_key", p->keys.key);
	put_text(out, "merge_key", merge_key ? merge_key : p->keys.key);	/* left out when "" */
	put_text(out, "apply_key", p->keys.link);
	put_text(out, "api_provider", p->provider);
	put_text(out, "publisher", p->publisher);
	put_text(out, "external_id", p->external_id);
}

static void put_number(struct buf *out, const char *name, int value)
{
	put_name(out, name);
	buf_printf(out, "%d", value);
}

/* What several ranges are for: [{"place": "New York", "min": …, "max": …}]. */
static void put_pay_places(struct buf *out, const struct pay *pay)
{
	put_name(out, "salary_places");
	buf_putc(out, '[');
	for (int i = 0; i < pay->nplaces; i++) {
		buf_puts(out, i ? ",{" : "{");
		put_text(out, "place", pay->places[i].place);
		put_cents(out, "min", pay->places[i].min_cents);
		put_cents(out, "max", pay->places[i].max_cents);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

static void put_pay_notes(struct buf *out, const struct pay *pay)
{
	const struct {
		const char *name;
		bool is;
	} FLAGS[] = {
		{ "salary_ote", pay->ote }, { "equity", pay->equity },
		{ "salary_open_top", pay->open_top }, { "salary_contractor", pay->contractor },
	};

	if (!pay->ranges)
		return;
	put_flag(out, "salary_period_assumed", pay->period_assumed);
	for (size_t i = 0; i < COUNT(FLAGS); i++)
		if (FLAGS[i].is)
			put_flag(out, FLAGS[i].name, true);
	if (pay->salaries)
		put_number(out, "salaries_a_year", pay->salaries);
	if (pay->nplaces)
		put_pay_places(out, pay);
}

static void put_issues(struct buf *out, uint32_t issues)
{
	const char *names[ISSUE_COUNT];
	size_t n = 0;

	for (unsigned i = 0; i < ISSUE_COUNT; i++)
		if (issues >> i & 1)
			names[n++] = issue_name(i);
	if (n)
		put_list(out, "issues", names, n);
}

static void put_metadata(struct buf *out, const struct posting *p)
{
	const char *others[POSTING_PLACES_MAX];

	put_name(out, "metadata");
	buf_puts(out, "{");
	put_text(out, "role", p->role);
	put_text(out, "metro", p->place.metro);
	put_text(out, "cbsa", p->place.cbsa);
	for (size_t i = 0; i < p->nplaces; i++)
		others[i] = p->places[i];
	if (p->nplaces)
		put_list(out, "other_places", others, p->nplaces);
	put_pay_notes(out, &p->pay);
	if (p->experience_max_months >= 0)
		put_number(out, "experience_max_months", p->experience_max_months);
	if (p->education.or_experience)
		put_flag(out, "education_or_experience", true);
	if (p->education.preferred)
		put_flag(out, "education_preferred", true);
	put_issues(out, p->issues);
	if (p->notes.len) {
		buf_puts(out, out->data[out->len - 1] == '{' ? "" : ",");
		buf_append(out, p->notes.data, p->notes.len);
	}
	buf_puts(out, "}");
}

void posting_json(const struct posting *p, const char *merge_key, struct buf *out)
{
	buf_putc(out, '{');
	put_text(out, "title", p->title);
	put_company(out, p);
	put_place(out, p);
	put_text(out, "seniority", level_name(p->level));
	put_pay(out, p);
	put_name(out, "description");
	put_string(out, buf_text(&p->description), p->description.len);
	put_text(out, "apply_url", p->apply_url);
	put_lists(out, p);
	if (p->experience_months >= 0) {
		put_name(out, "experience_months");
		buf_printf(out, "%d", p->experience_months);
	}
	put_text(out, "education", education_name(p->education.level));
	put_text(out, "soc_code", p->soc_code);
	put_text(out, "language", p->language);
	put_time(out, "posted_at", p->has_posted, &p->posted);
	put_flag(out, "posted_exact", p->has_posted && p->posted.exact);
	put_time(out, "expires_at", p->has_expiry, &p->expires);
	put_keys(out, p, merge_key);
	put_name(out, "quality_score");
	buf_printf(out, "%.2f", p->quality);
	put_name(out, "rules_version");
	buf_printf(out, "%d", POSTING_RULES_VERSION);
	put_flag(out, "is_demo", p->is_demo);
	put_metadata(out, p);
	if (p->raw.len > 0) {
		put_name(out, "raw_data");
		buf_append(out, p->raw.data, p->raw.len);
	}
	buf_putc(out, '}');
}
