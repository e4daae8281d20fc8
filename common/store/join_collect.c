/* SPDX-License-Identifier: MIT */
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"
#include "common/base/raw.h"
#include "common/store/join.h"
#include "common/store/join_private.h"
#include "common/store/redis.h"
#include "common/store/result.h"

enum {
	SLICE_PARTS = 1000,
	SLICE_BYTES = 4 << 20,
	LEAVES_AT_ONCE = 50,
	ROUNDS = 5,			/* while parts keep coming */
	TEXT_MAX = 1000,		/* of an exception's arguments, in ChordError */
	TREE_DEPTH = 200,
};

/* A slice by number and by bytes, since values may be large. */
static const char SLICE[] =
	"local out, bytes, at = {}, 0, tonumber(ARGV[1])\n"
	"local most, room = tonumber(ARGV[2]), tonumber(ARGV[3])\n"
	"while #out < most and bytes < room do\n"
	"  local m = redis.call('ZRANGE', KEYS[1], at, at)[1]\n"
	"  if not m then break end\n"
	"  out[#out + 1] = m\n"
	"  bytes = bytes + #m\n"
	"  at = at + 1\n"
	"end\n"
	"return out\n";

struct member {
	char *id, *status, *json;
	size_t place;			/* in the set's order */
	bool twice;
};

struct members {
	struct member *list;
	struct member **by_id;		/* sorted; NULL until sort_members */
	size_t n, distinct, bytes;
};

static void members_clear(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].id);
		free(m->list[i].status);
		free(m->list[i].json);
	}
	free(m->list);
	free(m->by_id);
	*m = (struct members){ 0 };
}

static struct member *members_add(struct members *m)
{
	if ((m->n & (m->n + 1)) == 0)	/* full at 0, 1, 3, 7, … */
		m->list = mem_realloc(m->list, (2 * m->n + 1) * sizeof *m->list);
	m->list[m->n] = (struct member){ .place = m->n };
	return &m->list[m->n++];
}

/* [1, "<task id>", "<status>", <result>] */
static int parse_member(struct members *all, const char *text, size_t len, struct err *e)
{
	struct member *m = members_add(all);
	struct raw whole, key, item, fields[4];
	struct raw_walk walk;
	size_t n = 0;

	if (raw_whole(text, len, &whole, NULL)) {
		walk = raw_walk(whole);
		while (raw_is_array(whole) && n < COUNT(fields) && raw_next(&walk, &key, &item))
			fields[n++] = item;
	}
	if (n == COUNT(fields)) {
		m->id = raw_string(fields[1]);
		m->status = raw_string(fields[2]);
		m->json = raw_dup(fields[3]);
		all->bytes += fields[3].len;
	}
	if (!m->id || !m->status)
		return err_set(e, ERR_PROTOCOL, "a chord part in Redis is none: %.80s", text);
	return 0;
}

static int read_slice(struct redis *r, const struct join_keys *k, struct members *all,
		      struct err *e)
{
	char at[24], most[16], room[16];
	const char *words[] = { k->text[JOIN_PARTS], at, most, room };
	struct redis_reply *reply = NULL;
	int got;

	snprintf(at, sizeof at, "%zu", all->n);
	snprintf(most, sizeof most, "%d", SLICE_PARTS);
	snprintf(room, sizeof room, "%d", SLICE_BYTES);
	got = redis_eval(r, SLICE, 1, words, NULL, COUNT(words), &reply, e);
	if (got < 0)
		return got;
	for (size_t i = 0; got >= 0 && i < reply->nitems; i++)
		got = parse_member(all, reply->items[i]->str, reply->items[i]->len, e);
	if (got >= 0)
		got = reply->nitems > 0;
	redis_reply_free(reply);
	return got;
}

static int read_members(struct redis *r, const char *join_id, struct members *all, struct err *e)
{
	const char *words[JOIN_KEYS];
	struct join_keys k;
	int got;

	join_keys_fill(&k, join_id, words);
	do {
		got = read_slice(r, &k, all, e);
	} while (got > 0 && all->n <= JOIN_PARTS_MAX && all->bytes <= JOIN_VALUES_MAX);
	return got;
}

static int by_id_and_place(const void *a, const void *b)
{
	const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;
	int order = strcmp(x->id, y->id);

	return order ? order : x->place < y->place ? -1 : x->place > y->place;
}

static void sort_members(struct members *m)
{
	free(m->by_id);
	m->by_id = mem_alloc((m->n + 1) * sizeof(struct member *));
	for (size_t i = 0; i < m->n; i++)
		m->by_id[i] = &m->list[i];
	qsort(m->by_id, m->n, sizeof(struct member *), by_id_and_place);
	m->distinct = 0;
	for (size_t i = 0; i < m->n; i++) {
		m->by_id[i]->twice = i > 0 && strcmp(m->by_id[i]->id, m->by_id[i - 1]->id) == 0;
		m->distinct += !m->by_id[i]->twice;
	}
}

