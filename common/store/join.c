/* SPDX-License-Identifier: MIT */
#include "common/store/join.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/join_private.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

enum { MEMBER_MAX = 64 << 20, PREFIX_MAX = 4096, PART_WORDS = 4 };

#define LUA_KEYS \
	"local j, s, t, seen, claim = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]\n"

/* A member of the same task and place counts already (a Python worker's): at one score there is
 * one member, or a few. Parts without a place all have the score +inf, and only .seen tells. */
#define LUA_ADD \
	"local function add(score, id, prefix, member)\n" \
	"  if redis.call('HSETNX', seen, id, '1') == 0 then return 0 end\n" \
	"  if score ~= '+inf' then\n" \
	"    for _, m in ipairs(redis.call('ZRANGEBYSCORE', j, score, score, 'LIMIT', 0, 16)) do\n" \
	"      if string.sub(m, 1, #prefix) == prefix then return 0 end\n" \
	"    end\n" \
	"  end\n" \
	"  redis.call('ZADD', j, score, member)\n" \
	"  return 1\n" \
	"end\n"

#define LUA_TOTAL \
	"local function total()\n" \
	"  local size = tonumber(redis.call('GET', s) or '')\n" \
	"  if not size then return -1 end\n" \
	"  return size + (tonumber(redis.call('GET', t) or '') or 0)\n" \
	"end\n"

#define LUA_EXPIRE \
	"local function expire(seconds)\n" \
	"  if tonumber(seconds) <= 0 then return end\n" \
	"  for i = 1, 4 do redis.call('EXPIRE', KEYS[i], seconds) end\n" \
	"end\n"

static const char START[] =
	LUA_KEYS
	"if redis.call('GET', claim) == 'done' or redis.call('EXISTS', s) == 1 then return 0 end\n"
	"if tonumber(ARGV[2]) > 0 then redis.call('SETEX', s, ARGV[2], ARGV[1])\n"
	"else redis.call('SET', s, ARGV[1]) end\n"
	"redis.call('PUBLISH', s, ARGV[1])\n"
	"return 1\n";

/* The part that completes the join gets the claim with its count, in one step, so that it is ready
 * again if it dies and is redelivered; parts that only come twice are not. */
static const char COUNT_PART[] =
	LUA_KEYS LUA_ADD LUA_TOTAL LUA_EXPIRE
	"local score, id, prefix, member = ARGV[1], ARGV[2], ARGV[3], ARGV[4]\n"
	"local owner = redis.call('GET', claim)\n"
	"if owner == 'done' then return {0, -1} end\n"
	"local fresh = add(score, id, prefix, member) == 1\n"
	"expire(ARGV[5])\n"
	"local size = total()\n"
	"if size < 0 or redis.call('ZCARD', j) < size then return {0, size} end\n"
	"if owner and owner ~= id then return {0, size} end\n"
	"if not fresh and redis.call('HGET', seen, id) ~= 'last' then return {0, size} end\n"
	"redis.call('HSET', seen, id, 'last')\n"
	"redis.call('SET', claim, id, 'PX', ARGV[6])\n"
	"return {1, size}\n";

static const char CLAIM[] =
	LUA_KEYS
	"local owner = redis.call('GET', claim)\n"
	"if owner and owner ~= ARGV[1] then return 0 end\n"
	"redis.call('SET', claim, ARGV[1], 'PX', ARGV[2])\n"
	"return 1\n";

static const char GIVE_BACK[] =
	LUA_KEYS
	"if redis.call('ZCARD', j) ~= tonumber(ARGV[1]) then return 0 end\n"
	"if redis.call('GET', claim) ~= 'done' then redis.call('DEL', claim) end\n"
	"return 1\n";

static const char FINISH[] =
	LUA_KEYS
	"local ms = redis.call('PTTL', seen)\n"
	"if ms <= 0 then ms = redis.call('PTTL', s) end\n"
	"if ms <= 0 then ms = 86400000 end\n"
	"if ARGV[1] == '0' then redis.call('DEL', j, s, t, seen) end\n"
	"redis.call('SET', claim, 'done', 'PX', ms)\n"
	"return 1\n";

static const char LOOK[] =
	LUA_KEYS LUA_TOTAL
	"local owner = redis.call('GET', claim)\n"
	"return {total(), redis.call('ZCARD', j), redis.call('HLEN', seen), owner and 1 or 0,\n"
	"  owner == 'done' and 1 or 0}\n";

static const char RESTORE[] =
	LUA_KEYS LUA_ADD LUA_EXPIRE
	"if redis.call('GET', claim) == 'done' then return 0 end\n"
	"local n = 0\n"
	"for i = 3, #ARGV, 4 do n = n + add(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end\n"
	"if tonumber(ARGV[1]) >= 0 and redis.call('EXISTS', s) == 0 then\n"
	"  redis.call('SET', s, ARGV[1])\n"
	"end\n"
	"expire(ARGV[2])\n"
	"return n\n";

