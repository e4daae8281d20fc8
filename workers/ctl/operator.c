/* SPDX-License-Identifier: MIT */
#include "workers/ctl/operator.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

void operator_name(char out[OPERATOR_SIZE])
{
	char texts[1024];
	struct passwd entry, *p = NULL;
	const char *user = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	char host[256] = "";

	if (getpwuid_r(getuid(), &entry, texts, sizeof texts, &p) != 0)
		p = NULL;
	gethostname(host, sizeof host - 1);
	snprintf(out, OPERATOR_SIZE, "%.60s@%s", user && *user ? user : p ? p->pw_name : "?", host);
}

bool operator_is_at_terminal(void)
{
	return isatty(STDIN_FILENO);
}

int operator_confirm(const char *question, struct err *e)
{
	char answer[16] = "";

	if (!operator_is_at_terminal())
		return err_set(e, ERR_USAGE, "%s Nobody is at a terminal to ask: give --yes",
			       question);
	fprintf(stderr, "%s [y/N] ", question);
	if (!fgets(answer, sizeof answer, stdin))
		return 0;
	return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0;
}
