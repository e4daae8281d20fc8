# SPDX-License-Identifier: MIT
"""What boards call things: kinds of employment, countries, currencies."""

CURRENCIES = {"us": "USD", "ca": "CAD", "gb": "GBP", "in": "INR"}
COUNTRIES = {
    "us": "United States",
    "ca": "Canada",
    "gb": "United Kingdom",
    "in": "India",
    "de": "Germany",
    "fr": "France",
    "es": "Spain",
    "it": "Italy",
}
KINDS = {
    "FULLTIME": ("Full-time", "FullTime", "Full Time", "Full-Time", "full time"),
    "PARTTIME": ("Part-time", "PartTime", "Part Time", "Part-Time", "part time"),
    "CONTRACTOR": ("Contract", "Contract", "Contractor", "Contract", "contract"),
    "INTERN": ("Intern", "Intern", "Intern", "Internship", "internship"),
}


def slug_of(company):
    return "".join(c for c in company.casefold() if c.isalnum())


def currency_of(p):
    return CURRENCIES.get(p.country, "EUR")


def kind_of(p, form):
    return KINDS[p.kinds[0]][form] if p.kinds else None


def country_of(p):
    return COUNTRIES.get(p.country, p.country.upper())


def place_of(p):
    return ", ".join(part for part in (p.city, p.region, country_of(p)) if part)
