/* SPDX-License-Identifier: MIT */
/* libconfuse stops at the first name that it does not know. So a name that it stops at is learned,
 * that is declared, and the file parsed again, until the end or an error of syntax; uses of learned
 * names are what the last attempt reports. Its callbacks carry no context, hence the one static
 * pointer: a process reads one configuration at a time. */
#include "common/base/conf_parse.h"

#include <confuse.h>
#include <stdarg.h>

#include "common/base/buf.h"
#include "common/base/conf_fault.h"
#include "common/base/conf_read.h"
#include "common/base/conf_schema.h"
#include "common/base/mem.h"

enum { LEARN_MAX = 100, OPTS_MAX = 160 };

/* How a name that stands in no schema seems to be used: tried in this order. */
enum learned_form { LEARNED_KEY, LEARNED_TITLED, LEARNED_BLOCK, LEARNED_FORMS };

struct learned {
	char *name;
	char *in;		/* the block it stood in, ROOT outside of blocks */
	enum learned_form form;
	int line;
	bool reported;
};

struct reader {
	struct conf_reading *out;
	struct conf_faults *faults;
	const char *file;
	struct learned learned[LEARN_MAX];
	size_t nlearned;
	bool again;		/* something was learned: this attempt does not count */
	cfg_t *section;		/* the block being read, in libconfuse's eyes and in ours */
	struct conf_block *block;
	const cfg_opt_t *repeated;	/* whose further values are dropped */
	struct conf_includes *includes;
};

static struct reader *reader;

static const char ROOT[] = "root";	/* libconfuse's name for what is outside of blocks */

/* An option that no file can write. Its default is scanned when its block opens, which is the only
 * sign of that which libconfuse gives. */
static const char OPENED[] = "(opened)";
static char opened_default[] = "{opened}";	/* libconfuse wants it writable, and does not write */

static bool is_secret_like(const char *name)
{
	static const char *const words[] = { "password", "passwd", "secret", "token", "api_key",
					     "apikey", "app_key", "credential" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcasestr(name, words[i]))
			return true;
	}
	return strcasecmp(name, "key") == 0;
}

static void report_key(const cfg_t *cfg, int line, const char *name)
{
	const struct conf_kind *kind = conf_kind_find(cfg->name);
	char *place = mem_printf("%s%s%s: %s", cfg->name, cfg->title ? " " : "",
				 cfg->title ? cfg->title : "", name);
	const char *near = kind ? conf_near_key(kind, name) : NULL;

	if (is_secret_like(name))
		conf_fault(reader->faults, reader->file, line, "%s: secrets never stand in "
			   "queues.conf: set the environment variable or systemd credential that "
			   "a source's key_variable names", place);
	else if (near)
		conf_fault(reader->faults, reader->file, line, "%s: unknown key; did you mean "
			   "\"%s\"?", place, near);
	else if (kind)
		conf_fault(reader->faults, reader->file, line, "%s: unknown key; see "
			   "queues.conf(5) for the keys of a %s block", place, cfg->name);
	free(place);
}

static void report_block(int line, const char *name)
{
	const char *near = conf_near_kind(name);

	if (near)
		conf_fault(reader->faults, reader->file, line, "%s: unknown block; did you mean "
			   "\"%s\"?", name, near);
	else
		conf_fault(reader->faults, reader->file, line,
			   "%s: unknown block; there are fleet, "
			   "queue, task, schedule, source and alert, and include(\"FILE\")",
			   name);
}

/* text with every "%s" replaced by word. */
static void report_words(int line, const char *text, const char *word)
{
	struct buf out;

	buf_init(&out, 4096);
	for (const char *slot; word && (slot = strstr(text, "%s")); text = slot + 2)
		buf_printf(&out, "%.*s%s", (int)(slot - text), text, word);
	buf_puts(&out, text);
	conf_fault(reader->faults, reader->file, line, "%s", buf_text(&out));
	buf_release(&out);
}

