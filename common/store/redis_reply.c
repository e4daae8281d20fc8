/* SPDX-License-Identifier: MIT */
#include "common/base/mem.h"
#include "common/store/redis_private.h"

enum { MAX_ELEMENTS = 1000000 };

static struct redis_reply *link_reply(const redisReadTask *task, enum redis_type type)
{
	struct redis_reply *reply = mem_zalloc(sizeof *reply), *parent;

	reply->type = type;
	if (task->parent) {
		parent = task->parent->obj;
		parent->items[task->idx] = reply;
	}
	return reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
	struct redis_reply *reply = link_reply(task, task->type == REDIS_REPLY_ERROR ? REDIS_ERROR :
					       task->type == REDIS_REPLY_STATUS ? REDIS_STATUS :
					       REDIS_STRING);

	reply->str = mem_dup(text, len);
	reply->len = len;
	return reply;
}

/* The number comes from the peer before any element does: refused here, it costs nothing. */
static void *create_array(const redisReadTask *task, int elements)
{
	struct redis_reply *reply;

	if (elements < 0 || elements > MAX_ELEMENTS) {
		((struct redis *)task->privdata)->refused = true;
		return NULL;
	}
	reply = link_reply(task, REDIS_ARRAY);
	reply->items = mem_zalloc((size_t)elements * sizeof *reply->items);
	reply->nitems = (size_t)elements;
	return reply;
}

static void *create_integer(const redisReadTask *task, long long value)
{
	struct redis_reply *reply = link_reply(task, REDIS_INTEGER);

	reply->integer = value;
	return reply;
}

static void *create_nil(const redisReadTask *task)
{
	return link_reply(task, REDIS_NIL);
}

static void free_object(void *reply)
{
	redis_reply_free(reply);
}

redisReader *redis_reply_reader(struct redis *r)
{
	static redisReplyObjectFunctions functions = {
		create_string, create_array, create_integer, create_nil, free_object,
	};
	redisReader *reader = mem_check(redisReaderCreateWithFunctions(&functions));

	reader->privdata = r;
	r->refused = false;
	return reader;
}

void redis_reply_free(struct redis_reply *reply)
{
	if (!reply)
		return;
	for (size_t i = 0; i < reply->nitems; i++)
		redis_reply_free(reply->items[i]);
	free(reply->items);
	free(reply->str);
	free(reply);
}

/* The first word of an error answer says what it is. "ERR" and all others: the command's fault. */
static const struct {
	const char *word;
	enum err_code code;
	bool breaks;		/* this server will not do; the next connection may find a better one */
} WORDS[] = {
	{ "LOADING", ERR_REDIS, false },
	{ "OOM", ERR_REDIS, false },
	{ "BUSY", ERR_REDIS, false },
	{ "MISCONF", ERR_REDIS, false },
	{ "TRYAGAIN", ERR_REDIS, false },
	{ "CLUSTERDOWN", ERR_REDIS, false },
	{ "NOREPLICAS", ERR_REDIS, false },
	{ "READONLY", ERR_REDIS, true },
	{ "MASTERDOWN", ERR_REDIS, true },
	{ "NOAUTH", ERR_REFUSED, false },
	{ "NOPERM", ERR_REFUSED, false },
	{ "WRONGPASS", ERR_REFUSED, false },
};

int redis_refused(struct redis *r, const struct redis_reply *reply, const char *command, bool hide,
		  struct err *e)
{
	size_t n = strcspn(reply->str, " ");
	enum err_code code = hide ? ERR_REFUSED : ERR_INVALID;

	for (size_t i = 0; i < COUNT(WORDS); i++) {
		if (strlen(WORDS[i].word) == n && memcmp(WORDS[i].word, reply->str, n) == 0) {
			code = WORDS[i].code;
			r->broken |= WORDS[i].breaks;
		}
	}
	return err_set(e, code, "Redis: %.32s: %.*s", command, (int)(hide || n > 900 ? n : 900),
		       reply->str);
}
