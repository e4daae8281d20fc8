/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/score.h"

#define DAYS_A_MONTH 30.4375
#define AGREES 0.5		/* within two expected errors */
#define TEXT_MAX 4096

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

static char *age_sentence(const struct score_evidence *v)
{
	double half = v->half_life_days > 0 ? v->half_life_days : SCORE_HALF_LIFE_PAY_DAYS;

	if (!(v->age_days >= 0))
		return mem_strdup("age unknown");
	return mem_printf("%.0f months old, worth half after %.0f",
			  floor(v->age_days / DAYS_A_MONTH), half / DAYS_A_MONTH);
}

static char *method_sentence(const struct score_evidence *v)
{
	return mem_printf("%s%s%s%s", score_source(v->source)->how,
			  v->steps_wider == 1 ? "; one step wider than the area asked for" :
			  v->steps_wider > 1 ? "; two steps wider than the area asked for" : "",
			  v->lower_bound ? "; top-coded, so a lower bound" : "",
			  v->estimate ? "; estimated from a wider group of occupations" : "");
}

static void put_witness(struct buf *b, const struct score_witness *w)
{
	double percent = fabs(w->ratio - 1) * 100;
	const char *side = w->ratio > 1 ? "higher" : "lower";

	buf_printf(b, "%s%.50s ", b->len > 0 ? "; " : "", w->source ? w->source : "unknown");
	if (percent < 0.5)
		buf_puts(b, "the same");
	else if (percent < 1000)
		buf_printf(b, "%.0f %% %s", percent, side);
	else
		buf_puts(b, "more than ten times higher");
	buf_puts(b, w->agreement >= AGREES ? ", as far as expected" : ", more than expected");
}

static char *consistency_sentence(const struct score *s)
{
	struct buf b;

	if (s->nwitnesses == 0)
		return mem_strdup("one source only: neither confirmed nor contradicted");
	buf_init(&b, TEXT_MAX);
	for (size_t i = 0; i < s->nwitnesses; i++)
		put_witness(&b, &s->witnesses[i]);
	return buf_take(&b);
}

static char *overall_sentence(const struct score *s)
{
	double weakest = fmin(fmin(s->freshness, s->reliability), s->methodology);
	const char *part = weakest == s->freshness ? "age"
		: weakest == s->reliability ? "reliability of the source" : "how it was made";

	/* the two limits are passed only where the essential parts are better than they */
	if (s->overall >= 0.5 + s->sample_size)
		return mem_strdup("held down by its few answers");
	if (s->overall >= 0.5 + s->consistency)
		return mem_strdup("held down by sources that contradict it");
	return mem_printf("at most its weakest essential part, %s (%.2f); the others take up to"
			  " 30 %% of it off", part, weakest);
}

cJSON *score_explain(const struct score *s, const struct score_evidence *evidence)
{
	const struct score_evidence *v = &evidence[s->leading];
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "leading_source", v->source);
	put_sentence(o, "sample_size", sample_sentence(v));
	put_sentence(o, "data_freshness", age_sentence(v));
	json_set_str(o, "source_reliability", score_source(v->source)->who);
	put_sentence(o, "methodology", method_sentence(v));
	put_sentence(o, "consistency", consistency_sentence(s));
	put_sentence(o, "overall", overall_sentence(s));
	return o;
}