void join_keys_fill(struct join_keys *k, const char *join_id, const char **words)
{
	static const char *const ENDS[JOIN_KEYS] = { ".j", ".s", ".t", ".seen", ".claim" };

	for (int i = 0; i < JOIN_KEYS; i++) {
		snprintf(k->text[i], sizeof k->text[i], "celery-taskset-meta-%s%s", join_id,
			 ENDS[i]);
		words[i] = k->text[i];
	}
}

/* words: JOIN_KEYS of them are filled here, the rest is the caller's. */
static int ask(struct redis *r, const char *script, const char *join_id, const char **words,
	       size_t n, struct redis_reply **ret, struct err *e)
{
	struct join_keys keys;

	join_keys_fill(&keys, join_id, words);
	return redis_eval(r, script, JOIN_KEYS, words, NULL, n, ret, e);
}

static int ask_number(struct redis *r, const char *script, const char *join_id, const char **words,
		      size_t n, int64_t *ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	int got = ask(r, script, join_id, words, n, &reply, e);

	if (got < 0)
		return got;
	*ret = reply->integer;
	redis_reply_free(reply);
	return 0;
}

static int64_t number_at(const struct redis_reply *reply, size_t i)
{
	return i < reply->nitems && reply->items[i]->type == REDIS_INTEGER
		       ? reply->items[i]->integer
		       : 0;
}

static const char *decimal(char out[24], int64_t v)
{
	snprintf(out, 24, "%lld", (long long)v);
	return out;
}

int join_start(struct redis *r, const char *join_id, int64_t size, int64_t expires_s, struct err *e)
{
	char parts[24], expires[24];
	const char *words[JOIN_KEYS + 2] = { [JOIN_KEYS] = decimal(parts, size),
					     decimal(expires, expires_s) };

	return ask(r, START, join_id, words, COUNT(words), NULL, e);
}

/* The four words of a part: score, task id, what its member begins with, member. */
struct part_words {
	char score[24];
	struct buf prefix, member;
};

static int part_words_init(struct part_words *w, const struct join_part *part, const char **words,
			   struct err *e)
{
	snprintf(w->score, sizeof w->score, "+inf");
	if (part->index >= 0)
		decimal(w->score, part->index);
	buf_init(&w->prefix, PREFIX_MAX);
	buf_init(&w->member, MEMBER_MAX);
	buf_puts(&w->prefix, "[1, ");
	buf_put_json_string(&w->prefix, part->task_id);
	buf_puts(&w->prefix, ", ");
	buf_puts(&w->member, buf_text(&w->prefix));
	buf_put_json_string(&w->member, part->status);
	buf_puts(&w->member, ", ");
	buf_puts(&w->member, part->json ? part->json : "null");
	buf_putc(&w->member, ']');
	words[0] = w->score;
	words[1] = part->task_id;
	words[2] = buf_text(&w->prefix);
	words[3] = buf_text(&w->member);
	if (buf_overflowed(&w->prefix) || buf_overflowed(&w->member))
		return err_set(e, ERR_TOO_BIG, "chord part over %d bytes", MEMBER_MAX);
	return 0;
}

static void part_words_release(struct part_words *w)
{
	buf_release(&w->prefix);
	buf_release(&w->member);
}

int join_count(struct redis *r, const struct join_part *part, int64_t expires_s, bool *ret_ready,
	       int64_t *ret_size, struct err *e)
{
	char expires[24], claim_ms[24];
	const char *words[JOIN_KEYS + PART_WORDS + 2] = {
		[JOIN_KEYS + PART_WORDS] = decimal(expires, expires_s),
		decimal(claim_ms, JOIN_CLAIM_MS)
	};
	struct redis_reply *reply = NULL;
	struct part_words w = { 0 };
	int got = part_words_init(&w, part, words + JOIN_KEYS, e);

	if (got >= 0)
		got = ask(r, COUNT_PART, part->join_id, words, COUNT(words), &reply, e);
	part_words_release(&w);
	if (got < 0)
		return got;
	*ret_ready = number_at(reply, 0) == 1;
	*ret_size = number_at(reply, 1);
	redis_reply_free(reply);
	return 0;
}

int join_claim(struct redis *r, const char *join_id, const char *who, struct err *e)
{
	char claim_ms[24];
	const char *words[JOIN_KEYS + 2] = { [JOIN_KEYS] = who, decimal(claim_ms, JOIN_CLAIM_MS) };
	int64_t got = 0;
	int rc = ask_number(r, CLAIM, join_id, words, COUNT(words), &got, e);

	return rc < 0 ? rc : got == 1;
}

