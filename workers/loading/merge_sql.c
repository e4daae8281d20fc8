/* SPDX-License-Identifier: MIT */
#include "workers/loading/merge_sql.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/loading/column.h"

enum { SQL_MAX = 256 * 1024 };

#define RANGE(alias) alias ".place BETWEEN $1::int AND $2::int"

/* Best account first; s is load_staging. octet_length needs no unpacking. */
#define RANK \
	"s.quality_score * s.source_weight DESC, s.quality_score DESC," \
	" octet_length(s.description) DESC, s.job_index"

/* ---- companies ---- */

/* The first value by rank that says something. */
#define FIRST(column) \
	"(array_agg(" column " ORDER BY quality_score * source_weight DESC, job_index)" \
	" FILTER (WHERE " column " IS NOT NULL))[1]"
#define FILLED(column) column " = coalesce(c." column ", n." column ")"
#define GAINED(column) "(c." column " IS NULL AND n." column " IS NOT NULL)"

/* What the staged rows tell about companies; the last condition picks the companies. */
#define COMPANIES(condition) \
	"SELECT s.dedupe_company, s.is_demo, " FIRST("company") " AS name, " \
	FIRST("company_website") " AS website, " FIRST("company_logo") " AS logo_url, " \
	FIRST("company_type") " AS company_type, " FIRST("company_linkedin") " AS linkedin_url, " \
	FIRST("naics_code") " AS naics_code, " FIRST("naics_name") " AS naics_name" \
	" FROM pg_temp.load_staging s WHERE " RANGE("s") " AND s.dedupe_company <> '' AND " condition \
	" GROUP BY s.dedupe_company, s.is_demo"

static const char SQL_NEW_COMPANIES[] =
	"INSERT INTO public.companies (match_key, is_demo, name, website, logo_url, company_type,"
	" linkedin_url, naics_code, naics_name) "
	COMPANIES("NOT EXISTS (SELECT FROM public.companies c WHERE c.match_key = s.dedupe_company"
		  " AND c.is_demo = s.is_demo)")
	" ORDER BY 1, 2 ON CONFLICT (match_key, is_demo) DO NOTHING";

/* Locked in order first: two loads at once do not deadlock, and the loser looks again. */
static const char SQL_GAIN[] =
	"WITH n AS MATERIALIZED (" COMPANIES("EXISTS (SELECT FROM public.companies c"
		" WHERE c.match_key = s.dedupe_company AND c.is_demo = s.is_demo AND (c.website IS NULL"
		" OR c.logo_url IS NULL OR c.company_type IS NULL OR c.linkedin_url IS NULL"
		" OR c.naics_code IS NULL OR c.naics_name IS NULL))") "), locked AS MATERIALIZED ("
	"SELECT c.id FROM public.companies c JOIN n ON c.match_key = n.dedupe_company"
	" AND c.is_demo = n.is_demo WHERE " GAINED("website") " OR " GAINED("logo_url") " OR "
	GAINED("company_type") " OR " GAINED("linkedin_url") " OR " GAINED("naics_code") " OR "
	GAINED("naics_name") " ORDER BY c.match_key, c.is_demo FOR UPDATE OF c)"
	" UPDATE public.companies c SET " FILLED("website") ", " FILLED("logo_url") ", "
	FILLED("company_type") ", " FILLED("linkedin_url") ", " FILLED("naics_code") ", "
	FILLED("naics_name") ", last_seen = greatest(c.last_seen, now()) FROM locked, n"
	" WHERE c.id = locked.id AND n.dedupe_company = c.match_key AND n.is_demo = c.is_demo";

/* ---- rows of one load that are one posting ---- */

/* Of very many equal ones the best fill all that can be filled. */
#define FOLD_MAX "50"

static const char SQL_LEAD[] =
	"UPDATE pg_temp.load_staging s SET leader = r.leader, folds = r.rank <= " FOLD_MAX ","
	" outcome = CASE WHEN r.leader <> s.job_index THEN 'duplicate' END"
	" FROM (SELECT s.job_index, first_value(s.job_index) OVER"
	" of_key AS leader, row_number() OVER of_key AS rank"
	" FROM pg_temp.load_staging s JOIN (SELECT s.merge_key, s.is_demo"
	" FROM pg_temp.load_staging s WHERE " RANGE("s") " GROUP BY 1, 2 HAVING count(*) > 1) g"
	" USING (merge_key, is_demo) WHERE " RANGE("s")
	" WINDOW of_key AS (PARTITION BY s.merge_key, s.is_demo ORDER BY " RANK ")) r"
	" WHERE s.job_index = r.job_index";

