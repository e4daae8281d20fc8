/* SPDX-License-Identifier: MIT */
/* cachekey: the name of an answer in the cache. A contract: callers refresh by its pattern.
 *
 *	salary_data:<city>:<occupation>:<region>:<country>:<experience>:<education>:<industry>:
 *	<year>, in one line
 *	salary_data:new_york:software_engineer:ny:us:any:any:any:latest
 *	market_data:new_york:software_engineer:ny:us:any:any:any:latest
 *
 * Lower case, words joined by '_'. <city> is the label for a state ("texas", "new_york_state") and
 * "united_states" for the nation. Spellings of one place give one key ("NYC", "New York, NY");
 * region and country keep equal city names apart ("vancouver:…:wa:us", "vancouver:…:bc:ca"). Where
 * a part does not say all of its text (letters beyond ASCII, "C++", a long one that was cut), a
 * hash of the text follows it, 8 hexadecimal digits, so that other questions have other keys:
 * "c_developer_0d255e33". At most 255 bytes, as the column has them. */
#ifndef SALARY_CACHEKEY_H
#define SALARY_CACHEKEY_H

#include "workers/salary/request.h"

#define CACHEKEY_SIZE 256
#define CACHEKEY_SALARY "salary_data"
#define CACHEKEY_MARKET "market_data"

void cachekey_make(const char *kind, const struct request *r, char out[CACHEKEY_SIZE]);

#endif
