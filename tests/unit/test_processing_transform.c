/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <math.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/processing/employment.h"
#include "workers/processing/posting.h"
#include "workers/processing/transform.h"

static const char LABELS[] = "tests/providers/data/labels.json";
static const char OWN[] = "tests/providers/data/jsearch/*.json";
static const char REAL[] = "../shared/samples/jsearch/*.json";

static struct transform_context context_of(const char *source)
{
	return (struct transform_context){
		.source = source_find(source),
		.asked_country = "us",
		.reference_us = INT64_C(1795219200) * 1000000,
		.skills = true,
	};
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	size_t n;

	if (!f)
		return NULL;
	text = mem_alloc(32 << 20);
	n = fread(text, 1, (32 << 20) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static struct raw rows_of(const char *text)
{
	struct raw whole = RAW_NONE;

	assert_true(raw_whole(text, strlen(text), &whole, NULL));
	return source_rows(source_find("jsearch"), whole);
}

static cJSON *read_json(const char *path)
{
	char *text = read_file(path);
	cJSON *value = text ? cJSON_Parse(text) : NULL;

	free(text);
	return value;
}

static int transform(const char *json, struct posting *p, struct refusal *r)
{
	struct transform_context context = context_of("jsearch");

	*r = (struct refusal){ 0 };
	return transform_row(&context, (struct raw){ json, strlen(json) }, p, r);
}

static void a_row_without_title_or_employer_is_refused_by_name(void **state)
{
	static const struct {
		const char *row, *message;
	} CASES[] = {
		{ "{}", "Missing required field: job_title" },
		{ "{\"job_title\":null,\"employer_name\":\"A\"}", "Missing required field: job_title" },
		{ "{\"job_title\":\" \\n\",\"employer_name\":\"A\"}", "Missing required field: job_title" },
		{ "{\"job_title\":\"Baker\"}", "Missing required field: employer_name" },
		{ "{\"job_title\":\"Baker\",\"employer_name\":\"--\"}", "Missing required field: employer_name" },
		{ "{\"job_title\":[1],\"employer_name\":\"A\"}", "Wrong type, expected a string: job_title" },
		{ "{\"job_title\":\"Baker\",\"employer_name\":7}", "Wrong type, expected a string: employer_name" },
		{ "[]", "Wrong type, expected an object: row" }, { "null", "Wrong type, expected an object: row" },
		{ "\"x\"", "Wrong type, expected an object: row" },
	};
	struct posting p;
	struct refusal r;

	(void)state;
	posting_init(&p);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(transform(CASES[i].row, &p, &r), -1);
		assert_string_equal(r.message, CASES[i].message);
		assert_string_equal(refusal_name(r.type), "schema_validation");
	}
	posting_release(&p);
}

static const char FULL[] =
	"{\"job_id\":\"abc==\",\"job_title\":\"Sr. Backend Dev "
	"(Remote)\",\"employer_name\":\"Acme, Inc.\","
	"\"job_publisher\":\"Indeed\",\"job_city\":\"Austin\",\"job_state\":\"Texas\",\"job_country\":\"US\","
	"\"job_latitude\":\"30.27\",\"job_longitude\":-97.74,\"job_is_remote\":\"false\","
	"\"job_employment_type\":\"Full\\u2011time and Contractor\",\"job_posted_at\":\"3 days "
	"ago\","
	"\"job_description\":\"<p>We use Go, Python &amp; C.</p><ul><li>Ship</li></ul>\","
	"\"job_min_salary\":150000,\"job_max_salary\":\"120,000.50\",\"job_salary_period\":\"YEAR\","
	"\"job_apply_link\":null,\"apply_options\":[{\"apply_link\":\"x\"},"
	"{\"apply_link\":\"https://jobs.example.com/view/1234?utm_source=a\"}],"
	"\"job_benefits\":[\"dental_coverage\",5],\"job_required_experience\":{\"required_experience_in_months\":36},"
	"\"job_required_education\":{\"bachelors_degree\":true},\"employer_website\":\"ftp://bad\",\"surprise\":{}}";

static void a_full_row_becomes_a_posting(void **state)
{
	struct posting p;
	struct refusal r;
	struct buf out;
	cJSON *json;

	(void)state;
	posting_init(&p);
	buf_init(&out, 1 << 20);
	assert_int_equal(transform(FULL, &p, &r), 0);
	assert_string_equal(p.title, "Sr. Backend Dev");
	assert_string_equal(buf_text(&p.description), "We use Go, Python & C.\n\n• Ship");
	posting_json(&p, NULL, &out);
	json = cJSON_Parse(buf_text(&out));
	assert_non_null(json);
	assert_string_equal(json_str(json, "state", ""), "TX");
	assert_string_equal(json_str(json, "remote", ""), "remote");
	assert_string_equal(json_str(json, "seniority", ""), "senior");
	assert_string_equal(json_str(json, "salary_currency", ""), "USD");
	assert_true(json_num(json, "salary_min", 0) == 120000.5 &&
		    json_num(json, "salary_max", 0) == 150000);
	assert_string_equal(json_str(json, "apply_url", ""),
			    "https://jobs.example.com/view/1234?utm_source=a");
	assert_string_equal(json_str(json, "apply_key", ""), "jobs.example.com/view/1234");
	assert_string_equal(json_str(json, "dedupe_key", ""),
			    "senior back end developer|acme|austin,tx,us");
	assert_string_equal(json_str(json, "merge_key", ""), json_str(json, "dedupe_key", "x"));
	assert_string_equal(json_str(json, "education", ""), "bachelors");
	assert_int_equal(json_int(json, "experience_months", 0), 36);
	assert_int_equal(cJSON_GetArraySize(json_get(json, "skills")), 3);
	assert_int_equal(cJSON_GetArraySize(json_get(json, "benefits")), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(json, "employment_types")), 2);
	assert_null(json_get(json, "company_website"));
	assert_string_equal(json_str(json_get(json, "raw_data"), "job_id", ""), "abc==");
	cJSON_Delete(json);
	buf_release(&out);
	posting_release(&p);
}

