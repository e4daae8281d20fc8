/* SPDX-License-Identifier: MIT */
#include "common/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <utf8proc.h>

static const struct {
	const char *name, *exc, *text;
	bool transient;
} CODES[ERR_COUNT] = {
	[ERR_NONE] = { "NONE", "RuntimeError", "no error", false },
#define X(n, t, x, s) [ERR_##n] = { #n, x, s, t },
	ERR_LIST(X)
#undef X
};

/* The text into e, cut at its size. Peers' bytes and cuts by "%.60s" may leave what is no UTF-8,
 * which JSON and PostgreSQL would refuse: such a byte becomes '?', the torn end of a cut goes. */
static void put_text(struct err *e, const char *text)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text;
	size_t n = 0;

	while (*p) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t len = utf8proc_iterate(p, -1, &cp);
		size_t step = len > 0 ? (size_t)len : 1;

		if (n + step >= sizeof e->msg)
			break;
		memcpy(e->msg + n, len > 0 ? (const void *)p : "?", step);
		n += step;
		p += step;
	}
	e->msg[n] = '\0';
}

/* Formats apart from e, whose own text may be among the arguments. */
static void format(struct err *e, const char *fmt, va_list ap)
{
	char text[ERR_MSG_SIZE + 4];	/* room for a letter over the cut, so that it is seen whole */

	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	put_text(e, text);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	assert(code > ERR_NONE && code < ERR_COUNT);
	if (!e)
		return -(int)code;
	va_start(ap, fmt);
	format(e, fmt, ap);
	va_end(ap);
	e->code = code;
	e->exc_type[0] = '\0';
	e->retry_after_ms = 0;
	return -(int)code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_SIZE], text[2 * ERR_MSG_SIZE];
	va_list ap;

	if (!e)
		return -ERR_INTERNAL;
	memcpy(old, e->msg, sizeof old);
	va_start(ap, fmt);
	format(e, fmt, ap);
	va_end(ap);
	snprintf(text, sizeof text, "%s: %s", e->msg, old);
	put_text(e, text);
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

/* Celery's and kombu's own exceptions, for which a client has the class. */
static const char *foreign_module(const char *exc_type)
{
	static const char *const builtins[] = { "ValueError", "TypeError", "KeyError", "IndexError",
						"LookupError", "RuntimeError", "OSError",
						"NotImplementedError" };

	for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
		if (strcmp(exc_type, builtins[i]) == 0)
			return "builtins";
	if (strcmp(exc_type, "NotRegistered") == 0)
		return "celery.exceptions";
	if (strcmp(exc_type, "ContentDisallowed") == 0)
		return "kombu.exceptions";
	return "jobfleet";
}

const char *err_exc_module(const struct err *e)
{
	if (e->exc_type[0])
		return foreign_module(e->exc_type);
	switch (e->code) {
	case ERR_SOFT_LIMIT:
	case ERR_HARD_LIMIT:
	case ERR_LOST:
		return "billiard.exceptions";
	default:
		return "builtins";
	}
}
