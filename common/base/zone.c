/* SPDX-License-Identifier: MIT */
#include "common/base/zone.h"

#include <ctype.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"

#define ZONE_DIR "/usr/share/zoneinfo/"
#define NAME_MAX_BYTES 64
#define FIRST_S INT64_C(0)	   /* 1970 */
#define LAST_S INT64_C(4102444800) /* 2100 */
#define STEP_S 86400		   /* no zone changes and changes back within a day */
#define WIDEST_OFFSET_S 86400	   /* real ones end at 16 h */

struct period {
	int64_t start_s;  /* INT64_MIN for the first one */
	int64_t offset_s; /* local = UTC + offset */
};

struct zone {
	char *name;
	struct period *periods;
	size_t count;
};

static void add_period(struct zone *z, int64_t start_s, int64_t offset_s)
{
	z->periods = mem_realloc(z->periods, (z->count + 1) * sizeof *z->periods);
	z->periods[z->count++] = (struct period){ start_s, offset_s };
}

static int64_t libc_offset(int64_t utc_s)
{
	time_t t = (time_t)utc_s;
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	return tm.tm_gmtoff;
}

/* The instant in (before, after] from which on the offset is another one. */
static int64_t bisect(int64_t before, int64_t after)
{
	int64_t old = libc_offset(before);

	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;

		if (libc_offset(middle) == old)
			before = middle;
		else
			after = middle;
	}
	return after;
}

static void collect(struct zone *z)
{
	int64_t offset = libc_offset(FIRST_S);

	add_period(z, INT64_MIN, offset);
	for (int64_t s = FIRST_S; s < LAST_S; s += STEP_S) {
		if (libc_offset(s + STEP_S) == offset)
			continue;
		offset = libc_offset(s + STEP_S);
		add_period(z, bisect(s, s + STEP_S), offset);
	}
}

/* The path is absolute, so no TZDIR of the environment leads elsewhere. */
static void collect_as(struct zone *z, const char *path)
{
	char *saved = mem_strdup(getenv("TZ"));
	char *tz = mem_printf(":%s", path);

	setenv("TZ", tz, 1);
	tzset();
	collect(z);
	if (saved)
		setenv("TZ", saved, 1);
	else
		unsetenv("TZ");
	tzset();
	free(tz);
	free(saved);
}

/* The library takes any unknown name for UTC, so the file is looked at first. "right/" counts
 * leap seconds, which the rest of the system does not. */
static bool is_zone(const char *name, const char *path)
{
	char magic[4] = "";
	FILE *f;
	bool found;

	if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
		    strlen(name) ||
	    *name == '/' || strncmp(name, "right/", 6) == 0)
		return false;
	f = fopen(path, "re");
	found = f && fread(magic, 1, sizeof magic, f) == sizeof magic &&
		memcmp(magic, "TZif", sizeof magic) == 0;
	if (f)
		fclose(f);
	return found;
}

/* But for case, and for what stands between the city's words. */
static bool same_city(const char *known, const char *name)
{
	const char *city = strrchr(known, '/'), *asked = strrchr(name, '/');

	city = city ? city + 1 : known;
	asked = asked ? asked + 1 : name;
	for (; *city && *asked; city++, asked++) {
		if (tolower((unsigned char)*city) != tolower((unsigned char)*asked) &&
		    !(*city == '_' && strchr(" -_", *asked)))
			return false;
	}
	return !*city && !*asked;
}

/* tzdata.zi is the whole database as text: "Z NAME …" is a zone, "L TARGET NAME" another name. */
void zone_suggest(const char *name, char out[ZONE_NAME_SIZE])
{
	FILE *f = fopen(ZONE_DIR "tzdata.zi", "re");
	size_t least = SIZE_MAX;
	char line[256], *word;
	struct near near;

	*out = '\0';
	while (f && *name && fgets(line, sizeof line, f)) {
		if ((*line != 'Z' && *line != 'L') || line[1] != ' ')
			continue;
		line[strcspn(line, "\n")] = '\0';
		word = line + 2;
		if (*line == 'L')
			word += strcspn(word, " ") + 1;
		else
			word[strcspn(word, " ")] = '\0';
		near_init(&near, name);
		near_offer(&near, word);
		if (same_city(word, name) && (!near.word || near.distance > 1))
			near = (struct near){ .word = word, .distance = 1 };
		if (!near.word || near.distance >= least || strlen(word) >= ZONE_NAME_SIZE)
			continue;
		least = near.distance;
		snprintf(out, ZONE_NAME_SIZE, "%s", word);
	}
	if (f)
		fclose(f);
}

static int refuse(const char *name, struct err *e)
{
	char meant[ZONE_NAME_SIZE];

	zone_suggest(name, meant);
	if (*meant)
		return err_set(e, ERR_INVALID, "unknown time zone \"%.60s\"; did you mean %s?",
			       name, meant);
	return err_set(e, ERR_INVALID, "unknown time zone \"%.60s\"; write an IANA name such as "
		       "Europe/Berlin or UTC", name);
}

int zone_open(struct zone **ret, const char *name, struct err *e)
{
	char path[sizeof ZONE_DIR + NAME_MAX_BYTES];
	struct zone *z;
	bool utc = strcmp(name, "UTC") == 0;

	if (strlen(name) > NAME_MAX_BYTES)
		name = "";
	snprintf(path, sizeof path, ZONE_DIR "%s", name);
	if (!utc && !is_zone(name, path))
		return refuse(name, e);
	z = mem_zalloc(sizeof *z);
	z->name = mem_strdup(name);
	if (utc)
		add_period(z, INT64_MIN, 0);
	else
		collect_as(z, path);
	*ret = z;
	return 0;
}

void zone_close(struct zone *z)
{
	if (!z)
		return;
	free(z->periods);
	free(z->name);
	free(z);
}

const char *zone_name(const struct zone *z)
{
	return z->name;
}

/* Index of the period that utc_s lies in. */
static size_t period_at(const struct zone *z, int64_t utc_s)
{
	size_t low = 0, high = z->count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (z->periods[middle].start_s <= utc_s)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int64_t zone_local(const struct zone *z, int64_t utc_s)
{
	return utc_s + z->periods[period_at(z, utc_s)].offset_s;
}

/* The first period that does not end before its clocks show local_s is the one: they show it
 * there first, or the period already begins behind it. */
int64_t zone_first(const struct zone *z, int64_t local_s)
{
	size_t i = period_at(z, local_s - WIDEST_OFFSET_S);
	int64_t utc_s;

	while (i + 1 < z->count && local_s - z->periods[i].offset_s >= z->periods[i + 1].start_s)
		i++;
	utc_s = local_s - z->periods[i].offset_s;
	return utc_s > z->periods[i].start_s ? utc_s : z->periods[i].start_s;
}

int64_t zone_next_change(const struct zone *z, int64_t utc_s)
{
	size_t i = period_at(z, utc_s) + 1;

	return i < z->count ? z->periods[i].start_s : INT64_MAX;
}
