/* SPDX-License-Identifier: MIT */
/* listing: one posting as a source sent it, under names that are the same for every source.
 *
 * A source's read_row points its members here and interprets nothing: texts may be HTML, escaped
 * twice, mojibake; dates absolute or relative; pay in words. Whatever a row lacks, or has as null
 * or of another type, stays as listing_init left it. What it all means is processing's to say.
 * Ownership: everything is borrowed from the row, the answer or the listing's own numbers; a
 * listing is used before its answer is freed, and is not copied. */
#ifndef SOURCES_LISTING_H
#define SOURCES_LISTING_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LISTING_PARTS = 64, LISTING_PLACES = 16, LISTING_TEXTS = 32, LISTING_NUMBER = 32,
	LISTING_KEPT = 512,
};

struct listing_texts {
	const char *text[LISTING_TEXTS];
	size_t n;			/* what does not fit is left out */
};

/* Any of it may be NULL. A text alone is read as a place, the other members as what they say. */
struct listing_place {
	const char *text, *city, *region, *country, *postal_code;
	double latitude, longitude;
	bool has_coordinates;
};

/* What the source says in a member made for it; a mere flag says less. */
enum listing_remote { LISTING_UNSAID, LISTING_ONSITE, LISTING_HYBRID, LISTING_REMOTE };

/* In the order of trust: a number of seconds or milliseconds since 1970, or a text. */
struct listing_date {
	int64_t epoch;			/* 0 = none */
	const char *text;		/* absolute or relative, in any language; NULL */
};

struct listing {
	/* Both are required. The names are the source's own, for "Missing required field: …". */
	const cJSON *title, *company;
	const char *title_name, *company_name;
	const char *company_default;	/* when the row names none, such as a board's; NULL */

	const char *part[LISTING_PARTS];	/* of the description, in order; texts or HTML */
	size_t nparts;
	struct listing_texts lines;	/* beside the description: read for pay and skills */
	struct listing_place place[LISTING_PLACES];	/* the main one first */
	size_t nplaces;
	enum listing_remote remote;
	/* ISO code of most of the source's postings, against doubt; "": none, whatever country was
	 * asked for; NULL: what was asked for, if it is a search. */
	const char *country_likely;
	bool remote_flag;		/* unreliable: weighed with title, place and text */
	struct listing_texts employment;	/* "Full-time", "FULLTIME", "permanent" … */
	struct listing_date posted, expires;

	const cJSON *pay_min, *pay_max;	/* numbers, or texts of numbers; NULL, 0 and "" say nothing */
	bool pay_in_cents;		/* they count hundredths */
	const char *pay_currency, *pay_period;	/* as the source writes them; NULL */
	bool pay_estimated;		/* the source's own guess, not the employer's word */
	bool pay_federal;		/* of the United States' service: 2,087 hours are a year */
	struct listing_texts pay;	/* texts that are about pay: "$100K - $120K a year" */

	const char *apply_url;
	struct listing_texts apply_more;	/* other addresses, next best first */
	const cJSON *apply_options;	/* array, kept as it is; NULL */
	struct listing_texts skills;	/* named as such; also tags, which may be anything */
	struct listing_texts benefits;
	int experience_months;		/* -1 = not said */
	const char *education;		/* static: postgraduate, bachelors, associates, high_school */
	const char *level;		/* the source's word for it: "Senior Level"; NULL */
	const char *category;		/* "IT Jobs"; NULL */
	const char *onet_soc, *naics_code, *naics_name;
	const char *language;		/* ISO 639-1; NULL */
	const char *company_website, *company_logo, *company_type, *company_linkedin;
	const char *publisher;		/* where the source has it from: "LinkedIn"; NULL */
	const char *external_id;

	char number[4][LISTING_NUMBER];	/* numbers that are wanted as texts */
	size_t nnumbers;
	char kept[LISTING_KEPT];	/* pieces of texts, each with its NUL */
	size_t nkept;
};

void listing_init(struct listing *l);

/* Forgiving reads of a member; "" counts as absent. */
const char *listing_text(const cJSON *object, const char *name);	/* NULL */
/* A text, or a number as its text (at most 4 of these a listing). */
const char *listing_text_or_number(struct listing *l, const cJSON *object, const char *name);
bool listing_flag(const cJSON *object, const char *name);	/* true, 1, "true", "yes" */
int64_t listing_integer(const cJSON *object, const char *name);	/* also as text; 0 if absent */
bool listing_number(const cJSON *object, const char *name, double *ret);	/* also as text */

/* NULL and "" are left out. */
void listing_add(struct listing_texts *texts, const char *text);
void listing_add_all(struct listing_texts *texts, const cJSON *array);	/* its texts */
/* A tag: a kind of employment if it is nothing else ("full time"), otherwise among the skills. */
void listing_add_tag(struct listing *l, const char *tag);
void listing_add_part(struct listing *l, const char *text);
/* A piece of a text as a text of its own, without blanks at its ends; NULL if nothing is left of it
 * or there is no room. */
const char *listing_keep(struct listing *l, const char *text, size_t len);
/* The default company of an employer's board: `company` or else `board` of query (which may be
 * NULL), as source_add_board put them there; without them the first part of a link's path, if the
 * link is on host or a name under it. */
void listing_board_company(struct listing *l, const cJSON *query, const char *link,
			   const char *host);
/* A further place; NULL when there is no room. Add only what has something to say. */
struct listing_place *listing_add_place(struct listing *l, const char *text);

#endif
