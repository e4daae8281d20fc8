/* SPDX-License-Identifier: MIT */
#include "common/worker/worker_start.h"

#include <unistd.h>

#include "common/base/board.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/secrets.h"
#include "common/base/uuid.h"
#include "common/worker/bind.h"
#include "common/worker/keeper.h"
#include "common/worker/stores.h"
#include "common/worker/worker.h"
#include "common/worker/worker_private.h"
#include "common/worker/zygote.h"

/* Of all its queues, the most that one asks for: they share the children. */
static void set_bounds(struct worker *w)
{
	w->least = w->most = 1;
	for (size_t i = 0; i < w->nqueues; i++) {
		const struct conf_queue *q = conf_queue(w->program.conf, w->queues[i].name);

		if (q && q->concurrency_min > w->least)
			w->least = q->concurrency_min;
		if (q && q->concurrency_max > w->most)
			w->most = q->concurrency_max;
	}
	if (w->opts.concurrency_max > 0) {
		w->least = w->opts.concurrency_min;
		w->most = w->opts.concurrency_max;
	}
	if (w->most < w->least)
		w->most = w->least;
}

int64_t worker_max_memory(const struct worker *w)
{
	int64_t least = 0;

	for (size_t i = 0; i < w->nqueues; i++) {
		const struct conf_queue *q = conf_queue(w->program.conf, w->queues[i].name);
		int64_t n = q ? q->max_memory_per_child : 0;

		if (n > 0 && (least == 0 || n < least))
			least = n;
	}
	return least;
}

int worker_max_tasks(const struct worker *w)
{
	int least = 0;

	for (size_t i = 0; i < w->nqueues; i++) {
		const struct conf_queue *q = conf_queue(w->program.conf, w->queues[i].name);
		int n = q ? q->max_tasks_per_child : 0;

		if (n > 0 && (least == 0 || n < least))
			least = n;
	}
	return least;
}

static bool is_wanted(const struct opts *o, const char *queue)
{
	for (size_t i = 0; i < o->nqueues; i++)
		if (strcmp(o->queues[i], queue) == 0)
			return true;
	return o->nqueues == 0;
}

static int check_queues(const struct worker *w, struct err *e)
{
	for (size_t i = 0; i < w->opts.nqueues; i++) {
		const struct conf_queue *q = conf_queue(w->program.conf, w->opts.queues[i]);

		if (!q)
			return err_set(e, ERR_USAGE,
				       "--queues: there is no queue %s in queues.conf",
				       w->opts.queues[i]);
		if (strcmp(q->program, w->program.name) != 0)
			return err_set(e, ERR_USAGE, "--queues: queue %s is served by program %s, "
				       "not by %s", q->name, q->program, w->program.name);
	}
	return 0;
}

static int choose_queues(struct worker *w, struct err *e)
{
	const struct conf *conf = w->program.conf;
	int r = check_queues(w, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < conf->nqueues && w->nqueues < WORKER_MAX_QUEUES; i++) {
		const struct conf_queue *q = &conf->queues[i];
		char *name;

		if (strcmp(q->program, w->program.name) != 0 || !is_wanted(&w->opts, q->name))
			continue;
		name = mem_strdup(q->name);	/* outlives a reload */
		w->queues[w->nqueues].name = name;
		w->queues[w->nqueues].own = true;
		w->queue_confs[w->nqueues++] = (struct consumer_queue_conf){
			.name = name, .max_priority = q->max_priority,
			.quorum = q->type == CONF_QUEUE_QUORUM,
			.delivery_limit = q->delivery_limit,
		};
	}
	if (w->nqueues == 0)
		return err_set(e, ERR_CONFIG,
			       "queues.conf has no queue block with program = \"%s\"",
			       w->program.name);
	return 0;
}

