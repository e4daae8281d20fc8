# SPDX-License-Identifier: MIT
"""Boards of one employer each, and of remote work, in their own formats: what server mounts, by name.

    /greenhouse   https://boards-api.greenhouse.io/v1/boards
    /lever        https://api.lever.co/v0/postings
    /ashby        https://api.ashbyhq.com/posting-api/job-board
    /remoteok     https://remoteok.com       these four are in boards_remote
    /himalayas    https://himalayas.app
    /jobicy       https://jobicy.com/api/v2
    /indeed       https://apis.indeed.com

They serve the postings of JSearch's catalogue, each those that it would have; the boards share them
out. A board is an employer's name in small letters and digits ("copperlanehealthcorp"); any other
name is a board of all that its provider has, but for names that begin with "gone": 404.
"""

import html
from datetime import datetime, timedelta, timezone

from boards_remote import Himalayas, Indeed, Jobicy, RemoteOk
from boards_words import country_of, currency_of, kind_of, place_of, slug_of
from catalogue import Catalogue
from exchange import reply_html, reply_json
from feeds import stamp
from posting import Postings

NEW_YORK = timezone(timedelta(hours=-4))


def uuid_of(p):
    text = f"{p.number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Boards:
    """What the three have in common: the postings of a board."""

    SHARE = 0

    def __init__(self, postings):
        self.postings = [p for p in postings.all if p.number % 3 == self.SHARE]
        self.employers = {}
        for p in self.postings:
            self.employers.setdefault(slug_of(p.company), []).append(p)

    def board(self, name):
        """None: there is no such board."""
        if not name or name.startswith("gone"):
            return None
        return self.employers.get(name, self.postings)


class Greenhouse(Boards):
    """Whole boards; content is escaped once more than HTML needs."""

    def answer(self, request):
        parts = request.path.strip("/").split("/")
        found = self.board(parts[0]) if len(parts) == 2 and parts[1] == "jobs" else None
        if found is None:
            return reply_json({"status": 404, "error": "Job not found"}, 404)
        content = request.parameter("content") == "true"
        rows = [self.row(p, parts[0], content) for p in found]
        return reply_json({"jobs": rows, "meta": {"total": len(rows)}})

    def metadata(self, p):
        """The employer's own fields, some of them of no use."""
        fields = [("Is this job part of ACC?", bool(p.number % 2), "yes_no")]
        if p.number % 4:
            fields.append(("Workplace Type", self.workplace(p), "single_select"))
        if p.kinds:
            fields.append(("Employment Type", kind_of(p, 0), "single_select"))
        if p.pay and p.number % 2:
            value = {
                "unit": currency_of(p),
                "min_value": f"{p.pay[0]:.1f}",
                "max_value": f"{p.pay[1]:.1f}",
            }
            fields.append(("Pay Transparency Range", value, "currency_range"))
            fields.append(("Pay Frequency", p.pay[2].title(), "single_select"))
        fields.append(("Hiring Bonus Range", None, "currency_range"))
        return [
            {"id": 4595831002 + number, "name": name, "value": value, "value_type": kind}
            for number, (name, value, kind) in enumerate(fields)
        ]

    def workplace(self, p):
        return "Remote" if p.remote else "Hybrid" if p.number % 5 == 0 else "On-site"

    def row(self, p, board, content):
        row = {
            "absolute_url": f"https://job-boards.greenhouse.io/{board}/jobs/{p.number}",
            "data_compliance": [{"type": "gdpr", "requires_consent": False}],
            "internal_job_id": p.number + 1,
            "location": {"name": f"Remote, {country_of(p)}" if p.remote else place_of(p)},
            "metadata": self.metadata(p) if p.number % 7 else None,
            "id": p.number,
            "updated_at": datetime.fromtimestamp(p.posted + 3600, NEW_YORK).isoformat(),
            "requisition_id": f"R{p.number % 10000}",
            "title": p.title,
            "company_name": p.company,
            "first_published": datetime.fromtimestamp(p.posted, NEW_YORK).isoformat()
            if p.number % 5
            else None,
            "application_deadline": None,
        }
        if content:
            row["content"] = html.escape(p.html())
            row["departments"] = [{"id": 4, "name": "Engineering", "child_ids": []}]
            row["offices"] = [
                {"id": 8, "name": "Region 4", "location": None},
                {"id": 9, "name": p.city or "Home", "location": place_of(p) if p.city else None},
            ]
        if p.pay and not p.number % 2:
            row["pay_input_ranges"] = [
                {
                    "min_cents": round(p.pay[0] * 100),
                    "max_cents": round(p.pay[1] * 100),
                    "currency_type": currency_of(p),
                    "title": f"{p.pay[2].title()} pay, {p.city}",
                    "blurb": "",
                }
            ]
        return row


