/* SPDX-License-Identifier: MIT */
/* action: what an operator does is allowed by the database and written down there: who, when, with
 * which arguments, and how it ended (jobfleet.operator_actions).
 *
 * A command calls action_begin right before it acts (not for help, a dry run or a wrong usage);
 * main calls action_end with what became of it. Who may do what: sql/015_operations.sql. While
 * PostgreSQL is away nobody can be asked: the command goes on, and says that it is not written
 * down. It must work then most of all. */
#ifndef CTL_ACTION_H
#define CTL_ACTION_H

struct ctl;
struct err;

/* name: "revoke", "schedule set". -ERR_REFUSED: the login lacks the role that e names. */
int action_begin(struct ctl *c, const char *name, struct err *e);
/* r: what the command answered. Nothing if none was begun. */
void action_end(struct ctl *c, int r, const struct err *e);

#endif
