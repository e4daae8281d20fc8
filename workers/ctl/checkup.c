/* SPDX-License-Identifier: MIT */
#include "workers/ctl/checkup.h"

#include <stdarg.h>

#include "common/base/json.h"
#include "common/base/mem.h"

enum { TEXT_BYTES = 1024 };

struct finding {
	char *area, *name, *text, *advice;
	enum checkup_level level;
};

struct checkup {
	struct finding *findings;
	size_t n;
};

struct checkup *checkup_new(void)
{
	return mem_zalloc(sizeof(struct checkup));
}

void checkup_free(struct checkup *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++) {
		free(k->findings[i].area);
		free(k->findings[i].name);
		free(k->findings[i].text);
		free(k->findings[i].advice);
	}
	free(k->findings);
	free(k);
}

void checkup_add(struct checkup *k, const char *area, const char *name, enum checkup_level level,
		 const char *advice, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	k->findings = mem_realloc(k->findings, (k->n + 1) * sizeof *k->findings);
	k->findings[k->n++] = (struct finding){
		.area = mem_strdup(area), .name = mem_strdup(name), .text = mem_strdup(text),
		.advice = mem_strdup(advice), .level = level,
	};
}

size_t checkup_count(const struct checkup *k, enum checkup_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->findings[i].level == level;
	return n;
}

const char *checkup_level_name(enum checkup_level level)
{
	static const char *const names[CHECKUP_NLEVELS] = {
		[CHECKUP_OK] = "ok", [CHECKUP_UNKNOWN] = "not checked", [CHECKUP_WARN] = "warn",
		[CHECKUP_FAIL] = "fail",
	};

	return names[level];
}

void checkup_print(const struct checkup *k, bool only_bad, FILE *out)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct finding *f = &k->findings[i];

		if (only_bad && f->level == CHECKUP_OK)
			continue;
		fprintf(out, "%-11s  %s %s: %s\n", checkup_level_name(f->level), f->area, f->name,
			f->text);
		if (f->advice)
			fprintf(out, "%-11s    %s\n", "", f->advice);
	}
	fprintf(out, "%zu ok, %zu warnings, %zu failures, %zu not checked\n",
		checkup_count(k, CHECKUP_OK), checkup_count(k, CHECKUP_WARN),
		checkup_count(k, CHECKUP_FAIL), checkup_count(k, CHECKUP_UNKNOWN));
}

void checkup_print_json(const struct checkup *k, FILE *out)
{
	cJSON *all = mem_check(cJSON_CreateArray());
	char *text;

	for (size_t i = 0; i < k->n; i++) {
		const struct finding *f = &k->findings[i];
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "area", f->area);
		json_set_str(o, "check", f->name);
		json_set_str(o, "level", checkup_level_name(f->level));
		json_set_str(o, "text", f->text);
		json_set_str(o, "advice", f->advice);
		cJSON_AddItemToArray(all, o);
	}
	text = json_print(all);
	fprintf(out, "%s\n", text);
	free(text);
	cJSON_Delete(all);
}
