/* SPDX-License-Identifier: MIT */
#include "common/base/plan.h"

#include "common/base/conf_private.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"

#define KIND (&CONF_SCHEMA[CONF_SCHEDULE])

/* A shadow of the settings, whose schedules are its own and whose other blocks are borrowed: so
 * checks find the queues, tasks and sources that schedules name. */
struct plan {
	struct conf shadow;
	const struct conf *conf;
	size_t nfile;		/* the first so many stand in the file */
	bool *changed;		/* by the database */
};


static size_t add(struct plan *p, const char *name)
{
	size_t i = conf_block_add(&p->shadow, CONF_SCHEDULE, name, NULL, 0);

	p->changed = mem_realloc(p->changed, (i + 1) * sizeof *p->changed);
	p->changed[i] = false;
	return i;
}

struct plan *plan_new(const struct conf *conf)
{
	struct plan *p = mem_zalloc(sizeof *p);

	p->conf = conf;
	p->shadow = *conf;
	p->shadow.schedules = NULL;
	p->shadow.nschedules = 0;
	p->shadow.private = mem_zalloc(sizeof *p->shadow.private);
	for (size_t i = 0; i < conf->nschedules; i++) {
		add(p, conf->schedules[i].name);
		p->shadow.schedules[i] = conf->schedules[i];
	}
	p->nfile = conf->nschedules;
	return p;
}

void plan_free(struct plan *p)
{
	struct conf_private *own;

	if (!p)
		return;
	own = p->shadow.private;
	for (size_t i = 0; i < own->ntexts; i++)
		free(own->texts[i]);
	free(own->texts);
	free(own->origins[CONF_SCHEDULE]);
	free(own->places[CONF_SCHEDULE]);
	free(own);
	free(p->shadow.schedules);
	free(p->changed);
	free(p);
}

/* ---- one schedule ---- */

static void set_key(struct plan *p, size_t i, const struct plan_setting *s,
		    struct conf_faults *faults)
{
	int key = conf_key_find(KIND, s->key);
	const char *name = p->shadow.schedules[i].name, *near;
	struct err e = { 0 };

	if (key < 0) {
		near = conf_near_key(KIND, s->key);
		conf_fault(faults, NULL, 0, "schedule %s: unknown key \"%.60s\"%s%s%s", name,
			   s->key, near ? "; did you mean \"" : "", near ? near : "",
			   near ? "\"?" : "");
		return;
	}
	if (conf_value_set(&p->shadow, &p->shadow.schedules[i], &KIND->keys[key], &s->text, 1,
			   &e) < 0) {
		conf_fault(faults, NULL, 0, "schedule %s: %s: %s", name, s->key, e.msg);
		conf_origin_at(&p->shadow, CONF_SCHEDULE, i, (size_t)key)->wrong = true;
	}
}

/* A kind of its own takes the place of the file's: `every` set over a cron ends the cron. */
static void drop_other_kinds(struct conf_schedule *s, const struct plan_setting *settings,
			     size_t n)
{
	bool says = false;

	for (size_t i = 0; i < n; i++)
		says = says || strcmp(settings[i].key, "cron") == 0 ||
			strcmp(settings[i].key, "every") == 0 ||
			strcmp(settings[i].key, "at") == 0 || strcmp(settings[i].key, "after") == 0;
	if (!says)
		return;
	s->cron = s->at = s->after = "";
	s->every_ms = s->delay_ms = 0;
}

static bool good_name(const char *name, struct conf_faults *faults)
{
	size_t n =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	if (n > 0 && n <= 255 && !name[n])
		return true;
	conf_fault(faults, NULL, 0,
		   "schedule \"%.60s\": is not a name: letters, digits, \".\", \"_\""
		   " and \"-\", at most 255",
		   name);
	return false;
}

/* As before plan_put. */
static void undo(struct plan *p, size_t i, bool fresh, const struct conf_schedule *was)
{
	if (fresh) {
		p->shadow.nschedules--;
		return;
	}
	p->shadow.schedules[i] = *was;
	for (size_t key = 0; key < KIND->nkeys; key++)
		conf_origin_at(&p->shadow, CONF_SCHEDULE, i, key)->wrong = false;
}

static int refuse(struct conf_faults *faults, struct err *e)
{
	char *all = NULL;
	int r = conf_faults_err(faults, &all, e);

	free(all);
	return r;
}

/* Schedule i as it is without the database. */
static void forget_changes(struct plan *p, size_t i)
{
	if (i < p->nfile) {
		p->shadow.schedules[i] = p->conf->schedules[i];
		return;
	}
	add(p, p->shadow.schedules[i].name);
	p->shadow.schedules[i] = p->shadow.schedules[--p->shadow.nschedules];
}

static int put(struct plan *p, const char *name, const struct plan_setting *settings, size_t n,
	       bool over_file, struct err *e)
{
	const struct conf_schedule *known = plan_find(p, name);
	struct conf_schedule was = { 0 };
	struct conf_faults faults;
	size_t i = 0;
	int r = 0;

	conf_faults_init(&faults);
	if (good_name(name, &faults)) {
		i = known ? (size_t)(known - p->shadow.schedules) : add(p, name);
		was = p->shadow.schedules[i];
		if (known && over_file)
			forget_changes(p, i);
		drop_other_kinds(&p->shadow.schedules[i], settings, n);
		for (size_t k = 0; k < n; k++)
			set_key(p, i, &settings[k], &faults);
		conf_check_schedules(&p->shadow, &faults);
		if (faults.count)
			undo(p, i, !known, &was);
		else
			p->changed[i] = true;
	}
	if (faults.count)
		r = refuse(&faults, e);
	conf_faults_release(&faults);
	return r;
}

int plan_put(struct plan *p, const char *name, const struct plan_setting *settings, size_t n,
	     struct err *e)
{
	return put(p, name, settings, n, false, e);
}

int plan_replace(struct plan *p, const char *name, const struct plan_setting *settings, size_t n,
		 struct err *e)
{
	return put(p, name, settings, n, true, e);
}

/* ---- answers ---- */

size_t plan_count(const struct plan *p)
{
	return p->shadow.nschedules;
}

const struct conf_schedule *plan_at(const struct plan *p, size_t i)
{
	return &p->shadow.schedules[i];
}

const struct conf_schedule *plan_find(const struct plan *p, const char *name)
{
	return conf_schedule(&p->shadow, name);
}

enum plan_origin plan_origin(const struct plan *p, size_t i)
{
	return i >= p->nfile ? PLAN_DATABASE : p->changed[i] ? PLAN_BOTH : PLAN_FILE;
}

const char *plan_near(const struct plan *p, const char *text)
{
	struct near n;

	near_init(&n, text);
	for (size_t i = 0; i < plan_count(p); i++)
		near_offer(&n, plan_at(p, i)->name);
	return n.word;
}