static bool is_merged(const struct column *c)
{
	return c->merge != MERGE_KEY && c->merge != MERGE_STAGED;
}

static void put_group_value(struct buf *b, const struct column *c)
{
	const char *n = c->name;

	if (c->merge == MERGE_POSTED)
		buf_printf(b, "(array_agg(s.%s ORDER BY s.posted_at IS NULL, s.posted_exact DESC,"
			   " " RANK "))[1]", n);
	else if (c->merge == MERGE_PAY)
		buf_printf(b, "(array_agg(s.%s ORDER BY (s.salary_min IS NULL"
			   " AND s.salary_max IS NULL), " RANK "))[1]", n);
	else if (c->merge == MERGE_NOTES)
		buf_printf(b, "jobfleet.join_notes((array_agg(s.%s ORDER BY " RANK "))[1],"
			   " (array_agg(s.%s ORDER BY (s.salary_min IS NULL AND s.salary_max IS NULL),"
			   " " RANK "))[1])", n, n);
	else if (c->merge == MERGE_END)
		buf_printf(b, "coalesce((array_agg(s.%s ORDER BY " RANK "))[1], (array_agg(s.%s"
			   " ORDER BY " RANK ") FILTER (WHERE s.%s > now()))[1])", n, n, n);
	else if (!c->absent)
		buf_printf(b, "(array_agg(s.%s ORDER BY s.%s IS NULL, " RANK "))[1]", n, n);
	else if (c->kind == COLUMN_LIST_OF_TEXTS)
		buf_printf(b, "(SELECT l.%s FROM pg_temp.load_staging l WHERE l.job_index ="
			   " (array_agg(s.job_index ORDER BY s.%s = '%s', " RANK "))[1])", n, n,
			   c->absent);
	else
		buf_printf(b, "(array_agg(s.%s ORDER BY s.%s = '%s', " RANK "))[1]", n, n,
			   c->absent);
}

/* What names the leading account is that account's own. */
static bool is_leaders_own(const struct column *c)
{
	static const char *const OWN[] = { "api_provider", "publisher", "external_id",
					   "quality_score", "rules_version", "raw_data" };

	for (size_t i = 0; i < COUNT(OWN); i++)
		if (!strcmp(c->name, OWN[i]))
			return true;
	return !is_merged(c);
}

static char *fold_statement(void)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "UPDATE pg_temp.load_staging l SET sources = n.sources");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (!is_leaders_own(&COLUMNS[i]))
			buf_printf(&b, ", %s = g.%s", COLUMNS[i].name, COLUMNS[i].name);
	buf_puts(&b, " FROM (SELECT s.leader, array_agg(DISTINCT coalesce(s.publisher,"
		 " s.api_provider)) AS sources FROM pg_temp.load_staging s WHERE " RANGE("s")
		 " AND s.leader IS NOT NULL GROUP BY s.leader) n JOIN (SELECT s.leader");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (!is_leaders_own(&COLUMNS[i])) {
			buf_puts(&b, ", ");
			put_group_value(&b, &COLUMNS[i]);
			buf_printf(&b, " AS %s", COLUMNS[i].name);
		}
	buf_puts(&b, " FROM pg_temp.load_staging s WHERE " RANGE("s") " AND s.folds"
		 " GROUP BY s.leader) g USING (leader) WHERE l.job_index = g.leader");
	return buf_take(&b);
}

/* ---- postings ---- */

static const char SQL_MATCH[] =
	"UPDATE pg_temp.load_staging s SET job_id = j.id, company_id = c.id"
	" FROM pg_temp.load_staging t"
	" LEFT JOIN public.enhanced_jobs j ON j.dedupe_key = t.merge_key AND j.is_demo = t.is_demo"
	" LEFT JOIN public.companies c ON c.match_key = t.dedupe_company AND c.is_demo = t.is_demo"
	" WHERE " RANGE("t") " AND t.outcome IS NULL AND s.job_index = t.job_index";

