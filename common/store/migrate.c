/* SPDX-License-Identifier: MIT */
#include "common/store/migrate.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"

enum {
	MAX_STEPS = 999,
	MAX_FILE_BYTES = 4 << 20,
	STEP_MS = 600000,	/* one step, the wait for another migration included */
	CHECKSUM_SIZE = 2 * crypto_hash_sha256_BYTES + 1,
};

/* The lock's key is any number that nobody else in this database uses: "jobfleet" in ASCII. */
#define LOCK_KEY "7669634186366149748"

struct step {
	char *name;		/* "002_domain.sql" */
	char *sql;
	char checksum[CHECKSUM_SIZE];
};

struct steps {
	struct step items[MAX_STEPS + 1];	/* by number; 0 is unused */
	int count;
};

/* ---- the files ---- */

static bool has_steps(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	bool found = false;

	while (d && (entry = readdir(d)))
		found |= strncmp(entry->d_name, "001_", 4) == 0;
	if (d)
		closedir(d);
	return found;
}

int migrate_find_dir(char *out, size_t size, struct err *e)
{
	static const char *const beside[] = { "../../sql", "../share/jobfleet/sql" };
	const char *named = getenv("JOBFLEET_SQL_DIR");
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (named && *named) {
		snprintf(out, size, "%s", named);
		if (has_steps(out))
			return 0;
		return err_set(e, ERR_CONFIG, "JOBFLEET_SQL_DIR=%s holds no 001_….sql", named);
	}
	exe[n < 0 ? 0 : n] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	for (size_t i = 0; i < COUNT(beside); i++) {
		snprintf(out, size, "%s/%s", exe, beside[i]);
		if (has_steps(out))
			return 0;
	}
	return err_set(e, ERR_CONFIG, "no migrations in %s/%s or %s/%s; set JOBFLEET_SQL_DIR", exe,
		       beside[0], exe, beside[1]);
}

static int read_file(const char *dir, const char *name, char **ret, size_t *ret_len, struct err *e)
{
	char *path = mem_printf("%s/%s", dir, name), *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	struct stat st;
	ssize_t got = 0;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = err_set(e, ERR_CONFIG, "%s: %s", path, strerror(errno));
	} else if (st.st_size > MAX_FILE_BYTES) {
		r = err_set(e, ERR_TOO_BIG, "%s: larger than %d bytes", path, MAX_FILE_BYTES);
	} else {
		text = mem_zalloc((size_t)st.st_size + 1);
		while (len < (size_t)st.st_size &&
		       (got = read(fd, text + len, (size_t)st.st_size - len)) > 0)
			len += (size_t)got;
		if (got < 0)
			r = err_set(e, ERR_CONFIG, "%s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	free(path);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

static void checksum_of(const char *text, size_t len, char out[CHECKSUM_SIZE])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, (const unsigned char *)text, len);
	sodium_bin2hex(out, CHECKSUM_SIZE, digest, sizeof digest);
}

/* The number of "NNN_<what>.sql", 0 if the name has another form. */
static int number_of(const char *name)
{
	const char *end = strrchr(name, '.');
	char digits[4];
	int n = 0;

	snprintf(digits, sizeof digits, "%s", name);
	if (!end || strcmp(end, ".sql") != 0 || strlen(name) < 9 || name[3] != '_' ||
	    !isdigit((unsigned char)name[0]) || scan_int(digits, 1, MAX_STEPS, &n, NULL) < 0)
		return 0;
	return n;
}

