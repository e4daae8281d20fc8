/* SPDX-License-Identifier: MIT */
#include "workers/processing/row.h"

#include <math.h>

#include "common/base/scan.h"
#include "workers/processing/money.h"

#define MONEY_LIMIT 1e12

static const char *const NAMES[ROW_COUNT] = {
#define X(id, name) name,
	ROW_LIST(X)
#undef X
};

const char *row_name(enum row_member member)
{
	return NAMES[member];
}

static int find(const char *name)
{
	int low = 0, high = ROW_COUNT - 1;

	while (low <= high) {
		int middle = (low + high) / 2, order = strcmp(name, NAMES[middle]);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

void row_read(struct row *row, const cJSON *object)
{
	const cJSON *member;

	*row = (struct row){ { NULL } };
	cJSON_ArrayForEach(member, object) {
		int i = member->string ? find(member->string) : -1;

		if (i >= 0 && !cJSON_IsNull(member))
			row->members[i] = member;
	}
}

const char *row_text(const struct row *row, enum row_member member)
{
	const cJSON *m = row->members[member];

	return cJSON_IsString(m) && m->valuestring[0] ? m->valuestring : NULL;
}

const char *row_text_or_number(const struct row *row, enum row_member member, char buffer[32])
{
	const cJSON *m = row->members[member];

	if (!cJSON_IsNumber(m))
		return row_text(row, member);
	snprintf(buffer, 32, "%.15g", m->valuedouble);
	return buffer;
}

bool row_flag(const struct row *row, enum row_member member)
{
	const cJSON *m = row->members[member];
	bool flag = false;

	if (cJSON_IsString(m))
		return !scan_bool(m->valuestring, &flag, NULL) && flag;
	return cJSON_IsTrue(m) || (cJSON_IsNumber(m) && m->valuedouble == 1);
}

/* A double holds cents exactly up to 2^53, far above any pay; rounding undoes 22.1 * 100. */
int64_t row_cents(const struct row *row, enum row_member member)
{
	const cJSON *m = row->members[member];
	int64_t cents = 0;

	if (cJSON_IsString(m))
		cents = money_cents(m->valuestring);
	else if (cJSON_IsNumber(m) && m->valuedouble > 0 && m->valuedouble < MONEY_LIMIT)
		cents = llround(m->valuedouble * 100);
	return cents > 0 ? cents : 0;
}

int64_t row_integer(const struct row *row, enum row_member member)
{
	const cJSON *m = row->members[member];
	int64_t value = 0;

	if (cJSON_IsString(m))
		return scan_int64(m->valuestring, 0, INT64_MAX, &value, NULL) ? 0 : value;
	return cJSON_IsNumber(m) && fabs(m->valuedouble) < 9e15 ? (int64_t)m->valuedouble : 0;
}

bool row_number(const struct row *row, enum row_member member, double *ret)
{
	const cJSON *m = row->members[member];

	if (cJSON_IsString(m))
		return !scan_double(m->valuestring, -1e15, 1e15, ret, NULL);
	if (!cJSON_IsNumber(m))
		return false;
	*ret = m->valuedouble;
	return true;
}
