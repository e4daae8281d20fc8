/* SPDX-License-Identifier: MIT */
/* opts: the command-line options that the fleet's programs share, by getopt_long.
 *
 *	r = opts_parse(&opts, argc, argv, "collection", OPTS_WORKER, &e);
 *	if (r)
 *		return opts_leave(r, "collection", &e);
 *
 * One table makes the parser and the help text. Options win over the environment and queues.conf;
 * what was not given stays NULL, 0 or false. Ownership: queues is opts' own until opts_release;
 * other texts are argv's. A wrong option leaves with OPTS_EXIT_USAGE, for which systemd does not
 * start a unit again. */
#ifndef COMMON_BASE_OPTS_H
#define COMMON_BASE_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/log.h"

struct err;

enum { OPTS_EXIT_USAGE = 100, OPTS_EXIT_AGAIN = 111 };

/* Which options a program takes: a service has --loglevel, --hostname, --config, --help and
 * --version; a worker also --queues, --concurrency and --run. */
enum opts_kind { OPTS_SERVICE, OPTS_WORKER };

struct opts {
	char **queues;			/* --queues=A,B; each once, names checked */
	size_t nqueues;			/* 0: all queues of the program */
	int concurrency_min, concurrency_max;	/* 0: by queues.conf */
	bool has_loglevel;
	enum log_level loglevel;
	const char *hostname;		/* node name; NULL: <program>@<host> */
	const char *config;		/* NULL: as conf_load looks for it */
	const char *run_name;		/* --run NAME [ARGS]: run one handler in the foreground */
	const char *run_args;		/* JSON array or object as text; "[]" when left out */
};

/* 0: go on with *ret. 1: help or version went to stdout, leave. -ERR_USAGE: see e. */
int opts_parse(struct opts *ret, int argc, char **argv, const char *program, enum opts_kind kind,
	       struct err *e);
void opts_release(struct opts *o);

/* The exit code for opts_parse's answer; a usage error goes to stderr first. */
int opts_leave(int parsed, const char *program, const struct err *e);

#endif