static void members_of_any_type_are_survived(void **state)
{
	static const char *const VALUES[] = { "null",
					      "true",
					      "-1",
					      "1e308",
					      "\"\"",
					      "\"x\\uD83D\\uDE00\"",
					      "[]",
					      "[[]]",
					      "{}",
					      "{\"Benefits\":[1,null,\"$1\"]}",
					      "[\"a\",null,{}]" };
	static const char *const NAMES[] = {
		"apply_options", "job_apply_link", "job_benefits", "job_city", "job_country", "job_description",
		"job_employment_type", "job_employment_types", "job_highlights", "job_id", "job_is_remote",
		"job_latitude", "job_location", "job_longitude", "job_max_salary", "job_min_salary",
		"job_offer_expiration_timestamp", "job_onet_soc", "job_posted_at", "job_posted_at_datetime_utc",
		"job_posted_at_timestamp", "job_posting_language", "job_publisher", "job_required_education",
		"job_required_experience", "job_required_skills", "job_salary", "job_salary_currency",
		"job_salary_period", "job_salary_string", "job_state", "employer_logo", "job_naics_code",
	};
	struct posting p;
	struct refusal r;
	struct buf row, out;

	(void)state;
	posting_init(&p);
	buf_init(&row, 1 << 20);
	buf_init(&out, 1 << 20);
	for (size_t v = 0; v < COUNT(VALUES); v++)
		for (size_t n = 0; n < COUNT(NAMES); n++) {
			cJSON *json;

			buf_clear(&row);
			buf_clear(&out);
			buf_printf(&row,
				   "{\"job_title\":\"Baker\",\"employer_name\":\"Acme\",\"%s\":%s}",
				   NAMES[n], VALUES[v]);
			assert_int_equal(transform(buf_text(&row), &p, &r), 0);
			posting_json(&p, "k", &out);
			json = cJSON_Parse(buf_text(&out));
			assert_non_null(json);
			cJSON_Delete(json);
		}
	buf_release(&row);
	buf_release(&out);
	posting_release(&p);
}