static struct learned *learned_find(const char *name, const char *in)
{
	for (size_t i = 0; i < reader->nlearned; i++) {
		struct learned *l = &reader->learned[i];

		if (strcmp(l->name, name) == 0 && strcmp(l->in, in) == 0)
			return l;
	}
	return NULL;
}

static bool learn(const cfg_t *cfg, const char *name)
{
	if (reader->nlearned == LEARN_MAX)
		return false;
	reader->learned[reader->nlearned++] = (struct learned){
		.name = mem_strdup(name), .in = mem_strdup(cfg->name), .line = cfg->line };
	reader->again = true;
	return true;
}

/* What libconfuse says, and how we do. It never translates: the programs leave the locale alone. */
static void report_syntax(int line, const char *fmt, const char *word)
{
	static const struct { const char *theirs, *ours; } SAYINGS[] = {
		{ "missing equal sign after option '%s'", "%s: \"=\" is missing; a setting is written "
		  "KEY = VALUE" },
		{ "missing title for section '%s'", "%s: needs a name: %s NAME { … }" },
		{ "missing opening brace for section '%s'", "%s: \"{\" is missing" },
		{ "unexpected token '%s'", "unexpected \"%s\"; a setting is written KEY = VALUE or "
		  "KEY = {VALUE, VALUE}" },
		{ "unexpected closing brace", "a brace closes here that nothing opened" },
		{ "premature end of file", "the file ends within a setting" },
		{ "no sub-section title/index for '%s'", "%s: a name with \"|\" or \"=\" is none" },
		{ "no sub-section '%s' in '%s'", "%s: a name with \"|\" or \"=\" is none" },
		{ "no such option '%s'", "%s: unknown, as a hundred names before it" },
	};
	const char *ours = fmt;

	for (size_t i = 0; i < COUNT(SAYINGS); i++) {
		if (strcmp(SAYINGS[i].theirs, fmt) == 0)
			ours = SAYINGS[i].ours;
	}
	report_words(line, ours, word);
	reader->faults->unreadable = true;
}

/* A name that was learned as a key, but is followed by something else. Outside of blocks it may be
 * a block; inside there are none. */
static bool learn_more(const cfg_t *cfg, const char *name)
{
	struct learned *l = learned_find(name, ROOT);

	if (l && l->form + 1 < LEARNED_FORMS) {
		l->form++;
		return reader->again = true;
	}
	l = learned_find(name, cfg->name);
	if (!l || l->form != LEARNED_KEY)
		return false;
	conf_fault(reader->faults, reader->file, cfg->line,
		   "%s: %s stands outside of blocks; a block holds keys only",
		   cfg->name, name);
	reader->faults->unreadable = l->reported = true;
	return true;
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	const char *word = strstr(fmt, "'%s'") ? va_arg(ap, const char *) : NULL;

	if (word && strcmp(fmt, "no such option '%s'") == 0 && learn(cfg, word))
		return;
	if (word && learn_more(cfg, word))
		return;
	report_syntax(cfg->line, fmt, word);
}

static int on_opened(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct learned *l = learned_find(cfg->name, ROOT);
	struct conf_reading *out = reader->out;

	(void)opt;
	*(const char **)result = value;
	reader->section = cfg;
	reader->block = NULL;
	if (l) {
		report_block(cfg->line, cfg->name);
		l->reported = true;
	} else if (out->nblocks < CONF_READ_BLOCKS) {
		out->blocks = mem_realloc(out->blocks, (out->nblocks + 1) * sizeof *out->blocks);
		reader->block = &out->blocks[out->nblocks++];
		*reader->block = (struct conf_block){
			.kind = conf_kind_find(cfg->name), .line = cfg->line, .file = reader->file,
			.title = mem_strdup(cfg->title ? cfg->title : "") };
	}
	return 0;
}

