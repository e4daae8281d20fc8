/* SPDX-License-Identifier: MIT */
#include "common/market/pieces.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "common/market/gazetteer.h"

/* Taken off wherever they stand: how the work is done. */
static const char HOW[] =
	" remote remotely remoto remota remotework hybrid hybride hybrides hibrido ibrido onsite wfh "
	"teletrabajo teletravail homeoffice telework telecommute virtual virtually anywhere worldwide "
	"flexible distributed presencial presentiel global nationwide ";
/* What else goes with those: only where one of them stands too. */
static const char WITH_HOW[] =
	" in within from the or and of work working home office fully full 100 based only eligible "
	"ok friendly first across for to candidates employees en von aus im dans desde da on site time "
	"field possible option optional available preferred required any location locations is bei a at "
	"smart deutschlandweit bundesweit ";
/* Around the name of a city. */
static const char AROUND[] =
	" greater metro metropolitan area region metroplex downtown grossraum raum vicinity surrounding "
	"surroundings nearby central metropolregion umgebung agglomeration metropole "
	"metropolitana gran cedex umkreis ";
/* Says that the piece is a site of a firm, not a place. */
static const char SITE[] =
	" campus office offices branch headquarters headquarter hq hospital university college school "
	"building bldg floor suite ste plant warehouse facility store center centre mall clinic "
	"services service department dept team division temporary corporate regional buro standort "
	"siege agence sede oficina niederlassung zentrale filiale werk tower "
	"laboratory lab labs depot terminal select various multiple tbd any other all unspecified "
	"company systems operations negotiable selection ";
static const char SIDES[] =
	" north south east west northeast northwest southeast southwest northern southern eastern "
	"western region area central midwest district main field home territory statewide travel "
	"traveling offsite work from based and of the ";
/* Phrases that say as much as a word of HOW. */
static const char *const HOME[] = { "work from home", "work at home", "home office", "home based",
				    "field based", "working from home", "home working" };
static const char NOWHERE[] =
	" emea apac latam amer americas europe europa eu eea dach mena anz nordics benelux africa asia "
	"est cst mst pst edt cdt mdt pdt cet cest gmt utc bst ist timezone timezones ";

static bool is_in(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = n ? strstr(list + 1, word) : NULL; p; p = strstr(p + 1, word))
		if (p[-1] == ' ' && p[n] == ' ')
			return true;
	return false;
}

/* What follows a bullet, "via X" or "+2 more" is not part of the place. */
static void cut_tail(char *line)
{
	static const char *const MARKS[] = { "•",	      " · ",	  " via ",    " tramite ",
					     " über ",	      " a través de ", "+",	      " ou plus",
					     " and more",     " & more",  " et plus", " y más" };

	for (size_t i = 0; i < COUNT(MARKS); i++) {
		char *p = strstr(line, MARKS[i]);

		if (p && p > line && (MARKS[i][0] != '+' || isdigit((unsigned char)p[1])))
			*p = '\0';
	}
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80 || *text == '&' || *text == '<' || *text < ' ')
			return false;
	return true;
}

void pieces_line(const char *text, char line[PIECES_LINE])
{
	char lines[PIECES_LINE];
	size_t n = 0;

	snprintf(lines, sizeof lines, "%s", text ? text : "");
	lines[strcspn(lines, "\r")] = '\0';
	for (char *p = lines; (p = strchr(p, '\n')); p++)
		*p = ';';
	if (is_plain(lines) && strlen(lines) + 1 < sizeof lines) {
		for (const char *p = lines + strspn(lines, " "); *p; p++)
			if (*p != ' ' || (p[1] && p[1] != ' '))
				line[n++] = *p;
		line[n] = '\0';
	} else {
		text_line(lines, line, PIECES_LINE);
	}
	cut_tail(line);
}

/* A country, or a state of the US, by its name or code: what parts by hyphens begin with. */
static bool is_wide(const char *name)
{
	char folded[PIECE_SIZE];
	struct gazetteer_entry e;
	struct gazetteer_walk w;
	size_t len = strlen(name);
	bool upper = len > 0;

	for (const char *p = name; *p; p++)
		upper = upper && isupper((unsigned char)*p);
	if (upper && (len == 2 || len == 3))
		return country_by_code(name) || gazetteer_region_by_code("US", name) >= 0 ||
			gazetteer_region_by_code("CA", name) >= 0 || !strcmp(name, "UK");
	text_fold(name, folded, sizeof folded);
	for (w = gazetteer_find(folded); gazetteer_next(&w, &e) && e.kind != GAZETTEER_PLACE;)
		if (e.kind == GAZETTEER_COUNTRY || strstr("US CA IN AU", e.country))
			return len > 3 || upper;
	return is_in(HOW, folded);
}

static bool is_known(const char *name)
{
	char folded[PIECE_SIZE];
	struct gazetteer_walk w;

	text_fold(name, folded, sizeof folded);
	w = gazetteer_find(folded);
	return w.at < w.end;
}

