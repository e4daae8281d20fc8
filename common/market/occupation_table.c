/* SPDX-License-Identifier: MIT */
#include "common/base/mem.h"
#include "common/market/occupation.h"

/* Of occupation.tsv. */
const struct occupation_row OCCUPATIONS[] = {
#include "occupation.inc"
};

const size_t OCCUPATIONS_COUNT = COUNT(OCCUPATIONS);
