/* SPDX-License-Identifier: MIT */
#include "workers/ctl/letters.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"

int letters_init(struct letters *l, struct err *e)
{
	const char *const words[] = { l->queue, l->task, l->cause, l->fingerprint };
	int64_t us, ms;

	/* an empty variable in a script must not mean every letter */
	for (size_t i = 0; i < COUNT(words); i++) {
		if (words[i] && !*words[i])
			return err_set(e, ERR_USAGE, "an option that chooses letters is empty");
	}
	if (!l->since)
		return 0;
	if (scan_duration_ms(l->since, &ms, NULL) == 0)
		us = clock_wall_us() - ms * 1000;
	else if (clock_parse_iso(l->since, &us, NULL) < 0)
		return err_set(e, ERR_USAGE,
			       "--since: \"%.60s\" is neither a duration such as 2h nor a time "
			       "such as 2026-11-21T20:15:00",
			       l->since);
	clock_iso(us, l->since_iso);
	return 0;
}

static bool has_options(const struct letters *l)
{
	return l->queue || l->task || l->cause || l->fingerprint || l->since;
}

static int by_options(const struct letters *l, struct ctl *c, char ***ret, size_t *ret_n,
		      struct err *e)
{
	static const char SQL[] = "SELECT id FROM jobfleet.dead_letters WHERE " LETTERS_WHERE
				  " AND state = 'dead' ORDER BY id";
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, SQL, PG_PARAMS(LETTERS_PARAMS(l)), &rows, e);
	char **ids;
	size_t n;

	if (r < 0)
		return r;
	n = pg_rows_count(rows);
	ids = mem_zalloc((n + 1) * sizeof *ids);
	for (size_t i = 0; i < n; i++)
		ids[i] = mem_strdup(pg_text(rows, i, 0));
	pg_rows_free(rows);
	*ret = ids;
	*ret_n = n;
	return 0;
}

int letters_choose(const struct letters *l, struct ctl *c, char *const *operands, char ***ret,
		   size_t *ret_n, struct err *e)
{
	char **ids;
	size_t n = 0;

	if (operands[0] && has_options(l))
		return err_set(e, ERR_USAGE, "give ids, or options that choose, not both");
	if (!operands[0] && !has_options(l))
		return err_set(e, ERR_USAGE, "which ones? give ids, or --fingerprint, --cause, "
					     "--task, --queue or --since");
	if (!operands[0])
		return by_options(l, c, ret, ret_n, e);
	while (operands[n])
		n++;
	ids = mem_zalloc((n + 1) * sizeof *ids);
	for (size_t i = 0; i < n; i++)
		ids[i] = mem_strdup(operands[i]);
	*ret = ids;
	*ret_n = n;
	return 0;
}

void letters_free(char **ids)
{
	for (char **id = ids; id && *id; id++)
		free(*id);
	free(ids);
}

int letters_move(struct ctl *c, const char *id, letters_act *act, void *ctx, struct err *e)
{
	struct letter l = { 0 };
	struct pg *p = NULL;
	int r = ctl_pg(c, &p, e);

	if (r == 0)
		r = pg_begin(p, CTL_PUBLISH_MS, e);
	if (r < 0)
		return r;
	r = letter_load(&l, p, id, true, e);
	if (r == 0)
		r = act(ctx, &l, p, e);
	if (r == 0)
		r = pg_commit(p, e);
	pg_rollback(p);
	letter_release(&l);
	return r;
}
