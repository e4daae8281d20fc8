# SPDX-License-Identifier: MIT
"""Boards of remote work, and Indeed's partners: see boards."""

import base64
import html

from boards_words import KINDS, country_of, currency_of, kind_of, place_of, slug_of
from exchange import reply_html, reply_json
from feeds import number_of, page_of, stamp
from tables import share


class RemoteOk:
    """A bare array whose first element is a notice; texts are UTF-8 that was decoded twice."""

    def __init__(self, postings):
        self.newest = postings.newest
        self.postings = [p for p in postings.all if p.remote]

    def answer(self, request):
        if request.path.rstrip("/") != "/api":
            return reply_html("404 Not Found", "There is nothing here.", 404)
        if not request.headers.get("user-agent", "").startswith("Mozilla/"):
            return reply_html("403 Forbidden", "Who are you?", 403)
        notice = {"last_updated": self.newest, "legal": "Please link back."}
        return reply_json([notice, *(self.row(p) for p in self.postings), self.spam()])

    def spam(self):
        return {
            "slug": "remote-sdf-1",
            "id": "1",
            "epoch": self.newest,
            "company": "Sdf",
            "position": "sdf",
            "tags": [],
            "description": "sdf",
            "location": "How, ",
            "salary_min": 0,
            "salary_max": 0,
            "url": "https://remoteOK.com/remote-jobs/remote-sdf-1",
        }

    def row(self, p):
        link = f"https://remoteOK.com/remote-jobs/remote-{p.slug()}"
        yearly = p.yearly() if p.country == "us" else None
        text = f"{p.html()}<br/><br/>Please mention the word **CLEAR** when applying."
        return {
            "slug": f"remote-{p.slug()}",
            "id": str(p.number),
            "epoch": p.posted,
            "date": stamp(p.posted, "%Y-%m-%dT%H:%M:%S+00:00"),
            "company": p.company,
            "company_logo": "",
            "position": p.title,
            "tags": ["dev", "python"] + ([kind_of(p, 4)] if p.kinds else []),
            "logo": "",
            "description": text.encode("utf-8").decode("latin-1"),
            "location": country_of(p) if p.number % 2 else "",
            "apply_url": link,
            "salary_min": round(yearly[0]) if yearly else 0,
            "salary_max": round(yearly[1]) if yearly else 0,
            "url": link,
        }


class Himalayas:
    """All it has by offset, or what a query finds by page; never more than 20 rows."""

    SIZE = 20
    PERIODS = {"YEAR": "annual", "HOUR": "hourly", "MONTH": "monthly", "DAY": "daily",
               "WEEK": "weekly"}

    def __init__(self, postings):
        self.whole = postings
        self.postings = [p for p in postings.all if p.remote]

    def answer(self, request):
        path = request.path.rstrip("/")
        if path not in ("/jobs/api", "/jobs/api/search"):
            return reply_html("404 Not Found", "There is nothing here.", 404)
        size, offset, found = self.SIZE, 0, self.postings
        if path == "/jobs/api":
            size = number_of(request, "limit", self.SIZE, self.SIZE)
            skip = request.parameter("offset", "0")
            offset = int(skip) if skip.isdigit() else 0
        else:
            found = self.found(request)
            offset = ((number_of(request, "page", 1, 10**6) or 1) - 1) * size
        return reply_json(
            {
                "updatedAt": self.whole.newest,
                "offset": offset,
                "limit": size,
                "totalCount": len(found),
                "jobs": [self.row(p) for p in found[offset : offset + size]],
            }
        )

    def found(self, request):
        country = request.parameter("country", "us").casefold()
        found = self.whole.find(request.parameter("q", ""), "", country)
        return [p for p in found if p.remote]

    def row(self, p):
        link = f"https://himalayas.app/companies/{slug_of(p.company)}/jobs/{p.slug()}"
        low, high, period = p.pay or (None, None, "YEAR")
        return {
            "title": p.title,
            "excerpt": p.text.partition("\n")[0],
            "companyName": p.company,
            "companySlug": slug_of(p.company),
            "companyLogo": "",
            "employmentType": kind_of(p, 2) or "Other",
            "minSalary": low,
            "maxSalary": high,
            "salaryPeriod": self.PERIODS[period],
            "seniority": ["Senior"] if "senior" in p.title.casefold() else ["Mid-level", "Senior"],
            "currency": currency_of(p) if p.pay else None,
            "locationRestrictions": [country_of(p)] if p.number % 3 else [],
            "timezoneRestrictions": [-8, -7, -6],
            "categories": ["Backend-Engineering"],
            "parentCategories": ["Developer"] if p.number % 2 else [],
            "description": p.html(),
            "pubDate": p.posted,
            "expiryDate": p.posted + 60 * 86400,
            "applicationLink": link,
            "guid": link,
        }


