/* SPDX-License-Identifier: MIT */
/* The commands that make a fleet ready: migrate, config. */
#include <limits.h>
#include <poll.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/broker/policy.h"
#include "common/market/watched.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/rights.h"
#include "workers/processing/endpoint.h"

enum { WAIT_MS = 30000, AGAIN_MS = 250, POLICY_MOST = 1 << 20 };

static void say(void *ctx, const char *line)
{
	const struct ctl *c = ctx;

	if (!c->quiet)
		printf("%s\n", line);
}

/* A server that is just starting is worth the wait: migrate runs first thing after it. */
static int connect_patiently(struct ctl *c, struct pg **ret, int64_t wait_ms, struct err *e)
{
	int64_t end = clock_mono_ms() + wait_ms;
	int r;

	while ((r = ctl_pg(c, ret, e)) < 0 && err_is_transient(e->code) && clock_mono_ms() < end)
		poll(NULL, 0, AGAIN_MS);
	return r;
}

/* Returns `applied`. The migrations make the roles too, where whoever migrates may; this is for an
 * administrator who comes later, and for a database that was restored without them. */
static int make_roles(struct ctl *c, struct pg *p, int applied, struct err *e)
{
	static const char SQL[] =
		"DO $$DECLARE name text; BEGIN FOREACH name IN ARRAY ARRAY['jobfleet_worker',"
		" 'jobfleet_dispatcher', 'jobfleet_enqueue', 'jobfleet_reader', 'jobfleet_viewer',"
		" 'jobfleet_operator', 'jobfleet_admin'] LOOP IF NOT EXISTS (SELECT FROM pg_roles WHERE"
		" rolname = name) THEN EXECUTE format('CREATE ROLE %I NOLOGIN', name); END IF; END LOOP;"
		" PERFORM jobfleet.grant_rights(); END$$";
	int r = pg_exec(p, SQL, e);

	if (r < 0)
		return err_prefix(e, "roles");
	say(c, "roles jobfleet_worker, _dispatcher, _enqueue, _reader, _viewer, _operator, _admin:"
	    " there, with their rights");
	return applied;
}

int migrate_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *dir = NULL, *wait = NULL;
	bool roles = false;
	const struct args_option options[] = {
		{ "dir", "DIR", "where the steps are (else $JOBFLEET_SQL_DIR, sql/)", &dir, NULL },
		{ "wait", "DURATION", "how long to wait for PostgreSQL; 30s", &wait, NULL },
		{ "roles", NULL, "make the group roles that are missing, and give all their rights again",
		  NULL, &roles },
		{ "quiet", NULL, "say nothing if all is well", NULL, &c->quiet },
		CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "migrate [OPTION...]",
		.about =
			"Applies the schema's steps that the database lacks. Safe to repeat, and"
			" to run from\n"
			"several places at once. Names each thing in which an adopted table"
			" differs.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	int64_t wait_ms = WAIT_MS;
	char found[PATH_MAX], **operands;
	struct pg *p = NULL;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (wait && scan_duration_ms(wait, &wait_ms, e) < 0)
		return err_prefix(e, "--wait");
	if (!dir) {
		r = migrate_find_dir(found, sizeof found, e);
		dir = found;
	}
	if (r == 0)
		r = connect_patiently(c, &p, wait_ms, e);
	if (r == 0)
		r = migrate_run(p, dir, say, c, e);
	if (r >= 0 && roles)
		r = make_roles(c, p, r, e);
	if (r < 0)
		return r;
	if (!c->quiet)
		printf("schema %d, %d applied\n", migrate_version(p, e), r);
	return CTL_OK;
}

static void print(const struct conf *conf, void (*put)(const struct conf *, struct buf *))
{
	struct buf out;

	buf_init(&out, POLICY_MOST);
	put(conf, &out);
	printf("%s\n", buf_text(&out));
	buf_release(&out);
}

/* An endpoint for embeddings that cannot be used is an error; one that is away is told. */
static int check_endpoint(const struct ctl *c, const struct conf *conf, struct err *e)
{
	struct err why = { 0 };
	int r = endpoint_is_set(conf) ? endpoint_check(conf, &why) : 0;

	if (r == -ERR_CONFIG || r == -ERR_REFUSED)
		return err_set(e, ERR_CONFIG, "fleet.embedding_url: %s", why.msg);
	if (r < 0)
		ctl_note(c, "fleet.embedding_url is not checked: %s", why.msg);
	return CTL_OK;
}

int config_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = {
		{ "quiet", NULL, "check: only what is wrong", NULL, &c->quiet },
		CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "config check|policy|rights [FILE] [--config=FILE]",
		.about =
			"check prints every setting with the place it came from, passwords masked;"
			" or every\n"
			"error of the file, and exit status 100. policy prints the command that"
			" makes RabbitMQ\n"
			"dead-letter what the queues of the file expire or reject; run it as root"
			" on its host:\n"
			"jobfleet config policy | sh\n"
			"rights prints a script that makes accounts with the least rights at all"
			" three services.\n"
			"\n"
			"Commands:\n"
			"  check      the settings, or what is wrong with them\n"
			"  policy     the broker's policy for dead letters\n"
			"  rights     accounts with the least rights",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 2,
	};
	const struct conf *conf;
	bool policy, rights;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	policy = strcmp(operands[0], "policy") == 0;
	rights = strcmp(operands[0], "rights") == 0;
	if (!policy && !rights && strcmp(operands[0], "check") != 0)
		return err_set(e, ERR_USAGE, "no command config %.40s; usage: jobfleet %s",
			       operands[0], args.usage);
	if (operands[1])
		c->config = operands[1];
	r = ctl_conf(c, &conf, e);
	if (r < 0)
		return r;
	if (policy || rights) {
		print(conf, policy ? policy_command : rights_script);
		return CTL_OK;
	}
	if (!c->quiet)
		conf_print(conf, stdout);
	r = watched_check(conf, e);
	return r < 0 ? r : check_endpoint(c, conf, e);
}
