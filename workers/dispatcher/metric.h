/* SPDX-License-Identifier: MIT */
/* metric: the fleet's metrics as OpenMetrics text.
 *
 * The families stand in metrics.tsv. Samples are added in any order and printed family by family,
 * as the format wants them. What belongs to no family, or has another number of labels than it, is
 * left out. Format: OpenMetrics 1.0 (https://github.com/prometheus/OpenMetrics).
 * Labels are bounded where they are made: by closed lists, by queues.conf, or by a LIMIT. One of
 * over 512 bytes is cut and ends in "~" and a hash of the whole. A family has 1 MiB, all together
 * have METRIC_BYTES: a sample that finds no room is left out whole (a histogram with all its lines)
 * and counted in jobfleet_scrape_left_out. */
#ifndef DISPATCHER_METRIC_H
#define DISPATCHER_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct health;
struct health_report;
struct metrics;

/* METRIC_BYTES: of the 4 MiB of an answer (httpd_private.h) */
enum { METRIC_LABELS = 4, METRIC_BYTES = 7 << 19 };

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* labels: as many as the family has, in its order; NULL after the last. */
void metrics_add(struct metrics *m, const char *name, const char *const *labels, double value);
/* What stands in jobfleet.totals under a board's name: one number, or a time's sum and buckets (as
 * common/base/board.h has them). */
void metrics_add_total(struct metrics *m, const char *board, const char *const *labels,
		       const double *n, size_t count);
/* Once. */
void metrics_print(struct metrics *m, struct buf *out);

/* All of it: asks the services by the connections of h, which has just looked. */
void metric_look(const struct conf *conf, struct health *h, const struct health_report *report,
		 double loop_age_s, struct buf *out);

#endif