/* Is what stands up to one of the marks a name? "Salem" of "US-Oregon-Salem, …". */
static bool is_known_to(const char *from, const char *marks)
{
	char part[PIECE_SIZE];

	snprintf(part, sizeof part, "%.*s", (int)strcspn(from, marks), from);
	return is_known(part);
}

/* Do the hyphens of this part of a line separate? */
static bool hyphens_part(const char *from, size_t len)
{
	char part[PIECES_LINE], *hyphen, *last;

	snprintf(part, sizeof part, "%.*s", (int)len, from + strspn(from, " ,"));
	hyphen = strchr(part, '-');
	if (!hyphen || hyphen == part || hyphen[-1] == ' ' || is_known(part))
		return false;
	last = strrchr(part, '-') + 1;
	*hyphen = '\0';
	return is_wide(part) || (is_wide(last) && is_known(part));
}

/* "USA-WA-Tacoma, USA-TX-Austin": a comma in front of another whole place. */
static bool comma_parts_places(const char *group, const char *comma)
{
	const char *next = comma + 1;

	return hyphens_part(group, (size_t)(comma - group)) &&
		hyphens_part(next, strcspn(next, ",;"));
}

static size_t group_ends_at(const char *group, const char *p)
{
	static const char *const MARKS[] = { " or ", " oder ", " ou ", " and/or ", " OR ", " Or " };

	if (*p == ';' || (*p == ',' && comma_parts_places(group, p)))
		return 1;
	for (size_t i = 0; *p == ' ' && i < COUNT(MARKS); i++)
		if (!strncmp(p, MARKS[i], strlen(MARKS[i])))
			return strlen(MARKS[i]);
	return 0;
}

bool pieces_next_group(char **line, char **ret_group)
{
	char *p = *line + strspn(*line, " ;,");

	*ret_group = p;
	if (!*p)
		return false;
	for (; *p; p++) {
		size_t n = group_ends_at(*ret_group, p);

		if (n) {
			*p = '\0';
			*line = p + n;
			return true;
		}
	}
	*line = p;
	return true;
}

/* "45242", "94520-1251", "M8Z 1B5", "SW1A 1AA", "D-80331", "15e": digits in every word. */
static bool is_postal(const char *text)
{
	bool digit = false;
	int lower = 0;

	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p >= 0x80 || (*p == ' ' && !digit))
			return false;
		lower += islower((unsigned char)*p) != 0;
		digit = *p != ' ' && (digit || isdigit((unsigned char)*p));
	}
	return digit && strlen(text) <= 10 && lower <= 3 &&
		(lower == 0 || isdigit((unsigned char)*text));
}

/* Words of text that stay, joined by blanks; notes what was taken off. */
struct sieve {
	char *words[24];
	size_t n;
	bool how, site, around;
	bool only_site;			/* each word is one for a site: "University" */
};

static void fold_word(const char *word, char out[PIECE_SIZE])
{
	text_fold(word, out, PIECE_SIZE);
}

static void sieve_words(struct sieve *s, char *text)
{
	char folded[PIECE_SIZE];

	*s = (struct sieve){ .only_site = true };
	for (char *save = NULL, *p = strtok_r(text, " _", &save); p && s->n < COUNT(s->words);
	     p = strtok_r(NULL, " _", &save)) {
		fold_word(p, folded);
		s->how = s->how || is_in(HOW, folded);
		s->only_site = s->only_site && (is_in(SITE, folded) || is_in(SIDES, folded));
		s->site = s->site || is_in(SITE, folded);
		s->around = s->around || is_in(AROUND, folded);
		s->words[s->n++] = p;
	}
}

static void drop(struct sieve *s, const char *list)
{
	char folded[PIECE_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		fold_word(s->words[i], folded);
		if (folded[0] && !is_in(list, folded))
			s->words[n++] = s->words[i];
	}
	s->n = n;
}

/* Codes of the post at either end: "Easton PA 18040", "80331 München", "Toronto M5H 2N2". */
static void drop_postal(struct sieve *s)
{
	while (s->n > 1 && is_postal(s->words[s->n - 1]))
		s->n--;
	while (s->n > 1 && is_postal(s->words[0])) {
		memmove(s->words, s->words + 1, (s->n - 1) * sizeof *s->words);
		s->n--;
	}
}

static void join(const struct sieve *s, char out[PIECE_SIZE])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n && n < PIECE_SIZE; i++)
		n += (size_t)snprintf(out + n, PIECE_SIZE - n, "%s%s", n ? " " : "", s->words[i]);
}

static bool is_upper(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isupper((unsigned char)*s))
			return false;
	return true;
}

/* "Waco TX", "Ivrea TO": the code behind a name. */
static void take_tail(struct piece *p, struct sieve *s)
{
	const char *last = s->n > 1 ? s->words[s->n - 1] : "";

	if ((strlen(last) == 2 || (strlen(last) == 3 && country_by_code(last))) && is_upper(last) &&
	    !is_known(p->text)) {
		snprintf(p->tail, sizeof p->tail, "%s", last);
		s->n--;
		join(s, p->text);
	}
}

