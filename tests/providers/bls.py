# SPDX-License-Identifier: MIT
"""BLS Public Data API v2: OEWS wages, LAUS unemployment and a few national series, computed from
the tables.

Always the same figures: OEWS holds the May 2025 estimates only, LAUS runs to September 2026
(preliminary), October 2025 was never collected. Missing on purpose: the old Cleveland code 17460
and every id whose parts no table knows.
"""

import json
import math
import re
import threading

from exchange import reply_html, reply_json
from tables import read_table, share, sway

OEWS = re.compile(r"OEU([NSM])(\d{7})(\d{6})(\d{6})(\d{2})")
LAUS = re.compile(r"LA([US])(ST|MT|CN|DV|CT)(\d{13})(\d{2})")
OEWS_YEAR = 2025
NEWEST = (2026, 9)
GAP = (2025, 10)
TOP_HOURLY, TOP_ANNUAL = 115.00, 239200
QUANTILES = {
    "06": -1.2816,
    "07": -0.6745,
    "08": 0.0,
    "09": 0.6745,
    "10": 1.2816,
    "11": -1.2816,
    "12": -0.6745,
    "13": 0.0,
    "14": 0.6745,
    "15": 1.2816,
}
# Seen live on 2026-07-22.
RECORDED = {
    "OEUN000000000000015125204": "148100",
    "OEUN000000000000015125208": "65.38",
    "OEUN000000000000015125213": "135980",
    "OEUM001910000000015125204": "138810",
    "OEUM001910000000015125208": "64.08",
}
NATIONAL = {
    "LNS14000000": (4.3, 0.12, 1, True),
    "LNU04000000": (4.2, 0.12, 1, False),
    "CES0500000003": (37.35, 0.03, 2, True),
    "CUUR0000SA0": (331.8, 0.2, 3, False),
    "CUSR0000SA0": (332.1, 0.2, 3, True),
    "JTS000000000000000JOL": (7180, 160, 0, True),
}
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
TOP_NOTE = {
    "code": "5",
    "text": "This wage is equal to or greater than $115.00 per hour or $239,200 per year.",
}
HIDDEN_NOTE = {"code": "8", "text": "Estimate not released."}
GAP_NOTE = {"code": "X", "text": "Data unavailable due to the 2025 lapse in appropriations."}
PRELIMINARY_NOTE = {"code": "P", "text": "Preliminary."}


class Regime:
    """What a request may ask: with a key and without one."""

    def __init__(self, key):
        self.series, self.years, self.daily = (50, 20, 500) if key else (25, 10, 25)


