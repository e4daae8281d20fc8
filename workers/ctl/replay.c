/* SPDX-License-Identifier: MIT */
#include "workers/ctl/action.h"
#include "workers/ctl/replay.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/broker/message.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/canary.h"
#include "workers/ctl/letters.h"
#include "workers/ctl/table.h"

enum { CANARIES_MAX = 1000, CANARY_MS = 300000 };

struct replay {
	struct ctl *ctl;
	const char *queue;		/* NULL: where each came from */
	char **ids;
	size_t n, next, sent;
	double per_s;			/* 0 = as fast as it goes */
	int64_t due_us;			/* of the next one, monotonic */
	struct canary *canaries;	/* the first ncanaries that were sent */
	size_t ncanaries, wanted;
	cJSON *done, *refused;		/* for --json */
	struct err first;		/* the first refusal */
};

/* letters_act */
static int send_letter(void *ctx, struct letter *l, struct pg *p, struct err *e)
{
	struct replay *x = ctx;
	struct message m;
	int r = letter_message(l, &m, e);

	if (r == 0)
		r = letter_replay(l, &m, p, x->queue, e);
	if (r == 0 && x->ncanaries < x->wanted)
		x->canaries[x->ncanaries++] = (struct canary){
			.letter = l->id, .task_id = mem_strdup(m.id), .generation = m.generation,
		};
	message_release(&m);
	return r;
}

static void tell_refusal(struct replay *x, const char *id, const struct err *why)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "id", id);
	json_set_str(o, "error", why->msg);
	cJSON_AddItemToArray(x->refused, o);
	if (x->first.code == ERR_NONE)
		x->first = *why;
	else if (!x->ctl->json)
		fprintf(stderr, "jobfleet: %s\n", why->msg);
}

/* A line that replaces itself; who sees every letter's line needs none. */
static void show_progress(const struct replay *x)
{
	if (!x->ctl->quiet && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
		fprintf(stderr, "\r\033[Kreplayed %zu of %zu%s", x->sent, x->n,
			x->next + 1 == x->n ? "\n" : "");
}

static void keep_pace(struct replay *x)
{
	int64_t left = x->due_us - clock_mono_us();

	if (x->per_s <= 0)
		return;
	if (left > 0)
		poll(NULL, 0, (int)(left / 1000) + 1);
	else
		x->due_us = clock_mono_us();
	x->due_us += (int64_t)(1e6 / x->per_s);
}

/* Letters up to the one before `until`; each is tried. */
static void send_until(struct replay *x, size_t until)
{
	for (; x->next < until; x->next++) {
		const char *id = x->ids[x->next];
		size_t canaries = x->ncanaries;
		struct err why = { 0 };

		keep_pace(x);
		if (letters_move(x->ctl, id, send_letter, x, &why) < 0) {
			while (x->ncanaries > canaries)	/* sent, but not committed */
				free(x->canaries[--x->ncanaries].task_id);
			tell_refusal(x, id, &why);
			if (err_is_transient(why.code))
				return;
			continue;
		}
		x->sent++;
		cJSON_AddItemToArray(x->done, mem_check(cJSON_CreateRaw(id)));
		if (!x->ctl->json)
			printf("%s replayed\n", id);
		show_progress(x);
	}
}

/* 0: all of them live. Else an exit code, and why on stderr. */
static int watch_canaries(struct replay *x, int64_t timeout_ms, struct err *e)
{
	int flying, dead = 0;

	fflush(stdout);
	ctl_note(x->ctl, "waiting for the end of %zu canaries", x->ncanaries);
	flying = canary_watch(x->canaries, x->ncanaries, x->ctl, clock_mono_ms() + timeout_ms, e);
	if (flying < 0)
		return flying;
	for (size_t i = 0; i < x->ncanaries; i++) {
		const struct canary *one = &x->canaries[i];

		if (one->state != CANARY_DEAD)
			continue;
		fprintf(stderr, "jobfleet: canary %lld failed: task %s: %s\n",
			(long long)one->letter, one->task_id, one->why);
		dead++;
	}
	if (dead == 0 && flying == 0)
		return 0;
	if (dead > 0)
		fprintf(stderr, "jobfleet: stopped: %d of %zu canaries failed, %zu dead letters "
				"were left alone\n", dead, x->ncanaries, x->n - x->next);
	else
		fprintf(stderr, "jobfleet: stopped: %d of %zu canaries have not ended in %.1f s, "
				"%zu dead letters were left alone\n", flying, x->ncanaries,
			(double)timeout_ms / 1000, x->n - x->next);
	return dead > 0 ? CTL_FAILED : CTL_TIMEOUT;
}

static cJSON *canary_json(const struct replay *x)
{
	static const char *const states[] = { "running", "succeeded", "failed" };
	cJSON *list = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < x->ncanaries; i++) {
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_num(o, "id", (double)x->canaries[i].letter);
		json_set_str(o, "task_id", x->canaries[i].task_id);
		json_set_num(o, "generation", x->canaries[i].generation);
		json_set_str(o, "state", states[x->canaries[i].state]);
		json_set_str(o, "end", x->canaries[i].why);
		cJSON_AddItemToArray(list, o);
	}
	return list;
}

