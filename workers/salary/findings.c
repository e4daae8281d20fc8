/* SPDX-License-Identifier: MIT */
#include "workers/salary/findings.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/fred.h"

#define DAY_US INT64_C(86400000000)

void findings_init(struct findings *f)
{
	*f = (struct findings){ .sources = mem_check(cJSON_CreateObject()) };
}

void findings_release(struct findings *f)
{
	cJSON_Delete(f->sources);
	f->sources = NULL;
	for (size_t i = 0; i < f->nmarkets; i++) {
		cJSON_Delete(f->markets[i].parts);
		f->markets[i].parts = NULL;
	}
}

struct benchmark benchmark_empty(const char *source)
{
	return (struct benchmark){
		.source = source, .sample = -1, .error_percent = -1, .age_days = -1, .note = ""
	};
}

struct benchmark *findings_benchmark(struct findings *f, const char *source)
{
	struct benchmark *b =
		f->nbenchmarks < FINDINGS_MAX ? &f->benchmarks[f->nbenchmarks++] : NULL;

	if (b)
		*b = benchmark_empty(source);
	return b;
}

struct market *findings_market(struct findings *f, const char *source)
{
	struct market *m = f->nmarkets < FINDINGS_MAX ? &f->markets[f->nmarkets++] : NULL;

	if (m)
		*m = (struct market){ .source = source, .age_days = -1, .note = "" };
	return m;
}

void findings_note(struct findings *f, const char *source, const char *status, const char *reason)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "status", status);
	if (reason)
		json_set_str(o, "reason", reason);
	json_set(f->sources, source, o);
	f->failed |= strcmp(status, "ok") != 0;
}

int64_t findings_age_days(int year, int month, int day)
{
	char text[40];
	int64_t then;

	snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
	if (clock_parse_iso(text, &then, NULL) < 0 || then > clock_wall_us())
		return 0;
	return (clock_wall_us() - then) / DAY_US;
}

static double answers_behind(const struct benchmark *b)
{
	if (b->sample >= 0)
		return (double)b->sample;
	return amount_is_known(b->employment)
		? amount_number(b->employment) / SCORE_EMPLOYED_PER_ANSWER
		: -1;
}

struct score_evidence benchmark_evidence(const struct benchmark *b)
{
	return (struct score_evidence){
		.source = b->source,
		.value = amount_number(b->median),
		.age_days = (double)b->age_days,
		.half_life_days = SCORE_HALF_LIFE_PAY_DAYS,
		.sample = answers_behind(b),
		.error_percent = b->error_percent,
		.steps_wider = b->steps_wider,
		.lower_bound = b->median.kind == AMOUNT_BOUND,
		.estimate = b->group || b->unsplit,
	};
}

struct score_evidence market_evidence(const struct market *m)
{
	return (struct score_evidence){
		.source = m->source,
		.value = amount_number(m->unemployment),
		.age_days = (double)m->age_days,
		.half_life_days = SCORE_HALF_LIFE_MARKET_DAYS,
		.sample = -1,
		.error_percent = -1,
		.steps_wider = m->steps_wider,
	};
}

/* The day that figures of this age are about: it stays the same however often they are written. */
static void put_day(cJSON *o, int64_t age_days)
{
	char day[CLOCK_ISO_SIZE];

	if (age_days < 0)
		return;
	clock_iso(clock_wall_us() - age_days * DAY_US, day);
	day[strlen("2026-11-21")] = '\0';
	json_set_str(o, "as_of", day);
}

static cJSON *place_metadata(const struct area *a, int steps, const struct request *r,
			     bool development)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "level", area_level_name(a->level));
	json_set_str(o, "asked_level", area_level_name(r->area.level));
	json_set_str(o, "area", area_name(a));
	json_set_str(o, "area_code", area_code(a));
	json_set_num(o, "steps_wider", steps);
	json_set_str(o, "soc", r->occupation.row->soc);
	json_set_str(o, "soc_title", r->occupation.row->title);
	if (development)
		json_set_str(o, "mode", "development");
	return o;
}

static void put_bound(cJSON *list, const char *name, struct amount a)
{
	if (a.kind == AMOUNT_BOUND)
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(name)));
}

cJSON *benchmark_metadata(const struct benchmark *b, const struct request *r, bool development)
{
	cJSON *o = place_metadata(&b->area, b->steps_wider, r, development);
	cJSON *bounds = mem_check(cJSON_CreateArray());
	char text[AMOUNT_TEXT_SIZE];

	if (amount_text(b->p10, 2, text))
		json_set_raw(o, "percentile_10", text);
	if (amount_text(b->employment, 0, text))
		json_set_raw(o, "employment", text);
	put_bound(bounds, "median_salary", b->median);
	put_bound(bounds, "mean_salary", b->mean);
	put_bound(bounds, "percentile_25", b->p25);
	put_bound(bounds, "percentile_75", b->p75);
	put_bound(bounds, "percentile_90", b->p90);
	json_set(o, "lower_bounds", bounds);
	json_set_str(o, "covers", *r->experience || *r->education || *r->industry ?
		     "all experience levels, education levels and industries" : "all");
	put_day(o, b->age_days);
	if (b->error_percent >= 0)
		json_set_num(o, "error_percent", b->error_percent);
	json_set_bool(o, "group", b->group || b->unsplit);
	json_set_bool(o, "fallback", strcmp(b->source, "fallback") == 0);
	if (*b->note)
		json_set_str(o, "note", b->note);
	return o;
}

cJSON *market_metadata(const struct market *m, const struct request *r, bool development)
{
	cJSON *o = place_metadata(&m->area, m->steps_wider, r, development);

	put_day(o, m->age_days);
	if (strcmp(m->source, "fred") == 0)
		json_set_str(o, "terms", FRED_NOTICE);
	if (*m->note)
		json_set_str(o, "note", m->note);
	if (m->parts)
		json_set(o, "parts", mem_check(cJSON_Duplicate(m->parts, true)));
	return o;
}
