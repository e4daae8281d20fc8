# SPDX-License-Identifier: MIT
"""A job as it is, before any provider writes it down: what the labels are made from."""

import base64
from dataclasses import dataclass, field, replace

from sample.company import Company, companies
from sample.dice import Dice, hexdigest
from sample.pay import TRAPS, Pay, draw_pay, sentence_form, string_form
from sample.place import PLACES, Place
from sample.prose import WORKPLACE, describe
from sample.role import LEVEL_WEIGHTS, LEVELS, ROLES, Role
from sample.when import When, draw_when

GENERATIONS = (("2023", 3), ("2025", 4), ("v5", 5))
# How the posting says where the work is done, and what the flag says.
WORKPLACES = (
    ("silent", 60),
    ("remote", 11),
    ("remote_title", 5),
    ("hybrid_title", 6),
    ("hybrid_text", 8),
    ("onsite", 6),
)
TITLE_WORDS = {
    "remote": {
        "en": "Remote",
        "de": "Homeoffice",
        "fr": "Télétravail",
        "es": "Remoto",
        "it": "Remoto",
    },
    "hybrid": {"en": "Hybrid", "de": "Hybrid", "fr": "Hybride", "es": "Híbrido", "it": "Ibrido"},
}
PUBLISHERS = (
    ("LinkedIn", 5),
    ("Indeed", 4),
    ("ZipRecruiter", 2),
    ("Glassdoor", 1.5),
    ("Learn4Good", 0.7),
    ("BeBee", 0.6),
    ("", 2),
)
TYPES = (("FULLTIME", 16), ("CONTRACTOR", 2), ("PARTTIME", 1))


@dataclass
class Job:
    number: int
    generation: str
    country: str
    language: str
    role: Role
    level: str
    title: str
    company: Company
    place: Place
    types: list
    when: When
    months: int
    workplace: str
    flag: bool
    publisher: str
    skills: tuple
    job_id: str = ""
    pay: Pay = None
    pay_source: str = None
    pay_string: str = None
    text: str = ""
    sections: dict = field(default_factory=dict)
    slug: str = ""

    @property
    def mode(self):
        """What a reader knows of the workplace; None when the posting is silent."""
        return {
            "silent": None,
            "remote_title": "remote",
            "hybrid_title": "hybrid",
            "hybrid_text": "hybrid",
        }.get(self.workplace, self.workplace)

    @property
    def shown_title(self):
        part, mark, where = self.workplace.partition("_")
        return (
            f"{self.title} ({TITLE_WORDS[part][self.language]})"
            if mark and where == "title"
            else self.title
        )

    def link(self):
        """Where to apply; unique to the job and its publisher."""
        if not self.publisher:
            return f"https://{self.company.host}/careers/{self.slug}"
        host = self.publisher.lower()
        return {
            "LinkedIn": f"https://www.linkedin.example/jobs/view/{self.slug}",
            "Indeed": f"https://www.indeed.example/viewjob/{self.slug}",
            "ZipRecruiter": f"https://www.ziprecruiter.example/c/{self.slug}",
        }.get(self.publisher, f"https://www.{host}.example/job/{self.slug}")


def job_id(generation, *words):
    """As JSearch writes them: 16 bytes in base64, the last ones zero; v5 wraps that once more."""
    plain = base64.urlsafe_b64encode(bytes.fromhex(hexdigest(*words))[:10] + bytes(6)).decode()
    return base64.b64encode(plain.encode()).decode() if generation == "v5" else plain


def slug_of(job, *words):
    plain = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in job.title.casefold()
    )
    while "--" in plain:
        plain = plain.replace("--", "-")
    return f"{plain.strip('-')}-{int(hexdigest('slug', *words)[:9], 16)}"


def level_label(level, title):
    """In the vocabulary of the labelled sets; None where a title with "manager" makes it a matter
    of taste.
    """
    if "manager" in title.casefold() or "chef" in title.casefold() or "leiter" in title.casefold():
        return None
    return {"junior": "entry", "mid": "unknown"}.get(level, level)


def key_of(title, company, city):
    """What makes two postings the same to a reader."""
    folded = title.casefold().replace("sr. ", "senior ").replace("jr. ", "junior ")
    return folded, company.casefold(), city


