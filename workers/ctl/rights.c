/* SPDX-License-Identifier: MIT */
#include "workers/ctl/rights.h"

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/net/url.h"

/* Beside the work queues: the mailbox of dead letters, events and remote control with its answers
 * (celery-wire: NODE.celery.pidbox, ID.reply.celery.pidbox). */
#define OTHERS "failed_operations|celeryev|(.*\\.)?(reply\\.)?celery\\.pidbox"
#define DEFAULT_EXCHANGE "|amq\\.default"

/* What our scripts and calls use; nothing that is dangerous or an administrator's, but ROLE, which
 * failover asks. */
static const char COMMANDS[] =
	"-@all +@connection -client +@pubsub +@scripting -script +get +mget +set +setex +del +unlink +exists "
	"+expire +pexpire +ttl +pttl +type +strlen +getrange +incrby +scan +time +role +hget +hgetall "
	"+hincrby +hlen +hset +hsetnx +hmget +llen +lrange +ltrim +rpush +zadd +zcard +zrange "
	"+zrangebyscore +zrem +zremrangebyrank +zremrangebyscore +zscore";

static void put_pattern(struct buf *out, const struct conf *conf, const char *more)
{
	buf_puts(out, " '^(");
	for (size_t i = 0; i < conf->nqueues; i++) {
		for (const char *p = conf->queues[i].name; *p; p++) {
			if (*p == '.')
				buf_putc(out, '\\');
			buf_putc(out, *p);
		}
		buf_putc(out, '|');
	}
	buf_printf(out, OTHERS "%s)$'", more);
}

static void put_rabbitmq(struct buf *out, const struct conf *conf)
{
	struct url url;
	bool known = url_parse(&url, conf->fleet.broker_url, NULL) == 0;
	const char *vhost = known && url.path && *url.path ? url.path : "/";

	buf_puts(out, "# RabbitMQ: declares, writes and reads what queues.conf names, and no more\n"
		 "printf '%s\\n' \"$JOBFLEET_PASSWORD\" | $RABBITMQCTL add_user \"$JOBFLEET_USER\"\n"
		 "$RABBITMQCTL set_permissions -p '");
	for (const char *p = vhost; *p; p++)
		buf_puts(out, *p == '\'' ? "'\\''" : (char[2]){ *p, '\0' });
	buf_puts(out, "' \"$JOBFLEET_USER\" \\\n\t");
	put_pattern(out, conf, "");
	buf_puts(out, " \\\n\t");
	put_pattern(out, conf, DEFAULT_EXCHANGE);
	buf_puts(out, " \\\n\t");
	put_pattern(out, conf, "");
	buf_puts(out, "\n\n");
	if (known)
		url_release(&url);
}

static void put_redis(struct buf *out, const struct conf *conf)
{
	buf_puts(
		out,
		"# Redis: its own keys, Celery's results and joins, the caches that callers know\n"
		"printf 'ACL SETUSER %s reset on >%s %s\\n' \"$JOBFLEET_USER\" \"$JOBFLEET_PASSWORD\" \\\n");
	buf_printf(out, "\t'~%s* ~celery-task-meta-* ~celery-taskset-meta-* ~salary_data:* "
		   "~market_data:* &%s* &celery-task-meta-* %s' \\\n\t| $REDIS_CLI\n\n",
		   conf->fleet.redis_prefix, conf->fleet.redis_prefix, COMMANDS);
}

void rights_script(const struct conf *conf, struct buf *out)
{
	buf_puts(out, "#!/bin/sh\n"
		 "# The fleet's accounts with the least rights that work, made by `jobfleet config rights`.\n"
		 "# Run it as administrator of the three, after `jobfleet migrate`; the commands that reach\n"
		 "# them stand in RABBITMQCTL, REDIS_CLI and PSQL.\n"
		 "set -eu\n"
		 ": \"${JOBFLEET_PASSWORD:?the password of the new accounts, without blanks}\"\n"
		 "export JOBFLEET_PASSWORD JOBFLEET_USER=\"${JOBFLEET_USER:-jobfleet_fleet}\"\n"
		 "RABBITMQCTL=${RABBITMQCTL:-rabbitmqctl}\n"
		 "REDIS_CLI=${REDIS_CLI:-redis-cli}\n"
		 "PSQL=${PSQL:-psql -d jobfleet}\n\n");
	put_rabbitmq(out, conf);
	put_redis(out, conf);
	buf_puts(
		out,
		"# PostgreSQL: workers and dispatchers; a host that runs only one needs only its group\n"
		"$PSQL -X -q -v ON_ERROR_STOP=1 <<'END'\n"
		"\\getenv user JOBFLEET_USER\n"
		"\\getenv password JOBFLEET_PASSWORD\n"
		"CREATE ROLE :\"user\" LOGIN PASSWORD :'password'\n"
		"\tIN ROLE jobfleet_worker, jobfleet_dispatcher;\n"
		"END\n");
}
