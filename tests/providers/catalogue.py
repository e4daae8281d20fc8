# SPDX-License-Identifier: MIT
"""The postings that JSearch serves, and which of them a query finds.

Every file of DIR that isn't an error sample (e1_401.json …) is a JSearch response: `data` is an
array of rows (2023 and 2025 shape) or an object with `jobs` (v5). `parameters.country` of the file
is the country of its rows, as v5 rows often name none. Rows stay as they are, broken ones too.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ERROR_SAMPLE = re.compile(r"e\d+_")
WORD = re.compile(r"[^\W_]+[+#]*")
FILLERS = {
    "a",
    "an",
    "and",
    "at",
    "for",
    "in",
    "job",
    "jobs",
    "near",
    "of",
    "or",
    "remote",
    "the",
    "to",
    "usa",
}
SAME = {
    "developer": "engineer",
    "programmer": "engineer",
    "developers": "engineer",
    "engineers": "engineer",
    "entwickler": "engineer",
    "ingenieur": "engineer",
    "ingénieur": "engineer",
    "développeur": "engineer",
    "desarrollador": "engineer",
    "sviluppatore": "engineer",
    "sr": "senior",
    "jr": "junior",
    "front": "frontend",
    "back": "backend",
    "end": "",
}
COUNTRIES = {
    "us",
    "usa",
    "united states",
    "uk",
    "united kingdom",
    "canada",
    "india",
    "germany",
    "deutschland",
    "france",
    "spain",
    "españa",
    "italy",
    "italia",
}


@dataclass
class Entry:
    row: object
    generation: str
    country: str
    leader: dict

    @property
    def job_id(self):
        return self.row.get("job_id") if isinstance(self.row, dict) else None


def words(text):
    found = (SAME.get(word, word) for word in WORD.findall(text.casefold()))
    return [word for word in found if word and word not in FILLERS]


def text_of(row, key):
    value = row.get(key)
    return value if isinstance(value, str) else ""


def place_of(row):
    return " ".join(text_of(row, key) for key in ("job_city", "job_state", "job_location"))


def generation_of(data, rows):
    if isinstance(data, dict):
        return "v5"
    members = {name for row in rows if isinstance(row, dict) for name in row}
    return "2025" if members & {"job_employment_types", "job_salary_string"} else "2023"


class Catalogue:
    def __init__(self, directory, match):
        """`match` is words, all or auto; ValueError for a file that isn't a JSearch response."""
        self.entries, self.salaries = [], []
        for path in sorted(directory.glob("*.json")) if directory.is_dir() else []:
            if not ERROR_SAMPLE.match(path.name):
                self.read(path)
        self.entries.sort(key=lambda entry: entry.generation)
        labelled = (directory.parent / "labels.json").exists()
        self.by_words = match == "words" or (match == "auto" and labelled)
        self.places = self.known_places()

    def read(self, path):
        try:
            document = json.loads(path.read_text("utf-8"))
            data = document["data"]
            rows = data["jobs"] if isinstance(data, dict) else data
            country = document.get("parameters", {}).get("country", "us")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: no JSearch response: {error!r}") from error
        if rows and isinstance(rows[0], dict) and "median_salary" in rows[0]:
            self.salaries += rows
            return
        generation, leader = generation_of(data, rows), {}
        for row in rows:
            if isinstance(row, dict) and isinstance(row.get("job_title"), str):
                leader = row
            self.entries.append(Entry(row, generation, country, leader))

    def known_places(self):
        """City and state words of all rows, so that a query without "in" can be taken apart too."""
        names = set()
        for entry in self.entries:
            if isinstance(entry.row, dict):
                for key in ("job_city", "job_state"):
                    name = text_of(entry.row, key).casefold()
                    if len(name) > 2:
                        names.add(name)
        return sorted(names, key=len, reverse=True)

    def split(self, query):
        """(title, place) of a query: at the last " in ", else at a place that is known."""
        title, mark, place = query.rpartition(" in ")
        if mark:
            return title, place
        folded = query.casefold()
        for name in self.places:
            at = re.search(rf"\b{re.escape(name)}\b", folded)
            if at:
                return query[: at.start()], query[at.start() :]
        return query, ""

    def find(self, query, country):
        """Entries for a query, by generation and then the best first; "*" finds every one of every
        country.
        """
        if query.strip() == "*" or not self.by_words:
            return self.entries
        title, place = self.split(query)
        wanted = list(dict.fromkeys(words(title)))
        scored = []
        for number, entry in enumerate(self.entries):
            score = self.score(entry, wanted, place)
            if entry.country == country and score > 0:
                scored.append((entry.generation, -score, number, entry))
        return [entry for *_, entry in sorted(scored, key=lambda item: item[:3])]

    def score(self, entry, wanted, place):
        """0 when it isn't meant. A row without a title goes with the one before it."""
        row = (
            entry.row
            if isinstance(entry.row, dict) and text_of(entry.row, "job_title")
            else entry.leader
        )
        if place and not fits_place(row, place):
            return 0
        if not wanted:
            return 1
        title = set(words(text_of(row, "job_title")))
        hits = sum(word in title for word in wanted)
        return hits / len(wanted) if 2 * hits >= len(wanted) else 0


def fits_place(row, place):
    """City, state or country; a row that names no place, or "Anywhere", fits every one."""
    where = place_of(row).casefold()
    if not where.strip() or where.strip().startswith("anywhere"):
        return True
    asked = place.casefold().strip()
    first = asked.split(",")[0].strip()
    if asked in COUNTRIES or first == text_of(row, "job_state").casefold():
        return True
    return re.search(rf"\b{re.escape(first)}\b", where) is not None


def read_samples(directory):
    """Parsed JSON files of DIR but for the error samples, by file name; {} where DIR is absent."""
    found = {}
    for path in sorted(Path(directory).glob("*.json")) if Path(directory).is_dir() else []:
        if not ERROR_SAMPLE.match(path.name):
            found[path.name] = json.loads(path.read_text("utf-8"))
    return found
