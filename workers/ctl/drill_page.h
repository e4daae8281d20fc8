/* SPDX-License-Identifier: MIT */
/* drill_page: the accounts of a drill (jobfleet.drill_account, sql/020_audit.sql) with the state of
 * its results, as one page of figures or as JSON. */
#ifndef CTL_DRILL_PAGE_H
#define CTL_DRILL_PAGE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

struct ctl;
struct err;

/* *ret also has "results" and "verdict": "kept" or "broken". cJSON_Delete it. -ERR_NOT_FOUND: no
 * such run. */
int drill_page_read(struct ctl *c, const char *run, cJSON **ret, struct err *e);
bool drill_page_is_kept(const cJSON *account);
void drill_page_print(const cJSON *account, FILE *out);
/* The first few tasks of each fault, so that `jobfleet explain` can go on. */
int drill_page_print_faults(struct ctl *c, const char *run, FILE *out, struct err *e);

#endif
