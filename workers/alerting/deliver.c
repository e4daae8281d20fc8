/* SPDX-License-Identifier: MIT */
#include "workers/alerting/deliver.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "workers/alerting/mail.h"
#include "workers/alerting/notice.h"
#include "workers/alerting/told.h"
#include "workers/alerting/webhook.h"

#define SECRET "JOBFLEET_ALERT_SECRET"

static bool cancelled(void *ctx)
{
	return run_cancelled(ctx);
}

/* What an env: address stands for. Its text is a secret: errors name the variable alone. */
static int resolve(const struct notice *n, const char **ret, enum address_kind *ret_kind,
		   struct err *e)
{
	const char *variable = n->address + strlen("env:");

	*ret = n->address;
	*ret_kind = n->to;
	if (n->to != ADDRESS_VARIABLE)
		return 0;
	*ret = conf_secret(variable);
	if (!*ret)
		return err_set(e, ERR_CONFIG, "%s is not set: neither environment nor credential",
			       variable);
	if (address_parse(*ret, ret_kind, NULL) < 0 || *ret_kind == ADDRESS_VARIABLE)
		return err_set(e, ERR_CONFIG, "%s holds no address such as https://host/path",
			       variable);
	return 0;
}

static int post(struct run *run, const char *url, const struct notice *n, struct err *e)
{
	struct http *http;
	int r = run_http(run, &http, e);

	return r < 0 ? r : webhook_post(http, url, n->to == ADDRESS_VARIABLE, n,
					conf_secret(SECRET), clock_wall_us() / 1000000, e);
}

static int send_it(struct run *run, const struct notice *n, struct err *e)
{
	enum address_kind kind;
	const char *address;
	int r = resolve(n, &address, &kind, e);

	if (r < 0)
		return r;
	if (kind == ADDRESS_WEBHOOK)
		return post(run, address, n, e);
	if (kind == ADDRESS_MAIL)
		return mail_send(run_conf(run), address + strlen("mailto:"), n,
				 clock_wall_us() / 1000000, cancelled, run, e);
	log_line(LOG_LEVEL_WARNING, "alert kind=%s alert=%s subject=\"%s\" level=%s message=\"%s\"",
		 n->kind, n->alert, n->subject, n->level, n->message);
	return 0;
}

static bool is_last_try(const struct run *run, const struct err *why)
{
	const struct conf_task *t = conf_task(run_conf(run), run_task(run));
	int most = t && t->max_retries >= 0 ? t->max_retries : DELIVER_RETRIES;

	return !err_is_transient(why->code) || run_retries(run) >= most;
}

static int fail(struct run *run, const struct notice *n, struct err *why, struct err *e)
{
	bool over = is_last_try(run, why);

	told_note(run, n->id, over ? "failed" : "waiting", why->msg);
	if (over) {
		log_error(
			"an alert could not be told alert=%s subject=\"%s\" to=\"%s\" reason=\"%s\"",
			n->alert, n->subject, n->address, why->msg);
		told_unreachable(run, n->address, why->msg);
	}
	if (e)
		*e = *why;
	return -(int)why->code;
}

int deliver_alert(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct err why = { 0 };
	struct notice n;
	bool before;
	int r = notice_read(json_get(args, "notice"), &n, e);

	if (r < 0)
		return r;
	before = told_already(run, n.id);
	if (!before && send_it(run, &n, &why) < 0)
		return fail(run, &n, &why, e);
	if (!before) {
		told_note(run, n.id, "sent", "");
		told_reachable(run, n.address);
	}
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "id", n.id);
	json_set_str(*ret_result, "status", before ? "already" : "sent");
	return 0;
}
