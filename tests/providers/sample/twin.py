# SPDX-License-Identifier: MIT
"""Rows that repeat another one, and rows that only look like it.

Duplicates: the same title, company and place after normalisation (case, punctuation, legal suffix,
state short or long), or the same apply link but for tracking parameters. Near misses differ in what
makes another job: level, place, company, or the identifying parameter of the link.
"""

from dataclasses import replace
from urllib.parse import quote

from sample.dice import Dice
from sample.job import copy_of, job_id, slug_of
from sample.place import PLACES
from sample.row import tracked, write

EXACT, LINKED = 28, 12
OTHER_SUFFIX = {
    "us": ("", "Inc", ", LLC", "Corporation"),
    "gb": ("", "Ltd.", "LTD"),
    "ca": ("", "Inc", "Ltd"),
    "in": ("", "Pvt Ltd"),
    "de": ("", "GmbH"),
    "fr": ("", "S.A.S."),
    "es": ("", "S.L."),
    "it": ("", "SpA"),
}


def retold(seed, base, kind, **changes):
    """The base's job once more under an id of its own."""
    words = (seed, kind, base.job.number)
    job = copy_of(base.job, **changes)
    job.job_id = job_id(job.generation, *words)
    if "slug" not in changes:
        job.slug = slug_of(job, *words)
    return job


def plain(posting):
    """Fit to be repeated: says where it is, and nothing odd was done to it."""
    return posting.job.place is not None and posting.job.workplace in (
        "silent",
        "remote",
        "onsite",
        "hybrid_text",
    )


def exact(seed, base, number):
    """Another publisher shows it in other letters, now and then in another generation."""
    dice = Dice(seed, "exact", base.job.number)
    generation = base.job.generation
    if base.job.country == "us" and number % 3 == 0:
        generation = {"2023": "2025", "2025": "2023", "v5": "2025"}[generation]
    keeps = base.job.pay_source not in ("fields", "string", "highlights")
    types = base.job.types[:1] if generation == "2023" else base.job.types
    others = [
        name for name in ("LinkedIn", "Indeed", "Glassdoor", "BeBee") if name != base.job.publisher
    ]
    suffix = dice.pick(
        [name for name in OTHER_SUFFIX[base.job.country] if name != base.job.company.suffix]
    )
    job = retold(
        seed,
        base,
        "exact",
        generation=generation,
        types=types,
        publisher=dice.pick(others),
        company=replace(base.job.company, suffix=suffix),
    )
    if not keeps and generation != base.job.generation:
        job.pay = job.pay_source = job.pay_string = None
    posting = write(seed, job)
    form = number % 4
    title = posting.row["job_title"]
    posting.row["job_title"] = (title.upper(), title.lower(), title + ".", title)[form]
    if form == 3:
        posting.row["employer_name"] = posting.row["employer_name"].upper()
    for name in ("job_city", "job_location"):
        if isinstance(posting.row.get(name), str):
            posting.row[name] = posting.row[name].replace("St. ", "St ").replace("d'A", "d’A")
    return duplicate(posting, base, "exact")


def linked(seed, base, number):
    """The same apply link with other tracking, found under a place that says less and a longer
    title.
    """
    job = retold(
        seed, base, "linked", slug=base.job.slug, generation="2025", place=None, country="us"
    )
    posting = write(seed, job)
    tail = quote(f"src_{number}")
    link = f"{base.job.link()}?utm_source={tail}&utm_medium=cpc&gclid=Cj0K{number:04d}&ref=feed"
    posting.row["job_title"] += (" - Hiring now", " (Immediate start)", " - Apply today")[
        number % 3
    ]
    posting.row["job_apply_link"] = None if number % 4 == 3 else link
    posting.row["apply_options"] = [
        {"apply_link": link, "is_direct": False, "publisher": job.publisher or "Company site"}
    ]
    posting.mark("title_noise", "tracking_parameters")
    return duplicate(posting, base, "apply_link")


def duplicate(posting, base, kind):
    posting.label.update(duplicate_of=base.job.job_id, duplicate_kind=kind)
    return posting


def near(posting, base, kind):
    posting.label.update(not_duplicate_of=base.job.job_id, near_kind=kind)
    return posting


def other_level(seed, base, number, employers):
    known = [
        word
        for word in ("Senior ", "Sr. ", "Junior ", "Jr. ", "Lead ", "Staff ", "Principal ")
        if base.job.title.startswith(word)
    ]
    title = base.job.title.removeprefix(known[0]) if known else "Senior " + base.job.title
    level = None if base.job.level is None else "unknown" if known else "senior"
    job = retold(seed, base, "level", title=title, level=level)
    job.text = base.job.text.replace(base.job.title, title)
    return job


def other_place(seed, base, number, employers):
    choices = [
        place for place in PLACES if place.country == base.job.country and place != base.job.place
    ]
    place = choices[number % len(choices)]
    job = retold(seed, base, "place", place=place)
    job.text = base.job.text.replace(base.job.place.city, place.city)
    return job


def other_company(seed, base, number, employers):
    company = [each for each in employers if each.name != base.job.company.name][
        number % (len(employers) - 1)
    ]
    job = retold(seed, base, "company", company=company)
    job.text = base.job.text.replace(base.job.company.name, company.name)
    return job


def same_path(base, posting, number):
    """The path names only the title; the id that tells the jobs apart is a parameter, and no
    tracking one.
    """
    path = f"https://www.jobsboard.example/jobs/{base.job.slug.rsplit('-', 1)[0]}"
    for row, mark in ((base.row, 2180634000), (posting.row, 2190711000)):
        row["job_apply_link"] = tracked(f"{path}?id={mark + number}")
        if "apply_options" in row:
            row["apply_options"] = []


def near_misses(seed, bases, maker):
    """Rows that look like one of `bases`, which serve once each; the first ones that claim a key of
    their own.
    """
    makers = {
        "other_level": (other_level, 8),
        "other_place": (other_place, 8),
        "other_company": (other_company, 6),
        "other_parameter": (other_company, 3),
    }
    left, found = list(bases), []
    for kind, (make, count) in makers.items():
        while count:
            base = left.pop(0)
            job = make(seed, base, len(found), maker.employers["us"])
            if not maker.claim(job):
                continue
            posting = near(write(seed, job), base, kind)
            if kind == "other_parameter":
                same_path(base, posting, count)
            found.append(posting)
            count -= 1
    return found


def twins(seed, free, maker):
    """All of them, from rows that no oddity touched; no base serves twice."""
    dice = Dice(seed, "twins")
    bases = [posting for posting in dice.some(free, len(free)) if plain(posting)]
    for_links = [
        posting
        for posting in bases
        if posting.job.country == "us"
        and not posting.job.pay_source
        and posting.job.generation == "2025"
        and posting.job.workplace == "silent"
    ][:LINKED]
    bases = [posting for posting in bases if posting not in for_links]
    # Cities that punctuation can change come first: there are few of them.
    bases.sort(key=lambda posting: posting.job.place.city.replace(" ", "").isalpha())
    for_exact, bases = bases[:EXACT], bases[EXACT:]
    for_near = [
        posting
        for posting in bases
        if posting.job.country == "us" and "manager" not in posting.job.title.casefold()
    ]
    found = [linked(seed, base, number) for number, base in enumerate(for_links)]
    found += [exact(seed, base, number) for number, base in enumerate(for_exact)]
    return found + near_misses(seed, for_near, maker)
