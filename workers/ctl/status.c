/* SPDX-License-Identifier: MIT */
/* status: how every component of the fleet is, and why. */
#include "common/worker/health.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { JSON_MAX = 1 << 20 };
enum { STATUS_DEGRADED = 1, STATUS_FAILED = 2 };

static const struct table_column COLUMNS[] = {
	{ "component", NULL, TABLE_TEXT },
	{ "state", NULL, TABLE_TEXT },
	{ "last proof", NULL, TABLE_TEXT },
	{ "reason", NULL, TABLE_TEXT },
};

/* "12 s ago" */
static void put_proof(struct table *t, int64_t proof_us, int64_t now_us)
{
	int64_t s = (now_us - proof_us) / 1000000;
	char text[48];

	if (proof_us == 0) {
		table_put(t, NULL);
		return;
	}
	if (s < 120)
		snprintf(text, sizeof text, "%lld s ago", (long long)(s > 0 ? s : 0));
	else if (s < 7200)
		snprintf(text, sizeof text, "%lld min ago", (long long)(s / 60));
	else
		snprintf(text, sizeof text, "%lld h ago", (long long)(s / 3600));
	table_put(t, text);
}

static void print_table(const struct health_report *r)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));

	for (size_t i = 0; i < r->n; i++) {
		const struct component *c = &r->components[i];

		table_put(t, c->name);
		table_put(t, health_state_name(c->state));
		put_proof(t, c->proof_us, r->taken_us);
		table_put(t, c->reason);
	}
	table_print(t, "", stdout);
	table_free(t);
	printf("\n%s\n", health_state_name(health_worst(r)));
}

static void print_json(const struct health_report *r)
{
	struct buf b;

	buf_init(&b, JSON_MAX);
	health_put_json(r, &b);
	fputs(buf_text(&b), stdout);
	buf_release(&b);
}

int status_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "status [OPTION...]",
		.about =
			"Tells of each component its state (ok, degraded, failed, unknown), why, and"
			" when it last\n"
			"proved to work: the services, the programs, the sources and their quotas, this"
			" host, the\n"
			"data of the last 24 hours. Needs none of them to answer. The last line, and the"
			" exit status,\n"
			"is the worst: 0 ok, 1 degraded, 2 failed (a service or a program).",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	const struct conf *conf;
	struct health_report report;
	struct health *h;
	enum health_state worst;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if ((r = ctl_conf(c, &conf, e)) < 0)
		return r;
	h = health_new(conf, "jobfleet");
	health_look(h, &report);
	if (c->json)
		print_json(&report);
	else
		print_table(&report);
	worst = health_worst(&report);
	health_report_release(&report);
	health_free(h);
	return worst == HEALTH_FAILED ? STATUS_FAILED : worst == HEALTH_DEGRADED ? STATUS_DEGRADED :
	       CTL_OK;
}
