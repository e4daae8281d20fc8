/* SPDX-License-Identifier: MIT */
#include "common/base/conf_private.h"

static bool stands_in_for_itself(const struct conf *c, const struct conf_source *start)
{
	const struct conf_source *s = conf_source(c, start->backup);

	for (size_t steps = 0; s && s != start && steps < c->nsources; steps++)
		s = conf_source(c, s->backup);
	return s == start;
}

void conf_check_sources(const struct conf *c, struct conf_faults *faults)
{
	for (size_t i = 0; i < c->nsources; i++) {
		const struct conf_source *s = &c->sources[i];

		if (s->enabled && !*s->base_url)
			conf_fault_at(faults, c, CONF_SOURCE, i, "base_url",
				      "is missing; an enabled source "
				      "needs one, such as https://api.example.org");
		if (s->key_required && !*s->key_variable)
			conf_fault_at(faults, c, CONF_SOURCE, i, "key_required",
				      "needs key_variable, the name "
				      "of the environment variable that holds the key");
		if (s->monthly_quota > 0 && s->daily_quota > s->monthly_quota)
			conf_fault_at(faults, c, CONF_SOURCE, i, "daily_quota",
				      "is above monthly_quota");
		if (*s->backup && !conf_source(c, s->backup))
			conf_fault_unknown(faults, c, CONF_SOURCE, i, "backup", s->backup,
					   CONF_SOURCE);
		else if (*s->backup && stands_in_for_itself(c, s))
			conf_fault_at(faults, c, CONF_SOURCE, i, "backup",
				      "leads back to this source: nobody would stand in");
	}
}
