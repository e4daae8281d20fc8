/* SPDX-License-Identifier: MIT */
#include "common/base/secrets.h"

#include <ctype.h>
#include <sys/resource.h>

#include "common/base/mem.h"

enum { MOST = 64 };

static struct {
	char *text;
	size_t len;
} secrets[MOST];
static size_t nsecrets;

static void keep(char *text)
{
	bool known = nsecrets == MOST;

	for (size_t i = 0; i < nsecrets && !known; i++)
		known = strcmp(secrets[i].text, text) == 0;
	if (known) {
		free(text);
		return;
	}
	secrets[nsecrets].text = text;
	secrets[nsecrets++].len = strlen(text);
}

/* As in a query: RFC 3986, 2.3. */
static char *percent_encoded(const char *value)
{
	char *text = mem_alloc(3 * strlen(value) + 1), *at = text;

	for (; *value; value++) {
		if (isalnum((unsigned char)*value) || strchr("-._~", *value))
			*at++ = *value;
		else
			at += snprintf(at, 4, "%%%02X", (unsigned char)*value);
	}
	*at = '\0';
	return text;
}

void secrets_add(const char *value)
{
	if (!value || strlen(value) < SECRETS_LEAST)
		return;
	keep(mem_strdup(value));
	keep(percent_encoded(value));
}

bool secrets_hide(char *data, size_t len)
{
	bool found = false;

	for (size_t i = 0; i < nsecrets && len > 0; i++) {
		char *at = data, *end = data + len;

		while (at &&
		       (at = memmem(at, (size_t)(end - at), secrets[i].text, secrets[i].len))) {
			memset(at, '*', secrets[i].len);
			at += secrets[i].len;
			found = true;
		}
	}
	return found;
}

void secrets_no_core(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &limit);
	}
}
