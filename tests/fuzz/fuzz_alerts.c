/* SPDX-License-Identifier: MIT */
/* What people write about alerts: a byte chooses (the condition of a rule, a list of addresses),
 * the rest is the text. A condition that is taken has a measure and can be said; each address of a
 * list that is taken is one. */
#include <math.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/err.h"
#include "common/base/measure.h"
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"

enum { SAID = 1024 };

static void say(const struct condition *c, double value)
{
	char said[SAID], printed[64];

	condition_say(c, c->subject[0] ? c->subject : "each", value, said, sizeof said);
	fuzz_want(strlen(said) > 0 && strlen(said) < sizeof said, "a condition can be said");
	measure_print(c->measure, value, printed, sizeof printed);
	fuzz_want(printed[0], "a value can be printed");
}

static void read_condition(const char *text, struct err *e)
{
	struct condition c;

	if (condition_parse(text, &c, e) < 0)
		return;
	fuzz_want(c.measure && measure_at(c.measure->id) == c.measure, "a measure is one");
	fuzz_want(*measure_subject_word(c.measure), "a subject has a word");
	fuzz_want(isfinite(c.limit) && c.limit >= 0, "a limit is a number");
	fuzz_want(strlen(c.subject) < MEASURE_SUBJECT_MAX, "a subject fits");
	fuzz_want(condition_holds(&c, c.limit + 1) == c.above || c.limit > 1e15,
		  "above is above");
	fuzz_want(!condition_holds(&c, c.limit), "the limit itself is neither");
	say(&c, c.limit);
	say(&c, 0);
	say(&c, 1e12);
}

static void read_addresses(const char *text, struct err *e)
{
	int r = address_check(text, e), got, n = 0;
	char address[ADDRESS_MAX];
	enum address_kind kind;
	struct err why = { 0 };

	for (; (got = address_next(&text, address, &why)) == 1; n++)
		fuzz_want(address_parse(address, &kind, &why) == 0, "an address of a list is one");
	fuzz_want((r < 0) == (got < 0 || n == 0), "a list is as its addresses are");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const READERS[])(const char *, struct err *) = { read_condition,
								       read_addresses };
	struct err e = { 0 };
	char *text;

	if (size == 0)
		return 0;
	text = mem_strndup((const char *)data + 1, size - 1);
	READERS[data[0] % COUNT(READERS)](text, &e);
	fuzz_want(e.code == ERR_NONE || e.msg[0], "what is refused has a reason");
	free(text);
	return 0;
}
