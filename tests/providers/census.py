# SPDX-License-Identifier: MIT
"""US Census ACS 5-year: arrays of arrays of strings, computed from the tables for the places they
know.

Sentinels come with small areas and ZIP areas (-666666666), with the richest ZIP area 94027 (250001
and its annotation "250,000+"), and as margins (-222222222, -333333333).
"""

import json
import re

from catalogue import read_samples
from exchange import Reply, reply_html, reply_json, reply_text
from tables import read_table, share, sway

VINTAGES = range(2009, 2025)
METRO = "metropolitan statistical area/micropolitan statistical area"
ZIP = "zip code tabulation area"
VARIABLES_LIMIT = 50
DATASET = re.compile(
    r"/(\d{4})/acs/acs5(/subject|/profile|/cprofile)?(/[^/]+\.json|/groups/\w+\.json)?"
)
VARIABLE = re.compile(r"((?:[BC]\d{5}|DP\d\d|S\d{4})_(?:C\d\d_)?\d{3,4})(P?)(E|M|EA|MA)")
NO_ESTIMATE, NO_MARGIN, OPEN_MARGIN = -666666666, -222222222, -333333333
# The occupation tree of tables B24011 and C24010: depth and label. A colon marks what has parts.
OCCUPATIONS = (
    (0, "Management, business, science, and arts occupations:", 1.45),
    (1, "Management, business, and financial occupations:", 1.55),
    (2, "Management occupations", 1.68),
    (2, "Business and financial operations occupations", 1.42),
    (1, "Computer, engineering, and science occupations:", 1.75),
    (2, "Computer and mathematical occupations", 1.88),
    (2, "Architecture and engineering occupations", 1.76),
    (2, "Life, physical, and social science occupations", 1.34),
    (1, "Education, legal, community service, arts, and media occupations:", 1.05),
    (2, "Community and social service occupations", 0.98),
    (2, "Legal occupations", 1.82),
    (2, "Educational instruction, and library occupations", 0.96),
    (2, "Arts, design, entertainment, sports, and media occupations", 0.95),
    (1, "Healthcare practitioners and technical occupations:", 1.42),
    (2, "Health diagnosing and treating practitioners and other technical occupations", 1.62),
    (2, "Health technologists and technicians", 0.99),
    (0, "Service occupations:", 0.5),
    (1, "Healthcare support occupations", 0.56),
    (1, "Protective service occupations:", 1.05),
    (
        2,
        "Firefighting and prevention, and other protective service workers including supervisors",
        0.72,
    ),
    (2, "Law enforcement workers including supervisors", 1.4),
    (1, "Food preparation and serving related occupations", 0.37),
    (1, "Building and grounds cleaning and maintenance occupations", 0.55),
    (1, "Personal care and service occupations", 0.42),
    (0, "Sales and office occupations:", 0.79),
    (1, "Sales and related occupations", 0.82),
    (1, "Office and administrative support occupations", 0.77),
    (0, "Natural resources, construction, and maintenance occupations:", 0.96),
    (1, "Farming, fishing, and forestry occupations", 0.62),
    (1, "Construction and extraction occupations", 0.93),
    (1, "Installation, maintenance, and repair occupations", 1.06),
    (0, "Production, transportation, and material moving occupations:", 0.77),
    (1, "Production occupations", 0.84),
    (1, "Transportation occupations", 0.83),
    (1, "Material moving occupations", 0.64),
)


def occupation_labels(head):
    """Full labels in column order, each under its parents."""
    labels, path = [], []
    for depth, name, _ in OCCUPATIONS:
        path = [*path[:depth], name]
        labels.append("!!".join([head, *path]))
    return labels


