/* SPDX-License-Identifier: MIT */
/* source: one provider of postings.
 *
 * A source is one file that fills a struct source and registers it with SOURCE(name), and one
 * `source NAME { }` section in queues.conf; no list names it (the linker collects the entries).
 * Its functions are pure. The first half builds requests and judges answers, for the collection
 * program, which makes the calls, keeps the raw answers, counts the quota and decides what follows
 * from a verdict. The second half reads the postings of a stored answer, for the processing program
 * and for `jobfleet parse posting`: a row becomes a struct listing, and all rules beyond what a
 * member is called are processing's.
 * Ownership: a request is its maker's until source_request_release. Pages and listings borrow from
 * the body. */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/raw.h"

struct conf_source;
struct err;
struct http_response;
struct listing;

/* What can be asked. */
enum source_kind {
	SOURCE_SEARCH,			/* query and location */
	SOURCE_FEED,			/* nothing: it tells all it has, whatever is asked */
	SOURCE_BOARD,			/* one employer's postings, by its name in `boards` */
};

/* What is wanted, checked by the caller; "" where nothing was said. */
struct source_ask {
	const char *query, *location, *country, *language, *date_posted, *employment_types;
	const char *board;		/* SOURCE_BOARD: whose postings */
	const char *ids;		/* these postings again, by comma, at most ids_a_call; NULL */
	bool remote_only;
	int64_t since_us;		/* only what was posted since (wall time), where it can; 0 = all */
	const char *key;		/* secret; NULL = none */
	const char *id;			/* the second half of a key, or who asks (conf id_variable); NULL */
};

/* Where a page begins. */
struct source_place {
	int page;			/* 1 … */
	const char *token;		/* the provider's cursor; NULL for the first page */
	bool other_path;		/* the configured path was withdrawn: use the other one */
};

#define SOURCE_HEADERS 8

struct source_request {
	struct buf url;
	char *headers[SOURCE_HEADERS + 1];	/* "Name: value", NULL-terminated; may hold the key */
	cJSON *params;			/* what of the request may be stored: no key */
	int credits;			/* what it counts of the quota: 1 */
	struct buf body;		/* not empty: a POST; its Content-Type is among the headers */
};

/* What an answer means. */
enum source_class {
	SOURCE_OK,			/* a page of postings */
	SOURCE_UNCHANGED,		/* HTTP 304: as it was when last asked */
	SOURCE_RETRY,			/* the provider failed: again, with back-off */
	SOURCE_LIMITED,			/* too fast: again after wait_s; not a failure of the provider */
	SOURCE_USED_UP,			/* the quota: nothing more until wait_s from now */
	SOURCE_KEY_REFUSED,		/* nothing more until somebody acts */
	SOURCE_MOVED,			/* this path exists no more */
	SOURCE_BAD_REQUEST,		/* this request will never work; others may */
	SOURCE_CLASS_COUNT
};

struct source_verdict {
	enum source_class class;
	int64_t wait_s;			/* what the provider said, at most 32 days, or its rule; 0 = nothing */
	char reason[256];		/* for people; "" when OK */
};

/* The provider's quota headers; limit -1 = there were none. */
struct source_quota {
	int64_t limit, remaining, reset_s;
};

/* The postings of a page that was judged OK. */
struct source_page {
	const cJSON *rows;		/* array; may be empty */
	const char *token;		/* of the next page; NULL = none was given */
	bool last;			/* the provider says (or its format means) there is no next page */
};

/* Where a stored answer came from, for whoever reads its postings. */
struct source_answer {
	const cJSON *query;		/* what of the request was stored (params); NULL */
};

enum { SOURCE_ID = 32 };

struct source {
	const char *name;		/* as in queues.conf */
	enum source_kind kind;
	bool two_paths;			/* build knows another path, for when one was withdrawn */
	int ids_a_call;			/* how many of ask->ids build takes; 0 = it cannot */
	int (*build)(const struct conf_source *conf, const struct source_ask *ask,
		     const struct source_place *at, struct source_request *ret, struct err *e);
	/* body is NULL when it is no JSON. */
	void (*judge)(const struct http_response *r, const cJSON *body, struct source_verdict *ret);
	void (*read_quota)(const struct http_response *r, struct source_quota *ret);
	void (*read_page)(const struct conf_source *conf, const struct source_place *at,
			  const cJSON *body, struct source_page *ret);
	/* NULL if the row has none. A number is written into room, a text borrowed from the row. */
	const char *(*row_id)(const cJSON *row, char room[SOURCE_ID]);

