/* SPDX-License-Identifier: MIT */
#include "common/market/occupation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/fold.h"
#include "common/market/role_private.h"

static const char *const KEEP_CAPITAL[] = {
	"it", "qa", "ui", "ux", "cto", "dba", "sre", "sdet", "sde", "swe", "ml", "ai", "nlp", "bi",
	"etl", "gis", "seo", "fpga", "asic", "rf", "vlsi", "php", "soc", "vp", "fp", "erp", "sql",
	"vfx", "c++", "c#", "3d", "cobol", "rn", "lpn", "lvn", "cna", "emt", "hr", "hvac", "cnc", "ceo",
	"cfo", "coo", "cio", "crna", "np", "ct", "mri", "cad", "sap", "aws", "kyc", "aml",
	"cpa", "icu", "cdl", "pcb", "noc", "plc", "pmo", "tpm", "crm", "esl", "rv", "tsa", "rpa",
};

static const char *const KEEP_SMALL[] = {
	"of", "and", "in", "to", "the", "for", "de", "der", "du"
};

/* Vague texts and what else they mean; each is a name of its own. */
static const struct vague {
	const char *text, *others;
} VAGUE[] = {
	{ "engineer", "Software Engineer|Mechanical Engineer|Civil Engineer" },
	{ "developer", "Web Developer|Database Developer|Software Tester" },
	{ "programmer", "Software Engineer|Web Developer|CNC Programmer" },
	{ "analyst", "Data Analyst|Business Analyst|Financial Analyst" },
	{ "manager", "General Manager|Project Manager|Sales Manager" },
	{ "director", "General Manager|Marketing Director|Director of Engineering" },
	{ "administrator", "Systems Administrator|Database Administrator|Nursing Director" },
	{ "architect", "Solutions Architect|Network Architect|Landscape Architect" },
	{ "designer", "UX Designer|Graphic Designer|Interior Designer" },
	{ "consultant", "IT Consultant|Financial Consultant|Security Consultant" },
	{ "scientist", "Data Scientist|Research Scientist|Chemist" },
	{ "researcher", "Research Scientist|Market Research Analyst|Survey Researcher" },
	{ "nurse", "Licensed Practical Nurse|Nurse Practitioner|Nurse Anesthetist" },
	{ "doctor", "Family Medicine Physician|Surgeon|Psychiatrist" },
	{ "physician", "Family Medicine Physician|Internal Medicine Physician|Surgeon" },
	{ "therapist", "Physical Therapist|Occupational Therapist|Massage Therapist" },
	{ "teacher", "Elementary School Teacher|High School Teacher|Preschool Teacher" },
	{ "professor", "Business Professor|Engineering Professor|Biology Professor" },
	{ "lab technician", "Medical Laboratory Technician|Chemical Technician" },
	{ "lab tech", "Biological Technician|Chemical Technician" },
	{ "technician", "Electronics Technician|Automotive Technician|IT Technician" },
	{ "mechanic", "Automotive Mechanic|Diesel Mechanic|Aircraft Mechanic" },
	{ "driver", "Truck Driver|Delivery Driver|Bus Driver" },
	{ "operator", "Forklift Operator|Heavy Equipment Operator|Crane Operator" },
	{ "assistant", "Executive Assistant|Medical Assistant|Teaching Assistant" },
	{ "clerk", "Accounting Clerk|Stock Clerk|Data Entry Clerk" },
	{ "supervisor", "Retail Supervisor|Production Supervisor|Sales Supervisor" },
	{ "coordinator", "Project Coordinator|Event Coordinator|Marketing Coordinator" },
	{ "specialist", "Marketing Specialist|HR Specialist|IT Support Specialist" },
	{ "sales", "Sales Manager|Retail Salesperson|Sales Engineer" },
	{ "security", "Security Guard|Security Supervisor|Police Officer" },
	{ "writer", "Technical Writer|Journalist|Editor" },
	{ "counselor", "Mental Health Counselor|School Counselor|Substance Abuse Counselor" },
	{ "buyer", "Purchasing Manager|Purchasing Agent|Farm Products Buyer" },
	{ "cook", "Fast Food Cook|Short Order Cook|Chef" },
	{ "inspector", "Building Inspector|Home Inspector|Fire Inspector" },
	{ "guard", "Lifeguard|Crossing Guard|Correctional Officer" },
};

static bool in_list(const char *const *list, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], word, len) == 0)
			return true;
	return false;
}

