/* SPDX-License-Identifier: MIT */
/* banned: calls that have no place here do not compile.
 *
 * Forced into every translation unit by the Makefile (-include). The system headers come
 * first, because a poisoned name may not even be declared afterwards.
 * Instead: snprintf or buf_printf; scan_int64 and friends (common/base/scan.h); mem_strdup. */
#ifndef COMMON_BANNED_H
#define COMMON_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll atof gets
#pragma GCC poison asctime ctime gmtime localtime

#endif
