/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/conf_private.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/secrets.h"

enum { CREDENTIAL_BYTES = 8192, CREDENTIALS_MAX = 64, VARIABLE_BYTES = 300 };

/* Read once: systemd's credentials do not change while a unit runs. What getenv returns lives as
 * long, so callers may borrow either. */
static struct {
	char *variable, *value;
} credentials[CREDENTIALS_MAX];
static size_t ncredentials;

static char *read_credential(const char *variable)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[4096], text[CREDENTIAL_BYTES];
	ssize_t n = -1;
	int fd;

	if (!dir || !*dir || strchr(variable, '/'))
		return NULL;
	snprintf(path, sizeof path, "%s/%s", dir, variable);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0) {
		n = read(fd, text, sizeof text);
		close(fd);
	}
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	return n > 0 && n < (ssize_t)sizeof text ? mem_strndup(text, (size_t)n) : NULL;
}

static const char *credential(const char *variable)
{
	char *value;

	for (size_t i = 0; i < ncredentials; i++) {
		if (strcmp(credentials[i].variable, variable) == 0)
			return credentials[i].value;
	}
	value = ncredentials < CREDENTIALS_MAX ? read_credential(variable) : NULL;
	if (value) {
		credentials[ncredentials].variable = mem_strdup(variable);
		credentials[ncredentials++].value = value;
	}
	return value;
}

const char *conf_env(const char *variable, bool *ret_credential)
{
	const char *v = getenv(variable);
	bool given = v && *v;

	if (!given)
		v = credential(variable);
	if (v && ret_credential)
		*ret_credential = !given;
	return v;
}

const char *conf_secret(const char *variable)
{
	const char *value = variable && *variable ? conf_env(variable, NULL) : NULL;

	secrets_add(value);
	return value;
}

static void upper(char *text)
{
	for (; *text; text++)
		*text = (char)(isalnum((unsigned char)*text) ? toupper((unsigned char)*text) : '_');
}

static void apply(struct conf *c, enum conf_kind_id kind, size_t i, size_t key,
		  const char *variable, struct conf_faults *faults)
{
	const struct conf_key *k = &CONF_SCHEMA[kind].keys[key];
	bool from_credential = false;
	const char *text = conf_env(variable, &from_credential);
	struct err e = { 0 };

	if (!text)
		return;
	if (conf_value_set(c, conf_block_at(c, kind, i), k, &text, 1, &e) < 0)
		conf_fault(faults, NULL, 0, "%s %s: %s",
			   from_credential ? "credential" : "environment", variable, e.msg);
	else
		*conf_origin_at(c, kind, i, key) = (struct conf_origin){
			.variable = conf_keep(c, variable), .credential = from_credential,
			.text = conf_keep(c, text) };
}

/* The first name that is set wins, so the last candidates are applied first. */
static void apply_fleet(struct conf *c, size_t key, struct conf_faults *faults)
{
	const struct conf_key *k = &CONF_SCHEMA[CONF_FLEET].keys[key];
	char own[VARIABLE_BYTES];
	const char *names[4] = { own };
	size_t n = 1;

	snprintf(own, sizeof own, "JOBFLEET_%s", k->name);
	upper(own);
	while (n < COUNT(names) && k->env[n - 1]) {
		names[n] = k->env[n - 1];
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		if (conf_env(names[i], NULL)) {
			apply(c, CONF_FLEET, 0, key, names[i], faults);
			return;
		}
	}
}

static void put_encoded(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			buf_putc(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned char)*text);
	}
}

/* REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_PASSWORD stand in for an absent JOBFLEET_REDIS_URL. */
static void apply_redis_parts(struct conf *c, struct conf_faults *faults)
{
	const char *host = conf_env("REDIS_HOST", NULL), *port = conf_env("REDIS_PORT", NULL);
	const char *db = conf_env("REDIS_DB", NULL), *password = conf_env("REDIS_PASSWORD", NULL);
	int key = conf_key_find(&CONF_SCHEMA[CONF_FLEET], "redis_url"), port_n = 6379, db_n = 0;
	struct err e = { 0 };
	struct buf url;

	if (conf_env("JOBFLEET_REDIS_URL", NULL) || !(host || port || db || password))
		return;
	if (port && scan_int(port, 1, 65535, &port_n, &e) < 0)
		conf_fault(faults, NULL, 0, "environment REDIS_PORT: %s", e.msg);
	if (db && scan_int(db, 0, 65535, &db_n, &e) < 0)
		conf_fault(faults, NULL, 0, "environment REDIS_DB: %s", e.msg);
	buf_init(&url, 65536);
	buf_puts(&url, "redis://");
	if (password) {
		buf_putc(&url, ':');
		put_encoded(&url, password);
		buf_putc(&url, '@');
	}
	buf_printf(&url, "%s:%d/%d", host ? host : "127.0.0.1", port_n, db_n);
	c->fleet.redis_url = conf_keep(c, buf_text(&url));
	*conf_origin_at(c, CONF_FLEET, 0, (size_t)key) = (struct conf_origin){
		.variable = "REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_PASSWORD",
		.text = c->fleet.redis_url };
	buf_release(&url);
}

void conf_env_apply(struct conf *c, struct conf_faults *faults)
{
	int base_url = conf_key_find(&CONF_SCHEMA[CONF_SOURCE], "base_url");
	char variable[VARIABLE_BYTES];

	for (size_t i = 0; i < CONF_SCHEMA[CONF_FLEET].nkeys; i++)
		apply_fleet(c, i, faults);
	apply_redis_parts(c, faults);
	for (size_t i = 0; i < c->nsources; i++) {
		snprintf(variable, sizeof variable, "JOBFLEET_SOURCE_%s_URL", c->sources[i].name);
		upper(variable);
		apply(c, CONF_SOURCE, i, (size_t)base_url, variable, faults);
	}
}
