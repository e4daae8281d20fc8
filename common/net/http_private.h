/* SPDX-License-Identifier: MIT */
/* http_private: what http.c takes from http_url.c. */
#ifndef COMMON_NET_HTTP_PRIVATE_H
#define COMMON_NET_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>

struct err;
struct http_response;

/* An option that libcurl copies: without it, it would be another request. */
void http_set_text(CURL *c, CURLoption option, const char *text);
/* May this URL be asked? *ret_shown is malloc'ed, safe to show. */
int http_check_url(const char *url, char **ret_shown, bool *ret_loopback, struct err *e);
/* Same scheme, host and port. */
bool http_same_origin(const char *a, const char *b);
/* Stars what an answer quotes of our secrets. */
void http_hide_secrets(struct http_response *r);

#endif
