/* SPDX-License-Identifier: MIT */
#include "common/market/score.h"

#include <math.h>

#include "common/base/json.h"
#include "common/base/mem.h"

#define SAMPLE_ENOUGH 10000.0
#define ERROR_HALF_PERCENT 10.0
#define UNKNOWN 0.3
#define ALONE 0.5
#define STEP_WIDER 0.8
#define LOWER_BOUND 0.7
#define ESTIMATE 0.7
#define ESSENTIAL_SLACK 1.25

static const struct score_source SOURCES[] = {
	{ "bls", 0.95, 0.95, 0.03,
	  "official survey of 1.1 million establishments, published with its errors" },
	{ "census", 0.90, 0.65, 0.20,
	  "official household survey; five-year mean for a group of occupations, not for one" },
	{ "fred", 0.90, 0.85, 0.05, "official series, republished by a Federal Reserve bank" },
	{ "indeed", 0.55, 0.50, 0.15, "pay as advertised on one job board" },
	{ "postings", 0.55, 0.50, 0.15, "pay as advertised in collected postings" },
	{ "jsearch", 0.55, 0.50, 0.15, "pay as advertised in collected postings" },
	{ "fallback", 0.30, 0.40, 0.15, "bundled figures of an earlier year for the whole nation" },
};
static const struct score_source STRANGER = { "", 0.20, 0.20, 0.30, "source unknown here" };

const struct score_source *score_source(const char *name)
{
	for (size_t i = 0; name && i < COUNT(SOURCES); i++)
		if (strcmp(SOURCES[i].name, name) == 0)
			return &SOURCES[i];
	return &STRANGER;
}

static double bound(double v)
{
	return isnan(v) || v < 0 ? 0 : v > 1 ? 1 : v;
}

static double sample_part(const struct score_evidence *v)
{
	double by_error = -1, by_count = -1, part;

	if (v->error_percent >= 0)
		by_error = 1 / (1 + pow(v->error_percent / ERROR_HALF_PERCENT, 2));
	if (v->sample >= 0)
		by_count = log1p(v->sample) / log1p(SAMPLE_ENOUGH);
	part = by_error > by_count ? by_error : by_count;
	return part < 0 ? UNKNOWN : bound(part);
}

static double freshness_part(const struct score_evidence *v)
{
	double half = v->half_life_days > 0 ? v->half_life_days : SCORE_HALF_LIFE_PAY_DAYS;

	return v->age_days < 0 ? UNKNOWN : bound(pow(0.5, v->age_days / half));
}

static double methodology_part(const struct score_evidence *v)
{
	double part = score_source(v->source)->method;

	for (int i = 0; i < v->steps_wider; i++)
		part *= STEP_WIDER;
	if (v->lower_bound)
		part *= LOWER_BOUND;
	if (v->estimate)
		part *= ESTIMATE;
	return bound(part);
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double whole(const struct score *s)
{
	double mean = 0.20 * s->sample_size + 0.25 * s->freshness + 0.25 * s->reliability +
		      0.20 * s->methodology + 0.10 * s->consistency;
	double weakest = least(least(s->freshness, s->reliability), s->methodology);

	return bound(least(mean, ESSENTIAL_SLACK * weakest));
}

static struct score alone(const struct score_evidence *v)
{
	struct score s = {
		.sample_size = sample_part(v),
		.freshness = freshness_part(v),
		.reliability = score_source(v->source)->reliability,
		.methodology = methodology_part(v),
		.consistency = ALONE,
	};

	s.overall = whole(&s);
	return s;
}

/* A total order that does not depend on where a figure stands in the list. */
static bool leads(const struct score_evidence *a, double sa, const struct score_evidence *b,
		  double sb)
{
	int names = strcmp(a->source ? a->source : "", b->source ? b->source : "");

	if (sa != sb)
		return sa > sb;
	return names != 0 ? names < 0 : a->value > b->value;
}

/* The best figure of each source, by index into evidence. */
static size_t pick_sources(const struct score_evidence *evidence, size_t n, size_t *picks)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = evidence[i].source ? evidence[i].source : "";
		size_t k = 0;

		while (k < count &&
		       strcmp(evidence[picks[k]].source ? evidence[picks[k]].source : "", name) !=
			       0)
			k++;
		if (k == count && count < SCORE_MAX_SOURCES)
			picks[count++] = i;
		else if (k < count &&
			 leads(&evidence[i], alone(&evidence[i]).overall, &evidence[picks[k]],
			       alone(&evidence[picks[k]]).overall))
			picks[k] = i;
	}
	return count;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double consistency_part(const struct score_evidence *evidence, const size_t *picks, size_t n,
			       size_t *ret_compared)
{
	double z[SCORE_MAX_SOURCES * SCORE_MAX_SOURCES / 2], middle;
	size_t pairs = 0, with_value = 0;

	for (size_t i = 0; i < n; i++)
		with_value += evidence[picks[i]].value > 0;
	*ret_compared = with_value;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct score_evidence *a = &evidence[picks[i]],
						    *b = &evidence[picks[j]];

			if (a->value > 0 && b->value > 0)
				z[pairs++] = fabs(log(a->value / b->value)) /
					     hypot(score_source(a->source)->expected_error,
						   score_source(b->source)->expected_error);
		}
	if (pairs == 0)
		return ALONE;
	qsort(z, pairs, sizeof *z, by_size);
	middle = (z[pairs / 2] + z[(pairs - 1) / 2]) / 2;
	return bound((ALONE + 2.0 * (double)(with_value - 1) / (1 + pow(middle / 2, 2))) /
		     (1 + 2.0 * (double)(with_value - 1)));
}

