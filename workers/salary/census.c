/* SPDX-License-Identifier: MIT */
#include "workers/salary/census.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define TOP_CODED INT64_C(2500010000)		/* 250001: "250,000+" */
#define BOTTOM_CODED INT64_C(24990000)		/* 2499: "2,500-" */

struct census_table {
	cJSON *root;
};

/* Beginnings of SOC codes, the longer before the shorter; labels as ACS words them. */
static const struct {
	const char *soc, *label;
} GROUPS[] = {
	{ "11", "Management occupations" },
	{ "13", "Business and financial operations occupations" },
	{ "15", "Computer and mathematical occupations" },
	{ "17", "Architecture and engineering occupations" },
	{ "19", "Life, physical, and social science occupations" },
	{ "21", "Community and social service occupations" },
	{ "23", "Legal occupations" },
	{ "25", "Educational instruction, and library occupations" },
	{ "27", "Arts, design, entertainment, sports, and media occupations" },
	{ "29", "Healthcare practitioners and technical occupations" },
	{ "31", "Healthcare support occupations" },
	{ "33", "Protective service occupations" },
	{ "35", "Food preparation and serving related occupations" },
	{ "37", "Building and grounds cleaning and maintenance occupations" },
	{ "39", "Personal care and service occupations" },
	{ "41", "Sales and related occupations" },
	{ "43", "Office and administrative support occupations" },
	{ "45", "Farming, fishing, and forestry occupations" },
	{ "47", "Construction and extraction occupations" },
	{ "49", "Installation, maintenance, and repair occupations" },
	{ "51", "Production occupations" },
	{ "53-7", "Material moving occupations" },
	{ "53", "Transportation occupations" },
	{ "00", "Civilian employed population 16 years and over with earnings" },
};

const char *census_group_label(const struct occupation_row *o)
{
	for (size_t i = 0; i < COUNT(GROUPS); i++)
		if (strncmp(GROUPS[i].soc, o->soc, strlen(GROUPS[i].soc)) == 0)
			return GROUPS[i].label;
	return NULL;
}

void census_group_path(int vintage, struct buf *ret)
{
	buf_printf(ret, "/%d/acs/acs5/groups/" CENSUS_GROUP ".json", vintage);
}

void census_table_path(int vintage, const struct area *a, const char *const *columns, size_t n,
		       struct buf *ret)
{
	buf_printf(ret, "/%d/acs/acs5?get=NAME", vintage);
	for (size_t i = 0; i < n; i++)
		buf_printf(ret, ",%s", columns[i]);
	buf_puts(ret, "&for=");
	if (a->level == AREA_METRO)
		buf_printf(
			ret,
			"metropolitan%%20statistical%%20area/micropolitan%%20statistical%%20area:%s",
			a->metro->cbsa);
	else if (a->level == AREA_STATE)
		buf_printf(ret, "state:%s", a->state->fips);
	else
		buf_puts(ret, "us:1");
}

/* Does the last part of "a!!b!!c:" equal `label`? */
static bool label_ends(const char *full, const char *label)
{
	const char *last = full;
	size_t len;

	for (const char *p; (p = strstr(last, "!!"));)
		last = p + 2;
	len = strlen(last);
	while (len > 0 && last[len - 1] == ':')
		len--;
	return strlen(label) == len && strncasecmp(last, label, len) == 0;
}

bool census_is_column(const char *text)
{
	size_t first = strlen(CENSUS_GROUP "_");
	size_t digits = strncmp(text, CENSUS_GROUP "_", first) == 0 ?
				strspn(text + first, "0123456789") : 0;

	return digits >= 3 && digits <= 4 && strcmp(text + first + digits, "E") == 0;
}

void census_margin_column(const char *estimate, char out[CENSUS_COLUMN_SIZE])
{
	snprintf(out, CENSUS_COLUMN_SIZE, "%.*sM", (int)strlen(estimate) - 1, estimate);
}

int census_find_column(const char *body, size_t len, const char *label,
		       char out[CENSUS_COLUMN_SIZE], struct err *e)
{
	const cJSON *variable, *found = NULL;
	cJSON *root = NULL;
	int r = json_parse(body, len, &root, e), hits = 0;

	if (r < 0)
		return err_set(e, ERR_HTTP, "Census variables: what is no JSON (%zu bytes)", len);
	cJSON_ArrayForEach(variable, json_get(root, "variables")) {
		if (variable->string && census_is_column(variable->string) &&
		    label_ends(json_str(variable, "label", ""), label)) {
			found = variable;
			hits++;
		}
	}
	if (hits == 1)
		snprintf(out, CENSUS_COLUMN_SIZE, "%s", found->string);
	else
		r = err_set(e, ERR_NOT_FOUND,
			    "Census " CENSUS_GROUP ": %d columns are labelled \"%s\"", hits, label);
	cJSON_Delete(root);
	return r;
}

static bool begins(const char *body, size_t len, const char *text)
{
	return memmem(body, len < 600 ? len : 600, text, strlen(text)) != NULL;
}

static int judge_refusal(const char *body, size_t len, struct err *e)
{
	if (begins(body, len, "There was an error while running your query"))
		return err_set(e, ERR_HTTP, "Census: the query failed over there");
	if (begins(body, len, "unknown variable"))
		return err_set(e, ERR_NOT_FOUND, "Census knows no such variable in this vintage");
	if (begins(body, len, "geography hierarchy"))
		return err_set(e, ERR_NOT_FOUND, "Census knows no such geography");
	return err_set(e, ERR_INVALID, "Census answers 400 to our request");
}

