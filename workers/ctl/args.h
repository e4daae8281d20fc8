/* SPDX-License-Identifier: MIT */
/* args: the options and operands of one command, by getopt_long; one table makes parser and help.
 *
 * Every command also takes --help and --config=FILE; those that list something take --json.
 * Values are argv's own and need no release. */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum { ARGS_VALUES_MOST = 64 };

/* An option that may be given several times. */
struct args_values {
	const char *texts[ARGS_VALUES_MOST];
	int n;
};

struct args_option {
	const char *name;
	const char *value;	/* what its value is called: "JSON"; NULL = a flag */
	const char *help;
	const char **text;	/* set if it has a value */
	bool *flag;		/* set if it has none */
	struct args_values *values;	/* or collected here */
};

struct args {
	const char *usage;	/* "enqueue TASK [OPTION...]" */
	const char *about;	/* what the command does; may have several lines */
	const struct args_option *options;
	size_t noptions;
	int least, most;	/* operands; most -1 = any number */
};

/* 0: *ret_operands are argv's, NULL-terminated. 1: help went to stdout. -ERR_USAGE: see e. */
int args_parse(const struct args *a, int argc, char **argv, char ***ret_operands, struct err *e);

#endif
