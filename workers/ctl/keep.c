/* SPDX-License-Identifier: MIT */
#include "workers/ctl/keep.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "workers/ctl/ctl.h"

void keep_init(struct keep *k, struct ctl *c)
{
	*k = (struct keep){ .ctl = c };
	operator_name(k->by);
}

static int connect_once(struct keep *k, struct err *e)
{
	const struct conf *conf;
	struct redis *redis;
	struct pg *pg;
	int r = ctl_conf(k->ctl, &conf, e);

	if (r < 0 || k->asked)
		return r;
	k->asked = true;
	k->in_pg = ctl_pg(k->ctl, &pg, &k->pg_why) == 0;
	k->in_redis = ctl_redis(k->ctl, &redis, &k->redis_why) == 0;
	return 0;
}

int keep_order(struct keep *k, struct order o, struct err *e)
{
	const char *prefix;
	int r = connect_once(k, e);

	if (r < 0)
		return r;
	prefix = k->ctl->conf->fleet.redis_prefix;
	o.by = k->by;
	o.at_ms = clock_wall_ms();
	if (k->in_pg)
		k->in_pg = orders_write(k->ctl->pg, NULL, prefix, &o, &k->pg_why) >= 0;
	if (k->pg_why.code == ERR_INVALID)
		return err_set(e, ERR_USAGE, "%s", k->pg_why.msg);
	if (k->in_redis)
		k->in_redis = orders_write(NULL, k->ctl->redis, prefix, &o, &k->redis_why) >= 0;
	if (k->redis_why.code == ERR_INVALID)
		return err_set(e, ERR_USAGE, "%s", k->redis_why.msg);
	return 0;
}

int keep_tell(const struct keep *k, const char *what)
{
	if (!k->in_pg)
		fprintf(stderr, "jobfleet: not kept in PostgreSQL: %s\n", k->pg_why.msg);
	if (!k->in_redis)
		fprintf(stderr, "jobfleet: not kept in Redis: %s\n", k->redis_why.msg);
	if (!k->in_pg && !k->in_redis)
		return CTL_AGAIN;
	if (!k->ctl->json)
		printf("%s kept in %s\n", what,
		       k->in_pg && k->in_redis ? "PostgreSQL and Redis" :
		       k->in_pg ? "PostgreSQL only" : "Redis only");
	return CTL_OK;
}

const char *keep_json(const struct keep *k)
{
	if (k->in_pg && k->in_redis)
		return "[\"postgresql\", \"redis\"]";
	return k->in_pg ? "[\"postgresql\"]" : k->in_redis ? "[\"redis\"]" : "[]";
}
