/* SPDX-License-Identifier: MIT */
#include "workers/processing/pay_words.h"

#include <string.h>

#include "common/base/mem.h"

enum { WORD_MAX = 40 };

static const char *const CUES[] = {
	[PAY_LANGUAGE_EN] =
		" salary salaries pay paid pays paying compensation comp wage wages earn earning earnings "
		"income ote range ranges rate rates ranging remuneration base package salario "
		"ctc target package "
		"offering rate offers annual annually hourly ",
	[PAY_LANGUAGE_DE] =
		" gehalt gehalts jahresgehalt monatsgehalt grundgehalt bruttogehalt jahresbrutto brutto "
		"vergutung stundenlohn lohn verdienst gehaltsspanne jahreseinkommen bezahlung "
		"entgelt verdienen "
		"ausbildungsvergutung einstiegsgehalt fixgehalt festgehalt zielgehalt "
		"gehaltsrahmen stundensatz "
		"bruttojahresgehalt bruttomonatsgehalt ausbildungsjahr ",
	[PAY_LANGUAGE_FR] =
		" salaire salaires remuneration remunere brut bruts brute brutes package fixe tjm "
		"gratification taux horaire fourchette mensuels annuels retribution ",
	[PAY_LANGUAGE_ES] =
		" salario salarial sueldo retribucion bruto brutos remuneracion paga banda retribuzione "
		"stipendio ral compenso lordi ",
};

static const char NEGATIVE[] =
	" bonus bonuses stipend stipends reimbursement reimburse reimbursements reimbursed "
	"allowance allowances "
	"401k 401 403b match matching revenue revenues funding funded raised raise raising "
	"series arr aum valuation "
	"valued budget budgets deductible copay tuition referral referrals referred "
	"differential gift card relocation "
	"coverage insurance hsa fsa hra contribution contribute contributions discount "
	"discounts award awards grant grants "
	"sales quota assets turnover million billion invest invests invested investing "
	"investment donation donate "
	"fees fee fine premium premiums credit credits perk perks spending wellness gym "
	"learning education training "
	"retention signing sign sponsorship scholarship savings discounted equipment phone "
	"internet commuter parking "
	"travel expenses expense loan loans cap capital transaction transactions volume worth "
	"portfolio customers "
	"spend gmv deal deals contract contracts ebitda gewinn umsatz umsatze pramie pramien "
	"zuschuss zuschusse bonuszahlung "
	"werbepramie sachbezug sachbezugskarte gutschein budgetverantwortung bezuschussen "
	"weiterbildungszuschuss "
	"mindestlohn provision provisionen verkaufspramien einarbeitungspramie gehaltsextra "
	"jobticket sonderzahlung "
	"urlaubsgeld weihnachtsgeld startpramie boni rabatt rabatte "
	"prime primes ticket tickets restaurant repas panier paniers forfait mobilite indemnite "
	"indemnites carte cheque "
	"cheques chiffre affaires capitaux mutuelle valeur abonnement client clients budgets "
	"investissement levee "
	"comisiones comision dietas ayuda ayudas plus bono bonos facturacion ventas incentivos "
	"cheque ticket "
	"bonifica buoni pasto fatturato premio ";

static const struct {
	const char *words;
	enum pay_period period;
} UNITS[] = {
	{ " hour hr hrs h std stunde heure hora ora hourly ph stundlich lheure ", PAY_HOUR },
	{ " day tag jour dia giorno daily diem pd ", PAY_DAY },
	{ " week wk woche semaine semana settimana weekly ", PAY_WEEK },
	{ " biweekly fortnight fortnightly ", PAY_TWO_WEEKS },
	{ " month mo mth monat mois mes mese monthly mtl monatlich pcm mensile ", PAY_MONTH },
	{ " year yr yrs jahr an annee ano anno annum annual annually yearly pa jahrlich lan annui annuo yearlong ",
	  PAY_YEAR },
};
static const struct {
	const char *words;
	enum pay_period period;
} RATES[] = {
	{ " hourly stundenlohn stundensatz horaire horaires horario oraria orario stundlich ", PAY_HOUR },
	{ " daily tagessatz tjm journalier diarios diario taglich ", PAY_DAY },
	{ " weekly wochenlohn wochentlich hebdomadaire semanal ", PAY_WEEK },
	{ " monthly monatsgehalt bruttomonatsgehalt monatlich mensuel mensuels mensuelle mensual mensuales mensili "
	  "ausbildungsvergutung ausbildungsjahr ", PAY_MONTH },
	{ " annual annually annualized annualised yearly annum jahresgehalt bruttojahresgehalt jahresbrutto "
	  "jahreseinkommen jahrlich annuel annuels annuelle anual anuales annui annuale "
	  "zielgehalt ral ", PAY_YEAR },
};
static const char FILLERS[] =
	" per a an each every pro par por al a la im je the gross brutto bruto brutos bruts "
	"brut brute brutes lordi "
	"base usd eur gbp cad aud chf dollars ote plus p all in at l un une el on full ";

static bool among(const char *list, const char *word)
{
	char padded[WORD_MAX + 3];
	size_t n = strlen(word);

	if (n == 0 || n > WORD_MAX)
		return false;
	padded[0] = ' ';
	memcpy(padded + 1, word, n);
	memcpy(padded + 1 + n, " ", 2);
	return strstr(list, padded) != NULL;
}

enum pay_language pay_word_cue(const char *word)
{
	for (size_t i = 1; i < COUNT(CUES); i++)
		if (among(CUES[i], word))
			return (enum pay_language)i;
	return PAY_LANGUAGE_NONE;
}

bool pay_word_negative(const char *word)
{
	return among(NEGATIVE, word);
}

enum pay_period pay_word_period(const char *word)
{
	for (size_t i = 0; i < COUNT(UNITS); i++)
		if (among(UNITS[i].words, word))
			return UNITS[i].period;
	return PAY_UNKNOWN;
}

enum pay_period pay_word_rate(const char *word)
{
	for (size_t i = 0; i < COUNT(RATES); i++)
		if (among(RATES[i].words, word))
			return RATES[i].period;
	return PAY_UNKNOWN;
}

bool pay_word_filler(const char *word)
{
	return among(FILLERS, word);
}
