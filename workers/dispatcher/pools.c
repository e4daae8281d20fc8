/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/pools.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/props.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "common/worker/slot.h"

#define TELL_MS 2000
#define PROPS_MAX (1 << 17)
#define EXCHANGE "celery.pidbox"

static const char SQL_NODES[] =
	"SELECT node, host, concurrency, active, coalesce(info #>> '{bounds,0}', concurrency::text),"
	" coalesce(info #>> '{bounds,1}', concurrency::text), info ->> 'run_us',"
	" (extract(epoch FROM clock_timestamp() - seen_at) * 1000)::bigint"
	" FROM jobfleet.workers WHERE program = $1 AND state IN ('starting', 'running')"
	" AND seen_at > clock_timestamp() - 3 * $2::int * interval '1 s' ORDER BY node";

/* "salary@host" or "salary:2@host", as jobfleet-worker@.service calls them. */
static bool is_instance(const char *node, const char *program, const char *host)
{
	size_t n = strlen(program);
	const char *at = node + n;

	if (strncmp(node, program, n) != 0)
		return false;
	if (*at == ':')
		for (at++; isdigit((unsigned char)*at); at++)
			;
	return *at == '@' && strcmp(at + 1, host) == 0;
}

static void read_node(const struct pg_rows *rows, size_t row, const char *program,
		      const char *host, struct pool_node *n)
{
	n->name = mem_strdup(pg_text(rows, row, 0));
	n->here = strcmp(pg_text(rows, row, 1), host) == 0 && is_instance(n->name, program, host);
	n->children = (int)pg_int(rows, row, 2);
	n->active = (int)pg_int(rows, row, 3);
	n->least = (int)pg_int(rows, row, 4);
	n->most = (int)pg_int(rows, row, 5);
	n->run_us = mem_strdup(pg_cell(rows, row, 6));
}

int pools_read(struct pg *pg, const struct conf *conf, const char *program, struct pools *ret,
	       struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pools p = { 0 };
	char host[256] = "";
	int64_t n = pg_run(pg, SQL_NODES,
			   PG_PARAMS(PG_TEXT(program), PG_INT(conf->fleet.heartbeat_s)), &rows, e);

	if (n < 0)
		return (int)n;
	gethostname(host, sizeof host - 1);
	p.n = (size_t)n;
	p.nodes = mem_zalloc((p.n + 1) * sizeof *p.nodes);
	for (size_t i = 0; i < p.n; i++) {
		read_node(rows, i, program, host, &p.nodes[i]);
		p.active += p.nodes[i].active;
		p.most += p.nodes[i].most;
		p.age_ms = pg_int(rows, i, 7) > p.age_ms ? pg_int(rows, i, 7) : p.age_ms;
	}
	pg_rows_free(rows);
	*ret = p;
	return 0;
}

void pools_release(struct pools *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->nodes[i].name);
		free(p->nodes[i].run_us);
	}
	free(p->nodes);
	*p = (struct pools){ 0 };
}

double pools_run_ms(const struct pools *p, const char *queue)
{
	double sum = 0;
	int known = 0;

	for (size_t i = 0; i < p->n; i++) {
		const char *text = p->nodes[i].run_us;
		cJSON *o = NULL;
		double us = 0;

		if (text && json_parse(text, strlen(text), &o, NULL) == 0)
			us = json_num(o, queue, 0);
		cJSON_Delete(o);
		known += us > 0;
		sum += us;
	}
	return known ? sum / known / 1000 : 0;
}

/* ---- telling them ---- */

static char *print_request(const char *node, const char *method, cJSON *arguments)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "method", method);
	json_set(o, "arguments", arguments);
	json_set(o, "destination", cJSON_CreateStringArray(&node, 1));
	json_set_str(o, "pattern", NULL);
	json_set_str(o, "matcher", NULL);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

static int tell(struct publisher *p, const char *node, const char *method, cJSON *arguments,
		struct err *e)
{
	cJSON *headers = mem_check(cJSON_CreateObject());
	char *text = print_request(node, method, arguments);
	struct buf props;
	int r;

	json_set_num(headers, "clock", 1);
	json_set_num(headers, "expires", 0);
	buf_init(&props, PROPS_MAX);
	r = props_encode(&props, headers, e);
	if (r >= 0)
		r = publisher_send(p, EXCHANGE, "", props.data, props.len, text, strlen(text), 0,
				   TELL_MS, e);
	buf_release(&props);
	cJSON_Delete(headers);
	free(text);
	return r;
}

/* A pool that was started with a range refuses to grow and shrink, one of fixed size refuses a
 * range; which it is nobody can see when both bounds are alike. */
static int resize(struct publisher *p, const struct pool_node *n, int least, int most,
		  struct err *e)
{
	cJSON *bounds = mem_check(cJSON_CreateObject()), *by = mem_check(cJSON_CreateObject());
	bool was_fixed = n->least == n->most;
	int r;

	json_set_num(bounds, "max", most);
	json_set_num(bounds, "min", least);
	json_set_num(by, "n", abs(most - n->most));
	r = tell(p, n->name, "autoscale", bounds, e);
	if (r >= 0 && was_fixed && most != n->most)
		r = tell(p, n->name, most > n->most ? "pool_grow" : "pool_shrink", by, e);
	else
		cJSON_Delete(by);
	return r < 0 ? r : 0;
}

static int tell_all(struct publisher *p, const struct pools *pools, int children, int least,
		    struct err *e)
{
	int each = children / (int)pools->n, rest = children % (int)pools->n, r = 0;

	for (size_t i = 0; r == 0 && i < pools->n; i++) {
		int most = each + ((int)i < rest);

		most = most < 1 ? 1 : most > SLOT_MAX_CHILDREN ? SLOT_MAX_CHILDREN : most;
		if (most != pools->nodes[i].most)
			r = resize(p, &pools->nodes[i], least < most ? least : most, most, e);
	}
	return r;
}

int pools_scale(const struct pools *p, const struct conf *conf, int children, int least,
		struct err *e)
{
	struct publisher *publisher = NULL;
	int r;

	if (p->n == 0)
		return err_set(e, ERR_NOT_FOUND, "no worker runs whose children could be more");
	r = publisher_open(&publisher, conf->fleet.broker_url, "jobfleet scaling", 0, TELL_MS, e);
	if (r >= 0)
		r = tell_all(publisher, p, children, least, e);
	if (r >= 0 && publisher_wait(publisher, TELL_MS, e) > 0)
		r = err_set(e, ERR_TIMEOUT, "RabbitMQ does not take the request");
	publisher_close(publisher);
	return r < 0 ? r : 0;
}
