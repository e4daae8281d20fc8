/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "workers/processing/issues.h"
#include "workers/processing/posting.h"
#include "workers/processing/step.h"
#include "workers/processing/transform.h"

#define NOW_US (INT64_C(1795219200) * 1000000)

static enum transformed take(const char *members, const struct steps *steps, double reject_below,
			     struct posting *p, struct refusal *r)
{
	struct transform_context ctx = { .source = source_find("jsearch"), .steps = steps,
					 .reference_us = NOW_US, .reject_below = reject_below };
	char *row = mem_printf("{\"job_title\":\"Baker\",\"employer_name\":\"Crumb\"%s%s}",
			       *members ? "," : "", members);
	enum transformed t;

	*r = (struct refusal){ 0 };
	t = transform_row(&ctx, (struct raw){ row, strlen(row) }, p, r);
	free(row);
	return t;
}

static void each_issue_is_found_by_name(void **state)
{
	static const struct {
		const char *members;
		enum issue issue;
		bool is;
	} CASES[] = {
		{ "", ISSUE_NO_PLACE, true },
		{ "\"job_city\":\"Austin\",\"job_state\":\"TX\",\"job_country\":\"US\"", ISSUE_NO_PLACE, false },
		{ "\"job_is_remote\":true", ISSUE_NO_PLACE, false },
		{ "", ISSUE_NO_COUNTRY, true },
		{ "\"job_country\":\"DE\"", ISSUE_NO_COUNTRY, false },
		{ "", ISSUE_NO_DESCRIPTION, true },
		{ "\"job_description\":\"Bread.\"", ISSUE_SHORT_DESCRIPTION, true },
		{ "\"job_description\":\"Bread.\"", ISSUE_NO_DESCRIPTION, false },
		{ "\"job_apply_link\":\"ftp://x\"", ISSUE_NO_APPLY_URL, true },
		{ "\"job_apply_link\":\"https://crumb.example/jobs/1\"", ISSUE_NO_APPLY_URL, false },
		{ "\"job_posted_at\":\"soon\"", ISSUE_NO_DATE, true },
		{ "\"job_posted_at\":\"today\"", ISSUE_NO_DATE, false },
		{ "\"job_employment_type\":\"Full-time\"", ISSUE_NO_EMPLOYMENT, false },
		{ "\"job_min_salary\":90000,\"job_max_salary\":60000,\"job_salary_period\":\"YEAR\"",
		  ISSUE_PAY_SWAPPED, true },
		{ "\"job_min_salary\":60000,\"job_max_salary\":90000,\"job_salary_period\":\"YEAR\"",
		  ISSUE_PAY_SWAPPED, false },
		{ "\"job_min_salary\":90000,\"job_max_salary\":90000,\"job_salary_period\":\"HOUR\"",
		  ISSUE_PAY_IMPLAUSIBLE, true },
		{ "\"job_min_salary\":22,\"job_max_salary\":25,\"job_salary_period\":\"HOUR\"",
		  ISSUE_PAY_IMPLAUSIBLE, false },
		{ "\"job_country\":\"DE\",\"job_min_salary\":60000,\"job_max_salary\":60000,"
		  "\"job_salary_currency\":\"USD\",\"job_salary_period\":\"YEAR\"", ISSUE_FOREIGN_CURRENCY, true },
		{ "\"job_country\":\"DE\",\"job_min_salary\":60000,\"job_max_salary\":60000,"
		  "\"job_salary_currency\":\"EUR\",\"job_salary_period\":\"YEAR\"", ISSUE_FOREIGN_CURRENCY, false },
		{ "\"job_posted_at_timestamp\":1795500000", ISSUE_FUTURE, true },
		{ "\"job_posted_at_timestamp\":1795219000", ISSUE_FUTURE, false },
		{ "\"job_posted_at_timestamp\":1795219000,\"job_offer_expiration_timestamp\":1795000000",
		  ISSUE_EXPIRED, true },
	};
	struct posting p;
	struct refusal r;

	(void)state;
	posting_init(&p);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(take(CASES[i].members, NULL, 0, &p, &r), TRANSFORM_POSTING);
		if (!!(p.issues & 1u << CASES[i].issue) != CASES[i].is)
			fail_msg("%s: expected %s%s", CASES[i].members, CASES[i].is ? "" : "no ",
				 issue_name(CASES[i].issue));
	}
	posting_release(&p);
}

static void only_contradictions_make_a_posting_inconsistent(void **state)
{
	(void)state;
	assert_true(issues_consistent(0));
	assert_true(issues_consistent(1u << ISSUE_NO_PLACE | 1u << ISSUE_NO_DATE));
	assert_false(issues_consistent(1u << ISSUE_NO_PLACE | 1u << ISSUE_PAY_SWAPPED));
}

