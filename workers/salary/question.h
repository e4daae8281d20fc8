/* SPDX-License-Identifier: MIT */
/* question: a call to a source taken apart into the parts it asks for, and put together again.
 *
 *	bls     series: "OEUM003562000000015125213", behind "@" the years where they are named
 *	census  cells: "/2024/acs/acs5|state|06|B24011_007E" (dataset, kind of geography as the
 *	        path spells it, code, column)
 *	else    the whole call, by its path: {"status", "type", "body"}
 *
 * An answer put together reads as the source's own, so that sources need not know where it came
 * from. BLS is asked for a place, its state and the nation in one call; put together it is the
 * narrowest of them that has a median and a rate, as nobody reads what is wider then: a wider one
 * is wanted only once the narrower ones are here without. */
#ifndef SALARY_QUESTION_H
#define SALARY_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

struct ask;
struct err;
struct http_response;
struct shelf;

#define QUESTION_NAME_SIZE 512

/* 0: *ret is the answer. -ERR_AGAIN: parts are missing, the shelf wants them now; of a
 * source in trouble its error instead. */
int question_answer(struct shelf *s, const struct ask *what, struct http_response *ret,
		    struct err *e);

/* The name of a cell in its four pieces. */
struct cell {
	char dataset[64], kind[160], code[24], column[32];
};
bool question_cell(const char *name, struct cell *ret);
/* kind as the answer's header has it: without %20. */
void question_kind_plain(const char *kind, char *out, size_t size);

#endif
