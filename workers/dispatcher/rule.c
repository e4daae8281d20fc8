/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/rule.h"

#include <string.h>

#include "common/base/measure.h"
#include "common/base/mem.h"

#define CALM_MOST_US (60 * 1000000LL)		/* of one that does not flap */
#define FLAP_CALM_US (30 * 1000000LL)
#define FLAP_DOUBLINGS 7

static const char *const WORDS[] = {
	[RULE_OK] = "ok", [RULE_PENDING] = "pending", [RULE_FIRING] = "firing"
};

const char *rule_phase_word(enum rule_phase phase)
{
	return WORDS[phase];
}

enum rule_phase rule_phase_read(const char *word)
{
	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (strcmp(WORDS[i], word) == 0)
			return (enum rule_phase)i;
	return RULE_OK;
}

int64_t rule_calm_us(const struct rule_state *s, int64_t for_us)
{
	int64_t calm = for_us < CALM_MOST_US ? for_us : CALM_MOST_US;
	int times = s->fired - 1 < FLAP_DOUBLINGS ? s->fired - 1 : FLAP_DOUBLINGS;

	if (times <= 0)
		return calm;
	calm = (calm > FLAP_CALM_US ? calm : FLAP_CALM_US) << (times - 1);
	return calm < RULE_FLAP_US ? calm : RULE_FLAP_US;
}

static void enter(struct rule_state *s, enum rule_phase phase, int64_t now_us)
{
	s->phase = phase;
	s->since_us = now_us;
	s->good_us = 0;
}

static enum rule_event fire(struct rule_state *s, int64_t now_us)
{
	s->fired = s->fired_us && now_us - s->fired_us < RULE_FLAP_US ? s->fired + 1 : 1;
	s->fired_us = now_us;
	enter(s, RULE_FIRING, now_us);
	return RULE_FIRES;
}

static enum rule_event hold(struct rule_state *s, int64_t for_us, int64_t now_us)
{
	s->good_us = 0;
	if (s->phase == RULE_OK)
		enter(s, RULE_PENDING, now_us);
	if (s->phase == RULE_PENDING && now_us - s->since_us >= for_us)
		return fire(s, now_us);
	return RULE_NOTHING;
}

static enum rule_event calm_down(struct rule_state *s, int64_t for_us, int64_t now_us)
{
	if (s->phase == RULE_PENDING)
		enter(s, RULE_OK, now_us);
	if (s->phase != RULE_FIRING)
		return RULE_NOTHING;
	if (!s->good_us)
		s->good_us = now_us;
	if (now_us - s->good_us < rule_calm_us(s, for_us))
		return RULE_NOTHING;
	enter(s, RULE_OK, now_us);
	return RULE_RESOLVES;
}

static enum rule_event miss(struct rule_state *s, int64_t now_us)
{
	enum rule_phase was = s->phase;

	s->good_us = 0;
	if (was == RULE_OK || now_us - s->seen_us < RULE_FORGET_US)
		return RULE_NOTHING;
	enter(s, RULE_OK, now_us);
	return was == RULE_FIRING ? RULE_FORGETS : RULE_NOTHING;
}

/* The clock was set back: what seems to lie ahead is now, or the difference would be waited for. */
static void not_ahead(struct rule_state *s, int64_t now_us)
{
	int64_t *const times[] = { &s->since_us, &s->good_us, &s->seen_us, &s->fired_us };

	for (size_t i = 0; i < COUNT(times); i++)
		if (*times[i] > now_us)
			*times[i] = now_us;
}

enum rule_event rule_step(struct rule_state *s, const struct condition *c, int64_t for_us,
			  const double *value, int64_t now_us)
{
	if (!s->since_us)
		s->since_us = now_us;
	not_ahead(s, now_us);
	if (!value)
		return miss(s, now_us);
	s->seen_us = now_us;
	s->value = *value;
	return condition_holds(c, *value) ? hold(s, for_us, now_us) : calm_down(s, for_us, now_us);
}
