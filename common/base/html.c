/* SPDX-License-Identifier: MIT */
#include "common/base/html.h"

#include <ctype.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

enum { ENTITY_MAX = 16, TAG_NAME_MAX = 10, LINES_AN_ELEMENT = 2 };

enum tag_kind { TAG_INLINE, TAG_BREAK, TAG_BLOCK, TAG_ITEM, TAG_HIDDEN };

#define BULLET "•"

enum { BULLET_BYTES = sizeof BULLET - 1, BLANKS_MAX = 64 };

/* Sorted by name, for bsearch. */
static const struct tag {
	const char *name;
	enum tag_kind kind;
} TAGS[] = {
	{ "a", TAG_INLINE }, { "abbr", TAG_INLINE }, { "address", TAG_BLOCK },
	{ "area", TAG_INLINE }, { "article", TAG_BLOCK }, { "aside", TAG_BLOCK },
	{ "audio", TAG_INLINE }, { "b", TAG_INLINE }, { "base", TAG_INLINE },
	{ "big", TAG_INLINE }, { "blockquote", TAG_BLOCK }, { "body", TAG_BLOCK },
	{ "br", TAG_BREAK }, { "button", TAG_INLINE }, { "caption", TAG_BLOCK },
	{ "center", TAG_BLOCK }, { "cite", TAG_INLINE }, { "code", TAG_INLINE },
	{ "col", TAG_INLINE }, { "colgroup", TAG_INLINE }, { "dd", TAG_BREAK },
	{ "del", TAG_INLINE }, { "details", TAG_BLOCK }, { "dfn", TAG_INLINE },
	{ "dir", TAG_BLOCK }, { "div", TAG_BLOCK }, { "dl", TAG_BLOCK }, { "dt", TAG_BREAK },
	{ "em", TAG_INLINE }, { "embed", TAG_INLINE }, { "fieldset", TAG_BLOCK },
	{ "figcaption", TAG_BLOCK }, { "figure", TAG_BLOCK }, { "font", TAG_INLINE },
	{ "footer", TAG_BLOCK }, { "form", TAG_BLOCK }, { "h1", TAG_BLOCK }, { "h2", TAG_BLOCK },
	{ "h3", TAG_BLOCK }, { "h4", TAG_BLOCK }, { "h5", TAG_BLOCK }, { "h6", TAG_BLOCK },
	{ "head", TAG_BLOCK }, { "header", TAG_BLOCK }, { "hgroup", TAG_BLOCK },
	{ "hr", TAG_BREAK }, { "html", TAG_BLOCK }, { "i", TAG_INLINE },
	{ "iframe", TAG_INLINE }, { "img", TAG_INLINE }, { "input", TAG_INLINE },
	{ "ins", TAG_INLINE }, { "kbd", TAG_INLINE }, { "label", TAG_INLINE },
	{ "legend", TAG_INLINE }, { "li", TAG_ITEM }, { "link", TAG_INLINE },
	{ "main", TAG_BLOCK }, { "map", TAG_INLINE }, { "mark", TAG_INLINE },
	{ "menu", TAG_BLOCK }, { "meta", TAG_INLINE }, { "nav", TAG_BLOCK },
	{ "nobr", TAG_INLINE }, { "noscript", TAG_INLINE }, { "ol", TAG_BLOCK },
	{ "option", TAG_INLINE }, { "p", TAG_BLOCK }, { "picture", TAG_INLINE },
	{ "pre", TAG_BLOCK }, { "s", TAG_INLINE }, { "samp", TAG_INLINE },
	{ "script", TAG_HIDDEN }, { "section", TAG_BLOCK }, { "select", TAG_INLINE },
	{ "small", TAG_INLINE }, { "span", TAG_INLINE }, { "strike", TAG_INLINE },
	{ "strong", TAG_INLINE }, { "style", TAG_HIDDEN }, { "sub", TAG_INLINE },
	{ "summary", TAG_BLOCK }, { "sup", TAG_INLINE }, { "svg", TAG_INLINE },
	{ "table", TAG_BLOCK }, { "tbody", TAG_BLOCK }, { "td", TAG_INLINE },
	{ "textarea", TAG_INLINE }, { "tfoot", TAG_BLOCK }, { "th", TAG_INLINE },
	{ "thead", TAG_BLOCK }, { "time", TAG_INLINE }, { "title", TAG_BLOCK },
	{ "tr", TAG_BREAK }, { "tt", TAG_INLINE }, { "u", TAG_INLINE }, { "ul", TAG_BLOCK },
	{ "video", TAG_INLINE }, { "wbr", TAG_INLINE },
};