static void print_json(struct replay *x)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set(o, "replayed", cJSON_Duplicate(x->done, true));
	json_set(o, "refused", cJSON_Duplicate(x->refused, true));
	json_set(o, "canaries", canary_json(x));
	json_set_num(o, "left", (double)(x->n - x->next));
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

/* Canaries are the first that can be sent at all. */
static int carry_out(struct replay *x, int64_t canary_ms, struct err *e)
{
	int r = 0;

	while (x->ncanaries < x->wanted && x->next < x->n && !err_is_transient(x->first.code))
		send_until(x, x->next + 1);
	if (x->ncanaries > 0)
		r = watch_canaries(x, canary_ms, e);
	if (r == 0 && !err_is_transient(x->first.code))
		send_until(x, x->n);
	if (x->ctl->json && r >= 0)
		print_json(x);
	if (x->n > 1 && r >= 0)
		ctl_note(x->ctl, "%zu of %zu replayed", x->sent, x->n);
	if (r == 0 && x->first.code != ERR_NONE) {
		*e = x->first;
		return -(int)x->first.code;
	}
	return r;
}

static const struct table_column DRY_COLUMNS[] = {
	{ "id", "id", TABLE_NUMBER },
	{ "task", "task", TABLE_TEXT },
	{ "task id", "task_id", TABLE_TEXT },
	{ "generation", "generation", TABLE_NUMBER },
	{ "to queue", "queue", TABLE_TEXT },
	{ "priority", "priority", TABLE_NUMBER },
	{ "refused because", "refused", TABLE_TEXT },
};

static int put_plan(struct table *t, const struct replay *x, struct pg *p, const char *id,
		    struct err *e)
{
	struct letter l = { 0 };
	struct message m = { 0 };
	struct err why = { 0 };
	int r = letter_load(&l, p, id, false, &why), made;

	if (r < 0 && err_is_transient(why.code)) {
		*e = why;
		return r;
	}
	made = r < 0 ? r : letter_message(&l, &m, &why);
	table_put(t, id);
	table_put(t, made < 0 ? (r == 0 && *l.task ? l.task : NULL) : m.task);
	table_put(t, made < 0 ? (r == 0 && *l.task_id ? l.task_id : NULL) : m.id);
	if (made == 0) {
		table_put_int(t, m.generation);
		table_put(t, x->queue ? x->queue : l.queue);
		table_put_int(t, m.priority == MESSAGE_NO_PRIORITY ? 0 : m.priority);
	}
	for (int i = 0; made < 0 && i < 3; i++)
		table_put(t, NULL);
	table_put(t, made < 0 ? why.msg : NULL);
	if (r == 0)
		message_release(&m);
	letter_release(&l);
	return 0;
}

