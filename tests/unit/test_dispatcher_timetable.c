/* SPDX-License-Identifier: MIT */
/* services: shared */
/* timeout: 240 */
/* Three dispatchers' timetables on one database through simulated time, which is a parameter: in
 * one process through a year, with restarts and a clock that jumps; and as processes that are
 * killed, stopped and continued at random, through 45 days (JOBFLEET_STOPS_DAYS=365: a year). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/base/scan.h"
#include "common/base/schedule.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "workers/dispatcher/timetable.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define TABLES 3

static struct pg *pg;

#define SCHEDULE(schedule_name, text, zone) \
	{ \
		.name = schedule_name, .cron = text, .at = "", .after = "", .condition = "", \
		.max_retries = CONF_UNSET, .timezone = zone, .task = "t", .args = "[]", \
		.kwargs = "{}", .queue = "q", .priority = CONF_UNSET, .enabled = true, \
		.overlap = CONF_OVERLAP_ALLOW, .catch_up = CONF_CATCH_UP_ALL \
	}

static struct conf_schedule schedules[] = {
	SCHEDULE("berlin_night", "30 2 * * *", "Europe/Berlin"),
	SCHEDULE("york_hours", "0 */6 * * *", "America/New_York"),
	SCHEDULE("month_end", "0 0 L * *", "UTC"),
	SCHEDULE("fridays", "15 9 * * FRI#1,FRIL", "Australia/Lord_Howe"),
	SCHEDULE("saturday_hours", "5 * * * SAT", "Africa/Cairo"),
};
static struct conf conf = { .schedules = schedules, .nschedules = COUNT(schedules), .path = "" };

static int64_t number(const char *sql, const char *param)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	int64_t n;

	if (pg_run(pg, sql, PG_PARAMS(PG_TEXT(param)), &rows, &e) < 0)
		fail_msg("%s", e.msg);
	n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n;
}

/* Every due time of the year, one after the other, is there once. */
static void check_year(const struct conf_schedule *c, int64_t from, int64_t until)
{
	struct schedule s;
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	size_t n = 0;

	assert_int_equal(schedule_init(&s, c, &e), 0);
	assert_true(pg_run(pg,
			   "SELECT (extract(epoch FROM due) * 1000000)::bigint, task_id"
			   " FROM jobfleet.schedule_fires WHERE schedule = $1 ORDER BY due",
			   PG_PARAMS(PG_TEXT(c->name)), &rows, &e) > 0);
	for (int64_t t = schedule_next(&s, from); t <= until; t = schedule_next(&s, t), n++) {
		char id[UUID_SIZE];

		schedule_task_id(&s, t, id);
		assert_true(n < pg_rows_count(rows));
		assert_int_equal(pg_int(rows, n, 0), t);
		assert_string_equal(pg_text(rows, n, 1), id);
	}
	assert_int_equal(n, pg_rows_count(rows));
	assert_int_equal(number("SELECT count(*) FROM jobfleet.pending WHERE headers"
				" ->> 'x-jobfleet-schedule' = $1",
				c->name),
			 n);
	pg_rows_free(rows);
	schedule_release(&s);
}

static void three_timetables_fire_a_year_without_gap_or_double(void **state)
{
	struct timetable *tables[TABLES];
	struct plan *plan = plan_new(&conf);
	struct err e = { 0 };
	int64_t start = 0, now, until, next;
	unsigned seed = 20261121;
	int fired = 0;

	(void)state;
	assert_int_equal(clock_parse_iso("2026-01-01T00:00:30Z", &start, NULL), 0);
	now = start;
	until = start + 365 * DAY;
	for (int i = 0; i < TABLES; i++) {
		assert_int_equal(timetable_open(&tables[i], plan, &conf, "node", &e), 0);
		assert_int_equal(timetable_register(tables[i], pg, start, &e), 0);
	}
	/* each look by one of them, minutes to two days after the last; sometimes one restarts */
	while (now < until) {
		int who = rand_r(&seed) % TABLES, r;

		now += (60 + rand_r(&seed) % (rand_r(&seed) % 8 ? 21600 : 172800)) * SECOND;
		if (rand_r(&seed) % 50 == 0) /* somebody sets the clock back */
			now -= 30 * HOUR;
		now = now < until ? now : until;
		if (rand_r(&seed) % 20 == 0) {
			timetable_close(tables[who]);
			assert_int_equal(timetable_open(&tables[who], plan, &conf, "node", &e), 0);
			assert_int_equal(timetable_register(tables[who], pg, now, &e), 0);
		}
		r = timetable_turn(tables[who], pg, now, &next, &e);
		if (r < 0)
			fail_msg("%s", e.msg);
		assert_true(next > now);
		fired += r;
	}
	for (int i = 0; i < TABLES; i++) {
		int r = timetable_turn(tables[i], pg, until, &next, &e);

		assert_true(r >= 0);
		fired += r;
		timetable_close(tables[i]);
	}
	assert_int_equal(fired,
			 number("SELECT count(*) FROM jobfleet.schedule_fires WHERE $1 = ''", ""));
	for (size_t i = 0; i < COUNT(schedules); i++)
		check_year(&schedules[i], start, until);
	plan_free(plan);
	print_message("# %d fires in a simulated year\n", fired);
}