/* Sorted by name (case matters), for bsearch. */
static const struct entity {
	const char *name;
	uint32_t cp;
} ENTITIES[] = {
	{ "AElig", 198 }, { "Aacute", 193 }, { "Acirc", 194 }, { "Agrave", 192 },
	{ "Aogon", 260 }, { "Aring", 197 }, { "Atilde", 195 }, { "Auml", 196 },
	{ "Cacute", 262 }, { "Ccaron", 268 }, { "Ccedil", 199 }, { "Dagger", 8225 },
	{ "Delta", 916 }, { "ETH", 208 }, { "Eacute", 201 }, { "Ecaron", 282 }, { "Ecirc", 202 },
	{ "Egrave", 200 }, { "Eogon", 280 }, { "Euml", 203 }, { "Gbreve", 286 },
	{ "Iacute", 205 }, { "Icirc", 206 }, { "Idot", 304 }, { "Igrave", 204 }, { "Iuml", 207 },
	{ "Lstrok", 321 }, { "Nacute", 323 }, { "NewLine", 10 }, { "NonBreakingSpace", 160 },
	{ "Ntilde", 209 }, { "OElig", 338 }, { "Oacute", 211 }, { "Ocirc", 212 },
	{ "Ograve", 210 }, { "Omega", 937 }, { "Oslash", 216 }, { "Otilde", 213 },
	{ "Ouml", 214 }, { "Prime", 8243 }, { "Rcaron", 344 }, { "Sacute", 346 },
	{ "Scaron", 352 }, { "Scedil", 350 }, { "Sigma", 931 }, { "THORN", 222 }, { "Tab", 9 },
	{ "Uacute", 218 }, { "Ucirc", 219 }, { "Ugrave", 217 }, { "Uring", 366 },
	{ "Uuml", 220 }, { "Yacute", 221 }, { "Yuml", 376 }, { "Zacute", 377 },
	{ "Zcaron", 381 }, { "Zdot", 379 }, { "aacute", 225 }, { "acirc", 226 },
	{ "acute", 180 }, { "aelig", 230 }, { "agrave", 224 }, { "alpha", 945 }, { "amp", '&' },
	{ "aogon", 261 }, { "apos", '\'' }, { "aring", 229 }, { "ast", 42 }, { "asymp", 8776 },
	{ "atilde", 227 }, { "auml", 228 }, { "bdquo", 8222 }, { "beta", 946 },
	{ "blacksquare", 9642 }, { "brvbar", 166 }, { "bsol", 92 }, { "bull", 8226 },
	{ "bullet", 8226 }, { "cacute", 263 }, { "ccaron", 269 }, { "ccedil", 231 },
	{ "cedil", 184 }, { "cent", 162 }, { "check", 10003 }, { "circ", 710 }, { "colon", 58 },
	{ "comma", 44 }, { "commat", 64 }, { "copy", 169 }, { "cross", 10007 },
	{ "curren", 164 }, { "dagger", 8224 }, { "darr", 8595 }, { "dash", 8208 },
	{ "deg", 176 }, { "delta", 948 }, { "divide", 247 }, { "dollar", 36 }, { "eacute", 233 },
	{ "ecaron", 283 }, { "ecirc", 234 }, { "egrave", 232 }, { "emsp", 8195 },
	{ "ensp", 8194 }, { "eogon", 281 }, { "equals", 61 }, { "eth", 240 }, { "euml", 235 },
	{ "euro", 8364 }, { "excl", 33 }, { "frac12", 189 }, { "frac14", 188 },
	{ "frac34", 190 }, { "gamma", 947 }, { "gbreve", 287 }, { "ge", 8805 }, { "gt", '>' },
	{ "hairsp", 8202 }, { "harr", 8596 }, { "hearts", 9829 }, { "hellip", 8230 },
	{ "horbar", 8213 }, { "hyphen", 8208 }, { "iacute", 237 }, { "icirc", 238 },
	{ "iexcl", 161 }, { "igrave", 236 }, { "infin", 8734 }, { "inodot", 305 },
	{ "iquest", 191 }, { "iuml", 239 }, { "lArr", 8656 }, { "lang", 10216 },
	{ "laquo", 171 }, { "larr", 8592 }, { "lcub", 123 }, { "ldquo", 8220 }, { "le", 8804 },
	{ "lowbar", 95 }, { "loz", 9674 }, { "lpar", 40 }, { "lrm", 8206 }, { "lsaquo", 8249 },
	{ "lsqb", 91 }, { "lsquo", 8216 }, { "lstrok", 322 }, { "lt", '<' }, { "macr", 175 },
	{ "mdash", 8212 }, { "micro", 181 }, { "middot", 183 }, { "minus", 8722 }, { "mu", 956 },
	{ "nacute", 324 }, { "nbsp", 160 }, { "ndash", 8211 }, { "ne", 8800 }, { "not", 172 },
	{ "ntilde", 241 }, { "num", 35 }, { "numsp", 8199 }, { "oacute", 243 }, { "ocirc", 244 },
	{ "oelig", 339 }, { "ograve", 242 }, { "ordf", 170 }, { "ordm", 186 }, { "oslash", 248 },
	{ "otilde", 245 }, { "ouml", 246 }, { "para", 182 }, { "percnt", 37 }, { "period", 46 },
	{ "permil", 8240 }, { "phone", 9742 }, { "pi", 960 }, { "plus", 43 }, { "plusmn", 177 },
	{ "pound", 163 }, { "prime", 8242 }, { "puncsp", 8200 }, { "quest", 63 },
	{ "quot", '"' }, { "rArr", 8658 }, { "radic", 8730 }, { "rang", 10217 },
	{ "raquo", 187 }, { "rarr", 8594 }, { "rcaron", 345 }, { "rcub", 125 },
	{ "rdquo", 8221 }, { "reg", 174 }, { "rlm", 8207 }, { "rpar", 41 }, { "rsaquo", 8250 },
	{ "rsqb", 93 }, { "rsquo", 8217 }, { "sacute", 347 }, { "sbquo", 8218 },
	{ "scaron", 353 }, { "scedil", 351 }, { "sdot", 8901 }, { "sect", 167 }, { "semi", 59 },
	{ "shy", 173 }, { "sigma", 963 }, { "sol", 47 }, { "squ", 9633 }, { "squf", 9642 },
	{ "star", 9734 }, { "starf", 9733 }, { "sup1", 185 }, { "sup2", 178 }, { "sup3", 179 },
	{ "szlig", 223 }, { "thinsp", 8201 }, { "thorn", 254 }, { "tilde", 732 },
	{ "times", 215 }, { "trade", 8482 }, { "uacute", 250 }, { "uarr", 8593 },
	{ "ucirc", 251 }, { "ugrave", 249 }, { "uml", 168 }, { "uring", 367 }, { "uuml", 252 },
	{ "verbar", 124 }, { "vert", 124 }, { "yacute", 253 }, { "yen", 165 }, { "yuml", 255 },
	{ "zacute", 378 }, { "zcaron", 382 }, { "zdot", 380 }, { "zwj", 8205 }, { "zwnj", 8204 },
};

