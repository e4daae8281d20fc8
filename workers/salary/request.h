/* SPDX-License-Identifier: MIT */
/* request: what fetch_salary_data was asked, read and resolved.
 *
 * request_data is an object: location and occupation (texts, required); industry,
 * experience_level, education_level (texts, kept as the caller spells them); year;
 * include_market_data and include_confidence_scores (true by default); adjust_for_inflation (false
 * by default; true: amounts in the money of the newest year, by consumer prices); cache_strategy
 * (standard, aggressive, conservative); max_age (seconds, or "12h": an older cached answer is not
 * taken; 0 asks the sources).
 * Unknown members are ignored with a warning, so that a misspelt one is noticed.
 * Errors: -ERR_INVALID names the member and what would be right; -ERR_NOT_FOUND for a place or an
 * occupation nobody knows, with suggestions. */
#ifndef SALARY_REQUEST_H
#define SALARY_REQUEST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/market/area.h"
#include "common/market/occupation.h"

struct err;

enum strategy { STRATEGY_STANDARD, STRATEGY_AGGRESSIVE, STRATEGY_CONSERVATIVE, STRATEGY_COUNT };
const char *strategy_name(enum strategy s);

struct request {
	struct area area;
	struct occupation occupation;
	char industry[128], experience[51], education[51];	/* "" = not asked */
	int year;			/* 0 = the newest */
	bool want_market, want_confidence, want_adjusted;
	enum strategy strategy;
	int64_t max_age_s;		/* -1 = as the strategy says */
	cJSON *warnings;		/* array of texts; owned */
};

int request_read(const cJSON *request_data, struct request *ret, struct err *e);
/* For one place and occupation, everything else as by default. */
int request_make(const char *location, const char *occupation, struct request *ret, struct err *e);
void request_release(struct request *r);
void request_warn(struct request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
