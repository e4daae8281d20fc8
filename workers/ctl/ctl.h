/* SPDX-License-Identifier: MIT */
/* ctl: what the commands of `jobfleet` share: settings, connections, output.
 *
 * A command is a function over struct ctl. It answers an exit code of enum ctl_exit, or a negative
 * error code with e filled, which main turns into a line on stderr and an exit code.
 * Results go to stdout, everything about how it goes to stderr.
 * Connections are opened at first use and closed by main; each has CTL_CONNECT_MS. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct door;
struct err;
struct pg;
struct pg_param;
struct pg_rows;
struct pidbox;
struct publisher;
struct redis;
struct table;
struct table_column;

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,		/* the task failed; the thing asked for is not there */
	CTL_TIMEOUT = 2,	/* no result in the time given */
	CTL_SPOOLED = 3,	/* RabbitMQ does not take it now: it waits on this host's disk */
	CTL_USAGE = 100,	/* wrong usage or configuration: no repeat will help */
	CTL_BUG = 101,
	CTL_AGAIN = 111,	/* a service is away: try again */
};

enum { CTL_CONNECT_MS = 5000, CTL_PUBLISH_MS = 10000 };

struct ctl {
	const char *config;	/* --config; NULL = as conf_load looks for it */
	bool json;		/* --json */
	bool quiet;		/* --quiet: nothing about progress */
	char **words;		/* the command line from the command on, for action.h */
	int nwords;
	int64_t action;		/* number of the action that was begun; 0 = none */
	struct conf *conf;
	struct pg *pg;
	struct redis *redis;
	struct publisher *publisher;
	struct door *door;
	struct pidbox *pidbox;
};

typedef int ctl_fn(struct ctl *c, int argc, char **argv, struct err *e);

/* A command's own commands: "dlq" has list, show, …; each gets argv from its own name on. about is
 * its line in the help, which completion reads. */
struct ctl_command {
	const char *name;
	ctl_fn *run;
	const char *about;
};
int ctl_sub(struct ctl *c, const char *name, const char *usage, const struct ctl_command *commands,
	    size_t n, int argc, char **argv, struct err *e);

int ctl_conf(struct ctl *c, const struct conf **ret, struct err *e);
int ctl_pg(struct ctl *c, struct pg **ret, struct err *e);
int ctl_redis(struct ctl *c, struct redis **ret, struct err *e);
int ctl_publisher(struct ctl *c, struct publisher **ret, struct err *e);
int ctl_door(struct ctl *c, struct door **ret, struct err *e);	/* connects when it is used */
int ctl_pidbox(struct ctl *c, struct pidbox **ret, struct err *e);	/* remote control */
void ctl_release(struct ctl *c);

/* What a negative answer of a command means for who started us. */
int ctl_exit_code(const struct err *e);

/* One statement on our PostgreSQL connection. */
int ctl_query(struct ctl *c, const char *sql, const struct pg_param *params, size_t n,
	      struct pg_rows **ret, struct err *e);
/* The same as a table, whose columns are the statement's. */
int ctl_query_table(struct ctl *c, const char *sql, const struct pg_param *params, size_t n,
		    const struct table_column *columns, size_t ncolumns, struct table **ret,
		    struct err *e);
/* The table as --json says; frees it. Answers CTL_OK. */
int ctl_show(struct ctl *c, struct table *t, const char *empty);
/* A line to stderr unless --quiet. */
void ctl_note(const struct ctl *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The first two rows of most option tables. */
#define CTL_CONFIG_OPTION(c) \
	{ "config", "FILE", "queues.conf to use instead of $JOBFLEET_CONFIG", &(c)->config, NULL }
#define CTL_JSON_OPTION(c) { "json", NULL, "print JSON", NULL, &(c)->json }
#define CTL_QUIET_OPTION(c) { "quiet", NULL, "no progress on stderr", NULL, &(c)->quiet }

/* The commands, each in the file of its family. */
ctl_fn enqueue_main, result_main;			/* enqueue.c, result.c */
ctl_fn collect_main, pipeline_main;			/* collect.c, pipeline.c */
ctl_fn reprocess_main, salary_main;			/* reprocess.c, salary.c */
ctl_fn status_main;					/* status.c */
ctl_fn workers_main, queues_main;			/* workers.c, queues.c */
ctl_fn scheduled_main, explain_main;			/* scheduled.c, explain.c */
ctl_fn progress_main, logs_main;			/* progress.c, logs.c */
ctl_fn doctor_main, top_main;				/* doctor.c, top.c */
ctl_fn audit_main;					/* audit.c */
ctl_fn revoke_main, pause_main, resume_main;		/* revoke.c, pause.c */
ctl_fn inspect_main, control_main;			/* remote.c */
ctl_fn scale_main, purge_main;				/* scale.c, purge.c */
ctl_fn report_main;					/* report.c */
ctl_fn completion_main;					/* completion.c */
ctl_fn dlq_main;					/* dlq.c */
ctl_fn schedule_main, actions_main;			/* schedule.c, actions.c */
ctl_fn alerts_main;					/* alerts.c */
ctl_fn parse_main;					/* parse.c */
ctl_fn search_main;					/* search.c */
ctl_fn drill_main;					/* drill.c */
ctl_fn migrate_main, config_main;			/* setup.c */

#endif
