/* SPDX-License-Identifier: MIT */
/* panel: what `jobfleet top` shows, gathered in one look. A service that is away costs its part of
 * the panel and a line that says so, never the others. */
#ifndef CTL_PANEL_H
#define CTL_PANEL_H

#include <stdbool.h>

struct ctl;
struct panel;

enum panel_order { PANEL_BY_NAME, PANEL_BY_BUSY, PANEL_BY_RATE };
/* What is shown: all of it, the most urgent first, or a part. */
enum panel_view {
	PANEL_ALL, PANEL_QUEUES, PANEL_WORKERS, PANEL_RUNNING, PANEL_FAILING, PANEL_SCHEDULES,
	PANEL_FLOW,		/* stages and runs of the pipeline, sources */
	PANEL_VIEWS,
};

/* blocks: the terminal knows block characters. */
struct panel *panel_new(struct ctl *c, bool blocks);
void panel_free(struct panel *p);

/* Asks everything anew; rates are known from the second look on. */
void panel_look(struct panel *p);
void panel_sort(struct panel *p, enum panel_order order);

const char *panel_head(const struct panel *p);	/* one line, without its end */
char *panel_text(const struct panel *p, enum panel_view view);	/* lines; the caller's */
char *panel_json(const struct panel *p);	/* one object; the caller's */

#endif
