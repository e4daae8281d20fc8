/* SPDX-License-Identifier: MIT */
#include "workers/processing/step.h"

#include "common/base/err.h"
#include "workers/processing/posting.h"

/* The linker names the bounds of a section whose name is an identifier. */
extern const struct step *const __start_jobfleet_steps[];
extern const struct step *const __stop_jobfleet_steps[];

static const struct step *find(const char *name, size_t len)
{
	for (const struct step *const *s = __start_jobfleet_steps; s < __stop_jobfleet_steps; s++)
		if (strlen((*s)->name) == len && memcmp((*s)->name, name, len) == 0)
			return *s;
	return NULL;
}

int steps_choose(struct steps *ret, const char *names, struct err *e)
{
	struct steps steps = { .n = 0 };

	for (const char *p = names + strspn(names, ", "); *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ", ");

		if (steps.n == STEPS_MAX)
			return err_set(e, ERR_CONFIG, "processing_steps names more than %d steps",
				       STEPS_MAX);
		steps.at[steps.n] = find(p, n);
		if (!steps.at[steps.n++])
			return err_set(e, ERR_CONFIG,
				       "processing_steps names \"%.*s\", which no file serves", (int)n,
				       p);
		p += n;
	}
	*ret = steps;
	return 0;
}

bool steps_run(const struct steps *s, struct posting *p, char reason[STEP_REASON])
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->at[i]->run(p, reason))
			return false;
	return true;
}

void step_note(struct posting *p, const char *name, const char *value)
{
	buf_puts(&p->notes, p->notes.len ? "," : "");
	buf_put_json_string(&p->notes, name);
	buf_printf(&p->notes, ":%s", value);
}
