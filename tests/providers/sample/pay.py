# SPDX-License-Identifier: MIT
"""What a job pays, and the ways in which postings say so.

A Pay is the truth as a label: what a reader of the posting may state, in the period in which it is
stated. The forms below write it; a form that leaves a bound out answers the Pay without it.
"""

from dataclasses import dataclass, replace

YEARLY_HOURS, YEARLY_DAYS, YEARLY_WEEKS = 2080, 260, 52
# country: (currency, factor on the US figure, step of yearly amounts)
MARKETS = {
    "us": ("USD", 1.0, 1000),
    "gb": ("GBP", 0.52, 1000),
    "ca": ("CAD", 0.95, 1000),
    "in": ("INR", 18, 100000),
    "de": ("EUR", 0.52, 1000),
    "fr": ("EUR", 0.42, 1000),
    "es": ("EUR", 0.33, 1000),
    "it": ("EUR", 0.32, 1000),
}
NARROW_SPACE = "\u202f"
SIGNS = {"USD": "$", "GBP": "£", "CAD": "$", "INR": "₹", "EUR": "€"}


@dataclass(frozen=True)
class Pay:
    min: float
    max: float
    currency: str
    period: str

    def label(self, source):
        return {
            "min": self.min,
            "max": self.max,
            "currency": self.currency,
            "period": self.period,
            "source": source,
        }


