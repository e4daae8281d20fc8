/* SPDX-License-Identifier: MIT */
/* zone: one IANA time zone, as a table of its offsets from 1970 to 2100.
 *
 * Instants are seconds since the epoch, UTC. A local time is written as a number too: the
 * seconds since 1970-01-01 00:00 that a wall clock of the zone shows.
 * The C library reads the zone's file; zone_open lends it the variable TZ for that moment and
 * gives it back, so zones are opened where no other thread runs: not while a host is looked up
 * (common/worker/worker.h). Afterwards a zone is data and
 * never changes: answers need no lock and touch neither the environment nor a file.
 * Outside of its years a zone keeps its first or last offset. */
#ifndef COMMON_BASE_ZONE_H
#define COMMON_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct zone;

/* name: as below /usr/share/zoneinfo ("Europe/Berlin"); "UTC" needs no file. -ERR_INVALID for a
 * name that is no zone here, with what was likely meant. */
int zone_open(struct zone **ret, const char *name, struct err *e);
void zone_close(struct zone *z);
const char *zone_name(const struct zone *z);

enum { ZONE_NAME_SIZE = 65 };
/* The zone that a wrong name most likely means: the same city ("Berlin", "europe/berlin") or the
 * nearest spelling; "" if none is near. */
void zone_suggest(const char *name, char out[ZONE_NAME_SIZE]);

int64_t zone_local(const struct zone *z, int64_t utc_s);

/* The first instant at which a clock of the zone shows local_s: of a repeated time the first
 * occurrence; of a time that a gap leaves out, the first instant after the gap. */
int64_t zone_first(const struct zone *z, int64_t local_s);

/* The first instant after utc_s at which the offset changes; INT64_MAX if none is known. */
int64_t zone_next_change(const struct zone *z, int64_t utc_s);

#endif
