/* SPDX-License-Identifier: MIT */
/* An answer of 50 MB: what it costs in memory, and what collection sees of it.
 * Needs JOBFLEET_DATABASE_URL (an empty database) and JOBFLEET_REDIS_URL.
 * services: shared
 * timeout: 120 */
#include "tests/unit/collection_bed.h"

#include <sys/resource.h>

#include "workers/collection/outline.h"

#ifdef __SANITIZE_ADDRESS__
enum { LIMIT_KB = 400 * 1024 };		/* freed memory stays away from the next who asks */
#else
enum { LIMIT_KB = 200 * 1024 };
#endif
enum { ROWS = 8000, TEXT = 6000, OUTLINE_KB = 100 * 1024 };

/* As a board with long descriptions answers. */
static char *fifty_megabytes(size_t *ret_len)
{
	char *text = mem_alloc(TEXT + 1);
	struct buf b;

	memset(text, 'x', TEXT);
	text[TEXT] = '\0';
	buf_init(&b, 100 << 20);
	buf_puts(&b, "{\"status\":\"OK\",\"data\":{\"jobs\":[");
	for (int i = 0; i < ROWS; i++)
		buf_printf(&b, "%s{\"job_id\":\"id-%d\",\"job_title\":\"T\",\"n\":1.5,"
			   "\"tags\":[\"a\"],\"job_description\":\"%s\"}", i ? "," : "", i, text);
	buf_puts(&b, "],\"cursor\":\"next\"}}");
	free(text);
	*ret_len = b.len;
	return buf_take(&b);
}

static long peak_kb(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_maxrss;
}

static void see_outline(void)
{
	size_t len;
	char *text = fifty_megabytes(&len);
	long before = peak_kb();
	cJSON *o = outline_read(text, len);
	const cJSON *jobs = json_get(json_get(o, "data"), "jobs"),
		    *last = cJSON_GetArrayItem(jobs, ROWS - 1);
	bool good = cJSON_GetArraySize(jobs) == ROWS && !json_get(last, "job_description") &&
		strcmp(json_str(last, "job_id", ""), "id-7999") == 0 &&
		strcmp(json_str(json_get(o, "data"), "cursor", ""), "next") == 0 &&
		raw_unfit(text, len, true, NULL, 0) == NULL;
	long used = peak_kb() - before;

	printf("outline of %zu bytes: %ld KiB\n", len, used);
	fflush(stdout);
	_exit(good && used < OUTLINE_KB ? 0 : 1);
}

static void collect_huge(void)
{
	struct err e = { 0 };
	cJSON *result;
	int r = attempt(collect_jobs, 0, "{\"query\":\"engineer\",\"num_pages\":1}", &result, &e);

	printf("collection of an answer of 50 MB: %ld KiB at most\n", peak_kb());
	fflush(stdout);
	_exit(r == 0 && peak_kb() < LIMIT_KB ? 0 : 1);
}

static void in_a_child(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		fn();
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_outline_of_a_large_answer_has_its_rows_but_not_their_texts(void **state)
{
	(void)state;
	in_a_child(see_outline);
}

static void a_large_answer_is_stored_whole_within_the_stated_memory(void **state)
{
	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"huge\",\"count\":1}");
	in_a_child(collect_huge);
	check_one("SELECT http_status || ' ' || processing_status || ' ' || (error_info IS NULL)"
		  " || ' ' || (octet_length(raw_response->'data'->>'x') > 49000000)"
		  " FROM raw_job_collections", "200 completed true true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			the_outline_of_a_large_answer_has_its_rows_but_not_their_texts, clean),
		cmocka_unit_test_setup(a_large_answer_is_stored_whole_within_the_stated_memory,
				       clean),
	};

	if (!getenv("JOBFLEET_DATABASE_URL")) {
		fprintf(stderr,
			"test_collection_large: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
