/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/opts.h"
#include "common/base/secrets.h"
#include "common/worker/stores.h"
#include "workers/dispatcher/dispatcher.h"

#define PROGRAM "dispatcher"

enum { OWN_MAP_BYTES = 64 << 10 };

static int open_log(const struct opts *opts, const struct conf *conf, struct err *e)
{
	const char *path = *conf->fleet.log_file ? conf->fleet.log_file : NULL;

	return log_open(PROGRAM, opts->has_loglevel ? opts->loglevel : conf->fleet.log_level, path,
			e);
}

/* Every error of the file goes to the log, the first one to the caller. */
static int load(const struct opts *opts, struct conf **ret, struct err *e)
{
	int r = conf_load(ret, opts->config, e);
	char *all = mem_strdup(conf_errors()), *rest = all, *line;

	while (r < 0 && (line = strsep(&rest, "\n")))
		if (*line)
			log_error("%s", line);
	free(all);
	if (r < 0)
		return r;
	r = stores_check_urls(*ret, e);
	if (r < 0) {
		conf_close(*ret);
		*ret = NULL;
	}
	return r;
}

static int reload(void *ctx, struct conf **ret, struct err *e)
{
	const struct opts *opts = ctx;
	int r = load(opts, ret, e);

	if (r < 0)
		return r;
	log_reopen();
	if (!opts->has_loglevel)
		log_set_level((*ret)->fleet.log_level);
	return 0;
}

static int run(struct opts *opts, struct err *e)
{
	char host[256] = "", *node;
	struct dispatcher *d = NULL;
	struct conf *conf = NULL;
	int r = load(opts, &conf, e);

	if (r == 0)
		r = open_log(opts, conf, e);
	if (r < 0) {
		conf_close(conf);
		return r;
	}
	gethostname(host, sizeof host - 1);
	node = opts->hostname ? mem_strdup(opts->hostname) : mem_printf(PROGRAM "@%s", host);
	r = dispatcher_open(&d, conf, node, reload, opts, e);
	if (r == 0) {
		log_info("starting node=%s conf=%s", node, *conf->path ? conf->path : "none");
		r = dispatcher_run(d, e);
	} else {
		conf_close(conf);
	}
	dispatcher_close(d);
	free(node);
	return r;
}

int main(int argc, char **argv)
{
	struct opts opts;
	struct err e = { 0 };
	int r;

	secrets_no_core();
	/* librabbitmq's buffers: by themselves, what of them nobody writes to costs nothing */
	mallopt(M_MMAP_THRESHOLD, OWN_MAP_BYTES);
	r = opts_parse(&opts, argc, argv, PROGRAM, OPTS_SERVICE, &e);
	if (r)
		return opts_leave(r, PROGRAM, &e);
	log_open(PROGRAM, LOG_LEVEL_INFO, NULL, NULL);
	r = run(&opts, &e);
	if (r < 0)
		log_error("cannot go on reason=\"%s\"", e.msg);
	opts_release(&opts);
	if (r == 0)
		return 0;
	return e.code == ERR_CONFIG || e.code == ERR_INVALID ? OPTS_EXIT_USAGE : OPTS_EXIT_AGAIN;
}