/* Every row of every file: a posting whose JSON parses, or a refusal with its reason. */
static void run_files(const char *pattern, int *ret_loaded, int *ret_refused)
{
	glob_t files;
	struct posting p;
	struct buf out;

	*ret_loaded = *ret_refused = 0;
	posting_init(&p);
	buf_init(&out, 8 << 20);
	if (glob(pattern, 0, NULL, &files))
		files.gl_pathc = 0;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct transform_context context = context_of("jsearch");
		char *text = read_file(files.gl_pathv[i]);
		struct raw_walk w = raw_walk(rows_of(text));
		struct raw row;

		while (raw_next(&w, NULL, &row)) {
			struct refusal r = { 0 };
			cJSON *json;

			if (transform_row(&context, row, &p, &r) < 0) {
				assert_true(r.type != REFUSAL_NONE && r.message[0]);
				++*ret_refused;
				continue;
			}
			buf_clear(&out);
			posting_json(&p, NULL, &out);
			json = cJSON_Parse(buf_text(&out));
			assert_non_null(json);
			cJSON_Delete(json);
			++*ret_loaded;
		}
		free(text);
	}
	globfree(&files);
	buf_release(&out);
	posting_release(&p);
}

static void every_real_posting_is_loaded_or_refused_with_its_reason(void **state)
{
	int loaded, refused;

	(void)state;
	run_files(REAL, &loaded, &refused);
	if (loaded + refused == 0)
		skip();
	print_message("real: %d postings, %d refused\n", loaded, refused);
	assert_true(loaded >= 14);
	assert_true(refused <= 1);	/* the salary answer's row, which is no posting */
}

static void the_bundled_rows_are_refused_exactly_as_labelled(void **state)
{
	cJSON *labels = read_json(LABELS);
	int loaded, refused;

	(void)state;
	if (!labels)
		skip();
	run_files(OWN, &loaded, &refused);
	assert_int_equal(refused, cJSON_GetArraySize(json_get(labels, "refused")));
	assert_int_equal(loaded, cJSON_GetArraySize(json_get(labels, "postings")));
	cJSON_Delete(labels);
}

/* One labelled posting and what became of its row. */
struct score {
	int title, company, city, country, workplace, level, pay, total, levels;
	int skills_right, skills_extra, skills_missing;
};

static bool same_pay(const cJSON *want, const struct pay *p)
{
	const char *period = p->ranges ? pay_period_name(p->period) : NULL;

	return fabs((want ? json_num(want, "min", 0) : 0) * 100 - (double)p->min_cents) < 1 &&
		fabs((want ? json_num(want, "max", 0) : 0) * 100 - (double)p->max_cents) < 1 &&
		!strcmp(want ? json_str(want, "period", "") : "", period ? period : "") &&
		!strcmp(want ? json_str(want, "currency", "") : "", p->currency);
}

static bool is_listed(const cJSON *list, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (!strcasecmp(item->valuestring, name))
			return true;
	return false;
}

/* The labels have the words of their generator only ("English required" is none of them), so what
 * is not among all of them is neither right nor wrong. */
static void score_skills(const cJSON *want, const cJSON *all, const struct skills *got,
			 struct score *s)
{
	int right = 0;

	for (size_t i = 0; i < got->n; i++) {
		const cJSON *other;
		bool known = false;

		right += is_listed(want, got->names[i]);
		cJSON_ArrayForEach(other, all)
			known = known || is_listed(json_get(other, "skills"), got->names[i]);
		s->skills_extra += known && !is_listed(want, got->names[i]);
	}
	s->skills_right += right;
	s->skills_missing += cJSON_GetArraySize(want) - right;
}

static void score_posting(const cJSON *want, const cJSON *all, const struct posting *p,
			  struct score *s)
{
	char a[COMPANY_MAX], b[COMPANY_MAX];

	company_match_key(json_str(want, "company", ""), a);
	company_match_key(p->company, b);
	s->total++;
	s->title += !strcmp(json_str(want, "title", ""), p->title);
	s->company += !strcmp(a, b);
	s->city += !strcmp(json_str(want, "city", ""), p->place.city);
	s->country += !strcmp(json_str(want, "country", ""), p->place.country);
	s->workplace += !strcmp(json_str(want, "workplace", "unknown"), remote_name(p->remote));
	s->levels += json_get(want, "level") != NULL;
	s->level += !strcmp(json_str(want, "level", "none"), level_name(p->level));
	s->pay += same_pay(json_get(want, "salary"), &p->pay);
	score_skills(json_get(want, "skills"), all, &p->skills, s);
}