def registry():
    """{variable without suffix: (label, concept, kind, factor)}; kind is dollars, people or share
    of people.
    """
    known = {}

    def put(name, label, concept, kind, factor):
        known[name] = ("Estimate!!" + label, concept, kind, factor)

    inflated = "(in 2024 inflation-adjusted dollars)"
    put("B01003_001", "Total", "Total Population", "people", 1.0)
    put(
        "B19013_001",
        f"Median household income in the past 12 months {inflated}",
        "Median Household Income",
        "dollars",
        1.75,
    )
    put(
        "B19301_001",
        f"Per capita income in the past 12 months {inflated}",
        "Per Capita Income",
        "dollars",
        0.94,
    )
    put("B25064_001", "Median gross rent", "Median Gross Rent (Dollars)", "dollars", 0.0305)
    put("B25077_001", "Median value (dollars)", "Median Value (Dollars)", "dollars", 7.1)
    put(
        "DP03_0062",
        "INCOME AND BENEFITS!!Total households!!Median household income (dollars)",
        "Selected Economic Characteristics",
        "dollars",
        1.75,
    )
    earnings = f"Median earnings in the past 12 months {inflated} --!!Total"
    for number, part, factor in (
        (1, ":", 1.0),
        (2, ":!!Male", 1.16),
        (3, ":!!Male!!Full-time, year-round", 1.5),
        (5, ":!!Female", 0.86),
        (6, ":!!Female!!Full-time, year-round", 1.24),
    ):
        put(
            f"B20017_{number:03d}",
            earnings + part,
            "Median Earnings by Sex by Work Experience",
            "dollars",
            factor,
        )
    for number, part, factor in ((1, ":", 1.0), (2, ":!!Male", 1.16), (3, ":!!Female", 0.86)):
        put(f"B20002_{number:03d}", earnings + part, "Median Earnings by Sex", "dollars", factor)
    schooling = (
        "",
        "!!Less than high school graduate",
        "!!High school graduate (includes equivalency)",
        "!!Some college or associate's degree",
        "!!Bachelor's degree",
        "!!Graduate or professional degree",
    )
    for number, (part, factor) in enumerate(zip(schooling, (1.1, 0.66, 0.83, 0.97, 1.46, 1.9)), 1):
        put(
            f"B20004_{number:03d}",
            earnings + ":" + part,
            "Median Earnings by Sex by Educational Attainment",
            "dollars",
            factor,
        )
    for number, (part, factor) in enumerate(
        (
            (":", 0.8),
            (":!!In labor force:", 0.51),
            (":!!In labor force:!!Civilian labor force:", 0.505),
            (":!!In labor force:!!Civilian labor force:!!Employed", 0.48),
            (":!!In labor force:!!Civilian labor force:!!Unemployed", 0.024),
            (":!!In labor force:!!Armed Forces", 0.004),
            (":!!Not in labor force", 0.29),
        ),
        1,
    ):
        put(
            f"B23025_{number:03d}",
            "Total" + part,
            "Employment Status for the Population 16 Years and Over",
            "people",
            factor,
        )
    put("B08301_001", "Total:", "Means of Transportation to Work", "people", 0.475)
    put(
        "B08301_021", "Total:!!Worked from home", "Means of Transportation to Work", "people", 0.068
    )
    occupations_put(put, inflated)
    return known


def occupations_put(put, inflated):
    concept = (
        "Occupation by Median Earnings in the Past 12 Months "
        "for the Civilian Employed Population 16 Years and Over"
    )
    head = (
        f"Median earnings in the past 12 months {inflated} --!!"
        "Civilian employed population 16 years and over with earnings"
    )
    put("B24011_001", head + ":", concept, "dollars", 1.0)
    for number, label in enumerate(occupation_labels(head + ":"), 2):
        put(f"B24011_{number:03d}", label, concept, "dollars", OCCUPATIONS[number - 2][2])
    concept = "Sex by Occupation for the Civilian Employed Population 16 Years and Over"
    put("C24010_001", "Total:", concept, "people", 0.48)
    for first, sex, part in ((2, "Male", 0.53), (38, "Female", 0.47)):
        put(f"C24010_{first:03d}", f"Total:!!{sex}:", concept, "people", 0.48 * part)
        for number, label in enumerate(occupation_labels(f"Total:!!{sex}:"), first + 1):
            depth = OCCUPATIONS[number - first - 1][0]
            put(
                f"C24010_{number:03d}",
                label,
                concept,
                "people",
                0.48 * part * (0.3, 0.08, 0.035)[depth],
            )


