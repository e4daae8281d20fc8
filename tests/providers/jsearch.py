# SPDX-License-Identifier: MIT
"""JSearch on RapidAPI: both search generations, details, salary estimates, quota headers."""

import base64
import re
import threading
import time
import uuid

from exchange import reply_json
from faults import quota_text
from tables import share

PROXY = {"x-rapidapi-proxy-response": "true", "Server": "RapidAPI-1.2.8"}
NAMESPACE = uuid.UUID("7f0e5f2c-0d3b-4d59-9a45-3f0f4b7f4a11")
PAGES_LIMIT = 20
REMOTE_WORD = re.compile(r"remot|télétravail|homeoffice", re.I)
AGE_DAYS = {"today": 1, "3days": 3, "week": 7, "month": 31}


class Plan:
    """What the key has left. `reset` counts down to 0 in seconds, then the count starts again."""

    def __init__(self, limit):
        self.lock = threading.Lock()
        self.limit, self.used, self.reset_at = limit, 0, time.monotonic() + 864000

    def change(self, wanted):
        with self.lock:
            self.limit = int(wanted.get("limit", self.limit))
            self.used = int(wanted.get("used", self.used))
            if "reset" in wanted:
                self.reset_at = time.monotonic() + float(wanted["reset"])

    def spend(self, credits):
        """Whether the plan had as many left."""
        with self.lock:
            if time.monotonic() >= self.reset_at:
                self.used, self.reset_at = 0, time.monotonic() + 2592000
            enough = self.used + credits <= self.limit
            self.used += credits if enough else 0
            return enough

    def shown(self):
        with self.lock:
            return {
                "limit": self.limit,
                "used": self.used,
                "remaining": max(0, self.limit - self.used),
                "reset": max(0, int(self.reset_at - time.monotonic())),
            }

    def headers(self):
        shown = self.shown()
        return {
            f"x-ratelimit-requests-{name}": str(shown[name])
            for name in ("limit", "remaining", "reset")
        }


def failure(status, text):
    return reply_json(
        {
            "status": "ERROR",
            "request_id": str(uuid.uuid5(NAMESPACE, text)),
            "error": {"message": text, "code": status},
        },
        status,
    )


class JSearch:
    def __init__(self, catalogue, options):
        self.catalogue = catalogue
        self.plan = Plan(options.quota)
        self.page_size = options.page_size
        self.endpoints = {
            "/search-v2": self.search_v2,
            "/search": self.search_legacy,
            "/job-details": self.details,
            "/estimated-salary": self.estimated_salary,
            "/company-job-salary": self.company_salary,
        }
        withdrawn = {"v2": "/search", "legacy": "/search-v2"}.get(options.generation)
        self.endpoints.pop(withdrawn, None)

    def answer(self, request):
        key = request.headers.get("x-rapidapi-key", request.headers.get("x-api-key"))
        path = request.path.rstrip("/")
        if not key:
            return reply_json(
                {
                    "message": "Invalid API key. "
                    "Go to https://docs.rapidapi.com/docs/keys for more info."
                },
                401,
            )
        if key.startswith("bad"):
            return reply_json({"message": "You are not subscribed to this API."}, 403)
        if path not in self.endpoints or request.method != "GET":
            return reply_json({"message": f"Endpoint '{path}' does not exist"}, 404, PROXY)
        if not self.plan.spend(self.credits(path, request)):
            return reply_json(
                {"message": quota_text("MONTHLY")}, 429, {**PROXY, **self.plan.headers()}
            )
        reply = self.endpoints[path](request)
        reply.headers.update({**PROXY, **self.plan.headers()})
        return reply

    def credits(self, path, request):
        if path == "/job-details":
            return max(1, len([name for name in request.parameter("job_id", "").split(",") if name]))
        pages = request.parameter("num_pages", "1")
        return int(pages) if path == "/search" and pages.isdigit() else 1

    def envelope(self, request, data):
        parameters = {name: value for name, value in request.query.items() if name != "cursor"}
        for name in ("page", "num_pages"):
            if parameters.get(name, "").isdigit():
                parameters[name] = int(parameters[name])
        parameters.setdefault("country", "us")
        parameters.setdefault("language", "en")
        known = uuid.uuid5(NAMESPACE, repr(sorted(request.query.items())))
        return reply_json(
            {"status": "OK", "request_id": str(known), "parameters": parameters, "data": data}
        )

    def found(self, request):
        entries = self.catalogue.find(
            request.parameter("query"), request.parameter("country", "us").lower()
        )
        return [entry for entry in entries if self.wanted(entry.row, request)]

    def wanted(self, row, request):
        """The filters of the endpoint; a row that doesn't say passes."""
        if not isinstance(row, dict):
            return True
        if "true" in (request.parameter("work_from_home"), request.parameter("remote_jobs_only")):
            if not row.get("job_is_remote") and not REMOTE_WORD.search(str(row.get("job_title"))):
                return False
        types = request.parameter("employment_types")
        if types and isinstance(row.get("job_employment_types"), list):
            if not set(types.upper().split(",")) & set(row["job_employment_types"]):
                return False
        refused = request.parameter("exclude_job_publishers", "").casefold().split(",")
        if str(row.get("job_publisher")).casefold() in [name.strip() for name in refused if name]:
            return False
        return self.young_enough(row, AGE_DAYS.get(request.parameter("date_posted")))

    def young_enough(self, row, days):
        posted = row.get("job_posted_at_timestamp")
        if days is None or not isinstance(posted, int):
            return True
        return posted >= self.newest() - days * 86400

    def newest(self):
        """The data's own present: its age is counted from its newest posting."""
        stamps = [
            entry.row.get("job_posted_at_timestamp")
            for entry in self.catalogue.entries
            if isinstance(entry.row, dict)
        ]
        return max((stamp for stamp in stamps if isinstance(stamp, int)), default=0)

    def projected(self, rows, request):
        fields = request.parameter("fields")
        if not fields:
            return rows
        names = [name.strip() for name in fields.split(",")]
        return [
            {name: row[name] for name in names if name in row} if isinstance(row, dict) else row
            for row in rows
        ]

    def search_v2(self, request):
        """A page never mixes generations: it ends early where one begins."""
        if not request.parameter("query", "").strip():
            return failure(400, "Missing required parameter: query")
        start = cursor_read(request.parameter("cursor", ""))
        if start is None:
            return failure(400, "Invalid cursor")
        entries = self.found(request)
        end = min(start + self.page_size, len(entries))
        while end > start and entries[end - 1].generation != entries[start].generation:
            end -= 1
        data = {"jobs": self.projected([entry.row for entry in entries[start:end]], request)}
        if end < len(entries):
            data["cursor"] = cursor_write(end)
        return self.envelope(request, data)

    def search_legacy(self, request):
        if not request.parameter("query", "").strip():
            return failure(400, "Missing required parameter: query")
        page, pages = request.parameter("page", "1"), request.parameter("num_pages", "1")
        if not page.isdigit() or int(page) < 1:
            return failure(400, "Invalid parameter: page")
        if not pages.isdigit() or not 1 <= int(pages) <= PAGES_LIMIT:
            return failure(400, f"Invalid parameter: num_pages must be between 1 and {PAGES_LIMIT}")
        start = (int(page) - 1) * self.page_size
        entries = self.found(request)[start : start + int(pages) * self.page_size]
        return self.envelope(request, self.projected([entry.row for entry in entries], request))

    def details(self, request):
        wanted = [name for name in request.parameter("job_id", "").split(",") if name]
        if not wanted:
            return failure(400, "Missing required parameter: job_id")
        rows = {
            entry.job_id: entry.row for entry in reversed(self.catalogue.entries) if entry.job_id
        }
        found = [{**rows[name], **estimates(rows[name])} for name in wanted if name in rows]
        return self.envelope(request, self.projected(found, request))

    def estimated_salary(self, request):
        title, place = request.parameter("job_title"), request.parameter("location")
        if not title or not place:
            return failure(400, "Missing required parameter: job_title or location")
        return self.envelope(request, [salary_row(title, place)])

    def company_salary(self, request):
        company, title = request.parameter("company"), request.parameter("job_title")
        if not company or not title:
            return failure(400, "Missing required parameter: company or job_title")
        known = [
            row
            for row in self.catalogue.salaries
            if row.get("company", "").casefold() == company.casefold()
        ]
        computed = {
            **salary_row(title, request.parameter("location", "United States")),
            "company": company,
        }
        return self.envelope(request, known or [computed])


