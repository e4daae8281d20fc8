/* SPDX-License-Identifier: MIT */
#include "sources/listing.h"

#include <math.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

#define EXACT_MAX 9e15		/* whole numbers a double holds exactly */

void listing_init(struct listing *l)
{
	*l = (struct listing){ .experience_months = -1 };
}

const char *listing_text(const cJSON *object, const char *name)
{
	const char *text = json_str(object, name, NULL);

	return text && *text ? text : NULL;
}

const char *listing_text_or_number(struct listing *l, const cJSON *object, const char *name)
{
	const cJSON *m = json_get(object, name);

	if (!cJSON_IsNumber(m))
		return listing_text(object, name);
	if (l->nnumbers == sizeof l->number / sizeof l->number[0])
		return NULL;
	snprintf(l->number[l->nnumbers], LISTING_NUMBER, "%.15g", m->valuedouble);
	return l->number[l->nnumbers++];
}

bool listing_flag(const cJSON *object, const char *name)
{
	const cJSON *m = json_get(object, name);
	bool flag = false;

	if (cJSON_IsString(m))
		return scan_bool(m->valuestring, &flag, NULL) >= 0 && flag;
	return cJSON_IsTrue(m) || (cJSON_IsNumber(m) && m->valuedouble == 1);
}

int64_t listing_integer(const cJSON *object, const char *name)
{
	const cJSON *m = json_get(object, name);
	int64_t value = 0;

	if (cJSON_IsString(m))
		return scan_int64(m->valuestring, 0, INT64_MAX, &value, NULL) < 0 ? 0 : value;
	return cJSON_IsNumber(m) && fabs(m->valuedouble) < EXACT_MAX ? (int64_t)m->valuedouble : 0;
}

bool listing_number(const cJSON *object, const char *name, double *ret)
{
	const cJSON *m = json_get(object, name);

	if (cJSON_IsString(m))
		return scan_double(m->valuestring, -1e15, 1e15, ret, NULL) >= 0;
	if (!cJSON_IsNumber(m))
		return false;
	*ret = m->valuedouble;
	return true;
}

void listing_add(struct listing_texts *texts, const char *text)
{
	if (text && *text && texts->n < LISTING_TEXTS)
		texts->text[texts->n++] = text;
}

void listing_add_all(struct listing_texts *texts, const cJSON *array)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
		if (cJSON_IsString(item))
			listing_add(texts, item->valuestring);
}

void listing_add_tag(struct listing *l, const char *tag)
{
	static const char *const KINDS[] = {
		"full time", "full-time", "fulltime", "part time", "part-time", "parttime",
		"contract", "contractor", "freelance", "temporary", "temp", "internship", "intern",
		"permanent", "seasonal",
	};

	for (size_t i = 0; tag && i < COUNT(KINDS); i++)
		if (strcasecmp(tag, KINDS[i]) == 0) {
			listing_add(&l->employment, tag);
			return;
		}
	listing_add(&l->skills, tag);
}

void listing_add_part(struct listing *l, const char *text)
{
	if (text && *text && l->nparts < LISTING_PARTS)
		l->part[l->nparts++] = text;
}

struct listing_place *listing_add_place(struct listing *l, const char *text)
{
	struct listing_place *place;

	if (l->nplaces == LISTING_PLACES)
		return NULL;
	place = &l->place[l->nplaces++];
	*place = (struct listing_place){ .text = text };
	return place;
}

/* What of a link stands behind host, at "/"; NULL if it is elsewhere. */
static const char *path_on(const char *link, const char *host)
{
	const char *at = link ? strstr(link, "://") : NULL, *end;
	size_t n = strlen(host), len;

	if (!at)
		return NULL;
	at += 3;
	end = at + strcspn(at, "/?#");
	len = (size_t)(end - at);
	if (*end != '/' || len < n || strncasecmp(end - n, host, n) != 0 ||
	    (len > n && end[-(ptrdiff_t)n - 1] != '.'))
		return NULL;
	return end;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c | 0x20);

	return c && at ? (int)(at - digits) : -1;
}

const char *listing_keep(struct listing *l, const char *text, size_t len)
{
	char *kept = l->kept + l->nkept;

	while (len > 0 && (unsigned char)text[0] <= ' ') {
		text++;
		len--;
	}
	while (len > 0 && (unsigned char)text[len - 1] <= ' ')
		len--;
	if (len == 0 || len >= LISTING_KEPT - l->nkept)
		return NULL;
	memcpy(kept, text, len);
	kept[len] = '\0';
	l->nkept += len + 1;
	return kept;
}

/* Without its %-escapes. */
static const char *first_part(struct listing *l, const char *path)
{
	char part[96] = { 0 };
	size_t n = 0;

	for (path++; *path && !strchr("/?#", *path); path++) {
		int high = *path == '%' ? nibble(path[1]) : -1,
		    low = high < 0 ? -1 : nibble(path[2]);

		if (n == sizeof part)
			return NULL;
		part[n++] = low < 0 ? *path : (char)(high << 4 | low);
		path += low < 0 ? 0 : 2;
	}
	return memchr(part, '\0', n) ? NULL : listing_keep(l, part, n);
}

void listing_board_company(struct listing *l, const cJSON *query, const char *link,
			   const char *host)
{
	const char *path;

	l->company_default = listing_text(query, "company");
	if (!l->company_default)
		l->company_default = listing_text(query, "board");
	if (l->company_default || !(path = path_on(link, host)))
		return;
	l->company_default = first_part(l, path);
	if (l->company_default && strcmp(l->company_default, "embed") == 0)
		l->company_default = NULL;
}
