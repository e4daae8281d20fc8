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
#include "common/broker/policy.h"
#include "common/net/url.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"

#define AREA "rabbitmq"

enum { ANSWER_MAX = 8192, EXPRESSION_MAX = 1 << 20, AMQP_PORT = 5672, AMQPS_PORT = 5671 };

/* Names as Erlang bytes, so that none needs quoting. */
static void put_binary(struct buf *b, const char *text)
{
	buf_puts(b, "<<");
	for (size_t i = 0; text[i]; i++)
		buf_printf(b, "%s%d", i ? "," : "", (unsigned char)text[i]);
	buf_puts(b, ">>");
}

/* The broker's timeout, its ports, and those of our queues whose dead letters go nowhere. */
static char *expression(const struct conf *conf, const char *vhost)
{
	struct buf b;

	buf_init(&b, EXPRESSION_MAX);
	buf_puts(&b, "V = ");
	put_binary(&b, vhost);
	buf_puts(&b, ", Q = [");
	for (size_t i = 0; i < conf->nqueues; i++) {
		buf_puts(&b, i ? "," : "");
		put_binary(&b, conf->queues[i].name);
	}
	buf_puts(&b, "], T = case application:get_env(rabbit, consumer_timeout) of {ok, X} -> X;"
		 " _ -> none end, U = [binary_to_list(N) || N <- Q, case"
		 " rabbit_amqqueue:lookup(rabbit_misc:r(V, queue, N)) of {ok, A} ->"
		 " rabbit_policy:get(<<\"dead-letter-routing-key\">>, A) =:= undefined;"
		 " _ -> false end], lists:flatten(io_lib:format("
		 "\"timeout=~w ports=~w uncovered=~s.\","
		 " [T, [element(6, L) || L <- rabbit_networking:active_listeners()],"
		 " lists:flatten(lists:join(\", \", U))])).");
	return buf_take(&b);
}

/* 0 = answered. The command is the operator's own words, given to the shell. */
static int run(const char *command, const char *words, char *answer, size_t size)
{
	char *line = mem_printf("timeout 30 %s %s 2>&1", command, words);
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

/* What `rabbitmqctl` is told, without that word. */
static char *policy_words(const struct conf *conf)
{
	struct buf b;
	char *words;

	buf_init(&b, EXPRESSION_MAX);
	policy_command(conf, &b);
	words = mem_strdup(strchr(buf_text(&b), ' '));
	buf_release(&b);
	return words;
}

static void check_policy(struct checkup *k, const struct conf *conf, const char *answer)
{
	const char *at = strstr(answer, "uncovered=");
	char *words = policy_words(conf), *advice;
	int n;

	at = at ? at + strlen("uncovered=") : "";
	n = (int)strcspn(at, "\"\n");
	n -= n > 0;		/* the full stop */
	advice = mem_printf("What these expire or reject is gone instead of standing in the dead"
			    " letters. jobfleet doctor --set-policy, or rabbitmqctl%s", words);
	if (n > 0)
		checkup_add(k, AREA, "policy", CHECKUP_WARN, advice,
			    "no dead-letter policy on %.*s", n, at);
	else
		checkup_add(k, AREA, "policy", CHECKUP_OK, NULL,
			    "every queue that is there dead-letters into failed_operations");
	free(advice);
	free(words);
}

static void set_policy(struct checkup *k, const struct conf *conf, const char *command)
{
	char *words = policy_words(conf), answer[ANSWER_MAX];

	if (run(command, words, answer, sizeof answer) < 0)
		checkup_add(k, AREA, "policy set", CHECKUP_FAIL, NULL, "%.*s",
			    (int)strcspn(answer, "\n"), *answer ? answer : "no answer");
	else
		checkup_add(k, AREA, "policy set", CHECKUP_OK, NULL, "%s", POLICY_NAME);
	free(words);
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
		const char *command, bool set)
{
	bool tls = strcmp(u->scheme, "amqps") == 0;
	int port = u->hosts[0].port ? u->hosts[0].port : tls ? AMQPS_PORT : AMQP_PORT;
	char *expr = expression(conf, u->path && *u->path ? u->path : "/");
	char *words = mem_printf("eval '%s'", expr), answer[ANSWER_MAX], why[160];
	int r = run(command, words, answer, sizeof answer);

	if (r == 0 && set && has_port(answer, port)) {
		set_policy(k, conf, command);
		r = run(command, words, answer, sizeof answer);
	}
	if (r < 0) {
		snprintf(why, sizeof why, "rabbitmqctl: %.*s", (int)strcspn(answer, "\n"),
			 *answer ? answer : "no answer");
		not_checked(k, why);
	} else if (!has_port(answer, port)) {
		snprintf(why, sizeof why, "rabbitmqctl speaks to another broker: nothing listens"
			 " on port %d there", port);
		not_checked(k, why);
	} else {
		check_timeout(k, conf, answer);
		check_policy(k, conf, answer);
	}
	free(expr);
	free(words);
}

void doctor_rabbitmqctl(struct checkup *k, struct ctl *c, const char *command, bool set)
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
		ask(k, c->conf, &u, command ? command : "rabbitmqctl", set);
	url_release(&u);
}
