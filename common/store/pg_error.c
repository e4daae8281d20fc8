/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "common/base/mem.h"
#include "common/store/pg_private.h"

/* First match wins, so single states stand before their class (two characters). Source: the
 * PostgreSQL manual, appendix A. */
static const struct {
	const char *state;
	enum err_code code;
} STATES[] = {
	{ "23505", ERR_CONFLICT },
	{ "23", ERR_INVALID },
	{ "22", ERR_INVALID },
	{ "44", ERR_INVALID },
	{ "54", ERR_INVALID },
	{ "P0", ERR_INVALID },		/* RAISE */
	{ "42501", ERR_REFUSED },
	{ "28", ERR_REFUSED },
	{ "0P", ERR_REFUSED },
	{ "42P01", ERR_SCHEMA },
	{ "42703", ERR_SCHEMA },
	{ "42883", ERR_SCHEMA },
	{ "42704", ERR_SCHEMA },
	{ "3F000", ERR_SCHEMA },
	{ "3D000", ERR_CONFIG },	/* no such database */
	{ "57014", ERR_TIMEOUT },	/* statement_timeout, or cancelled by an operator */
	{ "40", ERR_DB },		/* serialization, deadlock */
	{ "55P03", ERR_DB },		/* lock_timeout */
	{ "55006", ERR_DB },
	{ "25P03", ERR_TIMEOUT },	/* idle in transaction: the session is gone */
	{ "25006", ERR_DB },		/* became a standby */
	{ "08", ERR_DB },
	{ "53", ERR_DB },
	{ "57", ERR_DB },
	{ "58", ERR_DB },
};

enum err_code pg_state_code(const char *sqlstate)
{
	for (size_t i = 0; i < COUNT(STATES); i++) {
		if (strncmp(sqlstate, STATES[i].state, strlen(STATES[i].state)) == 0)
			return STATES[i].code;
	}
	return ERR_INTERNAL;
}

static void note_state(struct pg *p, const char *state)
{
	snprintf(p->sqlstate, sizeof p->sqlstate, "%.5s", state);
}

/* libpq keeps no SQLSTATE for a refused login; with verbose errors it stands in the text, as
 * "FATAL:  28P01: …". */
static bool find_state(const char *text, char ret_state[6])
{
	for (const char *at = strstr(text, ":  "); at; at = strstr(at + 1, ":  ")) {
		const char *state = at + 3;
		size_t n = 0;

		while (n < 5 && (isdigit((unsigned char)state[n]) ||
				 isupper((unsigned char)state[n])))
			n++;
		if (n == 5 && state[5] == ':') {
			snprintf(ret_state, 6, "%.5s", state);
			return true;
		}
	}
	return false;
}

int pg_fail_conn(struct pg *p, PGconn *conn, struct err *e)
{
	const char *text = conn ? PQerrorMessage(conn) : "";
	char state[6] = "08006";
	size_t n;

	find_state(text, state);
	note_state(p, state);
	p->broken = true;
	n = strcspn(text, "\n");	/* behind it: DETAIL, HINT and the server's source line */
	if (n == 0)
		return err_set(e, pg_state_code(state), "PostgreSQL: connection lost");
	return err_set(e, pg_state_code(state), "PostgreSQL: %.*s", (int)(n < 900 ? n : 900), text);
}

int pg_fail(struct pg *p, const PGresult *res, struct err *e)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *hint = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_HINT) : NULL;

	if (!state || !text)
		return pg_fail_conn(p, p->conn, e);
	note_state(p, state);
	if (PQstatus(p->conn) == CONNECTION_BAD)
		p->broken = true;
	/* DETAIL stays out: it quotes whole rows, and this text reaches clients */
	return err_set(e, pg_state_code(state), "PostgreSQL: %s%s%s (SQLSTATE %s)", text,
		       hint ? ". " : "", hint ? hint : "", state);
}
