/* SPDX-License-Identifier: MIT */
/* soc: the SOC 2018 code of a job title, remembered.
 *
 * common/market/occupation resolves; close spelling makes that the dearest step of a posting, and
 * the same titles come again and again. The last SOC_MEMORY titles of the process are kept. */
#ifndef WORKERS_PROCESSING_SOC_H
#define WORKERS_PROCESSING_SOC_H

enum { SOC_MEMORY = 4096 };

/* "15-1252", static; NULL: the title names no occupation of the table. */
const char *soc_of_title(const char *title);
/* Of an O*NET code of 2010 (8 digits), where SOC 2018 still has the same one; else NULL. */
const char *soc_of_onet(const char *onet);

#endif
