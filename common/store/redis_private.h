/* SPDX-License-Identifier: MIT */
/* What redis.c, redis_open.c and redis_reply.c share; nobody else includes this. */
#ifndef COMMON_STORE_REDIS_PRIVATE_H
#define COMMON_STORE_REDIS_PRIVATE_H

#include <hiredis/read.h>

#include "common/base/err.h"
#include "common/store/redis.h"

enum { REDIS_SCRIPTS = 8, REDIS_SHA_SIZE = 41, REDIS_MAX_REPLY = 64 << 20 };

struct conn;

struct redis {
	struct conn *conn;
	redisReader *reader;
	int timeout_ms;
	int64_t deadline_ms;		/* monotonic; 0 = timeout_ms from the call's start */
	bool broken;
	bool refused;			/* an answer, for its size, while it was read */
	struct {
		const char *text;	/* borrowed; its address is what we look for */
		char sha[REDIS_SHA_SIZE];
	} scripts[REDIS_SCRIPTS];
	size_t nscripts;
};

/* Makes struct redis_reply while hiredis reads for r. */
redisReader *redis_reply_reader(struct redis *r);
/* Turns an error answer into its code; frees nothing. command names it in the text; hide keeps the
 * server's words out of it. */
int redis_refused(struct redis *r, const struct redis_reply *reply, const char *command, bool hide,
		  struct err *e);
/* A network error in e becomes -ERR_REDIS, its text kept, and the connection broken. */
int redis_lost(struct redis *r, struct err *e);
/* Like redis_run, but a refusal quotes only its first word: for commands that carry a password. */
int redis_run_hidden(struct redis *r, const char *const *words, size_t n, struct redis_reply **ret,
		     struct err *e);

#endif
