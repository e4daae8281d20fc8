/* SPDX-License-Identifier: MIT */
#include "workers/salary/revalidate.h"

#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/redis.h"
#include "common/worker/run.h"

#define REFRESH_TASK "backend.tasks.salary_data_tasks.refresh_salary_cache"
#define ONCE_S "900"

/* False also when Redis does not say: the next reader tries again. */
static bool is_first(struct run *run, struct redis *redis, const char *key)
{
	char *mark = mem_printf("%ssalary_cache:revalidating:%s",
				run_conf(run)->fleet.redis_prefix, key);
	struct redis_reply *reply = NULL;
	bool first = redis && redis_cmd(redis, &reply, NULL, "SET", mark, "1", "NX", "EX", ONCE_S,
					NULL) >= 0 && reply->type != REDIS_NIL;

	redis_reply_free(reply);
	free(mark);
	return first;
}

int revalidate(struct run *run, struct redis *redis, const char *key, struct err *e)
{
	struct signature *refresh;
	cJSON *args;
	char *text;

	if (!is_first(run, redis, key))
		return 0;
	args = mem_check(cJSON_CreateArray());
	cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(key)));
	text = json_print(args);
	refresh = run_sig(run, REFRESH_TASK, text, NULL);
	run_set(run, refresh, "expires", ONCE_S);
	free(text);
	cJSON_Delete(args);
	return run_apply(run, refresh, NULL, e);
}
