/* SPDX-License-Identifier: MIT */
/* employment: kinds of employment as a set, from enums ("FULLTIME"), words ("Full-time, Part-time,
 * and Contractor") or titles, in English, German, French, Spanish and Italian. Pure. */
#ifndef WORKERS_PROCESSING_EMPLOYMENT_H
#define WORKERS_PROCESSING_EMPLOYMENT_H

#include <stddef.h>

/* bit, name as JSearch has it, folded words that say it (comma list) */
#define EMPLOYMENT_LIST(X) \
	X(FULLTIME, "FULLTIME", \
	  "fulltime,full time,vollzeit,temps plein,temps complet," \
	  "tiempo completo,jornada completa,tempo pieno,full timer,festanstellung,cdi,permanent") \
	X(PARTTIME, "PARTTIME", \
	  "parttime,part time,teilzeit,temps partiel,media jornada," \
	  "tiempo parcial,jornada parcial,medio tiempo,part timer,minijob") \
	X(CONTRACTOR, "CONTRACTOR", \
	  "contractor,contract,freelance,freelancer,c2c,corp to corp,1099," \
	  "independent contractor,freiberuflich,freiberufler,autonomo,libero professionista,cdd," \
	  "contract to hire") \
	X(INTERN, "INTERN", \
	  "intern,interns,internship,praktikum,praktikant,werkstudent," \
	  "stagiaire,stage,practicas,becario,tirocinio,tirocinante," \
	  "co op,apprentice,apprenticeship,ausbildung,alternance") \
	X(TEMPORARY, "TEMPORARY", \
	  "temporary,temp,seasonal,befristet,interim,temporal,temporaire," \
	  "tempo determinato,per diem,perdiem,fixed term")

enum employment_bit {
#define X(name, text, words) EMPLOYMENT_BIT_##name,
	EMPLOYMENT_LIST(X)
#undef X
	EMPLOYMENT_COUNT
};
#define EMPLOYMENT(name) (1u << EMPLOYMENT_BIT_##name)

/* The set that the text names, 0 for none. NULL gives 0. */
unsigned employment_parse(const char *text);
const char *employment_name(unsigned bit_index);	/* "FULLTIME" */
/* The one to show when a single one is asked for: the first of the list; NULL for none. */
const char *employment_main(unsigned set);

#endif
