# SPDX-License-Identifier: MIT
"""A posting of the catalogue under plain names, so that providers of other formats can serve the
same postings as JSearch does. What a row leaves out is derived from its id, the same each time.
"""

import hashlib
import html
from dataclasses import dataclass

from tables import read_table, share

DAY_S = 86400
YEARLY = {"YEAR": 1, "MONTH": 12, "WEEK": 52, "DAY": 260, "HOUR": 2080}
KINDS = (
    ("FULLTIME", ("full", "vollzeit", "completa", "tempo pieno", "plein")),
    ("PARTTIME", ("part", "teilzeit", "media jornada", "partiel")),
    ("CONTRACTOR", ("contract", "contrat", "auftrag", "prestataire")),
    ("INTERN", ("intern", "praktik")),
)
BULLETS = ("•", "- ", "* ", "– ")
STATES = {abbr: row["name"] for abbr, row in read_table("states", "abbr").items()}


@dataclass
class Posting:
    entry: object
    number: int
    title: str
    company: str
    city: str
    region: str
    country: str
    coordinates: tuple
    text: str
    posted: int
    remote: bool
    kinds: list
    pay: tuple  # (min, max, period) or None

    def yearly(self):
        """(min, max) a year; None without pay."""
        if not self.pay:
            return None
        low, high, period = self.pay
        return low * YEARLY[period], high * YEARLY[period]

    def html(self):
        """Paragraphs and lists, escaped once."""
        parts, items = [], []
        for line in [*self.text.splitlines(), ""]:
            if line.startswith(BULLETS):
                items.append(f"<li>{html.escape(line[1:].strip())}</li>")
                continue
            if items:
                parts.append("<ul>" + "".join(items) + "</ul>")
                items = []
            if line.strip():
                parts.append(f"<p>{html.escape(line.strip())}</p>")
        return "\n".join(parts)

    def slug(self):
        words = "".join(c if c.isalnum() else " " for c in self.title.casefold()).split()
        return "-".join([*words, str(self.number)])


def text_of(row, name):
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def place_of(row):
    """(city, region) by the members made for it, else by job_location before its bullet."""
    city, region = text_of(row, "job_city"), text_of(row, "job_state")
    if not city:
        parts = [p.strip() for p in text_of(row, "job_location").partition("•")[0].split(",")]
        if parts[0] and not parts[0].startswith("Anywhere"):
            city, region = parts[0], region or (parts[1] if len(parts) > 1 else "")
    return city, STATES.get(region, region)


def kinds_of(row):
    told = row.get("job_employment_types") or row.get("job_employment_type") or ""
    told = (" ".join(map(str, told)) if isinstance(told, list) else str(told)).casefold()
    return [kind for kind, words in KINDS if any(word in told for word in words)]


def pay_of(row):
    low, high, period = (row.get(f"job_{n}") for n in ("min_salary", "max_salary", "salary_period"))
    numbers = all(isinstance(n, (int, float)) and n > 0 for n in (low, high))
    return (low, high, period) if numbers and period in YEARLY and low <= high else None


def coordinates_of(row):
    pair = row.get("job_latitude"), row.get("job_longitude")
    return pair if all(isinstance(n, (int, float)) for n in pair) else None


def read_entry(entry, newest):
    """None for a row that is broken."""
    row = entry.row if isinstance(entry.row, dict) else {}
    title, company = text_of(row, "job_title"), text_of(row, "employer_name")
    if not title or not company or not isinstance(row.get("job_id"), str):
        return None
    stamp = row.get("job_posted_at_timestamp")
    posted = stamp if isinstance(stamp, int) else newest - int(30 * DAY_S * share(row["job_id"]))
    city, region = place_of(row)
    digest = hashlib.sha256(row["job_id"].encode()).digest()
    return Posting(
        entry=entry,
        number=10_000_000 + int.from_bytes(digest[:4], "big") % 80_000_000,
        title=title,
        company=company,
        city=city,
        region=region,
        country=entry.country,
        coordinates=coordinates_of(row),
        text=text_of(row, "job_description"),
        posted=posted,
        remote=row.get("job_is_remote") is True,
        kinds=kinds_of(row),
        pay=pay_of(row),
    )


class Postings:
    """What is whole in a catalogue, one posting a job_id, the newest first."""

    def __init__(self, catalogue):
        self.catalogue = catalogue
        stamps = [
            entry.row.get("job_posted_at_timestamp")
            for entry in catalogue.entries
            if isinstance(entry.row, dict)
        ]
        self.newest = max((stamp for stamp in stamps if isinstance(stamp, int)), default=0)
        known = {}
        for entry in catalogue.entries:
            posting = read_entry(entry, self.newest)
            if posting:
                known.setdefault(posting.number, posting)
        self.by_entry = {id(posting.entry): posting for posting in known.values()}
        self.all = sorted(known.values(), key=lambda p: (-p.posted, p.number))

    def find(self, query, place, country):
        """By words of the title and the place, as JSearch does; the best first."""
        if not query.strip() and not place.strip():
            return [posting for posting in self.all if posting.country == country]
        asked = f"{query} in {place}" if place.strip() else query
        found = self.catalogue.find(asked, country)
        return [self.by_entry[id(entry)] for entry in found if id(entry) in self.by_entry]

    def younger(self, postings, days):
        """Age counts from the newest posting: the data's own present."""
        return [p for p in postings if p.posted >= self.newest - days * DAY_S]
