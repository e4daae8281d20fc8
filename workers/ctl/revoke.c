/* SPDX-License-Identifier: MIT */
/* revoke: tasks that must not run. Kept as data, so that it holds whatever restarts; told to the
 * running workers at once, so that those that run them can end them. */
#include <signal.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/keep.h"
#include "workers/ctl/pidbox.h"
#include "workers/ctl/remote.h"

struct revoke {
	char **ids;
	struct args_values stamps;	/* NAME=VALUE, instead of ids */
	bool terminate;
	char signal[32];
};

/* "SIGTERM", "term", "15" */
static int read_signal(const char *text, char *out, size_t size, struct err *e)
{
	int number = 0;

	if (scan_int(text, 1, NSIG - 1, &number, NULL) < 0) {
		const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;

		for (number = NSIG - 1; number > 0; number--) {
			const char *known = sigabbrev_np(number);

			if (known && strcasecmp(known, name) == 0)
				break;
		}
	}
	if (number <= 0 || !sigabbrev_np(number))
		return err_set(e, ERR_USAGE, "--signal: \"%.40s\" is no signal, such as SIGTERM",
			       text);
	snprintf(out, size, "SIG%s", sigabbrev_np(number));
	return 0;
}

static int check_stamps(const struct revoke *v, struct err *e)
{
	for (int i = 0; i < v->stamps.n; i++) {
		const char *text = v->stamps.texts[i], *equals = strchr(text, '=');

		if (!equals || equals == text || !equals[1])
			return err_set(e, ERR_USAGE, "--stamp must be NAME=VALUE");
	}
	return 0;
}

static int keep_stamp(struct keep *k, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	char *name = mem_strndup(text, (size_t)(equals - text));
	int r = keep_order(k, (struct order){ .kind = ORDER_REVOKE_STAMP, .name = name,
					      .value = equals + 1, .reason = "", .on = true }, e);

	free(name);
	return r;
}

static int keep_all(struct keep *k, const struct revoke *v, struct err *e)
{
	int r = 0;

	for (int i = 0; i < v->stamps.n && r == 0; i++)
		r = keep_stamp(k, v->stamps.texts[i], e);
	for (char **id = v->ids; *id && r == 0; id++)
		r = keep_order(k, (struct order){ .kind = ORDER_REVOKE_ID, .name = "", .value = *id,
						  .reason = "", .on = true }, e);
	return r;
}

static cJSON *id_list(const struct revoke *v)
{
	cJSON *list = mem_check(cJSON_CreateArray());

	for (char **id = v->ids; *id; id++)
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(*id)));
	return list;
}

/* {NAME: [VALUE, ...]} */
static cJSON *stamp_object(const struct revoke *v)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *list;

	for (int i = 0; i < v->stamps.n; i++) {
		const char *text = v->stamps.texts[i], *equals = strchr(text, '=');
		char *name = mem_strndup(text, (size_t)(equals - text));

		list = cJSON_GetObjectItemCaseSensitive(o, name);
		if (!list) {
			list = mem_check(cJSON_CreateArray());
			json_set(o, name, list);
		}
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(equals + 1)));
		free(name);
	}
	return o;
}

static int tell_nodes(struct ctl *c, const struct remote *remote, const struct revoke *v,
		      struct pidbox_replies *ret, struct err *e)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;
	int r;

	if (v->stamps.n > 0)
		json_set(o, "headers", stamp_object(v));
	else
		json_set(o, "task_id", id_list(v));
	json_set_bool(o, "terminate", v->terminate);
	json_set_str(o, "signal", v->signal);
	text = json_print(o);
	r = remote_ask(c, remote, v->stamps.n > 0 ? "revoke_by_stamped_headers" : "revoke", text,
		       ret, e);
	free(text);
	cJSON_Delete(o);
	return r;
}

/* Those for which it comes too late. */
static void note_ended(struct ctl *c, const struct revoke *v)
{
	for (char **id = v->ids; *id; id++) {
		struct pg_rows *rows = NULL;

		if (!c->pg || !pg_is_alive(c->pg))
			return;
		if (pg_run(c->pg, "SELECT outcome FROM jobfleet.ledger WHERE task_id = $1 AND final"
				  " ORDER BY generation DESC LIMIT 1",
			   PG_PARAMS(PG_TEXT(*id)), &rows, NULL) > 0)
			ctl_note(c, "%s had ended already: %s", *id, pg_text(rows, 0, 0));
		pg_rows_free(rows);
	}
}

static void print_json(const struct revoke *v, const struct keep *k,
		       const struct pidbox_replies *replies)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *nodes = remote_json(replies), *text;

	if (v->stamps.n > 0)
		json_set(o, "stamps", stamp_object(v));
	else
		json_set(o, "task_ids", id_list(v));
	json_set_raw(o, "kept", keep_json(k));
	json_set_bool(o, "terminate", v->terminate);
	json_set_raw(o, "nodes", nodes);
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	free(nodes);
	cJSON_Delete(o);
}

static int carry_out(struct ctl *c, const struct revoke *v, const struct remote *remote,
		     struct err *e)
{
	struct pidbox_replies replies = { 0 };
	struct err why = { 0 };
	struct keep k;
	int r, told, code;

	keep_init(&k, c);
	r = keep_all(&k, v, e);
	if (r < 0)
		return r;
	code = keep_tell(&k, !v->ids[0] || !v->ids[1] ? "revoked:" : "all revoked:");
	told = tell_nodes(c, remote, v, &replies, &why);
	if (c->json)
		print_json(v, &k, &replies);
	else if (replies.n > 0)
		remote_print(c, remote, &replies);
	if (told < 0)
		fprintf(stderr, "jobfleet: running workers were not told: %s\n", why.msg);
	else if (replies.n == 0)
		ctl_note(c, "no node answered");
	note_ended(c, v);
	if (code == CTL_OK && v->terminate && replies.n == 0)
		code = told < 0 ? ctl_exit_code(&why) : CTL_TIMEOUT;
	pidbox_replies_release(&replies);
	return code;
}

int revoke_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *sig = "SIGTERM";
	struct remote remote = { 0 };
	struct revoke v = { 0 };
	const struct args_option options[] = {
		{ "terminate", NULL, "end those that run, too", NULL, &v.terminate },
		{ "signal", "SIGNAL", "what --terminate sends; SIGTERM", &sig, NULL },
		{ "stamp", "NAME=VALUE", "every task with this stamp instead", NULL, NULL, &v.stamps },
		REMOTE_TIMEOUT_OPTION(&remote),
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "revoke TASK_ID... | --stamp=NAME=VALUE [OPTION...]",
		.about =
			"Keeps tasks from starting, for good: the order stands in PostgreSQL and"
			" Redis and survives\n"
			"every restart. Says where it is kept and what the running workers"
			" answer. One store is\n"
			"enough. Exit status 111: kept nowhere; 2: nobody heard --terminate.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = -1,
	};
	int r = args_parse(&args, argc, argv, &v.ids, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if ((v.stamps.n == 0) == !*v.ids)
		r = err_set(e, ERR_USAGE, "give task ids or --stamp; usage: jobfleet %s",
			    args.usage);
	if (r == 0)
		r = read_signal(sig, v.signal, sizeof v.signal, e);
	if (r == 0)
		r = check_stamps(&v, e);
	if (r == 0)
		r = action_begin(c, "revoke", e);
	if (r == 0)
		r = carry_out(c, &v, &remote, e);
	return r;
}