class Census:
    def __init__(self, directory):
        self.variables = registry()
        self.states = read_table("states", "fips")
        self.metros = read_table("metros", "cbsa")
        self.small = read_table("small_areas", "cbsa")
        self.counties = list(read_table("counties", "name").values())
        self.towns = list(read_table("places", "name").values())
        self.samples = list(read_samples(directory).values())

    def answer(self, request):
        if request.path in ("/missing_key.html", "/invalid_key.html"):
            return key_page(request.path)
        path = DATASET.fullmatch(request.path.rstrip("/"))
        if not path or int(path[1]) not in VINTAGES:
            return reply_html("404 Not Found", "The requested page was not found.", 404)
        if path[3]:
            return self.metadata(path[3])
        key = request.parameter("key")
        if not key or key.startswith("bad"):
            return key_redirect(request, "missing_key" if not key else "invalid_key")
        try:
            return self.table(request, int(path[1]))
        except ValueError as error:
            return reply_text(str(error), 400)

    def metadata(self, name):
        if name == "/variables.json":
            return reply_json(
                {
                    "variables": {
                        "for": {
                            "label": "Census API FIPS 'for' clause",
                            "concept": "Census API Geography Specification",
                            "predicateType": "fips-for",
                            "group": "N/A",
                            "limit": 0,
                            "predicateOnly": True,
                        },
                        "NAME": {
                            "label": "Geographic Area Name",
                            "concept": "Geography",
                            "predicateType": "string",
                            "group": "N/A",
                            "limit": 0,
                        },
                        **self.described(""),
                    }
                }
            )
        group = re.fullmatch(r"/groups/(\w+)\.json", name)
        if group:
            found = self.described(group[1] + "_")
            return (
                reply_json({"variables": found})
                if found
                else reply_html("404 Not Found", "No such group.", 404)
            )
        if name == "/geography.json":
            return reply_json(
                {
                    "fips": [
                        {"name": level, "geoLevelDisplay": code, "referenceDate": "2024-01-01"}
                        for level, code in (
                            ("us", "010"),
                            ("state", "040"),
                            ("county", "050"),
                            ("place", "160"),
                            (METRO, "310"),
                            (ZIP, "860"),
                        )
                    ]
                }
            )
        return reply_html("404 Not Found", "The requested page was not found.", 404)

    def described(self, prefix):
        return {
            name
            + "E": {
                "label": label,
                "concept": concept,
                "predicateType": "int",
                "group": name.split("_")[0],
                "limit": 0,
                "attributes": f"{name}EA,{name}M,{name}MA",
            }
            for name, (label, concept, *_) in self.variables.items()
            if name.startswith(prefix)
        }

    def table(self, request, vintage):
        columns = request.parameter("get", "")
        if not columns:
            raise ValueError("error: missing 'get' argument")
        columns = columns.split(",")
        if len(columns) > VARIABLES_LIMIT:
            raise ValueError(f"error: number of variables exceeds the limit of {VARIABLES_LIMIT}")
        if not request.parameter("for"):
            raise ValueError("error: missing 'for' argument")
        recorded = self.recorded(columns, request.parameter("for"))
        if recorded:
            return rows_reply(recorded)
        columns = [name for column in columns for name in self.expanded(column)]
        areas = self.areas(request.parameter("for"), request.parameter("in", ""))
        if not areas:
            return Reply(204, {}, b"")
        ids = [name for name in areas[0]["ids"]]
        rows = [
            [self.cell(name, area, vintage) for name in columns] + list(area["ids"].values())
            for area in areas
        ]
        return rows_reply([columns + ids, *rows])

    def recorded(self, columns, wanted):
        """Rows of a recorded answer to the same columns over the same kind of area."""
        level, _, codes = wanted.partition(":")
        for sample in self.samples:
            if sample[0][: len(columns)] == columns and sample[0][-1] == level:
                rows = [
                    row for row in sample[1:] if codes in ("*", "") or row[-1] in codes.split(",")
                ]
                return [sample[0], *rows] if rows else None
        return None

    def expanded(self, column):
        group = re.fullmatch(r"group\((\w+)\)", column)
        if group:
            names = [name for name in self.variables if name.startswith(group[1] + "_")]
            if not names:
                raise ValueError(f"error: error: unknown group '{group[1]}'")
            return ["GEO_ID", "NAME"] + [
                name + suffix for name in names for suffix in ("E", "EA", "M", "MA")
            ]
        known = VARIABLE.fullmatch(column)
        if column not in ("NAME", "GEO_ID") and not (known and known[1] in self.variables):
            raise ValueError(f"error: error: unknown variable '{column}'")
        return [column]

    def areas(self, wanted, within):
        """Areas of a `for` clause: name, level of pay, people in thousands, ids. ValueError for bad
        geography.
        """
        level, _, codes = wanted.partition(":")
        state = within.removeprefix("state:") if within.startswith("state:") else None
        every = {
            "us": self.nation,
            "state": self.all_states,
            METRO: self.all_metros,
            "county": lambda: self.inside(self.counties, "county", state),
            "place": lambda: self.inside(self.towns, "place", state),
            ZIP: lambda: zips(codes),
        }.get(level)
        if (
            every is None
            or (level in ("us", "state", METRO, ZIP) and within)
            or (level == ZIP and codes in ("*", ""))
        ):
            raise ValueError("error: unknown/unsupported geography hierarchy")
        if level == "place" and not state:
            raise ValueError("error: unknown/unsupported geography hierarchy")
        found = every()
        if codes in ("*", ""):
            return found
        return [area for area in found if list(area["ids"].values())[-1] in codes.split(",")]

    def nation(self):
        return [area("United States", 1.0, 334900, {"us": "1"}, "0100000US")]

    def all_states(self):
        return [
            area(row["name"], row["wage"], row["jobs"] / 0.48, {"state": fips}, "0400000US" + fips)
            for fips, row in self.states.items()
        ]

    def all_metros(self):
        found = [
            area(
                f"{row['name']}, {row['states']} Metro Area",
                row["wage"],
                row["jobs"] / 0.48,
                {METRO: cbsa},
                "310M700US" + cbsa,
            )
            for cbsa, row in self.metros.items()
        ]
        found += [
            area(
                f"{row['name']}, {row['states']} {row['kind']} Area",
                0.8,
                20 + 90 * share(cbsa),
                {METRO: cbsa},
                "310M700US" + cbsa,
                small=True,
            )
            for cbsa, row in self.small.items()
        ]
        return sorted(found, key=lambda each: each["ids"][METRO])

    def inside(self, rows, level, state):
        return [
            area(
                f"{row['name']}, {self.states[row['state']]['name']}",
                self.states[row["state"]]["wage"] * 1.05,
                row["people"],
                {"state": row["state"], level: row[level]},
                f"0500000US{row['state']}{row[level]}",
            )
            for row in rows
            if state in (None, "*", row["state"])
        ]

    def cell(self, column, place, vintage):
        if column == "NAME":
            return place["name"]
        if column == "GEO_ID":
            return place["geo"]
        name, _, suffix = VARIABLE.fullmatch(column).groups()
        return figure(name, self.variables[name], place, vintage, suffix)


