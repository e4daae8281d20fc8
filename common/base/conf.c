/* SPDX-License-Identifier: MIT */
#include "common/base/conf.h"

#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/conf_private.h"
#include "common/base/conf_read.h"
#include "common/base/err.h"
#include "common/base/mem.h"

static char *last_errors;	/* of this process, as conf_errors promises */

const char *conf_errors(void)
{
	return last_errors ? last_errors : "";
}

const char *conf_keep(struct conf *c, const char *text)
{
	struct conf_private *p = c->private;

	p->texts = mem_realloc(p->texts, (p->ntexts + 1) * sizeof *p->texts);
	return p->texts[p->ntexts++] = mem_strdup(text);
}

size_t conf_block_count(const struct conf *c, enum conf_kind_id kind)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];

	return k->titled ? *(const size_t *)((const char *)c + k->count_at) : 1;
}

void *conf_block_at(const struct conf *c, enum conf_kind_id kind, size_t i)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];
	char *at = (char *)c + k->at;

	return k->titled ? *(char **)at + i * k->size : at;
}

/* Every titled block begins with its name. */
const char *conf_block_name(const struct conf *c, enum conf_kind_id kind, size_t i)
{
	return CONF_SCHEMA[kind].titled ? *(const char **)conf_block_at(c, kind, i) : "";
}

struct conf_origin *conf_origin_at(const struct conf *c, enum conf_kind_id kind, size_t i,
				   size_t key)
{
	return &c->private->origins[kind][i * CONF_SCHEMA[kind].nkeys + key];
}

static void fill_defaults(struct conf *c, enum conf_kind_id kind, size_t i)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];
	void *block = conf_block_at(c, kind, i);

	for (size_t n = 0; n < k->nkeys; n++) {
		const char *text = k->keys[n].fallback;
		struct err e = { 0 };

		*conf_origin_at(c, kind, i, n) = (struct conf_origin){ .text = text };
		if (!text)
			conf_value_unset(block, &k->keys[n]);
		else if (conf_value_set(c, block, &k->keys[n], &text, 1, &e) < 0)
			abort();	/* the table's own default: test_conf loads them all */
	}
}

size_t conf_block_add(struct conf *c, enum conf_kind_id kind, const char *name, const char *file,
		      int line)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];
	struct conf_private *p = c->private;
	size_t i = k->titled ? conf_block_count(c, kind) : 0;

	p->origins[kind] =
		mem_realloc(p->origins[kind], (i + 1) * k->nkeys * sizeof(struct conf_origin));
	p->places[kind] = mem_realloc(p->places[kind], (i + 1) * sizeof *p->places[kind]);
	p->places[kind][i].file = file;
	p->places[kind][i].line = line;
	if (k->titled) {
		char **array = (char **)((char *)c + k->at);

		*array = mem_realloc(*array, (i + 1) * k->size);
		memset(*array + i * k->size, 0, k->size);
		*(size_t *)((char *)c + k->count_at) = i + 1;
		*(const char **)conf_block_at(c, kind, i) = conf_keep(c, name);
	}
	fill_defaults(c, kind, i);
	return i;
}

static long find(const struct conf *c, enum conf_kind_id kind, const char *name)
{
	for (size_t i = 0; name && i < conf_block_count(c, kind); i++) {
		if (strcmp(conf_block_name(c, kind, i), name) == 0)
			return (long)i;
	}
	return -1;
}

const struct conf_queue *conf_queue(const struct conf *c, const char *name)
{
	long i = find(c, CONF_QUEUE, name);

	return i < 0 ? NULL : &c->queues[i];
}

const struct conf_task *conf_task(const struct conf *c, const char *name)
{
	long i = find(c, CONF_TASK, name);

	return i < 0 ? NULL : &c->tasks[i];
}

const struct conf_source *conf_source(const struct conf *c, const char *name)
{
	long i = find(c, CONF_SOURCE, name);

	return i < 0 ? NULL : &c->sources[i];
}

const struct conf_schedule *conf_schedule(const struct conf *c, const char *name)
{
	long i = find(c, CONF_SCHEDULE, name);

	return i < 0 ? NULL : &c->schedules[i];
}

