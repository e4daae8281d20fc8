/* SPDX-License-Identifier: MIT */
/* outline: a JSON value for people: one "key: value" or "- value" a line, indented by depth.
 *
 * Control characters are shown as spaces, so that no text of a peer can move the cursor. */
#ifndef CTL_OUTLINE_H
#define CTL_OUTLINE_H

#include <cjson/cJSON.h>
#include <stdio.h>

/* "title: value", the value's parts below it if it has some. */
void outline_print(const char *title, const cJSON *value, FILE *out);

#endif
