/* SPDX-License-Identifier: MIT */
#include "workers/processing/soc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/market/occupation.h"

/* Two titles of one 64-bit hash do not happen among the few thousand kept. */
static struct {
	uint64_t hash;
	const char *soc;
} *memory;

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash ? hash : 1;
}

const char *soc_of_title(const char *title)
{
	uint64_t hash = hash_of(title);
	size_t slot = (hash ^ hash >> 29) % SOC_MEMORY;
	struct occupation found;

	if (!memory)
		memory = mem_zalloc(SOC_MEMORY * sizeof *memory);
	if (memory[slot].hash != hash) {
		bool known = occupation_resolve(title, &found, NULL) == 0;

		memory[slot].hash = hash;
		memory[slot].soc = known ? found.row->soc : NULL;
	}
	return memory[slot].soc;
}

const char *soc_of_onet(const char *onet)
{
	char digits[7];
	const struct occupation_row *row;

	if (strlen(onet) < 6)
		return NULL;
	snprintf(digits, sizeof digits, "%.6s", onet);
	row = occupation_by_soc(digits);
	return row ? row->soc : NULL;
}
