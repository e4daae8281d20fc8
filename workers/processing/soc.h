/* SPDX-License-Identifier: MIT */
/* soc: the role that a job title names, under one spelling ("software engineer"), and its SOC 2018
 * code.
 *
 * Titles are read as the salary tasks read them (common/market/role, then occupation, which also
 * mends spelling: that is the dearest step of a posting, so the last SOC_MEMORY titles of the
 * process are remembered). Major groups are no role: they say nothing of the work. */
#ifndef WORKERS_PROCESSING_SOC_H
#define WORKERS_PROCESSING_SOC_H

enum { SOC_MEMORY = 4096 };

struct soc {
	const char *code;		/* "15-1252" */
	const char *role;		/* "software engineer"; "" none of ours */
};

/* NULL: the title names no occupation. Valid until SOC_MEMORY titles later. */
const struct soc *soc_of(const char *title);
/* Of an O*NET code of 2010 (8 digits), in SOC 2018; NULL where that has none for it. */
const char *soc_of_onet(const char *onet);

#endif
