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

static const char HELP[] =
	"\n"
	"1 to 7   all; queues; workers; running tasks; what fails, and alerts; schedules; pipeline and"
	" sources\n"
	"Tab      the next of them\n"
	"j k      down and up, as the arrows; J K: a page, as Page Down and Page Up\n"
	"n b f    queues and workers by name, what is busiest first, what is fastest first\n"
	"p        hold the picture, and go on\n"
	"space    look now\n"
	"h        this, and back\n"
	"q        quit\n"
	"\n"
	"out/s, done/s: attempts settled in the ledger; \"out before\": the same of the looks before, the\n"
	"newest last. oldest: <= is an upper bound. What runs is as the last heartbeats say.\n";

/* What somebody looks at. */
struct look {
	struct panel *panel;
	enum panel_view view;
	int first;		/* line of the text that stands on top */
	bool held, help;
};

/* One screen for a pipe, a dumb terminal, or a program. */
static int show_once(struct ctl *c)
{
	struct panel *p = panel_new(c, screen_has_blocks());
	char *text;

	panel_look(p);
	poll(NULL, 0, ONCE_MS);		/* rates need two looks */
	panel_look(p);
	if (c->json) {
		text = panel_json(p);
		printf("%s\n", text);
	} else {
		text = panel_text(p, PANEL_ALL);
		printf("%s\n%s", panel_head(p), text);
	}
	free(text);
	panel_free(p);
	return CTL_OK;
}

static void turn_to(struct look *l, enum panel_view view)
{
	l->view = view;
	l->first = 0;
	l->help = false;
}

/* false = it is enough. */
static bool obey(struct look *l, int key)
{
	int page = screen_lines();

	if (key >= '1' && key < '1' + PANEL_VIEWS)
		turn_to(l, (enum panel_view)(key - '1'));
	switch (key) {
	case 'n':
		panel_sort(l->panel, PANEL_BY_NAME);
		return true;
	case 'b':
		panel_sort(l->panel, PANEL_BY_BUSY);
		return true;
	case 'f':
		panel_sort(l->panel, PANEL_BY_RATE);
		return true;
	case '\t':
		turn_to(l, (l->view + 1) % PANEL_VIEWS);
		return true;
	case 'p':
		l->held = !l->held;
		return true;
	case 'h':
	case '?':
		l->help = !l->help;
		return true;
	case SCREEN_UP:
	case SCREEN_PAGE_UP:
		l->first -= key == SCREEN_UP ? 1 : page;
		return true;
	case SCREEN_DOWN:
	case SCREEN_PAGE_DOWN:
		l->first += key == SCREEN_DOWN ? 1 : page;
		return true;
	default:
		return key != 'q' && key != 'Q' && key != SCREEN_END;
	}
}

/* "1 all [2 queues] 3 workers ..." */
static void make_foot(const struct look *l, char *out, size_t size)
{
	static const char *const names[PANEL_VIEWS] = { "all", "queues", "workers", "running",
							"failing", "schedules", "flow" };
	size_t n = (size_t)snprintf(out, size, "%s", l->held ? "HELD (p) " : "");

	for (int i = 0; i < PANEL_VIEWS && n < size; i++)
		n += (size_t)snprintf(out + n, size - n,
				      i == (int)l->view && !l->help ? "[%d %s] " : "%d %s ", i + 1,
				      names[i]);
	if (n < size)
		snprintf(out + n, size - n, "h help q quit");
}

/* The text from the line on that somebody scrolled to; not beyond its last page. */
static const char *scrolled(struct look *l, const char *text)
{
	int lines = 0, last;

	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	last = lines > screen_lines() ? lines - screen_lines() : 0;
	l->first = l->first < 0 ? 0 : l->first > last ? last : l->first;
	for (int i = 0; i < l->first; i++)
		text += strcspn(text, "\n") + 1;
	return text;
}

static void draw(struct screen *screen, struct look *l)
{
	char *text = l->help ? mem_strdup(HELP) : panel_text(l->panel, l->view), foot[160];

	make_foot(l, foot, sizeof foot);
	screen_draw(screen, panel_head(l->panel), scrolled(l, text), foot);
	free(text);
}

static int show_live(struct ctl *c, int64_t every_ms, struct err *e)
{
	struct screen *screen = NULL;
	struct look l = { 0 };
	int r = screen_open(&screen, e), key = ' ';
	int64_t next = 0;

	if (r < 0)
		return r;
	l.panel = panel_new(c, screen_has_blocks());
	while (obey(&l, key)) {
		int64_t now = clock_mono_ms();

		if ((now >= next && !l.held) || key == ' ') {
			panel_look(l.panel);
			now = clock_mono_ms();
			next = now + every_ms;
		}
		draw(screen, &l);
		now = l.held ? next - every_ms : now;
		key = screen_wait(screen, next > now ? (int)(next - now) : 0);
	}
	panel_free(l.panel);
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
			"Shows queues, workers, running tasks, rates, failures, schedules, pipeline and"
			" sources, alerts\n"
			"and dead letters, live. Keys: q quits, h tells the others.",
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