static const char *node_name(const struct worker *w)
{
	char host[256] = "";
	const char *given = w->opts.hostname;

	if (given && strchr(given, '@'))
		return mem_strdup(given);
	gethostname(host, sizeof host - 1);
	return mem_printf("%s@%s", given ? given : w->program.name, host);
}

static int load(struct worker *w, struct err *e)
{
	const struct conf *conf;
	int r = conf_load(&w->program.conf, w->opts.config, e);

	if (r < 0)
		return r;
	conf = w->program.conf;
	r = stores_check_urls(conf, e);
	if (r < 0)
		return r;
	w->program.node = node_name(w);
	r = log_open(w->program.process, w->opts.has_loglevel ? w->opts.loglevel :
		     conf->fleet.log_level, conf->fleet.log_file, e);
	if (r >= 0)
		r = choose_queues(w, e);
	for (size_t i = 0; i < w->program.ntasks && r >= 0; i++) {
		const char *wrong = bind_check(&w->program.tasks[i]);

		if (wrong)
			r = err_set(e, ERR_INTERNAL, "task %s: parameter \"%s\"",
				    w->program.tasks[i].name, wrong);
	}
	if (r < 0)
		return r;
	set_bounds(w);
	w->children = w->least;
	catalog_init(&w->catalog, conf, w->program.name, w->program.tasks, w->program.ntasks);
	return 0;
}

static bool has_queue_of(const struct conf *conf, const char *program)
{
	for (size_t i = 0; i < conf->nqueues; i++)
		if (strcmp(conf->queues[i].program, program) == 0)
			return true;
	return false;
}

/* Queues that the new file gives to this program are consumed from, those it took away are not. */
static void follow_queues(struct worker *w)
{
	const struct conf *conf = w->program.conf;

	for (size_t i = 0; i < conf->nqueues; i++) {
		const struct conf_queue *q = &conf->queues[i];

		if (strcmp(q->program, w->program.name) == 0 && is_wanted(&w->opts, q->name) &&
		    worker_add_queue(w, q->name, NULL, NULL, NULL) < 0)
			log_error("queue %s is not consumed from: there are too many", q->name);
	}
	for (size_t i = 0; i < w->nqueues; i++) {
		const struct conf_queue *q = conf_queue(conf, w->queues[i].name);

		w->queues[i].own |= q != NULL;
		if (w->queues[i].own && (!q || strcmp(q->program, w->program.name) != 0))
			worker_cancel_queue(w, w->queues[i].name);
	}
}

void worker_reload(struct worker *w)
{
	struct conf *conf = NULL;
	struct catalog old;
	struct err e = { 0 };

	log_reopen();
	if (conf_load(&conf, w->opts.config, &e) < 0) {
		log_error("reload refused, nothing changed: %s", conf_errors());
		return;
	}
	if (stores_check_urls(conf, &e) < 0) {
		log_error("reload refused, nothing changed: %s", e.msg);
		conf_close(conf);
		return;
	}
	if (!has_queue_of(conf, w->program.name)) {
		log_error("reload refused, nothing changed: %s has no queue block with program = "
			  "\"%s\"", conf->path, w->program.name);
		conf_close(conf);
		return;
	}
	old = w->catalog;
	catalog_init(&w->catalog, conf, w->program.name, w->program.tasks, w->program.ntasks);
	catalog_inherit(&w->catalog, &old);
	catalog_release(&old);
	conf_close(w->program.conf);
	w->program.conf = conf;
	if (!w->opts.has_loglevel)
		log_set_level(conf->fleet.log_level);
	follow_queues(w);
	set_bounds(w);
	worker_scale(w, w->least, w->most);
	w->buffer.order = conf->fleet.queue_order;
	worker_weigh_queues(w);
	pool_tell_conf(w->pool, conf->path);
	log_info("reloaded file=%s children=%d", conf->path, w->children);
}

static int run_child(void *ctx, int row, bool keeper, int fd)
{
	struct worker *w = ctx;

	return keeper ? keeper_main(&w->program, fd) : child_main(&w->program, row, fd);
}