	/* Where the array of postings stands in an answer: members joined by dots, "." for the
	 * answer itself; several places by blanks, the first that is an array counts: "data.jobs
	 * data". Answers are read row by row: a large one never stands in memory as a tree. */
	const char *rows_at;
	/* Fills ret, which listing_init has made empty. False: the row is a notice, no posting. */
	bool (*read_row)(const struct source_answer *from, const cJSON *row, struct listing *ret);
};

#define SOURCE(s) \
	static const struct source *const source_entry_##s \
		__attribute__((used, section("jobfleet_sources"))) = &(s)

const struct source *source_find(const char *name);	/* NULL: no file serves it */
/* The array of postings in the text of an answer; RAW_NONE: it is no answer of this source. */
struct raw source_rows(const struct source *source, struct raw answer);
const char *source_class_name(enum source_class class);	/* "retry" */

void source_request_init(struct source_request *r);
void source_request_release(struct source_request *r);
void source_add_header(struct source_request *r, const char *name, const char *value);
/* A query parameter: into the URL, and into params unless secret; "" is left out. */
void source_add_param(struct source_request *r, const char *name, const char *value);
void source_add_secret_param(struct source_request *r, const char *name, const char *value);
void source_add_number(struct source_request *r, const char *name, int64_t value);
/* A board ("spotify", "matchgroup=Match Group") as one part of the path, with its "/" before it and
 * escaped. Params keep it as "board", and the name behind "=", if there is one, as "company". */
void source_add_board(struct source_request *r, const char *board);
/* How old a posting may be, in whole days rounded up, by date_posted and since_us; 0 = any age. */
int64_t source_days(const struct source_ask *ask);
/* The end of a build: the request is ret's, or released again since its URL or body is too long. */
int source_request_finish(struct source_request *r, struct source_request *ret, struct err *e);

/* Seconds of Retry-After, given as a number or an HTTP date (RFC 9110, 10.2.3); -1 if absent. */
int64_t source_retry_after(const struct http_response *r);
/* A header that is a whole number; -1 if absent or not one. */
int64_t source_header_int(const struct http_response *r, const char *name);
/* What every provider's HTTP means unless it has rules of its own: 2xx is OK, 408, 425 and 5xx
 * are RETRY, 429 is LIMITED by Retry-After, 401 and 403 KEY_REFUSED, the rest BAD_REQUEST. */
enum source_class source_class_of_status(int status);
void source_verdict_set(struct source_verdict *v, enum source_class class, int64_t wait_s,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A 2xx, whose body must hold the array rows (NULL or no array: it does not): OK, or RETRY for one
 * that was cut off, is empty, HTML, no JSON or has no rows. */
void source_judge_rows(const struct http_response *r, const cJSON *body, const cJSON *rows,
		       struct source_verdict *ret);
/* Any other status by source_class_of_status and Retry-After; a 429 without it waits a minute.
 * message: the provider's words, "" for none. */
void source_judge_status(const struct http_response *r, const char *message,
			 struct source_verdict *ret);
/* The same for a provider that has one address for all it tells: 301, 308, 404, 410 are MOVED. */
void source_judge_endpoint(const struct http_response *r, const char *message,
			   struct source_verdict *ret);
/* The same for a provider that knows no keys: a 401 or 403 is a block for asking too often, so it
 * is USED_UP, for an hour if the provider says nothing. */
void source_judge_keyless(const struct http_response *r, const char *message,
			  struct source_verdict *ret);
/* The path behind base_url, which may be configured. */
const char *source_path(const struct conf_source *conf, const char *fallback);
/* For row_id: a member that is a text or a whole number. */
const char *source_id(const cJSON *row, const char *name, char room[SOURCE_ID]);

#endif
