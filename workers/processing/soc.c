/* SPDX-License-Identifier: MIT */
#include "workers/processing/soc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/occupation.h"

/* The file's bytes, as the assembler includes them. */
__asm__(".section .rodata\n"
	".global soc_file\nsoc_file:\n.incbin \"workers/processing/soc.tsv\"\n"
	".global soc_file_end\nsoc_file_end:\n.byte 0\n"
	".previous\n");
extern const char soc_file[], soc_file_end[];

enum { ROWS_MAX = 1024, SLOTS = 8192, NAME_WORDS = 6, TITLE_WORDS = 40, TITLE_BYTES = 512 };

/* A name of a role: 48 bits of its hash, the row it stands in. */
struct name {
	uint64_t hash : 48;
	uint64_t row : 16;		/* + 1; 0: free */
};

static struct {
	struct soc rows[ROWS_MAX];
	bool whole[ROWS_MAX];		/* only when a part of the title says no more */
	size_t n;
	struct name names[SLOTS];
} *table;

/* Two titles of one 64-bit hash do not happen among the few thousand kept. */
static struct {
	uint64_t hash;
	const struct soc *soc;
} *memory;

static uint64_t hash_more(uint64_t hash, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = hash_more(UINT64_C(14695981039346656037), text, strlen(text));

	return hash ? hash : 1;
}

/* A word without the s of a plural, abbreviations spelled out. */
static uint64_t hash_word(uint64_t hash, const char *word, size_t len)
{
	static const char *const FULL[][2] = {
		{ "mgr", "manager" }, { "asst", "assistant" }, { "dev", "developer" }, { "eng", "engineer" },
		{ "engr", "engineer" }, { "supv", "supervisor" }, { "spec", "specialist" },
		{ "coord", "coordinator" }, { "rep", "representative" }, { "admin", "administrative" },
	};

	for (size_t i = 0; i < COUNT(FULL); i++)
		if (strlen(FULL[i][0]) == len && !memcmp(word, FULL[i][0], len))
			return hash_more(hash, FULL[i][1], strlen(FULL[i][1]));
	if (len > 3 && word[len - 1] == 's' && !strchr("sui", word[len - 2]))
		len--;
	return hash_more(hash, word, len);
}

static uint64_t hash_words(const char *words)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	while (*words) {
		size_t len = strcspn(words, " ");

		hash = hash_word(hash_more(hash, " ", 1), words, len);
		words += len + (words[len] == ' ');
	}
	return hash;
}

static struct name *slot_of(uint64_t hash)
{
	size_t i = hash % SLOTS;

	hash >>= 16;
	while (table->names[i].row && table->names[i].hash != hash)
		i = (i + 1) % SLOTS;
	return &table->names[i];
}

static void add_name(const char *name, size_t len, size_t row)
{
	char text[128], folded[128];
	uint64_t hash;
	struct name *slot;

	snprintf(text, sizeof text, "%.*s", (int)len, name);
	text_fold(text, folded, sizeof folded);
	hash = hash_words(folded);
	slot = slot_of(hash);
	if (!slot->row)
		*slot = (struct name){ .hash = hash >> 16, .row = row + 1 };
}

/* "code role names": the tabs and bars part. */
static void add_row(const char *line, size_t len)
{
	const char *end = line + len, *role = memchr(line, '\t', len);
	size_t row = table->n;

	if (!role || row == ROWS_MAX || *line == '#')
		return;
	table->whole[row] = *line == '?';
	line += *line == '?';
	table->rows[row].code = mem_strndup(line, (size_t)(role - line));
	for (const char *p = ++role; p < end; p++) {
		size_t n = 0;

		while (p + n < end && p[n] != '|' && p[n] != '\t')
			n++;
		if (p == role)
			table->rows[row].role = mem_strndup(role, n);
		add_name(p, n, row);
		p += n;
	}
	table->n++;
}

static void prepare(void)
{
	table = mem_zalloc(sizeof *table);
	memory = mem_zalloc(SOC_MEMORY * sizeof *memory);
	for (const char *p = soc_file; p < soc_file_end;) {
		size_t len = strcspn(p, "\n");

		add_row(p, len);
		p += len + (p[len] == '\n');
	}
}

/* What has been found so far, and how much of the title it explains. */
struct best {
	const struct soc *soc;
	size_t words, bytes;
};

static bool joins(const char *word)
{
	static const char *const WORDS[] = { "de", "du", "d", "des", "en", "di", "da", "do", "der",
					     "im", "in", "fur", "para", "pour", "for", "h", "m" };

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (!strcmp(word, WORDS[i]))
			return true;
	return false;
}

/* Does one word head its part? The last one, or the first of "Infirmier de nuit". */
static bool heads(const char *const words[], size_t n, size_t at)
{
	return at + 1 == n || (at == 0 && joins(words[1]));
}

static bool is_rank(const char *word)
{
	static const char *const RANKS[] = {
		"senior", "sr",		 "junior", "jr",      "lead",	  "principal", "staff",
		"i",	  "ii",		 "iii",	   "iv",      "v",	  "1",	       "2",
		"3",	  "4",		 "intern", "trainee", "graduate", "entry",     "level",
		"mid",	  "experienced", "part",   "full",    "time",	  "remote"
	};

	for (size_t i = 0; i < COUNT(RANKS); i++)
		if (!strcmp(word, RANKS[i]))
			return true;
	return false;
}

