/* SPDX-License-Identifier: MIT */
#include "workers/ctl/bulk_line.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"

enum kind { TEXT, RAW, PRIORITY, DURATION, TIME, TIME_OR_DURATION, COUNTDOWN, OBJECT };

static const char *const WANTED[] = {
	[TEXT] = "a text",
	[RAW] = "",
	[PRIORITY] = "a number from 0 to 9",
	[DURATION] = "seconds, or a text such as \"10m\"",
	[TIME] = "a time such as \"2026-11-21T20:15:00+00:00\"",
	[TIME_OR_DURATION] = "seconds, a text such as \"10m\", or a time such as "
			     "\"2026-11-21T20:15:00+00:00\"",
	[COUNTDOWN] = "seconds, or a text such as \"10m\"",
	[OBJECT] = "an object",
};

static const struct key {
	const char *name;
	enum kind kind;
	size_t at; /* in struct send; RAW: in struct bulk_line */
} KEYS[] = {
	{ "task", TEXT, offsetof(struct send, task) },
	{ "id", TEXT, offsetof(struct send, id) },
	{ "queue", TEXT, offsetof(struct send, queue) },
	{ "args", RAW, offsetof(struct bulk_line, args) },
	{ "kwargs", RAW, offsetof(struct bulk_line, kwargs) },
	{ "priority", PRIORITY, offsetof(struct send, priority) },
	{ "eta", TIME, offsetof(struct send, eta_us) },
	{ "countdown", COUNTDOWN, offsetof(struct send, eta_us) },
	{ "expires", TIME_OR_DURATION, offsetof(struct send, expires_us) },
	{ "time_limit", DURATION, offsetof(struct send, hard_ms) },
	{ "soft_time_limit", DURATION, offsetof(struct send, soft_ms) },
	{ "unique_key", TEXT, offsetof(struct send, unique_key) },
	{ "unique_for", DURATION, offsetof(struct send, unique_for_ms) },
	{ "unique_mode", TEXT, offsetof(struct send, unique_mode) },
	{ "headers", OBJECT, offsetof(struct send, headers) },
};

static const struct key *find(const char *name)
{
	for (size_t i = 0; i < COUNT(KEYS); i++) {
		if (strcmp(KEYS[i].name, name) == 0)
			return &KEYS[i];
	}
	return NULL;
}

static int unknown(const char *name, struct err *e)
{
	struct near n;

	near_init(&n, name);
	for (size_t i = 0; i < COUNT(KEYS); i++)
		near_offer(&n, KEYS[i].name);
	if (n.word)
		return err_set(e, ERR_USAGE, "no key \"%.40s\"; did you mean %s?", name, n.word);
	return err_set(e, ERR_USAGE, "no key \"%.40s\"; jobfleet help enqueue lists them", name);
}

static bool duration(const cJSON *v, int64_t *ret_ms)
{
	static const double MOST_S = 1e9;

	if (cJSON_IsString(v))
		return scan_duration_ms(v->valuestring, ret_ms, NULL) == 0;
	if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > MOST_S)
		return false;
	*ret_ms = (int64_t)(v->valuedouble * 1000);
	return true;
}

static bool point(const cJSON *v, int64_t *ret_us)
{
	return cJSON_IsString(v) && clock_parse_iso(v->valuestring, ret_us, NULL) == 0;
}

static bool from_now(const cJSON *v, int64_t *ret_us)
{
	int64_t ms = 0;

	if (!duration(v, &ms))
		return false;
	*ret_us = clock_wall_us() + ms * 1000;
	return true;
}

static bool set_priority(struct send *s, const cJSON *v)
{
	s->priority = cJSON_IsNumber(v) ? v->valueint : -1;
	return cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= 9 &&
	       (double)v->valueint == v->valuedouble;
}

static bool set_pointer(void *at, const void *value)
{
	memcpy(at, &value, sizeof value);
	return value != NULL;
}

static bool set(struct bulk_line *l, const struct key *k, const cJSON *v)
{
	void *at = (char *)&l->send + k->at;

	switch (k->kind) {
	case TEXT: return set_pointer(at, cJSON_GetStringValue(v));
	case OBJECT: return set_pointer(at, cJSON_IsObject(v) ? v : NULL);
	case PRIORITY: return set_priority(&l->send, v);
	case DURATION: return duration(v, at);
	case TIME: return point(v, at);
	case COUNTDOWN: return from_now(v, at);
	case TIME_OR_DURATION: return point(v, at) || from_now(v, at);
	case RAW: return true;
	}
	return false;
}

static int read_keys(struct bulk_line *l, struct err *e)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, l->root) {
		const struct key *k = find(v->string);

		if (!k)
			return unknown(v->string, e);
		if (!cJSON_IsNull(v) && !set(l, k, v))
			return err_set(e, ERR_USAGE, "%s must be %s", k->name, WANTED[k->kind]);
	}
	if (json_get(l->root, "eta") && json_get(l->root, "countdown"))
		return err_set(e, ERR_USAGE, "countdown and eta say the same thing: give one");
	if (!l->send.task)
		return err_set(e, ERR_USAGE,
			       "\"task\" is missing, and the command line names none");
	return 0;
}

int bulk_line_read(struct bulk_line *l, const char *text, size_t len, const struct send *defaults,
		   struct err *e)
{
	struct err why = { 0 };
	int r;

	*l = (struct bulk_line){ .send = *defaults };
	if (json_parse(text, len, &l->root, &why) < 0)
		return err_set(e, ERR_USAGE, "%s", why.msg);
	if (!cJSON_IsObject(l->root))
		return err_set(e, ERR_USAGE, "a line must be a JSON object, such as "
			       "{\"task\": \"jobfleet.collect_jobs\", \"args\": [\"nurse\"]}");
	r = read_keys(l, e);
	if (r == 0 && json_raw_member(text, len, "args", &l->args, NULL) == 1)
		l->send.args = l->args;
	if (r == 0 && json_raw_member(text, len, "kwargs", &l->kwargs, NULL) == 1)
		l->send.kwargs = l->kwargs;
	return r;
}

void bulk_line_release(struct bulk_line *l)
{
	free(l->args);
	free(l->kwargs);
	cJSON_Delete(l->root);
	*l = (struct bulk_line){ 0 };
}
