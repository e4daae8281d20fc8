/* SPDX-License-Identifier: MIT */
/* dispatcher: the loop that does one duty after the other and sleeps until there is work.
 *
 * One thread, one loop; every call in it has a deadline. It sleeps until the next row of pending
 * or the next schedule is due, a NOTIFY or a signal comes, or a second passed. A neighbour that
 * is away stops only the duties that need it.
 * Time is PostgreSQL's clock, carried on by our monotonic one, so that a jump of this machine's
 * wall clock moves nothing.
 * Any number of dispatchers may run; none is special. */
#ifndef DISPATCHER_DISPATCHER_H
#define DISPATCHER_DISPATCHER_H

struct conf;
struct dispatcher;
struct err;

/* Reads the settings again: 0 = *ret_conf is a new one, negative: see e. */
typedef int dispatcher_reload(void *ctx, struct conf **ret_conf, struct err *e);

/* Takes conf over on success. node is borrowed. */
int dispatcher_open(struct dispatcher **ret, struct conf *conf, const char *node,
		    dispatcher_reload *reload, void *ctx, struct err *e);
void dispatcher_close(struct dispatcher *d);

/* Runs until SIGTERM or SIGINT, which it blocks and waits for; SIGHUP reloads. -ERR_SCHEMA: the
 * database's schema is older than this program. */
int dispatcher_run(struct dispatcher *d, struct err *e);

#endif
