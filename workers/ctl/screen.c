/* SPDX-License-Identifier: MIT */
#include "workers/ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define REVERSE "\033[7m"
#define PLAIN "\033[0m"
#define REST_OF_LINE "\033[K"
#define REST_OF_SCREEN "\033[J"

enum { OUT_MAX = 1 << 20, WIDTH = 80, HEIGHT = 24, ESCAPE = 033, ESCAPE_MS = 50 };

struct screen {
	struct termios before;
	struct sigaction actions[4];
	struct buf out;
};

static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };

static volatile sig_atomic_t ended, resized;

static void on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

bool screen_is_there(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

/* All of it, whatever the terminal takes at once; a terminal that is gone ends us by SIGHUP. */
static void put(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, text, n);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
}

int screen_open(struct screen **ret, struct err *e)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct screen *s = mem_zalloc(sizeof *s);
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &s->before) < 0) {
		free(s);
		return err_set(e, ERR_IO, "terminal: %s", strerror(errno));
	}
	raw = s->before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	ended = resized = 0;
	for (size_t i = 0; i < COUNT(SIGNALS); i++)
		sigaction(SIGNALS[i], &act, &s->actions[i]);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	buf_init(&s->out, OUT_MAX);
	put(ENTER, strlen(ENTER));
	*ret = s;
	return 0;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	put(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
	for (size_t i = 0; i < COUNT(SIGNALS); i++)
		sigaction(SIGNALS[i], &s->actions[i], NULL);
	buf_release(&s->out);
	free(s);
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

void screen_clip(struct buf *out, const char *line, int width)
{
	int n = 0;

	for (; *line && *line != '\n'; line++) {
		if (begins_character(*line) && ++n > width)
			return;
		buf_putc(out, (unsigned char)*line < 0x20 || *line == 0x7F ? ' ' : *line);
	}
}

static void put_bar(struct buf *out, const char *text, int width)
{
	int n = 0;

	buf_puts(out, REVERSE);
	screen_clip(out, text, width);
	for (const char *at = text; *at && *at != '\n'; at++)
		n += begins_character(*at);
	for (; n < width; n++)
		buf_putc(out, ' ');
	buf_puts(out, PLAIN);
}

bool screen_has_blocks(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;

	for (size_t i = 0; i < COUNT(names) && !(locale && *locale); i++)
		locale = getenv(names[i]);
	return locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

static struct winsize size_now(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row) {
		size.ws_col = WIDTH;
		size.ws_row = HEIGHT;
	}
	return size;
}

int screen_lines(void)
{
	int height = size_now().ws_row;

	return height > 2 ? height - 2 : 1;
}

void screen_draw(struct screen *s, const char *head, const char *text, const char *foot)
{
	struct winsize size = size_now();
	int width = size.ws_col, height = size.ws_row, row = 1;

	buf_clear(&s->out);
	buf_puts(&s->out, HOME);
	put_bar(&s->out, head, width);
	for (; *text && row < height - 1; row++) {
		buf_puts(&s->out, "\r\n");
		screen_clip(&s->out, text, width);
		buf_puts(&s->out, REST_OF_LINE);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	buf_puts(&s->out, REST_OF_SCREEN);
	if (height > 1) {
		buf_printf(&s->out, "\033[%d;1H", height);
		put_bar(&s->out, foot, width);
	}
	put(buf_text(&s->out), s->out.len);
}

/* What comes behind an escape; 0: a key that nobody here knows. */
static int read_escape(void)
{
	static const struct {
		const char *sequence;
		int key;
	} keys[] = {
		{ "[A", SCREEN_UP }, { "OA", SCREEN_UP }, { "[B", SCREEN_DOWN }, { "OB", SCREEN_DOWN },
		{ "[5~", SCREEN_PAGE_UP }, { "[6~", SCREEN_PAGE_DOWN },
	};
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char rest[16] = "";
	ssize_t n = poll(&in, 1, ESCAPE_MS) > 0 ? read(STDIN_FILENO, rest, sizeof rest - 1) : 0;

	rest[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(rest, keys[i].sequence) == 0)
			return keys[i].key;
	}
	return SCREEN_TIMEOUT;
}

int screen_wait(struct screen *s, int wait_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char key = 0;
	int r;

	(void)s;
	r = ended || resized ? 0 : poll(&in, 1, wait_ms);
	if (ended)
		return SCREEN_END;
	if (resized) {
		resized = 0;
		return SCREEN_RESIZED;
	}
	if (r <= 0)
		return SCREEN_TIMEOUT;
	if (read(STDIN_FILENO, &key, 1) != 1 || key <= 0)
		return SCREEN_END;
	return key == ESCAPE ? read_escape() : key;
}