static void issues_and_notes_stand_in_the_metadata(void **state)
{
	struct steps steps = { .n = 0 };
	struct posting p;
	struct refusal r;
	struct buf out;
	cJSON *json;

	(void)state;
	posting_init(&p);
	buf_init(&out, 1 << 20);
	assert_int_equal(steps_choose(&steps, "staffing", NULL), 0);
	assert_int_equal(take("\"employer_logo\":null", &steps, 0, &p, &r), TRANSFORM_POSTING);
	posting_json(&p, NULL, &out);
	assert_null(strstr(buf_text(&out), "staffing"));
	snprintf(p.company, sizeof p.company, "Crumb Staffing");
	assert_true(steps_run(&steps, &p, (char[STEP_REASON]){ 0 }));
	buf_clear(&out);
	posting_json(&p, NULL, &out);
	json = cJSON_Parse(buf_text(&out));
	assert_non_null(json);
	assert_true(json_bool(json_get(json, "metadata"), "staffing", false));
	assert_string_equal(
		cJSON_GetArrayItem(json_get(json_get(json, "metadata"), "issues"), 0)->valuestring,
		"no_place");
	cJSON_Delete(json);
	buf_release(&out);
	posting_release(&p);
}

static void an_hour_of_federal_work_counts_2087_times(void **state)
{
	static const char ROW[] =
		"{\"MatchedObjectId\":\"1\",\"MatchedObjectDescriptor\":{\"PositionTitle\":\"Baker\","
		"\"OrganizationName\":\"Crumb Service\",\"PositionRemuneration\":[{\"MinimumRange\":"
		"\"20.00\",\"MaximumRange\":\"30.0000\",\"RateIntervalCode\":\"PH\"}]}}";
	struct transform_context ctx = { .source = source_find("usajobs"), .reference_us = NOW_US };
	struct posting p;
	struct refusal r;

	(void)state;
	posting_init(&p);
	assert_int_equal(transform_row(&ctx, RAW(ROW), &p, &r), TRANSFORM_POSTING);
	assert_int_equal(p.pay.annual_min_cents, 20 * 2087 * 100);
	assert_int_equal(p.pay.annual_max_cents, 30 * 2087 * 100);
	posting_release(&p);
}

static void bytes_that_are_no_utf8_are_mended_everywhere(void **state)
{
	static const char MEMBERS[] =
		"\"job_apply_link\":\"https://crumb.example/caf\xe9/job/1234\",\"job_id\":\"\xe9 1\","
		"\"job_publisher\":\"Caf\xe9\",\"employer_logo\":\"https://crumb.example/\xff.png\","
		"\"job_naics_name\":\"B\xe4" "ckerei\",\"apply_options\":[{\"apply_link\":\"\xe9\"}]";
	struct posting p;
	struct refusal r;
	struct buf out, again;

	(void)state;
	posting_init(&p);
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	assert_int_equal(take(MEMBERS, NULL, 0, &p, &r), TRANSFORM_POSTING);
	assert_string_equal(p.publisher, "Café");
	posting_json(&p, NULL, &out);
	text_to_utf8(out.data, out.len, &again);	/* changes nothing that is UTF-8 */
	assert_int_equal(again.len, out.len);
	assert_memory_equal(again.data, out.data, out.len);
	buf_release(&again);
	buf_release(&out);
	posting_release(&p);
}

static void a_text_of_several_places_keeps_the_others(void **state)
{
	struct posting p;
	struct refusal r;

	(void)state;
	posting_init(&p);
	assert_int_equal(take("\"job_location\":\"London or Berlin\"", NULL, 0, &p, &r),
			 TRANSFORM_POSTING);
	assert_string_equal(p.place.city, "London");
	assert_int_equal(p.nplaces, 1);
	assert_non_null(strstr(p.places[0], "Berlin"));
	assert_int_equal(take("\"job_location\":\"Austin, TX\"", NULL, 0, &p, &r),
			 TRANSFORM_POSTING);
	assert_int_equal(p.nplaces, 0);
	posting_release(&p);
}

static void a_posting_that_says_too_little_is_refused(void **state)
{
	struct posting p;
	struct refusal r;

	(void)state;
	posting_init(&p);
	assert_int_equal(take("", NULL, 0.25, &p, &r), TRANSFORM_REFUSED);
	assert_string_equal(refusal_name(r.type), "quality");
	assert_string_equal(r.message,
			    "Posting says too little: completeness 0.20, at least 0.25 is asked for");
	assert_int_equal(take("\"job_city\":\"Austin\",\"job_country\":\"US\"", NULL, 0.25, &p, &r),
			 TRANSFORM_POSTING);
	posting_release(&p);
}

static void a_step_that_no_file_serves_is_named(void **state)
{
	struct err e = { 0 };
	struct steps steps;

	(void)state;
	assert_int_equal(steps_choose(&steps, " staffing, staffing ,", &e), 0);
	assert_int_equal(steps.n, 2);
	assert_int_equal(steps_choose(&steps, "", &e), 0);
	assert_int_equal(steps.n, 0);
	assert_int_equal(steps_choose(&steps, "staffing, stafing", &e), -ERR_CONFIG);
	assert_string_equal(e.msg, "processing_steps names \"stafing\", which no file serves");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_issue_is_found_by_name),
		cmocka_unit_test(only_contradictions_make_a_posting_inconsistent),
		cmocka_unit_test(issues_and_notes_stand_in_the_metadata),
		cmocka_unit_test(bytes_that_are_no_utf8_are_mended_everywhere),
		cmocka_unit_test(a_text_of_several_places_keeps_the_others),
		cmocka_unit_test(an_hour_of_federal_work_counts_2087_times),
		cmocka_unit_test(a_posting_that_says_too_little_is_refused),
		cmocka_unit_test(a_step_that_no_file_serves_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
