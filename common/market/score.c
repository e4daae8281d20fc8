/* SPDX-License-Identifier: MIT */
#include "common/market/score.h"

#include <math.h>

#include "common/base/mem.h"

#define SAMPLE_ENOUGH 10000.0
#define ERROR_HALF_PERCENT 16.5
#define UNKNOWN 0.3
#define ALONE 0.5
#define WITNESS_WEIGHT 2.0
#define Z_HALF 2.0
#define STEP_WIDER 0.8
#define LOWER_BOUND 0.7
#define ESTIMATE 0.7
#define ESSENTIAL_SHARE 0.7
#define SUPPORT_FLOOR 0.5

static const struct score_source SOURCES[] = {
	{ "bls", "bls", 0.95, 0.95, 0.03, "statistical office of the government, states its errors",
	  "survey of 1.1 million establishments, for this very occupation" },
	{ "census", NULL, 0.90, 0.65, 0.20, "statistical office of the government, states its errors",
	  "survey of households over five years, for a group of occupations" },
	{ "fred", "bls", 0.90, 0.85, 0.05, "Federal Reserve bank that repeats official series",
	  "official series, taken over unchanged" },
	{ "indeed", "adverts", 0.55, 0.50, 0.15, "a job board, about its own advertisements",
	  "pay as advertised, where it is stated, not as paid" },
	{ "postings", "adverts", 0.55, 0.50, 0.15, "advertisements collected here, each counted once",
	  "pay as advertised, where it is stated, not as paid" },
	{ "jsearch", "adverts", 0.55, 0.50, 0.15, "a search over job boards",
	  "pay as advertised, where it is stated, not as paid" },
	{ "fallback", "bls", 0.30, 0.40, 0.15, "copied once from official tables of an earlier year",
	  "bundled for the whole nation, whatever place was asked for" },
};
static const struct score_source STRANGER = {
	"", NULL, 0.20, 0.20, 0.30, "not known here", "how it was made is not known"
};

/* What a family says, by its surest source. */
struct speaker {
	const char *family, *source;
	double log_value, expected_error;
	bool lower_bound;
};

const struct score_source *score_source(const char *name)
{
	for (size_t i = 0; name && i < COUNT(SOURCES); i++)
		if (strcmp(SOURCES[i].name, name) == 0)
			return &SOURCES[i];
	return &STRANGER;
}

static const char *name_of(const struct score_evidence *v)
{
	return v->source ? v->source : "";
}

static const char *family_of(const struct score_evidence *v)
{
	const char *family = score_source(v->source)->family;

	return family ? family : name_of(v);
}

static double bound(double v)
{
	return isnan(v) || v < 0 ? 0 : v > 1 ? 1 : v;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* ---- the parts of one figure ---- */

static double sample_part(const struct score_evidence *v)
{
	if (v->error_percent >= 0)
		return bound(1 / (1 + pow(v->error_percent / ERROR_HALF_PERCENT, 2)));
	return v->sample >= 0 ? bound(log1p(v->sample) / log1p(SAMPLE_ENOUGH)) : UNKNOWN;
}

static double freshness_part(const struct score_evidence *v)
{
	double half = v->half_life_days > 0 ? v->half_life_days : SCORE_HALF_LIFE_PAY_DAYS;

	return v->age_days >= 0 ? bound(pow(0.5, v->age_days / half)) : UNKNOWN;
}

static double methodology_part(const struct score_evidence *v)
{
	double part = score_source(v->source)->method;

	if (v->steps_wider > 0)
		part *= pow(STEP_WIDER, v->steps_wider);
	if (v->lower_bound)
		part *= LOWER_BOUND;
	if (v->estimate)
		part *= ESTIMATE;
	return bound(part);
}

static double weakest_essential(const struct score *s)
{
	return least(least(s->freshness, s->reliability), s->methodology);
}

/* Sums of three are made in one order for all, so that equal parts give equal wholes. */
static double mean_of(const struct score *s)
{
	double essential = (s->freshness + s->reliability + s->methodology) / 3;

	return 0.3 * s->sample_size + 0.3 * s->consistency + 0.4 * essential;
}

static double whole(const struct score *s)
{
	double v = weakest_essential(s) *
		   (ESSENTIAL_SHARE + (1 - ESSENTIAL_SHARE) * mean_of(s));

	return bound(least(v, SUPPORT_FLOOR + least(s->sample_size, s->consistency)));
}

/* ---- who confirms whom ---- */

static bool has_value(const struct score_evidence *v)
{
	return v->value > 0 && isfinite(v->value);
}

/* By what a source is, never by how good its figure is: a figure that gets better must not change
 * who is compared. */
static int by_speech(const void *a, const void *b)
{
	const struct score_evidence *x = *(const struct score_evidence *const *)a;
	const struct score_evidence *y = *(const struct score_evidence *const *)b;
	double ex = score_source(x->source)->expected_error;
	double ey = score_source(y->source)->expected_error;
	int names = strcmp(name_of(x), name_of(y));

	if (ex != ey)
		return ex < ey ? -1 : 1;
	if (names != 0)
		return names;
	return (x->value > y->value) - (x->value < y->value);
}

static bool has_spoken(const struct speaker *speakers, size_t n, const char *family)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(speakers[i].family, family) == 0)
			return true;
	return false;
}

