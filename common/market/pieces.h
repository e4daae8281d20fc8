/* SPDX-License-Identifier: MIT */
/* pieces: a text about a place, parted into what may be names and codes.
 *
 * A text may name several places (";", " or ", a new line); each is a group and is read by itself.
 * Within a group commas, bars, slashes, spaced dashes and parentheses part, and hyphens where a
 * country or state stands at one end ("US-Texas-Waco", "CA-Irvine-…", but not "Winston-Salem").
 * Words on how the work is done (remote, hybrid), on sites (campus, office, headquarters), and
 * around a city (greater, area) are taken off; postal codes and time zones are no pieces. Pure. */
#ifndef COMMON_MARKET_PIECES_H
#define COMMON_MARKET_PIECES_H

#include <stdbool.h>
#include <stddef.h>

enum { PIECES_MAX = 12, PIECE_SIZE = 96, PIECES_LINE = 512 };

struct piece {
	char text[PIECE_SIZE];		/* as written, without such words */
	char folded[PIECE_SIZE];
	char tail[4];			/* capitals behind the name: "TX" of "Waco TX" */
	bool code;			/* two or three letters that may be an ISO code */
	bool weak;			/* counts only if known: in front of " - ", in parentheses,
					 * or with a word for a site taken off */
};

struct pieces {
	struct piece at[PIECES_MAX];
	size_t n;
};

/* One line from text, which may be any length: several lines become groups. */
void pieces_line(const char *text, char line[PIECES_LINE]);
/* The group at *line; moves *line behind it. False at the end. */
bool pieces_next_group(char **line, char **ret_group);
/* group is cut up. */
void pieces_split(char *group, struct pieces *ret);

#endif