static int add_file(struct steps *s, const char *dir, const char *name, struct err *e)
{
	size_t n = strlen(name), len = 0;
	struct step *step;
	int number, r;

	if (name[0] == '.' || n < 4 || strcmp(name + n - 4, ".sql") != 0)
		return 0;	/* an editor's file, a README */
	number = number_of(name);
	if (number == 0)
		return err_set(e, ERR_CONFIG, "%s/%s: a migration is named NNN_<what>.sql", dir,
			       name);
	step = &s->items[number];
	if (step->name)
		return err_set(e, ERR_CONFIG, "%s: both %s and %s are number %d", dir, step->name,
			       name, number);
	r = read_file(dir, name, &step->sql, &len, e);
	if (r < 0)
		return r;
	step->name = mem_strdup(name);
	checksum_of(step->sql, len, step->checksum);
	if (number > s->count)
		s->count = number;
	return 0;
}

static void steps_free(struct steps *s)
{
	for (int i = 1; s && i <= MAX_STEPS; i++) {
		free(s->items[i].name);
		free(s->items[i].sql);
	}
	free(s);
}

static int steps_read(struct steps **ret, const char *dir, struct err *e)
{
	struct steps *s = mem_zalloc(sizeof *s);
	DIR *d = opendir(dir);
	struct dirent *entry;
	int r = 0;

	if (!d)
		r = err_set(e, ERR_CONFIG, "%s: %s", dir, strerror(errno));
	while (r == 0 && (entry = readdir(d)))
		r = add_file(s, dir, entry->d_name, e);
	if (d)
		closedir(d);
	for (int i = 1; r == 0 && i <= s->count; i++) {
		if (!s->items[i].name)
			r = err_set(e, ERR_CONFIG, "%s: number %03d is missing", dir, i);
	}
	if (r == 0 && s->count == 0)
		r = err_set(e, ERR_CONFIG, "%s: no migrations (NNN_<what>.sql) there", dir);
	if (r < 0)
		steps_free(s);
	else
		*ret = s;
	return r;
}

/* ---- the database ---- */

static const char SQL_START[] =
	"SET LOCAL lock_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = '60s';"
	" SET LOCAL search_path = public; SET LOCAL client_min_messages = notice;"
	" SELECT pg_advisory_xact_lock(" LOCK_KEY ");"
	" CREATE SCHEMA IF NOT EXISTS jobfleet;"
	" CREATE TABLE IF NOT EXISTS jobfleet.migrations (number integer PRIMARY KEY, name text"
	" NOT NULL,"
	" checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),"
	" applied_by text NOT NULL DEFAULT current_user, run_ms bigint NOT NULL)";

static const char SQL_APPLIED[] =
	"SELECT number, name, checksum, to_char(applied_at, 'YYYY-MM-DD HH24:MI')"
	" FROM jobfleet.migrations ORDER BY number";

static const char SQL_RECORD[] =
	"INSERT INTO jobfleet.migrations (number, name, checksum, run_ms) VALUES ($1, $2, $3, $4)";

struct listener {
	void (*say)(void *ctx, const char *line);
	void *ctx;
};

static void tell(const struct listener *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct listener *l, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (l->say)
		l->say(l->ctx, line);
}

/* What IF NOT EXISTS has to say is no news. */
static void hear_notice(void *ctx, const char *text)
{
	static const char noise[] = ", skipping\n";
	const char *at = strstr(text, ":  ");
	size_t n = strlen(text);

	if (n >= sizeof noise - 1 && strcmp(text + n - (sizeof noise - 1), noise) == 0)
		return;
	at = at ? at + 3 : text;
	tell(ctx, "  %.*s", (int)strcspn(at, "\n"), at);
}

/* What is applied must be what the files say; returns the newest applied number. */
static int compare(struct pg *p, const struct steps *s, struct err *e)
{
	struct pg_rows *rows = NULL;
	int newest = 0, r = 0;

	if (pg_run(p, SQL_APPLIED, NULL, 0, &rows, e) < 0)
		return -(int)e->code;
	for (size_t i = 0; r == 0 && i < pg_rows_count(rows); i++) {
		int number = (int)pg_int(rows, i, 0);
		const char *name = pg_text(rows, i, 1), *sum = pg_text(rows, i, 2);

		newest = number;
		if (number >= 1 && number <= s->count &&
		    strcmp(sum, s->items[number].checksum) != 0)
			r = err_set(
				e, ERR_SCHEMA,
				"%s was changed after it was applied on %s (as %s, "
				"sha256 %.12s…, now %.12s…): restore it, and put the change into a "
				"new migration",
				s->items[number].name, pg_text(rows, i, 3), name, sum,
				s->items[number].checksum);
	}
	pg_rows_free(rows);
	return r < 0 ? r : newest;
}