static int on_learned(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct learned *l = learned_find(opt->name, cfg->name);

	*(const char **)result = value;
	if (!l || opt->nvalues != 1)
		return 0;
	l->reported = true;
	if (strcmp(cfg->name, ROOT) == 0)
		report_block(cfg->line, opt->name);
	else
		report_key(cfg, cfg->line, opt->name);
	return 0;
}

static struct conf_entry *entry_find(struct conf_block *b, int key)
{
	for (size_t i = 0; i < b->nentries; i++) {
		if (b->entries[i].key == key)
			return &b->entries[i];
	}
	return NULL;
}

static struct conf_entry *entry_add(struct conf_block *b, int key, int line)
{
	b->entries = mem_realloc(b->entries, (b->nentries + 1) * sizeof *b->entries);
	b->entries[b->nentries] = (struct conf_entry){ .key = key, .line = line };
	return &b->entries[b->nentries++];
}

static void entry_append(struct conf_entry *entry, const char *value)
{
	entry->values = mem_realloc(entry->values, (entry->nvalues + 1) * sizeof *entry->values);
	entry->values[entry->nvalues++] = mem_strdup(value);
}

/* nvalues is 1 again when a new assignment begins: libconfuse dropped the earlier one. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct conf_block *b = reader->block;
	struct conf_entry *entry;
	int key;

	*(const char **)result = value;
	if (!b)
		return 0;
	if (cfg != reader->section) {	/* "queue=salary_data|prefetch" reaches into a block */
		conf_fault(reader->faults, reader->file, cfg->line,
			   "%s: stands outside of its block", opt->name);
		return 0;
	}
	key = conf_key_find(b->kind, opt->name);
	entry = entry_find(b, key);
	if (opt->nvalues > 1 && opt == reader->repeated)
		return 0;
	reader->repeated = NULL;
	if (entry && opt->nvalues == 1) {
		reader->repeated = opt;
		conf_fault(reader->faults, reader->file, cfg->line, "%s%s%s: %s: stands twice in "
			   "this block, first in line %d", b->kind->name, *b->title ? " " : "",
			   b->title, opt->name, entry->line);
		return 0;
	}
	entry_append(entry ? entry : entry_add(b, key, cfg->line), value);
	return 0;
}

/* `key = {}` calls nobody, but leaves its mark. */
static int on_closed(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct conf_block *b = reader->block;

	(void)opt;
	for (const cfg_opt_t *o = b ? reader->section->opts : NULL; o && o->name; o++) {
		if ((o->flags & CFGF_MODIFIED) && o->nvalues == 0 &&
		    conf_key_find(b->kind, o->name) >= 0)
			conf_fault(reader->faults, reader->file, cfg->line, "%s%s%s: %s: an empty "
				   "list; leave the key out for its default", b->kind->name,
				   *b->title ? " " : "", b->title, o->name);
	}
	return 0;
}

static int on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	(void)opt;
	if (argc != 1 || !*argv[0]) {
		conf_fault(reader->faults, reader->file, cfg->line,
			   "include: takes the name of one file: include(\"FILE\")");
	} else if (!conf_includes_add(reader->includes, argv[0], reader->file, cfg->line)) {
		conf_fault(reader->faults, reader->file, cfg->line, "include: more than %d files",
			   CONF_READ_FILES);
		reader->faults->unreadable = true;
	}
	return 0;
}

/* The options of one block: the schema's keys, then what was learned of it. */
static size_t declare(cfg_opt_t *opts, const struct conf_kind *kind, const char *in)
{
	static const cfg_opt_t end = CFG_END();
	size_t n = 0;

	if (strcmp(in, ROOT) != 0)
		opts[n++] =
			(cfg_opt_t)CFG_STR_LIST_CB(OPENED, opened_default, CFGF_NONE, on_opened);
	for (size_t i = 0; kind && i < kind->nkeys; i++)
		opts[n++] = (cfg_opt_t)CFG_STR_LIST_CB(kind->keys[i].name, NULL, CFGF_NODEFAULT,
						       on_value);
	for (size_t i = 0; i < reader->nlearned; i++) {
		struct learned *l = &reader->learned[i];

		if (strcmp(l->in, in) == 0 && l->form == LEARNED_KEY)
			opts[n++] = (cfg_opt_t)CFG_STR_LIST_CB(l->name, NULL, CFGF_NODEFAULT,
							       on_learned);
	}
	opts[n] = end;
	return n;
}

