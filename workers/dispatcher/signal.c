/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "workers/dispatcher/signal_private.h"

struct signals *signals_new(void)
{
	struct signals *s = mem_zalloc(sizeof *s);

	for (int i = 0; i < PEER_COUNT; i++)
		s->away_ms[i] = clock_mono_ms();
	return s;
}

void signals_free(struct signals *s)
{
	if (!s)
		return;
	for (int i = 0; i < MEASURE_IDS; i++)
		signal_clear(s, (enum measure_id)i);
	free(s);
}

void signal_clear(struct signals *s, enum measure_id id)
{
	struct signal_set *set = &s->sets[id];

	for (size_t i = 0; i < set->n; i++)
		free(set->items[i].subject);
	free(set->items);
	*set = (struct signal_set){ 0 };
}

void signal_put(struct signals *s, enum measure_id id, const char *subject, double value)
{
	struct signal_set *set = &s->sets[id];

	set->items = mem_realloc(set->items, (set->n + 1) * sizeof *set->items);
	set->items[set->n].subject = mem_strdup(subject);
	set->items[set->n++].value = value;
}

void signals_watch(struct signals *s, struct peers *peers)
{
	for (int i = 0; i < PEER_COUNT; i++) {
		if (peers_is_up(peers, (enum peer)i))
			s->away_ms[i] = 0;
		else if (!s->away_ms[i])
			s->away_ms[i] = clock_mono_ms();
	}
}

static void read_one(struct signals *s, enum measure_id id, const struct conf *conf,
		     struct peers *peers, int64_t now_us)
{
	struct err e = { 0 };
	int r;

	if (signal_is_slow(id) && s->looks % SIGNALS_SLOW)
		return;
	signal_clear(s, id);
	r = signal_ask(s, id, conf, peers, now_us, &e);
	if (r == 0)
		signal_look(s, id, conf, peers);
	else if (r < 0)
		log_debug("a measure cannot be read now measure=%s reason=\"%s\"",
			  measure_at(id)->name, e.msg);
}

void signals_read(struct signals *s, const struct conf *conf, struct peers *peers,
		  const bool wanted[MEASURE_IDS], int64_t now_us)
{
	for (int i = 0; i < MEASURE_IDS; i++) {
		if (wanted[i])
			read_one(s, (enum measure_id)i, conf, peers, now_us);
		else
			signal_clear(s, (enum measure_id)i);
	}
	s->looks++;
}

void signals_read_away(struct signals *s)
{
	signal_clear(s, MEASURE_AWAY);
	signal_look(s, MEASURE_AWAY, NULL, NULL);
	s->looks = 0;	/* what comes after an absence is read anew */
}

const struct signal *signals_list(const struct signals *s, enum measure_id id, size_t *ret_n)
{
	*ret_n = s->sets[id].n;
	return s->sets[id].items;
}

const double *signals_value(const struct signals *s, enum measure_id id, const char *subject)
{
	const struct signal_set *set = &s->sets[id];

	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->items[i].subject, subject) == 0)
			return &set->items[i].value;
	return NULL;
}