static int apply(struct pg *p, const struct steps *s, int number, struct listener *l, struct err *e)
{
	const struct step *step = &s->items[number];
	int64_t start = clock_mono_ms();
	int r;

	tell(l, "%s", step->name);
	pg_on_notice(p, hear_notice, l);
	r = pg_exec(p, step->sql, e);
	pg_on_notice(p, NULL, NULL);
	if (r == 0 && !pg_in_transaction(p))
		r = err_set(e, ERR_CONFIG,
			    "ends the transaction it runs in; leave out BEGIN and COMMIT");
	if (r == 0 &&
	    pg_run(p, SQL_RECORD,
		   PG_PARAMS(PG_INT(number), PG_TEXT(step->name), PG_TEXT(step->checksum),
			     PG_INT(clock_mono_ms() - start)),
		   NULL, e) < 0)
		r = -(int)e->code;
	if (r < 0)
		err_prefix(e, "%s", step->name);
	return r;
}

/* One transaction: the next step that is missing. 1 = applied one, 0 = there was none. */
static int advance(struct pg *p, const struct steps *s, struct listener *l, struct err *e)
{
	int newest, r;

	pg_set_deadline(p, clock_mono_ms() + STEP_MS);
	r = pg_begin(p, 0, e);
	if (r == 0)
		r = pg_exec(p, SQL_START, e);
	if (r == 0) {
		newest = compare(p, s, e);
		r = newest < 0 ? newest : newest < s->count ? 1 : 0;
		if (newest > s->count)
			tell(l, "the schema (%d) is newer than these files (%d)", newest, s->count);
		if (r == 1 && apply(p, s, newest + 1, l, e) < 0)
			r = -(int)e->code;
	}
	if (r >= 0 && pg_commit(p, e) < 0)
		r = -(int)e->code;
	pg_rollback(p);
	pg_set_deadline(p, 0);
	return r;
}

int migrate_run(struct pg *p, const char *dir, void (*say)(void *ctx, const char *line), void *ctx,
		struct err *e)
{
	struct listener l = { say, ctx };
	struct steps *s = NULL;
	struct err own = { 0 };
	int applied = 0, r;

	if (!e)
		e = &own;
	r = steps_read(&s, dir, e);
	if (r < 0)
		return r;
	while ((r = advance(p, s, &l, e)) == 1)
		applied++;
	steps_free(s);
	return r < 0 ? r : applied;
}

int migrate_version(struct pg *p, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct err own = { 0 };
	int version = 0;

	if (!e)
		e = &own;
	if (pg_run(p, "SELECT to_regclass('jobfleet.migrations') IS NOT NULL", NULL, 0, &rows, e) <
	    0)
		return -(int)e->code;
	if (pg_bool(rows, 0, 0)) {
		pg_rows_free(rows);
		rows = NULL;
		if (pg_run(p, "SELECT coalesce(max(number), 0) FROM jobfleet.migrations", NULL, 0,
			   &rows, e) < 0)
			return -(int)e->code;
		version = (int)pg_int(rows, 0, 0);
	}
	pg_rows_free(rows);
	return version;
}

int migrate_check(struct pg *p, struct err *e)
{
	int version = migrate_version(p, e);

	if (version < 0)
		return version;
	if (version < MIGRATE_SCHEMA)
		return err_set(e, ERR_SCHEMA,
			       "the database's schema is %d, this program needs %d: run "
			       "jobfleet migrate",
			       version, MIGRATE_SCHEMA);
	return 0;
}