class Maker:
    """Draws jobs that differ in title, company or city from every one before."""

    def __init__(self, seed):
        self.seed = seed
        self.taken = set()
        self.employers = {place.country: companies(seed, place.country) for place in PLACES}

    def draw(self, number):
        attempt = 0
        while True:
            job = self.attempt(number, Dice(self.seed, "job", number, attempt))
            if self.claim(job):
                return job
            attempt += 1

    def claim(self, job):
        """Whether nobody had title, company and city before."""
        key = key_of(job.title, job.company.name, job.place and job.place.city)
        new = key not in self.taken
        self.taken.add(key)
        return new

    def attempt(self, number, dice):
        place = dice.weighted([(place, place.weight) for place in PLACES])
        role = dice.weighted([(role, role.weight) for role in ROLES])
        level = dice.weighted(list(zip(LEVELS, LEVEL_WEIGHTS)))
        if place.language != "en" and level[0] == "intern":
            level = LEVELS[3]
        title = f"{level[1]}{role.title_in(place.language)}{level[2]}"
        types = ["INTERN"] if level[0] == "intern" else [dice.weighted(TYPES)]
        if types == ["FULLTIME"] and dice.chance(0.1):
            types = dice.pick(
                (
                    ["FULLTIME", "PARTTIME"],
                    ["FULLTIME", "CONTRACTOR"],
                    ["FULLTIME", "PARTTIME", "CONTRACTOR"],
                )
            )
        workplace = dice.weighted(WORKPLACES)
        flag = {
            "remote": True,
            "remote_title": dice.chance(0.3),
            "hybrid_title": dice.chance(0.5),
            "hybrid_text": dice.chance(0.5),
        }.get(workplace, False)
        job = Job(
            number,
            dice.weighted(GENERATIONS),
            place.country,
            place.language,
            role,
            level_label(level[0], title),
            title,
            dice.pick(self.employers[place.country]),
            place,
            types,
            draw_when(dice),
            level[4],
            workplace,
            flag,
            dice.weighted(PUBLISHERS),
            tuple(dice.some(role.skills, dice.whole(3, 5))),
        )
        if place.country == "us" and workplace == "remote" and dice.chance(0.45):
            job.place = None
        job.job_id = job_id(job.generation, self.seed, number)
        job.slug = slug_of(job, self.seed, number)
        self.tell(dice, job, place, role.pay * level[3])
        return job

    def tell(self, dice, job, place, yearly):
        """Gives the job its pay, the place where that stands, and its text."""
        sources = {
            "2023": (("fields", 3), ("description", 3), ("highlights", 1), (None, 5)),
            "2025": (("fields", 2), ("description", 3), ("highlights", 1), (None, 6)),
            "v5": (("string", 4), ("fields", 0.7), ("description", 3), (None, 5)),
        }[job.generation]
        if job.generation == "v5" and job.country == "in":
            sources = (("string", 4), ("description", 1), (None, 1))
        job.pay_source = dice.weighted(sources)
        extra, pay = [], draw_pay(dice, place, yearly)
        if job.pay_source == "string":
            job.pay_string, job.pay = string_form(dice, pay, job.language)
        elif job.pay_source in ("description", "highlights"):
            sentence, job.pay = sentence_form(dice, pay, job.language)
            if job.pay_source == "description":
                extra.append(sentence)
        elif job.pay_source == "fields":
            job.pay = pay
        if job.mode and not job.workplace.endswith("_title"):
            extra.append(dice.pick(WORKPLACE[job.language][job.mode]))
        if dice.chance(0.3):
            extra.append(dice.pick(TRAPS[job.language]))
        job.text, job.sections = describe(dice, job, dice.some(extra, len(extra)))
        if job.pay_source == "highlights":
            job.sections["offers"] = [sentence, *job.sections["offers"]]


def label_of(job, posted, country, region):
    """What a reader of the row should make of it. `posted` and `region` depend on what the row
    shows.
    """
    return {
        "valid": True,
        "title": job.title,
        "company": job.company.name,
        "city": job.place and job.place.city,
        "region": region,
        "country": country,
        "workplace": job.mode,
        "level": job.level,
        "soc": job.role.soc,
        "employment_types": sorted(job.types),
        "salary": job.pay and job.pay.label(job.pay_source),
        "posted": posted,
        "skills": sorted(job.skills),
        "language": job.language,
        "oddities": [],
    }


def copy_of(job, **changes):
    return replace(
        job, types=list(changes.pop("types", job.types)), sections=dict(job.sections), **changes
    )
