# SPDX-License-Identifier: MIT
"""Feeds and searches beside JSearch, in their own formats: what server mounts, by name.

    /adzuna       https://api.adzuna.com/v1/api
    /usajobs      https://data.usajobs.gov/api
    /themuse      https://www.themuse.com/api/public
    /remotive     https://remotive.com/api
    /arbeitnow    https://www.arbeitnow.com/api

They serve the postings of JSearch's catalogue, each those that it would have.
"""

import threading
import time
from datetime import UTC, datetime

from catalogue import Catalogue
from exchange import reply_html, reply_json
from posting import STATES, Postings
from tables import share

ADZUNA_AREAS = {
    "gb": "UK",
    "us": "US",
    "ca": "Canada",
    "de": "Deutschland",
    "fr": "France",
    "es": "España",
    "it": "Italia",
    "in": "India",
}
ADZUNA_HOSTS = {"gb": "adzuna.co.uk", "us": "adzuna.com"}
ADZUNA_COUNTRIES = "gb us ca au de fr es it nl pl at be br ch in mx nz sg za".split()
ADZUNA_TEXT = 500
ABBREVIATIONS = {name: abbr for abbr, name in STATES.items()}


def stamp(epoch, form="%Y-%m-%dT%H:%M:%SZ"):
    return datetime.fromtimestamp(epoch, UTC).strftime(form)


def number_of(request, name, default, most):
    text = request.parameter(name, str(default))
    return min(int(text), most) if text.isdigit() and int(text) > 0 else None


def good_key(key):
    return bool(key) and not key.startswith("bad")


def page_of(rows, page, size):
    return rows[(page - 1) * size : page * size]


