/* SPDX-License-Identifier: MIT */
#include "workers/ctl/drill_mix.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"

enum { SHARE_MOST = 1000, BY_SQL_OF_100 = 20, PRIORITIES = 10 };

/* A root of size n is tasks + each * n tasks. */
static const struct {
	const char *name;
	int least, most, tasks, each;
	int work_least_ms, work_most_ms, delay_most_ms;
} KINDS[DRILL_KINDS] = {
	{ "short", 1, 9, 1, 0, 0, 40, 0 },
	{ "long", 1, 9, 1, 0, 3000, 7000, 0 },
	{ "retried", 1, 3, 1, 0, 0, 0, 0 },
	{ "scheduled", 1, 9, 1, 0, 0, 10, 12000 },
	{ "steps", 2, 4, 1, 0, 0, 30, 0 },
	{ "spawn", 1, 4, 1, 1, 0, 0, 0 },
	{ "pipeline", 2, 4, 0, 1, 0, 20, 0 },
	{ "chain", 2, 5, 1, 1, 0, 0, 0 },
	{ "group", 2, 5, 1, 1, 0, 0, 0 },
	{ "chord", 2, 6, 2, 1, 0, 0, 0 },
};

static int find_kind(const char *name, struct err *e)
{
	struct near n;

	near_init(&n, name);
	for (int i = 0; i < DRILL_KINDS; i++) {
		if (strcmp(KINDS[i].name, name) == 0)
			return i;
		near_offer(&n, KINDS[i].name);
	}
	return err_set(e, ERR_USAGE, "no kind of task \"%.30s\"; did you mean %s?", name,
		       n.word ? n.word : KINDS[0].name);
}

static int read_share(struct drill_mix *m, char *word, struct err *e)
{
	char *sign = strchr(word, '=');
	int kind;

	if (!sign)
		return err_set(e, ERR_USAGE, "\"%.40s\" is no KIND=SHARE, such as short=40", word);
	*sign = '\0';
	kind = find_kind(word, e);
	if (kind < 0)
		return kind;
	if (scan_int(sign + 1, 0, SHARE_MOST, &m->shares[kind], e) < 0)
		return err_set(e, ERR_USAGE, "the share of %s is 0 to %d", word, SHARE_MOST);
	return 0;
}

int drill_mix_init(struct drill_mix *m, uint64_t seed, const char *mixture, struct err *e)
{
	char *text = mem_strdup(mixture ? mixture : DRILL_MIXTURE), *rest = text, *word;
	int r = 0;

	*m = (struct drill_mix){ .seed = seed };
	while (r == 0 && (word = strsep(&rest, ",")))
		r = read_share(m, word, e);
	free(text);
	for (int i = 0; i < DRILL_KINDS; i++)
		m->sum += m->shares[i];
	if (r == 0 && m->sum == 0)
		r = err_set(e, ERR_USAGE, "a mixture needs at least one kind with a share");
	return r;
}

/* splitmix64 (Steele, Lea, Flood 2014): any state gives a good next number. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int between(uint64_t *state, int least, int most)
{
	return least + (int)(next(state) % (uint64_t)(most - least + 1));
}

void drill_mix_task(const struct drill_mix *m, int64_t number, struct drill_task *ret)
{
	uint64_t numbered = m->seed ^ ((uint64_t)number << 32), state = next(&numbered);
	int at = between(&state, 0, m->sum - 1), kind = 0;

	while (at >= m->shares[kind])
		at -= m->shares[kind++];
	*ret = (struct drill_task){
		.kind = KINDS[kind].name,
		.n = between(&state, KINDS[kind].least, KINDS[kind].most),
		.work_ms = between(&state, KINDS[kind].work_least_ms, KINDS[kind].work_most_ms),
		.delay_ms = between(&state, 0, KINDS[kind].delay_most_ms),
		.priority = between(&state, 0, PRIORITIES - 1),
		.by_sql = between(&state, 1, 100) <= BY_SQL_OF_100,
	};
	ret->tasks = KINDS[kind].tasks + KINDS[kind].each * ret->n;
}
