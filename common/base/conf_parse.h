/* SPDX-License-Identifier: MIT */
/* conf_parse: the text of one file through libconfuse, to blocks of keys and texts with lines.
 *
 * libconfuse is asked for nothing but texts, since it would stop at the first wrong value. Nothing
 * is known here of types. Unknown blocks and keys are faults, each with its line and the nearest
 * known word; repeated keys too. A syntax error ends the file. Not re-entrant. */
#ifndef COMMON_BASE_CONF_PARSE_H
#define COMMON_BASE_CONF_PARSE_H

struct conf_faults;
struct conf_includes;
struct conf_reading;

/* text: cleaned by conf_text; file: names it in faults and blocks, borrowed by *out. */
void conf_parse(struct conf_reading *out, struct conf_includes *includes, const char *text,
		const char *file, struct conf_faults *faults);

#endif
