/* SPDX-License-Identifier: MIT */
/* soc: the role that a job title names, under one spelling ("software engineer"), and its SOC 2018
 * code.
 *
 * Roles, codes and the titles they go by stand in soc.tsv, in English and some in German, French,
 * Spanish, Italian, Portuguese. The longest of them that the title holds is the role; one word must
 * head its part of the title ("Night Baker", not "Server Administrator"). Titles that name none go
 * to common/market/occupation, which also mends spelling: that is the dearest step of a posting, so
 * the last SOC_MEMORY titles of the process are remembered.
 * Source of the codes: bls.gov/soc/2018, and the crosswalk from SOC 2010. */
#ifndef WORKERS_PROCESSING_SOC_H
#define WORKERS_PROCESSING_SOC_H

enum { SOC_MEMORY = 4096 };

struct soc {
	const char *code;		/* "15-1252" */
	const char *role;		/* "software engineer"; "" none of ours */
};

/* NULL: the title names no occupation. Static. */
const struct soc *soc_of(const char *title);
/* Of an O*NET code of 2010 (8 digits), in SOC 2018; NULL where that has none for it. */
const char *soc_of_onet(const char *onet);

#endif
