/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/leader.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/dispatcher/peers.h"

struct leader {
	char *holder;
	int64_t term, beat; /* of the lease as last seen */
	int64_t beat_ms;    /* when that beat was first seen; monotonic, as the rest */
	int64_t trust_ms;   /* until then the lease is ours */
	int64_t next_ms;
	char *seen;	    /* who led when we last looked; NULL = nobody */
	bool led;	    /* what was logged last */
};

static const char SQL_HOLD[] =
	"SELECT held, term, beat, leader FROM jobfleet.hold_lease('" LEADER_LEASE "', $1,"
	" $2::int * interval '1 ms', clock_timestamp(), $3::bigint)";

static const char SQL_LEAVE[] =
	"SELECT jobfleet.leave_lease('" LEADER_LEASE "', $1, clock_timestamp())";

struct leader *leader_new(const char *node)
{
	struct leader *l = mem_zalloc(sizeof *l);
	char life[UUID_SIZE];

	uuid_v4(life);
	l->holder = mem_printf("%s %.8s", node, life);
	return l;
}

void leader_free(struct leader *l)
{
	if (!l)
		return;
	free(l->seen);
	free(l->holder);
	free(l);
}

bool leader_leads(const struct leader *l)
{
	return clock_mono_ms() < l->trust_ms;
}

int64_t leader_term(const struct leader *l)
{
	return l->term;
}

const char *leader_holder(const struct leader *l)
{
	return l->holder;
}

int leader_next_ms(const struct leader *l)
{
	int64_t rest = l->next_ms - clock_mono_ms();

	return rest > 0 ? (int)rest : 0;
}

static void tell(struct leader *l)
{
	bool leads = leader_leads(l);

	if (leads && !l->led)
		log_info("leads from now on term=%lld", (long long)l->term);
	else if (!leads && l->led)
		log_warn("leads no more term=%lld leader=\"%s\"", (long long)l->term,
			    l->seen ? l->seen : "");
	l->led = leads;
}

static void learn(struct leader *l, const struct pg_rows *rows, int64_t asked_ms)
{
	bool held = pg_bool(rows, 0, 0);
	int64_t beat = pg_int(rows, 0, 2);

	l->term = pg_int(rows, 0, 1);
	if (beat != l->beat) {
		l->beat = beat;
		l->beat_ms = clock_mono_ms();
	}
	l->trust_ms = held ? asked_ms + LEADER_LEASE_MS : 0;
	l->next_ms = asked_ms + (held ? LEADER_RENEW_MS : LEADER_LOOK_MS);
	mem_replace(&l->seen, mem_strdup(pg_cell(rows, 0, 3)));
}

int leader_turn(struct leader *l, struct peers *peers, struct err *e)
{
	int64_t asked_ms = clock_mono_ms(), n;
	struct pg_rows *rows = NULL;
	struct pg *pg;
	bool stands;

	tell(l);
	if (asked_ms < l->next_ms)
		return 0;
	l->next_ms = asked_ms + LEADER_LOOK_MS;
	pg = peers_database(peers);
	if (!pg)
		return 0;
	asked_ms = clock_mono_ms();	/* opening the connection may have taken its time */
	stands = l->beat && asked_ms - l->beat_ms >= LEADER_LEASE_MS;
	n = pg_run(pg, SQL_HOLD,
		   PG_PARAMS(PG_TEXT(l->holder), PG_INT(LEADER_LEASE_MS),
			     stands ? PG_INT(l->beat) : PG_NULL),
		   &rows, e);
	if (n > 0)
		learn(l, rows, asked_ms);
	pg_rows_free(rows);
	tell(l);
	return n < 0 ? (int)n : 0;
}

int leader_leave(struct leader *l, struct peers *peers, struct err *e)
{
	struct pg *pg = leader_leads(l) ? peers_database(peers) : NULL;
	int64_t n;

	l->trust_ms = 0;
	n = pg ? pg_run(pg, SQL_LEAVE, PG_PARAMS(PG_TEXT(l->holder)), NULL, e) : 0;
	return n < 0 ? (int)n : 0;
}
