/* SPDX-License-Identifier: MIT */
/* What collect_jobs does with job_ids: postings again, by their ids, where a source can.
 * Needs JOBFLEET_DATABASE_URL (an empty database) and JOBFLEET_REDIS_URL.
 * services: shared
 * timeout: 60 */
#include "tests/unit/collection_bed.h"

/* Of three postings of ours. */
#define IDS "QAsSosCc_q7qxQAAAAAAAA==,xLukCu2fLLVdxAAAAAAAAA==,oCh-Otmz5O4nzAAAAAAAAA=="

static void postings_are_asked_for_by_id_at_a_call_each_to_the_quota(void **state)
{
	cJSON *result = must("{\"query\":\"\",\"source\":\"jsearch\",\"job_ids\":\"" IDS "\"}");

	(void)state;
	assert_string_equal(json_str(result, "status", ""), "success");
	assert_int_equal(json_int(result, "job_count", -1), 3);
	assert_int_equal(calls(), 1);
	check_one("SELECT count(*) FROM raw_job_collections WHERE query_params->>'job_id' = '" IDS
		  "' AND jsonb_array_length(raw_response->'data') = 3", "1");
	check_one("SELECT used FROM jobfleet.provider_quota WHERE source = 'jsearch' AND"
		  " period = 'month'", "3");
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
	cJSON_Delete(result);
}

static void only_sources_that_can_are_asked(void **state)
{
	cJSON *result;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(attempt(collect_jobs, 0,
				 "{\"query\":\"\",\"source\":\"arbeitnow\",\"job_ids\":\"a\"}",
				 &result, &e), -ERR_REFUSED);	/* disabled here */
	result = must("{\"query\":\"\",\"job_ids\":\"" IDS "\"}");
	assert_string_equal(json_str(result, "source", ""), "jsearch");
	cJSON_Delete(result);
}

static void more_than_a_call_takes_are_refused(void **state)
{
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	assert_int_equal(attempt(collect_jobs, 0,
				 "{\"query\":\"\",\"source\":\"jsearch\",\"job_ids\":"
				 "\"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21\"}",
				 &result, &e), -ERR_INVALID);
	assert_string_equal(e.msg, "source jsearch takes 20 job_ids at most");
	assert_int_equal(calls(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(postings_are_asked_for_by_id_at_a_call_each_to_the_quota,
				       clean),
		cmocka_unit_test_setup(only_sources_that_can_are_asked, clean),
		cmocka_unit_test_setup(more_than_a_call_takes_are_refused, clean),
	};

	if (!getenv("JOBFLEET_DATABASE_URL")) {
		fprintf(stderr,
			"test_collection_details: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