/* --run NAME ARGS: one handler in the foreground; its result goes to stdout. */
static int run_one(struct worker *w, const struct task *task, struct err *e)
{
	const char *text = w->opts.run_args ? w->opts.run_args : "[]";
	bool list = text[strspn(text, " \t\n")] != '{';
	cJSON *args = NULL, *result = NULL;
	struct run *run = NULL;
	char id[UUID_SIZE], *json;
	int r, closed;

	uuid_v4(id);
	r = bind_arguments(task, list ? text : "[]", list ? "{}" : text, &args, e);
	if (r >= 0)
		r = run_open(&run, w->program.conf, task, id, e);
	if (r >= 0)
		r = task->fn(run, args, &result, e);
	if (run) {
		struct err why = { 0 };

		closed = run_close(run, r >= 0, &why);
		if (r >= 0 && closed < 0) {
			*e = why;
			r = closed;
		}
	}
	if (r >= 0) {
		json = result ? json_print(result) : mem_strdup("null");
		puts(json);
		free(json);
	}
	cJSON_Delete(args);
	cJSON_Delete(result);
	return r;
}

static int run_named(struct worker *w)
{
	struct err e = { 0 };

	for (size_t i = 0; i < w->program.ntasks; i++) {
		if (strcmp(w->program.tasks[i].name, w->opts.run_name) != 0)
			continue;
		if (run_one(w, &w->program.tasks[i], &e) >= 0)
			return 0;
		fprintf(stderr, "%s: %s: %s\n", w->opts.run_name, err_exc_type(&e), e.msg);
		return err_is_transient(e.code) ? OPTS_EXIT_AGAIN : 1;
	}
	fprintf(stderr, "%s: no task %s here; there are:\n", w->program.process, w->opts.run_name);
	for (size_t i = 0; i < w->program.ntasks; i++)
		fprintf(stderr, "  %s\n", w->program.tasks[i].name);
	return OPTS_EXIT_USAGE;
}

static int fail(const struct worker *w, const struct err *e)
{
	const char *all = e->code == ERR_CONFIG ? conf_errors() : NULL;

	fprintf(stderr, "%s: %s\n", w->program.process, all && *all ? all : e->msg);
	return OPTS_EXIT_USAGE;
}

static void release(struct worker *w)
{
	catalog_release(&w->catalog);
	conf_close(w->program.conf);
	for (size_t i = 0; i < w->nqueues; i++) {
		free(w->queues[i].name);
		free(w->queues[i].exchange);
		free(w->queues[i].exchange_type);
		free(w->queues[i].key);
	}
	free((char *)w->program.node);
	free((char *)w->program.process);
	opts_release(&w->opts);
	free(w);
}

static int start(struct worker *w)
{
	struct err e = { 0 };
	int code;

	if (load(w, &e) < 0)
		return fail(w, &e);
	if (w->opts.run_name)
		return run_named(w);
	w->program.parent = (int)getpid();
	w->program.slots = slot_map();
	board_open();
	if (zygote_start(run_child, w, &w->zygote_fd, &w->zygote_pid, &e) < 0) {
		log_error("%s", e.msg);
		return OPTS_EXIT_AGAIN;
	}
	code = worker_run(w);
	return code;
}

int worker_main(int argc, char **argv, const char *program, const struct task *tasks, size_t ntasks)
{
	struct worker *w = mem_zalloc(sizeof *w);
	struct err e = { 0 };
	int r = opts_parse(&w->opts, argc, argv, program, OPTS_WORKER, &e);

	secrets_no_core();
	if (r != 0) {
		free(w);
		return opts_leave(r, program, &e);
	}
	w->program.name = program;
	w->program.process = mem_printf("jobfleet-%s", program);
	w->program.tasks = tasks;
	w->program.ntasks = ntasks;
	r = start(w);
	release(w);
	return r;
}
