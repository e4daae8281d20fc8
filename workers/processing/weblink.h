/* SPDX-License-Identifier: MIT */
/* weblink: an apply link, checked, and the form of it that two sources have in common.
 *
 * Valid is an absolute http or https URL in UTF-8 with a host that has a dot, without user or
 * password.
 * libcurl parses; nothing is fetched. Pure. */
#ifndef WORKERS_PROCESSING_WEBLINK_H
#define WORKERS_PROCESSING_WEBLINK_H

#include <stdbool.h>
#include <stddef.h>

enum { WEBLINK_MAX = 2048, WEBLINK_KEY_MAX = 512 };

/* The link as it should be opened: fragment kept, nothing changed but white space around it. */
bool weblink_is_valid(const char *link);

/* For matching: host without "www.", path without trailing slash or the name of a form behind a
 * posting ("/apply"), the parameters that identify (tracking ones like utm_*, gclid, ref, source
 * are dropped), sorted. "" when the link is invalid or names no single posting (a career page: no
 * digits of four or more, no long slug), or the form is longer than a key. */
void weblink_match_key(const char *link, char out[WEBLINK_KEY_MAX]);

#endif
