/* SPDX-License-Identifier: MIT */
/* report: what the fleet did over a time, as one HTML page. */
#include "workers/ctl/report.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/zone.h"
#include "workers/ctl/args.h"
#include "workers/ctl/moment.h"
#include "workers/ctl/outfile.h"
#include "workers/ctl/page.h"

enum { PAGE_BYTES = 32 << 20, QUERIES_MS = 120000 };
static const int64_t SECOND_US = 1000000, LONGEST_S = 3660LL * 86400;

/* SQLSTATE of a missing right: that is not a part that is away. */
static const char NO_RIGHT[] = "42501";

static const char USUAL_FILE[] = "jobfleet-report.html";

/* What cannot be had costs its part of the page; without PostgreSQL there is none. */
static int put_chapters(struct report *r, struct err *e)
{
	static const struct {
		report_chapter *write;
		const char *title;
	} chapters[] = {
		{ report_summary, "Summary" }, { report_flow, "Throughput" },
		{ report_failures, "Failures by cause" }, { report_queues, "Queues now" },
		{ report_pipeline, "Pipeline" }, { report_quality, "Data quality" },
		{ report_quota, "Quota by source" }, { report_schedules, "Schedules" },
		{ report_tasks, "Tasks" }, { report_alerts, "Alerts" },
	};

	for (size_t i = 0; i < COUNT(chapters); i++) {
		char id[16];

		if (chapters[i].write(r, e) == 0)
			continue;
		if (e->code == ERR_DB || e->code == ERR_TIMEOUT || e->code == ERR_SCHEMA)
			return -(int)e->code;
		if (e->code == ERR_REFUSED && strcmp(pg_sqlstate(r->ctl->pg), NO_RIGHT) == 0)
			return err_set(e, ERR_REFUSED, "%s; a report reads what the role "
				       "jobfleet_viewer may read", e->msg);
		snprintf(id, sizeof id, "away-%zu", i);
		page_section(r->out, id, chapters[i].title, NULL, false);
		page_empty(r->out, e->msg);
		page_section_close(r->out);
		ctl_note(r->ctl, "jobfleet: left out of the report: %s: %s", chapters[i].title,
			 e->msg);
		err_clear(e);
	}
	return 0;
}

static int write_page(struct report *r, struct err *e)
{
	char from[SPAN_LABEL_SIZE], to[SPAN_LABEL_SIZE], now[SPAN_LABEL_SIZE], about[400];
	int got;

	span_time(&r->span, r->span.from_s, from);
	span_time(&r->span, r->span.to_s, to);
	span_time(&r->span, clock_wall_us() / SECOND_US, now);
	snprintf(about, sizeof about, "From %s to %s (%s). Written %s.", from, to, r->tz, now);
	page_open(r->out, "jobfleet report", about);
	got = put_chapters(r, e);
	if (got < 0)
		return got;
	page_close(r->out);
	if (buf_overflowed(r->out))
		return err_set(e, ERR_TOO_BIG, "the page would be larger than %d MiB",
			       PAGE_BYTES >> 20);
	return 0;
}

struct wish {
	const char *since, *until, *tz, *file;
};

static int read_span(struct report *r, const struct wish *w, struct zone *zone, struct err *e)
{
	int64_t now = clock_wall_us(), from = 0, to = now;
	int got = w->until ? moment_read_ago(w->until, "--until", zone, now, &to, e) : 0;

	if (got == 0)
		got = moment_read_ago(w->since, "--since", zone, to, &from, e);
	if (got < 0)
		return got;
	/* the second that is under way counts */
	to = (to + SECOND_US - 1) / SECOND_US;
	from /= SECOND_US;
	if (from >= to)
		return err_set(e, ERR_USAGE, "--since is not before --until");
	if (to - from > LONGEST_S)
		return err_set(e, ERR_USAGE, "--since: at most ten years");
	span_init(&r->span, from, to, zone);
	return 0;
}

static int write_report(struct ctl *c, const struct wish *w, struct err *e)
{
	struct report r = { .ctl = c, .tz = w->tz };
	struct zone *zone = NULL;
	const struct conf *conf;
	struct pg *pg = NULL;
	struct buf out;
	int got = zone_open(&zone, w->tz, e);

	if (got < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--tz");
	}
	buf_init(&out, PAGE_BYTES);
	r.out = &out;
	got = read_span(&r, w, zone, e);
	if (got == 0)
		got = ctl_conf(c, &conf, e);
	if (got == 0)
		got = ctl_pg(c, &pg, e);
	if (got == 0) {
		pg_set_deadline(pg, clock_mono_ms() + QUERIES_MS);
		got = write_page(&r, e);
	}
	if (got == 0)
		got = outfile_put(w->file, buf_text(&out), out.len, e);
	buf_release(&out);
	zone_close(zone);
	return got;
}

int report_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct wish w = { .since = "24h", .tz = "UTC", .file = USUAL_FILE };
	const struct args_option options[] = {
		{ "output", "FILE", "where to; also -o FILE; - is standard output", &w.file, NULL },
		{ "since", "WHEN", "a duration before the end, or a time; 24h", &w.since, NULL },
		{ "until", "WHEN", "a duration ago, or a time; now", &w.until, NULL },
		{ "tz", "ZONE", "of the axes, and of times without an offset; UTC", &w.tz, NULL },
		CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "report [-o FILE] [OPTION...]",
		.about =
			"Writes what the fleet did over a time as one HTML page, jobfleet-report.html if"
			" no FILE is\n"
			"named: throughput, run time and wait, failures by cause, queues, pipeline,"
			" quota, schedules,\n"
			"tasks, alerts; each as a plot with its numbers in a table. The page needs"
			" nothing but itself,\n"
			"and appears whole or not at all. Exit status 100: the file cannot be there;"
			" 111: no room, or\n"
			"PostgreSQL is away.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands, dashes[] = "--output";
	int r;

	for (int i = 1; i < argc; i++)		/* the one short option there is */
		if (!strcmp(argv[i], "-o"))
			argv[i] = dashes;
	r = args_parse(&args, argc, argv, &operands, e);
	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = write_report(c, &w, e);
	if (r == 0 && strcmp(w.file, "-") != 0)
		ctl_note(c, "jobfleet: wrote %s", w.file);
	return r < 0 ? r : CTL_OK;
}
