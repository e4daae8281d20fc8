/* SPDX-License-Identifier: MIT */
#include "workers/processing/title.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <utf8proc.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/base/utf8.h"

enum { LONG_SIZE = 1024, REQ_DIGITS = 4 };

/* Folded contents of a parenthesis, a segment between bars or a last part that says nothing about
 * the work itself. */
static const char *const NOISE[] = {
	"m w d", "m f d", "w m d", "f m d", "d m w", "d w m", "d f m", "m f x", "f m x", "m w x", "w m x",
	"m f", "f m", "m w", "w m", "h m", "m h", "h f", "f h", "m v x", "v m x", "m d w", "f d m", "gn", "x f m",
	"all genders",
	"all gender", "alle geschlechter", "any gender", "mwd", "wmd", "mfd",
	"remote", "fully remote", "100 remote", "remote only", "remote work", "hybrid", "hybride",
	"hibrido", "onsite", "on site", "in office", "wfh", "work from home", "home office",
	"homeoffice", "remoto", "teletrabajo", "teletravail", "telework", "remote possible",
	"remote ok", "us remote", "remote us", "remote usa", "vor ort", "presentiel", "presencial",
	"corp to corp", "c2c", "w2", "w2 only", "1099", "contract", "contractor", "freelance", "full time",
	"fulltime", "part time", "parttime", "vollzeit", "teilzeit", "temporary", "permanent", "cdi",
	"cdd", "temps plein", "tiempo completo",
	"multiple openings", "multiple positions", "urgent", "urgently hiring", "hiring now",
	"immediate start", "new", "hot job", "apply now", "apply today", "ibrido", "in presenza",
};

static const char *const NOISE_STARTS[] = {
	"req ", "req# ", "requisition ", "job id ", "job code ", "job # ", "ref ", "reference ",
	"ts sci", "top secret", "secret clearance", "clearance required", "security clearance",
};

static const char *const ABBREVIATIONS[] = {
	"IT", "HR", "QA", "UI", "UX", "SQL", "AWS", "GCP", "SAP", "ERP", "CRM", "PHP", "API", "ML", "AI", "BI",
	"ETL", "RN", "LPN", "LVN", "CNA", "CDL", "II", "III", "IV", "VP", "SVP", "EVP", "AVP", "CEO", "CTO",
	"CFO", "COO", "CIO", "USA", "US", "UK", "EU", "DBA", "SRE", "iOS", "CAD", "PLC", "HVAC", "NLP", "LLM",
	"SEO", "SEM", "PPC", "B2B", "B2C", "SaaS", "DevOps", "MLOps", "JavaScript", "TypeScript", "PMO",
	"PM", "ICU", "MRI", "CT", "EMT", "NP", "PA", "MD", "PT", "OT", "SLP", "BCBA", "CPA", "ABAP",
	"GIS", "RF", "FPGA", "ASIC", "VLSI", "SDET", "SOC", "SIEM", "IAM", "MBA", "NYC", "DC", "SF", "R&D",
	"3D", "2D", "VR", "EMEA", "APAC", "LATAM", "DACH", "KYC", "AML", "CNC",
};

static bool is_requisition(const char *folded)
{
	int digits = 0;

	for (const char *p = folded; *p; p++) {
		if (isdigit((unsigned char)*p))
			digits++;
		else if (!strchr("#rj ", *p) || (isalpha((unsigned char)*p) && p - folded > 1))
			return false;
	}
	return digits >= REQ_DIGITS;
}

static bool is_noise(const char *text, size_t len)
{
	char part[LONG_SIZE], folded[LONG_SIZE];

	if (len >= sizeof part)
		return false;
	memcpy(part, text, len);
	part[len] = '\0';
	if (text_fold(part, folded, sizeof folded) == 0 || is_requisition(folded))
		return true;
	if (isdigit((unsigned char)folded[0]) &&
	    (strchr(part, '$') || strstr(part, "€") || strstr(part, "£") || strstr(part, "₹")))
		return true;
	for (size_t i = 0; i < COUNT(NOISE); i++)
		if (!strcmp(folded, NOISE[i]))
			return true;
	for (size_t i = 0; i < COUNT(NOISE_STARTS); i++)
		if (!strncmp(folded, NOISE_STARTS[i], strlen(NOISE_STARTS[i])))
			return true;
	return false;
}

