/* SPDX-License-Identifier: MIT */
/* sure: answers of libcurl's URL functions, of which "no memory" ends the process as mem does:
 * nobody could tell it from a URL that is none. */
#ifndef COMMON_BASE_SURE_H
#define COMMON_BASE_SURE_H

#include <curl/curl.h>

#include "common/base/mem.h"

static inline CURLUcode sure(CURLUcode code)
{
	mem_check(code == CURLUE_OUT_OF_MEMORY ? NULL : &code);
	return code;
}

#endif
