/* SPDX-License-Identifier: MIT */
#include "workers/salary/source.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/fallback.h"

size_t source_areas(const struct area *asked, struct source_area out[SOURCE_AREAS])
{
	size_t n = 0;

	out[n++] = (struct source_area){ *asked, 0 };
	while (asked->level != AREA_FOREIGN && out[n - 1].area.level != AREA_NATION &&
	       n < SOURCE_AREAS) {
		out[n] = (struct source_area){ area_widen(&out[n - 1].area), (int)n };
		n++;
	}
	return n;
}

bool source_ends_task(int code)
{
	return code == -ERR_CANCELLED || code == -ERR_SOFT_LIMIT || code == -ERR_DB ||
	       code == -ERR_SCHEMA || code == -ERR_INTERNAL;
}

static bool lacks_key(const struct talk *t)
{
	const struct conf_source *s = ask_source(t->run, t->source);

	return s && s->key_required && !ask_key(t->run, t->source);
}

void source_note(const struct talk *t, struct findings *f, bool found, const char *says)
{
	bool refused = t->code == -ERR_PARKED || t->code == -ERR_QUOTA ||
		       t->code == -ERR_AGAIN || t->code == -ERR_LIMITED;

	if (t->code == 0)
		findings_note(f, t->source, "ok", says);
	else if (found)
		findings_note(f, t->source, "ok", t->err.msg);
	else
		findings_note(f, t->source, refused && !t->sent ? "skipped" : "failed", t->err.msg);
	if (t->code == -ERR_PARKED && lacks_key(t))
		json_set_bool(cJSON_GetObjectItemCaseSensitive(f->sources, t->source),
			      "key_missing", true);
	f->failed |= t->code < 0;
}

static const struct source_side *const SOURCES[] = { &SOURCE_BLS, &SOURCE_FRED, &SOURCE_CENSUS,
						     &SOURCE_INDEED };

static int unknown_abroad(const struct request *r, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "location \"%s\" is outside the United States (%s): BLS, Census and FRED have no "
		       "figures for it, and too few of our own postings give pay there",
		       r->area.label, area_name(&r->area));
}

int source_all(struct run *run, const struct request *r, struct findings *f, struct err *e)
{
	bool abroad = r->area.level == AREA_FOREIGN;
	struct talk talks[COUNT(SOURCES)] = { 0 };
	int code;

	for (size_t i = 0; i < COUNT(SOURCES); i++) {
		if (!ask_source(run, SOURCES[i]->name) || abroad ||
		    (SOURCES[i]->single && ask_is_from_shelf()))
			continue;
		talk_init(&talks[i], run, SOURCES[i]->name, SOURCES[i]->hear, NULL);
		SOURCES[i]->begin(&talks[i], r);
	}
	code = talk_listen(run, e);
	for (size_t i = 0; i < COUNT(SOURCES); i++) {
		if (!talks[i].of)
			continue;
		SOURCES[i]->end(&talks[i], r, f);
		if (code >= 0 && source_ends_task(talks[i].code)) {
			code = talks[i].code;
			*e = talks[i].err;
		}
	}
	if (code >= 0)
		code = source_postings(run, r, f, e);
	if (code >= 0 && f->nbenchmarks == 0 && abroad)
		return unknown_abroad(r, e);
	if (code >= 0 && f->nbenchmarks == 0)
		fallback_add(r, f);
	return code;
}