int join_give_back(struct redis *r, const char *join_id, int64_t parts_seen, struct err *e)
{
	char seen[24];
	const char *words[JOIN_KEYS + 1] = { [JOIN_KEYS] = decimal(seen, parts_seen) };
	int64_t got = 0;
	int rc = ask_number(r, GIVE_BACK, join_id, words, COUNT(words), &got, e);

	return rc < 0 ? rc : got == 1;
}

int join_finish(struct redis *r, const char *join_id, bool failed, struct err *e)
{
	const char *words[JOIN_KEYS + 1] = { [JOIN_KEYS] = failed ? "1" : "0" };

	return ask(r, FINISH, join_id, words, COUNT(words), NULL, e);
}

int join_look(struct redis *r, const char *join_id, struct join_state *ret, struct err *e)
{
	const char *words[JOIN_KEYS];
	struct redis_reply *reply = NULL;
	int got = ask(r, LOOK, join_id, words, COUNT(words), &reply, e);

	if (got < 0)
		return got;
	*ret = (struct join_state){
		.size = number_at(reply, 0), .parts = number_at(reply, 1),
		.ours = number_at(reply, 2), .claimed = number_at(reply, 3) == 1,
		.done = number_at(reply, 4) == 1,
	};
	redis_reply_free(reply);
	return 0;
}

int64_t join_restore(struct redis *r, const char *join_id, int64_t size,
		     const struct join_part *parts, size_t n, int64_t expires_s, struct err *e)
{
	size_t nwords = JOIN_KEYS + 2 + n * PART_WORDS, made = 0;
	const char **words = mem_zalloc(nwords * sizeof *words);
	struct part_words *w = mem_zalloc((n + 1) * sizeof *w);
	char total[24], expires[24];
	int64_t missing = 0;
	int got = 0;

	words[JOIN_KEYS] = decimal(total, size);
	words[JOIN_KEYS + 1] = decimal(expires, expires_s);
	while (got >= 0 && made < n) {
		got = part_words_init(&w[made], &parts[made],
				      words + JOIN_KEYS + 2 + made * PART_WORDS, e);
		made++;
	}
	if (got >= 0)
		got = ask_number(r, RESTORE, join_id, words, nwords, &missing, e);
	while (made > 0)
		part_words_release(&w[--made]);
	free(w);
	free(words);
	return got < 0 ? got : missing;
}

int join_save_tree(struct redis *r, const char *join_id, const char *tree, int64_t expires_s,
		   struct err *e)
{
	char key[JOIN_KEY_SIZE], expires[24];

	snprintf(key, sizeof key, "celery-taskset-meta-%s", join_id);
	if (expires_s <= 0)
		return redis_cmd(r, NULL, e, "SET", key, tree, "NX", NULL);
	return redis_cmd(r, NULL, e, "SET", key, tree, "NX", "EX", decimal(expires, expires_s),
			 NULL);
}

/* ---- the copy in PostgreSQL ---- */

int join_note(struct pg *p, const char *join_id, int64_t size, const char *body, const char *tree,
	      struct err *e)
{
	static const char SQL[] =
		"INSERT INTO jobfleet.joins AS j (join_id, size, body, tree)"
		" VALUES ($1, $2::integer, $3, $4) ON CONFLICT (join_id) DO UPDATE"
		" SET size = coalesce(j.size, excluded.size), tree = coalesce(j.tree, excluded.tree)";
	int64_t r = pg_run(p, SQL,
			   PG_PARAMS(PG_TEXT(join_id), size < 0 ? PG_NULL : PG_INT(size),
				     PG_TEXT(body), PG_TEXT(tree)), NULL, e);

	return r < 0 ? (int)r : 0;
}

int join_note_size(struct pg *p, const char *join_id, int64_t size, const char *tree,
		   struct err *e)
{
	static const char SQL[] =
		"UPDATE jobfleet.joins SET size = coalesce(size, $2::integer),"
		" tree = coalesce(tree, $3)"
		" FROM (SELECT set_config('synchronous_commit', 'off', true)) AS setting"
		" WHERE join_id = $1 AND (size IS NULL OR (tree IS NULL AND $3::text IS NOT NULL))";
	int64_t r = pg_run(p, SQL, PG_PARAMS(PG_TEXT(join_id), PG_INT(size), PG_TEXT(tree)), NULL,
			   e);

	return r < 0 ? (int)r : 0;
}

int join_note_done(struct pg *p, const char *join_id, bool failed, struct err *e)
{
	static const char SQL[] =
		"UPDATE jobfleet.joins SET state = $2, moved_at = now()"
		" WHERE join_id = $1 AND state = 'open'";
	int64_t r = pg_run(p, SQL,
			   PG_PARAMS(PG_TEXT(join_id), PG_TEXT(failed ? "failed" : "done")), NULL,
			   e);

	return r < 0 ? (int)r : 0;
}