/* The rule for links of workers/processing/dedupe.h, at its strictest; a posting takes one row. */
static const char SQL_MEET[] =
	"UPDATE pg_temp.load_staging s SET job_id = f.id FROM (SELECT DISTINCT ON (m.id) m.* FROM ("
	"SELECT DISTINCT ON (t.job_index) t.job_index, j.id FROM pg_temp.load_staging t"
	" JOIN public.processed_job_data p ON p.processing_id = $4::uuid AND p.job_index = t.job_index"
	" AND p.repost_of IS NULL JOIN public.enhanced_jobs j ON j.apply_key = t.apply_key"
	" AND j.is_demo = t.is_demo AND j.seniority = t.seniority AND (j.dedupe_title = t.dedupe_title"
	" OR j.dedupe_company = t.dedupe_company AND string_to_array(j.dedupe_title, ' ') &&"
	" string_to_array(t.dedupe_title, ' ')) AND j.dedupe_location = t.dedupe_location"
	" AND right(j.dedupe_key, 36) <> j.id::text WHERE " RANGE("t") " AND t.outcome IS NULL"
	" AND t.job_id IS NULL ORDER BY t.job_index, j.last_seen DESC) m ORDER BY m.id, m.job_index) f"
	" WHERE s.job_index = f.job_index AND NOT EXISTS (SELECT FROM pg_temp.load_staging x WHERE "
	RANGE("x") " AND x.job_id = f.id)";

static char *insert_statement(void)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "WITH made AS (INSERT INTO public.enhanced_jobs (id, dedupe_key,"
		 " source_collection_id, source_processing_id, sources, source_weight, company_id,"
		 " embedding, embedding_model, near_keys, repost_of, first_seen, last_seen");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (COLUMNS[i].merge != MERGE_STAGED)
			buf_printf(&b, ", %s", COLUMNS[i].name);
	buf_puts(&b, ") SELECT s.id, s.merge_key, nullif($3, '')::uuid, $4::uuid, s.sources,"
		 " s.source_weight, s.company_id, p.embedding, p.embedding_model, p.near_keys,"
		 " p.repost_of, $5::timestamptz, $5::timestamptz");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (COLUMNS[i].merge != MERGE_STAGED)
			buf_printf(&b, ", s.%s", COLUMNS[i].name);
	buf_puts(&b, " FROM pg_temp.load_staging s JOIN public.processed_job_data p"
		 " ON p.processing_id = $4::uuid AND p.job_index = s.job_index WHERE " RANGE("s")
		 " AND s.outcome IS NULL AND s.job_id IS NULL ORDER BY s.merge_key, s.is_demo"
		 " ON CONFLICT (dedupe_key, is_demo) DO NOTHING RETURNING id)"
		 " UPDATE pg_temp.load_staging s SET job_id = made.id, outcome = 'inserted'"
		 " FROM made WHERE s.id = made.id");
	return buf_take(&b);
}

static const char SQL_RACED[] =
	"SELECT FROM pg_temp.load_staging s WHERE " RANGE("s")
	" AND s.outcome IS NULL AND s.job_id IS NULL";

/* By the rules in merge.h; o tells of the accounts that were seen before this load. */
#define ACCOUNTS \
	" CROSS JOIN LATERAL (SELECT bool_and(k.own) AS alone," \
	" max(k.last_seen) FILTER (WHERE k.own) AS last_seen" \
	" FROM (SELECT k.last_seen, k.api_provider = s.api_provider" \
	" AND k.publisher IS NOT DISTINCT FROM s.publisher" \
	" AND k.external_id IS NOT DISTINCT FROM s.external_id AS own" \
	" FROM public.job_sources k WHERE k.job_id = s.job_id) k) o"
#define SAME_SOURCE \
	"(s.api_provider = j.api_provider AND s.publisher IS NOT DISTINCT FROM j.publisher" \
	" AND s.external_id IS NOT DISTINCT FROM j.external_id)"
#define SEEN "$5::timestamptz"
#define NO_OLDER "(" SEEN " < o.last_seen) IS NOT TRUE"
#define WINS \
	"(" NO_OLDER " AND CASE WHEN NOT " SAME_SOURCE \
	" THEN s.quality_score * s.source_weight > j.quality_score * j.source_weight" \
	" ELSE s.rules_version >= j.rules_version" \
	" OR " SEEN " > coalesce(o.last_seen, j.last_seen) END)"
