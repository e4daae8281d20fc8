/* SPDX-License-Identifier: MIT */
#include "workers/salary/merged.h"

#include <math.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/score.h"
#include "workers/salary/findings.h"

#define WEIGHT_ONE 10000

/* Figures of the same worth are merged; a better kind leaves the worse ones out. */
enum worth { WORTH_NONE, WORTH_BUNDLED, WORTH_GROUP, WORTH_BOUND, WORTH_FIGURE };

static enum worth worth_of(const struct benchmark *b)
{
	if (!amount_is_known(b->median) || b->median.e4 <= 0)
		return WORTH_NONE;
	if (strcmp(b->source, "fallback") == 0)
		return WORTH_BUNDLED;
	if (b->median.kind == AMOUNT_BOUND)
		return WORTH_BOUND;
	return b->group ? WORTH_GROUP : WORTH_FIGURE;
}

static int64_t weight_of(const struct benchmark *b)
{
	struct score_evidence evidence = benchmark_evidence(b);
	struct score s;
	int64_t w;

	score_compute(&evidence, 1, &s);
	w = llround(s.reliability * s.freshness * s.methodology * WEIGHT_ONE);
	return w > 0 ? w : 1;
}

static void put_amount(cJSON *o, const char *key, int64_t e4)
{
	char text[AMOUNT_TEXT_SIZE];

	json_set_raw(o, key, amount_text((struct amount){ AMOUNT_VALUE, e4 }, 2, text));
}

static void put_share(cJSON *weights, const char *source, int64_t weight, int64_t sum)
{
	char text[16];

	snprintf(text, sizeof text, "%.4f", (double)weight / (double)sum);
	json_set_raw(weights, source, text);
}

cJSON *merged_make(const struct findings *f)
{
	int64_t weights[FINDINGS_MAX], sum = 0, lowest = INT64_MAX, highest = 0;
	enum worth best = WORTH_NONE;
	cJSON *o, *shares, *others;
	__int128 total = 0;

	for (size_t i = 0; i < f->nbenchmarks; i++)
		if (worth_of(&f->benchmarks[i]) > best)
			best = worth_of(&f->benchmarks[i]);
	if (best == WORTH_NONE)
		return mem_check(cJSON_CreateNull());
	for (size_t i = 0; i < f->nbenchmarks; i++) {
		int64_t e4 = f->benchmarks[i].median.e4;

		weights[i] = worth_of(&f->benchmarks[i]) == best ? weight_of(&f->benchmarks[i]) : 0;
		if (weights[i] == 0)
			continue;
		sum += weights[i];
		total += (__int128)weights[i] * e4;
		lowest = e4 < lowest ? e4 : lowest;
		highest = e4 > highest ? e4 : highest;
	}
	o = mem_check(cJSON_CreateObject());
	shares = mem_check(cJSON_CreateObject());
	others = mem_check(cJSON_CreateArray());
	put_amount(o, "median_salary", (int64_t)((total * 2 + sum) / ((__int128)sum * 2)));
	put_amount(o, "lowest", lowest);
	put_amount(o, "highest", highest);
	for (size_t i = 0; i < f->nbenchmarks; i++) {
		if (weights[i] > 0)
			put_share(shares, f->benchmarks[i].source, weights[i], sum);
		else
			cJSON_AddItemToArray(others, mem_check(cJSON_CreateString(
				f->benchmarks[i].source)));
	}
	json_set_bool(o, "lower_bound", best == WORTH_BOUND);
	json_set(o, "weights", shares);
	json_set(o, "left_out", others);
	return o;
}