const char *conf_route(const struct conf *c, const char *task)
{
	const struct conf_task *t = conf_task(c, task);

	return t && *t->queue ? t->queue : NULL;
}

const char *conf_origin(const struct conf *c, const char *block, const char *name, const char *key,
			char *out, size_t size)
{
	const struct conf_kind *k = conf_kind_find(block);
	enum conf_kind_id kind = k ? (enum conf_kind_id)(k - CONF_SCHEMA) : CONF_KINDS;
	long i = !k ? -1 : k->titled ? find(c, kind, name) : 0;
	int n = k ? conf_key_find(k, key) : -1;
	const struct conf_origin *o =
		i < 0 || n < 0 ? NULL : conf_origin_at(c, kind, (size_t)i, (size_t)n);

	if (!o)
		return NULL;
	if (o->variable)
		snprintf(out, size, "%s %s", o->credential ? "credential" : "environment",
			 o->variable);
	else if (o->file)
		snprintf(out, size, "%s:%d", o->file, o->line);
	else
		snprintf(out, size, "default");
	return out;
}

static bool is_service_url(enum conf_type type)
{
	return type == CONF_BROKER_URL || type == CONF_DATABASE_URL || type == CONF_REDIS_URL;
}

static const char *url_variable(const struct conf_key *k)
{
	switch (k->type) {
	case CONF_BROKER_URL:
		return "JOBFLEET_BROKER_URL";
	case CONF_REDIS_URL:
		return "JOBFLEET_REDIS_URL";
	default:
		return k->offset == offsetof(struct conf_fleet, database_url)
			? "JOBFLEET_DATABASE_URL"
			: "JOBFLEET_DATABASE_DIRECT_URL";
	}
}

static int take_values(struct conf *c, void *block, const struct conf_key *k,
		       const struct conf_entry *entry, struct err *e)
{
	if (is_service_url(k->type) && conf_url_has_password(entry->values[0]))
		return err_set(e, ERR_CONFIG,
			       "carries a password; secrets never stand in queues.conf: set "
			       "%s in the environment",
			       url_variable(k));
	return conf_value_set(c, block, k, (const char *const *)entry->values, entry->nvalues, e);
}

static void take_entry(struct conf *c, enum conf_kind_id kind, size_t i,
		       const struct conf_block *from, const struct conf_entry *entry,
		       struct conf_faults *faults)
{
	const struct conf_key *k = &from->kind->keys[entry->key];
	struct conf_origin *o = conf_origin_at(c, kind, i, (size_t)entry->key);
	struct err e = { 0 };
	struct buf text;

	o->file = conf_keep(c, from->file);
	o->line = entry->line;
	o->wrong = take_values(c, conf_block_at(c, kind, i), k, entry, &e) < 0;
	if (o->wrong) {
		conf_fault(faults, from->file, entry->line, "%s%s%s: %s: %s", from->kind->name,
			   *from->title ? " " : "", from->title, k->name, e.msg);
		return;
	}
	buf_init(&text, SIZE_MAX / 2);
	for (size_t v = 0; v < entry->nvalues; v++)
		buf_printf(&text, "%s%s", v ? ", " : "", entry->values[v]);
	o->text = conf_keep(c, buf_text(&text));
	buf_release(&text);
}

static bool good_title(const struct conf_block *b, struct conf_faults *faults)
{
	static const struct conf_key name = { .name = "name",
					      .type = CONF_NAME,
					      .size = sizeof(char *) };
	const char *slot, *title = b->title;
	struct conf_private store = { 0 };
	struct conf scratch = { .private = &store };
	struct err e = { 0 };
	bool good = *title && conf_value_set(&scratch, &slot, &name, &title, 1, &e) == 0;

	if (!good)
		conf_fault(faults, b->file, b->line, "%s: %s", b->kind->name,
			   *title ? e.msg : "needs a name, as in: queue salary_data { }");
	for (size_t i = 0; i < store.ntexts; i++)
		free(store.texts[i]);
	free(store.texts);
	return good;
}