#define REPLACES "(" SAME_SOURCE " AND o.alone AND " WINS ")"
#define IS_PAST "(" SAME_SOURCE " AND s.leader IS NULL AND NOT " WINS ")"
#define NEWER_RULES "(" SAME_SOURCE " AND s.rules_version > j.rules_version AND " WINS ")"
#define HAS_PAY_NEW "(s.salary_min IS NOT NULL OR s.salary_max IS NOT NULL)"
#define HAS_PAY_KNOWN "(j.salary_min IS NOT NULL OR j.salary_max IS NOT NULL)"

#define PAY_WINS HAS_PAY_NEW " AND (" WINS " OR NOT " HAS_PAY_KNOWN ")"

/* What is known of an end may be another account's: past, it is none to an account that wins, nor
 * to an answer that showed the posting after it. */
#define END \
	"CASE WHEN " IS_PAST " THEN j.expires_at WHEN " REPLACES " THEN s.expires_at" \
	" WHEN " WINS " THEN coalesce(s.expires_at," \
	" CASE WHEN j.expires_at > now() THEN j.expires_at END)" \
	" WHEN j.expires_at > now() THEN j.expires_at" \
	" WHEN s.expires_at > now() THEN s.expires_at" \
	" WHEN s.expires_at IS NULL AND " SEEN " > j.expires_at THEN NULL" \
	" ELSE j.expires_at END"

/* A key that nobody has, for a posting that has not given its own up (retire_reposted). */
#define REKEYS \
	"(" NEWER_RULES " AND s.dedupe_key <> j.dedupe_key AND right(j.dedupe_key, 36) <> j.id::text" \
	" AND NOT EXISTS (SELECT FROM public.enhanced_jobs x WHERE x.dedupe_key = s.dedupe_key" \
	" AND x.is_demo = s.is_demo))"

static void put_chosen(struct buf *b, const struct column *c)
{
	const char *n = c->name;

	if (c->merge == MERGE_PAY)
		buf_printf(b, "CASE WHEN " PAY_WINS " THEN s.%s ELSE j.%s END", n, n);
	else if (c->merge == MERGE_NOTES)
		buf_printf(b, "jobfleet.join_notes(CASE WHEN " WINS " THEN s.%s ELSE j.%s END,"
			   " CASE WHEN " PAY_WINS " THEN s.%s ELSE j.%s END)", n, n, n, n);
	else if (c->merge == MERGE_POSTED)
		buf_printf(b, "CASE WHEN j.posted_at IS NULL OR (s.posted_exact AND " WINS ")"
			   " THEN s.%s ELSE j.%s END", n, n);
	else if (c->merge == MERGE_END)
		buf_puts(b, END);
	else if (is_leaders_own(c))
		buf_printf(b, "CASE WHEN " WINS " THEN s.%s ELSE j.%s END", n, n);
	else if (!c->absent)
		buf_printf(b, "CASE WHEN " WINS " THEN coalesce(s.%s, j.%s)"
			   " ELSE coalesce(j.%s, s.%s) END", n, n, n, n);
	else
		buf_printf(b, "CASE WHEN s.%s = '%s' THEN j.%s WHEN " WINS " OR j.%s = '%s'"
			   " THEN s.%s ELSE j.%s END", n, c->absent, n, n, c->absent, n, n);
}

static void put_merged(struct buf *b, const struct column *c)
{
	buf_printf(b, "CASE WHEN " IS_PAST " THEN j.%s WHEN %s THEN s.%s ELSE ", c->name,
		   c->merge == MERGE_POSTED ? REPLACES " AND " NEWER_RULES : REPLACES, c->name);
	put_chosen(b, c);
	buf_puts(b, " END");
}

/* The columns that make a posting another one when they change. The others follow them: raw_data
 * differs between any two answers, and alone is no news. */
static bool is_telling(const struct column *c)
{
	return is_merged(c) && strcmp(c->name, "raw_data") != 0 &&
		strcmp(c->name, "metadata") != 0 && strcmp(c->name, "external_id") != 0 &&
		strcmp(c->name, "api_provider") != 0 && strcmp(c->name, "publisher") != 0;
}

/* Expired, but seen within the time that keeps a posting, by an account that knows no past end. */
#define IS_BACK \
	"(j.status = 'expired' AND " SEEN " > now() - $6::int * interval '1 second'" \
	" AND coalesce(s.expires_at, 'infinity') > now()" \
	" AND coalesce(" END ", 'infinity') > now())"