def cursor_write(offset):
    return base64.urlsafe_b64encode(f"jf:{offset}".encode()).decode()


def cursor_read(cursor):
    """The offset it stands for, 0 for none, None when it is no cursor of ours."""
    if not cursor:
        return 0
    try:
        mark, offset = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
        return int(offset) if mark == "jf" and offset.isdigit() else None
    except ValueError:
        return None


def salary_row(title, place):
    """A yearly dollar estimate; outside the United States a monthly one, as there."""
    foreign = re.search(r"germany|deutschland|france|spain|italy|india|kingdom", place, re.I)
    median = (95000 + 90000 * share("pay", title.casefold(), place.casefold())) / (
        12 if foreign else 1
    )
    row = {"location": place, "job_title": title}
    for name, low, mid, high in (("", 0.78, 1.0, 1.31), ("base_", 0.70, 0.88, 1.10)):
        row[f"min_{name}salary"] = round(median * low, 2)
        row[f"max_{name}salary"] = round(median * high, 2)
        row[f"median_{name}salary"] = round(median * mid, 2)
    for name, part in (("min", 0.06), ("max", 0.2), ("median", 0.12)):
        row[f"{name}_additional_pay"] = round(median * part, 2)
    count = 5 + int(1200 * share("count", title, place))
    row.update(
        salary_period="MONTH" if foreign else "YEAR",
        salary_currency="EUR" if foreign else "USD",
        confidence="CONFIDENT" if count > 100 else "LOW",
        salary_count=count,
    )
    return row


def estimates(row):
    """What /job-details adds to a row that has none: two publishers' figures, floats as they come
    there.
    """
    title = row.get("job_title")
    if "estimated_salaries" in row or not isinstance(title, str) or not row.get("job_onet_soc"):
        return {}
    found = []
    for publisher in ("Talent.com", "Salary.com"):
        median = 80000 + 80000 * share(publisher, title)
        found.append(
            {
                "location": "United States",
                "job_title": title.lower(),
                "publisher_name": publisher,
                "publisher_link": f"https://www.{publisher.lower()}/salary",
                "min_salary": round(median * 0.744, 8),
                "max_salary": round(median * 1.29, 8),
                "median_salary": round(median, 8),
                "salary_period": "YEAR",
                "salary_currency": "USD",
            }
        )
    return {"estimated_salaries": found}
