/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/spool.h"

#include <stdbool.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "common/broker/door.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/dispatcher/peers.h"

#define BATCH 512
#define REPLAY_MS 3000
#define LOOK_MS 60000 /* damaged files are no matter of seconds */

static void alert(struct peers *peers, const char *name, const char *text)
{
	struct pg *pg = peers_database(peers);
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	if (pg)
		pg_run(pg, "SELECT jobfleet.raise_alert($1, $2, 'ERROR', $3)",
		       PG_PARAMS(PG_TEXT(name), PG_TEXT(host), PG_TEXT(text)), NULL, NULL);
}

static void look_for_broken(struct spool_duty *d, const struct conf *conf, struct peers *peers)
{
	int64_t now = clock_mono_ms();
	char *text;
	int n;

	if (now < d->look_ms)
		return;
	d->look_ms = now + LOOK_MS;
	n = spool_broken(conf->fleet.data_dir);
	if (n == 0)
		return;
	text = mem_printf("%d damaged files in %s/spool were set aside (*.broken)", n,
			  conf->fleet.data_dir);
	log_warn("%s", text);
	alert(peers, "spool_broken", text);
	free(text);
}

static void warn(struct spool_duty *d, struct peers *peers, const struct err *why)
{
	int64_t now = clock_mono_ms();

	if (now < d->warn_ms)
		return;
	d->warn_ms = now + LOOK_MS;
	log_warn("spooled enqueues that no queue takes stay reason=\"%s\"", why->msg);
	alert(peers, "spool_unrouted", why->msg);
}

static bool broker_takes(struct peers *peers)
{
	struct publisher *p = peers_broker(peers);

	return p && publisher_is_alive(p) && !publisher_is_blocked(p);
}

void spool_release(struct spool_duty *d)
{
	door_free(d->door);
	d->door = NULL;
}

int spool_turn(struct spool_duty *d, const struct conf *conf, struct peers *peers, struct err *e)
{
	struct err why = { 0 };
	int n;

	look_for_broken(d, conf, peers);
	if (d->conf != conf || !spool_waits(conf->fleet.data_dir))
		spool_release(d);
	d->conf = conf;
	if (!spool_waits(conf->fleet.data_dir) || !broker_takes(peers))
		return 0;
	if (!d->door)
		d->door = door_new(conf, "jobfleet spool");
	n = door_replay(d->door, BATCH, REPLAY_MS, &why);
	if (n > 0)
		log_info("spooled enqueues are sent now n=%d", n);
	else if (n == 0 && why.code != ERR_NONE)
		warn(d, peers, &why);
	return n < 0 ? err_set(e, why.code, "%s", why.msg) : n == BATCH;
}