static void match(const char *const words[], size_t n, size_t at, struct best *best)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t bytes = 0;

	for (size_t k = 0; k < NAME_WORDS && at + k < n; k++) {
		size_t len = strlen(words[at + k]);
		const struct name *slot;

		hash = hash_word(hash_more(hash, " ", 1), words[at + k], len);
		bytes += len;
		slot = slot_of(hash);
		if (!slot->row || k + 1 < best->words ||
		    (k + 1 == best->words && bytes <= best->bytes))
			continue;
		if ((table->whole[slot->row - 1] && k + 1 < n) || (k == 0 && !heads(words, n, at)))
			continue;
		*best = (struct best){ &table->rows[slot->row - 1], k + 1, bytes };
	}
}

/* One part of a title: up to a comma, dash, bar or parenthesis. */
static void match_part(const char *part, struct best *best)
{
	char folded[TITLE_BYTES];
	const char *words[TITLE_WORDS], *without[TITLE_WORDS];
	size_t n = 0, rankless = 0;

	text_fold(part, folded, sizeof folded);
	for (char *save = NULL, *p = strtok_r(folded, " ", &save); p && n < TITLE_WORDS;
	     p = strtok_r(NULL, " ", &save)) {
		words[n++] = p;
		if (!is_rank(p))
			without[rankless++] = p;
	}
	for (size_t i = 0; i < n; i++)
		match(words, n, i, best);
	for (size_t i = 0; i < rankless && rankless < n; i++)
		match(without, rankless, i, best);
}

static const struct soc *find(const char *title)
{
	struct best best = { 0 };
	char copy[TITLE_BYTES], *start = copy;
	bool more = true;

	snprintf(copy, sizeof copy, "%s", title);
	for (char *p = copy; more; p++) {
		bool dash = *p == '-' && p > copy && (p[-1] == ' ' || p[1] == ' ');

		if (*p && !dash && !strchr(",|()[]:;/", *p))
			continue;
		more = *p != '\0';
		*p = '\0';
		match_part(start, &best);
		start = p + 1;
	}
	return best.soc;
}

static const struct soc *row_of(const char *code)
{
	for (size_t i = 0; i < table->n; i++)
		if (!strcmp(table->rows[i].code, code))
			return &table->rows[i];
	return NULL;
}

/* What ours do not name; occupations that are all or a whole group say nothing of the work. */
static const struct soc *find_elsewhere(const char *title)
{
	struct occupation found;

	if (occupation_resolve(title, &found, NULL) < 0 || !strcmp(found.row->soc + 3, "0000"))
		return NULL;
	return row_of(found.row->soc);
}

const struct soc *soc_of(const char *title)
{
	uint64_t hash = hash_of(title);
	size_t slot = (hash ^ hash >> 29) % SOC_MEMORY;

	if (!table)
		prepare();
	if (memory[slot].hash != hash) {
		const struct soc *soc = find(title);

		memory[slot].hash = hash;
		memory[slot].soc = soc ? soc : find_elsewhere(title);
	}
	return memory[slot].soc;
}

const char *soc_of_onet(const char *onet)
{
	/* codes that changed; where one became several, the largest of them */
	static const char *const CHANGED[][2] = {
		{ "11-2031", "11-2032" }, { "13-2021", "13-2023" }, { "15-1111", "15-1221" }, { "15-1121", "15-1211" },
		{ "15-1122", "15-1212" }, { "15-1131", "15-1251" }, { "15-1132", "15-1252" }, { "15-1133", "15-1252" },
		{ "15-1134", "15-1254" }, { "15-1141", "15-1242" }, { "15-1142", "15-1244" }, { "15-1143", "15-1241" },
		{ "15-1151", "15-1232" }, { "15-1152", "15-1231" }, { "15-1199", "15-1299" }, { "25-9041", "25-9045" },
		{ "27-3022", "27-3023" }, { "29-1061", "29-1211" }, { "29-1062", "29-1215" }, { "29-1063", "29-1216" },
		{ "29-1064", "29-1218" }, { "29-1065", "29-1221" }, { "29-1066", "29-1223" }, { "29-1067", "29-1249" },
		{ "29-1069", "29-1229" }, { "29-2041", "29-2042" }, { "29-2071", "29-2072" }, { "31-1011", "31-1121" },
		{ "31-1013", "31-1133" }, { "31-1014", "31-1131" }, { "31-1015", "31-1132" }, { "35-3021", "35-3023" },
		{ "35-3022", "35-3023" }, { "39-9021", "31-1122" }, { "43-5081", "53-7065" }, { "51-2022", "51-2028" },
		{ "51-2023", "51-2028" }, { "51-4011", "51-9161" }, { "51-4012", "51-9162" }, { "51-9121", "51-9124" },
		{ "51-9122", "51-9124" }, { "53-1021", "53-1042" }, { "53-1031", "53-1043" }, { "53-3021", "53-3052" },
		{ "53-3022", "53-3051" }, { "53-3041", "53-3054" },
	};
	const struct soc *row;
	char code[8];

	if (strspn(onet, "0123456789") < 6)
		return NULL;
	if (!table)
		prepare();
	snprintf(code, sizeof code, "%.2s-%.4s", onet, onet + 2);
	for (size_t i = 0; i < COUNT(CHANGED); i++)
		if (!strcmp(CHANGED[i][0], code))
			return CHANGED[i][1];
	row = row_of(code);
	return row ? row->code : NULL;
}