/* cfg_init copies the options, so one array serves all blocks of an attempt. */
static cfg_t *parser_open(void)
{
	cfg_opt_t (*blocks)[OPTS_MAX] = mem_zalloc((CONF_KINDS + LEARN_MAX) * sizeof *blocks);
	cfg_opt_t root[CONF_KINDS + LEARN_MAX + 2];
	size_t nblocks = 0, n = declare(root, NULL, ROOT);
	cfg_t *cfg;

	root[n++] = (cfg_opt_t)CFG_FUNC("include", on_include);
	for (size_t i = 0; i < CONF_KINDS; i++, nblocks++) {
		const struct conf_kind *kind = &CONF_SCHEMA[i];

		declare(blocks[nblocks], kind, kind->name);
		root[n++] = (cfg_opt_t)CFG_SEC(kind->name, blocks[nblocks],
					       CFGF_MULTI | (kind->titled ? CFGF_TITLE : 0));
	}
	for (size_t i = 0; i < reader->nlearned; i++) {
		struct learned *l = &reader->learned[i];

		if (l->form == LEARNED_KEY)
			continue;
		declare(blocks[nblocks], NULL, l->name);
		root[n++] = (cfg_opt_t)CFG_SEC(
			l->name, blocks[nblocks++],
			CFGF_MULTI | (l->form == LEARNED_TITLED ? CFGF_TITLE : 0));
	}
	root[n] = (cfg_opt_t)CFG_END();
	cfg = mem_check(cfg_init(root, CFGF_NONE));
	free(blocks);
	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < CONF_KINDS; i++)
		cfg_set_validate_func(cfg, CONF_SCHEMA[i].name, on_closed);
	return cfg;
}

static void forget_learned(void)
{
	for (size_t i = 0; i < reader->nlearned; i++) {
		free(reader->learned[i].name);
		free(reader->learned[i].in);
	}
	reader->nlearned = 0;
}

/* `unknown = {}` is seen by nobody. */
static void report_silent(void)
{
	for (size_t i = 0; i < reader->nlearned; i++) {
		const struct learned *l = &reader->learned[i];
		cfg_t at = { .name = l->in };

		if (l->reported)
			continue;
		if (strcmp(l->in, ROOT) == 0)
			report_block(l->line, l->name);
		else
			report_key(&at, l->line, l->name);
	}
}

static void parse(const char *text)
{
	size_t blocks = reader->out->nblocks, includes = reader->includes->n;
	size_t faults = reader->faults->count;

	for (;;) {
		cfg_t *cfg = parser_open();

		reader->again = false;
		for (size_t i = 0; i < reader->nlearned; i++)
			reader->learned[i].reported = false;
		if (cfg_parse_buf(cfg, text) != CFG_SUCCESS && !reader->again &&
		    !reader->faults->unreadable) {	/* it has silent failures, such as "" = 5 */
			conf_fault(reader->faults, reader->file, cfg->line,
				   "a setting is written KEY = VALUE, a block NAME { … }");
			reader->faults->unreadable = true;
		}
		cfg_free(cfg);
		if (!reader->again)
			break;
		conf_faults_rewind(reader->faults, faults);
		conf_reading_truncate(reader->out, blocks);
		conf_includes_truncate(reader->includes, includes);
	}
	report_silent();
	forget_learned();
}

void conf_parse(struct conf_reading *out, struct conf_includes *includes, const char *text,
		const char *file, struct conf_faults *faults)
{
	struct reader r = { .out = out, .faults = faults, .file = file, .includes = includes };

	reader = &r;
	parse(text);
	reader = NULL;
}
