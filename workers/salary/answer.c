/* SPDX-License-Identifier: MIT */
#include "workers/salary/answer.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/score.h"
#include "workers/salary/fallback.h"
#include "workers/salary/merged.h"

static void warn(cJSON *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(cJSON *list, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(text)));
}

static void warn_benchmark(cJSON *list, const struct request *r, const struct benchmark *b)
{
	if (b->steps_wider > 0)
		warn(list, "%s: no figures for %s; these are those of %s (%s)", b->source,
		     area_name(&r->area), area_name(&b->area), area_level_name(b->area.level));
	if (b->median.kind == AMOUNT_BOUND)
		warn(list, "%s: the median is top-coded: at least the amount given", b->source);
	if (r->year > 0 && r->year != b->year)
		warn(list, "%s: %d was asked for, the source has %d", b->source, r->year, b->year);
}

static void warn_source(cJSON *list, const cJSON *source)
{
	const char *status = json_str(source, "status", ""),
		   *reason = json_str(source, "reason", "");

	if (strcmp(status, "ok") != 0)
		warn(list, "%s %s: %s", source->string, status, reason);
	else if (*reason && strcmp(source->string, "fallback") != 0)
		warn(list, "%s: %s", source->string, reason);
}

static cJSON *data_warnings(const struct request *r, const struct findings *f)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	const cJSON *source;

	if (f->fallback)
		warn(list,
		     "no source answered: bundled figures (%s), low confidence",
		     json_str(json_get(f->sources, "fallback"), "reason", FALLBACK_SOURCE));
	for (size_t i = 0; i < f->nbenchmarks; i++)
		warn_benchmark(list, r, &f->benchmarks[i]);
	if (*r->experience || *r->education || *r->industry)
		warn(list,
		     "the sources do not split pay by experience, education or industry for one place: "
		     "figures cover all of them");
	cJSON_ArrayForEach(source, f->sources) {
		warn_source(list, source);
	}
	return list;
}

static cJSON *source_names(const struct findings *f)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	const cJSON *source;

	cJSON_ArrayForEach(source, f->sources) {
		if (strcmp(json_str(source, "status", ""), "ok") == 0)
			cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(source->string)));
	}
	return list;
}

static void put_part(cJSON *o, const char *key, double v)
{
	char text[16];

	snprintf(text, sizeof text, "%.2f", v);
	json_set_raw(o, key, text);
}

static cJSON *score_row(const char *type, const struct request *r,
			const struct score_evidence *evidence, size_t n, int year,
			const char *cache_key)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	struct score s;

	score_compute(evidence, n, &s);
	json_set_str(o, "data_type", type);
	json_set_str(o, "location", r->area.label);
	json_set_str(o, "occupation", r->occupation.name);
	put_part(o, "sample_size_score", s.sample_size);
	put_part(o, "data_freshness_score", s.freshness);
	put_part(o, "source_reliability_score", s.reliability);
	put_part(o, "methodology_score", s.methodology);
	put_part(o, "consistency_score", s.consistency);
	put_part(o, "overall_confidence_score", s.overall);
	json_set_num(o, "year", year);
	json_set_str(o, "cache_key", cache_key);
	json_set(o, "metadata", score_explain(&s, evidence));
	return o;
}

cJSON *answer_scores(const struct request *r, const struct findings *f, const char *cache_key)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	struct score_evidence pay[FINDINGS_MAX], market[FINDINGS_MAX];
	int pay_year = 0, market_year = 0;

	for (size_t i = 0; i < f->nbenchmarks; i++) {
		pay[i] = benchmark_evidence(&f->benchmarks[i]);
		pay_year = f->benchmarks[i].year > pay_year ? f->benchmarks[i].year : pay_year;
	}
	for (size_t i = 0; i < f->nmarkets; i++) {
		market[i] = market_evidence(&f->markets[i]);
		market_year = f->markets[i].year > market_year ? f->markets[i].year : market_year;
	}
	if (f->nbenchmarks > 0)
		cJSON_AddItemToArray(
			list, score_row("salary", r, pay, f->nbenchmarks, pay_year, cache_key));
	if (f->nmarkets > 0)
		cJSON_AddItemToArray(
			list, score_row("market", r, market, f->nmarkets, market_year, cache_key));
	return list;
}

/* As text, since amounts must not pass through the numbers of a parser. */
static void put_merged(cJSON *meta, const struct findings *f)
{
	cJSON *merged = merged_make(f);
	char *text = json_print(merged);

	json_set_str(meta, "merged", text);
	free(text);
	cJSON_Delete(merged);
}