static int compare_tag(const void *key, const void *row)
{
	return strcmp(key, ((const struct tag *)row)->name);
}

static int compare_entity(const void *key, const void *row)
{
	return strcmp(key, ((const struct entity *)row)->name);
}

/* Word's own elements: "<o:p>" */
static const struct tag NAMESPACED = { ":", TAG_INLINE };

/* The element named at p, which stands after '<' or "</"; NULL: not one of HTML's. */
static const struct tag *tag_at(const char *p, const char *end)
{
	char name[TAG_NAME_MAX + 1];
	size_t n = 0;

	while (p < end && n < TAG_NAME_MAX && isalnum((unsigned char)*p))
		name[n++] = (char)tolower((unsigned char)*p++);
	name[n] = '\0';
	if (n == 1 && end - p > 2 && *p == ':' && isalpha((unsigned char)p[1]))
		return &NAMESPACED;
	if (n == 0 || (p < end && !strchr(" \t\r\n/>&", *p)))
		return NULL;
	return bsearch(name, TAGS, COUNT(TAGS), sizeof TAGS[0], compare_tag);
}

static const char *after_slash(const char *p, const char *end)
{
	return p < end && *p == '/' ? p + 1 : p;
}

bool html_has_tags(const char *text, size_t len)
{
	const char *end = text + len, *p = text;

	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		p++;
		if (tag_at(after_slash(p, end), end))
			return true;
	}
	return false;
}