class Bls:
    def __init__(self, directory, strict):
        self.metros = read_table("metros", "cbsa")
        self.states = read_table("states", "fips")
        self.occupations = read_table("occupations", "soc")
        self.counties = {
            row["state"] + row["county"]: row for row in read_table("counties", "name").values()
        }
        self.samples = samples_read(directory)
        self.strict = strict
        self.lock = threading.Lock()
        self.asked = {}

    def answer(self, request):
        path = request.path.rstrip("/")
        if path == "/timeseries/data" and request.method == "POST":
            return self.post(request)
        if path.startswith("/timeseries/data/") and request.method == "GET":
            return self.get(request, path.rsplit("/", 1)[1])
        if path == "/timeseries/popular":
            return succeeded(
                [], [{"seriesID": name} for name in self.popular(request.parameter("survey"))]
            )
        if path == "/surveys" or path.startswith("/surveys/"):
            return surveys(path.removeprefix("/surveys").strip("/"))
        return reply_html("404 Not Found", "The requested page was not found.", 404)

    def popular(self, survey):
        if survey == "LA":
            return [f"LASST{fips}0000000000003" for fips in sorted(self.states)]
        return ["LNS14000000", "CES0500000003", "CUUR0000SA0"]

    def post(self, request):
        kind = request.headers.get("content-type", "").split(";")[0].strip()
        if kind != "application/json":
            return reply_html("415 Unsupported Media Type", f"{kind} is not supported.", 415)
        try:
            wanted = request.json()
            names = wanted["seriesid"]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("seriesid is a list of strings")
        except (ValueError, KeyError, TypeError):
            return reply_json(
                {
                    "status": "REQUEST_FAILED_INVALID_PARAMETERS",
                    "responseTime": 0,
                    "message": ["Invalid Series or Invalid parameters"],
                    "Results": {},
                },
                400,
            )
        return self.serve(names, wanted)

    def get(self, request, name):
        wanted = dict(request.query)
        wanted["latest"] = wanted.get("latest", "").lower() == "true"
        return self.serve([name], wanted)

    def serve(self, names, wanted):
        key = wanted.get("registrationkey")
        if key and key.startswith("bad"):
            return refused(
                f"The key:{key} provided by the User is invalid. "
                "Please provide a proper key for the operation to be successful"
            )
        regime = Regime(key)
        if self.spent(key, regime):
            return refused(
                "Request could not be serviced, as the daily threshold for total number of requests "
                f"allocated to the user with registration key {key} has been reached."
                if key
                else "Daily threshold of 25 queries has been reached. "
                "Please register for an API key at https://data.bls.gov/registrationEngine/"
            )
        try:
            years = years_of(wanted, regime)
        except ValueError as error:
            return refused(str(error))
        messages, series = [], []
        for name in names[: regime.series]:
            series.append(self.series(name, years, wanted, messages))
        return succeeded(messages, series)

    def spent(self, key, regime):
        with self.lock:
            self.asked[key] = self.asked.get(key, 0) + 1
            return self.strict and self.asked[key] > regime.daily

    def series(self, name, years, wanted, messages):
        rows = self.rows(name, flag(wanted, "annualaverage"))
        if rows is None:
            messages.append(f"Series does not exist for Series {name}")
            return {"seriesID": name, "data": []}
        if name in self.samples:
            data = rows
        elif wanted.get("latest") is True:
            data = rows[:1]
        else:
            data = [row for row in rows if years[0] <= int(row["year"]) <= years[1]]
            messages += missing_years(name, years, data) if wanted.get("startyear") else []
        answer = {"seriesID": name}
        if flag(wanted, "catalog"):
            answer["catalog"] = self.catalog(name)
        answer["data"] = data
        return answer

    def rows(self, name, annual_average):
        """All rows of a series, the newest first; None when it does not exist."""
        if name in self.samples:
            return self.samples[name]
        oews, laus = OEWS.fullmatch(name), LAUS.fullmatch(name)
        if oews:
            return self.wage(name, *oews.groups())
        if laus:
            return self.local(name, *laus.groups(), annual_average)
        if name in NATIONAL:
            base, noise, digits, adjusted = NATIONAL[name]
            return monthly(
                name,
                lambda year, month: base + noise * sway(name, year, month),
                digits,
                annual_average and not adjusted,
            )
        return None

    def area(self, kind, code):
        """The row of an OEWS area, the nation as a factor of 1; None when it is unknown."""
        if kind == "N":
            return {"wage": 1.0, "jobs": 154900} if code == "0000000" else None
        if kind == "S":
            return self.states.get(code[:2]) if code.endswith("00000") else None
        return self.metros.get(code[2:]) if code.startswith("00") else None

    def wage(self, name, kind, code, industry, soc, datatype):
        area = self.area(kind, code)
        job = self.occupations.get(f"{soc[:2]}-{soc[2:]}")
        if (
            area is None
            or job is None
            or not 1 <= int(datatype) <= 17
            or (industry != "000000" and kind != "N")
        ):
            return None
        rare = job["jobs"] * area["jobs"] / 154900 < 0.05
        if rare and kind == "M":
            return None
        value, notes = self.wage_value(name, area, job, f"{code}{soc}", datatype, kind)
        return [
            {
                "year": str(OEWS_YEAR),
                "period": "A01",
                "periodName": "Annual",
                "latest": "true",
                "value": value,
                "footnotes": notes,
            }
        ]

    def wage_value(self, name, area, job, cell, datatype, kind):
        if name in RECORDED:
            return RECORDED[name], [{}]
        jobs = job["jobs"] * area["jobs"] / 154900 * (1 + 0.3 * sway("jobs", cell))
        major = job["soc"].endswith("0000") or job["jobs"] > 150 or kind == "N"
        if datatype in ("03", "04") or datatype in QUANTILES:
            if not major and share("hidden", cell) < 0.25:
                return "-", [HIDDEN_NOTE]
            return wage_figure(datatype, job, area, cell)
        if datatype == "01":
            if not major and share("jobs hidden", cell) < 0.15:
                return "-", [HIDDEN_NOTE]
            count = round(jobs * 1000, -1)
            return (f"{count:,.0f}" if count >= 10_000_000 else f"{count:.0f}"), [{}]
        if datatype in ("02", "05"):
            return f"{0.3 + 6 * share(datatype, cell):.1f}", [{}]
        if datatype == "16":
            return f"{jobs / area['jobs'] * 1000:.3f}", [{}]
        return f"{1 + 0.3 * sway('jobs', cell):.2f}", [{}]

    def local(self, name, adjusted, kind, code, measure, annual_average):
        place = {
            "ST": lambda: self.states.get(code[:2]) if code.endswith("0" * 11) else None,
            "MT": lambda: self.metros.get(code[2:7]),
            "CN": lambda: self.county(code),
        }.get(kind, lambda: None)()
        if (
            place is None
            or (kind == "MT" and place["fips"] != code[:2])
            or (adjusted == "S" and kind != "ST")
        ):
            return None
        if measure not in ("03", "04", "05", "06", "07", "08", "09"):
            return None

        def value(year, month):
            rate = place["unemployment"] + 0.25 * sway(code, year, month)
            if adjusted == "U":
                rate += 0.35 * math.cos((month - 1) * math.pi / 6)
            force = place["jobs"] * 1000 * 1.04 * (1 + 0.008 * (year - NEWEST[0]))
            return {
                "03": rate,
                "04": force * rate / 100,
                "05": force * (1 - rate / 100),
                "06": force,
                "07": 60.4 * (1 - (rate - 4) / 100),
                "08": 62.9,
                "09": force / 0.629,
            }[measure]

        digits = 1 if measure in ("03", "07", "08") else 0
        return monthly(name, value, digits, annual_average and adjusted == "U")

    def county(self, code):
        row = self.counties.get(code[:5])
        return row and {
            "unemployment": 3.2 + 2.4 * share("county", code),
            "jobs": row["people"] * 0.5,
        }

    def catalog(self, name):
        oews = OEWS.fullmatch(name)
        if not oews:
            return {
                "series_title": name,
                "series_id": name,
                "survey_name": "Local Area Unemployment Statistics",
            }
        job = self.occupations.get(f"{oews[4][:2]}-{oews[4][2:]}", {"title": "unknown"})
        return {
            "series_title": f"{job['title']} in all industries",
            "series_id": name,
            "survey_name": "Occupational Employment and Wage Statistics",
            "survey_abbreviation": "OE",
            "occupation": job["title"],
        }