static void title_words(char *out)
{
	for (char *p = out; *p;) {
		size_t len = strcspn(p, " ");
		char word[OCCUPATION_NAME_SIZE];
		bool capital, small;

		for (size_t i = 0; i < len; i++)
			word[i] = (char)tolower((unsigned char)p[i]);
		capital = in_list(KEEP_CAPITAL, COUNT(KEEP_CAPITAL), word, len);
		small = p > out && in_list(KEEP_SMALL, COUNT(KEEP_SMALL), word, len);
		for (size_t i = 0; (capital || small) && i < len; i++)
			p[i] = capital ? (char)toupper((unsigned char)p[i]) : word[i];
		p += len;
		p += strspn(p, " ");
	}
}

/* "backend engineer" -> "Backend Engineer", "ux designer" -> "UX Designer"; the titles of SOC are
 * only cut, at a word as the noun role cuts them. */
static void title_case(const char *name, char out[OCCUPATION_NAME_SIZE])
{
	size_t len = strlen(name);

	if (isupper((unsigned char)*name)) {
		for (len = len < OCCUPATION_NAME_SIZE ? len : OCCUPATION_NAME_SIZE - 1;
		     name[len] && len > 0 && name[len] != ' ';)
			len--;
		while (len > 0 && name[len] && strchr(" ,", name[len - 1]))
			len--;
		snprintf(out, OCCUPATION_NAME_SIZE, "%.*s", (int)len, name);
		return;
	}
	fold_title(name, out, OCCUPATION_NAME_SIZE);
	title_words(out);
}

static int compare_soc(const void *key, const void *row)
{
	return strcmp(key, ((const struct occupation_row *)row)->soc);
}

static const struct occupation_row *row_of(const char *soc)
{
	return bsearch(soc, OCCUPATIONS, OCCUPATIONS_COUNT, sizeof *OCCUPATIONS, compare_soc);
}

/* "15-1252", "151252", "15-1252.00", "15125200": six digits, at most two more. */
static bool code_digits(const char *text, char out[8])
{
	const char *p = text + strspn(text, " ");
	size_t n = 0, more;

	for (; *p && n < 6; p++)
		if (isdigit((unsigned char)*p))
			out[n++] = *p;
		else if (*p != '-' || n != 2)
			return false;
	if (n < 6)
		return false;
	memmove(out + 3, out + 2, 4);
	out[2] = '-';
	out[7] = '\0';
	p += *p == '.';
	more = strspn(p, "0123456789");
	return more <= 2 && p[more + strspn(p + more, " ")] == '\0';
}

const struct occupation_row *occupation_by_soc(const char *soc)
{
	char code[8];

	return soc && code_digits(soc, code) ? row_of(code) : NULL;
}

const struct occupation_row *occupation_by_soc2010(const char *digits)
{
	static const char *const CHANGED[][2] = {
		{ "11-2031", "11-2032" }, { "11-3011", "11-3012" }, { "11-9061", "11-9171" },
		{ "13-2021", "13-2023" }, { "15-1111", "15-1221" }, { "15-1121", "15-1211" },
		{ "15-1122", "15-1212" }, { "15-1131", "15-1251" }, { "15-1132", "15-1252" }, { "15-1133", "15-1252" },
		{ "15-1134", "15-1254" }, { "15-1141", "15-1242" }, { "15-1142", "15-1244" }, { "15-1143", "15-1241" },
		{ "15-1151", "15-1232" }, { "15-1152", "15-1231" }, { "15-1199", "15-1299" }, { "25-9041", "25-9045" },
		{ "27-3022", "27-3023" }, { "29-1061", "29-1211" }, { "29-1062", "29-1215" }, { "29-1063", "29-1216" },
		{ "29-1064", "29-1218" }, { "29-1065", "29-1221" }, { "29-1066", "29-1223" }, { "29-1067", "29-1249" },
		{ "29-1069", "29-1229" }, { "29-2041", "29-2042" }, { "29-2071", "29-2072" }, { "31-1011", "31-1121" },
		{ "31-1013", "31-1133" }, { "31-1014", "31-1131" }, { "31-1015", "31-1132" }, { "35-3021", "35-3023" },
		{ "35-3022", "35-3023" }, { "39-9021", "31-1122" }, { "43-5081", "53-7065" }, { "51-4011", "51-9161" },
		{ "51-4012", "51-9162" }, { "51-9121", "51-9124" }, { "51-9122", "51-9124" }, { "53-1021", "53-1042" },
		{ "53-1031", "53-1043" }, { "53-3021", "53-3052" }, { "53-3022", "53-3051" }, { "53-3041", "53-3054" },
	};
	char code[8];

	if (!digits || !code_digits(digits, code))
		return NULL;
	for (size_t i = 0; i < COUNT(CHANGED); i++)
		if (strcmp(CHANGED[i][0], code) == 0)
			return row_of(CHANGED[i][1]);
	return row_of(code);
}

