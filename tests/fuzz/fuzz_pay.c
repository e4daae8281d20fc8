/* SPDX-License-Identifier: MIT */
/* Pay in text: the first byte chooses the hint, the rest is a posting's text, cleaned as processing
 * does. What is found is in order and within its text's means, and the same a second time. */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "workers/processing/pay.h"

static const char *const LANGS[] = { NULL, "en", "de", "fr", "es", "it", "", "x" };
static const char *const COUNTRIES[] = { NULL, "US", "CA", "DE", "IN", "JP", "CH", "ZZ" };

static void check_places(const struct pay *p)
{
	fuzz_want(p->nplaces >= 0 && p->nplaces <= PAY_PLACES_MAX, "places fit");
	fuzz_want(p->nplaces <= p->ranges, "a place has its range");
	for (int i = 0; i < p->nplaces; i++) {
		const struct pay_range *r = &p->places[i];

		fuzz_want(memchr(r->place, 0, sizeof r->place) != NULL, "a place ends");
		fuzz_want(!r->min_cents || !r->max_cents || r->min_cents <= r->max_cents,
			  "a place's bounds are in order");
	}
}

static void check_pay(const struct pay *p, int found)
{
	int64_t min, max;

	fuzz_want(found == p->ranges && found >= 0, "ranges are counted");
	fuzz_want(p->min_cents >= 0 && p->max_cents >= 0, "no pay is negative");
	fuzz_want(!found || p->min_cents || p->max_cents, "pay has a bound");
	fuzz_want(!p->min_cents || !p->max_cents || p->min_cents <= p->max_cents,
		  "bounds are in order");
	fuzz_want(strlen(p->currency) == 0 || strlen(p->currency) == 3, "a currency is a code");
	fuzz_want((pay_interval(p, &min, &max) != NULL) == (p->period != PAY_UNKNOWN),
		  "a period has an interval");
	check_places(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pay_hint hint;
	struct pay p, again;
	struct buf clean;
	char *text;

	if (size == 0)
		return 0;
	hint = (struct pay_hint){ .lang = LANGS[data[0] & 7],
				  .country = COUNTRIES[data[0] >> 3 & 7],
				  .is_pay = data[0] & 64,
				  .federal = data[0] & 128 };
	buf_init(&clean, 1 << 20);
	text_clean((const char *)data + 1, size - 1, &clean);
	text = malloc(clean.len ? clean.len : 1);	/* no byte behind its end */
	memcpy(text, buf_text(&clean), clean.len);
	check_pay(&p, pay_from_text(text, clean.len, &hint, &p));
	pay_from_text(text, clean.len, &hint, &again);
	fuzz_want(p.min_cents == again.min_cents && p.max_cents == again.max_cents &&
			  p.period == again.period && p.ranges == again.ranges,
		  "the same text has the same pay");
	free(text);
	buf_release(&clean);
	return 0;
}
