/* SPDX-License-Identifier: MIT */
#include "common/base/conf_text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>

#include "common/base/conf_fault.h"
#include "common/base/mem.h"

static char *read_all(int fd, size_t size, size_t *ret_len)
{
	char *text = mem_alloc(size + 1);
	ssize_t n = 1;

	for (*ret_len = 0; *ret_len < size && n > 0; *ret_len += n > 0 ? (size_t)n : 0)
		n = read(fd, text + *ret_len, size - *ret_len);
	text[*ret_len] = '\0';
	return text;
}

/* NULL: fine, and *ret is the text. */
static const char *load(const char *path, char **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why = NULL;
	struct stat st;
	size_t len;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		why = "is not a regular file";
	} else if (st.st_size > CONF_TEXT_BYTES) {
		why = "is larger than 1 MiB, the limit of a configuration file";
	} else {
		*ret = read_all(fd, (size_t)st.st_size, &len);
		if (memchr(*ret, '\0', len)) {
			why = "holds a zero byte; it must be UTF-8 text";
			mem_replace(ret, NULL);
		}
	}
	close(fd);
	return why;
}

char *conf_text_load(const char *path, const char *from, int line, struct conf_faults *faults)
{
	char *text = NULL;
	const char *why = load(path, &text);

	if (why && from)
		conf_fault(faults, from, line, "include: %s: %s", path, why);
	else if (why)
		conf_fault(faults, path, 0, "%s", why);
	faults->unreadable = faults->unreadable || why;
	return text;
}

struct cleaner {
	char *p;
	const char *start, *file;
	struct conf_faults *faults;
	int line, open_line[CONF_TEXT_DEPTH], depth;
	int last_bad;		/* one fault a line: the others mostly follow from it */
	bool good;
};

static void bad(struct cleaner *c, int line, const char *why)
{
	if (line != c->last_bad)
		conf_fault(c->faults, c->file, line, "%s", why);
	c->last_bad = line;
	c->faults->unreadable = true;
	c->good = false;
}

static bool in_word(const struct cleaner *c)
{
	return c->p > c->start && !strchr(" \t\n\r={}()+,\"'", c->p[-1]);
}

static void blank(struct cleaner *c)
{
	if (*c->p == '\n')
		c->line++;
	else
		*c->p = ' ';
	c->p++;
}

static void skip_comment(struct cleaner *c)
{
	int line = c->line;

	if (c->p[0] == '#' || c->p[1] == '/') {
		while (*c->p && *c->p != '\n')
			blank(c);
		return;
	}
	for (blank(c), blank(c); *c->p; blank(c)) {
		if (c->p[0] == '*' && c->p[1] == '/') {
			blank(c);
			blank(c);
			return;
		}
	}
	bad(c, line, "a comment that begins here is never closed with */");
}

static void skip_string(struct cleaner *c)
{
	char quote = *c->p++;
	int line = c->line;

	for (; *c->p && *c->p != quote; c->p++) {
		if (*c->p == '\\' && c->p[1])
			c->p++;
		if (*c->p == '\n')
			c->line++;
	}
	if (*c->p)
		c->p++;
	else
		bad(c, line, "a string that begins here is never closed");
}

static void brace(struct cleaner *c)
{
	if (*c->p == '}' && c->depth > 0) {
		c->depth--;
	} else if (*c->p == '{') {
		if (c->depth < CONF_TEXT_DEPTH)
			c->open_line[c->depth] = c->line;
		if (c->depth == CONF_TEXT_DEPTH)
			bad(c, c->line, "braces are nested too deeply: blocks hold keys and lists, "
			    "no other blocks");
		c->depth++;
	}
	c->p++;
}

static void step(struct cleaner *c)
{
	char ch = *c->p, next = c->p[1];

	if (ch == '#' || (ch == '/' && (next == '/' || next == '*') && !in_word(c))) {
		skip_comment(c);
	} else if (ch == '"' || ch == '\'') {
		skip_string(c);
	} else if (ch == '{' || ch == '}') {
		brace(c);
	} else if (ch == '*' || (ch == '+' && next != '=')) {
		bad(c, c->line, ch == '*' ? "a value with \"*\" must stand in quotes"
					  : "a value with \"+\" must stand in quotes");
		c->p++;
	} else if ((unsigned char)ch < ' ' && !strchr("\n\t\r", ch)) {
		bad(c, c->line, "a control character outside quotes");
		c->p++;
	} else {
		c->line += ch == '\n';
		c->p++;
	}
}

static bool check_utf8(const char *text, const char *file, struct conf_faults *faults)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text;
	utf8proc_int32_t cp;
	int line = 1;

	while (*p) {
		utf8proc_ssize_t n = utf8proc_iterate(p, -1, &cp);

		if (n <= 0) {
			conf_fault(faults, file, line, "is not valid UTF-8");
			faults->unreadable = true;
			return false;
		}
		line += *p == '\n';
		p += n;
	}
	return true;
}

bool conf_text_clean(char *text, const char *file, struct conf_faults *faults)
{
	struct cleaner c = { .p = text, .start = text, .file = file, .faults = faults, .line = 1,
			     .good = true };

	if (!check_utf8(text, file, faults))
		return false;
	while (*c.p && c.depth <= CONF_TEXT_DEPTH)
		step(&c);
	if (c.good && c.depth > 0)
		bad(&c, c.open_line[c.depth - 1], "a brace that opens here is never closed");
	return c.good;
}
