/* SPDX-License-Identifier: MIT */
/* operator: the person at the command line: who it is, and what is asked of them. */
#ifndef CTL_OPERATOR_H
#define CTL_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum { OPERATOR_SIZE = 320 };

/* "user@host"; under sudo the user who called it. */
void operator_name(char out[OPERATOR_SIZE]);
bool operator_is_at_terminal(void);
/* Asks on the terminal: 1 = yes, 0 = no; -ERR_USAGE where there is none to ask at. */
int operator_confirm(const char *question, struct err *e);

#endif