class Jobicy:
    """The newest of a query on one page; entities where others have plain text."""

    GEOS = {"us": "usa", "gb": "uk", "ca": "canada", "de": "germany", "fr": "france",
            "es": "spain", "it": "italy"}

    def __init__(self, postings):
        self.newest = postings.newest
        self.postings = [p for p in postings.all if p.remote]

    def answer(self, request):
        if request.path.rstrip("/") != "/remote-jobs":
            return reply_html("404 Not Found", "There is nothing here.", 404)
        count, geo = number_of(request, "count", 50, 100), request.parameter("geo")
        if not count or (geo is not None and geo not in self.GEOS.values()):
            return reply_json({"success": False, "error": "A parameter is invalid"}, 400)
        words = request.parameter("tag", "").casefold().split()
        found = [
            p
            for p in self.postings
            if geo in (None, self.GEOS.get(p.country))
            and all(word in f"{p.title} {p.text}".casefold() for word in words)
        ]
        rows = [self.row(p) for p in page_of(found, 1, count)]
        return reply_json(
            {
                "apiVersion": "2.2.14",
                "friendlyNotice": "Please credit the source.",
                "jobCount": len(rows),
                "lastUpdate": stamp(self.newest),
                "jobs": rows,
                "success": True,
            }
        )

    def row(self, p):
        row = {
            "id": p.number,
            "url": f"https://jobicy.com/jobs/{p.number}-{p.slug()}",
            "jobSlug": f"{p.number}-{p.slug()}",
            "jobTitle": html.escape(p.title),
            "companyName": html.escape(p.company),
            "companyLogo": "https://jobicy.com/data/logo.webp",
            "jobIndustry": ["Software &amp; Engineering"],
            "jobType": [KINDS[kind][3] for kind in p.kinds],
            "jobGeo": {"us": "USA", "gb": "UK"}.get(p.country, country_of(p)),
            "jobLevel": "Senior" if "senior" in p.title.casefold() else "Any",
            "jobExcerpt": html.escape(p.text[:200]) + "&#8230;",
            "jobDescription": p.html(),
            "pubDate": stamp(p.posted, "%Y-%m-%dT%H:%M:%S+00:00"),
        }
        if p.pay:
            low, high, period = p.pay
            row.update(salaryMin=low, salaryCurrency=currency_of(p))
            row["salaryPeriod"] = {"YEAR": "yearly", "HOUR": "hourly"}.get(
                period, f"{period.lower()}ly"
            )
            if share(p.number, "open top") > 0.2:
                row["salaryMax"] = high
        return row


class Indeed:
    """GraphQL, for whoever has a token."""

    SIZE = 100

    def __init__(self, postings):
        self.postings = postings

    def answer(self, request):
        if request.path.rstrip("/") != "/graphql" or request.method != "POST":
            return reply_html("404 Not Found", "There is nothing here.", 404)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or token.startswith("bad"):
            return self.failure("Not authorized", 401)
        try:
            asked = request.json()
            variables, query = asked["variables"], asked["query"]
        except (ValueError, KeyError, TypeError):
            return self.failure("Syntax error", 400)
        if "jobSearch(" not in query:
            return self.failure("Unknown field")
        return self.search(variables)

    def failure(self, message, status=200):
        return reply_json({"errors": [{"message": message}], "data": None}, status)

    def search(self, variables):
        place = (variables.get("location") or {}).get("where", "")
        found = self.postings.find(variables.get("what") or "", place, "us")
        cursor, size = variables.get("cursor"), min(variables.get("limit", 10), self.SIZE)
        start = int(base64.b64decode(cursor)) if cursor else 0
        more = start + size < len(found)
        after = base64.b64encode(str(start + size).encode()).decode() if more else None
        rows = [self.row(p) for p in found[start : start + size]]
        return reply_json(
            {"data": {"jobSearch": {"pageInfo": {"nextCursor": after}, "results": rows}}}
        )

    def row(self, p):
        base = None
        if p.pay:
            base = {"unitOfWork": p.pay[2], "range": {"min": p.pay[0], "max": p.pay[1]}}
        key = f"{p.number:016x}"
        job = {
            "key": key,
            "title": p.title,
            "datePublished": p.posted * 1000,
            "description": {"html": p.html()},
            "location": {
                "countryName": country_of(p),
                "countryCode": p.country.upper(),
                "admin1Code": p.region or None,
                "city": p.city or None,
                "postalCode": None,
                "formatted": {"long": place_of(p)},
            },
            "compensation": {
                "estimated": None,
                "baseSalary": base,
                "currencyCode": currency_of(p) if base else None,
            },
            "attributes": [{"key": kind, "label": KINDS[kind][0]} for kind in p.kinds],
            "employer": {"name": p.company, "dossier": None},
            "recruit": {"viewJobUrl": f"https://www.indeed.com/viewjob?jk={key}"},
        }
        return {"trackingKey": f"t{key}", "job": job}
