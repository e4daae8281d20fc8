/* SPDX-License-Identifier: MIT */
#include "workers/processing/soc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/market/occupation.h"
#include "common/market/role.h"

/* Two titles of one 64-bit hash do not happen among the few thousand kept. */
static struct {
	uint64_t hash;
	struct soc soc;			/* code NULL: the title names none */
} *memory;

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash ? hash : 1;
}

static bool is_group(const char *code)
{
	return !strcmp(code + 3, "0000");
}

static struct soc find(const char *title)
{
	struct role role;
	struct occupation o;

	if (role_find(title, &role, 1) && !is_group(role.code) && *role.role)
		return (struct soc){ role.code, role.role };
	if (occupation_resolve(title, &o, NULL) < 0 || is_group(o.row->soc))
		return (struct soc){ 0 };
	return (struct soc){ o.row->soc, role_of_code(o.row->soc, &role) ? role.role : "" };
}

const struct soc *soc_of(const char *title)
{
	uint64_t hash = hash_of(title);
	size_t slot = (hash ^ hash >> 29) % SOC_MEMORY;

	if (!memory)
		memory = mem_zalloc(SOC_MEMORY * sizeof *memory);
	if (memory[slot].hash != hash) {
		memory[slot].hash = hash;
		memory[slot].soc = find(title);
	}
	return memory[slot].soc.code ? &memory[slot].soc : NULL;
}

const char *soc_of_onet(const char *onet)
{
	const struct occupation_row *row = occupation_by_soc2010(onet);

	return row ? row->soc : NULL;
}