static void transform_labelled(const cJSON *want, struct posting *p)
{
	static char last[128];
	static char *text;
	const char *file = json_str(want, "file", "");
	struct transform_context context = context_of("jsearch");
	struct raw_walk w;
	struct raw row = RAW_NONE;
	char path[256], country[3] = "";
	struct refusal r;

	if (strcmp(file, last)) {
		free(text);
		snprintf(last, sizeof last, "%s", file);
		snprintf(path, sizeof path, "tests/providers/data/jsearch/%s", file);
		text = read_file(path);
		assert_non_null(text);
	}
	if (strchr(file, '_'))
		snprintf(country, sizeof country, "%.2s", strchr(file, '_') + 1);
	context.asked_country = country;
	w = raw_walk(rows_of(text));
	for (int64_t i = json_int(want, "index", 0); i >= 0; i--)
		assert_true(raw_next(&w, NULL, &row));
	assert_int_equal(transform_row(&context, row, p, &r), TRANSFORM_POSTING);
}

static void the_bundled_rows_come_out_as_labelled(void **state)
{
	cJSON *labels = read_json(LABELS);
	const cJSON *want;
	struct score s = { 0 };
	struct posting p;

	(void)state;
	if (!labels)
		skip();
	posting_init(&p);
	cJSON_ArrayForEach(want, json_get(labels, "postings")) {
		transform_labelled(want, &p);
		score_posting(want, json_get(labels, "postings"), &p, &s);
	}
	print_message(
		"of %d: title %d, company %d, city %d, country %d, workplace %d, level %d/%d, pay %d; "
		"skills %d right, %d extra, %d "
		"missing\n",
		s.total, s.title, s.company, s.city, s.country, s.workplace, s.level, s.levels,
		s.pay, s.skills_right, s.skills_extra, s.skills_missing);
	assert_true(s.title * 100 >= s.total * 97 && s.company * 100 >= s.total * 97);
	assert_true(s.city * 100 >= s.total * 93 && s.country * 100 >= s.total * 97);
	assert_true(s.workplace * 100 >= s.total * 95 && s.level * 100 >= s.levels * 95);
	assert_true(s.pay * 100 >= s.total * 97);
	assert_true(s.skills_right * 100 >= (s.skills_right + s.skills_extra) * 85);
	assert_true(s.skills_right * 100 >= (s.skills_right + s.skills_missing) * 85);
	posting_release(&p);
	cJSON_Delete(labels);
}

static void the_bundled_duplicates_are_found_and_nothing_else(void **state)
{
	cJSON *labels = read_json(LABELS);
	const cJSON *want, *postings;
	int right = 0, wrong = 0, missed = 0, index = 0;
	struct dedupe_set *set = dedupe_set_open();
	struct posting p;

	(void)state;
	if (!labels)
		skip();
	postings = json_get(labels, "postings");
	posting_init(&p);
	for (int pass = 0; pass < 2; pass++)	/* originals first, as they stand in any order */
		cJSON_ArrayForEach(want, postings) {
			const char *original = json_str(want, "duplicate_of", NULL);
			int found;

			if (!!original != pass)
				continue;
			transform_labelled(want, &p);
			found = dedupe_set_add(set, &p.keys, index++);
			right += original && found >= 0;
			missed += original && found < 0;
			wrong += !original && found >= 0;
			if (!!original != (found >= 0))
				print_message("%s: %s %s\n", original ? "missed" : "false",
					      want->string, p.keys.key);
		}
	print_message("duplicates: %d found, %d missed, %d false\n", right, missed, wrong);
	assert_true(right * 100 >= (right + missed) * 95 && wrong * 100 <= (right + wrong) * 5);
	posting_release(&p);
	dedupe_set_close(set);
	cJSON_Delete(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_without_title_or_employer_is_refused_by_name),
		cmocka_unit_test(a_full_row_becomes_a_posting),
		cmocka_unit_test(members_of_any_type_are_survived),
		cmocka_unit_test(every_real_posting_is_loaded_or_refused_with_its_reason),
		cmocka_unit_test(the_bundled_rows_are_refused_exactly_as_labelled),
		cmocka_unit_test(the_bundled_rows_come_out_as_labelled),
		cmocka_unit_test(the_bundled_duplicates_are_found_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
