/* SPDX-License-Identifier: MIT */
/* Tasks that answer with something made of their arguments, or of the message they came in. */
#include <time.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "tests/workers/conformance/tasks.h"

enum { LARGEST = 64 << 20, POLL_NS = 2000000 };

int values_add(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_CreateNumber(json_num(args, "x", 0) + json_num(args, "y", 0));
	return 0;
}

int values_multiply(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_CreateNumber(json_num(args, "x", 0) * json_num(args, "y", 0));
	return 0;
}

/* What a chord's body gets: one list of numbers. */
int values_sum(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const cJSON *numbers = json_get(args, "numbers"), *n;
	double sum = 0;

	(void)run;
	(void)e;
	cJSON_ArrayForEach(n, numbers)
		sum += cJSON_IsNumber(n) ? n->valuedouble : 0;
	*ret = cJSON_CreateNumber(sum);
	return 0;
}

int values_identity(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const cJSON *value = json_get(args, "value");

	(void)run;
	(void)e;
	*ret = value ? cJSON_Duplicate(value, true) : NULL;
	return 0;
}

/* All arguments as they were bound: names, defaults, whatever came by keyword. */
int values_repeat(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_Duplicate(args, true);
	return 0;
}

int values_large(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t size = json_int(args, "bytes", 0);
	char *text;

	(void)run;
	if (size < 0 || size > LARGEST)
		return err_set(e, ERR_INVALID, "bytes is from 0 to %d", LARGEST);
	text = mem_alloc((size_t)size + 1);
	memset(text, 'x', (size_t)size);
	text[size] = '\0';
	*ret = cJSON_CreateString(text);
	free(text);
	return 0;
}

/* A string that is not UTF-8, as a foreign API may hand one over. */
int values_bytes(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)args;
	(void)e;
	*ret = cJSON_CreateString("caf\xe9 \xff");
	return 0;
}

static cJSON *properties(const struct message *m)
{
	cJSON *o = cJSON_CreateObject();

	json_set_str(o, "content_type", m->content_type);
	json_set_str(o, "content_encoding", m->content_encoding);
	json_set_str(o, "correlation_id", m->correlation_id);
	json_set_str(o, "reply_to", m->reply_to);
	json_set_str(o, "expiration", m->expiration);
	json_set(o, "priority", m->priority == MESSAGE_NO_PRIORITY ?
				cJSON_CreateNull() : cJSON_CreateNumber(m->priority));
	json_set_num(o, "delivery_mode", m->delivery_mode);
	return o;
}

/* {id, retries, headers, properties} of the message of this run. */
int values_message(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const struct message *m = run_message(run);

	(void)args;
	if (!m)
		return err_set(e, ERR_USAGE, "there is no message outside a worker");
	*ret = cJSON_CreateObject();
	json_set_str(*ret, "id", run_id(run));
	json_set_num(*ret, "retries", run_retries(run));
	json_set(*ret, "headers", message_headers(m));
	json_set(*ret, "properties", properties(m));
	return 0;
}

static void wait_ms(struct run *run, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end && !run_cancelled(run))
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
}

int values_sleep(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	wait_ms(run, (int64_t)(json_num(args, "seconds", 0) * 1000));
	if (run_cancelled(run))
		return run_cancel_error(run, e);
	*ret = cJSON_CreateString("slept");
	return 0;
}

/* n parts of work_ms each, told as they are done. */
int values_progress(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_int(args, "n", 0);

	for (int i = 1; i <= n; i++) {
		char step[32];

		snprintf(step, sizeof step, "part %d", i);
		run_progress(run, i, n, step);
		wait_ms(run, json_int(args, "work_ms", 0));
		if (run_cancelled(run))
			return run_cancel_error(run, e);
	}
	*ret = cJSON_CreateNumber(n);
	return 0;
}
