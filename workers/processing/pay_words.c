/* SPDX-License-Identifier: MIT */
#include "workers/processing/pay_words.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/mem.h"

enum { SLOTS = 4096, STEM_MIN = 6 };

#define CUE PAY_WORD_CUE
#define HINT PAY_WORD_HINT
#define OTHER PAY_WORD_OTHER
#define LEAST PAY_WORD_LEAST
#define MOST PAY_WORD_MOST
#define TOTAL PAY_WORD_TOTAL

/* A word may stand in several groups. */
static const struct group {
	unsigned flags;
	enum pay_language language;
	enum pay_period unit, rate;
	const char *words;
} GROUPS[] = {
	{ CUE, PAY_LANGUAGE_EN, 0, 0,
	  "salary salaries pay paid pays paying compensation comp wage wages earn earns earning earnings "
	  "income remuneration compensated salaried" },
	{ CUE, PAY_LANGUAGE_DE, 0, 0,
	  "gehalt gehalts gehaltsspanne gehaltsrahmen gehaltsband gehaltsrange gehaltsbandbreite "
	  "gehaltsangabe gehaltsangebot gehaltspaket vergutungsrahmen vergutungsspanne "
	  "vergutungsband vergutungspaket "
	  "brutto bruttogehalt vergutung lohn verdienst verdienen verdienst verdiene bezahlung "
	  "entlohnung entgelt einkommen fixum honorar stundensatz bezuge minijob jahresbrutto "
	  "monatsbrutto bruttojahr bruttomonat ausbildungsjahr lehrjahr" },
	{ CUE, PAY_LANGUAGE_FR, 0, 0,
	  "salaire salaires salariale remuneration remunerations remunere remuneree paye payee "
	  "brut bruts brute "
	  "brutes tjm gratification gratifie smic remu traitement percevrez percevez smh" },
	{ CUE, PAY_LANGUAGE_ES, 0, 0,
	  "salario salarios salarial sueldo sueldos retribucion retributivo retributiva "
	  "remuneracion bruto brutos "
	  "bruta brutas paga pagamos retribuzione stipendio ral compenso lordi lordo lorda lorde beca" },
	{ HINT, PAY_LANGUAGE_EN, 0, 0,
	  "range ranges rate rates ranging base package ctc target offering offers annual "
	  "annually hourly band scale doe" },
	{ HINT | TOTAL, PAY_LANGUAGE_EN, 0, 0, "total" },
	{ HINT | TOTAL | PAY_WORD_OTE, PAY_LANGUAGE_EN, 0, 0, "ote" },
	{ HINT, PAY_LANGUAGE_DE, 0, 0, "zahlen bieten netto spanne ubertariflich tariflich" },
	{ HINT, PAY_LANGUAGE_FR, 0, 0, "fixe fourchette taux mensuels annuels net nets offrons" },
	{ HINT, PAY_LANGUAGE_ES, 0, 0, "banda fijo ofrecemos netos neto netti netto offriamo ofrece" },
	{ CUE | LEAST, PAY_LANGUAGE_DE, 0, 0,
	  "mindestgehalt mindestentgelt mindestgrundgehalt kv-mindestgehalt" },

	{ OTHER, 0, 0, 0,
	  "bonus bonuses stipend stipends reimbursement reimburse reimburses reimbursements "
	  "reimbursed allowance "
	  "allowances 401k 401 403b match matching matches matched revenue revenues funding "
	  "funded raised raise raising "
	  "series arr mrr aum valuation valued deductible copay copays tuition referral referrals "
	  "referred refer "
	  "differential differentials gift relocation coverage insurance hsa fsa hra contribution "
	  "contribute contributes "
	  "contributions discount discounts award awards grant grants sales quota assets turnover "
	  "million billion trillion "
	  "invest invests invested investing investment investments donation donations donate "
	  "fees fee fine fines "
	  "premium premiums credit credits perk perks spending wellness gym learning training certification "
	  "retention signing sponsorship scholarship scholarships savings saved save saves "
	  "discounted equipment phone "
	  "internet commuter parking expenses expense loan loans capital transaction transactions volume worth "
	  "portfolio portfolios spend spends gmv deal deals contracts ebitda value size cost "
	  "costs costing charge charges charged "
	  "price prices priced tips tip gratuities orders order purchase purchases adoption diem "
	  "meal meals mileage "
	  "deposit deposits seed rent housing debt profit profits margin acquisition financing "
	  "backed ticket tickets "
	  "rebate vouchers voucher superannuation pension merch swag laptop actual coworking "
	  "collected processed "
	  "sign signon donated spent threshold limit copayment coinsurance lottery prize sharing "
	  "incentive incentives "
	  "commission commissions sold sell selling repayment repayments acv arpu ltv tcv give "
	  "gives gave goal goals "
	  "fundraising liability subsidy subsidies" },
	{ OTHER, 0, 0, 0,
	  "gewinn umsatz umsatze umsatzen pramie pramien zuschuss zuschusse zuschlag zuschlage zulage zulagen "
	  "sachbezug gutschein gutscheine mindestlohn provision provisionen jobticket boni rabatt rabatte "
	  "sonderzahlung sonderzahlungen bezuschussen pauschale pauschalen spesen investition "
	  "investitionen investieren "
	  "stammkapital kredit kredite darlehen sparen spart kosten beitrag beitrage wert volumen "
	  "auftrag auftrage "
	  "auftragsvolumen ausstattung geschenk geschenke trinkgeld spende spenden miete deutschlandticket "
	  "fahrtkosten umzugskosten bonuszahlungen erstattung ersparnis vwl gehaltsextra "
	  "gehaltsextras leistungen "
	  "leistung gehaltsvorschuss gehaltsumwandlung mehraufwand verpflegungsmehraufwand "
	  "betreuungsgeld tankkarte "
	  "finanzierung preis preise forderung forderungen" },
	{ OTHER, 0, 0, 0,
	  "prime primes ticket tickets restaurant titres titre repas panier paniers forfait mobilite mobilites "
	  "carte cheque cheques chiffre affaires capitaux mutuelle valeur abonnement "
	  "investissement investissements "
	  "levee leve levons financement dossier dossiers chantier chantiers aide aides frais participation "
	  "interessement kilometriques remboursement rembourse remboursons cadeau cadeaux cooptation economies "
	  "economisez loyer prix cout couts subvention commissions commission avance" },
	{ OTHER, 0, 0, 0,
	  "comisiones comision dietas ayuda ayudas plus pluses bono bonos facturacion facturar "
	  "ventas incentivos incentivo "
	  "bonifica buoni buono pasto fatturato premio premi presupuesto presupuestos obras obra "
	  "gastos gasto ahorra "
	  "ahorro ahorros tarjeta regalo subvencion guarderia kilometraje ronda inversion "
	  "inversiones capital precio "
	  "coste costes rimborso rimborsi welfare investimento investimenti spese costo costi "
	  "propinas prima primas "
	  "bonificacion valor pedido pedidos" },
	{ PAY_WORD_BUDGET | OTHER, 0, 0, 0, "budget budgets indemnite indemnites" },
	{ PAY_WORD_ROLE, 0, 0, 0,
	  "role position job hire candidate candidates stelle position poste puesto ruolo "
	  "posizione vacancy opening seat stage "
	  "stagiaire hiring" },
	{ PAY_WORD_PAYER, 0, 0, 0,
	  "customer customers client clients user users kunden kunde mandanten clientes cliente "
	  "clienti tenants patients "
	  "patienten salarie salariee abonnes subscribers members students employees parents families guests "
	  "donors contract contracts project projects proyecto "
	  "proyectos projekt projekte "
	  "projet projets" },

	{ PAY_WORD_FILLER, 0, 0, 0,
	  "a an each every al la im je the gross brutto bruto brutos bruta bruts brut brute "
	  "brutes lordi lordo lorda usd "
	  "eur gbp cad aud chf pln sek dollars euro euros base ote all in at l un une el on full "
	  "net netto neto netos nette "
	  "nets netti fixe fixes fix fijo fijos fest garantiert die der pro de of as und zirka ca "
	  "circa environ cash "
	  "rising up x fte" },
	{ PAY_WORD_PER | PAY_WORD_FILLER, 0, 0, 0, "per pro par por" },
	{ PAY_WORD_LINK, 0, 0, 0, "to bis a through thru jusqua jusqu hasta rising max maximum auf" },
	{ PAY_WORD_LINK | PAY_WORD_WEAK_LINK, 0, 0, 0, "and und et y e" },
	{ PAY_WORD_BETWEEN, 0, 0, 0, "between zwischen entre tra from von de compris fra ranging" },
	{ MOST, 0, 0, 0,
	  "max maximum maximal maxi jusqua jusqu hasta until under capped fino maximo massimo hochstens" },
	{ LEAST, 0, 0, 0,
	  "from ab mindestens mind desde minimum min over above minimo minimal minimale partir "
	  "dessus almeno starting "
	  "starts start startet beginnt beginning begins minimale exceeding depuis oltre" },
	{ PAY_WORD_VARIABLE | OTHER, 0, 0, 0,
	  "variable variables commission commissions provision provisionen comisiones" },
	{ PAY_WORD_EXTRA, 0, 0, 0,
	  "bonus bonuses benefits commission commissions equity tips super superannuation pension "
	  "variable primes prime "
	  "boni provision trinkgeld zulagen zuschlage comisiones incentivos premi benefit perks "
	  "package ote vorteile avantages" },
	{ PAY_WORD_PAYS, 0, 0, 0, "pay pays paid paying zahlen pagan paient payent" },
	{ PAY_WORD_PREPOSITION, 0, 0, 0, "of de d von di em with con mit avec worth" },
	{ PAY_WORD_STOP, 0, 0, 0,
	  "plus and et und y e con with avec sowie zzgl zuzuglich inkl inklusive mas including "
	  "ainsi mit but piu depending based commensurate according dependent "
	  "during while after once when selon suivant je nach segun fonction abhangig funcion" },
	{ PAY_WORD_SHORT, 0, 0, 0,
	  "zzgl inkl mind max min ca approx bzw ggf incl excl std mtl jhrl est ann tsd no env vs sr jr mio mrd "
	  "evtl max rs usd z b i d r p u" },
	{ PAY_WORD_EQUITY, 0, 0, 0, "equity stock options rsu rsus bspce vsop" },
	{ PAY_WORD_CONTRACTOR, 0, 0, 0,
	  "c2c 1099 contractor contractors freelance freelancer freelancers ir35 b2b tjm "
	  "tagessatz honorar autonomo "
	  "umbrella independant independent iva honoraires corp2corp honorarbasis" },
	{ PAY_WORD_HOURS, 0, 0, 0,
	  "hours arbeitszeit stunden wochenstunden heures horas ore schedule arbeitsstunden hrs" },
	{ PAY_WORD_SALARIES, 0, 0, 0,
	  "mois pagas mensilita mensualites monatsgehalt monatsgehalter monatsgehaltern gehalter "
	  "monatslohne monatslohn "
	  "pagos mensualidades salaries" },

	{ 0, 0, PAY_HOUR, 0, "hour hr hrs h std stunde heure hora ora ph lheure stde zeitstunde" },
	{ 0, 0, PAY_DAY, 0, "day tag jour dia giorno pd arbeitstag manntag diarios diario journee dias" },
	{ 0, 0, PAY_WEEK, 0, "week wk woche semaine semana settimana pw" },
	{ 0, 0, PAY_TWO_WEEKS, 0, "fortnight" },
	{ 0, 0, PAY_MONTH, 0, "month mo mth monat mois mes mese pcm mth mtl" },
	{ 0, 0, PAY_YEAR, 0, "year yr yrs jahr an annee ano anno annum pa lan ans" },
	{ 0, 0, 0, PAY_HOUR,
	  "hourly stundenlohn stundensatz stundlich horaire horaires horario oraria orario" },
	{ 0, 0, 0, PAY_DAY,
	  "daily tagessatz taglich journalier journaliere diarios diaria diario tjm tageshonorar giornaliero" },
	{ 0, 0, 0, PAY_WEEK, "weekly wochentlich hebdomadaire semanal semanales wochenlohn settimanale" },
	{ 0, 0, 0, PAY_TWO_WEEKS, "biweekly fortnightly vierzehntagig" },
	{ 0, 0, 0, PAY_MONTH,
	  "monthly monatlich monatliche monatliches monatlicher mensuel mensuels mensuelle "
	  "mensuelles mensual mensuales "
	  "mensile mensili mtl pcm ausbildungsvergutung ausbildungsentgelt ausbildungsjahr "
	  "ausbildungsgehalt minijob "
	  "monatsbrutto lehrjahr lehrlingsentschadigung lehrlingseinkommen" },
	{ 0, 0, 0, PAY_YEAR,
	  "annual annually annualized annualised yearly annum jahrlich jahrliche jahrliches "
	  "jahrlicher annuel annuels "
	  "annuelle annuelles anual anuales annui annuo annua annue annuale zielgehalt "
	  "zieleinkommen ral jahresbrutto "
	  "ctc lpa" },

	{ 0, PAY_LANGUAGE_EN, 0, 0, "the of to with for you we our is your will are this or be by on" },
	{ 0, PAY_LANGUAGE_DE, 0, 0,
	  "der das mit fur bei wir du dein deine ihr ihre sie eine einen im zu zum zur von pro je "
	  "nach ist und oder "
	  "uns dich auf" },
	{ 0, PAY_LANGUAGE_FR, 0, 0,
	  "et les des du une vous nous pour votre vos avec est sur dans selon au aux par le ou notre" },
	{ 0, PAY_LANGUAGE_ES, 0, 0,
	  "y el los las con para tu por del segun mas il gli di che della delle una nel al su nuestro e" },
};