class Lever(Boards):
    """A bare array, cut by skip and limit. Rows do not name their employer."""

    SHARE = 1
    INTERVALS = {
        "YEAR": "per-year-salary",
        "MONTH": "per-month-salary",
        "WEEK": "per-week-salary",
        "DAY": "per-day-wage",
        "HOUR": "per-hour-wage",
    }

    def answer(self, request):
        site = request.path.strip("/")
        found = self.board(site)
        if found is None:
            return reply_json({"ok": False, "error": "Document not found"}, 404)
        if request.parameter("mode") != "json":
            return reply_html("Postings", "Ask for mode=json.")
        skip, limit = (request.parameter(name, "") for name in ("skip", "limit"))
        found = found[int(skip) if skip.isdigit() else 0 :]
        found = found[: int(limit)] if limit.isdigit() else found
        return reply_json([self.row(p, site) for p in found])

    def row(self, p, site):
        opening, _, rest = p.html().partition("\n")
        lists, body = self.lists(rest)
        link = f"https://jobs.lever.co/{site}/{uuid_of(p)}"
        row = {
            "additional": f"<div>{html.escape(p.company)} is an equal opportunity employer.</div>",
            "additionalPlain": f"{p.company} is an equal opportunity employer.",
            "categories": {
                "commitment": kind_of(p, 0),
                "department": "Product",
                "location": place_of(p),
                "team": "Engineering",
                "allLocations": [place_of(p)] + (["Remote"] if p.remote else []),
            },
            "createdAt": p.posted * 1000 + p.number % 1000,
            "description": f"<div>{opening}</div>{body}",
            "descriptionPlain": p.text.partition("\n")[0],
            "id": uuid_of(p),
            "lists": lists,
            "text": p.title,
            "country": p.country.upper(),
            "workplaceType": "remote"
            if p.remote
            else ("onsite", "on-site", "hybrid", "unspecified")[p.number % 4],
            "opening": opening,
            "openingPlain": p.text.partition("\n")[0],
            "descriptionBody": body,
            "hostedUrl": link,
            "applyUrl": f"{link}/apply",
        }
        if p.pay:
            row["salaryRange"] = {
                "min": p.pay[0],
                "max": p.pay[1],
                "currency": currency_of(p),
                "interval": self.INTERVALS[p.pay[2]],
            }
            row["salaryDescription"] = "<div>Where you live may change it.</div>"
            row["salaryDescriptionPlain"] = "Where you live may change it."
        return row

    def lists(self, text):
        """Headed lists apart, as it keeps them, and what is left."""
        lists, left, head = [], [], None
        for part in text.split("\n"):
            if part.startswith("<ul>"):
                items = part.removeprefix("<ul>").removesuffix("</ul>")
                lists.append({"text": head or "Details", "content": "\n" + items})
                head = None
                continue
            left += [f"<p>{head}</p>"] if head else []
            head = part.removeprefix("<p>").removesuffix("</p>")
        left += [f"<p>{head}</p>"] if head else []
        return lists, "".join(left)


class Ashby(Boards):
    """Whole boards, with rows that their employer keeps off them."""

    SHARE = 2

    def answer(self, request):
        name = request.path.strip("/")
        found = self.board(name)
        if found is None:
            return reply_html("404 Not Found", "Not Found", 404)
        pay = request.parameter("includeCompensation") == "true"
        return reply_json({"apiVersion": "1", "jobs": [self.row(p, name, pay) for p in found]})

    def row(self, p, board, pay):
        link = f"https://jobs.ashbyhq.com/{board}/{uuid_of(p)}"
        hybrid = p.remote and p.number % 4 == 0
        row = {
            "id": uuid_of(p),
            "title": f" {p.title}",
            "department": "Engineering",
            "team": "Backend",
            "employmentType": kind_of(p, 1),
            "location": f"{p.city} (HQ)" if p.city else "Remote",
            "shouldDisplayCompensationOnJobPostings": True,
            "secondaryLocations": [self.elsewhere(p)] if p.remote else [],
            "publishedAt": stamp(p.posted, "%Y-%m-%dT%H:%M:%S.753+00:00"),
            "isListed": p.number % 8 != 0,
            "isRemote": p.remote,
            "workplaceType": "Hybrid" if hybrid else "Remote" if p.remote else None,
            "address": {
                "postalAddress": {
                    "addressLocality": p.city,
                    "addressRegion": p.region,
                    "addressCountry": country_of(p),
                }
            },
            "jobUrl": link,
            "applyUrl": f"{link}/application",
            "descriptionHtml": p.html(),
            "descriptionPlain": p.text,
        }
        if pay:
            row["compensation"] = self.compensation(p)
        return row

    def elsewhere(self, p):
        country = country_of(p)
        return {
            "location": f"Remote ({country})",
            "address": {"postalAddress": {"addressCountry": country}},
        }

    def compensation(self, p):
        """Equity beside pay, or alone."""
        parts = [{"compensationType": "EquityPercentage", "interval": "NONE", "minValue": 0.1}]
        words = ["Offers Equity"]
        if p.pay:
            parts.insert(
                0,
                {
                    "compensationType": "Salary",
                    "interval": f"1 {p.pay[2]}",
                    "currencyCode": currency_of(p),
                    "minValue": p.pay[0],
                    "maxValue": p.pay[1],
                },
            )
            words.insert(0, f"{currency_of(p)} {p.pay[0]:,} – {p.pay[1]:,} per {p.pay[2].lower()}")
        return {
            "compensationTierSummary": " • ".join(words),
            "scrapeableCompensationSalarySummary": words[0] if p.pay else None,
            "compensationTiers": [],
            "summaryComponents": parts,
        }


def mounts(data):
    """{mount: provider}; data: the directory of postings they share."""
    postings = Postings(Catalogue(data / "jsearch", "auto"))
    return {
        "greenhouse": Greenhouse(postings),
        "lever": Lever(postings),
        "ashby": Ashby(postings),
        "remoteok": RemoteOk(postings),
        "himalayas": Himalayas(postings),
        "jobicy": Jobicy(postings),
        "indeed": Indeed(postings),
    }
