/* SPDX-License-Identifier: MIT */
/* The figures that inspect shows: stats, memsample, memdump. */
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/net/url.h"
#include "common/worker/control_private.h"
#include "common/worker/worker_start.h"

enum { SAMPLES = 10 };

static cJSON *null(void)
{
	return mem_check(cJSON_CreateNull());
}

static cJSON *text(const char *s)
{
	return mem_check(cJSON_CreateString(s));
}

/* ---- memory ---- */

static double resident_mb(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static struct {
	double mb[SAMPLES];
	unsigned n;
} samples;	/* one process, one memory */

cJSON *control_memsample(struct control_job *job)
{
	char shown[32];

	(void)job;
	samples.mb[samples.n++ % SAMPLES] = resident_mb();
	snprintf(shown, sizeof shown, "%.2fMB", samples.mb[(samples.n - 1) % SAMPLES]);
	return text(shown);
}

cJSON *control_memdump(struct control_job *job)
{
	unsigned first = samples.n > SAMPLES ? samples.n - SAMPLES : 0;
	int wanted = SAMPLES;
	struct buf b;
	cJSON *o;

	if (control_whole(job, "samples", 1, 1000000, &wanted) < 0)
		return control_raise("ValueError", "samples must be a whole number above 0");
	if (samples.n - first > (unsigned)wanted)
		first = samples.n - (unsigned)wanted;
	buf_init(&b, 4096);
	if (samples.n == 0)
		buf_puts(&b, "- rss: (no samples: ask memsample first).\n");
	else
		buf_puts(&b, "- rss (sample):\n");
	for (unsigned i = first; i < samples.n; i++)
		buf_printf(&b, "-    > %u: %.2fMB,\n", i, samples.mb[i % SAMPLES]);
	buf_printf(&b, "- rss (end): %.2fMB.\n", resident_mb());
	o = text(buf_text(&b));
	buf_release(&b);
	return o;
}

cJSON *control_objgraph(struct control_job *job)
{
	(void)job;
	return control_raise("ImportError", "a C worker has no object graph");
}

/* ---- figures ---- */

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static cJSON *stats_rusage(void)
{
	struct rusage u;
	cJSON *o = cJSON_CreateObject();

	getrusage(RUSAGE_SELF, &u);
	json_set_num(o, "utime", seconds(u.ru_utime));
	json_set_num(o, "stime", seconds(u.ru_stime));
	json_set_num(o, "maxrss", (double)u.ru_maxrss);
	json_set_num(o, "ixrss", (double)u.ru_ixrss);
	json_set_num(o, "idrss", (double)u.ru_idrss);
	json_set_num(o, "isrss", (double)u.ru_isrss);
	json_set_num(o, "minflt", (double)u.ru_minflt);
	json_set_num(o, "majflt", (double)u.ru_majflt);
	json_set_num(o, "nswap", (double)u.ru_nswap);
	json_set_num(o, "inblock", (double)u.ru_inblock);
	json_set_num(o, "oublock", (double)u.ru_oublock);
	json_set_num(o, "msgsnd", (double)u.ru_msgsnd);
	json_set_num(o, "msgrcv", (double)u.ru_msgrcv);
	json_set_num(o, "nsignals", (double)u.ru_nsignals);
	json_set_num(o, "nvcsw", (double)u.ru_nvcsw);
	json_set_num(o, "nivcsw", (double)u.ru_nivcsw);
	return o;
}

static cJSON *stats_pool(struct worker *w)
{
	cJSON *pool = cJSON_CreateObject(), *pids = cJSON_CreateArray();
	int tasks = worker_max_tasks(w);

	for (int i = 0; i < SLOT_MAX_CHILDREN; i++)
		if (pool_pid(w->pool, i))
			cJSON_AddItemToArray(pids, cJSON_CreateNumber(pool_pid(w->pool, i)));
	json_set_str(pool, "implementation", "jobfleet");
	json_set_num(pool, "max-concurrency", w->children);
	json_set(pool, "processes", pids);
	json_set(pool, "max-tasks-per-child", tasks > 0 ? cJSON_CreateNumber(tasks) : text("N/A"));
	json_set_bool(pool, "put-guarded-by-semaphore", false);
	json_set_raw(pool, "timeouts", "[0, 0]");
	json_set(pool, "writes", cJSON_CreateObject());
	return pool;
}

/* Never the password. */
static cJSON *stats_broker(struct worker *w)
{
	cJSON *b = cJSON_CreateObject();
	struct url u;

	json_set_str(b, "transport", "amqp");
	if (url_parse(&u, w->program.conf->fleet.broker_url, NULL) < 0)
		return b;
	json_set_str(b, "hostname", u.nhosts ? u.hosts[0].host : "");
	json_set_str(b, "userid", u.user);
	json_set_str(b, "virtual_host", u.path && *u.path ? u.path : "/");
	json_set_num(b, "port", u.nhosts ? u.hosts[0].port : 0);
	json_set_bool(b, "insist", false);
	json_set_bool(b, "ssl", strcmp(u.scheme, "amqps") == 0);
	json_set_num(b, "connect_timeout", 10);
	json_set(b, "transport_options", cJSON_CreateObject());
	json_set_str(b, "login_method", "PLAIN");
	json_set(b, "uri_prefix", null());
	json_set_num(b, "heartbeat", w->program.conf->fleet.heartbeat_s);
	json_set_str(b, "failover_strategy", "round-robin");
	json_set(b, "alternates", cJSON_CreateArray());
	url_release(&u);
	return b;
}

static cJSON *stats_autoscaler(const struct worker *w)
{
	cJSON *o = cJSON_CreateObject();

	json_set_num(o, "max", w->most);
	json_set_num(o, "min", w->least);
	json_set_num(o, "current", w->children);
	json_set_num(o, "qty", (double)feed_reserved(w));
	return o;
}

static cJSON *stats_total(const struct worker *w)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; i < w->catalog.n; i++)
		if (w->catalog.tasks[i].done > 0)
			json_set_num(o, w->catalog.tasks[i].task->name,
				     (double)w->catalog.tasks[i].done);
	return o;
}

cJSON *control_stats(struct control_job *job)
{
	struct worker *w = job->w;
	cJSON *o = cJSON_CreateObject();
	char clock[24];
	int prefetch = 0;

	for (size_t i = 0; i < w->nqueues; i++)
		prefetch += consumer_prefetch(w->consumer, (int)i);
	snprintf(clock, sizeof clock, "%llu", (unsigned long long)w->clock);
	json_set(o, "total", stats_total(w));
	if (w->least < w->most)
		json_set(o, "autoscaler", stats_autoscaler(w));
	json_set_num(o, "pid", getpid());
	json_set_str(o, "clock", clock);
	json_set_num(o, "uptime", (double)((clock_mono_ms() - w->started_ms) / 1000));
	json_set(o, "pool", stats_pool(w));
	json_set(o, "broker", stats_broker(w));
	json_set_num(o, "prefetch_count", prefetch);
	json_set(o, "rusage", stats_rusage());
	json_set_num(o, "events_dropped", (double)events_dropped());
	return o;
}