/* What a compound or an inflected word ends in, or begins with. */
static const struct affix {
	const char *text;
	unsigned flags;
	enum pay_language language;
} ENDS[] = {
	{ "gehalt", CUE, PAY_LANGUAGE_DE }, { "gehalts", CUE, PAY_LANGUAGE_DE },
	{ "lohn", CUE, PAY_LANGUAGE_DE }, { "lohne", CUE, PAY_LANGUAGE_DE }, { "gehalter", CUE, PAY_LANGUAGE_DE },
	{ "grose", OTHER, 0 }, { "preis", OTHER, 0 }, { "preise", OTHER, 0 }, { "vergutung", CUE, PAY_LANGUAGE_DE },
	{ "entgelt", CUE, PAY_LANGUAGE_DE }, { "einkommen", CUE, PAY_LANGUAGE_DE },
	{ "verdienst", CUE, PAY_LANGUAGE_DE }, { "honorar", CUE, PAY_LANGUAGE_DE },
	{ "brutto", CUE, PAY_LANGUAGE_DE },
	{ "zuschuss", OTHER, 0 }, { "zuschusse", OTHER, 0 }, { "zuschlag", OTHER, 0 }, { "zuschlage", OTHER, 0 },
	{ "zulage", OTHER, 0 }, { "zulagen", OTHER, 0 }, { "pramie", OTHER, 0 }, { "pramien", OTHER, 0 },
	{ "bonus", OTHER, 0 }, { "boni", OTHER, 0 }, { "budget", OTHER, 0 }, { "geld", OTHER, 0 },
	{ "umsatz", OTHER, 0 }, { "gutschein", OTHER, 0 }, { "gutscheine", OTHER, 0 }, { "pauschale", OTHER, 0 },
	{ "kosten", OTHER, 0 }, { "karte", OTHER, 0 }, { "rabatt", OTHER, 0 }, { "rabatte", OTHER, 0 },
	{ "beitrag", OTHER, 0 }, { "volumen", OTHER, 0 }, { "ersparnis", OTHER, 0 }, { "kapital", OTHER, 0 },
	{ "sachbezug", OTHER, 0 }, { "zahlung", OTHER, 0 }, { "zahlungen", OTHER, 0 }, { "ticket", OTHER, 0 },
	{ "verantwortung", OTHER, 0 }, { "entscheidungen", OTHER, 0 }, { "versicherung", OTHER, 0 },
	{ "leasing", OTHER, 0 }, { "vertrag", OTHER, 0 }, { "provision", OTHER, 0 }, { "wert", OTHER, 0 },
	{ "geschenk", OTHER, 0 }, { "gebuhr", OTHER, 0 }, { "gebuhren", OTHER, 0 }, { "summe", OTHER, 0 },
}, STEMS[] = {
	{ "salari", CUE, PAY_LANGUAGE_ES }, { "remunera", CUE, PAY_LANGUAGE_ES }, { "retribu", CUE, PAY_LANGUAGE_ES },
	{ "indemni", OTHER, 0 }, { "rembours", OTHER, 0 }, { "reimburs", OTHER, 0 }, { "investi", OTHER, 0 },
	{ "subvenci", OTHER, 0 }, { "factura", OTHER, 0 }, { "finanzier", OTHER, 0 }, { "abonnement", OTHER, 0 },
	{ "inflationsausgleich", OTHER, 0 }, { "budget", OTHER, 0 },
};