static void cut_out(char *from, const char *to)
{
	memmove(from, to, strlen(to) + 1);
}

/* Parentheses with noise, and one that never closes. */
static void drop_parentheses(char *s)
{
	char *open = s;

	while ((open = strpbrk(open, "(["))) {
		char *close = strchr(open, *open == '(' ? ')' : ']');

		if (!close) {
			if (open > s)
				*open = '\0';
			else
				*open = ' ';
			return;
		}
		if (is_noise(open + 1, (size_t)(close - open - 1))) {
			*open = ' ';
			cut_out(open + 1, close + 1);
		} else {
			open = close + 1;
		}
	}
}

/* Parts between bars: those that are noise go, the others stay in order. */
static void drop_segments(char *s)
{
	char kept[LONG_SIZE] = "";
	size_t n = 0;

	for (char *save = NULL, *p = strtok_r(s, "|", &save); p; p = strtok_r(NULL, "|", &save)) {
		size_t len = strlen(p);

		if (is_noise(p, len) || n + len + 4 > sizeof kept)
			continue;
		n += (size_t)snprintf(kept + n, sizeof kept - n, "%s%s", n ? " | " : "", p);
	}
	memcpy(s, kept, n + 1);		/* never longer than it was: bars only go */
}

/* The last part after " - ", a comma or an en dash, while it is noise. */
static void drop_tail(char *s)
{
	static const char *const MARKS[] = { " - ", " – ", " — ", ", ", " : ", " #", " -", " • " };

	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < COUNT(MARKS); i++) {
			char *last = NULL;

			for (char *p = strstr(s, MARKS[i]); p; p = strstr(p + 1, MARKS[i]))
				last = p;
			if (last && last > s && is_noise(last + strlen(MARKS[i]),
							 strlen(last + strlen(MARKS[i])))) {
				*last = '\0';
				again = true;
			}
		}
	}
}

/* "Développeur H/F": a marker that nothing parts from the title. */
static void drop_bare_marker(char *s)
{
	static const char *const MARKERS[] = { " H/F",	 " F/H",   " M/F", " m/w/d",
					       " w/m/d", " m/f/d", " H/M" };
	size_t len = strlen(s);

	for (size_t i = 0; i < COUNT(MARKERS); i++) {
		size_t n = strlen(MARKERS[i]);

		if (len > n && !strcasecmp(s + len - n, MARKERS[i])) {
			s[len - n] = '\0';
			return;
		}
	}
}

/* "Desarrollador/a", "Entwickler*in", "Ingénieur·e": the ending after the mark goes. */
static void drop_gender_endings(char *s)
{
	static const char *const ENDINGS[] = { "in",   "innen", "a",	"e",  "as", "os",  "es",
					       "euse", "trice", "rice", "ra", "o",  "frau" };

	for (char *p = s; *p; p++) {
		size_t mark = strchr("*:/_", *p) ? 1 : !strncmp(p, "·", 2) ? 2 : 0;
		size_t n = 0;

		if (!mark || p - s < 4 || !isalpha((unsigned char)p[-1]) ||
		    !isalpha((unsigned char)p[-2]) || !isalpha((unsigned char)p[-3]))
			continue;
		while (isalpha((unsigned char)p[mark + n]))
			n++;
		if (p[mark + n] && !strchr(" ,)-/", p[mark + n]))
			continue;
		for (size_t i = 0; i < COUNT(ENDINGS); i++)
			if (n == strlen(ENDINGS[i]) && !strncmp(p + mark, ENDINGS[i], n)) {
				cut_out(p, p + mark + n);
				break;
			}
	}
}

static bool is_shouted(const char *s)
{
	int upper = 0;

	for (const char *p = s; *p; p++) {
		if (islower((unsigned char)*p) || ((unsigned char)*p >= 0x80))
			return false;
		upper += isupper((unsigned char)*p) != 0;
	}
	return upper > 5;
}

