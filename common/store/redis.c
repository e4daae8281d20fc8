/* SPDX-License-Identifier: MIT */
#include "common/store/redis.h"

#include <hiredis/hiredis.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/net/conn.h"
#include "common/store/redis_private.h"

enum { READ_BYTES = 16384, MAX_WORDS = 16 };

static int64_t until(const struct redis *r)
{
	return r->deadline_ms ? r->deadline_ms : clock_mono_ms() + r->timeout_ms;
}

int redis_lost(struct redis *r, struct err *e)
{
	char old[256];

	r->broken = true;
	if (!e)
		return -ERR_REDIS;
	snprintf(old, sizeof old, "%s", e->msg);
	return err_set(e, ERR_REDIS, "Redis: %s", old);
}

static int late(struct redis *r, struct err *e)
{
	r->broken = true;	/* its answer may still come, and would be taken for the next one's */
	return err_set(e, ERR_TIMEOUT, "Redis: no answer before the deadline");
}

static int wait_for(struct redis *r, short events, int64_t until_ms, struct err *e)
{
	int got = conn_wait(r->conn, events, until_ms, e);

	if (got < 0)
		return redis_lost(r, e);
	return got;
}

static int send_all(struct redis *r, const char *data, size_t n, int64_t until_ms, struct err *e)
{
	while (n > 0) {
		ssize_t sent = conn_write(r->conn, data, n, e);
		int got;

		if (sent < 0)
			return redis_lost(r, e);
		data += sent;
		n -= (size_t)sent;
		if (sent > 0)
			continue;
		got = wait_for(r, POLLOUT, until_ms, e);
		if (got <= 0)
			return got < 0 ? got : late(r, e);
	}
	return 0;
}

/* What the reader has in full, into *ret: 1; 0 if more bytes are needed. */
static int parsed(struct redis *r, struct redis_reply **ret, struct err *e)
{
	void *reply = NULL;

	if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
		mem_check(r->reader->err == REDIS_ERR_OOM && !r->refused ? NULL : r);
		r->broken = true;
		return err_set(e, ERR_PROTOCOL, "Redis: not an answer of Redis: %s",
			       r->reader->errstr);
	}
	if (!reply && r->reader->len > REDIS_MAX_REPLY) {
		r->broken = true;
		return err_set(e, ERR_TOO_BIG, "Redis: an answer larger than %d MiB",
			       REDIS_MAX_REPLY >> 20);
	}
	*ret = reply;
	return reply != NULL;
}

/* 1 = *ret filled, 0 = nothing whole until until_ms. */
static int receive(struct redis *r, int64_t until_ms, struct redis_reply **ret, struct err *e)
{
	char bytes[READ_BYTES];

	for (;;) {
		int got = parsed(r, ret, e);
		ssize_t n;

		if (got != 0)
			return got;
		got = conn_has_buffered(r->conn) ? 1 : wait_for(r, POLLIN, until_ms, e);
		if (got <= 0)
			return got;
		n = conn_read(r->conn, bytes, sizeof bytes, e);
		if (n < 0)
			return redis_lost(r, e);
		mem_check(redisReaderFeed(r->reader, bytes, (size_t)n) == REDIS_OK ? r : NULL);
	}
}

static int usable(const struct redis *r, struct err *e)
{
	return r->broken ? err_set(e, ERR_REDIS, "Redis: connection is broken") : 0;
}

/* Sends one command and reads its answer, errors included, into *ret. */
static int exchange(struct redis *r, const char *const *words, const size_t *lens, size_t n,
		    struct redis_reply **ret, struct err *e)
{
	int64_t until_ms = until(r);
	char *data = NULL;
	int len, got = usable(r, e);

	if (got < 0)
		return got;
	len = redisFormatCommandArgv(&data, (int)n, (const char **)(uintptr_t)words, lens);
	mem_check(len < 0 ? NULL : data);
	got = send_all(r, data, (size_t)len, until_ms, e);
	redisFreeCommand(data);
	if (got == 0) {
		got = receive(r, until_ms, ret, e);
		if (got == 0)
			got = late(r, e);
	}
	return got < 0 ? got : 0;
}

