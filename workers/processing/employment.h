/* SPDX-License-Identifier: MIT */
/* employment: kinds of employment as a set, from enums ("FULLTIME"), words ("Full-time, Part-time,
 * and Contractor") or titles, in English, German, French, Spanish and Italian. Pure. */
#ifndef WORKERS_PROCESSING_EMPLOYMENT_H
#define WORKERS_PROCESSING_EMPLOYMENT_H

#include <stddef.h>

/* bit, name as JSearch has it, folded words that say it (comma list) */
#define EMPLOYMENT_LIST(X) \
	X(FULLTIME, "FULLTIME", \
	  "fulltime,full time,fulltimers,full timer,ft,vollzeit,vollzeitstelle,temps plein," \
	  "plein temps,temps complet,tiempo completo,jornada completa,a tiempo completo," \
	  "tempo pieno,a tempo pieno,full hours,temps pleins,voltijd,tempo integral,heltid," \
	  "pelny etat") \
	X(PARTTIME, "PARTTIME", \
	  "parttime,part time,part timer,pt,teilzeit,teilzeitstelle,temps partiel,mi temps," \
	  "media jornada,tiempo parcial,a tiempo parcial,jornada parcial,medio tiempo," \
	  "tempo parziale,minijob,mini job,450 euro,520 euro,538 euro,556 euro,geringfugig," \
	  "geringfugige beschaftigung,aushilfe,nebenjob,deeltijd,deltid,meio periodo," \
	  "weekend only,casual,studentische aushilfe") \
	X(CONTRACTOR, "CONTRACTOR", \
	  "contractor,contractors,contract,contracts,contracting,freelance,freelancer," \
	  "freelancers,c2c,corp to corp,w2 contract,1099,independent contractor," \
	  "freiberuflich,freiberufler,freie mitarbeit,freier mitarbeiter,selbststandig," \
	  "autonomo,autonoma,por cuenta propia,libero professionista,partita iva,p iva," \
	  "independant,independante,auto entrepreneur,portage salarial,honorarkraft," \
	  "honorarbasis,contract to hire,contract to perm,project based,projektbasiert,zzp," \
	  "b2b contract,self employed,consultant contract,prestation") \
	X(INTERN, "INTERN", \
	  "intern,interns,internship,internships,praktikum,praktika,praktikant,praktikantin," \
	  "pflichtpraktikum,werkstudent,werkstudentin,werkstudenten,werkstudententatigkeit," \
	  "studentenjob,stagiaire,stage,practicas,becario,becaria,beca,tirocinio," \
	  "tirocinante,stagista,co op,coop,apprentice,apprentices,apprenticeship,ausbildung," \
	  "ausbildungsplatz,auszubildende,auszubildender,azubi,lehrling,lehrstelle," \
	  "duales studium,alternance,alternant,alternante,apprentissage,apprenti," \
	  "contrat d apprentissage,contrat dapprentissage,apprendistato,aprendiz,trainee," \
	  "traineeship,volontariat,volontar,estagio,abschlussarbeit,bachelorarbeit," \
	  "masterarbeit,werkstudium") \
	X(TEMPORARY, "TEMPORARY", \
	  "temporary,temporaries,temp,seasonal,befristet,befristete,befristeter,zeitarbeit," \
	  "leiharbeit,arbeitnehmeruberlassung,zeitvertrag,saison,saisonarbeit,saisonkraft," \
	  "saisonnier,saisonniere,interim,interimaire,mission interim,travail temporaire," \
	  "cdd,contrat a duree determinee,duree determinee,temporal,temporales,temporaire," \
	  "contrato temporal,eventual,por obra,sustitucion,fijo discontinuo," \
	  "tempo determinato,determinato,stagionale,somministrazione,per diem,perdiem,prn," \
	  "fixed term,fixedterm,limited term,maternity cover,elternzeitvertretung,on call," \
	  "term limited,tijdelijk,temp to hire,temp to perm,short term,vikariat")

enum employment_bit {
#define X(name, text, words) EMPLOYMENT_BIT_##name,
	EMPLOYMENT_LIST(X)
#undef X
	EMPLOYMENT_COUNT
};
#define EMPLOYMENT(name) (1u << EMPLOYMENT_BIT_##name)

/* The set that the text names, 0 for none. NULL gives 0. A permanent contract (CDI, unbefristet)
 * is full-time when nothing else is said, and "contract" after such a word is no contractor's. */
unsigned employment_parse(const char *text);
const char *employment_name(unsigned bit_index);	/* "FULLTIME" */
/* The one to show when a single one is asked for: the first of the list; NULL for none. */
const char *employment_main(unsigned set);

#endif
