/* SPDX-License-Identifier: MIT */
/* Tasks that build canvases, take the place of themselves by one, or end in another way than with a
 * result or an error. */
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/workers/conformance/tasks.h"

static struct signature *add(struct run *run, int x, int y)
{
	char *args = mem_printf("[%d, %d]", x, y);
	struct signature *s = run_sig(run, "t.add", args, NULL);

	free(args);
	return s;
}

/* One that waits for its first argument. */
static struct signature *add_to(struct run *run, int y)
{
	char *args = mem_printf("[%d]", y);
	struct signature *s = run_sig(run, "t.add", args, NULL);

	free(args);
	return s;
}

/* Of each shape; with x = 1: 11, 6, [2, 3, 4], 9. */
static struct signature *shape(struct run *run, const char *shape, int x)
{
	if (strcmp(shape, "task") == 0)
		return add(run, x, 10);
	if (strcmp(shape, "chain") == 0)
		return run_chain(run, add(run, x, 2), add_to(run, 3), NULL);
	if (strcmp(shape, "group") == 0)
		return run_group(run, add(run, x, 1), add(run, x, 2), add(run, x, 3), NULL);
	if (strcmp(shape, "chord") == 0)
		return run_chord(run,
				 run_group(run, add(run, x, 1), add(run, x, 2), add(run, x, 3),
					   NULL),
				 run_sig(run, "t.xsum", NULL, NULL));
	return NULL;
}

static int shape_of(struct run *run, const cJSON *args, struct signature **ret, struct err *e)
{
	const char *name = json_str(args, "shape", "task");

	*ret = shape(run, name, (int)json_int(args, "x", 1));
	return *ret ? 0 : err_set(e, ERR_INVALID, "shape is task, chain, group or chord");
}

int canvas_replace(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *s;
	int r = shape_of(run, args, &s, e);

	(void)ret;
	return r < 0 ? r : run_replace(run, s, e);
}

/* By whatever signature the caller sends. */
int canvas_replace_by(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	char *text = json_print(json_get(args, "signature"));
	struct signature *s;
	int r = run_sig_read(run, text, &s, e);

	(void)ret;
	free(text);
	return r < 0 ? r : run_replace(run, s, e);
}

/* Answers with the id under which the canvas's result will stand. */
int canvas_build(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *s;
	const char *id;
	int r = shape_of(run, args, &s, e);

	if (r >= 0)
		r = run_apply(run, s, &id, e);
	if (r >= 0)
		*ret = cJSON_CreateString(id);
	return r;
}

int canvas_ignore(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = marks_database(run, args, ret, e);

	return r < 0 ? r : run_ignore(run, e);
}

/* Its mark goes with the rest of the run, so it never shows. */
int canvas_reject(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = marks_database(run, args, ret, e);

	return r < 0 ? r : run_reject(run, json_bool(args, "requeue", false), e, "%s",
				      json_str(args, "text", ""));
}