int census_judge(int status, const char *content_type, const char *body, size_t len, struct err *e)
{
	if (status >= 300 && status < 400)
		return err_set(e, ERR_REFUSED, "Census refuses the key (redirect to its key page)");
	if (status == 204)
		return err_set(e, ERR_NOT_FOUND, "Census has no figures for this place");
	if (status == 400)
		return judge_refusal(body, len, e);
	if (status == 401 || status == 403)
		return err_set(e, ERR_REFUSED, "Census answers %d", status);
	if (status == 404)
		return err_set(e, ERR_REFUSED, "Census answers 404: no such vintage or table");
	if (status == 429)
		return err_set(e, ERR_LIMITED, "Census answers 429: too many requests");
	if (status >= 500 && len > 0 && begins(body, len, "unknown variable"))
		return judge_refusal(body, len, e);
	if (status != 200)
		return err_set(
			e, status >= 500 || status == 408 || status == 425 ? ERR_HTTP : ERR_INVALID,
			"Census answers %d", status);
	if (begins(body, len, "Missing Key") || begins(body, len, "Invalid Key"))
		return err_set(e, ERR_REFUSED, "Census refuses the key (its key page came)");
	if (strcmp(content_type, "application/json") != 0)
		return err_set(e, ERR_HTTP, "Census answers %.60s instead of JSON",
			       *content_type ? content_type : "nothing it names");
	return 0;
}

static bool is_row(const cJSON *row, int width)
{
	const cJSON *cell;

	if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != width)
		return false;
	cJSON_ArrayForEach(cell, row) {
		if (!cJSON_IsString(cell) && !cJSON_IsNull(cell))
			return false;
	}
	return true;
}

static bool is_table(const cJSON *root)
{
	const cJSON *row;
	int width = cJSON_IsArray(root) && root->child ? cJSON_GetArraySize(root->child) : 0;

	if (width == 0)
		return false;
	cJSON_ArrayForEach(row, root) {
		if (!is_row(row, width))
			return false;
	}
	return true;
}

int census_parse(int status, const char *content_type, const char *body, size_t len,
		 struct census_table **ret, struct err *e)
{
	cJSON *root = NULL;
	int r = census_judge(status, content_type, body, len, e);

	if (r < 0)
		return r;
	if (json_parse(body, len, &root, e) < 0)
		return err_set(e, ERR_HTTP, "Census answers what is no JSON (%zu bytes)", len);
	if (!is_table(root)) {
		cJSON_Delete(root);
		return err_set(e, ERR_PROTOCOL, "Census answers no table of strings");
	}
	*ret = mem_zalloc(sizeof **ret);
	(*ret)->root = root;
	return 0;
}

void census_table_free(struct census_table *t)
{
	if (!t)
		return;
	cJSON_Delete(t->root);
	free(t);
}

size_t census_rows(const struct census_table *t)
{
	return (size_t)cJSON_GetArraySize(t->root) - 1;
}

static int column_of(const struct census_table *t, const char *name)
{
	const cJSON *cell;
	int i = 0;

	cJSON_ArrayForEach(cell, t->root->child) {
		if (cJSON_IsString(cell) && strcmp(cell->valuestring, name) == 0)
			return i;
		i++;
	}
	return -1;
}

const char *census_text(const struct census_table *t, size_t row, const char *column)
{
	int i = column_of(t, column);
	const cJSON *cell;

	if (i < 0 || row >= census_rows(t))
		return NULL;
	cell = cJSON_GetArrayItem(cJSON_GetArrayItem(t->root, (int)row + 1), i);
	return cJSON_IsString(cell) ? cell->valuestring : NULL;
}

bool census_is_of(const struct census_table *t, const struct area *a)
{
	const char *code;

	if (a->level == AREA_METRO)
		code = census_text(t, 0,
				   "metropolitan statistical area/micropolitan statistical area");
	else
		code = census_text(t, 0, a->level == AREA_STATE ? "state" : "us");
	return code && strcmp(code, a->level == AREA_NATION ? "1" : area_code(a)) == 0;
}

/* Every sentinel is one digit nine times, negative. */
static bool is_sentinel(struct amount a)
{
	return a.kind == AMOUNT_VALUE && a.e4 <= -INT64_C(1111111110000) &&
	       a.e4 % INT64_C(1111111110000) == 0;
}

int census_amount(const struct census_table *t, size_t row, const char *column, struct amount *ret,
		  struct err *e)
{
	struct amount a;
	int r;

	if (column_of(t, column) < 0)
		return err_set(e, ERR_NOT_FOUND, "Census sent no column %.40s", column);
	r = amount_parse(census_text(t, row, column), &a, e);
	if (r < 0)
		return r;
	if (is_sentinel(a) || (a.kind == AMOUNT_VALUE && a.e4 == BOTTOM_CODED))
		a = (struct amount){ AMOUNT_ABSENT, 0 };
	else if (a.kind == AMOUNT_VALUE && a.e4 == TOP_CODED)
		a.kind = AMOUNT_BOUND;
	*ret = a;
	return 0;
}
