/* SPDX-License-Identifier: MIT */
/* What needs no question to PostgreSQL. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/dispatcher/signal_private.h"

enum { ASK_MS = 500, FILES_MAX = 100000 };

static void host_name(char out[256])
{
	out[0] = '\0';
	gethostname(out, 255);
	out[255] = '\0';
}

static void look_away(struct signals *s)
{
	static const enum peer OF[] = { PEER_DATABASE, PEER_BROKER, PEER_REDIS };
	const char *const *names = measure_services();
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < COUNT(OF); i++) {
		int64_t since = s->away_ms[OF[i]];

		signal_put(s, MEASURE_AWAY, names[i], since ? (double)(now - since) / 1000 : 0);
	}
}

static const char SQL_SERVED[] =
	"SELECT DISTINCT unnest(queues) FROM jobfleet.workers WHERE seen_at > now() - interval '1 day'";

static bool is_among(const struct pg_rows *rows, const char *queue)
{
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		if (strcmp(pg_text(rows, i, 0), queue) == 0)
			return true;
	return false;
}

/* 0 = go on; negative: RabbitMQ does not answer. */
static int count_consumers(struct signals *s, struct publisher *p, const char *queue,
			   const struct pg_rows *served)
{
	int64_t ready = 0, consumers = 0;
	struct err e = { 0 };

	if (publisher_queue_depth(p, queue, &ready, &consumers, ASK_MS, &e) < 0)
		return e.code == ERR_NOT_FOUND ? 0 : -(int)e.code;
	if (consumers > 0 || ready > 0 || is_among(served, queue))
		signal_put(s, MEASURE_CONSUMERS, queue, (double)consumers);
	return 0;
}

/* A queue that is empty and that nobody has served for a day is not in use. The first one that does
 * not answer in time costs the rest their values, not the dispatcher its time. */
static void look_consumers(struct signals *s, const struct conf *conf, struct peers *peers)
{
	struct pg *pg = peers_database(peers);
	struct pg_rows *served = NULL;

	if (!pg || pg_run(pg, SQL_SERVED, NULL, 0, &served, NULL) < 0)
		return;
	for (size_t i = 0; i < conf->nqueues; i++) {
		struct publisher *p = peers_mailbox(peers);

		if (!p || count_consumers(s, p, conf->queues[i].name, served) < 0)
			break;
	}
	pg_rows_free(served);
}

static void look_files(struct signals *s, const struct conf *conf)
{
	char *path = mem_printf("%s/raw_collections/waiting", conf->fleet.data_dir), host[256];
	DIR *d = opendir(path);
	const struct dirent *entry;
	int n = 0;

	while (d && n < FILES_MAX && (entry = readdir(d)))
		n += entry->d_name[0] != '.';
	if (d)
		closedir(d);
	free(path);
	host_name(host);
	signal_put(s, MEASURE_RAW_FILES, host, n);
}

/* As df has it: what is reserved for root is no room. */
static void look_disk(struct signals *s, const struct conf *conf)
{
	struct statvfs v;
	char host[256];
	double used;

	if (statvfs(conf->fleet.data_dir, &v) < 0 && statvfs(".", &v) < 0)
		return;
	used = (double)(v.f_blocks - v.f_bfree);
	host_name(host);
	if (used + (double)v.f_bavail > 0)
		signal_put(s, MEASURE_DISK_USED, host, 100 * used / (used + (double)v.f_bavail));
}

void signal_look(struct signals *s, enum measure_id id, const struct conf *conf,
		 struct peers *peers)
{
	switch (id) {
	case MEASURE_AWAY:
		look_away(s);
		break;
	case MEASURE_CONSUMERS:
		look_consumers(s, conf, peers);
		break;
	case MEASURE_RAW_FILES:
		look_files(s, conf);
		break;
	case MEASURE_DISK_USED:
		look_disk(s, conf);
		break;
	default:
		break;
	}
}