/* ---- as processes ---- */

/* What they share: what the clock shows. */
struct shared {
	_Atomic int64_t now_us;
	struct timetable *table; /* opened before the fork: reading zones takes its time */
};

static int64_t min_next_us(void)
{
	return number("SELECT (extract(epoch FROM min(next_due)) * 1000000)::bigint"
		      " FROM jobfleet.schedules WHERE $1 = ''", "");
}

/* One dispatcher's loop. A connection that the server has ended (it was stopped for long) is
 * opened again, as a dispatcher does. */
static void dispatch(const struct shared *shared)
{
	struct pg *own = NULL;
	int64_t next = 0;

	for (;;) {
		int r = 0;

		if (!own) {
			if (pg_open(&own, getenv("JOBFLEET_DATABASE_URL"), "stops", 5000, NULL) < 0)
				_exit(1);
			r = timetable_register(shared->table, own, shared->now_us, NULL);
		}
		if (r == 0)
			r = timetable_turn(shared->table, own, shared->now_us, &next, NULL);
		if (r < 0 && !pg_is_alive(own)) {
			pg_close(own);
			own = NULL;
		}
		if (r == 0)
			usleep(1000);
	}
}

static pid_t start(const struct shared *shared)
{
	pid_t pid = fork();

	if (pid == 0)
		dispatch(shared);
	assert_true(pid > 0);
	return pid;
}

/* Something befalls one of them. */
static void strike(pid_t *pids, const struct shared *shared, unsigned *seed, int counts[3])
{
	int who = rand_r(seed) % TABLES, what = rand_r(seed) % 3;

	counts[what]++;
	if (what == 0) {
		kill(pids[who], SIGKILL);
		assert_int_equal(waitpid(pids[who], NULL, 0), pids[who]);
		pids[who] = start(shared);
	} else {
		kill(pids[who], what == 1 ? SIGSTOP : SIGCONT);
	}
}

static void random_stops_lose_no_fire_and_double_none(void **state)
{
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t start_us = 0, until, deadline_ms;
	unsigned seed = (unsigned)getpid();
	int days = 45, counts[3] = { 0 };
	struct plan *plan = plan_new(&conf);
	pid_t pids[TABLES];

	(void)state;
	assert_int_equal(timetable_open(&shared->table, plan, &conf, "node", NULL), 0);
	if (getenv("JOBFLEET_STOPS_DAYS"))
		assert_int_equal(scan_int(getenv("JOBFLEET_STOPS_DAYS"), 1, 3650, &days, NULL), 0);
	assert_int_equal(pg_exec(pg, "TRUNCATE jobfleet.schedules, jobfleet.schedule_fires,"
				     " jobfleet.pending", NULL), 0);
	clock_parse_iso("2026-02-01T00:00:30Z", &start_us, NULL);
	until = start_us + days * DAY;
	shared->now_us = start_us;
	for (int i = 0; i < TABLES; i++)
		pids[i] = start(shared);
	deadline_ms = clock_mono_ms() + 60000;
	while (number("SELECT count(*) FROM jobfleet.schedules WHERE $1 = ''", "") <
	       (int64_t)conf.nschedules) {
		if (clock_mono_ms() > deadline_ms)
			fail_msg("not within 60 s: %zu schedules in the table", conf.nschedules);
		usleep(1000);
	}
	while (shared->now_us < until) {
		int64_t now = shared->now_us + rand_r(&seed) % (12 * 3600) * SECOND;

		shared->now_us = now < until ? now : until;
		usleep((useconds_t)(rand_r(&seed) % 15000));
		strike(pids, shared, &seed, counts);
	}
	for (int i = 0; i < TABLES; i++)
		kill(pids[i], SIGCONT);
	deadline_ms = clock_mono_ms() + 60000;
	while (min_next_us() <= until && clock_mono_ms() < deadline_ms)
		usleep(10000);
	for (int i = 0; i < TABLES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	assert_true(min_next_us() > until);
	for (size_t i = 0; i < COUNT(schedules); i++)
		check_year(&schedules[i], start_us, until);
	print_message("# %lld fires in %d days, %d kills, %d stops\n",
		      (long long)number("SELECT count(*) FROM jobfleet.schedule_fires"
					" WHERE $1 = ''", ""),
		      days, counts[0], counts[1]);
	timetable_close(shared->table);
	plan_free(plan);
	munmap(shared, sizeof *shared);
}

static int open_tables(void **state)
{
	struct err e = { 0 };

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	if (pg_open(&pg, getenv("JOBFLEET_DATABASE_URL"), "test", 5000, &e) < 0 ||
	    migrate_run(pg, "sql", NULL, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return 0;
}

static int close_tables(void **state)
{
	(void)state;
	pg_close(pg);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_timetables_fire_a_year_without_gap_or_double),
		cmocka_unit_test(random_stops_lose_no_fire_and_double_none),
	};

	if (!getenv("JOBFLEET_DATABASE_URL"))
		return 77;
	return cmocka_run_group_tests(tests, open_tables, close_tables);
}