static int deliver(struct redis_reply *reply, struct redis_reply **ret)
{
	if (ret)
		*ret = reply;
	else
		redis_reply_free(reply);
	return 0;
}

static int run(struct redis *r, const char *const *words, const size_t *lens, size_t n, bool hide,
	       struct redis_reply **ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	int got = exchange(r, words, lens, n, &reply, e);

	if (got < 0)
		return got;
	if (reply->type != REDIS_ERROR)
		return deliver(reply, ret);
	got = redis_refused(r, reply, words[0], hide, e);
	redis_reply_free(reply);
	return got;
}

int redis_run(struct redis *r, const char *const *words, const size_t *lens, size_t n,
	      struct redis_reply **ret, struct err *e)
{
	return run(r, words, lens, n, false, ret, e);
}

int redis_run_hidden(struct redis *r, const char *const *words, size_t n, struct redis_reply **ret,
		     struct err *e)
{
	return run(r, words, NULL, n, true, ret, e);
}

int redis_cmd(struct redis *r, struct redis_reply **ret, struct err *e, ...)
{
	const char *words[MAX_WORDS], *word;
	size_t n = 0;
	va_list ap;

	va_start(ap, e);
	while ((word = va_arg(ap, const char *)) && n < MAX_WORDS)
		words[n++] = word;
	va_end(ap);
	if (n == 0 || word)
		return err_set(e, ERR_INTERNAL, "Redis: a command has 1 to %d words", MAX_WORDS);
	return run(r, words, NULL, n, false, ret, e);
}

static const char *sha_of(struct redis *r, const char *script)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	size_t slot;

	for (size_t i = 0; i < r->nscripts && i < REDIS_SCRIPTS; i++) {
		if (r->scripts[i].text == script)
			return r->scripts[i].sha;
	}
	slot = r->nscripts++ % REDIS_SCRIPTS;
	mem_check(SHA1((const unsigned char *)script, strlen(script), digest));
	r->scripts[slot].text = script;
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(r->scripts[slot].sha + 2 * i, 3, "%02x", digest[i]);
	return r->scripts[slot].sha;
}

int redis_eval(struct redis *r, const char *script, size_t nkeys, const char *const *words,
	       const size_t *lens, size_t n, struct redis_reply **ret, struct err *e)
{
	const char **all = mem_zalloc((n + 3) * sizeof *all);
	size_t *sizes = mem_zalloc((n + 3) * sizeof *sizes);
	struct redis_reply *reply = NULL;
	char count[24];
	int got;

	snprintf(count, sizeof count, "%zu", nkeys);
	all[0] = "EVALSHA";
	all[1] = sha_of(r, script);
	all[2] = count;
	for (size_t i = 0; i < n; i++)
		all[i + 3] = words[i];
	for (size_t i = 0; i < n + 3; i++)
		sizes[i] = i >= 3 && lens ? lens[i - 3] : strlen(all[i]);
	got = exchange(r, all, sizes, n + 3, &reply, e);
	if (got == 0 && reply->type == REDIS_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0) {
		redis_reply_free(reply);
		reply = NULL;
		all[0] = "EVAL";
		all[1] = script;
		sizes[0] = 4;
		sizes[1] = strlen(script);
		got = exchange(r, all, sizes, n + 3, &reply, e);
	}
	if (got == 0 && reply->type == REDIS_ERROR) {
		got = redis_refused(r, reply, "script", false, e);
		redis_reply_free(reply);
	} else if (got == 0) {
		deliver(reply, ret);
	}
	free(all);
	free(sizes);
	return got;
}

int redis_wait(struct redis *r, int timeout_ms, struct redis_reply **ret, struct err *e)
{
	int got = usable(r, e);

	return got < 0 ? got : receive(r, clock_mono_ms() + timeout_ms, ret, e);
}

void redis_set_deadline(struct redis *r, int64_t mono_ms)
{
	r->deadline_ms = mono_ms;
}

bool redis_is_alive(const struct redis *r)
{
	return !r->broken;
}