/* The period inside a German compound for pay: "bruttojahresgehalt". */
static const struct {
	const char *text;
	enum pay_period period;
} INSIDE[] = {
	{ "stunde", PAY_HOUR }, { "tages", PAY_DAY }, { "wochen", PAY_WEEK }, { "monat", PAY_MONTH },
	{ "ausbildung", PAY_MONTH }, { "jahr", PAY_YEAR }, { "ziel", PAY_YEAR },
};

struct slot {
	const char *word;
	size_t len;
	struct pay_term term;
};

static struct slot table[SLOTS];
static pthread_once_t built = PTHREAD_ONCE_INIT;

/* The last two letters of ENDS, the first two of STEMS. */
static bool last_two[1024], first_two[1024];

static size_t pair(const char *word)
{
	return ((size_t)word[0] & 31) * 32 + ((size_t)word[1] & 31);
}

static struct slot *find(const char *word, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)word[i]) * 16777619u;
	for (hash ^= hash >> 15;; hash++) {
		struct slot *s = &table[hash % SLOTS];

		if (!s->word || (s->len == len && !memcmp(s->word, word, len)))
			return s;
	}
}

static void merge(struct pay_term *term, struct pay_term more)
{
	term->flags |= more.flags;
	if (!term->language)
		term->language = more.language;
	if (!term->unit)
		term->unit = more.unit;
	if (!term->rate)
		term->rate = more.rate;
}

