/* SPDX-License-Identifier: MIT */
/* top: the fleet on one screen, again and again. */
#include <poll.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/panel.h"
#include "workers/ctl/screen.h"

enum { EVERY_MS = 2000, EVERY_LEAST_MS = 200, EVERY_MOST_MS = 3600000, ONCE_MS = 1000 };

#define FOOT "q quit   n by name   b busiest first   f fastest first   space: now"

/* One screen for a pipe, a dumb terminal, or a program. */
static int show_once(struct ctl *c)
{
	struct panel *p = panel_new(c);
	char *text;

	panel_look(p);
	poll(NULL, 0, ONCE_MS);		/* rates need two looks */
	panel_look(p);
	if (c->json) {
		text = panel_json(p);
		printf("%s\n", text);
	} else {
		text = panel_text(p);
		printf("%s\n%s", panel_head(p), text);
	}
	free(text);
	panel_free(p);
	return CTL_OK;
}

/* false = it is enough. */
static bool obey(struct panel *p, int key)
{
	switch (key) {
	case 'n':
		panel_sort(p, PANEL_BY_NAME);
		return true;
	case 'b':
		panel_sort(p, PANEL_BY_BUSY);
		return true;
	case 'f':
		panel_sort(p, PANEL_BY_RATE);
		return true;
	default:
		return key != 'q' && key != 'Q' && key != SCREEN_END;
	}
}

static int show_live(struct ctl *c, int64_t every_ms, struct err *e)
{
	struct screen *screen = NULL;
	struct panel *p;
	int r = screen_open(&screen, e), key = ' ';
	int64_t next = 0;

	if (r < 0)
		return r;
	p = panel_new(c);
	while (obey(p, key)) {
		int64_t now = clock_mono_ms();
		char *text;

		if (now >= next || key == ' ') {
			panel_look(p);
			now = clock_mono_ms();
			next = now + every_ms;
		}
		text = panel_text(p);
		screen_draw(screen, panel_head(p), text, FOOT);
		free(text);
		key = screen_wait(screen, next > now ? (int)(next - now) : 0);
	}
	panel_free(p);
	screen_close(screen);
	return CTL_OK;
}

int top_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *every = NULL;
	bool once = false;
	const struct args_option options[] = {
		{ "every", "DURATION", "between two looks; 2s", &every, NULL },
		{ "once", NULL, "one screen, then end; also without a terminal", NULL, &once },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "top [OPTION...]",
		.about =
			"Shows queues, workers, running tasks, rates, alerts and dead letters,"
			" live. Keys: q quits,\n"
			"n, b, f sort by name, by what is busiest, by rate; space looks at once.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	const struct conf *conf;
	int64_t every_ms = EVERY_MS;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (every && scan_duration_ms(every, &every_ms, e) < 0)
		return err_prefix(e, "--every");
	if (every_ms < EVERY_LEAST_MS || every_ms > EVERY_MOST_MS)
		return err_set(e, ERR_USAGE, "--every: 200ms to 1h");
	r = ctl_conf(c, &conf, e);
	if (r < 0)
		return r;
	return once || c->json || !screen_is_there() ? show_once(c) : show_live(c, every_ms, e);
}
