/* SPDX-License-Identifier: MIT */
#include "common/base/uuid.h"

#include <uuid/uuid.h>

/* Fixed for ever: changing it would make a repeated settle publish under new ids. */
static const char NAMESPACE[] = "6f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a10";

void uuid_v4(char out[UUID_SIZE])
{
	uuid_t u;

	uuid_generate_random(u);
	uuid_unparse_lower(u, out);
}

void uuid_v5(const void *name, size_t len, char out[UUID_SIZE])
{
	uuid_t ns, u;

	uuid_parse(NAMESPACE, ns);
	uuid_generate_sha1(u, ns, name, len);
	uuid_unparse_lower(u, out);
}

bool uuid_is_valid(const char *text)
{
	uuid_t u;

	return text && strlen(text) == UUID_SIZE - 1 && uuid_parse(text, u) == 0;
}
