/* SPDX-License-Identifier: MIT */
/* httpd: the dispatcher's window for monitors: /metrics, /health/live and /health/ready.
 *
 * Two processes beside the loop: the server (httpd_serve.c, libmicrohttpd without threads) answers,
 * the lookout (lookout.c) asks PostgreSQL, RabbitMQ and Redis on connections of its own. So no
 * question of a monitor costs the dispatcher a turn, and /health/live answers while a duty, a
 * service or the lookout waits. The loop forks both before it opens anything, so that they share
 * their pages with it. Both end with the dispatcher; whichever dies is forked again, after 0.5 s,
 * then twice as long each time up to 30 s until one has lived for a minute.
 *
 *	/metrics       OpenMetrics 1.0, at most a second old
 *	/health/live   200 while the loop turns, 503 when its last turn is over HTTPD_LIVE_MS old
 *	/health/ready  common/worker/health.h as JSON: 503 when the worst is failed
 *
 * GET and HEAD only. Limits: HTTPD_CONNECTIONS at once, HTTPD_HEADER bytes of request, a connection
 * lasts HTTPD_CONNECTION_MS; an answer that takes the lookout over HTTPD_LOOK_MS is a 503. No
 * login, no secret in any answer. An address that is in use is logged and tried again. */
#ifndef DISPATCHER_HTTPD_H
#define DISPATCHER_HTTPD_H

struct conf;
struct httpd;

enum {
	HTTPD_LIVE_MS = 30000,		/* one duty may wait 20 s for a service */
	HTTPD_CONNECTIONS = 64,
	HTTPD_HEADER = 16384,
	HTTPD_CONNECTION_MS = 15000,
	HTTPD_LOOK_MS = 8000,
};

/* First of all: forks. conf (until httpd_renew gives another) and node are borrowed. NULL: there is
 * no memory for it, which is logged. */
struct httpd *httpd_new(const struct conf *conf, const char *node);
void httpd_free(struct httpd *h);	/* NULL is fine */
/* The loop lives. */
void httpd_beat(struct httpd *h);
/* Waits for those that died, without waiting, and forks them again. */
void httpd_turn(struct httpd *h);
struct vitals;
/* What its processes cost, with the processor time of those that ended. */
void httpd_add_vitals(const struct httpd *h, struct vitals *v);
/* Settings were reloaded: both processes begin anew, at the next turn after they have ended. */
void httpd_renew(struct httpd *h, const struct conf *conf);

#endif
