/* SPDX-License-Identifier: MIT */
#include "common/base/err.h"

#include <assert.h>
#include <stdarg.h>

static const struct {
	const char *name, *exc, *text;
	bool transient;
} CODES[ERR_COUNT] = {
	[ERR_NONE] = { "NONE", "RuntimeError", "no error", false },
#define X(n, t, x, s) [ERR_##n] = { #n, x, s, t },
	ERR_LIST(X)
#undef X
};

/* snprintf cuts bytes; a cut inside a UTF-8 sequence would make the text refused by JSON
 * and PostgreSQL, so the torn sequence goes too. */
static void trim_utf8(char *s, size_t size)
{
	size_t n = strlen(s), i = n;

	if (n + 1 < size)
		return;
	while (i > 0 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
		i--;
	if (i > 0 && (unsigned char)s[i - 1] >= 0xC0)
		s[i - 1] = '\0';
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	assert(code > ERR_NONE && code < ERR_COUNT);
	if (!e)
		return -(int)code;
	e->code = code;
	e->exc_type[0] = '\0';
	e->retry_after_ms = 0;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	trim_utf8(e->msg, sizeof e->msg);
	return -(int)code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_SIZE];
	va_list ap;
	size_t n;

	if (!e)
		return -ERR_INTERNAL;
	memcpy(old, e->msg, sizeof old);
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", old);
	trim_utf8(e->msg, sizeof e->msg);
	return -(int)e->code;
}

void err_clear(struct err *e)
{
	memset(e, 0, sizeof *e);
}

bool err_is_transient(enum err_code code)
{
	return code > ERR_NONE && code < ERR_COUNT && CODES[code].transient;
}

const char *err_name(enum err_code code)
{
	return code < ERR_COUNT ? CODES[code].name : "UNKNOWN";
}

const char *err_text(enum err_code code)
{
	return code < ERR_COUNT ? CODES[code].text : "unknown error";
}

const char *err_exc_type(const struct err *e)
{
	return e->exc_type[0] ? e->exc_type : CODES[e->code].exc;
}

const char *err_exc_module(const struct err *e)
{
	if (e->exc_type[0])
		return "jobfleet";
	switch (e->code) {
	case ERR_SOFT_LIMIT:
	case ERR_HARD_LIMIT:
	case ERR_LOST:
		return "billiard.exceptions";
	default:
		return "builtins";
	}
}