/* Of the sorted figures of one source the middle between its ends: as often as one is repeated, and
 * however little they differ, it stays where it is. */
static struct speaker speaker_of(const struct score_evidence **v, size_t n)
{
	struct speaker s = {
		.family = family_of(v[0]), .source = v[0]->source,
		.log_value = (log(v[0]->value) + log(v[n - 1]->value)) / 2,
		.expected_error = score_source(v[0]->source)->expected_error,
	};

	for (size_t i = 0; i < n; i++)
		s.lower_bound |= v[i]->lower_bound;
	return s;
}

static size_t find_speakers(const struct score_evidence *evidence, size_t n,
			    struct speaker speakers[SCORE_MAX_FAMILIES])
{
	const struct score_evidence **v = mem_alloc((n + 1) * sizeof *v);
	size_t with_value = 0, count = 0, next;

	for (size_t i = 0; i < n; i++)
		if (has_value(&evidence[i]))
			v[with_value++] = &evidence[i];
	qsort(v, with_value, sizeof *v, by_speech);
	for (size_t i = 0; i < with_value && count < SCORE_MAX_FAMILIES; i = next) {
		for (next = i + 1; next < with_value && !strcmp(name_of(v[next]), name_of(v[i]));)
			next++;
		if (!has_spoken(speakers, count, family_of(v[i])))
			speakers[count++] = speaker_of(v + i, next - i);
	}
	free(v);
	return count;
}

/* A lower bound says nothing against what is above it. */
static double agreement(const struct score_evidence *v, const struct speaker *other)
{
	double apart = log(v->value) - other->log_value;
	double expected = hypot(score_source(v->source)->expected_error, other->expected_error);

	if ((v->lower_bound && apart < 0) || (other->lower_bound && apart > 0))
		apart = 0;
	return 1 / (1 + pow(apart / expected / Z_HALF, 2));
}

static void hear_witnesses(const struct score_evidence *v, const struct speaker *speakers, size_t n,
			   struct score *s)
{
	double sum = 0;

	for (size_t i = 0; i < n && has_value(v); i++) {
		struct score_witness *w = &s->witnesses[s->nwitnesses];

		if (strcmp(speakers[i].family, family_of(v)) == 0)
			continue;
		w->source = speakers[i].source;
		w->ratio = exp(speakers[i].log_value - log(v->value));
		w->agreement = agreement(v, &speakers[i]);
		sum += w->agreement;
		s->nwitnesses++;
	}
	s->consistency = bound((ALONE + WITNESS_WEIGHT * sum) /
			       (1 + WITNESS_WEIGHT * (double)s->nwitnesses));
}

/* ---- the set ---- */

static int compare(double a, double b)
{
	return (a > b) - (a < b);
}

/* A total order that does not depend on where a figure stands in the list. */
static bool leads(const struct score *a, const struct score_evidence *va, const struct score *b,
		  const struct score_evidence *vb)
{
	int r = compare(a->overall, b->overall);

	if (r == 0)
		r = compare(mean_of(a), mean_of(b));
	if (r == 0)
		r = -strcmp(name_of(va), name_of(vb));
	if (r == 0)
		r = compare(va->value, vb->value);
	if (r == 0)
		r = compare(a->sample_size, b->sample_size);
	return r == 0 ? a->freshness > b->freshness : r > 0;
}

static void judge(const struct score_evidence *v, const struct speaker *speakers, size_t n,
		  struct score *ret)
{
	*ret = (struct score){
		.sample_size = sample_part(v),
		.freshness = freshness_part(v),
		.reliability = score_source(v->source)->reliability,
		.methodology = methodology_part(v),
	};
	hear_witnesses(v, speakers, n, ret);
	ret->overall = whole(ret);
}

void score_compute(const struct score_evidence *evidence, size_t n, struct score *ret)
{
	struct speaker speakers[SCORE_MAX_FAMILIES];
	size_t nspeakers = find_speakers(evidence, n, speakers);
	struct score best = { 0 }, s;

	for (size_t i = 0; i < n; i++) {
		judge(&evidence[i], speakers, nspeakers, &s);
		s.leading = i;
		if (i == 0 || leads(&s, &evidence[i], &best, &evidence[best.leading]))
			best = s;
	}
	*ret = best;
}
