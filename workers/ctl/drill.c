/* SPDX-License-Identifier: MIT */
/* drill: a load whose every effect is counted, on an installation that may bear it. Who wants to
 * know what a fault does makes it meanwhile; tests/drill does so by itself. */
#include <time.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/drill_mix.h"
#include "workers/ctl/drill_page.h"
#include "workers/ctl/drill_send.h"
#include "workers/ctl/send.h"

enum {
	TASKS_DEFAULT = 1000,
	TASKS_MOST = 10000000,
	RATE_DEFAULT = 100,
	RATE_MOST = 100000,
	WAIT_DEFAULT_MS = 300000,
	LOOK_MS = 500,
	SHOW_MS = 5000,
	NAME_MOST = 40,
};

#define USAGE "drill [check] [OPTION...]"

static const char ABOUT[] =
	"Enqueues tasks that leave countable traces, waits for their end and demands that each\n"
	"happened once: none lost, none twice, none unexpected, results and order right. A worker\n"
	"must serve the queue drill (systemctl start jobfleet-worker@drill). Kill and cut whatever\n"
	"you like meanwhile. check only counts what an earlier drill (--run) left.\n\n"
	"Exit status: 0 all promises kept, 1 broken, 100 wrong usage, or other tasks run here.";

static const char DEFAULT_MIXTURE[] =
	"kinds and their shares; " DRILL_MIXTURE;

struct drill {
	const char *run, *tasks, *rate, *seed, *mixture, *out, *wait;
	bool yes, check;
	struct drill_mix mix;
	struct drill_plan plan;
	int64_t wait_ms, seed_number;
	char name[UUID_SIZE];
};

static int check_name(const char *run, struct err *e)
{
	size_t n = strspn(run, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	if (n > 0 && n <= NAME_MOST && !run[n])
		return 0;
	return err_set(e, ERR_USAGE, "--run: 1 to %d letters, digits, - and _", NAME_MOST);
}

static int read_options(struct drill *d, struct err *e)
{
	int tasks = TASKS_DEFAULT, r = 0;
	double rate = RATE_DEFAULT;

	uuid_v4(d->name);
	d->name[8] = '\0';	/* enough to tell one's drills apart */
	d->seed_number = clock_wall_ms() % 1000000;
	d->wait_ms = WAIT_DEFAULT_MS;
	if (d->run)
		r = check_name(d->run, e);
	if (r == 0 && d->tasks && scan_int(d->tasks, 1, TASKS_MOST, &tasks, e) < 0)
		r = err_prefix(e, "--tasks");
	if (r == 0 && d->rate && scan_double(d->rate, 0.1, RATE_MOST, &rate, e) < 0)
		r = err_prefix(e, "--rate");
	if (r == 0 && d->seed && scan_int64(d->seed, 0, UINT32_MAX, &d->seed_number, e) < 0)
		r = err_prefix(e, "--seed");
	if (r == 0 && d->wait && scan_duration_ms(d->wait, &d->wait_ms, e) < 0)
		r = err_prefix(e, "--wait");
	if (r == 0 && drill_mix_init(&d->mix, (uint64_t)d->seed_number, d->mixture, e) < 0)
		r = err_prefix(e, "--mixture");
	d->plan = (struct drill_plan){ .run = d->run ? d->run : d->name, .mix = &d->mix,
				       .tasks = tasks, .rate = rate };
	return r;
}

/* An installation whose own tasks run is none to drill on. */
static int check_place(struct ctl *c, const struct drill *d, struct err *e)
{
	static const char SQL[] =
		"SELECT (SELECT l.task FROM jobfleet.ledger l WHERE l.task NOT LIKE 'drill.%'"
		"  AND l.task NOT LIKE 'celery.%' AND l.settled_at > now() - interval '10 min'"
		"  LIMIT 1), (SELECT count(*) FROM jobfleet.workers WHERE 'drill' = ANY (queues)"
		"  AND state = 'running' AND seen_at > now() - interval '1 min')";
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, SQL, NULL, 0, &rows, e);

	if (r == 0 && !d->yes && pg_cell(rows, 0, 0))
		r = err_set(e, ERR_USAGE,
			    "other tasks run here (%.80s within ten minutes): --yes drills beside "
			    "them", pg_text(rows, 0, 0));
	if (r == 0 && pg_int(rows, 0, 1) == 0)
		r = err_set(e, ERR_USAGE,
			    "no worker serves the queue drill: systemctl start "
			    "jobfleet-worker@drill, or run jobfleet-drill");
	pg_rows_free(rows);
	return r;
}

/* What drills left that ended long ago goes. */
static int open_run(struct ctl *c, const struct drill *d, struct err *e)
{
	static const char *const OLD[] = {
		"DELETE FROM jobfleet.drill_begins WHERE at < now() - interval '7 days'",
		"DELETE FROM jobfleet.drill_effects WHERE at < now() - interval '7 days'",
		"DELETE FROM jobfleet.drill_injections WHERE at < now() - interval '7 days'",
		"DELETE FROM jobfleet.drill_runs WHERE started_at < now() - interval '7 days'",
	};
	int r = 0;

	for (size_t i = 0; i < COUNT(OLD) && r == 0; i++)
		r = ctl_query(c, OLD[i], NULL, 0, NULL, e);
	if (r == 0)
		r = ctl_query(c,
			      "INSERT INTO jobfleet.drill_runs (run, seed, mixture)"
			      " VALUES ($1, $2, $3)",
			      PG_PARAMS(PG_TEXT(d->plan.run), PG_INT(d->seed_number),
					PG_TEXT(d->mixture ? d->mixture : DRILL_MIXTURE)),
			      NULL, e);
	if (r < 0 && e->code == ERR_CONFLICT)
		return err_set(e, ERR_USAGE, "--run: there is a drill \"%s\" already",
			       d->plan.run);
	return r;
}