void occupation_digits(const struct occupation_row *row, char out[7])
{
	const char *code = row->oews && *row->oews != '-' ? row->oews : row->soc;

	snprintf(out, 7, "%.2s%.4s", code, code + 3);
}

static void add_alternative(struct occupation *o, const char *name)
{
	for (size_t i = 0; i < OCCUPATION_ALTERNATIVES; i++) {
		if (strcmp(o->alternatives[i], name) == 0 || strcmp(o->name, name) == 0)
			return;
		if (!*o->alternatives[i]) {
			snprintf(o->alternatives[i], OCCUPATION_NAME_SIZE, "%s", name);
			return;
		}
	}
}

static void name_vague(struct occupation *o, const char *folded)
{
	char name[OCCUPATION_NAME_SIZE];

	for (size_t i = 0; i < COUNT(VAGUE); i++)
		for (const char *p = VAGUE[i].others; strcmp(VAGUE[i].text, folded) == 0 && *p;) {
			size_t len = strcspn(p, "|");

			snprintf(name, sizeof name, "%.*s", (int)len, p);
			add_alternative(o, name);
			p += len + (p[len] == '|');
		}
}

static void warn_oews(struct occupation *o)
{
	const struct occupation_row *as = o->row->oews ? row_of(o->row->oews) : NULL;

	if (as)
		snprintf(o->warning, sizeof o->warning,
			 "OEWS keeps %s together with others: its figures are those of %s (%s)",
			 o->row->soc, as->title, as->soc);
	else if (o->row->oews)
		snprintf(o->warning, sizeof o->warning,
			 "OEWS has no figures of %s (%s): it leaves out %s", o->row->title, o->row->soc,
			 strncmp(o->row->soc, "55", 2) == 0 ? "the armed forces"
							    : "those who fish and hunt");
}

static void settle(struct occupation *o, const char *name, const struct occupation_row *row)
{
	o->row = row;
	title_case(name, o->name);
	warn_oews(o);
}

/* A code goes by its first role, so that "15-1252" and "Software Engineer" are one question. */
static void name_row(const struct occupation_row *row, char out[OCCUPATION_NAME_SIZE])
{
	struct role role;

	title_case(role_of_code(row->soc, &role) ? role.role : row->title, out);
}

static void settle_row(struct occupation *o, const struct occupation_row *row)
{
	char name[OCCUPATION_NAME_SIZE];

	name_row(row, name);
	settle(o, name, row);
}

/* 15-1250, 15-1200: as the one detailed occupation in it, else as the major group. */
static bool read_group(struct occupation *o, const char *code)
{
	size_t zeros = strcmp(code + 5, "00") == 0 ? 2 : 1, members = 0;
	const struct occupation_row *one = NULL;
	char major[8], name[OCCUPATION_NAME_SIZE];

	if (code[6] != '0')
		return false;
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++)
		if (strncmp(OCCUPATIONS[i].soc, code, 7 - zeros) == 0 &&
		    OCCUPATIONS[i].soc[6] != '0') {
			one = &OCCUPATIONS[i];
			members++;
			name_row(one, name);
			add_alternative(o, name);
		}
	if (members == 0)
		return false;
	snprintf(major, sizeof major, "%.3s0000", code);
	if (members == 1)
		memset(o->alternatives, 0, sizeof o->alternatives);
	settle_row(o, members == 1 ? one : row_of(major));
	if (members > 1)
		snprintf(o->warning, sizeof o->warning,
			 "OEWS has no figures of the group %s: they are those of %s (%s)", code,
			 o->row->title, o->row->soc);
	return true;
}

static bool read_code(const char *code, struct occupation *o)
{
	const struct occupation_row *row = row_of(code);

	if (!row)
		row = occupation_by_soc2010(code);
	if (!row)
		return read_group(o, code);
	settle_row(o, row);
	if (strcmp(row->soc, code) != 0)
		snprintf(o->warning, sizeof o->warning, "%s is a code of SOC 2010: read as %s (%s)",
			 code, row->soc, row->title);
	return true;
}