cJSON *answer_meta(const struct request *r, const struct findings *f, enum cache_kind kind,
		   int count, bool development)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_num(o, "stored_at", (double)(clock_wall_ms() / 1000));
	json_set_num(o, "count", count);
	json_set_str(o, "location", r->area.label);
	json_set_str(o, "occupation", r->occupation.name);
	json_set_str(o, "industry", r->industry);
	json_set_str(o, "experience_level", r->experience);
	json_set_str(o, "education_level", r->education);
	json_set_num(o, "year", r->year);
	json_set_str(o, "strategy", strategy_name(r->strategy));
	json_set_bool(o, "fallback", f->fallback);
	if (development)
		json_set_str(o, "mode", "development");
	if (kind == CACHE_SALARY) {
		json_set(o, "sources", source_names(f));
		json_set(o, "source_details", mem_check(cJSON_Duplicate(f->sources, true)));
		json_set(o, "warnings", data_warnings(r, f));
		put_merged(o, f);
	}
	return o;
}

static void copy_member(cJSON *to, const cJSON *from, const char *key, cJSON *otherwise)
{
	const cJSON *v = json_get(from, key);

	json_set(to, key, v ? mem_check(cJSON_Duplicate(v, true)) : otherwise);
	if (v)
		cJSON_Delete(otherwise);
}

static cJSON *all_warnings(const struct answer *a, const struct request *r)
{
	cJSON *list = mem_check(cJSON_Duplicate(r->warnings, true));
	char day[CLOCK_ISO_SIZE];
	const cJSON *w;

	cJSON_ArrayForEach(w, json_get(a->meta, "warnings")) {
		cJSON_AddItemToArray(list, mem_check(cJSON_Duplicate(w, true)));
	}
	if (a->stale)
		warn(list, "a little older than asked for; it is being asked anew");
	clock_iso(json_int(a->meta, "stored_at", 0) * 1000000, day);
	if (a->ended)
		warn(list, "no source answers now: these are the figures of %.10s", day);
	else if (a->from_tables && !a->kept)
		warn(list, "the cache is away or empty: answered from the database");
	if (strcmp(json_str(a->meta, "mode", ""), "development") == 0)
		warn(list, "development mode: not for decisions");
	return list;
}

static void add_alternative(cJSON *list, const char *text)
{
	if (*text)
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(text)));
}

/* What the texts of the request were taken for. */
static cJSON *resolved(const struct request *r)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *places = mem_check(cJSON_CreateArray());
	cJSON *jobs = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < COUNT(r->area.alternatives); i++)
		add_alternative(places, r->area.alternatives[i]);
	for (size_t i = 0; i < COUNT(r->occupation.alternatives); i++)
		add_alternative(jobs, r->occupation.alternatives[i]);
	json_set_str(o, "level", area_level_name(r->area.level));
	json_set_str(o, "area", area_name(&r->area));
	json_set_str(o, "area_code", area_code(&r->area));
	json_set_str(o, "soc", r->occupation.row->soc);
	json_set_str(o, "soc_title", r->occupation.row->title);
	json_set(o, "other_locations", places);
	json_set(o, "other_occupations", jobs);
	return o;
}

cJSON *answer_make(const struct answer *a, const struct request *r)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char took[32];

	json_set_str(o, "status", "success");
	json_set_str(o, "location", r->area.label);
	json_set_str(o, "occupation", r->occupation.name);
	json_set(o, "resolved", resolved(r));
	json_set_num(o, "data_count", json_num(a->meta, "count", 0));
	json_set_raw(o, "salary_benchmarks", a->benchmarks);
	json_set_raw(o, "merged", json_str(a->meta, "merged", "null"));
	json_set_raw(o, "market_data", a->market ? a->market : "[]");
	json_set_raw(o, "confidence_scores", a->confidence ? a->confidence : "[]");
	copy_member(o, a->meta, "sources", mem_check(cJSON_CreateArray()));
	copy_member(o, a->meta, "source_details", mem_check(cJSON_CreateObject()));
	json_set_bool(o, "cache_hit", a->cache_hit);
	json_set_bool(o, "stale", a->stale || a->ended || a->kept);
	json_set_num(o, "cached_at", json_num(a->meta, "stored_at", 0));
	json_set_str(o, "cache_key", a->cache_key);
	json_set_bool(o, "fallback", json_bool(a->meta, "fallback", false));
	snprintf(took, sizeof took, "%.3f", (double)(clock_mono_us() - a->started_us) / 1000.0);
	json_set_raw(o, "processing_time_ms", took);
	json_set(o, "warnings", all_warnings(a, r));
	return o;
}
