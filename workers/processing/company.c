/* SPDX-License-Identifier: MIT */
#include "workers/processing/company.h"

#include <stdbool.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* Folded legal forms, each of which ends a name (longer ones are found by their ends, too). The
 * form may stand before the name, in Asia without a space. */
static const char *const SUFFIXES[] = {
	"gmbh co kgaa", "gmbh co kg", "gmbh und co kg", "gmbh u co kg", "gmbh and co kg",
	"gmbh co ohg", "gmbh cie kg", "gmbh co", "ag co kg", "ag co kgaa", "se co kg",
	"se co kgaa", "inc", "incorporated", "llc", "l l c", "llc usa", "ltd", "limited",
	"corp", "corporation", "co", "company", "companies", "plc", "llp", "l l p", "lp",
	"l p", "lllp", "pllc", "p l l c", "pbc", "pc", "p c", "gmbh", "ggmbh", "mbh", "gesmbh",
	"ges m b h", "g m b h", "ag", "se", "kg", "kgaa", "ohg", "ug", "e v", "ev", "gbr",
	"e k", "ek", "e kfm", "eg", "partg", "partg mbb", "haftungsbeschrankt",
	"ug haftungsbeschrankt", "sa", "s a", "sas", "s a s", "sarl", "s a r l", "sasu",
	"eurl", "sci", "scop", "snc", "s n c", "sca", "s c a", "selarl", "gie", "scrl", "sprl",
	"srl", "s r l", "srls", "s r l s", "spa", "s p a", "sapa", "s a p a", "scarl",
	"s c a r l", "soc coop", "societa cooperativa", "a socio unico", "sl", "s l", "slu",
	"s l u", "sll", "s l l", "sau", "s a u", "s coop", "scoop", "sociedad limitada",
	"sociedad anonima", "bv", "b v", "nv", "n v", "vof", "v o f", "cv", "bvba", "vzw",
	"asbl", "ab", "a b", "publ", "oy", "oyj", "oy ab", "ky", "as", "asa", "aps", "a s",
	"p s", "k s", "i s", "hf", "ehf", "pty", "proprietary", "pty ltd", "pte",
	"pte ltd", "pvt", "private", "pvt ltd", "bhd", "sdn bhd", "sdn", "tbk",
	"sp z o o", "spzoo", "sp zoo", "sp k", "sp j", "spolka z o o", "spolka akcyjna",
	"spolka z ograniczona odpowiedzialnoscia", "kft", "zrt", "nyrt", "bt", "sro", "s r o",
	"spol s r o", "doo", "d o o", "dd", "d d", "a d", "ead", "eood", "ood", "ooo",
	"oao", "zao", "pao", "ao", "tov", "uab", "sia", "ou", "lda", "ltda", "s a de c v",
	"sa de cv", "s de r l", "s de r l de c v", "s de rl de cv", "s a p i de c v",
	"sapi de cv", "de c v", "de cv", "s a c", "sac", "s a s de c v", "eireli", "epp",
	"kk", "k k", "gk", "kabushiki kaisha", "godo kaisha", "yugen kaisha", "co ltd",
	"co limited", "a s anonim sirketi", "anonim sirketi", "limited sirketi", "ltd sti",
	"ltd sirketi", "as ltd", "group inc", "usa inc", "us inc", "na", "n a", "ltee",
	"ltd liability co", "sia ltd", "fze", "fzco", "fz llc", "dmcc", "wll", "w l l", "pjsc",
	"p j s c", "saog", "jsc", "ojsc", "cjsc", "pte limited", "cic", "c i c", "cio", "dac",
	"unlimited", "teo", "teoranta", "株式会社", "有限会社", "合同会社", "有限公司", "股份有限公司",
	"有限责任公司", "주식회사",
};
static const char *const PREFIXES[] = { "ooo", "oao",	   "zao",      "pao",	   "tov",
					"uab", "株式会社", "有限会社", "合同会社", "주식회사" };
static const char *const GLUED[] = { "株式会社", "有限会社", "合同会社", "股份有限公司", "有限责任公司",
	"有限公司", "주식회사" };

static bool is_quote(char c)
{
	return c && strchr("\"|-,;:", c);
}

/* Quotes around the whole and marks at the ends are somebody's template. */
static void trim(char *name)
{
	size_t len = strlen(name), from = 0;

	while (len > 0 && (name[len - 1] == ' ' || is_quote(name[len - 1])))
		len--;
	while (from < len && (name[from] == ' ' || is_quote(name[from])))
		from++;
	memmove(name, name + from, len - from);
	name[len - from] = '\0';
}

/* What sources write where they have no name. */
static bool is_nobody(const char *folded)
{
	static const char *const NOBODY[] = {
		"n a", "na", "none", "null", "undefined", "unknown", "confidential", "not specified",
		"anonymous", "company", "employer", "confidential company", "company confidential", "tbd",
		"test", "nan", "private employer", "unternehmen", "entreprise confidentielle",
		"empresa confidencial", "anonym", "vertraulich",
	};

	for (size_t i = 0; i < COUNT(NOBODY); i++)
		if (!strcmp(folded, NOBODY[i]))
			return true;
	return false;
}

void company_clean(const char *raw, char out[COMPANY_MAX])
{
	char folded[COMPANY_MAX];

	text_line(raw, out, COMPANY_MAX);
	trim(out);
	if (text_fold(out, folded, sizeof folded) == 0)
		out[0] = '\0';
}

bool company_is_nobody(const char *name)
{
	char folded[COMPANY_MAX];

	return text_fold(name, folded, sizeof folded) == 0 || is_nobody(folded);
}

/* The length without one suffix, or len when there is none. */
static size_t without_suffix(const char *key, size_t len)
{
	for (size_t i = 0; i < COUNT(SUFFIXES); i++) {
		size_t n = strlen(SUFFIXES[i]);

		if (len > n + 1 && key[len - n - 1] == ' ' &&
		    !memcmp(key + len - n, SUFFIXES[i], n))
			return len - n - 1;
	}
	return len;
}

/* "PT Acme", "株式会社アクメ": the length of the form and the space after it; 0: none. */
static size_t prefix_length(const char *key, size_t len)
{
	for (size_t i = 0; i < COUNT(PREFIXES); i++) {
		size_t n = strlen(PREFIXES[i]);

		if (len > n + 2 && !memcmp(key, PREFIXES[i], n) && key[n] == ' ')
			return n + 1;
	}
	for (size_t i = 0; i < COUNT(GLUED); i++) {
		size_t n = strlen(GLUED[i]);

		if (len > n && !memcmp(key, GLUED[i], n))
			return n;
	}
	return 0;
}

static size_t without_glued(const char *key, size_t len)
{
	for (size_t i = 0; i < COUNT(GLUED); i++) {
		size_t n = strlen(GLUED[i]);

		if (len > n && !memcmp(key + len - n, GLUED[i], n))
			return len - n;
	}
	return len;
}

void company_match_key(const char *name, char out[COMPANY_MAX])
{
	size_t len = text_fold(name, out, COMPANY_MAX), before;

	for (;;) {
		size_t shorter = without_glued(out, without_suffix(out, len));

		if (shorter == len)
			break;
		len = shorter;
		out[len] = '\0';
	}
	before = len > 4 && !memcmp(out, "the ", 4) ? 4 : prefix_length(out, len);
	memmove(out, out + before, len - before + 1);
}
