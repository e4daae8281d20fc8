/* SPDX-License-Identifier: MIT */
#include "workers/alerting/notice.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

static const char *const KINDS[] = { "firing", "repeated", "escalated", "resolved", "test" };

static bool is_kind(const char *kind)
{
	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(kind, KINDS[i]) == 0)
			return true;
	return false;
}

/* It goes into headers of mails and requests as it is. */
static bool is_id(const char *id)
{
	size_t n = 0;

	while (n < NOTICE_ID_MAX && (isalnum((unsigned char)id[n]) || id[n] == '-'))
		n++;
	return n > 0 && id[n] == '\0';
}

int notice_read(const cJSON *json, struct notice *ret, struct err *e)
{
	struct notice n = { .json = json, .node = json_str(json, "node", "") };
	const struct {
		const char *key, **to;
	} needed[] = {
		{ "id", &n.id }, { "kind", &n.kind }, { "address", &n.address },
		{ "alert", &n.alert }, { "subject", &n.subject }, { "level", &n.level },
		{ "message", &n.message }, { "since", &n.since }, { "at", &n.at },
	};

	for (size_t i = 0; i < COUNT(needed); i++) {
		*needed[i].to = json_str(json, needed[i].key, NULL);
		if (!*needed[i].to)
			return err_set(e, ERR_INVALID, "the notice has no text \"%s\"",
				       needed[i].key);
	}
	if (!is_id(n.id))
		return err_set(e, ERR_INVALID, "id is not made of up to %d letters, digits and -",
			       NOTICE_ID_MAX);
	if (!is_kind(n.kind))
		return err_set(e, ERR_INVALID, "kind is none of firing, repeated, escalated, "
			       "resolved, test");
	if (address_parse(n.address, &n.to, e) < 0)
		return -ERR_INVALID;
	*ret = n;
	return 0;
}

static bool is_over(const struct notice *n)
{
	return strcmp(n->kind, "resolved") == 0;
}

static void put_plain(struct buf *out, const char *text)
{
	for (; *text && out->len < NOTICE_TITLE_MAX; text++)
		buf_putc(out, *text >= ' ' && *text <= '~' ? *text : '?');
}

void notice_title(const struct notice *n, struct buf *out)
{
	buf_putc(out, '[');
	put_plain(out, is_over(n) || strcmp(n->kind, "test") == 0 ? n->kind : n->level);
	buf_puts(out, "] ");
	put_plain(out, n->alert);
	if (*n->subject) {
		buf_putc(out, ' ');
		put_plain(out, n->subject);
	}
}

/* Nothing that came in a message begins a line of its own. */
static void put_line(struct buf *out, const char *name, const char *text)
{
	if (!*text)
		return;
	buf_printf(out, "%-9s", name);
	for (; *text; text++)
		buf_putc(out, (unsigned char)*text < ' ' || *text == 127 ? ' ' : *text);
	buf_putc(out, '\n');
}

static const char *what_it_is(const struct notice *n)
{
	if (is_over(n))
		return "This alert is over.";
	if (strcmp(n->kind, "repeated") == 0)
		return "This alert is still there.";
	if (strcmp(n->kind, "escalated") == 0)
		return "Nobody has acknowledged this alert.";
	return strcmp(n->kind, "test") == 0 ? "This is a test: nothing is wrong."
					    : "Something is wrong.";
}

void notice_text(const struct notice *n, struct buf *out)
{
	char *ack = mem_printf("jobfleet alerts ack %s%s%s", n->alert, *n->subject ? "/" : "",
			       n->subject);

	buf_printf(out, "%s\n\n", what_it_is(n));
	put_line(out, "alert", n->alert);
	put_line(out, "subject", n->subject);
	put_line(out, "level", n->level);
	put_line(out, "message", n->message);
	put_line(out, "since", n->since);
	put_line(out, "at", n->at);
	put_line(out, "told by", n->node);
	if (!is_over(n) && strcmp(n->kind, "test") != 0)
		put_line(out, "to ack", ack);
	free(ack);
}

static const char *status(const struct notice *n)
{
	return is_over(n) || strcmp(n->kind, "test") == 0 ? n->kind : "firing";
}

void notice_json(const struct notice *n, struct buf *out)
{
	cJSON *o = mem_check(cJSON_Duplicate(n->json, true));
	struct buf title, text;
	char *printed;

	buf_init(&title, 16384);
	buf_init(&text, 65536);
	notice_title(n, &title);
	buf_printf(&text, "%s: %s", buf_text(&title), n->message);
	cJSON_DeleteItemFromObjectCaseSensitive(o, "address");
	json_set_num(o, "version", 1);
	json_set_str(o, "status", status(n));
	json_set_str(o, "title", buf_text(&title));
	json_set_str(o, "text", buf_text(&text));
	printed = json_print(o);
	buf_puts(out, printed);
	free(printed);
	buf_release(&title);
	buf_release(&text);
	cJSON_Delete(o);
}