static size_t count_words(const char *folded)
{
	size_t n = *folded != '\0';

	for (; *folded; folded++)
		n += *folded == ' ';
	return n;
}

/* Were words of the text left aside? */
static bool is_partial(const char *folded, const char *name)
{
	char own[FOLD_SIZE];

	fold_text(name, own);
	return count_words(own) < count_words(folded);
}

/* Words on rank, contract and hours, which no occupation goes by. */
static bool says_nothing(const char *word)
{
	static const char *const WORDS[] = {
		"contract", "temporary", "temp", "permanent", "hybrid", "onsite", "on", "site", "m", "f",
		"w", "d", "x", "h", "gn", "all", "genders", "the", "a", "an", "of", "and", "for", "in", "at",
		"to", "job", "jobs", "position", "role", "us", "usa", "hourly", "seasonal", "freelance", "per",
		"diem", "night", "day", "shift", "weekend", "associate", "certified", "licensed",
		"registered",
	};

	return role_is_rank(word) || isdigit((unsigned char)*word) ||
		in_list(WORDS, COUNT(WORDS), word, strlen(word));
}

static bool has_word(const char *folded, const char *word)
{
	uint64_t hash = role_hash_words(word);

	while (*folded) {
		size_t len = strcspn(folded, " ");

		if (role_hash_word(role_hash_start(), folded, len) == hash)
			return true;
		folded += len + (folded[len] == ' ');
	}
	return false;
}

/* A "forest surgeon" heals nobody: what the name does not explain is told. */
static void warn_left(struct occupation *o, const char *folded, const char *own)
{
	char other[FOLD_SIZE], copy[FOLD_SIZE], left[80] = "";
	size_t n = 0, len = strlen(o->warning);

	fold_text(o->alternatives[0], other);
	snprintf(copy, sizeof copy, "%s", folded);
	for (char *save = NULL, *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
		if (!says_nothing(p) && !has_word(own, p) && !has_word(other, p) &&
		    n + strlen(p) + 2 < sizeof left)
			n += (size_t)snprintf(left + n, sizeof left - n, "%s%s", n ? " " : "", p);
	if (n > 0)
		snprintf(o->warning + len, sizeof o->warning - len,
			 "%s\"%s\" was left aside: read as %s (%s)", len ? "; " : "", left, o->name,
			 o->row->soc);
}

static bool read_name(const char *text, const char *folded, struct occupation *o)
{
	struct role found[1 + OCCUPATION_ALTERNATIVES];
	char name[OCCUPATION_NAME_SIZE], own[FOLD_SIZE];
	size_t n = role_find(text, found, COUNT(found));

	if (n == 0) {
		n = role_mend(text, &found[0]);
		o->corrected = n > 0;
	}
	if (n == 0)
		return false;
	settle(o, found[0].name, row_of(found[0].code));
	o->partial = is_partial(folded, found[0].name);
	for (size_t i = 1; i < n; i++) {
		title_case(found[i].name, name);
		add_alternative(o, name);
	}
	fold_text(found[0].name, own);
	name_vague(o, own);
	if (o->partial && !o->corrected)
		warn_left(o, folded, own);
	return true;
}

static int unknown_code(const char *code, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "occupation code %s is in neither SOC 2018 nor SOC 2010; a code looks like 15-1252",
		       code);
}

static int unknown(const char *text, struct err *e)
{
	struct role near[3];
	char names[3][OCCUPATION_NAME_SIZE] = { "" };
	size_t n = e ? role_suggest(text, near, COUNT(near)) : 0;

	for (size_t i = 0; i < n; i++)
		title_case(near[i].name, names[i]);
	return err_set(e, ERR_NOT_FOUND,
		       "occupation \"%.80s\" is unknown; did you mean \"%s\", \"%s\" or \"%s\"? "
		       "A SOC 2018 code such as 15-1252 is understood too",
		       text, names[0], names[1], names[2]);
}

int occupation_resolve(const char *text, struct occupation *ret, struct err *e)
{
	struct occupation o = { 0 };
	char folded[FOLD_SIZE], code[8];

	if (fold_text(text, folded) == 0)
		return err_set(e, ERR_INVALID, "occupation is empty: give a job title such as "
			       "\"Software Engineer\" or a SOC 2018 code such as 15-1252");
	if (code_digits(text, code)) {
		if (!read_code(code, &o))
			return unknown_code(code, e);
	} else if (!read_name(text, folded, &o)) {
		return unknown(text, e);
	}
	*ret = o;
	return 0;
}
