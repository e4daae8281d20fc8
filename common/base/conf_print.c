/* SPDX-License-Identifier: MIT */
#include "common/base/conf_private.h"
#include "common/base/mem.h"

static bool is_url(enum conf_type type)
{
	return type == CONF_BROKER_URL || type == CONF_DATABASE_URL || type == CONF_REDIS_URL ||
	       type == CONF_HTTP_URL || type == CONF_TEXT;
}

static void print_setting(const struct conf *c, enum conf_kind_id kind, size_t i, size_t key,
			  FILE *out)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];
	const struct conf_origin *o = conf_origin_at(c, kind, i, key);
	const char *name = conf_block_name(c, kind, i);
	char where[512] = "default", *text;

	conf_origin(c, k->name, name, k->keys[key].name, where, sizeof where);
	text = is_url(k->keys[key].type) && o->text ? conf_url_masked(o->text)
						    : mem_strdup(o->text ? o->text : "unset");
	for (char *p = text; (p = strpbrk(p, "\n\t\r"));)
		*p = ' ';		/* one line a setting */
	fprintf(out, "%s%s%s.%s = %s%s%s  # %s\n", k->name, *name ? "." : "", name,
		k->keys[key].name, o->text && !*text ? "\"" : "", text,
		o->text && !*text ? "\"" : "", where);
	free(text);
}

void conf_print(const struct conf *c, FILE *out)
{
	for (enum conf_kind_id kind = 0; kind < CONF_KINDS; kind++) {
		for (size_t i = 0; i < conf_block_count(c, kind); i++) {
			for (size_t key = 0; key < CONF_SCHEMA[kind].nkeys; key++)
				print_setting(c, kind, i, key, out);
		}
	}
}
