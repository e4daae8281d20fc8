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

	if (s->looks < s->due[id])
		return;
	s->due[id] = s->looks + (signal_is_slow(id) ? SIGNALS_SLOW : 1);
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
	int64_t end_ms = clock_mono_ms() + SIGNALS_LOOK_MS;
	int first = s->first;

	for (int i = 0; i < MEASURE_IDS; i++) {
		int id = (first + i) % MEASURE_IDS;

		if (!wanted[id])
			signal_clear(s, (enum measure_id)id);
		else if (clock_mono_ms() < end_ms)
			read_one(s, (enum measure_id)id, conf, peers, now_us);
		else if (s->first == first)
			s->first = id;	/* the rest keeps its values until the next look */
	}
	s->looks++;
}

void signals_read_away(struct signals *s)
{
	signal_clear(s, MEASURE_AWAY);
	signal_look(s, MEASURE_AWAY, NULL, NULL);
	memset(s->due, 0, sizeof s->due);	/* what comes after an absence is read anew */
}

const struct signal *signals_list(const struct signals *s, enum measure_id id, size_t *ret_n)
{
	*ret_n = s->sets[id].n;
	return s->sets[id].items;
}