def count_of_pages(rows, size):
    return -(-len(rows) // size)


class Adzuna:
    """Country and page in the path, application id and key in the query."""

    def __init__(self, postings):
        self.postings = postings

    def answer(self, request):
        parts = request.path.strip("/").split("/")
        if len(parts) != 4 or parts[0] != "jobs" or parts[2] != "search":
            return reply_html("404 Not Found", "There is nothing here.", 404)
        if not all(good_key(request.parameter(name)) for name in ("app_id", "app_key")):
            return self.failure(401, "AUTH_FAIL", "Authorisation failed")
        size = number_of(request, "results_per_page", 10, 50)
        if parts[1] not in ADZUNA_COUNTRIES or not parts[3].isdigit() or not size:
            return self.failure(400, "INVALID_PARAM", "A parameter is invalid")
        found = self.found(request, parts[1])
        return reply_json(
            {
                "__CLASS__": "Adzuna::API::Response::JobSearchResults",
                "count": len(found),
                "mean": 61234.5,
                "results": [self.row(p) for p in page_of(found, int(parts[3]), size)],
            }
        )

    def failure(self, status, exception, display):
        return reply_json(
            {
                "doc": "https://api.adzuna.com/v1/doc",
                "display": display,
                "exception": exception,
                "__CLASS__": "Adzuna::API::Response::Exception",
            },
            status,
        )

    def found(self, request, country):
        found = self.postings.find(
            request.parameter("what", ""), request.parameter("where", ""), country
        )
        days = request.parameter("max_days_old", "")
        if days.isdigit():
            found = self.postings.younger(found, int(days))
        for name, kind in (("full_time", "FULLTIME"), ("part_time", "PARTTIME")):
            if request.parameter(name) == "1":
                found = [p for p in found if kind in p.kinds]
        if request.parameter("sort_by") == "date":
            found = sorted(found, key=lambda p: -p.posted)
        return found

    def row(self, p):
        area = [ADZUNA_AREAS.get(p.country, p.country.upper())]
        area += [p.region or "Elsewhere", f"{p.city} County", p.city] if p.city else []
        host = ADZUNA_HOSTS.get(p.country, f"adzuna.{p.country}")
        row = {
            "__CLASS__": "Adzuna::API::Response::Job",
            "id": str(p.number),
            "adref": "ZGF0YSBvZiBvdXIgb3du",
            "title": p.title,
            "description": p.text
            if len(p.text) <= ADZUNA_TEXT
            else " ".join(p.text.split())[: ADZUNA_TEXT - 1] + "…",
            "created": stamp(p.posted),
            "redirect_url": f"https://www.{host}/land/ad/{p.number}?utm_medium=api",
            "category": {"tag": "it-jobs", "label": "IT Jobs"},
            "company": {"display_name": p.company},
            "location": {
                "display_name": f"{p.city}, {p.city} County" if p.city else area[0],
                "area": area,
            },
            "salary_is_predicted": "0",
        }
        if p.coordinates:
            row["latitude"], row["longitude"] = p.coordinates
        if p.yearly():
            row["salary_min"], row["salary_max"] = p.yearly()
        elif share(p.number, "predicted") < 0.5:
            guess = round(40000 + 60000 * share(p.number, "guess"), 2)
            row.update(salary_min=guess, salary_max=guess, salary_is_predicted="1")
        if p.kinds:
            row["contract_time"] = "part_time" if "PARTTIME" in p.kinds else "full_time"
            row["contract_type"] = "contract" if "CONTRACTOR" in p.kinds else "permanent"
        return row


class Usajobs:
    """Wants to know who asks: User-Agent is an e-mail address."""

    CODES = {"YEAR": "PA", "HOUR": "PH", "DAY": "PD", "WEEK": "PW", "MONTH": "PM"}
    ROWS_MAX = 10000

    def __init__(self, postings):
        self.postings = postings

    def answer(self, request):
        if request.path.rstrip("/").casefold() != "/search":
            return reply_json({"Message": "No HTTP resource was found."}, 404)
        if "@" not in request.headers.get("user-agent", "") or not good_key(
            request.headers.get("authorization-key")
        ):
            return reply_json(
                {"Message": "Authorization has been denied for this request."}, 401
            )
        size, page = (
            number_of(request, "ResultsPerPage", 250, 500),
            number_of(request, "Page", 1, self.ROWS_MAX),
        )
        if not size or not page or size * page > self.ROWS_MAX:
            return reply_json({"Message": "The request is invalid."}, 400)
        found = self.found(request)
        rows = [self.row(p) for p in page_of(found, page, size)]
        return reply_json(
            {
                "LanguageCode": "EN",
                "SearchParameters": {},
                "SearchResult": {
                    "SearchResultCount": len(rows),
                    "SearchResultCountAll": len(found),
                    "SearchResultItems": rows,
                    "UserArea": {
                        "NumberOfPages": str(count_of_pages(found, size)),
                        "IsRadialSearch": False,
                    },
                },
            }
        )

    def found(self, request):
        found = self.postings.find(
            request.parameter("Keyword", ""), request.parameter("LocationName", ""), "us"
        )
        days = request.parameter("DatePosted", "")
        if days.isdigit():
            found = self.postings.younger(found, int(days))
        if request.parameter("RemoteIndicator", "").casefold() == "true":
            found = [p for p in found if p.remote]
        return found

    def place(self, p):
        name = f"{p.city}, {p.region}" if p.city else "Anywhere in the U.S. (remote job)"
        latitude, longitude = p.coordinates or (0, 0)
        return {
            "LocationName": name,
            "CountryCode": "United States",
            "CountrySubDivisionCode": p.region or "N/A",
            "CityName": name,
            "Longitude": longitude,
            "Latitude": latitude,
        }

    def pay(self, p):
        if not p.pay:
            return {"MinimumRange": "0.0", "MaximumRange": "0.0", "RateIntervalCode": "WC"}
        low, high, period = p.pay
        return {
            "MinimumRange": f"{low:.4f}",
            "MaximumRange": f"{high:.4f}",
            "RateIntervalCode": "Per Year" if period == "YEAR" and p.number % 2 else
            self.CODES[period],
        }

    def row(self, p):
        link = f"https://www.usajobs.gov:443/job/{p.number}"
        form = "%Y-%m-%dT%H:%M:%S.0000"
        negotiable = {
            "LocationName": " Location Negotiable After Selection, United States",
            "CountryCode": "United States",
            "CountrySubDivisionCode": "N/A",
            "CityName": " Location Negotiable After Selection, United States",
            "Longitude": 0,
            "Latitude": 0,
        }
        described = {
            "PositionID": f"JF-26-{p.number}",
            "PositionTitle": p.title,
            "PositionURI": link,
            "ApplyURI": [link + "?PostingChannelID=RESTAPI"],
            "PositionLocationDisplay": self.place(p)["LocationName"],
            "PositionLocation": ([negotiable] if p.number % 3 == 0 else []) + [self.place(p)],
            "OrganizationName": p.company,
            "DepartmentName": "",
            "JobCategory": [{"Name": "Information Technology Management", "Code": "2210"}],
            "JobGrade": [{"Code": "GS"}],
            "PositionSchedule": [
                {"Name": "Part-time", "Code": "2"}
                if "PARTTIME" in p.kinds
                else {"Name": "Full-time", "Code": "1"}
            ],
            "PositionOfferingType": [{"Name": "Permanent", "Code": "15317"}],
            "QualificationSummary": p.text,
            "PositionRemuneration": [self.pay(p)],
            "PositionStartDate": stamp(p.posted, form),
            "PositionEndDate": stamp(p.posted + 14 * 86400, form),
            "PublicationStartDate": stamp(p.posted, form),
            "ApplicationCloseDate": stamp(p.posted + 14 * 86400, form),
            "UserArea": {
                "Details": {
                    "JobSummary": p.text.partition("\n")[0],
                    "LowGrade": "11",
                    "HighGrade": "13",
                    "RemoteIndicator": p.remote,
                    "TeleworkEligible": p.remote or p.number % 4 == 0,
                }
            },
        }
        return {
            "MatchedObjectId": str(p.number),
            "MatchedObjectDescriptor": described,
            "RelevanceRank": 0.0,
        }


class Hourly:
    """The Muse's limit: by the hour, more with a key; the reset counts down in seconds."""

    HOUR_S = 3600

    def __init__(self, limit):
        self.lock = threading.Lock()
        self.limit, self.used, self.until = limit, 0, 0.0

    def spend(self):
        """(whether one was left, headers)."""
        now = time.monotonic()
        with self.lock:
            if now >= self.until:
                self.used, self.until = 0, now + self.HOUR_S
            enough = self.used < self.limit
            self.used += enough
            left, reset = self.limit - self.used, int(self.until - now)
        shown = {"Limit": self.limit, "Remaining": left, "Reset": reset}
        return enough, {f"X-RateLimit-{name}": str(value) for name, value in shown.items()}


class Themuse:
    """No search for words; category, level and location narrow it. Nothing beyond page 99."""

    SIZE, PAGES_MAX = 20, 99
    LEVELS = {
        "senior": ("Senior Level", "senior"),
        "junior": ("Entry Level", "entry"),
        "lead": ("Management", "management"),
        "intern": ("Internship", "internship"),
    }

    def __init__(self, postings):
        self.postings = postings
        self.limits = {False: Hourly(500), True: Hourly(3600)}

    def answer(self, request):
        key = request.parameter("api_key")
        enough, headers = self.limits[bool(key)].spend()
        if not enough:
            return self.failure(403, "Forbidden", headers)
        if key is not None and not good_key(key):
            return self.failure(403, "Invalid api_key", headers)
        if request.path.rstrip("/") != "/jobs":
            return self.failure(404, "Not found", headers)
        page = number_of(request, "page", 1, 10**6)
        if not page or page > self.PAGES_MAX:
            return self.failure(400, "Invalid page", headers)
        found = self.found(request)
        return reply_json(
            {
                "page": page,
                "page_count": count_of_pages(found, self.SIZE),
                "items_per_page": self.SIZE,
                "took": 7,
                "timed_out": False,
                "total": len(found),
                "results": [self.row(p) for p in page_of(found, page, self.SIZE)],
            },
            headers=headers,
        )

    def failure(self, status, text, headers):
        return reply_json({"code": status, "error": text}, status, headers)

    def found(self, request):
        wanted = {
            "categories": request.parameter("category"),
            "levels": request.parameter("level"),
            "locations": request.parameter("location"),
        }
        return [
            p
            for p in self.postings.all
            if all(
                name is None or name in [one["name"] for one in self.row(p)[member]]
                for member, name in wanted.items()
            )
        ]

    def places(self, p):
        where = f"{p.city}, {ABBREVIATIONS.get(p.region, p.region)}" if p.region else p.city
        names = ([where] if p.city else []) + (["Flexible / Remote"] if p.remote else [])
        return [{"name": name} for name in names]

    def level(self, p):
        word = p.title.casefold().split()[0]
        name, short = self.LEVELS.get(word, ("Mid Level", "mid"))
        return {"name": name, "short_name": short}

    def row(self, p):
        short = "".join(c for c in p.company.casefold() if c.isalnum())
        data = "data" in p.title.casefold()
        return {
            "contents": p.html(),
            "name": p.title,
            "type": "external",
            "publication_date": stamp(p.posted),
            "short_name": p.slug(),
            "model_type": "jobs",
            "id": p.number,
            "locations": self.places(p),
            "categories": [{"name": "Data and Analytics" if data else "Software Engineering"}],
            "levels": [self.level(p)],
            "tags": [{"name": "Fortune 1000", "short_name": "fortune-1000-companies"}],
            "refs": {"landing_page": f"https://www.themuse.com/jobs/{short}/{p.slug()}"},
            "company": {"id": p.number % 9973, "short_name": short, "name": p.company},
        }


class Remotive:
    """Remote postings on one page, with notices beside them."""

    TYPES = {"FULLTIME": "full_time", "PARTTIME": "part_time", "CONTRACTOR": "contract",
             "INTERN": "internship"}
    PLACES = ("USA", "Worldwide", "Americas, Europe, Israel", "USA, CST (UTC-6)", "Germany", "")

    def __init__(self, postings):
        self.postings = [p for p in postings.all if p.remote]

    def answer(self, request):
        if request.path.rstrip("/") != "/remote-jobs":
            return reply_html("404 Not Found", "There is nothing here.", 404)
        words = request.parameter("search", "").casefold().split()
        found = [
            p for p in self.postings if all(w in f"{p.title} {p.text}".casefold() for w in words)
        ]
        limit = number_of(request, "limit", len(found), len(found)) if found else 0
        rows = [self.row(p) for p in found[:limit]]
        return reply_json(
            {
                "00-warning": "The service has moved to this address.",
                "0-legal-notice": "Please link back, and name the source.",
                "job-count": len(rows),
                "total-job-count": len(self.postings),
                "jobs": rows,
            }
        )

    def pay(self, p):
        """As somebody types it."""
        if not p.pay:
            return ""
        low, high, period = p.pay
        if period == "YEAR":
            return f"${low / 1000:g}k - ${high / 1000:g}k"
        return f"${low:g} - ${high:g} /{period.lower()}"

    def row(self, p):
        link = f"https://remotive.com/remote-jobs/software-dev/{p.slug()}"
        return {
            "id": p.number,
            "url": link,
            "title": p.title,
            "company_name": p.company,
            "company_logo": f"https://remotive.com/job/{p.number}/logo",
            "category": "Software Development",
            "tags": ["python", "UI/UX", "Typescript "] if p.number % 2 else [],
            "job_type": self.TYPES[p.kinds[0]] if p.kinds else "other",
            "publication_date": stamp(p.posted, "%Y-%m-%dT%H:%M:%S"),
            "candidate_required_location": self.PLACES[p.number % len(self.PLACES)],
            "salary": self.pay(p),
            "description": p.html(),
        }


class Arbeitnow:
    """German and remote postings, paged by number."""

    SIZE = 25
    TYPES = {"FULLTIME": "Vollzeit", "PARTTIME": "Teilzeit", "CONTRACTOR": "freelance",
             "INTERN": "Praktikum"}
    LEVELS = ("berufserfahren", "professional / experienced", "Berufseinstieg")

    def __init__(self, postings):
        self.postings = [p for p in postings.all if p.country == "de" or p.remote]

    def answer(self, request):
        if request.path.rstrip("/") != "/job-board-api":
            return reply_json({"message": "Not Found"}, 404)
        page = number_of(request, "page", 1, 10**6) or 1
        rows = [self.row(p) for p in page_of(self.postings, page, self.SIZE)]
        base = "https://www.arbeitnow.com/api/job-board-api"
        more = page < count_of_pages(self.postings, self.SIZE)
        return reply_json(
            {
                "data": rows,
                "links": {
                    "first": f"{base}?page=1",
                    "last": None,
                    "prev": f"{base}?page={page - 1}" if page > 1 else None,
                    "next": f"{base}?page={page + 1}" if more else None,
                },
                "meta": {"current_page": page, "path": base, "per_page": self.SIZE},
            }
        )

    def row(self, p):
        types = [self.TYPES[kind] for kind in p.kinds]
        return {
            "slug": p.slug(),
            "company_name": p.company,
            "title": p.title,
            "description": p.html().replace("&amp;", "&#x26;"),
            "remote": p.remote,
            "url": f"https://www.arbeitnow.com/jobs/companies/{p.slug()}",
            "tags": ["Remote", "Softwareentwicklung"] if p.remote else ["Softwareentwicklung"],
            "job_types": types + ([self.LEVELS[p.number % 3]] if p.number % 4 else []),
            "location": p.city,
            "created_at": p.posted,
        }


def mounts(data):
    """{mount: provider}; data: the directory of postings they share."""
    postings = Postings(Catalogue(data / "jsearch", "auto"))
    return {
        "adzuna": Adzuna(postings),
        "usajobs": Usajobs(postings),
        "themuse": Themuse(postings),
        "remotive": Remotive(postings),
        "arbeitnow": Arbeitnow(postings),
    }
