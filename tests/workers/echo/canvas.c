/* SPDX-License-Identifier: MIT */
/* Tasks of the canvas tests: what their message said, errbacks, and canvases built in C. */
#include "tests/workers/echo/canvas.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/store/redis.h"

int canvas_headers(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const struct message *m = run_message(run);

	(void)args;
	(void)e;
	*ret = message_headers(m);
	json_set_num(*ret, "priority", m->priority);
	json_set_str(*ret, "correlation_id", m->correlation_id);
	return 0;
}

int canvas_errback(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_Duplicate(args, true);
	return 0;
}

int canvas_identity(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_Duplicate(json_get(args, "value"), true);
	return 0;
}

/* Applies the signature it was given; its result is the id under which that one's will stand. */
int canvas_apply(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *s;
	const char *id;
	char *text = json_print(json_get(args, "signature"));
	int r = run_sig_read(run, text, &s, e);

	free(text);
	if (r >= 0)
		r = run_apply(run, s, &id, e);
	if (r >= 0)
		*ret = cJSON_CreateString(id);
	return r;
}

int canvas_replace(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *s;
	char *text = json_print(json_get(args, "signature"));
	int r = run_sig_read(run, text, &s, e);

	(void)ret;
	free(text);
	return r < 0 ? r : run_replace(run, s, e);
}

/* Canvases of C: n to sum up, each plus 1, by a chain, a group, or a chord. */
int canvas_build(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const char *shape = json_str(args, "shape", ""), *id;
	int n = (int)json_num(args, "n", 3), r;
	struct signature *s = strcmp(shape, "chain") == 0 ? run_chain(run, NULL) :
							      run_group(run, NULL);

	for (int i = 0; i < n; i++) {
		char numbers[64];

		snprintf(numbers, sizeof numbers, strcmp(shape, "chain") == 0 && i > 0 ? "[%d]" :
			 "[%d, 1]", i);
		run_add(run, s, run_sig(run, "echo.add", numbers, NULL));
	}
	if (strcmp(shape, "chord") == 0)
		s = run_chord(run, s, run_sig(run, "echo.sum", NULL, NULL));
	r = json_bool(args, "replace", false) ? run_replace(run, s, e) :
						run_apply(run, s, &id, e);
	if (r >= 0)
		*ret = cJSON_CreateString(id);
	return r;
}

/* A task of ours whose result stands under the n-th of the ids that we were given. */
static struct signature *known(struct run *run, const cJSON *args, int n, const char *task,
			       const char *numbers)
{
	struct signature *s = run_sig(run, task, numbers, NULL);
	char *id = json_print(cJSON_GetArrayItem(json_get(args, "ids"), n));

	run_set(run, s, "task_id", id);
	free(id);
	return s;
}

/* Applies the signature it was given with two callbacks, one of which takes no result, and an
 * errback. */
int canvas_link(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *s, *still = known(run, args, 1, "echo.add", "[1, 1]");
	char *text = json_print(json_get(args, "signature"));
	int r = run_sig_read(run, text, &s, e);

	free(text);
	if (r < 0)
		return r;
	run_set_immutable(still);
	run_link(run, s, known(run, args, 0, "echo.add", "[10]"));
	run_link(run, s, still);
	run_link_error(run, s, known(run, args, 2, "echo.identity", NULL));
	*ret = cJSON_CreateString("applied");
	return run_apply(run, s, NULL, e);
}

/* Results that cannot go to a client. */
int canvas_odd(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	enum { LARGE = 17 << 20 };
	char *text;

	(void)run;
	(void)e;
	if (strcmp(json_str(args, "how", ""), "large") != 0) {
		*ret = cJSON_CreateString("a\xff");
		return 0;
	}
	text = mem_alloc(LARGE + 1);
	memset(text, 'x', LARGE);
	text[LARGE] = '\0';
	*ret = cJSON_CreateString(text);
	free(text);
	return 0;
}

int canvas_ignore(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)args;
	(void)ret;
	return run_ignore(run, e);
}

int canvas_reject(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)ret;
	return run_reject(run, json_bool(args, "requeue", false), e, "not for me");
}

/* The text of the message's body, as it came. */
int canvas_keep(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const char *body = run_message(run)->body, *n = strstr(body, "\"n\": ");
	size_t len = n ? strspn(n + 5, "0123456789") : 0;
	char digits[64];

	(void)args;
	(void)e;
	snprintf(digits, sizeof digits, "%.*s", (int)len, n ? n + 5 : "");
	*ret = cJSON_CreateObject();
	json_set_str(*ret, "n", digits);
	return 0;
}

/* Gives its message back twice, then says how often it came. */
int canvas_requeue(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	struct redis *redis;
	int64_t came;
	int r = run_redis(run, &redis, e);

	if (r >= 0)
		r = redis_cmd(redis, &reply, e, "INCR", json_str(args, "key", ""), NULL);
	if (r < 0)
		return r;
	came = reply->integer;
	redis_reply_free(reply);
	if (came < 3)
		return run_reject(run, true, e, "came %d times", (int)came);
	*ret = cJSON_CreateNumber((double)came);
	return 0;
}

/* Its message's headers, of its second attempt. */
int canvas_retry_headers(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	if (run_retries(run) == 0)
		return run_retry(run, 50, e, "once more");
	return canvas_headers(run, args, ret, e);
}
