/* SPDX-License-Identifier: MIT */
/* What control.c (requests and answers), control_inspect.c (who asks), control_list.c,
 * control_schedule.c, control_stats.c, control_settings.c (conf, report), control_command.c
 * (who orders) and control_revoke.c share. */
#ifndef COMMON_WORKER_CONTROL_PRIVATE_H
#define COMMON_WORKER_CONTROL_PRIVATE_H

#include "common/base/json.h"
#include "common/worker/control_decode.h"
#include "common/worker/worker_private.h"

struct control_job {
	struct worker *w;
	struct control_call call;
};

/* The answer, or NULL: the method keeps the job and ends it later by control_answer, or wants no
 * answer and frees it by control_job_free. */
typedef cJSON *control_fn(struct control_job *job);

struct control_method {
	const char *name, *alias;
	const char *params;		/* names in Python's order; "!": required, "**": others, too */
	control_fn *answer;
};

/* Each ends with a NULL name. */
extern const struct control_method CONTROL_INSPECT[], CONTROL_COMMANDS[];

/* answer is taken over, the job freed. */
void control_answer(struct control_job *job, cJSON *answer);
void control_job_free(struct control_job *job);

cJSON *control_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* {"error": text} */
cJSON *control_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* {"error": "ValueError('text')"}, as Python shows an exception */
cJSON *control_raise(const char *type, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

/* What a client meant: 5, 5.0 or "5"; absent and null leave *ret alone. -1: no number in the
 * bounds. */
int control_number(const struct control_job *job, const char *name, double min, double max,
		   double *ret);
int control_whole(const struct control_job *job, const char *name, int min, int max, int *ret);
bool control_flag(const struct control_job *job, const char *name);	/* also "true", 1 */

/* control_list.c: descriptions of deliveries, at most 1 MiB of them (Celery has no bound); behind
 * the last one stands how many more there are. */
struct control_list {
	const struct worker *w;
	cJSON *out;
	const cJSON *ids;		/* query_task: only these */
	bool safe, begun, unbegun;	/* of those with a child: which */
	size_t bytes, hidden;
};

/* NULL: it fits no more. */
cJSON *control_list_describe(struct control_list *l, const struct delivery *d, pid_t pid,
			     int64_t started_us);
cJSON *control_list_note(const struct control_list *l);
cJSON *control_list_end(struct control_list *l);	/* its out */

/* control_schedule.c */
cJSON *control_scheduled(struct control_job *job);

/* control_stats.c */
cJSON *control_stats(struct control_job *job);
cJSON *control_memsample(struct control_job *job);
cJSON *control_memdump(struct control_job *job);
cJSON *control_objgraph(struct control_job *job);

/* control_settings.c */
cJSON *control_conf(struct control_job *job);
cJSON *control_report(struct control_job *job);

/* control_revoke.c */
cJSON *control_revoke(struct control_job *job);
cJSON *control_terminate(struct control_job *job);
cJSON *control_revoke_stamped(struct control_job *job);
/* What a peer's hello says is revoked: an object whose keys are ids. */
void control_adopt(struct worker *w, const cJSON *revoked);

#endif
