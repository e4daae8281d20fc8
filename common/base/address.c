/* SPDX-License-Identifier: MIT */
#include "common/base/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/conf_private.h"
#include "common/base/err.h"

#define RIGHT "log, https://host/path, mailto:name@host or env:VARIABLE"

static bool starts(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

static int parse_mail(const char *box, struct err *e)
{
	const char *at = strchr(box, '@');

	if (at && at > box && at[1] && !strchr(at + 1, '@') && !strpbrk(box, "<>\"\\,;:?&"))
		return 0;
	return err_set(e, ERR_INVALID,
		       "\"mailto:%.60s\" names no mailbox such as mailto:ops@example.org", box);
}

static int parse_variable(const char *name, struct err *e)
{
	bool good = *name && !isdigit((unsigned char)*name);

	for (const char *p = name; *p; p++)
		good = good &&
			(isupper((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_');
	return good ? 0
		    : err_set(e, ERR_INVALID,
			      "env: is not followed by the name of a variable such as"
			      " env:ALERT_WEBHOOK");
}

int address_parse(const char *text, enum address_kind *ret_kind, struct err *e)
{
	enum address_kind kind = ADDRESS_LOG;
	const char *fault;
	int r = 0;

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127)
			return err_set(e, ERR_INVALID, "\"%.60s\" has a blank inside; addresses are"
				       " parted by commas", text);
	if (starts(text, "https:") || starts(text, "http:")) {
		kind = ADDRESS_WEBHOOK;
		fault = conf_url_has_password(text) ? "carries a secret: write env:VARIABLE, and"
						      " keep the address in that variable"
						    : conf_url_http_fault(text);
		r = fault ? err_set(e, ERR_INVALID, "%s", fault) : 0;
	} else if (starts(text, "mailto:")) {
		kind = ADDRESS_MAIL;
		r = parse_mail(text + strlen("mailto:"), e);
	} else if (starts(text, "env:")) {
		kind = ADDRESS_VARIABLE;
		r = parse_variable(text + strlen("env:"), e);
	} else if (strcmp(text, "log") != 0) {
		r = err_set(e, ERR_INVALID, "\"%.60s\" is no address; write " RIGHT, text);
	}
	if (r == 0 && ret_kind)
		*ret_kind = kind;
	return r;
}

int address_next(const char **list, char out[ADDRESS_MAX], struct err *e)
{
	const char *from = *list + strspn(*list, " \t,");
	size_t n = strcspn(from, ",");

	*list = from + n;
	while (n > 0 && isspace((unsigned char)from[n - 1]))
		n--;
	if (n == 0)
		return 0;
	if (n >= ADDRESS_MAX)
		return err_set(e, ERR_INVALID, "an address is longer than %d bytes",
			       ADDRESS_MAX - 1);
	memcpy(out, from, n);
	out[n] = '\0';
	return address_parse(out, NULL, e) < 0 ? -ERR_INVALID : 1;
}

int address_check(const char *list, struct err *e)
{
	char one[ADDRESS_MAX];
	int r, n = 0;

	while ((r = address_next(&list, one, e)) > 0)
		n++;
	if (r < 0)
		return r;
	return n > 0 ? 0 : err_set(e, ERR_INVALID, "names no address; write " RIGHT);
}