static int dry_run(struct replay *x, struct err *e)
{
	struct table *t;
	struct pg *p = NULL;
	int r = ctl_pg(x->ctl, &p, e);

	if (r < 0)
		return r;
	t = table_new(DRY_COLUMNS, COUNT(DRY_COLUMNS));
	for (size_t i = 0; i < x->n && r == 0; i++)
		r = put_plan(t, x, p, x->ids[i], e);
	if (r == 0)
		return ctl_show(x->ctl, t, "");
	table_free(t);
	return r;
}

struct texts {
	const char *rate, *canary, *timeout;
};

static int read_texts(const struct texts *t, struct replay *x, int64_t *ret_ms, struct err *e)
{
	int canaries = 0;

	*ret_ms = CANARY_MS;
	if (t->rate && scan_rate(t->rate, &x->per_s, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--rate");
	}
	if (t->canary && scan_int(t->canary, 1, CANARIES_MAX, &canaries, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--canary");
	}
	if (t->timeout && scan_duration_ms(t->timeout, ret_ms, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--timeout");
	}
	x->wanted = (size_t)canaries;
	return 0;
}

static int run(struct replay *x, const struct letters *which, char **operands, int64_t canary_ms,
	       bool dry, struct err *e)
{
	int r = letters_choose(which, x->ctl, operands, &x->ids, &x->n, e);

	if (r == 0 && x->n == 0)
		r = err_set(e, ERR_NOT_FOUND, "no dead letter is like that");
	if (r == 0 && !dry)
		r = action_begin(x->ctl, "dlq replay", e);
	if (r < 0)
		return r;
	x->due_us = clock_mono_us();
	x->canaries = mem_zalloc((x->wanted + 1) * sizeof *x->canaries);
	x->done = mem_check(cJSON_CreateArray());
	x->refused = mem_check(cJSON_CreateArray());
	r = dry ? dry_run(x, e) : carry_out(x, canary_ms, e);
	cJSON_Delete(x->done);
	cJSON_Delete(x->refused);
	canary_release(x->canaries, x->ncanaries);
	return r;
}

int replay_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct letters which = { 0 };
	struct replay x = { .ctl = c };
	struct texts t = { 0 };
	bool dry = false;
	int64_t canary_ms;
	const struct args_option options[] = {
		LETTERS_FINGERPRINT_OPTION(&which), LETTERS_CAUSE_OPTION(&which),
		LETTERS_TASK_OPTION(&which), LETTERS_QUEUE_OPTION(&which),
		LETTERS_SINCE_OPTION(&which),
		{ "to", "QUEUE", "to this queue instead of the one each came from", &x.queue, NULL },
		{ "rate", "N/s", "at most so many: 5/s, 100/m", &t.rate, NULL },
		{ "canary", "N", "first N, then the others if those succeed", &t.canary, NULL },
		{ "timeout", "DURATION", "how long canaries may take; 5m", &t.timeout, NULL },
		{ "dry-run", NULL, "show exactly what would be sent, send nothing", NULL, &dry },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "dlq replay ID... | --fingerprint=F ... [OPTION...]",
		.about =
			"Sends dead letters again, with fresh retries and without a due or an"
			" expiry time. The\n"
			"task keeps its id and starts a new generation, so its effects may"
			" happen once more.\n"
			"The dispatcher publishes them. Exit status 1: a letter was refused, or"
			" a canary failed\n"
			"and the others were left alone; 2: canaries did not end in time.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = -1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = read_texts(&t, &x, &canary_ms, e);
	if (r == 0)
		r = letters_init(&which, e);
	if (r == 0)
		r = run(&x, &which, operands, canary_ms, dry, e);
	letters_free(x.ids);
	return r;
}
