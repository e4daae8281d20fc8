/* SPDX-License-Identifier: MIT */
/* measure: what an alert's condition speaks of, and the condition itself. Pure.
 *
 *	MEASURE > VALUE            each subject of the measure by itself: each queue, source, task
 *	MEASURE(SUBJECT) < VALUE   that one alone
 *
 * VALUE is of the measure's unit: a percentage ("80%"; the sign may be left out), a duration ("1h")
 * or a count ("0"). Measures, their subjects and what they count stand in the table of measure.c;
 * where the figures come from: workers/dispatcher/signal.h. */
#ifndef COMMON_BASE_MEASURE_H
#define COMMON_BASE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum measure_unit { MEASURE_PERCENT, MEASURE_SECONDS, MEASURE_COUNT };
/* What a subject's name is. */
enum measure_of { MEASURE_SOURCE, MEASURE_QUEUE, MEASURE_TASK, MEASURE_STAGE, MEASURE_PROGRAM,
		  MEASURE_SERVICE, MEASURE_HOST, MEASURE_CACHE };

/* In the order of the table. */
enum measure_id { MEASURE_QUOTA_USED, MEASURE_KEY_REFUSED, MEASURE_CIRCUIT_OPEN,
		  MEASURE_OLDEST_TASK, MEASURE_CONSUMERS, MEASURE_ERROR_RATE, MEASURE_SUCCESS_RATE,
		  MEASURE_RUN_LENGTH, MEASURE_VALIDATION_FAILURES, MEASURE_QUALITY_SCORE,
		  MEASURE_POSTINGS_WAITING, MEASURE_RAW_FILES, MEASURE_HIT_RATE,
		  MEASURE_WORKER_RESTARTS, MEASURE_DISK_USED, MEASURE_AWAY, MEASURE_IDS };

struct measure {
	enum measure_id id;
	const char *name, *example;	/* "quota_used", "quota_used > 80%" */
	enum measure_unit unit;
	enum measure_of of;
	const char *about;		/* "calls of the period that are used, of each source" */
};

enum { MEASURE_SUBJECT_MAX = 256 };

struct condition {
	const struct measure *measure;
	char subject[MEASURE_SUBJECT_MAX];	/* "" = each */
	bool above;			/* holds over the limit, else under it */
	double limit;			/* per cent, seconds or a count */
};

const struct measure *measure_at(enum measure_id id);
/* "queue": what a subject of the measure is called. */
const char *measure_subject_word(const struct measure *m);
/* Services that `away` speaks of, and the stages of the pipeline; NULL-terminated. */
const char *const *measure_services(void);
const char *const *measure_stages(void);
/* A value as people read it: "83 %", "1 h 5 min", "3". */
void measure_print(const struct measure *m, double value, char *out, size_t size);

/* -ERR_INVALID quotes what is wrong and says what would be right, the nearest measure included. */
int condition_parse(const char *text, struct condition *ret, struct err *e);
bool condition_holds(const struct condition *c, double value);
/* "oldest_task of queue salary_data is 1 h 5 min, over 1 h", or ", not over 1 h". */
void condition_say(const struct condition *c, const char *subject, double value, char *out,
		   size_t size);

#endif
