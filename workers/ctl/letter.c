/* SPDX-License-Identifier: MIT */
#include "workers/ctl/letter.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/broker/message.h"
#include "common/store/dead_letter.h"
#include "common/store/pg.h"

enum { BODY_MAX = 64 << 20 };

static const char SQL_LOAD[] =
	"SELECT id, task_id, task, queue, cause, reason, detail, state, to_json(died_at)#>>'{}',"
	" generation,"
	" props, body FROM jobfleet.dead_letters WHERE id = $1";

int letter_load(struct letter *ret, struct pg *p, const char *id, bool lock, struct err *e)
{
	struct letter l = { 0 };
	char *sql;
	int64_t n;

	if (scan_int64(id, 1, INT64_MAX, &l.id, NULL) < 0)
		return err_set(e, ERR_USAGE,
			       "\"%.40s\" is not a dead letter's id: jobfleet dlq list shows them",
			       id);
	sql = mem_printf("%s%s", SQL_LOAD, lock ? " FOR UPDATE" : "");
	n = pg_run(p, sql, PG_PARAMS(PG_INT(l.id)), &l.rows, e);
	free(sql);
	if (n < 0)
		return (int)n;
	if (n == 0) {
		letter_release(&l);
		return err_set(e, ERR_NOT_FOUND, "there is no dead letter %.40s", id);
	}
	l.task_id = pg_text(l.rows, 0, 1);
	l.task = pg_text(l.rows, 0, 2);
	l.queue = pg_text(l.rows, 0, 3);
	l.cause = pg_text(l.rows, 0, 4);
	l.reason = pg_text(l.rows, 0, 5);
	l.detail = pg_text(l.rows, 0, 6);
	l.state = pg_text(l.rows, 0, 7);
	l.died_at = pg_text(l.rows, 0, 8);
	l.generation = (int)pg_int(l.rows, 0, 9);
	l.props = pg_bytea(l.rows, 0, 10, &l.props_len);
	l.body = pg_bytea(l.rows, 0, 11, &l.body_len);
	*ret = l;
	return 0;
}

void letter_release(struct letter *l)
{
	pg_rows_free(l->rows);
	free(l->props);
	free(l->body);
	memset(l, 0, sizeof *l);
}

/* The body as text if it is some, else its bytes in hex. */
static void put_body(cJSON *o, const struct letter *l, const struct message *m)
{
	char *text = NULL, *hex;
	size_t len = 0;

	if (!l->body)
		return;
	if (m && message_text(m, BODY_MAX, &text, &len, NULL) == 0 && strlen(text) == len) {
		json_set_raw(o, "body", text);
		free(text);
		return;
	}
	free(text);
	hex = mem_alloc(2 * l->body_len + 1);
	for (size_t i = 0; i < l->body_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)l->body)[i]);
	hex[2 * l->body_len] = '\0';
	json_set_str(o, "body_hex", hex);
	free(hex);
}

static void put_message(cJSON *o, const struct letter *l)
{
	struct message m;
	struct err e = { 0 };
	bool whole;

	message_init(&m);
	whole = l->props &&
		message_decode(&m, l->props, l->props_len, l->body, l->body_len, &e) == 0;
	if (whole) {
		json_set_num(o, "retries", m.retries);
		json_set_str(o, "origin", m.origin);
		json_set_str(o, "root_id", m.root_id);
		json_set_str(o, "parent_id", m.parent_id);
		json_set_str(o, "group", m.group);
		json_set_str(o, "eta", m.eta);
		json_set_str(o, "expires", m.expires);
	} else if (l->props) {
		json_set_str(o, "unreadable", e.msg);
	}
	put_body(o, l, whole ? &m : NULL);
	message_release(&m);
}

static cJSON *letter_json(const struct letter *l)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_num(o, "id", (double)l->id);
	json_set_str(o, "state", l->state);
	json_set_str(o, "died_at", l->died_at);
	json_set_str(o, "cause", l->cause);
	json_set_str(o, "reason", l->reason);
	json_set_str(o, "queue", l->queue);
	json_set_str(o, "task", *l->task ? l->task : NULL);
	json_set_str(o, "task_id", *l->task_id ? l->task_id : NULL);
	json_set_num(o, "generation", l->generation);
	json_set_raw(o, "detail", *l->detail ? l->detail : "{}");
	put_message(o, l);
	return o;
}

void letter_print(const struct letter *l, bool json, FILE *out)
{
	cJSON *o = letter_json(l);
	char *text = json_print(o);

	if (json)
		fprintf(out, "%s\n", text);
	for (const cJSON *item = o->child; item && !json; item = item->next) {
		char *value =
			cJSON_IsString(item) ? mem_strdup(item->valuestring) : json_print(item);

		for (char *p = value; *p; p++)
			*p = (unsigned char)*p < 0x20 || *p == 0x7F ? ' ' : *p;
		fprintf(out, "%-10s  %s\n", item->string, value);
		free(value);
	}
	free(text);
	cJSON_Delete(o);
}

static int must_be_dead(const struct letter *l, struct err *e)
{
	if (strcmp(l->state, "dead") == 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "dead letter %lld is %s already", (long long)l->id,
		       l->state);
}

static int set_state(const struct letter *l, struct pg *p, const char *state, struct err *e)
{
	int64_t n = pg_run(
		p, "UPDATE jobfleet.dead_letters SET state = $2, updated_at = now() WHERE id = $1",
		PG_PARAMS(PG_INT(l->id), PG_TEXT(state)), NULL, e);

	return n < 0 ? (int)n : 0;
}

int letter_message(const struct letter *l, struct message *m, struct err *e)
{
	const struct dead_letter dead = { .generation = l->generation, .props = l->props,
					  .props_len = l->props_len, .body = l->body,
					  .body_len = l->body_len };
	struct err why = { 0 };
	int r = must_be_dead(l, e);

	if (r == 0 && (!l->props || !l->body))
		r = err_set(e, ERR_INVALID, "dead letter %lld kept no message to send",
			    (long long)l->id);
	if (r < 0) {
		message_init(m);
		return r;
	}
	if (dead_letter_message(&dead, m, &why) < 0)
		return err_set(e, ERR_INVALID, "dead letter %lld cannot be sent again: %s",
			       (long long)l->id, why.msg);
	return 0;
}

int letter_replay(const struct letter *l, const struct message *m, struct pg *p, const char *queue,
		  struct err *e)
{
	return dead_letter_replay(p, l->id, m, queue ? queue : l->queue, e);
}

int letter_drop(const struct letter *l, struct pg *p, struct err *e)
{
	int r = must_be_dead(l, e);

	return r < 0 ? r : set_state(l, p, "dropped", e);
}
