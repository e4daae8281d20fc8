/* SPDX-License-Identifier: MIT */
#include "workers/ctl/meta.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

/* Celery keeps an exception's arguments: mostly one text. */
static char *message_of(const cJSON *result)
{
	const cJSON *args = json_get(result, "exc_message");

	if (cJSON_IsString(args))
		return mem_strdup(args->valuestring);
	if (cJSON_GetArraySize(args) == 1 && cJSON_IsString(args->child))
		return mem_strdup(args->child->valuestring);
	return args ? json_print(args) : mem_strdup("");
}

static void read_result(struct meta *m, const cJSON *result)
{
	bool failed = strcmp(m->status, "FAILURE") == 0 || strcmp(m->status, "REVOKED") == 0 ||
		      strcmp(m->status, "RETRY") == 0;

	m->final = strcmp(m->status, "SUCCESS") == 0 || (failed && strcmp(m->status, "RETRY") != 0);
	m->exc_type = mem_strdup(failed ? json_str(result, "exc_type", "") : "");
	m->exc_message = failed ? message_of(result) : mem_strdup("");
	m->step = mem_strdup(m->final ? "" : json_str(result, "step", ""));
	m->current = json_int(result, "current", 0);
	m->total = json_int(result, "total", 0);
}

int meta_parse(struct meta *ret, const char *text, size_t len, struct err *e)
{
	cJSON *all = NULL;
	struct meta m = { 0 };
	int r = json_parse(text, len, &all, e);

	if (r < 0)
		return err_prefix(e, "stored result");
	if (!*json_str(all, "status", "")) {
		cJSON_Delete(all);
		return err_set(e, ERR_PROTOCOL, "stored result: no status in it");
	}
	if (json_raw_member(text, len, "result", &m.result, e) < 0) {
		cJSON_Delete(all);
		return err_prefix(e, "stored result");
	}
	if (!m.result)
		m.result = mem_strdup("null");
	m.text = mem_strndup(text, len);
	m.status = mem_strdup(json_str(all, "status", ""));
	m.traceback = mem_strdup(json_str(all, "traceback", ""));
	read_result(&m, json_get(all, "result"));
	cJSON_Delete(all);
	*ret = m;
	return 0;
}

void meta_release(struct meta *m)
{
	free(m->text);
	free(m->status);
	free(m->result);
	free(m->exc_type);
	free(m->exc_message);
	free(m->traceback);
	free(m->step);
	memset(m, 0, sizeof *m);
}