def area(name, pay, people, ids, geo, small=False):
    return {
        "name": name,
        "pay": pay,
        "people": people * 1000,
        "ids": ids,
        "geo": geo,
        "small": small,
    }


def zips(codes):
    known = [code for code in codes.split(",") if re.fullmatch(r"\d{5}", code) and code != "00000"]
    return [
        area(
            f"ZCTA5 {code}",
            6.0 if code == "94027" else 0.7 + 0.8 * share("zip", code),
            3 + 40 * share("people", code),
            {ZIP: code},
            "860Z200US" + code,
            small=True,
        )
        for code in known
    ]


def figure(name, variable, place, vintage, suffix):
    """One cell: an estimate (E), its margin (M) or the annotation of either (EA, MA); strings or
    null.
    """
    _, _, kind, factor = variable
    if (
        place["small"]
        and name not in ("B01003_001", "B19013_001")
        and share("none", name, place["geo"]) < 0.3
    ):
        return {"E": str(NO_ESTIMATE), "M": str(NO_MARGIN), "EA": "-", "MA": "**"}[suffix]
    if kind == "dollars":
        value = (
            43300
            * factor
            * place["pay"]
            * 1.045 ** (vintage - 2024)
            * (1 + 0.05 * sway(name, place["geo"]))
        )
        if name in ("B19013_001", "DP03_0062") and value > 250000:
            return {"E": "250001", "M": str(OPEN_MARGIN), "EA": "250,000+", "MA": "***"}[suffix]
    else:
        value = (
            place["people"] * factor * (1 + 0.1 * sway(name, place["geo"]) * (name != "B01003_001"))
        )
    margin = value * (0.09 if place["small"] else 0.012)
    return {"E": f"{value:.0f}", "M": f"{margin:.0f}", "EA": None, "MA": None}[suffix]


def rows_reply(rows):
    """One row a line, as there."""
    body = (
        "["
        + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        + "]"
    )
    return reply_json(None, text=body)


def key_redirect(request, page):
    host = request.headers.get("host", "api.census.gov")
    return Reply(
        302, {"Location": f"http://{host}/census/{page}.html", "X-DataWebAPI-KeyError": "1"}, b""
    )


def key_page(path):
    what = "Missing Key" if path == "/missing_key.html" else "Invalid Key"
    text = "A valid <em>key</em> must be included with each data API request."
    if what == "Invalid Key":
        text += (
            " You included a key with this request, however, it is not valid."
            " Please check your key and try again."
        )
    return reply_html(what, text)
