/* SPDX-License-Identifier: MIT */
#include "workers/collection/plan.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/collection/order.h"

static const char *secret(const char *variable)
{
	return *variable ? conf_secret(variable) : NULL;
}

static struct plan_source entry(const struct conf_source *conf)
{
	struct plan_source s = { .conf = conf, .source = source_find(conf->name),
				 .key = secret(conf->key_variable),
				 .id = secret(conf->id_variable) };

	s.keyless = conf->key_required && (!s.key || (*conf->id_variable && !s.id));
	return s;
}

/* Names stand between commas; what is behind a "=" in one may have blanks. */
static const char *board_at(const char *boards, int number, size_t *ret_len)
{
	const char *p = boards + strspn(boards, ", \t");

	while (*p && number-- > 0) {
		p += strcspn(p, ",");
		p += strspn(p, ", \t");
	}
	*ret_len = strcspn(p, ",");
	while (*ret_len > 0 && p[*ret_len - 1] == ' ')
		--*ret_len;
	return p;
}

static int count_boards(const char *boards)
{
	size_t len;
	int n = 0;

	while (n < PLAN_BOARDS && *board_at(boards, n, &len))
		n++;
	return n;
}

static bool takes_ids(const struct conf_source *conf, const struct order *order)
{
	return order->njob_ids <= source_find(conf->name)->ids_a_call;
}

static bool has_questions(const struct conf_source *conf)
{
	return source_find(conf->name)->kind != SOURCE_BOARD || count_boards(conf->boards) > 0;
}

static int add_named(struct plan *plan, const struct conf *conf, const struct order *order,
		     const char *name, struct err *e)
{
	const struct conf_source *s = conf_source(conf, name);

	if (!s)
		return err_set(e, ERR_INVALID, "there is no source \"%.50s\" in queues.conf", name);
	if (!source_find(name))
		return err_set(e, ERR_INVALID, "source %s has no postings to collect", name);
	if (!s->enabled)
		return err_set(e, ERR_REFUSED, "source %s is disabled in queues.conf", name);
	if (!has_questions(s))
		return err_set(e, ERR_INVALID, "source %s has no boards in queues.conf", name);
	if (!takes_ids(s, order))
		return err_set(e, ERR_INVALID, "source %s takes %d job_ids at most", name,
			       source_find(name)->ids_a_call);
	for (size_t i = 0; i < plan->n; i++)
		if (plan->sources[i].conf == s)
			return 0;
	plan->sources[plan->n++] = entry(s);
	return 0;
}

/* Of equal weight in the order of queues.conf. */
static void add_by_weight(struct plan *plan, const struct conf_source *conf)
{
	size_t at = plan->n;

	if (plan->n == PLAN_SOURCES)
		return;
	for (; at > 0 && plan->sources[at - 1].conf->weight < conf->weight; at--)
		plan->sources[at] = plan->sources[at - 1];
	plan->sources[at] = entry(conf);
	plan->n++;
}

int plan_make(struct plan *ret, const struct conf *conf, const struct order *order, struct err *e)
{
	int r = 0;

	*ret = (struct plan){ .all = order->nsources == 0 };
	for (int i = 0; i < order->nsources && r == 0; i++)
		r = add_named(ret, conf, order, order->sources[i], e);
	for (size_t i = 0; ret->all && i < conf->nsources; i++)
		if (conf->sources[i].enabled && source_find(conf->sources[i].name) &&
		    has_questions(&conf->sources[i]) && takes_ids(&conf->sources[i], order))
			add_by_weight(ret, &conf->sources[i]);
	if (r == 0 && ret->n == 0)
		r = err_set(e, ERR_CONFIG, "queues.conf enables no source of postings");
	return r;
}

bool plan_backup(const struct plan *plan, const struct conf *conf, const struct plan_source *s,
		 struct plan_source *ret)
{
	const struct conf_source *backup =
		*s->conf->backup ? conf_source(conf, s->conf->backup) : NULL;

	if (!backup || !backup->enabled || !source_find(backup->name) || s->backup_of ||
	    !has_questions(backup))
		return false;
	for (size_t i = 0; i < plan->n; i++)
		if (plan->sources[i].conf == backup)
			return false;
	*ret = entry(backup);
	ret->backup_of = s->conf->name;
	return !ret->keyless;
}

int plan_questions(const struct plan_source *s, const struct order *order)
{
	if (order->njob_ids)
		return order->njob_ids <= s->source->ids_a_call;
	switch (s->source->kind) {
	case SOURCE_FEED:
		return 1;
	case SOURCE_BOARD:
		return count_boards(s->conf->boards);
	default:
		return order->nqueries * order->nlocations;
	}
}

void plan_question(const struct plan_source *s, const struct order *order, int number,
		   char board[PLAN_BOARD_BYTES], struct source_ask *ret)
{
	size_t len;

	*ret = (struct source_ask){ .query = "", .location = "", .country = order->country,
				    .language = order->language,
				    .date_posted = order->date_posted,
				    .employment_types = order->employment_types, .board = "",
				    .remote_only = order->remote_only, .key = s->key,
				    .id = s->id };
	board[0] = '\0';
	if (order->njob_ids) {
		ret->ids = order->job_ids;
	} else if (s->source->kind == SOURCE_SEARCH) {
		ret->query = order->queries[number / order->nlocations];
		ret->location = order->locations[number % order->nlocations];
		if (!*ret->country)
			ret->country = order_country(ret->location);
	} else if (s->source->kind == SOURCE_BOARD) {
		const char *name = board_at(s->conf->boards, number, &len);

		snprintf(board, PLAN_BOARD_BYTES, "%.*s", (int)len, name);
		ret->board = board;
	}
}