void score_compute(const struct score_evidence *evidence, size_t n, struct score *ret)
{
	size_t picks[SCORE_MAX_SOURCES], count = pick_sources(evidence, n, picks), best = 0;
	struct score s = { 0 };

	for (size_t k = 1; k < count; k++)
		if (leads(&evidence[picks[k]], alone(&evidence[picks[k]]).overall,
			  &evidence[picks[best]], alone(&evidence[picks[best]]).overall))
			best = k;
	if (count > 0) {
		s = alone(&evidence[picks[best]]);
		s.leading = picks[best];
		s.consistency = consistency_part(evidence, picks, count, &s.sources);
		s.overall = whole(&s);
	}
	*ret = s;
}

static void put_sentence(cJSON *o, const char *key, char *owned)
{
	json_set_str(o, key, owned);
	free(owned);
}

static char *sample_sentence(const struct score_evidence *v)
{
	if (v->error_percent >= 0)
		return mem_printf("relative standard error %.1f %%", v->error_percent);
	if (v->sample >= 0)
		return mem_printf("about %.0f answers behind the figure", v->sample);
	return mem_strdup("size of the sample is not published");
}

static char *method_sentence(const struct score_evidence *v)
{
	return mem_printf("%s%s%s%s", score_source(v->source)->reason,
			  v->steps_wider == 1 ? "; one step wider than the area asked for" :
			  v->steps_wider > 1 ? "; two steps wider than the area asked for" : "",
			  v->lower_bound ? "; top-coded, so a lower bound" : "",
			  v->estimate ? "; estimated from a wider group of occupations" : "");
}

static const char *limit_sentence(const struct score *s)
{
	double weakest = least(least(s->freshness, s->reliability), s->methodology);

	if (s->overall < ESSENTIAL_SLACK * weakest)
		return "weighted mean of the parts";
	if (weakest == s->freshness)
		return "held down by the age of the figure";
	return weakest == s->reliability ? "held down by the reliability of the source"
					 : "held down by how the figure was made";
}

cJSON *score_explain(const struct score *s, const struct score_evidence *evidence)
{
	const struct score_evidence *v = &evidence[s->leading];
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "leading_source", v->source);
	put_sentence(o, "sample_size", sample_sentence(v));
	put_sentence(o, "data_freshness",
		     v->age_days < 0 ? mem_strdup("age unknown")
				     : mem_printf("%.0f days old, half-life %.0f days", v->age_days,
						  v->half_life_days));
	json_set_str(o, "source_reliability", score_source(v->source)->reason);
	put_sentence(o, "methodology", method_sentence(v));
	put_sentence(
		o, "consistency",
		s->sources < 2
			? mem_strdup("one source only: neither confirmed nor contradicted")
			: mem_printf(
				  "%zu sources compared, their spread measured against their expected errors",
				  s->sources));
	json_set_str(o, "overall", limit_sentence(s));
	return o;
}