static void add(const struct group *g, const char *word, size_t len)
{
	struct slot *s = find(word, len);

	s->word = word;
	s->len = len;
	merge(&s->term, (struct pay_term){ g->flags, g->language, g->unit, g->rate });
}

static bool has(const char *word, size_t len, const char *part)
{
	return memmem(word, len, part, strlen(part)) != NULL;
}

static bool ends(const char *word, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(word + len - n, end, n);
}

/* Two letters tell of most words that they are none. */
static struct pay_term compound(const char *word, size_t len)
{
	struct pay_term term = { 0 };

	if (!last_two[pair(word + len - 2)] && !first_two[pair(word)])
		return term;

	for (size_t i = 0; i < COUNT(ENDS) && !term.flags; i++)
		if (ends(word, len, ENDS[i].text))
			term = (struct pay_term){ .flags = ENDS[i].flags,
						  .language = ENDS[i].language };
	for (size_t i = 0; i < COUNT(STEMS) && !term.flags; i++)
		if (len >= strlen(STEMS[i].text) &&
		    !memcmp(word, STEMS[i].text, strlen(STEMS[i].text)))
			term = (struct pay_term){ .flags = STEMS[i].flags,
						  .language = STEMS[i].language };
	for (size_t i = 0; i < COUNT(INSIDE) && term.flags & CUE; i++)
		if (!term.rate && has(word, len, INSIDE[i].text))
			term.rate = INSIDE[i].period;
	if (!term.flags && ends(word, len, "stunde"))
		term.unit = PAY_HOUR;
	return term;
}

static void build(void)
{
	for (size_t i = 0; i < COUNT(ENDS); i++)
		last_two[pair(ENDS[i].text + strlen(ENDS[i].text) - 2)] = true;
	for (size_t i = 0; i < COUNT(STEMS); i++)
		first_two[pair(STEMS[i].text)] = true;
	last_two[pair("de")] = true;		/* "…stunde" */
	for (size_t i = 0; i < COUNT(GROUPS); i++)
		for (const char *p = GROUPS[i].words; *p;) {
			size_t n = strcspn(p, " ");

			if (n)
				add(&GROUPS[i], p, n);
			p += n + (p[n] == ' ');
		}
	for (size_t i = 0; i < SLOTS; i++)
		if (table[i].word && table[i].len >= STEM_MIN &&
		    !(table[i].term.flags & (CUE | HINT | OTHER | PAY_WORD_PAYER)))
			merge(&table[i].term, compound(table[i].word, table[i].len));
}

struct pay_term pay_term_of(const char *folded, size_t len)
{
	struct slot *s;

	pthread_once(&built, build);
	s = find(folded, len);
	if (s->word)
		return s->term;
	return len >= STEM_MIN ? compound(folded, len) : (struct pay_term){ 0 };
}
