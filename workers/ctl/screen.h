/* SPDX-License-Identifier: MIT */
/* screen: a full terminal screen that is drawn again and again, by ANSI sequences (ECMA-48) and
 * xterm's alternate screen. The terminal is given back by screen_close, also after a signal. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>

struct buf;
struct err;
struct screen;

enum {
	SCREEN_TIMEOUT = 0, SCREEN_END = -1, SCREEN_RESIZED = -2,
	SCREEN_UP = 'k', SCREEN_DOWN = 'j', SCREEN_PAGE_UP = 'K', SCREEN_PAGE_DOWN = 'J',
};

/* May stdout be drawn on? Not if it is no terminal, or a dumb one. */
bool screen_is_there(void);
int screen_open(struct screen **ret, struct err *e);
void screen_close(struct screen *s);

/* Does the terminal show UTF-8? As the locale of the environment says. */
bool screen_has_blocks(void);
/* Lines between head and foot. */
int screen_lines(void);
/* text's lines from the top, cut to the size the terminal has now; head and foot stay in view. */
void screen_draw(struct screen *s, const char *head, const char *text, const char *foot);
/* A key (an arrow or page key is SCREEN_UP and so on), or SCREEN_TIMEOUT after wait_ms,
 * SCREEN_RESIZED, SCREEN_END (a signal, input closed). */
int screen_wait(struct screen *s, int wait_ms);

/* One line without its end, cut to width characters (a control character is shown as a space). */
void screen_clip(struct buf *out, const char *line, int width);

#endif
