/* SPDX-License-Identifier: MIT */
/* What only the broker's own node tells: its consumer timeout and policies. rabbitmqctl speaks to
 * the node of its host, which need not be the broker that we use: what it says counts only if that
 * node listens on our broker's port. */
#include <ctype.h>
#include <sys/wait.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/net/url.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"

#define AREA "rabbitmq"
#define POLICY "jobfleet-dead-letters"

enum { ANSWER_MAX = 8192, AMQP_PORT = 5672, AMQPS_PORT = 5671 };

/* The vhost as Erlang bytes, so that no name needs quoting. */
static char *expression(const char *vhost)
{
	struct buf b;

	buf_init(&b, 4 * ANSWER_MAX);
	buf_puts(&b, "V = <<");
	for (size_t i = 0; vhost[i]; i++)
		buf_printf(&b, "%s%d", i ? "," : "", (unsigned char)vhost[i]);
	buf_puts(&b, ">>, T = case application:get_env(rabbit, consumer_timeout) of {ok, X} -> X;"
		 " _ -> none end, lists:flatten(io_lib:format("
		 "\"timeout=~w ports=~w policies=~p\","
		 " [T, [element(6, L) || L <- rabbit_networking:active_listeners()],"
		 " [binary_to_list(proplists:get_value(name, P)) || P <- rabbit_policy:list(V)]]))."
	);
	return buf_take(&b);
}

/* 0 = answered. The command is the operator's own words, given to the shell. */
static int run(const char *command, const char *expr, char *answer, size_t size)
{
	char *line = mem_printf("timeout 30 %s eval '%s' 2>&1", command, expr);
	FILE *from = popen(line, "re");
	size_t n;
	int status;

	free(line);
	if (!from)
		return -1;
	n = fread(answer, 1, size - 1, from);
	answer[n] = '\0';
	status = pclose(from);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static bool has_port(const char *answer, int port)
{
	const char *at = strstr(answer, "ports=["), *end = at ? strchr(at, ']') : NULL;
	char want[16];
	size_t n = (size_t)snprintf(want, sizeof want, "%d", port);

	for (at = at ? at + strlen("ports=[") : NULL; at && end && at < end; at++) {
		if (strncmp(at, want, n) == 0 && !isdigit((unsigned char)at[n]) &&
		    !isdigit((unsigned char)at[-1]))
			return true;
	}
	return false;
}

static void check_timeout(struct checkup *k, const struct conf *conf, const char *answer)
{
	const char *at = strstr(answer, "timeout=");
	char digits[24] = "";
	int64_t ours = conf->fleet.consumer_timeout_ms, theirs = 0;

	if (at)
		snprintf(digits, sizeof digits, "%.*s", (int)strspn(at + 8, "0123456789"), at + 8);
	if (!*digits || scan_int64(digits, 1, INT64_MAX, &theirs, NULL) < 0)
		checkup_add(k, AREA, "consumer timeout", CHECKUP_OK, NULL, "the broker has none");
	else if (ours > theirs)
		checkup_add(k, AREA, "consumer timeout", CHECKUP_FAIL,
			    "Set broker_consumer_timeout in queues.conf to the broker's: longer"
			    " tasks lose their channel before they are claimed.",
			    "the broker's is %lld s, broker_consumer_timeout %lld s",
			    (long long)theirs / 1000, (long long)ours / 1000);
	else
		checkup_add(k, AREA, "consumer timeout", CHECKUP_OK, NULL,
			    "the broker's is %lld s, broker_consumer_timeout %lld s",
			    (long long)theirs / 1000, (long long)ours / 1000);
}

static void check_policy(struct checkup *k, const char *answer)
{
	const char *at = strstr(answer, "policies=");

	if (at && strstr(at, POLICY))
		checkup_add(k, AREA, "policy", CHECKUP_OK, NULL, POLICY " is set");
	else
		checkup_add(k, AREA, "policy", CHECKUP_WARN,
			    "Without it, what our queues expire or reject is gone instead of"
			    " standing in the dead letters.", POLICY " is not set");
}

static void not_checked(struct checkup *k, const char *why)
{
	static const char advice[] = "On the broker's host, as root: jobfleet doctor"
				     " (or --rabbitmqctl=COMMAND)";

	checkup_add(k, AREA, "consumer timeout", CHECKUP_UNKNOWN, advice, "%s", why);
	checkup_add(k, AREA, "policy", CHECKUP_UNKNOWN, advice, "%s", why);
}

static bool is_here(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

static void ask(struct checkup *k, const struct conf *conf, const struct url *u,
		const char *command)
{
	bool tls = strcmp(u->scheme, "amqps") == 0;
	int port = u->hosts[0].port ? u->hosts[0].port : tls ? AMQPS_PORT : AMQP_PORT;
	char *expr = expression(u->path && *u->path ? u->path : "/"), answer[ANSWER_MAX];
	char why[160];

	if (run(command, expr, answer, sizeof answer) < 0) {
		snprintf(why, sizeof why, "rabbitmqctl: %.*s",
			 (int)strcspn(answer, "\n"), *answer ? answer : "no answer");
		not_checked(k, why);
	} else if (!has_port(answer, port)) {
		snprintf(why, sizeof why, "rabbitmqctl speaks to another broker: nothing listens"
			 " on port %d there", port);
		not_checked(k, why);
	} else {
		check_timeout(k, conf, answer);
		check_policy(k, answer);
	}
	free(expr);
}

void doctor_rabbitmqctl(struct checkup *k, struct ctl *c, const char *command)
{
	struct url u;

	if (command && !*command) {
		not_checked(k, "rabbitmqctl was not asked");
		return;
	}
	if (url_parse(&u, c->conf->fleet.broker_url, NULL) < 0)
		return;
	if (!command && u.nhosts > 0 && !is_here(u.hosts[0].host))
		not_checked(k, "the broker is on another host");
	else if (u.nhosts > 0)
		ask(k, c->conf, &u, command ? command : "rabbitmqctl");
	url_release(&u);
}
