/* SPDX-License-Identifier: MIT */
#include "workers/ctl/ctl.h"

#include <stdarg.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/near.h"
#include "common/broker/door.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/ctl/pidbox.h"
#include "workers/ctl/table.h"

int ctl_sub(struct ctl *c, const char *name, const char *usage, const struct ctl_command *commands,
	    size_t n, int argc, char **argv, struct err *e)
{
	struct near near;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("usage: %s\n\nCommands:\n", usage);
		for (size_t i = 0; i < n; i++)
			printf("  %-10s %s\n", commands[i].name, commands[i].about);
		printf("\njobfleet %s COMMAND --help tells more.\n", name);
		return CTL_OK;
	}
	for (size_t i = 0; argc > 1 && i < n; i++) {
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(c, argc - 1, argv + 1, e);
	}
	if (argc < 2)
		return err_set(e, ERR_USAGE, "usage: %s", usage);
	near_init(&near, argv[1]);
	for (size_t i = 0; i < n; i++)
		near_offer(&near, commands[i].name);
	if (near.word)
		return err_set(e, ERR_USAGE, "no command %s %.40s; did you mean %s %s?", name,
			       argv[1], name, near.word);
	return err_set(e, ERR_USAGE, "no command %s %.40s; usage: %s", name, argv[1], usage);
}

int ctl_conf(struct ctl *c, const struct conf **ret, struct err *e)
{
	int r = c->conf ? 0 : conf_load(&c->conf, c->config, e);

	if (r < 0)
		return r;
	*ret = c->conf;
	return 0;
}

int ctl_pg(struct ctl *c, struct pg **ret, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && c->pg && !pg_is_alive(c->pg)) {
		pg_close(c->pg);
		c->pg = NULL;
	}
	if (r == 0 && !c->pg)
		r = pg_open(&c->pg, conf->fleet.database_url, "jobfleet", CTL_CONNECT_MS, e);
	if (r == 0)
		*ret = c->pg;
	return r;
}

int ctl_redis(struct ctl *c, struct redis **ret, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && c->redis && !redis_is_alive(c->redis)) {
		redis_close(c->redis);
		c->redis = NULL;
	}
	if (r == 0 && !c->redis)
		r = redis_open(&c->redis, conf->fleet.redis_url, CTL_CONNECT_MS, e);
	if (r == 0)
		*ret = c->redis;
	return r;
}

int ctl_publisher(struct ctl *c, struct publisher **ret, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && c->publisher && !publisher_is_alive(c->publisher)) {
		publisher_close(c->publisher);
		c->publisher = NULL;
	}
	if (r == 0 && !c->publisher)
		r = publisher_open(&c->publisher, conf->fleet.broker_url, "jobfleet", 0,
				   CTL_CONNECT_MS, e);
	if (r == 0)
		*ret = c->publisher;
	return r;
}

int ctl_door(struct ctl *c, struct door **ret, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && !c->door)
		c->door = door_new(conf, "jobfleet");
	if (r == 0)
		*ret = c->door;
	return r;
}

int ctl_pidbox(struct ctl *c, struct pidbox **ret, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && !c->pidbox)
		r = pidbox_open(&c->pidbox, conf->fleet.broker_url, CTL_CONNECT_MS, e);
	if (r == 0)
		*ret = c->pidbox;
	return r;
}

void ctl_release(struct ctl *c)
{
	pidbox_close(c->pidbox);
	door_free(c->door);
	publisher_close(c->publisher);
	redis_close(c->redis);
	pg_close(c->pg);
	conf_close(c->conf);
}

int ctl_exit_code(const struct err *e)
{
	if (err_is_transient(e->code))
		return CTL_AGAIN;
	switch (e->code) {
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return CTL_FAILED;
	case ERR_INTERNAL:
		return CTL_BUG;
	default:
		return CTL_USAGE;
	}
}

int ctl_query(struct ctl *c, const char *sql, const struct pg_param *params, size_t n,
	      struct pg_rows **ret, struct err *e)
{
	struct pg *p = NULL;
	int64_t r = ctl_pg(c, &p, e);

	if (r == 0)
		r = pg_run(p, sql, params, n, ret, e);
	return r < 0 ? (int)r : 0;
}

int ctl_query_table(struct ctl *c, const char *sql, const struct pg_param *params, size_t n,
		    const struct table_column *columns, size_t ncolumns, struct table **ret,
		    struct err *e)
{
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, sql, params, n, &rows, e);

	if (r < 0)
		return r;
	*ret = table_new(columns, ncolumns);
	table_put_rows(*ret, rows);
	pg_rows_free(rows);
	return 0;
}

int ctl_show(struct ctl *c, struct table *t, const char *empty)
{
	if (c->json)
		table_print_json(t, stdout);
	else
		table_print(t, empty, stdout);
	table_free(t);
	return CTL_OK;
}

void ctl_note(const struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
