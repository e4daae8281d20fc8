/* SPDX-License-Identifier: MIT */
/* conf_private: what the files of conf share: the store behind struct conf.
 *
 * Every text that struct conf points to stands in the store, and beside every setting its origin
 * and its text as given. */
#ifndef COMMON_BASE_CONF_PRIVATE_H
#define COMMON_BASE_CONF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/conf.h"
#include "common/base/conf_fault.h"
#include "common/base/conf_schema.h"

struct conf_origin {
	const char *variable;	/* environment variable or credential; NULL: not from there */
	bool credential;
	const char *file;	/* NULL and no variable: the default */
	int line;
	const char *text;	/* as given; NULL: unset */
	bool wrong;		/* has a fault: cross-checks would blame the default instead */
};

struct conf_private {
	char **texts;
	size_t ntexts;
	struct conf_origin *origins[CONF_KINDS];	/* block after block, nkeys each */
	struct { const char *file; int line; } *places[CONF_KINDS];	/* where each block opens */
};

const char *conf_keep(struct conf *c, const char *text);

/* Block i of a kind, as bytes for the offsets of its keys. */
void *conf_block_at(const struct conf *c, enum conf_kind_id kind, size_t i);
size_t conf_block_count(const struct conf *c, enum conf_kind_id kind);
const char *conf_block_name(const struct conf *c, enum conf_kind_id kind, size_t i);
/* A new block with its defaults; its index. */
size_t conf_block_add(struct conf *c, enum conf_kind_id kind, const char *name, const char *file,
		      int line);
struct conf_origin *conf_origin_at(const struct conf *c, enum conf_kind_id kind, size_t i,
				   size_t key);

/* conf_value: texts to one field. At most one value unless the key is a range. */
int conf_value_set(struct conf *c, void *block, const struct conf_key *key,
		   const char *const *values, size_t n, struct err *e);
void conf_value_unset(void *block, const struct conf_key *key);

/* conf_env: the environment over the file. */
void conf_env_apply(struct conf *c, struct conf_faults *faults);
/* The variable's value, or the systemd credential of that name; NULL when unset or empty. */
const char *conf_env(const char *variable, bool *ret_credential);

/* conf_check: what one value alone cannot tell. */
void conf_check(const struct conf *c, struct conf_faults *faults);
void conf_check_schedules(const struct conf *c, struct conf_faults *faults);
void conf_check_sources(const struct conf *c, struct conf_faults *faults);
void conf_check_alerts(const struct conf *c, struct conf_faults *faults);
/* Adds a fault at the place of a setting (or of its block when it is the default), unless its value
 * has one already. key NULL: the block itself. */
void conf_fault_at(struct conf_faults *faults, const struct conf *c, enum conf_kind_id kind,
		   size_t i, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* The same for a value that names no block of a kind, with the nearest name. */
void conf_fault_unknown(struct conf_faults *faults, const struct conf *c, enum conf_kind_id kind,
			size_t i, const char *key, const char *value, enum conf_kind_id of);

/* conf_url: the parts of a service's URL that matter here. */
bool conf_url_has_scheme(const char *url, const char *schemes);	/* "amqp amqps" */
bool conf_url_has_password(const char *url);
/* The URL with password and key-like query values as "***", kept by c or malloc'ed (c NULL). */
char *conf_url_masked(const char *url);
/* https, or http to loopback, with a host and without password; else why not. NULL: fine. */
const char *conf_url_http_fault(const char *url);

#endif
