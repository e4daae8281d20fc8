/* SPDX-License-Identifier: MIT */
/* fault: named points at which a test kills or freezes the process; compiled in only with FAULTS=1.
 *
 * JOBFLEET_FAULT=point:FILE kills (SIGKILL) whoever reaches the point first: FILE must exist and is
 * removed by the one who dies, so that each order is carried out once among all processes. A FILE
 * that says STOP freezes (SIGSTOP) instead; after one that says "ALLOC n" the nth allocation of mem
 * from there on fails. */
#ifndef COMMON_BASE_FAULT_H
#define COMMON_BASE_FAULT_H

#include <stdbool.h>

#ifdef FAULTS
void fault_point(const char *name);
bool fault_alloc(void);			/* true: this allocation fails */
#define FAULT_POINT(name) fault_point(name)
#define FAULT_ALLOC() fault_alloc()
#else
#define FAULT_POINT(name) ((void)0)
#define FAULT_ALLOC() false
#endif

#endif