/* Fills p from the words; false: nothing is left that could be a place. */
static bool clean(struct piece *p, struct sieve *s)
{
	for (size_t i = 0; i < COUNT(HOME); i++)
		s->how = s->how || text_has_word(p->folded, HOME[i]);
	if (s->how) {
		drop(s, HOW);
		drop(s, WITH_HOW);
	}
	drop_postal(s);
	join(s, p->text);
	take_tail(p, s);
	if (is_known(p->text))
		return true;
	if (s->around) {
		drop(s, AROUND);
		join(s, p->text);
		p->weak = p->weak || s->site;
	}
	if (s->site && !is_known(p->text)) {
		drop(s, SITE);
		join(s, p->text);
		take_tail(p, s);
		p->weak = true;
		return is_known(p->text);
	}
	return s->n > 0;
}

static bool is_zone(const char *folded)
{
	static const char *const CONTINENTS[] = { "north america", "south america", "latin america",
						  "central america", "the americas",
						  "middle east",   "southeast asia" };

	for (size_t i = 0; i < COUNT(CONTINENTS); i++)
		if (!strcmp(folded, CONTINENTS[i]))
			return true;
	return text_has_word(folded, "utc") || text_has_word(folded, "gmt") ||
		text_has_word(folded, "time zone") || text_has_word(folded, "time zones") ||
		text_has_word(folded, "timezone") || text_has_word(folded, "timezones");
}

/* "D.C." -> "DC". */
static void join_initials(char *text)
{
	size_t n = 0;

	for (size_t i = 0; text[i]; i++)
		if (i % 2 ? text[i] != '.' : !isupper((unsigned char)text[i]))
			return;
	for (size_t i = 0; text[i]; i += 1 + (text[i + 1] != '\0'))
		text[n++] = text[i];
	text[n] = '\0';
}

static void add(struct pieces *all, const char *from, size_t len, bool weak)
{
	struct piece *p = &all->at[all->n];
	char text[PIECE_SIZE];
	struct sieve s;

	while (len > 0 && strchr(" ()[]-.", *from))
		from++, len--;
	while (len > 0 && strchr(" ()[]-", from[len - 1]))
		len--;
	if (len == 0 || len >= PIECE_SIZE || all->n == PIECES_MAX)
		return;
	*p = (struct piece){ .weak = weak };
	snprintf(text, sizeof text, "%.*s", (int)len, from);
	join_initials(text);
	text_fold(text, p->folded, sizeof p->folded);
	if (!p->folded[0] || is_zone(p->folded) || is_in(NOWHERE, p->folded) || is_postal(text))
		return;
	sieve_words(&s, text);
	if (s.only_site || !clean(p, &s))
		return;
	text_fold(p->text, p->folded, sizeof p->folded);
	if (!p->folded[0] || is_in(NOWHERE, p->folded) || is_postal(p->text))
		return;
	len = strlen(p->text);
	p->code = !p->tail[0] && (len == 2 || len == 3) && isalpha((unsigned char)p->text[0]) &&
		isalpha((unsigned char)p->text[1]) &&
		(is_upper(p->text) || (len == 2 && all->n > 0));
	all->n++;
}

/* "Carmel (111 Congressional": the name, and what the parentheses say if it is a place. */
static void add_with_aside(struct pieces *all, const char *from, size_t len, bool weak)
{
	const char *open = memchr(from, '(', len), *close;
	char whole[PIECE_SIZE];

	snprintf(whole, sizeof whole, "%.*s", (int)len, from);
	if (!open || open == from || is_known(whole)) {
		add(all, from, len, weak);
		return;
	}
	add(all, from, (size_t)(open - from), weak);
	close = memchr(open, ')', len - (size_t)(open - from));
	if (!close)
		return;
	snprintf(whole, sizeof whole, "%.*s", (int)(close - open - 1), open + 1);
	add(all, open + 1, (size_t)(close - open - 1), true);
}

/* Length of the separator at p; 0: none. */
static size_t separator_at(const char *p, bool hyphens)
{
	if (strchr(",|/", *p))
		return 1;
	if (!strncmp(p, " - ", 3))
		return 3;
	if (!strncmp(p, " – ", 5) || !strncmp(p, " — ", 5))
		return 5;
	return hyphens && *p == '-' ? 1 : 0;
}

/* Up to the next separator that is no hyphen. */
static size_t part_length(const char *from)
{
	const char *dash = strstr(from, " - ");
	size_t n = strcspn(from, ",|");

	return dash && (size_t)(dash - from) < n ? (size_t)(dash - from) : n;
}

void pieces_split(char *group, struct pieces *ret)
{
	char *start = group;
	bool hyphens = hyphens_part(group, part_length(group)), open = false;

	ret->n = 0;
	for (char *p = group; *p; p++) {
		size_t n = open && *p != '|' ? 0 : separator_at(p, hyphens);

		open = *p == '(' || (open && *p != ')' && *p != '|');
		if (!n)
			continue;
		add_with_aside(ret, start, (size_t)(p - start), n > 1);
		start = p + n;
		if (*p == '-' && hyphens)
			hyphens = !is_known_to(start, ",|");
		else
			hyphens = hyphens_part(start, part_length(start));
		p = start - 1;
	}
	add_with_aside(ret, start, strlen(start), false);
}
