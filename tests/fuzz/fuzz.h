/* SPDX-License-Identifier: MIT */
/* fuzz: what the fuzz targets share. Each defines LLVMFuzzerTestOneInput and says on top how its
 * input is laid out; seeds/<target>/ holds live captures in that layout (capture makes them). */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run, with the sentence that does not hold. */
static inline void fuzz_want(bool holds, const char *sentence)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz: does not hold: %s\n", sentence);
	abort();
}

#endif