def samples_read(directory):
    """Series of recorded answers, by id."""
    found = {}
    for path in sorted(directory.glob("[0-9]*.json")) if directory.is_dir() else []:
        results = json.loads(path.read_text("utf-8")).get("Results", {})
        for part in results if isinstance(results, list) else [results]:
            found.update({series["seriesID"]: series["data"] for series in part.get("series", [])})
    return found


def missing_years(name, years, data):
    found = {int(row["year"]) for row in data}
    return [
        f"No Data Available for Series {name} Year: {year}"
        for year in range(years[0], years[1] + 1)
        if year not in found and year <= NEWEST[0]
    ]


def flag(wanted, name):
    return str(wanted.get(name, "")).lower() == "true"


def years_of(wanted, regime):
    """First and last year; a longer span than allowed is silently cut."""
    try:
        last = int(wanted.get("endyear") or NEWEST[0])
        first = int(wanted.get("startyear") or last - 2)
    except (TypeError, ValueError):
        raise ValueError("Invalid Year: startyear and endyear are numbers") from None
    if first > last:
        raise ValueError("Invalid Year: the end year is before the start year")
    return first, min(last, first + regime.years - 1)


def wage_figure(datatype, job, area, cell):
    """Log-normal around the median of the table."""
    spread = job["sigma"] * (1 + 0.08 * sway("sigma", cell))
    hourly = job["median"] * area["wage"] * (1 + 0.04 * sway("wage", cell))
    hourly *= math.exp(
        spread * spread / 2 if datatype in ("03", "04") else spread * QUANTILES[datatype]
    )
    if hourly >= TOP_HOURLY:
        return "-", [TOP_NOTE]
    if datatype == "03" or datatype in ("06", "07", "08", "09", "10"):
        return f"{hourly:.2f}", [{}]
    return f"{round(hourly * 2080, -1):.0f}", [{}]


def monthly(name, value, digits, annual_average):
    """Twenty years of months, the newest first; the year's average as M13 after December where it
    is wanted.
    """
    rows = []
    for year in range(NEWEST[0], NEWEST[0] - 20, -1):
        months = range(NEWEST[1] if year == NEWEST[0] else 12, 0, -1)
        known = [value(year, month) for month in months if (year, month) != GAP]
        if annual_average and len(months) == 12:
            rows.append(
                {
                    "year": str(year),
                    "period": "M13",
                    "periodName": "Annual",
                    "value": f"{sum(known) / len(known):.{digits}f}",
                    "footnotes": [{}],
                }
            )
        for month in months:
            row = {"year": str(year), "period": f"M{month:02d}", "periodName": MONTHS[month - 1]}
            if (year, month) == NEWEST:
                row["latest"] = "true"
            row["value"] = "-" if (year, month) == GAP else f"{value(year, month):.{digits}f}"
            row["footnotes"] = [
                GAP_NOTE
                if (year, month) == GAP
                else PRELIMINARY_NOTE
                if (year, month) == NEWEST
                else {}
            ]
            rows.append(row)
    return rows


def succeeded(messages, series):
    """With the line breaks that the real service has."""
    body = (
        '{"status":"REQUEST_SUCCEEDED","responseTime":%d,"message":%s,"Results":{\n"series":\n%s\n}}'
        % (90 + len(series), compact(messages), compact(series))
    )
    return reply_json(None, text=body)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def refused(text):
    return reply_json(
        {"status": "REQUEST_NOT_PROCESSED", "responseTime": 0, "message": [text], "Results": {}}
    )


def surveys(name):
    known = {
        "OE": "Occupational Employment and Wage Statistics",
        "LA": "Local Area Unemployment Statistics",
    }
    rows = [
        {"survey_abbreviation": k, "survey_name": v}
        for k, v in known.items()
        if not name or k == name
    ]
    body = {
        "status": "REQUEST_SUCCEEDED",
        "responseTime": 20,
        "message": [],
        "Results": {"survey": rows},
    }
    return reply_json(body)
