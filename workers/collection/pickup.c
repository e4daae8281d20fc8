/* SPDX-License-Identifier: MIT */
#include "workers/collection/pickup.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/run.h"
#include "workers/collection/raw.h"
#include "workers/collection/rawfile.h"

enum { FILES = 100, BODY_BYTES = 1 << 30 };

/* Only an answer with status 200 can hold postings; others are kept as the failures they were. */
static int take_over(struct run *run, struct rawfile *f, const char *step, struct err *e)
{
	char args[UUID_SIZE + 8];
	struct run_enqueue what = { .task = "jobfleet.process_collection", .args = args,
				    .priority = -1 };
	cJSON *metadata = cJSON_Duplicate(f->raw.metadata, true);
	struct pg *pg;
	int inserted = 0, r = run_db(run, &pg, e);

	json_set_bool(metadata, "picked_up", true);
	f->raw.metadata = metadata;
	snprintf(args, sizeof args, "[\"%s\"]", f->raw.id);
	if (r == 0)
		r = inserted = raw_store(pg, &f->raw, e);
	if (r > 0 && f->raw.http_status == 200)
		r = run_enqueue(run, &what, NULL, e);
	else if (r > 0)
		r = raw_settle(pg, f->raw.id, "failed", NULL, NULL, e);
	if (r >= 0)
		r = run_step_commit(run, step, NULL, e);
	f->raw.metadata = json_get(f->json, "metadata");
	cJSON_Delete(metadata);
	return r < 0 ? r : inserted;
}

static int pick_up(struct run *run, const char *path, struct err *e)
{
	struct err file_e = { 0 };
	struct rawfile f;
	char step[64];
	int inserted = 0, r;

	if (rawfile_read(path, BODY_BYTES, &f, &file_e) < 0) {
		log_warn("raw file not taken in path=%s error=\"%s\"", path, file_e.msg);
		return 0;
	}
	snprintf(step, sizeof step, "file %s", f.raw.id);
	r = run_step_begin(run, step, NULL, e);
	if (r == 0)
		r = inserted = take_over(run, &f, step, e);
	if (r >= 0 && run_conf(run)->fleet.raw_copies &&
	    rawfile_copy(run_conf(run)->fleet.data_dir, &f.raw, &file_e) < 0)
		log_warn("no copy of an answer path=%s error=\"%s\"", path, file_e.msg);
	if (r >= 0 && rawfile_remove(path, &file_e) < 0)
		log_warn("raw file taken in but not removed path=%s error=\"%s\"", path,
			 file_e.msg);
	if (r >= 0)
		log_info("raw file taken in path=%s collection_id=%s new=%d", path, f.raw.id,
			 inserted);
	rawfile_release(&f);
	return r < 0 ? r : inserted;
}

int pickup_files(struct run *run, struct err *e)
{
	char **paths;
	size_t n = rawfile_list(run_conf(run)->fleet.data_dir, FILES, &paths);
	int total = 0, r = 0;

	for (size_t i = 0; i < n; i++) {
		if (r >= 0)
			r = pick_up(run, paths[i], e);
		if (r > 0)
			total += r;
		free(paths[i]);
	}
	free(paths);
	return r < 0 ? r : total;
}
