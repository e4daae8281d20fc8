/* SPDX-License-Identifier: MIT */
#include "common/worker/control_decode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fnmatch.h>
#include <pcre2.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/props.h"

enum {
	BODY_MAX = 1 << 20, PATTERN_MAX = 1024, NAME_MAX_BYTES = 255, STEPS_MAX = 100000,
};

static int wrong(const char *member, const char *want, struct err *e)
{
	return err_set(e, ERR_PROTOCOL, "control message: %s is no %s", member, want);
}

/* Absent and null give NULL. */
static int take_text(const cJSON *o, const char *member, const char **ret, struct err *e)
{
	const cJSON *v = json_get(o, member);

	*ret = NULL;
	if (!v)
		return 0;
	if (!cJSON_IsString(v))
		return wrong(member, "string", e);
	*ret = v->valuestring;
	return 0;
}

static int take_reply_to(struct control_call *c, struct err *e)
{
	const cJSON *to = json_get(c->root, "reply_to");
	int r;

	if (!to)
		return 0;
	if (!cJSON_IsObject(to))
		return wrong("reply_to", "object", e);
	r = take_text(to, "exchange", &c->exchange, e);
	if (r >= 0)
		r = take_text(to, "routing_key", &c->key, e);
	if (r < 0)
		return r;
	if (!c->exchange || !c->key || strlen(c->exchange) > NAME_MAX_BYTES ||
	    strlen(c->key) > NAME_MAX_BYTES)
		return err_set(e, ERR_PROTOCOL, "control message: reply_to needs an exchange and "
			       "a routing_key of at most %d bytes", NAME_MAX_BYTES);
	return 0;
}

/* An empty one means everybody, as in kombu. */
static int take_destination(struct control_call *c, struct err *e)
{
	const cJSON *to = json_get(c->root, "destination"), *item;

	if (!to || (cJSON_IsArray(to) && !to->child))
		return 0;
	if (!cJSON_IsArray(to))
		return wrong("destination", "list", e);
	cJSON_ArrayForEach(item, to)
		if (!cJSON_IsString(item))
			return wrong("destination", "list of strings", e);
	c->destination = to;
	return 0;
}

static int take_members(struct control_call *c, struct err *e)
{
	const cJSON *arguments = json_get(c->root, "arguments");
	int r = take_text(c->root, "method", &c->method, e);

	if (r >= 0 && !c->method)
		r = err_set(e, ERR_PROTOCOL, "control message: no method");
	if (r >= 0 && arguments && !cJSON_IsObject(arguments) &&
	    !(cJSON_IsArray(arguments) && !arguments->child))
		r = wrong("arguments", "object", e);
	c->arguments = cJSON_IsObject(arguments) ? arguments : NULL;
	if (r >= 0)
		r = take_destination(c, e);
	if (r >= 0)
		r = take_text(c->root, "pattern", &c->pattern, e);
	if (r >= 0)
		r = take_text(c->root, "matcher", &c->matcher, e);
	if (r >= 0)
		r = take_text(c->root, "ticket", &c->ticket, e);
	return r < 0 ? r : take_reply_to(c, e);
}

/* Both are cosmetic: what cannot be read counts as not said. */
static void take_headers(struct control_call *c, const void *props, size_t props_len)
{
	cJSON *headers = NULL;
	double clock;

	if (props_headers(props, props_len, &headers, NULL) < 0)
		return;
	clock = json_num(headers, "clock", 0);
	if (clock > 0 && clock < 9e15)
		c->clock = (uint64_t)clock;
	c->expires = json_num(headers, "expires", 0);
	cJSON_Delete(headers);
}

int control_decode(struct control_call *call, const void *body, size_t body_len, const void *props,
		   size_t props_len, struct err *e)
{
	struct control_call c = { 0 };
	int r;

	if (body_len > BODY_MAX)
		return err_set(e, ERR_PROTOCOL, "control message of %zu bytes, at most %d are read",
			       body_len, BODY_MAX);
	r = json_parse(body, body_len, &c.root, e);
	if (r < 0)
		return r;
	r = cJSON_IsObject(c.root) ? take_members(&c, e) :
	    err_set(e, ERR_PROTOCOL, "control message: no JSON object");
	if (r < 0) {
		cJSON_Delete(c.root);
		return r;
	}
	take_headers(&c, props, props_len);
	*call = c;
	return 0;
}

void control_call_release(struct control_call *call)
{
	cJSON_Delete(call->root);
	*call = (struct control_call){ 0 };
}

static int matches_pcre(const char *pattern, const char *node, struct err *e)
{
	pcre2_match_context *context = mem_check(pcre2_match_context_create(NULL));
	pcre2_match_data *data = mem_check(pcre2_match_data_create(1, NULL));
	PCRE2_SIZE at;
	pcre2_code *code;
	int problem, r;

	pcre2_set_match_limit(context, STEPS_MAX);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_ANCHORED, &problem,
			     &at, NULL);
	mem_check(!code && problem == PCRE2_ERROR_HEAP_FAILED ? NULL : data);
	if (!code)
		r = err_set(e, ERR_INVALID, "control message: the pattern is no regular expression "
			    "(at byte %zu)", (size_t)at);
	else if ((r = pcre2_match(code, (PCRE2_SPTR)node, PCRE2_ZERO_TERMINATED, 0, 0, data,
				  context)) >= 0)
		r = 1;
	else
		r = mem_check(r == PCRE2_ERROR_NOMEMORY ? NULL : data) &&
		    r == PCRE2_ERROR_NOMATCH ? 0 :
		    err_set(e, ERR_INVALID, "control message: the pattern takes too many steps");
	pcre2_code_free(code);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return r;
}

int control_is_for(const struct control_call *call, const char *node, struct err *e)
{
	const cJSON *item;

	if (call->destination) {
		cJSON_ArrayForEach(item, call->destination)
			if (strcmp(item->valuestring, node) == 0)
				return 1;
		return 0;
	}
	if (!call->pattern || !*call->pattern || !call->matcher || !*call->matcher)
		return 1;
	if (strlen(call->pattern) > PATTERN_MAX)
		return err_set(e, ERR_INVALID, "control message: a pattern of over %d bytes",
			       PATTERN_MAX);
	if (strcmp(call->matcher, "glob") == 0)
		return fnmatch(call->pattern, node, FNM_NOESCAPE) == 0;
	if (strcmp(call->matcher, "pcre") == 0)
		return matches_pcre(call->pattern, node, e);
	return err_set(e, ERR_INVALID, "control message: no matcher \"%.60s\"", call->matcher);
}