/* What must still happen: missing effects, and whatever waits to be published or delivered. */
static int count_open(struct ctl *c, const char *run, int64_t *ret, struct err *e)
{
	static const char SQL[] =
		"SELECT (SELECT count(*) FROM jobfleet.drill_faults($1) WHERE fault = 'lost')"
		" + (SELECT count(*) FROM jobfleet.pending WHERE task LIKE 'drill.%')"
		" + (SELECT count(*) FROM jobfleet.result_backlog)";
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, SQL, PG_PARAMS(PG_TEXT(run)), &rows, e);

	if (r == 0)
		*ret = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return r;
}

/* Until nothing is open at two looks in a row, or the time is over: the accounts tell then. */
static int wait_end(struct ctl *c, const struct drill *d, struct err *e)
{
	int64_t end = clock_mono_ms() + d->wait_ms, shown = clock_mono_ms();
	int none = 0;

	while (none < 2 && clock_mono_ms() < end) {
		int64_t began = clock_mono_ms(), open = 1, took;
		int r = count_open(c, d->plan.run, &open, e);

		if (r < 0 && !err_is_transient(e->code))
			return r;
		none = r == 0 && open == 0 ? none + 1 : 0;
		if (clock_mono_ms() - shown >= SHOW_MS) {
			shown = clock_mono_ms();
			ctl_note(c, "%lld effects, messages and results are still to come",
				 (long long)open);
		}
		send_leftovers(c);
		took = clock_mono_ms() - began;
		/* a look at a large drill takes long, and must not be all that the database does */
		nanosleep(&(struct timespec){ .tv_sec = took * 4 / 1000,
					      .tv_nsec = LOOK_MS * 1000000L }, NULL);
	}
	return 0;
}

static int write_file(const char *path, const cJSON *account, struct err *e)
{
	char *text = mem_check(cJSON_Print(account));
	FILE *f = fopen(path, "we");
	bool failed = !f || fprintf(f, "%s\n", text) < 0;

	free(text);
	if (f && fclose(f) != 0)
		failed = true;
	return failed ? err_set(e, ERR_USAGE, "--out: cannot write %.200s: %m", path) : 0;
}

static int show(struct ctl *c, const struct drill *d, struct err *e)
{
	cJSON *account = NULL;
	int r = drill_page_read(c, d->plan.run, &account, e);
	char *text;

	if (r < 0)
		return r;
	if (c->json) {
		text = mem_check(cJSON_Print(account));
		printf("%s\n", text);
		free(text);
	} else {
		drill_page_print(account, stdout);
	}
	if (d->out)
		r = write_file(d->out, account, e);
	if (r == 0)
		r = drill_page_print_faults(c, d->plan.run, stderr, e);
	if (r == 0)
		r = drill_page_is_kept(account) ? CTL_OK : CTL_FAILED;
	cJSON_Delete(account);
	return r;
}

static int drill(struct ctl *c, struct drill *d, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && !d->check) {
		r = check_place(c, d, e);
		if (r == 0)
			r = open_run(c, d, e);
		if (r == 0)
			ctl_note(c, "drill %s: %lld tasks, seed %lld", d->plan.run,
				 (long long)d->plan.tasks, (long long)d->seed_number);
		if (r == 0)
			r = drill_send(c, &d->plan, e);
		if (r == 0)
			r = wait_end(c, d, e);
	}
	return r < 0 ? r : show(c, d, e);
}

int drill_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct drill d = { 0 };
	const struct args_option options[] = {
		{ "run", "NAME", "the drill's name; a fresh one", &d.run, NULL },
		{ "tasks", "N", "tasks, with those that follow others; 1000", &d.tasks, NULL },
		{ "rate", "N", "of them a second; 100", &d.rate, NULL },
		{ "seed", "N", "the same tasks as with this seed before", &d.seed, NULL },
		{ "mixture", "KIND=N,...", DEFAULT_MIXTURE, &d.mixture, NULL },
		{ "wait", "DURATION", "for the end, after the last is enqueued; 5m", &d.wait,
		  NULL },
		{ "out", "FILE", "the figures as JSON, too", &d.out, NULL },
		{ "yes", NULL, "also beside other tasks", NULL, &d.yes },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = USAGE, .about = ABOUT, .options = options, .noptions = COUNT(options),
		.least = 0, .most = 1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (operands[0] && strcmp(operands[0], "check") != 0)
		return err_set(e, ERR_USAGE, "\"%.40s\" is not check", operands[0]);
	d.check = operands[0];
	if (d.check && !d.run)
		return err_set(e, ERR_USAGE, "check needs --run");
	r = read_options(&d, e);
	return r < 0 ? r : drill(c, &d, e);
}