static void take_block(struct conf *c, const struct conf_block *b, bool *fleet_seen,
		       struct conf_faults *faults)
{
	enum conf_kind_id kind = (enum conf_kind_id)(b->kind - CONF_SCHEMA);
	long twin = b->kind->titled ? find(c, kind, b->title) : *fleet_seen ? 0 : -1;
	size_t i = 0;

	if (b->kind->titled && !good_title(b, faults))
		return;
	if (twin >= 0) {
		conf_fault(faults, b->file, b->line, "%s%s%s: stands twice, first in %s:%d",
			   b->kind->name, *b->title ? " " : "", b->title,
			   c->private->places[kind][twin].file,
			   c->private->places[kind][twin].line);
		return;
	}
	if (b->kind->titled) {
		i = conf_block_add(c, kind, b->title, conf_keep(c, b->file), b->line);
	} else {
		*fleet_seen = true;
		c->private->places[kind][0].file = conf_keep(c, b->file);
		c->private->places[kind][0].line = b->line;
	}
	for (size_t n = 0; n < b->nentries; n++)
		take_entry(c, kind, i, b, &b->entries[n], faults);
}

/* NULL: none is there, and none was asked for. */
static const char *choose_path(const char *path)
{
	static const char *const usual[] = { "queues.conf", "/etc/jobfleet/queues.conf" };
	const char *env = conf_env("JOBFLEET_CONFIG", NULL);

	if (path || env)
		return path ? path : env;
	for (size_t i = 0; i < COUNT(usual); i++) {
		if (access(usual[i], F_OK) == 0)
			return usual[i];
	}
	return NULL;
}

static void take_file(struct conf *c, const char *path, struct conf_faults *faults)
{
	struct conf_reading reading;
	bool fleet_seen = false;

	conf_read(&reading, path, faults);
	c->path = conf_keep(c, path);
	for (size_t i = 0; i < reading.nblocks; i++)
		take_block(c, &reading.blocks[i], &fleet_seen, faults);
	conf_reading_release(&reading);
}

/* Settings whose default hangs on another setting. */
static void derive(struct conf *c)
{
	int fallback = conf_key_find(&CONF_SCHEMA[CONF_FLEET], "use_demo_fallback");

	if (!*c->fleet.database_direct_url)
		c->fleet.database_direct_url = c->fleet.database_url;
	if (!conf_origin_at(c, CONF_FLEET, 0, (size_t)fallback)->text)
		c->fleet.demo_fallback = c->fleet.development;
	for (size_t i = 0; i < c->nqueues; i++) {
		int key = conf_key_find(&CONF_SCHEMA[CONF_QUEUE], "max_priority");

		if (c->queues[i].type == CONF_QUEUE_QUORUM &&
		    !conf_origin_at(c, CONF_QUEUE, i, (size_t)key)->file)
			c->queues[i].max_priority = 0;
	}
	for (size_t i = 0; i < c->nsources; i++) {
		if (c->sources[i].rate_per_s < 0)
			c->sources[i].rate_per_s = c->fleet.requests_per_minute / 60.0;
	}
}

int conf_load(struct conf **ret, const char *path, struct err *e)
{
	struct conf *c = mem_zalloc(sizeof *c);
	struct conf_faults faults;
	char *all;
	int r = 0;

	c->private = mem_zalloc(sizeof *c->private);
	c->path = "";
	conf_faults_init(&faults);
	conf_block_add(c, CONF_FLEET, "", NULL, 0);
	path = choose_path(path);
	if (path)
		take_file(c, path, &faults);
	conf_env_apply(c, &faults);
	derive(c);
	if (!faults.unreadable)
		conf_check(c, &faults);
	if (faults.count) {
		r = conf_faults_err(&faults, &all, e);
		mem_replace(&last_errors, all);
		conf_close(c);
	} else {
		*ret = c;
	}
	conf_faults_release(&faults);
	return r;
}

void conf_close(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CONF_KINDS; i++) {
		free(c->private->origins[i]);
		free(c->private->places[i]);
	}
	for (size_t i = 0; i < c->private->ntexts; i++)
		free(c->private->texts[i]);
	free(c->private->texts);
	free(c->private);
	free(c->queues);
	free(c->tasks);
	free(c->schedules);
	free(c->sources);
	free(c->alerts);
	free(c);
}