static char *changed_statement(void)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "WITH changed AS MATERIALIZED (SELECT s.job_index FROM pg_temp.load_staging s"
		 " JOIN public.enhanced_jobs j ON j.id = s.job_id" ACCOUNTS " WHERE " RANGE("s")
		 " AND s.outcome IS NULL AND (NOT s.sources <@ j.sources OR " IS_BACK " OR " REKEYS
		 " OR j.company_id IS NULL AND s.company_id IS NOT NULL");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (is_telling(&COLUMNS[i])) {
			buf_printf(&b, " OR j.%s IS DISTINCT FROM ", COLUMNS[i].name);
			put_merged(&b, &COLUMNS[i]);
		}
	buf_puts(&b, ") ORDER BY j.dedupe_key, j.is_demo FOR UPDATE OF j)"
		 " UPDATE pg_temp.load_staging s SET outcome = 'updated' FROM changed"
		 " WHERE s.job_index = changed.job_index");
	return buf_take(&b);
}

static const char SQL_LEAVE[] =
	"INSERT INTO jobfleet.pay_left (country, state, city, occupation, year)"
	" SELECT DISTINCT b.country, b.state, b.city, b.occupation, b.year"
	" FROM pg_temp.load_staging s JOIN jobfleet.posting_pay b ON b.id = s.job_id"
	" WHERE " RANGE("s") " AND s.outcome = 'updated'";

static char *update_statement(void)
{
	static const char *const KEYS[] = { "dedupe_key", "dedupe_title", "dedupe_company",
					    "dedupe_location" };
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "UPDATE public.enhanced_jobs j SET sources = CASE WHEN s.sources <@ j.sources"
		 " THEN j.sources ELSE (SELECT array_agg(DISTINCT x ORDER BY x)"
		 " FROM unnest(j.sources || s.sources) x) END,"
		 " last_seen = greatest(j.last_seen, $5::timestamptz), times_seen = j.times_seen + 1,"
		 " status = CASE WHEN " IS_BACK " THEN 'active' ELSE j.status END,"
		 " company_id = coalesce(j.company_id, s.company_id),"
		 " near_keys = coalesce(j.near_keys, p.near_keys),"
		 " embedding = CASE WHEN " WINS " THEN coalesce(p.embedding, j.embedding)"
		 " ELSE j.embedding END, embedding_model = CASE WHEN " WINS " AND p.embedding IS NOT"
		 " NULL THEN p.embedding_model ELSE j.embedding_model END,"
		 " source_weight = CASE WHEN " WINS " THEN s.source_weight ELSE j.source_weight END,"
		 " source_collection_id = CASE WHEN " WINS " THEN nullif($3, '')::uuid"
		 " ELSE j.source_collection_id END, source_processing_id = CASE WHEN " WINS
		 " THEN $4::uuid ELSE j.source_processing_id END");
	for (size_t i = 0; i < COUNT(KEYS); i++)
		buf_printf(&b, ", %s = CASE WHEN " REKEYS " THEN s.%s ELSE j.%s END", KEYS[i],
			   KEYS[i], KEYS[i]);
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (is_merged(&COLUMNS[i])) {
			buf_printf(&b, ", %s = ", COLUMNS[i].name);
			put_merged(&b, &COLUMNS[i]);
		}
	buf_puts(&b, " FROM pg_temp.load_staging s JOIN public.processed_job_data p"
		 " ON p.processing_id = $4::uuid AND p.job_index = s.job_index" ACCOUNTS
		 " WHERE j.id = s.job_id AND s.outcome = 'updated' AND " RANGE("s"));
	return buf_take(&b);
}

/* ---- where they were seen, and what became of the rows ---- */

static const char SQL_FOLLOW[] =
	"UPDATE pg_temp.load_staging s SET job_id = l.job_id FROM pg_temp.load_staging l"
	" WHERE " RANGE("s") " AND s.outcome = 'duplicate' AND l.job_index = s.leader";

