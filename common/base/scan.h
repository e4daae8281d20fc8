/* SPDX-License-Identifier: MIT */
/* scan: strict text to number. The only place that parses numbers.
 *
 * The whole text must be the value (surrounding white space is not allowed); anything else is
 * -ERR_INVALID with a message that quotes the text (at most 60 bytes of it) and says what would
 * be right. */
#ifndef COMMON_BASE_SCAN_H
#define COMMON_BASE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

struct err;

int scan_int64(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *e);
int scan_int(const char *text, int min, int max, int *ret, struct err *e);
int scan_double(const char *text, double min, double max, double *ret, struct err *e);
/* true/false, yes/no, on/off, 1/0, any case */
int scan_bool(const char *text, bool *ret, struct err *e);
/* "250ms", "5s", "10m" (minutes), "2h", "7d"; a bare number is seconds ("0.5" too) */
int scan_duration_ms(const char *text, int64_t *ret_ms, struct err *e);
/* "64", "16K", "32M", "1G" (powers of 1024); bytes */
int scan_size(const char *text, int64_t *ret_bytes, struct err *e);
/* "10/m", "0.5/s", "100/h", "5" (per second), "0" or "" = no limit; events a second, at most 1e9 */
int scan_rate(const char *text, double *ret_per_s, struct err *e);

#endif
