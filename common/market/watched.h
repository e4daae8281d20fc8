/* SPDX-License-Identifier: MIT */
/* watched: the places and occupations whose figures this fleet keeps up to date by itself, as
 * salary_locations and salary_occupations of fleet name them.
 *
 * A list is texts parted by ';', as a place has commas of its own ("New York, NY; Boston, MA").
 * White space around an entry does not count, nor do empty entries. Pure functions. */
#ifndef COMMON_MARKET_WATCHED_H
#define COMMON_MARKET_WATCHED_H

#include <cjson/cJSON.h>

struct conf;
struct err;

/* An array of the texts; owned by the caller. */
cJSON *watched_list(const char *text);
/* -ERR_CONFIG names the list and its first entry that is no occupation or no place of the United
 * States, with what would be right; so is a list without an entry. */
int watched_check(const struct conf *conf, struct err *e);

#endif