/* A sighting that is recorded already is not written again. */
static const char SQL_SOURCES[] =
	"INSERT INTO public.job_sources AS o (job_id, api_provider, publisher, external_id,"
	" apply_url, collection_id, processing_id, job_index, posted_at, weight, quality_score,"
	" first_seen, last_seen)"
	" SELECT DISTINCT ON (s.job_id, s.api_provider, s.publisher, s.external_id) s.job_id,"
	" s.api_provider, s.publisher, s.external_id, s.apply_url, nullif($3, '')::uuid, $4::uuid,"
	" s.job_index, s.posted_at, s.source_weight, s.quality_score, $5::timestamptz,"
	" $5::timestamptz FROM pg_temp.load_staging s WHERE " RANGE("s")
	" AND (s.outcome = 'inserted' OR NOT EXISTS (SELECT FROM public.job_sources k"
	" WHERE k.job_id = s.job_id AND k.api_provider = s.api_provider"
	" AND k.publisher IS NOT DISTINCT FROM s.publisher"
	" AND k.external_id IS NOT DISTINCT FROM s.external_id"
	" AND k.collection_id = nullif($3, '')::uuid))"
	" ORDER BY s.job_id, s.api_provider, s.publisher, s.external_id, s.job_index"
	" ON CONFLICT ON CONSTRAINT job_sources_once DO UPDATE SET"
	" last_seen = greatest(o.last_seen, excluded.last_seen),"
	" times_seen = o.times_seen + 1, collection_id = excluded.collection_id,"
	" processing_id = excluded.processing_id, job_index = excluded.job_index,"
	" apply_url = coalesce(excluded.apply_url, o.apply_url), weight = excluded.weight,"
	" quality_score = excluded.quality_score,"
	" posted_at = coalesce(excluded.posted_at, o.posted_at)";

/* loaded: the row that made or changed a posting; duplicate: one that repeats it. */
static const char SQL_STATUS[] =
	"UPDATE public.processed_job_data p SET job_id = s.job_id, loaded_at = now(),"
	" load_error = NULL, load_status ="
	" CASE WHEN s.outcome IN ('inserted', 'updated') THEN 'loaded' ELSE 'duplicate' END,"
	" duplicate_of = CASE WHEN s.outcome = 'inserted' THEN NULL ELSE s.job_id END"
	" FROM pg_temp.load_staging s WHERE p.processing_id = $4::uuid"
	" AND p.job_index = s.job_index AND " RANGE("s");

static const char SQL_RETIRE[] =
	"SELECT jobfleet.retire_reposted($4::uuid, s.job_index, s.job_index)"
	" FROM pg_temp.load_staging s JOIN public.processed_job_data p"
	" ON p.processing_id = $4::uuid AND p.job_index = s.job_index"
	" WHERE " RANGE("s") " AND p.repost_of IS NOT NULL ORDER BY s.place";

/* A statement may only have parameters that it mentions, so they are numbered anew: $n, n being
 * that of enum merge_param and one more, becomes the place among its own. */
static void number_params(struct merge_sql *m)
{
	for (char *p = strchr(m->text, '$'); p; p = strchr(p + 1, '$')) {
		enum merge_param param = (enum merge_param)(p[1] - '1');
		int i = 0;

		while (i < m->nparams && m->params[i] != param)
			i++;
		if (i == m->nparams)
			m->params[m->nparams++] = param;
		p[1] = (char)('1' + i);
	}
}

void merge_sql_init(struct merge_sql *all)
{
	char *const texts[MERGE_STEPS] = {
		[MERGE_RETIRE] = mem_strdup(SQL_RETIRE),
		[MERGE_LEAD] = mem_strdup(SQL_LEAD),
		[MERGE_FOLD] = fold_statement(),
		[MERGE_NEW_COMPANIES] = mem_strdup(SQL_NEW_COMPANIES),
		[MERGE_GAIN] = mem_strdup(SQL_GAIN),
		[MERGE_MATCH] = mem_strdup(SQL_MATCH),
		[MERGE_MEET] = mem_strdup(SQL_MEET),
		[MERGE_INSERT] = insert_statement(),
		[MERGE_RACED] = mem_strdup(SQL_RACED),
		[MERGE_CHANGED] = changed_statement(),
		[MERGE_LEAVE] = mem_strdup(SQL_LEAVE),
		[MERGE_UPDATE] = update_statement(),
		[MERGE_FOLLOW] = mem_strdup(SQL_FOLLOW),
		[MERGE_SOURCES] = mem_strdup(SQL_SOURCES),
		[MERGE_STATUS] = mem_strdup(SQL_STATUS),
	};

	for (int i = 0; i < MERGE_STEPS; i++) {
		all[i] = (struct merge_sql){ .text = texts[i] };
		number_params(&all[i]);
	}
}

void merge_sql_release(struct merge_sql *all)
{
	for (int i = 0; i < MERGE_STEPS; i++)
		free(all[i].text);
}