static bool is_whispered(const char *s)
{
	for (const char *p = s; *p; p++)
		if (isupper((unsigned char)*p) || (unsigned char)*p >= 0x80)
			return false;
	return true;
}

static void lower_word(char *word, size_t len)
{
	for (size_t i = 0; i < COUNT(ABBREVIATIONS); i++)
		if (strlen(ABBREVIATIONS[i]) == len && !strncasecmp(word, ABBREVIATIONS[i], len)) {
			memcpy(word, ABBREVIATIONS[i], len);
			return;
		}
	for (size_t i = 1; i < len; i++)
		word[i] = (char)tolower((unsigned char)word[i]);
}

/* All capitals or none at all: every word gets one, abbreviations get theirs. */
static void set_case(char *s)
{
	bool whispered = is_whispered(s);

	if (!whispered && !is_shouted(s))
		return;
	for (char *p = s; *p;) {
		size_t n = 0;

		while (isalnum((unsigned char)p[n]) || p[n] == '\'' || p[n] == '&')
			n++;
		if (n > 0 && whispered)
			p[0] = (char)toupper((unsigned char)p[0]);
		if (n > 1)
			lower_word(p, n);
		p += n ? n : 1;
	}
}

/* Emoji, arrows, stars: symbols that no title begins with. */
static bool is_ornament(const char *s, size_t *ret_width)
{
	uint32_t cp = *s ? utf8_next(s, s + strlen(s), ret_width) : 0;
	utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)cp);

	return cp >= 0x80 && (kind == UTF8PROC_CATEGORY_SO || kind == UTF8PROC_CATEGORY_SM ||
			      kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_SK ||
			      kind == UTF8PROC_CATEGORY_PO);
}

static void tidy(char *s)
{
	size_t n = 0, start, width;

	for (char *p = s; *p; p++)
		if (*p != ' ' || (n > 0 && s[n - 1] != ' '))
			s[n++] = *p;
	while (n > 0 && strchr(" -|,/:;*#.", s[n - 1]))
		n--;
	s[n] = '\0';
	start = strspn(s, " -|,/:;*#");
	while (is_ornament(s + start, &width))
		start += width + strspn(s + start + width, " -|,/:;*#");
	cut_out(s, s + start);
}

void title_clean(const char *raw, char out[TITLE_MAX])
{
	char line[LONG_SIZE], s[LONG_SIZE], folded[TITLE_MAX];

	text_line(raw, line, sizeof line);
	memcpy(s, line, sizeof s);
	drop_parentheses(s);
	drop_segments(s);
	tidy(s);
	drop_tail(s);
	drop_bare_marker(s);
	drop_gender_endings(s);
	set_case(s);
	tidy(s);
	if (text_fold(s, folded, sizeof folded) == 0)
		memcpy(s, line, sizeof s);
	s[utf8_cut(s, strlen(s), TITLE_MAX - 1)] = '\0';
	memcpy(out, s, strlen(s) + 1);
	if (text_fold(out, folded, sizeof folded) == 0)
		out[0] = '\0';
}

void title_match_key(const char *title, char out[TITLE_MAX])
{
	static const struct {
		const char *word, *as;
	} SAME[] = {
		{ "sr", "senior" }, { "snr", "senior" }, { "jr", "junior" }, { "jnr", "junior" },
		{ "mgr", "manager" }, { "dev", "developer" }, { "eng", "engineer" }, { "engr", "engineer" },
		{ "assoc", "associate" }, { "asst", "assistant" }, { "admin", "administrator" }, { "and", "" },
		{ "the", "" }, { "of", "" }, { "fullstack", "full stack" }, { "backend", "back end" },
		{ "frontend", "front end" },
	};
	char folded[TITLE_MAX];
	size_t n = 0;

	text_fold(title, folded, sizeof folded);
	out[0] = '\0';
	for (char *save = NULL, *w = strtok_r(folded, " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		const char *as = w;

		for (size_t i = 0; i < COUNT(SAME); i++)
			if (!strcmp(w, SAME[i].word))
				as = SAME[i].as;
		if (*as && n + strlen(as) + 2 < TITLE_MAX)
			n += (size_t)snprintf(out + n, TITLE_MAX - n, "%s%s", n ? " " : "", as);
	}
}
