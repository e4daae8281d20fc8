/* SPDX-License-Identifier: MIT */
#include "common/store/result.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "common/store/redis.h"

bool result_is_final(const char *status)
{
	return strcmp(status, "SUCCESS") == 0 || strcmp(status, "FAILURE") == 0 ||
	       strcmp(status, "REVOKED") == 0;
}

static void put_member(struct buf *out, const char *key, const char *text)
{
	buf_printf(out, ", \"%s\": ", key);
	if (text)
		buf_put_json_string(out, text);
	else
		buf_puts(out, "null");
}

static void put_raw(struct buf *out, const char *key, const char *json)
{
	buf_printf(out, ", \"%s\": %s", key, json ? "" : "null");
	buf_puts(out, json ? json : "");
}

static void put_extra(struct buf *out, const struct result_extra *x)
{
	struct raw_walk w;
	struct raw key, value;

	put_member(out, "name", x->name);
	put_raw(out, "args", x->args);
	put_raw(out, "kwargs", x->kwargs);
	put_member(out, "worker", x->worker);
	put_member(out, "queue", x->queue);
	if (!x->stamped_headers || !x->stamps)
		return;
	put_raw(out, "stamped_headers", x->stamped_headers);
	w = raw_walk((struct raw){ x->stamps, strlen(x->stamps) });
	while (raw_next(&w, &key, &value)) {
		buf_puts(out, ", ");
		buf_append(out, key.at, key.len);
		buf_puts(out, ": ");
		buf_append(out, value.at, value.len);
	}
}

int result_print(struct buf *out, const struct result *r, struct err *e)
{
	char when[CLOCK_ISO_SIZE];
	bool final = result_is_final(r->status);

	clock_iso(clock_wall_us(), when);
	buf_printf(out, "{\"status\": \"%s\", \"result\": ", r->status);
	buf_puts(out, r->json ? r->json : "null");
	put_member(out, "traceback", r->traceback);
	buf_puts(out, ", \"children\": [");
	buf_puts(out, r->children ? r->children : "");
	buf_putc(out, ']');
	put_member(out, "date_done", final ? when : NULL);
	put_member(out, "task_id", r->task_id);
	if (r->group_id)
		put_member(out, "group_id", r->group_id);
	if (r->parent_id)
		put_member(out, "parent_id", r->parent_id);
	if (r->extra)
		put_extra(out, r->extra);
	buf_printf(out, ", \"retries\": %d, \"jobfleet_generation\": %d}", r->retries,
		   r->generation);
	return buf_overflowed(out) ? err_set(e, ERR_TOO_BIG, "result over %zu bytes", out->max) : 0;
}

int result_print_error(struct buf *out, const char *exc_type, const char *message,
		       const char *exc_module, struct err *e)
{
	buf_puts(out, "{\"exc_type\": ");
	buf_put_json_string(out, exc_type);
	buf_puts(out, ", \"exc_message\": [");
	buf_put_json_string(out, message);
	buf_puts(out, "], \"exc_module\": ");
	buf_put_json_string(out, exc_module);
	buf_putc(out, '}');
	return buf_overflowed(out) ? err_set(e, ERR_TOO_BIG, "result over %zu bytes", out->max) : 0;
}

static const char SCRIPT[] =
	"local old = redis.call('GET', KEYS[1])\n"
	"if old then\n"
	"  local ok, m = pcall(cjson.decode, old)\n"
	"  if ok and type(m) == 'table' then\n"
	"    local og, ng = tonumber(m.jobfleet_generation) or 0, tonumber(ARGV[3])\n"
	"    local orr, nr = tonumber(m.retries) or 0, tonumber(ARGV[4])\n"
	"    local final = m.status == 'SUCCESS' or m.status == 'FAILURE' or m.status == 'REVOKED'\n"
	"    if og > ng or (og == ng and (final or orr > nr)) then return 0 end\n"
	"  end\n"
	"end\n"
	"if tonumber(ARGV[2]) > 0 then redis.call('SETEX', KEYS[1], ARGV[2], ARGV[1])\n"
	"else redis.call('SET', KEYS[1], ARGV[1]) end\n"
	"redis.call('PUBLISH', KEYS[1], ARGV[1])\n"
	"return 1\n";

int result_store(struct redis *redis, const char *task_id, const char *meta,
		 int generation, int retries, int64_t expires_s, struct err *e)
{
	char key[384], expires[24], gen[16], attempt[16];
	const char *words[] = { key, meta, expires, gen, attempt };
	struct redis_reply *reply = NULL;
	int r;

	snprintf(key, sizeof key, "celery-task-meta-%s", task_id);
	snprintf(expires, sizeof expires, "%lld", (long long)expires_s);
	snprintf(gen, sizeof gen, "%d", generation);
	snprintf(attempt, sizeof attempt, "%d", retries);
	r = redis_eval(redis, SCRIPT, 1, words, NULL, COUNT(words), &reply, e);
	if (r < 0)
		return r;
	r = reply && reply->integer == 1;
	redis_reply_free(reply);
	return r;
}