static const struct member *find_member(const struct members *m, const char *id)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(m->by_id[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->n && strcmp(m->by_id[low]->id, id) == 0 ? m->by_id[low] : NULL;
}

/* ---- what failed ---- */

static bool is_bad(const struct member *m)
{
	return strcmp(m->status, "FAILURE") == 0 || strcmp(m->status, "REVOKED") == 0;
}

/* Type(arguments), as Python shows the exception that its client would raise. */
static char *exception_text(const char *json)
{
	struct raw whole, message = RAW_NONE;
	char *type = NULL, *name;
	struct buf out;

	if (raw_whole(json, strlen(json), &whole, NULL) && raw_is_object(whole)) {
		type = raw_string(raw_member(whole, "exc_type"));
		message = raw_member(whole, "exc_message");
	}
	buf_init(&out, TEXT_MAX * 2 + 256);
	name = type ? strrchr(type, '.') : NULL;
	buf_printf(&out, "%.200s", name ? name + 1 : type ? type : "Exception");
	if (!raw_is_array(message))
		buf_putc(&out, '(');
	if (!raw_is_null(message))
		pyrepr_put(&out, message.at, message.len, true, TEXT_MAX);
	if (!raw_is_array(message))
		buf_putc(&out, ')');
	if (out.len > 2 && memcmp(out.data + out.len - 2, ",)", 2) == 0) {
		out.len -= 2;		/* a tuple of one has a comma, a call has none */
		buf_putc(&out, ')');
	}
	free(type);
	return buf_take(&out);
}

static char *failure_text(const struct member *m, bool tree)
{
	char *exception = exception_text(m->json);
	char *text = tree ? mem_printf("Join error: %s", exception)
			  : mem_printf("Dependency %s raised %s", m->id, exception);

	free(exception);
	return text;
}

static const struct member *first_bad(const struct members *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (is_bad(&m->list[i]))
			return &m->list[i];
	return NULL;
}

/* ---- a saved result tree: [[id, parent], null | [child, …]] ---- */

struct walk {
	struct redis *redis;
	struct members *members;
	const struct member *bad;
	const char **missing;
	size_t nmissing;
	struct buf *out;
};

static const char *tree_id(const cJSON *node)
{
	const cJSON *first = cJSON_GetArrayItem(node, 0);
	const cJSON *id = cJSON_IsArray(first) ? cJSON_GetArrayItem(first, 0) : first;

	return cJSON_IsString(id) ? id->valuestring : "";
}

/* Prints what it finds, and gathers what it does not. */
static void walk_tree(struct walk *w, const cJSON *node, int depth)
{
	const cJSON *children = cJSON_GetArrayItem(node, 1), *child;
	const struct member *m;

	if (depth < TREE_DEPTH && cJSON_IsArray(children)) {
		buf_putc(w->out, '[');
		cJSON_ArrayForEach(child, children) {
			if (child != children->child)
				buf_puts(w->out, ", ");
			walk_tree(w, child, depth + 1);
		}
		buf_putc(w->out, ']');
		return;
	}
	m = find_member(w->members, tree_id(node));
	if (m && is_bad(m) && !w->bad)
		w->bad = m;
	if (m) {
		buf_puts(w->out, m->json);
		return;
	}
	w->missing = mem_realloc(w->missing, (w->nmissing + 1) * sizeof *w->missing);
	w->missing[w->nmissing++] = tree_id(node);
}

/* A leaf that is no part itself (it ended before the size was known, or elsewhere): its result. */
static void take_meta(struct members *all, const char *id, const char *meta, size_t len)
{
	struct raw whole, json;
	char *status;
	struct member *m;

	if (!raw_whole(meta, len, &whole, NULL) || !raw_is_object(whole))
		return;
	status = raw_string(raw_member(whole, "status"));
	if (!status || !result_is_final(status)) {
		free(status);
		return;
	}
	json = raw_member(whole, "result");
	m = members_add(all);
	m->id = mem_strdup(id);
	m->status = status;
	m->json = raw_is_null(json) ? mem_strdup("null") : raw_dup(json);
}

static int fetch_leaves(struct walk *w, struct err *e)
{
	char *keys[LEAVES_AT_ONCE];
	const char *words[LEAVES_AT_ONCE + 1] = { "MGET" };
	int got = 0;

	for (size_t at = 0, n; got >= 0 && at < w->nmissing; at += n) {
		struct redis_reply *reply = NULL;

		n = w->nmissing - at < LEAVES_AT_ONCE ? w->nmissing - at : LEAVES_AT_ONCE;
		for (size_t i = 0; i < n; i++)
			words[i + 1] = keys[i] =
				mem_printf("celery-task-meta-%s", w->missing[at + i]);
		got = redis_run(w->redis, words, NULL, n + 1, &reply, e);
		for (size_t i = 0; i < n; i++) {
			if (got >= 0 && reply->items[i]->type == REDIS_STRING)
				take_meta(w->members, w->missing[at + i], reply->items[i]->str,
					  reply->items[i]->len);
			free(keys[i]);
		}
		redis_reply_free(reply);
	}
	sort_members(w->members);
	return got;
}

/* 0 = *ret filled, 1 = leaves are missing. */
static int collect_tree(struct redis *r, const cJSON *tree, struct members *members,
			struct join_outcome *ret, struct err *e)
{
	struct buf out;
	struct walk w = { .redis = r, .members = members, .out = &out };
	int got = 0;

	buf_init(&out, JOIN_VALUES_MAX + (1 << 20));
	walk_tree(&w, tree, 0);
	if (w.nmissing > 0 && !w.bad) {
		got = fetch_leaves(&w, e);
		w.nmissing = 0;
		buf_clear(&out);
		walk_tree(&w, tree, 0);
	}
	if (got >= 0 && w.bad)
		ret->failure = failure_text(w.bad, true);
	else if (got >= 0 && w.nmissing > 0)
		got = 1;
	else if (got >= 0 && buf_overflowed(&out))
		ret->failure = mem_printf("Join error: more than %d bytes", JOIN_VALUES_MAX);
	else if (got >= 0)
		ret->args = buf_take(&out);
	buf_release(&out);
	free(w.missing);
	return got;
}

static const cJSON *tree_in(const cJSON *document)
{
	const cJSON *tree = cJSON_GetObjectItemCaseSensitive(document, "result");

	return cJSON_IsArray(cJSON_GetArrayItem(tree, 1)) ? tree : NULL;
}

int join_read_tree(struct redis *r, const char *join_id, char **ret, struct err *e)
{
	char key[JOIN_KEY_SIZE];
	struct redis_reply *reply = NULL;
	cJSON *document = NULL;
	int got;

	snprintf(key, sizeof key, "celery-taskset-meta-%s", join_id);
	got = redis_cmd(r, &reply, e, "GET", key, NULL);
	if (got < 0)
		return got;
	if (reply->type == REDIS_STRING &&
	    json_parse(reply->str, reply->len, &document, NULL) == 0 && tree_in(document))
		*ret = mem_strndup(reply->str, reply->len);
	got = tree_in(document) != NULL;
	cJSON_Delete(document);
	redis_reply_free(reply);
	return got;
}

/* ---- the whole ---- */

static int collect_flat(const struct members *m, int64_t size, struct join_outcome *ret)
{
	const struct member *bad = first_bad(m);
	struct buf out;

	if (size < 0 || (int64_t)m->distinct < size)
		return 1;
	if (bad) {
		ret->failure = failure_text(bad, false);
		return 0;
	}
	buf_init(&out, m->bytes + 2 * m->n + 3);
	buf_putc(&out, '[');
	for (size_t i = 0, n = 0; i < m->n; i++) {
		if (m->list[i].twice)
			continue;
		if (n++)
			buf_puts(&out, ", ");
		buf_puts(&out, m->list[i].json);
	}
	buf_putc(&out, ']');
	ret->args = buf_take(&out);
	return 0;
}

static int collect_once(struct redis *r, const char *join_id, const struct join_state *state,
			struct join_outcome *ret, struct err *e)
{
	struct members members = { 0 };
	cJSON *document = NULL;
	char *tree = NULL;
	int got = join_read_tree(r, join_id, &tree, e);

	if (tree)
		json_parse(tree, strlen(tree), &document, NULL);
	if (got >= 0)
		got = read_members(r, join_id, &members, e);
	if (got >= 0 && (members.n > JOIN_PARTS_MAX || members.bytes > JOIN_VALUES_MAX)) {
		ret->failure = mem_printf("Join error: more than %d parts or %d bytes",
					  JOIN_PARTS_MAX, JOIN_VALUES_MAX);
	} else if (got >= 0) {
		sort_members(&members);
		got = tree ? collect_tree(r, tree_in(document), &members, ret, e)
			   : collect_flat(&members, state->size, ret);
	}
	cJSON_Delete(document);
	free(tree);
	members_clear(&members);
	return got;
}

int join_collect(struct redis *r, const char *join_id, struct join_outcome *ret, struct err *e)
{
	struct join_outcome o = { 0 };
	struct join_state state;
	int got = 1;

	for (int i = 0; i < ROUNDS && got == 1; i++) {
		int back;

		got = join_look(r, join_id, &state, e);
		if (got >= 0)
			got = collect_once(r, join_id, &state, &o, e);
		if (got != 1)
			break;
		back = join_give_back(r, join_id, state.parts, e);
		if (back != 0)
			return back < 0 ? back : 1;
	}
	if (got == 0)
		*ret = o;
	return got;
}

int join_find_failure(struct redis *r, const char *join_id, struct join_outcome *ret, struct err *e)
{
	struct members members = { 0 };
	const struct member *bad;
	int got = read_members(r, join_id, &members, e);

	if (got >= 0) {
		bad = first_bad(&members);
		if (bad)
			*ret = (struct join_outcome){ .failure = failure_text(bad, false) };
		got = bad != NULL;
	}
	members_clear(&members);
	return got;
}

void join_outcome_release(struct join_outcome *o)
{
	free(o->args);
	free(o->failure);
	*o = (struct join_outcome){ 0 };
}
