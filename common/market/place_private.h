/* SPDX-License-Identifier: MIT */
/* What the files of place share. */
#ifndef COMMON_MARKET_PLACE_PRIVATE_H
#define COMMON_MARKET_PLACE_PRIVATE_H

#include "common/market/place.h"

/* The places that text names, as far as they are known; hint: country code or NULL, sure: and it
 * is right. Returns how many; a country only hinted at is not filled in. */
size_t place_read(const char *text, const char *hint, bool sure, struct place places[], size_t max);

#endif
