/* SPDX-License-Identifier: MIT */
#include "common/worker/slot.h"

#include <sys/mman.h>

#include "common/base/mem.h"

struct slot_row *slot_map(void)
{
	void *p = mmap(NULL, SLOT_MAX_CHILDREN * sizeof(struct slot_row), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return mem_check(p == MAP_FAILED ? NULL : p);
}

static uint64_t word(uint32_t serial, enum slot_state state)
{
	return (uint64_t)serial << 2 | state;
}

void slot_set(struct slot *s, uint32_t serial, enum slot_state state)
{
	atomic_store(&s->word, word(serial, state));
}

enum slot_state slot_state(const struct slot *s)
{
	return (enum slot_state)(atomic_load(&s->word) & 3);
}

bool slot_move(struct slot *s, uint32_t serial, enum slot_state from, enum slot_state to)
{
	uint64_t expected = word(serial, from);

	return atomic_compare_exchange_strong(&s->word, &expected, word(serial, to));
}
