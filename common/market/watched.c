/* SPDX-License-Identifier: MIT */
#include "common/market/watched.h"

#include <ctype.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/area.h"
#include "common/market/occupation.h"

static void add_trimmed(cJSON *list, const char *p, const char *end)
{
	char *text;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (p == end)
		return;
	text = mem_strndup(p, (size_t)(end - p));
	cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(text)));
	free(text);
}

cJSON *watched_list(const char *text)
{
	cJSON *list = mem_check(cJSON_CreateArray());

	while (*text) {
		size_t n = strcspn(text, ";");

		add_trimmed(list, text, text + n);
		text += n + (text[n] == ';');
	}
	return list;
}

static int check_place(const char *text, struct err *e)
{
	struct area a;
	int r = area_resolve(text, &a, e);

	if (r == 0 && a.level == AREA_FOREIGN)
		r = err_set(e, ERR_NOT_FOUND,
			    "location \"%.80s\" is outside the United States: the sources have no "
			    "figures for it", text);
	return r;
}

static int check_occupation(const char *text, struct err *e)
{
	struct occupation o;

	return occupation_resolve(text, &o, e);
}

static int check_list(const char *key, const char *text, int (*check)(const char *, struct err *),
		      struct err *e)
{
	cJSON *list = watched_list(text);
	const cJSON *item;
	struct err why = { 0 };
	int r = 0;

	if (!list->child)
		r = err_set(e, ERR_CONFIG, "fleet.%s: is empty; leave it out for its default", key);
	cJSON_ArrayForEach(item, list) {
		if (r == 0 && check(item->valuestring, &why) < 0)
			r = err_set(e, ERR_CONFIG, "fleet.%s: %s", key, why.msg);
	}
	cJSON_Delete(list);
	return r;
}

int watched_check(const struct conf *conf, struct err *e)
{
	int r = check_list("salary_locations", conf->fleet.salary_locations, check_place, e);

	return r < 0 ? r : check_list("salary_occupations", conf->fleet.salary_occupations,
				      check_occupation, e);
}
