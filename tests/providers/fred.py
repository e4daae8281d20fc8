# SPDX-License-Identifier: MIT
"""FRED: observations and series of a few national ids, state and metro unemployment, regional price
parities.

XML unless file_type=json, as there. Months run to September 2026, parities to 2024; "." is a
missing value.
"""

import math
import re
from datetime import date
from xml.sax.saxutils import quoteattr

from catalogue import read_samples
from exchange import reply_html, reply_json, reply_text
from tables import read_table, share, sway

TODAY = "2026-11-20"
XML_HEAD = '<?xml version="1.0" encoding="utf-8" ?>'
NEWEST = (2026, 9)
GAP = date(2025, 10, 1)
KEY = re.compile(r"[0-9a-z]{32}")
STATE_RATE = re.compile(r"([A-Z]{2})UR(N?)")
METRO_RATE = re.compile(r"([A-Z]{4}\d{3})UR(N?)")
LAUS_METRO = re.compile(r"LAUMT(\d{2})(\d{5})000000(03|04|05|06)A?")
STATE_PARITY = re.compile(r"([A-Z]{2})RPPALL")
METRO_PARITY = re.compile(r"RPP(ALL|GOOD|SERVERENT|SERVEOTH)(\d{5})")
KEY_HELP = "  Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
UNITS = ("lin", "chg", "ch1", "pch", "pc1", "pca", "cch", "cca", "log")
FREQUENCIES = {"M": "Monthly", "Q": "Quarterly", "A": "Annual"}
SEASONS = {
    "SA": "Seasonally Adjusted",
    "NSA": "Not Seasonally Adjusted",
    "SAAR": "Seasonally Adjusted Annual Rate",
}
PERIODS = {"M": 1, "Q": 3, "A": 12}