bool html_has_escaped_tags(const char *text, size_t len)
{
	const char *end = text + len, *p = text;

	while ((p = memmem(p, (size_t)(end - p), "&lt;", 4))) {
		p += 4;
		if (tag_at(after_slash(p, end), end))
			return true;
	}
	return false;
}

/* Where the tag that starts at p (on '<') ends: after its '>'. Quotes may hold a '>'; a tag that
 * never ends is text. */
static const char *tag_end(const char *p, const char *end)
{
	char quote = 0;
	const char *limit = end - p > 4096 ? p + 4096 : end;

	for (p++; p < limit; p++) {
		if (quote) {
			if (*p == quote)
				quote = 0;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '>') {
			return p + 1;
		}
	}
	return NULL;
}

static const char *skip_comment(const char *p, const char *end)
{
	const char *close = memmem(p, (size_t)(end - p), "-->", 3);

	return close ? close + 3 : end;
}

/* After the closing tag of a script or style that opened before p. */
static const char *skip_hidden(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		if ((size_t)(end - p) > n + 2 && p[1] == '/' && !strncasecmp(p + 2, name, n)) {
			const char *close = tag_end(p, end);

			return close ? close : end;
		}
		p++;
	}
	return end;
}

/* Without the blanks at the end, if they are few: nothing but blanks must not cost its square. */
static size_t trimmed_len(const struct buf *out)
{
	size_t n = out->len, least = n > BLANKS_MAX ? n - BLANKS_MAX : 0;

	while (n > least && (out->data[n - 1] == ' ' || out->data[n - 1] == '\n'))
		n--;
	return n;
}

/* Whether nothing but a bullet stands at the end: what comes belongs behind it, on its line. */
static bool is_after_bullet(struct buf *out)
{
	size_t n = trimmed_len(out);

	if (n < BULLET_BYTES || memcmp(out->data + n - BULLET_BYTES, BULLET, BULLET_BYTES) != 0)
		return false;
	out->len = n;
	buf_putc(out, ' ');
	return true;
}

/* Items of one list stand close, whatever their mark-up has between them. */
static void put_bullet(struct buf *out)
{
	size_t n = trimmed_len(out);
	const char *line = n ? memrchr(out->data, '\n', n) : NULL,
		   *start = line ? line + 1 : out->data;

	if (n >= BULLET_BYTES && memcmp(start, BULLET, BULLET_BYTES) == 0)
		out->len = n;
	buf_puts(out, "\n" BULLET " ");
}

static void put_structure(struct buf *out, const struct tag *tag, bool closing)
{
	if (tag->kind == TAG_BREAK && !closing)
		buf_putc(out, '\n');
	else if (tag->kind == TAG_BLOCK && closing)
		buf_putc(out, '\n');
	else if (tag->kind == TAG_BLOCK && !is_after_bullet(out))
		buf_puts(out, "\n\n");
	else if (tag->kind == TAG_ITEM && !closing)
		put_bullet(out);
	else if (!strcmp(tag->name, "td") || !strcmp(tag->name, "th"))
		buf_putc(out, ' ');
}

/* What stands at '<': returns where the text goes on, or NULL if it is text itself. */
static const char *strip_one(const char *p, const char *end, struct buf *out)
{
	bool closing = p + 1 < end && p[1] == '/';
	const struct tag *tag;
	const char *close;

	if (end - p >= 4 && !memcmp(p, "<!--", 4))
		return skip_comment(p + 4, end);
	tag = tag_at(p + 1 + closing, end);
	if (!tag)
		return NULL;
	close = tag_end(p, end);
	if (!close)
		return NULL;
	if (tag->kind == TAG_HIDDEN && !closing)
		return skip_hidden(close, end, tag->name);
	put_structure(out, tag, closing);
	return close;
}