def draw_pay(dice, place, yearly):
    """A range around `yearly` US dollars, in the place's market."""
    currency, factor, step = MARKETS[place.country]
    periods = {
        "us": (("YEAR", 7), ("HOUR", 2.2), ("MONTH", 0.4), ("WEEK", 0.5), ("DAY", 0.5)),
        "gb": (("YEAR", 7), ("DAY", 2), ("HOUR", 1)),
        "ca": (("YEAR", 7), ("HOUR", 2)),
        "in": (("YEAR", 7), ("MONTH", 3)),
        "de": (("YEAR", 7), ("MONTH", 2), ("HOUR", 1)),
    }
    period = dice.weighted(periods.get(place.country, (("YEAR", 7), ("MONTH", 3))))
    low = yearly * factor * (0.85 + 0.2 * dice.share())
    high = low * (1.1 + 0.3 * dice.share())
    divisor, step = {
        "YEAR": (1, step),
        "MONTH": (12, max(50, step // 20)),
        "WEEK": (YEARLY_WEEKS, 50),
        "DAY": (YEARLY_DAYS, 10),
        "HOUR": (YEARLY_HOURS, 0.25 if dice.chance(0.4) else 1),
    }[period]
    low, high = (round(value / divisor / step) * step for value in (low, high))
    return Pay(tidy(low), tidy(max(high, low + step)), currency, period)


def tidy(value):
    return int(value) if value == int(value) else value


def grouped(value, mark):
    """Thousands by `mark`, cents only where there are some."""
    text = f"{value:,.2f}" if value != int(value) else f"{int(value):,}"
    if mark == ",":
        return text
    return text.replace(",", "\0").replace(".", ",").replace("\0", mark)


def thousands(value):
    return f"{value / 1000:g}"


def string_form(dice, pay, language):
    """(job_salary_string as Google writes it in the language, what it states)"""
    if pay.currency == "INR":
        return indian_form(dice, pay)
    if language == "en":
        return english_string(dice, pay)
    words = {
        "de": {"YEAR": "pro Jahr", "MONTH": "pro Monat", "HOUR": "pro Stunde"},
        "fr": {"YEAR": "par an", "MONTH": "par mois"},
        "es": {"YEAR": "al año", "MONTH": "al mes"},
        "it": {"YEAR": "all'anno", "MONTH": "al mese"},
    }[language][pay.period]
    mark = {"de": ".", "fr": NARROW_SPACE, "es": ".", "it": "."}[language]
    low, high = grouped(pay.min, mark), grouped(pay.max, mark)
    if language == "fr" and pay.period == "YEAR" and dice.chance(0.5):
        low, high = thousands(pay.min) + " k", thousands(pay.max) + " k"
        return f"{low}€ à {high}€ {words}", pay
    return f"{low}\u00a0€ – {high}\u00a0€ {words}", pay


def indian_form(dice, pay):
    if pay.period == "YEAR" and dice.chance(0.85):
        return f"₹{pay.min / 100000:g}-{pay.max / 100000:g} LPA", pay
    word = "month" if pay.period == "MONTH" else "year"
    return f"₹{grouped(pay.min, ',')} - ₹{grouped(pay.max, ',')} a {word}", pay


def english_string(dice, pay):
    sign = SIGNS[pay.currency]
    sign = "CA$" if pay.currency == "CAD" and dice.chance(0.5) else sign
    word = {
        "YEAR": "a year",
        "MONTH": "a month",
        "WEEK": "a week",
        "DAY": "a day",
        "HOUR": "an hour",
    }[pay.period]
    dash = dice.pick((" - ", "–", " – "))
    if pay.period == "YEAR" and dice.chance(0.6):
        return f"{sign}{thousands(pay.min)}K{dash}{sign}{thousands(pay.max)}K {word}", pay
    if dice.chance(0.15):
        return f"{sign}{grouped(pay.min, ',')} {word}", replace(pay, max=pay.min)
    return f"{sign}{grouped(pay.min, ',')}{dash}{sign}{grouped(pay.max, ',')} {word}", pay


def sentence_form(dice, pay, language):
    """(a sentence of the description, what it states)"""
    forms = {
        "en": english_sentences,
        "de": german_sentences,
        "fr": french_sentences,
        "es": spanish_sentences,
        "it": italian_sentences,
    }[language]
    return dice.pick(forms(pay))


def english_sentences(pay):
    sign = SIGNS[pay.currency]
    low, high = grouped(pay.min, ","), grouped(pay.max, ",")
    noun = {"YEAR": "year", "MONTH": "month", "WEEK": "week", "DAY": "day", "HOUR": "hour"}[
        pay.period
    ]
    forms = [
        (f"The base salary range for this role is {sign}{low} - {sign}{high} per {noun}.", pay),
        (f"Pay: {sign}{low}–{sign}{high}/{noun}", pay),
        (
            f"Salary: up to {sign}{high} per {noun}, depending on experience.",
            replace(pay, min=None),
        ),
        (f"Compensation starts at {sign}{low} per {noun}.", replace(pay, max=None)),
        (f"We pay {pay.currency} {low} to {high} per {noun}.", pay),
    ]
    if pay.currency == "INR":
        return forms[:2] + [(f"CTC: ₹{low} - ₹{high} per {noun}", pay)]
    if pay.period == "YEAR":
        forms += [
            (f"Compensation: {sign}{thousands(pay.min)}-{thousands(pay.max)}k/year", pay),
            (
                f"Base salary: {sign}{thousands(pay.min)}k - {sign}{thousands(pay.max)}k per annum "
                "plus bonus",
                pay,
            ),
            (f"The annual salary is between {sign}{low} and {sign}{high}.", pay),
            (f"Expected pay range: {low} - {high} {pay.currency} annually", pay),
        ]
    if pay.period == "HOUR":
        forms += [
            (f"Hourly rate: {sign}{pay.min:.2f} - {sign}{pay.max:.2f} per hour (W2)", pay),
            (f"Rate {sign}{low}/hr to {sign}{high}/hr", pay),
        ]
    if pay.period == "DAY":
        forms += [(f"Day rate: {sign}{low} - {sign}{high} per day, outside IR35", pay)]
    return forms


def german_sentences(pay):
    low, high = grouped(pay.min, "."), grouped(pay.max, ".")
    if pay.period == "HOUR":
        return [(f"Stundenlohn: {pay.min:.2f} € bis {pay.max:.2f} €".replace(".", ","), pay)]
    noun = {"YEAR": "Jahr", "MONTH": "Monat"}[pay.period]
    forms = [
        (f"Gehalt: {low} € bis {high} € brutto pro {noun}", pay),
        (f"Wir bieten ein Gehalt zwischen {low} und {high} EUR brutto im {noun}.", pay),
        (f"Gehalt ab {low} € brutto im {noun}", replace(pay, max=None)),
    ]
    if pay.period == "YEAR":
        forms += [
            (f"Jahresgehalt von EUR {low} bis EUR {high}", pay),
            (f"Bruttojahresgehalt: {thousands(pay.min)} - {thousands(pay.max)} T€", pay),
        ]
    return forms


def french_sentences(pay):
    low, high = grouped(pay.min, " "), grouped(pay.max, " ")
    narrow = f"{grouped(pay.min, NARROW_SPACE)} et {grouped(pay.max, NARROW_SPACE)}"
    noun = {"YEAR": "an", "MONTH": "mois"}[pay.period]
    forms = [
        (f"Rémunération : {low} € à {high} € brut par {noun}", pay),
        (f"Salaire : entre {narrow} € bruts par {noun}", pay),
    ]
    if pay.period == "YEAR":
        forms += [
            (
                f"Salaire entre {thousands(pay.min)} et {thousands(pay.max)} K€ annuels bruts "
                "selon profil",
                pay,
            ),
            (f"Package : {thousands(pay.min)}-{thousands(pay.max)}k€ brut annuel", pay),
        ]
    return forms


def spanish_sentences(pay):
    low, high = grouped(pay.min, "."), grouped(pay.max, ".")
    if pay.period == "MONTH":
        return [
            (f"Salario: {low} € - {high} € brutos al mes", pay),
            (f"Sueldo mensual de {low} € a {high} €", pay),
        ]
    return [
        (f"Salario: {low} € - {high} € brutos anuales", pay),
        (f"Banda salarial entre {low} y {high} € brutos/año", pay),
        (f"Salario {thousands(pay.min)}k-{thousands(pay.max)}k € brutos anuales", pay),
    ]


def italian_sentences(pay):
    low, high = grouped(pay.min, "."), grouped(pay.max, ".")
    if pay.period == "MONTH":
        return [(f"Retribuzione: {low} € - {high} € lordi al mese", pay)]
    return [(f"RAL: {low} € - {high} €", pay), (f"RAL compresa tra {low} e {high} euro annui", pay)]


# Money that is no pay. A posting that holds only these pays an unknown amount.
TRAPS = {
    "en": (
        "401k with company match up to 5%.",
        "We just closed our $120 million Series C funding round.",
        "$1,000 WFH stipend in your first month.",
        "Sign-on bonus of $5,000 for the right candidate.",
        "Our platform processes $3 billion in payments every year.",
        "Employee referral bonus: $2,500.",
        "$1 for $1 401k match.",
        "We serve over 10,000 customers and 401K/RRSP plans are included.",
        "Learning budget of $1,500 per year.",
        "You will own a budget of $250,000 for cloud spending.",
        "Revenue grew from $4M to $19M ARR last year.",
        "Life insurance of up to $50,000.",
    ),
    "de": (
        "Wir haben gerade 25 Mio. € in unserer Series-B-Runde eingesammelt.",
        "Jahresumsatz von 120 Millionen Euro.",
        "Weiterbildungsbudget von 2.000 € im Jahr.",
        "50 € Sachbezug monatlich.",
    ),
    "fr": (
        "Nous venons de lever 25 M€ en série B.",
        "Prime de cooptation de 1 500 €.",
        "Chiffre d'affaires de 70 M€.",
        "Carte titres-restaurant de 9 € par jour.",
    ),
    "es": (
        "Hemos cerrado una ronda de 25 millones de euros.",
        "Bonus por referencias de 1.000 €.",
        "Facturación anual de 70 M€.",
        "Presupuesto de formación de 1.200 € al año.",
    ),
    "it": (
        "Abbiamo raccolto 25 milioni di euro in un round di serie B.",
        "Buoni pasto da 8 € al giorno.",
        "Fatturato di 70 milioni di euro.",
    ),
}