class Fred:
    def __init__(self, directory, strict):
        self.national = read_table("fred_series", "id")
        self.states = read_table("states", "abbr")
        self.metros = read_table("metros", "cbsa")
        self.legacy = read_table("fred_metro_ids", "id")
        self.strict = strict
        self.recorded_info, self.recorded_rows = samples_sorted(read_samples(directory))

    def answer(self, request):
        if request.path.startswith("/v2/"):
            return v2_answer(request)
        problem = self.key_problem(request.parameter("api_key"))
        if problem:
            return failure(request, 400, problem)
        handler = {
            "/series": self.info,
            "/series/observations": self.observations,
            "/series/search": self.search,
            "/series/release": self.release,
        }.get(request.path.rstrip("/"))
        return handler(request) if handler else failure(request, 404, "Not Found")

    def key_problem(self, key):
        if not key:
            return "Bad Request.  Variable api_key is not set." + KEY_HELP
        if self.strict and not KEY.fullmatch(key):
            return (
                "Bad Request.  The value for variable api_key is not a 32 character "
                "alpha-numeric lower-case string." + KEY_HELP
            )
        if key.startswith("bad"):
            return "Bad Request.  The value for variable api_key is not registered." + KEY_HELP
        return None

    def series(self, name):
        """What the tables know of a series, as in fred_series.json; None when it does not exist."""
        if name in self.national:
            return self.national[name]
        state, metro = STATE_RATE.fullmatch(name), METRO_RATE.fullmatch(name)
        if state and state[1] in self.states:
            return rate_series(
                name,
                self.states[state[1]],
                "NSA" if state[2] else "SA",
                self.states[state[1]]["name"],
            )
        if metro and metro[1] in self.legacy:
            row = self.metros[self.legacy[metro[1]]["cbsa"]]
            return rate_series(
                name, row, "NSA" if metro[2] else "SA", f"{row['name']}, {row['states']} (MSA)"
            )
        local = LAUS_METRO.fullmatch(name)
        if local and local[2] in self.metros and self.metros[local[2]]["fips"] == local[1]:
            row = self.metros[local[2]]
            return rate_series(name, row, "NSA", f"{row['name']}, {row['states']} (MSA)")
        return self.parity(name)

    def parity(self, name):
        state, metro = STATE_PARITY.fullmatch(name), METRO_PARITY.fullmatch(name)
        if state and state[1] in self.states:
            row, part, place = self.states[state[1]], "ALL", self.states[state[1]]["name"]
        elif metro and metro[2] in self.metros:
            row, part = self.metros[metro[2]], metro[1]
            place = f"{row['name']}, {row['states']} (MSA)"
        else:
            return None
        pull = {"ALL": 1.0, "GOOD": 0.35, "SERVERENT": 2.6, "SERVEOTH": 0.45}[part]
        kind = {
            "ALL": "All Items",
            "GOOD": "Goods",
            "SERVERENT": "Services: Housing",
            "SERVEOTH": "Services: Other",
        }[part]
        return {
            "id": name,
            "title": f"Regional Price Parities: {kind} for {place}",
            "frequency": "A",
            "units": "Index",
            "short": "Index",
            "season": "NSA",
            "start": "2008-01-01",
            "base": 100 + (row["rpp"] - 100) * pull,
            "trend": 0.0,
            "wave": 0.0,
            "noise": 0.3,
            "digits": 3,
        }

    def info(self, request):
        name = request.parameter("series_id")
        if not name:
            return failure(request, 400, "Bad Request.  Variable series_id is not set.")
        row = self.recorded_info.get(name) or (self.series(name) and series_info(self.series(name)))
        if not row:
            return failure(request, 400, "Bad Request.  The series does not exist.")
        return self.list_reply(request, "seriess", [row], {})

    def search(self, request):
        wanted = request.parameter("search_text", "").casefold().split()
        names = [
            *self.national,
            *[f"{abbr}UR" for abbr in self.states],
            *[f"{name}URN" for name in self.legacy],
        ]
        rows = [series_info(self.series(name)) for name in names]
        found = [row for row in rows if all(word in row["title"].casefold() for word in wanted)]
        limit, offset = whole(request, "limit", 1000), whole(request, "offset", 0)
        counts = {
            "order_by": "search_rank",
            "sort_order": "desc",
            "count": len(found),
            "offset": offset,
            "limit": limit,
        }
        return self.list_reply(request, "seriess", found[offset : offset + limit], counts)

    def release(self, request):
        if not self.series(request.parameter("series_id", "")):
            return failure(request, 400, "Bad Request.  The series does not exist.")
        row = {
            "id": 403 if "RPP" in request.parameter("series_id") else 10,
            "realtime_start": TODAY,
            "realtime_end": TODAY,
            "name": "Consumer Price Index",
            "press_release": True,
        }
        return self.list_reply(request, "releases", [row], {})

    def list_reply(self, request, key, rows, counts):
        if request.parameter("file_type") == "json":
            return reply_json({"realtime_start": TODAY, "realtime_end": TODAY, **counts, key: rows})
        return xml_reply(key, {"realtime_start": TODAY, "realtime_end": TODAY, **counts}, rows)

    def observations(self, request):
        name = request.parameter("series_id")
        if not name:
            return failure(request, 400, "Bad Request.  Variable series_id is not set.")
        units = request.parameter("units", "lin")
        if units not in UNITS:
            return failure(
                request,
                400,
                f"Bad Request.  Value of units is not one of: {', '.join(map(repr, UNITS))}.",
            )
        rows, digits = self.values(name, request)
        if rows is None:
            return failure(request, 400, "Bad Request.  The series does not exist.")
        try:
            rows, limit, offset = narrowed(changed(rows, units), request)
        except ValueError as error:
            return failure(request, 400, f"Bad Request.  {error}")
        shown = [observation(day, value, digits) for day, value in rows[offset : offset + limit]]
        head = observation_head(request, units, len(rows), limit, offset)
        if request.parameter("file_type") == "json":
            return reply_json({**head, "observations": shown})
        return xml_reply("observations", {**head, "file_type": "xml"}, shown)

    def values(self, name, request):
        """[(day, value or None)], oldest first, and its digits; (None, 0) for an unknown series."""
        if name in self.recorded_rows:
            return self.recorded_rows[name], None
        series = self.series(name)
        if series is None:
            return None, 0
        rows = [
            (day, None if missing(series, day) else figure(series, day)) for day in days(series)
        ]
        return (
            aggregated(rows, series["frequency"], request.parameter("frequency")),
            series["digits"],
        )


def samples_sorted(samples):
    """Recorded series and observations by id; the observations file tells its series only by its
    name.
    """
    info, rows = {}, {}
    for name, document in samples.items():
        if "seriess" in document:
            info.update({row["id"]: row for row in document["seriess"]})
        if "observations" in document:
            id = name.rsplit(".", 1)[0].rsplit("_", 1)[-1].upper()
            rows[id] = [
                (date.fromisoformat(row["date"]), None if row["value"] == "." else row["value"])
                for row in document["observations"]
            ]
    return info, rows


def rate_series(name, row, season, place):
    return {
        "id": name,
        "title": f"Unemployment Rate in {place}",
        "frequency": "M",
        "units": "Percent",
        "short": "%",
        "season": season,
        "start": "1990-01-01",
        "base": row["unemployment"],
        "trend": 0.0,
        "wave": 0.3 if season == "NSA" else 0.0,
        "noise": 0.15,
        "digits": 1,
    }


def last_day(series):
    if series["frequency"] == "A":
        return date(2024, 1, 1)
    if series["frequency"] == "Q":
        return date(NEWEST[0], 7, 1)
    return date(*NEWEST, 1)


