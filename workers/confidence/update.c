/* SPDX-License-Identifier: MIT */
#include "workers/confidence/update.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/area.h"
#include "common/market/occupation.h"
#include "common/market/score.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/confidence/evidence.h"

#define TEXT_MAX 255
#define ROWS_SHOWN 100

static const char SQL_WRITE[] =
	"INSERT INTO confidence_scores AS c (data_type, location, occupation, industry, sample_size_score,"
	" data_freshness_score, source_reliability_score, methodology_score, consistency_score,"
	" overall_confidence_score, year, cache_key, metadata)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
	" ON CONFLICT (data_type, location, occupation, industry, year, quarter) DO UPDATE SET"
	" sample_size_score = excluded.sample_size_score,"
	" data_freshness_score = excluded.data_freshness_score,"
	" source_reliability_score = excluded.source_reliability_score,"
	" methodology_score = excluded.methodology_score, consistency_score = excluded.consistency_score,"
	" overall_confidence_score = excluded.overall_confidence_score, cache_key = excluded.cache_key,"
	" metadata = excluded.metadata, updated_at = now()"
	" RETURNING to_jsonb(c)";

struct update {
	struct pg *pg;
	struct run *run;
	cJSON *rows;
	int64_t written;
};

struct part {
	char text[8];
};

static struct part part(double v)
{
	struct part p;

	snprintf(p.text, sizeof p.text, "%.2f", v);
	return p;
}

static int write_score(struct update *u, const struct evidence_group *g, const struct score *s,
		       const char *metadata, struct err *e)
{
	struct part sample = part(s->sample_size), fresh = part(s->freshness);
	struct part reliable = part(s->reliability), method = part(s->methodology);
	struct part consistent = part(s->consistency), overall = part(s->overall);
	struct pg_rows *rows = NULL;
	int64_t n =
		pg_run(u->pg, SQL_WRITE,
		       PG_PARAMS(PG_TEXT(g->data_type), PG_TEXT(g->location),
				 PG_TEXT(g->occupation), PG_TEXT(g->industry), PG_TEXT(sample.text),
				 PG_TEXT(fresh.text), PG_TEXT(reliable.text), PG_TEXT(method.text),
				 PG_TEXT(consistent.text), PG_TEXT(overall.text), PG_INT(g->year),
				 PG_TEXT(g->cache_key), PG_TEXT(metadata)),
		       &rows, e);

	if (n == 1 && u->written++ < ROWS_SHOWN)
		cJSON_AddItemToArray(u->rows, mem_check(cJSON_CreateRaw(pg_text(rows, 0, 0))));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

static int see_group(void *ctx, const struct evidence_group *g, struct err *e)
{
	struct update *u = ctx;
	struct score s;
	cJSON *why;
	char *text;
	int r;

	if (run_cancelled(u->run))
		return run_cancel_error(u->run, e);
	score_compute(g->evidence, g->count, &s);
	why = score_explain(&s, g->evidence);
	json_set_num(why, "sources", (double)g->count);
	text = json_print(why);
	cJSON_Delete(why);
	r = write_score(u, g, &s, text, e);
	free(text);
	return r;
}

static int read_text(const cJSON *args, const char *name, bool required, const char **ret,
		     struct err *e)
{
	const cJSON *v = json_get(args, name);

	if (!v && !required)
		return 0;
	if (!v || !cJSON_IsString(v) || !*v->valuestring || strlen(v->valuestring) > TEXT_MAX)
		return err_set(e, ERR_INVALID, "%s must be a text of 1 to %d bytes", name,
			       TEXT_MAX);
	*ret = v->valuestring;
	return 0;
}

static void warn(cJSON *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(cJSON *list, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(text)));
}

/* A name nobody knows may still stand in the tables as it is written. */
static void resolve(const char *location, const char *occupation, struct area *area,
		    struct occupation *job, struct evidence_query *q)
{
	*q = (struct evidence_query){
		.location = location, .location_given = location,
		.occupation = occupation, .occupation_given = occupation,
	};
	if (area_resolve(location, area, NULL) == 0)
		q->location = area->label;
	if (*occupation && occupation_resolve(occupation, job, NULL) == 0)
		q->occupation = job->name;
}

static cJSON *report(const struct update *u, const struct evidence_query *q, int64_t started_us,
		     cJSON *warnings)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	if (u->written == 0)
		warn(warnings, "no figures are stored for %.200s%s%.200s: nothing to score",
		     q->location, *q->occupation ? ", " : "", q->occupation);
	json_set_str(o, "status", "success");
	json_set_str(o, "location", q->location);
	json_set_str(o, "occupation", *q->occupation ? q->occupation : NULL);
	json_set_num(o, "scores_updated", (double)u->written);
	json_set(o, "confidence_scores", u->rows);
	json_set_num(o, "processing_time_ms", (double)((clock_mono_us() - started_us) / 1000));
	json_set(o, "warnings", warnings);
	return o;
}

int update_confidence_scores(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct update u = { .run = run };
	const char *location = "", *occupation = "";
	int64_t start = clock_mono_us();
	struct evidence_query q;
	struct occupation job;
	struct area area;
	int r = read_text(args, "location", true, &location, e);

	if (r == 0)
		r = read_text(args, "occupation", false, &occupation, e);
	if (r == 0)
		r = run_db(run, &u.pg, e);
	if (r < 0)
		return r;
	u.rows = mem_check(cJSON_CreateArray());
	resolve(location, occupation, &area, &job, &q);
	r = evidence_walk(u.pg, &q, see_group, &u, e);
	if (r < 0)
		cJSON_Delete(u.rows);
	else
		*ret_result = report(&u, &q, start, mem_check(cJSON_CreateArray()));
	return r < 0 ? r : 0;
}