/* Where elements make the lines, a line end is only a blank, as in browsers. A text of lines with
 * some mark-up in it keeps its own. */
static bool has_own_lines(const char *text, size_t len)
{
	const char *end = text + len, *p = text;
	size_t elements = 0, lines = 0;

	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		const struct tag *tag = tag_at(after_slash(++p, end), end);

		elements += tag && tag->kind != TAG_INLINE;
	}
	for (p = text; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	return lines > LINES_AN_ELEMENT * elements;
}

static void append_text(struct buf *out, const char *text, size_t len, bool own_lines)
{
	char *at, *end;

	if (buf_append(out, text, len) < 0 || own_lines || len == 0)
		return;
	end = out->data + out->len;
	at = end - len;
	for (char *p = at; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		*p = ' ';
	for (char *p = at; (p = memchr(p, '\r', (size_t)(end - p))); p++)
		*p = ' ';
}

void html_strip(const char *text, size_t len, struct buf *out)
{
	const char *end = text + len, *p = text;
	bool own_lines = has_own_lines(text, len);

	while (p < end) {
		const char *mark = memchr(p, '<', (size_t)(end - p));
		const char *next;

		if (!mark)
			mark = end;
		append_text(out, p, (size_t)(mark - p), own_lines);
		if (mark == end)
			return;
		next = strip_one(mark, end, out);
		if (!next) {
			buf_putc(out, '<');
			next = mark + 1;
		}
		p = next;
	}
}

static uint32_t numeric_entity(const char *p, size_t n)
{
	uint32_t cp = 0;
	bool hex = n > 0 && (p[0] == 'x' || p[0] == 'X');

	for (size_t i = hex; i < n; i++) {
		if (!(hex ? isxdigit((unsigned char)p[i]) : isdigit((unsigned char)p[i])))
			return 0;
		cp = cp * (hex ? 16 : 10) + (uint32_t)(isdigit((unsigned char)p[i]) ? p[i] - '0' :
			tolower((unsigned char)p[i]) - 'a' + 10);
		if (cp > 0x10FFFF)
			return 0;
	}
	if (cp >= 0x80 && cp < 0xA0) {		/* browsers read these as Windows-1252 */
		char byte = (char)cp;
		size_t one;

		cp = utf8_next(&byte, &byte + 1, &one);
	}
	return cp >= 0xD800 && cp <= 0xDFFF ? 0 : cp;
}

/* The code point of the entity at p (on '&'), and its length; 0: it is none. */
static uint32_t entity_at(const char *p, const char *end, size_t *ret_bytes)
{
	char name[ENTITY_MAX + 1];
	size_t n = 0;
	const struct entity *found;

	for (p++; p < end && n < ENTITY_MAX && (isalnum((unsigned char)*p) || *p == '#'); p++)
		name[n++] = *p;
	if (p >= end || *p != ';' || n == 0)
		return 0;
	name[n] = '\0';
	*ret_bytes = n + 2;
	if (name[0] == '#')
		return numeric_entity(name + 1, n - 1);
	found = bsearch(name, ENTITIES, COUNT(ENTITIES), sizeof ENTITIES[0], compare_entity);
	return found ? found->cp : 0;
}

bool html_has_entities(const char *text, size_t len)
{
	const char *end = text + len, *p = text;
	size_t n;

	while ((p = memchr(p, '&', (size_t)(end - p)))) {
		if (entity_at(p, end, &n))
			return true;
		p++;
	}
	return false;
}

bool html_is_marked(const char *text, size_t len)
{
	return html_has_tags(text, len) || html_has_entities(text, len);
}

void html_unescape(const char *text, size_t len, struct buf *out)
{
	const char *end = text + len, *p = text;

	while (p < end) {
		const char *mark = memchr(p, '&', (size_t)(end - p));
		size_t n = 1;
		uint32_t cp;

		if (!mark)
			mark = end;
		buf_append(out, p, (size_t)(mark - p));
		if (mark == end)
			return;
		cp = entity_at(mark, end, &n);
		if (cp) {
			utf8_append(out, cp);
		} else {
			buf_putc(out, '&');
			n = 1;
		}
		p = mark + n;
	}
}