def days(series):
    """First days of all periods, the oldest first."""
    day, end, step = (
        date.fromisoformat(series["start"]),
        last_day(series),
        PERIODS[series["frequency"]],
    )
    while day <= end:
        yield day
        month = day.month - 1 + step
        day = date(day.year + month // 12, month % 12 + 1, 1)


def missing(series, day):
    return day == GAP and series["frequency"] == "M" or series["id"] == "GDP" and day.year == 1946


def figure(series, day):
    years = (last_day(series) - day).days / 365.25
    value = series["base"] * math.exp(-series["trend"] * years)
    value += series["wave"] * math.cos((day.month - 1) * math.pi / 6)
    return value + series["noise"] * sway(series["id"], day)


def aggregated(rows, have, want):
    """Averages over the longer period that `frequency` asks for."""
    want = (want or have).upper()
    if want not in PERIODS or PERIODS[want] <= PERIODS[have]:
        return rows
    groups = {}
    for day, value in rows:
        first = (day.month - 1) // PERIODS[want] * PERIODS[want] + 1
        groups.setdefault(date(day.year, first, 1), []).append(value)
    return [
        (day, None if None in group else sum(group) / len(group)) for day, group in groups.items()
    ]


def changed(rows, units):
    """lin as it is; chg and pch against the row before, ch1 and pc1 against a year before, log."""
    if units == "lin":
        return rows
    known = {day: float(value) for day, value in rows if value is not None}
    answer, before = [], None
    for day, value in rows:
        base = known.get(day.replace(year=day.year - 1)) if units in ("ch1", "pc1") else before
        before = known.get(day)
        answer.append((day, one_changed(before, base, units)))
    return answer


def one_changed(value, base, units):
    if value is None or (base is None and units != "log"):
        return None
    if units == "log":
        return math.log(value) if value > 0 else None
    if units in ("chg", "ch1"):
        return value - base
    return (value / base - 1) * 100


def whole(request, name, default):
    text = request.parameter(name, str(default))
    if not text.isdigit():
        raise ValueError(f"Value of {name} is not a whole number.")
    return int(text)


def narrowed(rows, request):
    start = date.fromisoformat(request.parameter("observation_start", "1776-07-04"))
    end = date.fromisoformat(request.parameter("observation_end", "9999-12-31"))
    limit, offset = whole(request, "limit", 100000), whole(request, "offset", 0)
    if not 1 <= limit <= 100000:
        raise ValueError("Value of limit is not between 1 and 100000.")
    rows = [(day, value) for day, value in rows if start <= day <= end]
    return rows[::-1] if request.parameter("sort_order") == "desc" else rows, limit, offset


def observation(day, value, digits):
    text = "." if value is None else value if isinstance(value, str) else f"{value:.{digits or 5}f}"
    if digits == 0 and value is not None and not isinstance(value, str):
        text = f"{value:.0f}"
    return {"realtime_start": TODAY, "realtime_end": TODAY, "date": day.isoformat(), "value": text}


def observation_head(request, units, count, limit, offset):
    return {
        "realtime_start": TODAY,
        "realtime_end": TODAY,
        "observation_start": request.parameter("observation_start", "1600-01-01"),
        "observation_end": request.parameter("observation_end", "9999-12-31"),
        "units": units,
        "output_type": 1,
        "file_type": "json",
        "order_by": "observation_date",
        "sort_order": request.parameter("sort_order", "asc"),
        "count": count,
        "offset": offset,
        "limit": limit,
    }


def series_info(series):
    return {
        "id": series["id"],
        "realtime_start": TODAY,
        "realtime_end": TODAY,
        "title": series["title"],
        "observation_start": series["start"],
        "observation_end": last_day(series).isoformat(),
        "frequency": FREQUENCIES[series["frequency"]],
        "frequency_short": series["frequency"],
        "units": series["units"],
        "units_short": series["short"],
        "seasonal_adjustment": SEASONS[series["season"]],
        "seasonal_adjustment_short": series["season"],
        "last_updated": "2026-11-06 07:42:03-06",
        "popularity": int(100 * share("popularity", series["id"])),
        "notes": "Computed for tests.",
    }


def failure(request, status, text):
    """JSON where it was asked for, else XML; the content type of the latter is text/xml."""
    if request.parameter("file_type") == "json":
        return reply_json({"error_code": status, "error_message": text}, status)
    body = XML_HEAD + f'\n<error code="{status}" message={quoteattr(text)} />\n'
    return reply_text(body, status, "text/xml")


def xml_reply(name, attributes, rows):
    def listed(pairs):
        return " ".join(f"{key}={quoteattr(str(value))}" for key, value in pairs.items())

    element = {"observations": "observation", "seriess": "series", "releases": "release"}[name]
    lines = [XML_HEAD, f"<{name} {listed(attributes)}>"]
    lines += [f"  <{element} {listed(row)}/>" for row in rows]
    return reply_text("\n".join([*lines, f"</{name}>"]) + "\n", 200, "text/xml")


def v2_answer(request):
    if request.path != "/v2/release/observations":
        return reply_html("404 Not Found", "The requested page was not found.", 404)
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return reply_json({"code": 401, "message": "Authorization is missing"}, 401)
    if not request.parameter("release_id", "").isdigit():
        return reply_json({"code": 400, "message": "release_id is not a positive integer"}, 400)
    return reply_json(
        {"has_more": False, "next_cursor": None, "release": {"release_id": 10}, "series": []}
    )
