#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 60
"""The local provider server: endpoints have their provider's shape, faults do what they say."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SERVER = TOP / "tests/providers/server"
LABELS = json.loads((TOP / "tests/providers/data/labels.json").read_text("utf-8"))
SAMPLES = TOP.parent / "shared" / "samples"
RAPID = {"X-RapidAPI-Key": "some-key", "X-RapidAPI-Host": "jsearch.p.rapidapi.com"}
START_LIMIT_S = 10


class Provider:
    """A running server and the ways to ask it."""

    def __init__(self, *options):
        self.directory = tempfile.TemporaryDirectory()
        self.port_file = Path(self.directory.name) / "port"
        self.log = Path(self.directory.name) / "log"
        self.process = subprocess.Popen(
            [
                SERVER,
                "--port-file",
                self.port_file,
                "--log",
                self.log,
                "--die-with-parent",
                *options,
            ]
        )
        deadline = time.monotonic() + START_LIMIT_S
        while not self.port_file.exists():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("the server does not start")
            time.sleep(0.01)
        self.port = int(self.port_file.read_text())

    def ask(self, path, query=None, headers=RAPID, method="GET", body=None):
        """(status, headers, bytes); paths below the server's root."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        try:
            connection.request(method, target, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def json(self, *args, **named):
        return json.loads(self.ask(*args, **named)[2])

    def bls(self, *series, **members):
        body = json.dumps({"seriesid": list(series), **members})
        kind = {"Content-Type": "application/json"}
        return self.json("/bls/timeseries/data/", headers=kind, method="POST", body=body)

    def census(self, path="/2024/acs/acs5", **query):
        return self.ask("/census" + path, {"key": "k", **query}, headers={})

    def fred(self, path, **query):
        return self.ask("/fred" + path, {"api_key": "k", "file_type": "json", **query}, headers={})

    def fault(self, kind, provider="jsearch", **members):
        members = {"count": 1, **members}
        body = json.dumps({"provider": provider, "kind": kind, **members})
        status, _, answer = self.ask("/_fault", method="POST", body=body)
        assert status == 200, answer

    def search(self, query="*", **more):
        """All rows that a query finds, by cursor; and the number of pages."""
        rows, pages, cursor = [], 0, ""
        while cursor is not None:
            answer = self.json("/jsearch/search-v2", {"query": query, "cursor": cursor, **more})
            rows += answer["data"]["jobs"]
            cursor = answer["data"].get("cursor")
            pages += 1
        return rows, pages

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(5)
        self.directory.cleanup()
        return status


def slug(name):
    return "".join(c for c in name.casefold() if c.isalnum())


def raises(call, *kinds):
    try:
        call()
    except kinds:
        return True
    return False


# --- JSearch


def jsearch_v2_walks_all_postings_by_cursor(at):
    rows, pages = at.search("*")
    ids = {row["job_id"] for row in rows if isinstance(row, dict) and "job_id" in row}
    assert len(rows) == LABELS["counts"]["rows"] and set(LABELS["postings"]) <= ids, len(rows)
    assert pages >= len(rows) / 10


def jsearch_v2_never_mixes_generations_on_a_page(at):
    cursor = ""
    while cursor is not None:
        data = at.json("/jsearch/search-v2", {"query": "*", "cursor": cursor})["data"]
        shapes = {
            LABELS["postings"][row["job_id"]]["file"].split("_")[0]
            for row in data["jobs"]
            if isinstance(row, dict) and row.get("job_id") in LABELS["postings"]
        }
        assert len(shapes) <= 1, shapes
        cursor = data.get("cursor")


def jsearch_finds_by_title_words_place_and_country(at):
    rows, _ = at.search("software engineer in Seattle, WA")
    assert 5 < len(rows) < 100
    assert not at.search("nurse in Seattle, WA")[0]
    assert not [
        row for row in at.search("developer in Berlin")[0] if row.get("job_city") == "Berlin"
    ]
    assert at.search("entwickler in Berlin", country="de")[0]
    assert at.search("software engineer Seattle")[0] == rows


def jsearch_legacy_pages_hold_an_array(at):
    one = at.json("/jsearch/search", {"query": "*", "page": 1})
    three = at.json("/jsearch/search", {"query": "*", "page": 1, "num_pages": 3})
    two = at.json("/jsearch/search", {"query": "*", "page": 2})
    assert (
        len(one["data"]) == 10 and len(three["data"]) == 30 and three["data"][10:20] == two["data"]
    )
    assert one["status"] == "OK" and one["parameters"]["page"] == 1 and one["request_id"]
    assert at.json("/jsearch/search", {"query": "*", "page": 999})["data"] == []


def jsearch_counts_its_quota_down_in_headers(at):
    _, first, _ = at.ask("/jsearch/search", {"query": "*", "num_pages": 4})
    _, second, _ = at.ask("/jsearch/search-v2", {"query": "*"})
    left = [int(each["x-ratelimit-requests-remaining"]) for each in (first, second)]
    assert left[0] - left[1] == 1 and 0 < int(second["x-ratelimit-requests-reset"]) <= 864000
    at.ask("/_quota", method="POST", body='{"limit":200,"used":200,"reset":864000}')
    status, headers, body = at.ask("/jsearch/search-v2", {"query": "*"})
    at.ask("/_quota", method="POST", body='{"limit":10000,"used":0}')
    assert status == 429 and b"MONTHLY quota" in body
    assert headers["x-ratelimit-requests-remaining"] == "0"


def jsearch_refuses_keys_and_parameters(at):
    assert at.ask("/jsearch/search-v2", {"query": "*"}, headers={})[0] == 401
    assert at.ask("/jsearch/search-v2", {"query": "*"}, {"X-RapidAPI-Key": "bad1"})[0] == 403
    assert at.ask("/jsearch/search-v2")[0] == 400
    assert at.ask("/jsearch/search-v2", {"query": "*", "cursor": "nonsense"})[0] == 400
    assert at.ask("/jsearch/search", {"query": "*", "num_pages": "50"})[0] == 400
    status, headers, body = at.ask("/jsearch/nothing")
    assert (
        status == 404
        and headers["x-rapidapi-proxy-response"] == "true"
        and b"does not exist" in body
    )


def jsearch_details_and_salaries_answer(at):
    names = list(LABELS["postings"])[:2]
    rows = at.json("/jsearch/job-details", {"job_id": ",".join(names)})["data"]
    assert [row["job_id"] for row in rows] == names
    wanted = {"job_title": "Data Engineer", "location": "Denver, CO"}
    pay = at.json("/jsearch/estimated-salary", wanted)["data"][0]
    assert pay["min_salary"] < pay["median_salary"] < pay["max_salary"]
    pay = at.json("/jsearch/company-job-salary", {"company": "X", "job_title": "Y"})["data"][0]
    assert pay["company"] == "X"


def jsearch_filters_and_projects(at):
    rows, _ = at.search("*", fields="job_id,job_title")
    assert all(set(row) <= {"job_id", "job_title"} for row in rows if isinstance(row, dict))
    rows, _ = at.search("*", exclude_job_publishers="LinkedIn")
    assert "LinkedIn" not in {row.get("job_publisher") for row in rows if isinstance(row, dict)}


def answers_are_packed_where_the_client_takes_it(at):
    _, headers, body = at.ask(
        "/jsearch/search", {"query": "*"}, {**RAPID, "Accept-Encoding": "gzip"}
    )
    assert headers["Content-Encoding"] == "gzip" and body[:2] == b"\x1f\x8b"


# --- BLS


def series_of(answer):
    return {series["seriesID"]: series["data"] for series in answer["Results"]["series"]}


def bls_answers_wages_as_strings(at):
    names = ("OEUN000000000000015125204", "OEUM001910000000015125208", "OEUM003562000000015125213")
    data = series_of(at.bls(*names, registrationkey="k"))
    assert data[names[0]][0]["value"] == "148100" and data[names[1]][0]["value"] == "64.08"
    newest = data[names[2]][0]
    assert (
        newest["period"] == "A01" and newest["latest"] == "true" and int(newest["value"]) % 10 == 0
    )
    body = json.dumps({"seriesid": names})
    raw = at.ask(
        "/bls/timeseries/data/",
        headers={"Content-Type": "application/json"},
        method="POST",
        body=body,
    )[2]
    assert b'"Results":{\n"series":\n[' in raw


def bls_marks_what_it_cannot_say(at):
    top, old = "OEUM004194000000011302115", "OEUM001746000000015125204"
    answer = at.bls(top, old)
    data = series_of(answer)
    assert data[top][0]["value"] == "-" and data[top][0]["footnotes"][0]["code"] == "5"
    assert data[old] == [] and f"Series does not exist for Series {old}" in answer["message"]
    hidden = [
        f"OEUM00{metro}000000{soc}13"
        for metro in ("31540", "14260", "26620", "17820")
        for soc in ("151231", "152041", "171011", "152011", "271014")
    ]
    rows = [data[0] for data in series_of(at.bls(*hidden)).values() if data]
    assert any(row["footnotes"][0].get("code") == "8" for row in rows)


def bls_answers_unemployment(at):
    names = ("LASST060000000000003", "LAUMT363562000000003", "LNS14000000")
    for rows in series_of(at.bls(*names, startyear="2025", endyear="2026")).values():
        assert (rows[0]["year"], rows[0]["period"], rows[0]["latest"]) == ("2026", "M09", "true")
        assert 1 < float(rows[0]["value"]) < 12
        gap = [row for row in rows if (row["year"], row["period"]) == ("2025", "M10")]
        assert gap[0]["value"] == "-"
    rows = series_of(at.bls("LAUST060000000000003", annualaverage="true"))["LAUST060000000000003"]
    assert any(row["period"] == "M13" for row in rows)


def bls_keeps_its_limits(at):
    many = [f"OEUN0000000000000{15125200 + number}" for number in range(1, 61)]
    assert len(at.bls(*many)["Results"]["series"]) == 25
    assert len(at.bls(*many, registrationkey="k")["Results"]["series"]) == 50
    refused = at.bls("LNS14000000", registrationkey="bad-key")
    assert refused["status"] == "REQUEST_NOT_PROCESSED" and "is invalid" in refused["message"][0]
    assert at.ask("/bls/timeseries/data/", headers={}, method="POST", body="{}")[0] == 415
    answer = at.bls("OEUN000000000000015125204", startyear="2023", endyear="2025")
    assert "No Data Available for Series OEUN000000000000015125204 Year: 2023" in answer["message"]
    assert at.json("/bls/timeseries/data/LNS14000000", {"latest": "true"})["Results"]["series"]


# --- Census


def census_answers_rows_of_strings(at):
    metro = "metropolitan statistical area/micropolitan statistical area"
    status, _, body = at.census(**{"get": "NAME,B24011_007E,B24011_007M", "for": f"{metro}:35620"})
    head, row = json.loads(body)
    assert status == 200 and head == ["NAME", "B24011_007E", "B24011_007M", metro]
    assert row[3] == "35620" and all(isinstance(cell, str) for cell in row)
    every = json.loads(at.census(**{"get": "NAME,B20017_001E", "for": f"{metro}:*"})[2])
    assert len(every) > 60 and any("Micro Area" in row[0] for row in every)
    rows = json.loads(
        at.census(**{"get": "NAME,B20017_001E", "for": f"{metro}:42180,49820,16260"})[2]
    )
    assert "San Sebasti?n, PR Micro Area" in [row[0] for row in rows]
    assert (
        len(json.loads(at.census(**{"get": "group(B24011)", "for": "us:1"})[2])[0])
        == 2 + 4 * 36 + 1
    )


def census_has_sentinels_and_top_codes(at):
    zips = ",".join(str(94100 + number) for number in range(40))
    rows = json.loads(
        at.census(**{"get": "B24011_007E,B24011_007EA", "for": f"zip code tabulation area:{zips}"})[
            2
        ]
    )
    assert ["-666666666", "-"] in [row[:2] for row in rows]
    rows = json.loads(
        at.census(**{"get": "B19013_001E,B19013_001EA", "for": "zip code tabulation area:94027"})[2]
    )
    assert rows[1][:2] == ["250001", "250,000+"]


def census_labels_name_the_columns(at):
    variables = json.loads(at.ask("/census/2024/acs/acs5/variables.json", headers={})[2])[
        "variables"
    ]
    assert variables["B24011_007E"]["label"].endswith("!!Computer and mathematical occupations")
    assert "!!Male:!!" in variables["C24010_008E"]["label"]
    assert "!!Female:!!" in variables["C24010_044E"]["label"]
    assert variables["C24010_044E"]["label"].endswith("!!Computer and mathematical occupations")


def census_fails_in_its_own_ways(at):
    query = {"get": "NAME", "for": "us:1"}
    status, headers, body = at.ask("/census/2024/acs/acs5", query, headers={})
    assert status == 302 and headers["X-DataWebAPI-KeyError"] == "1" and body == b""
    assert headers["Location"].endswith("/missing_key.html")
    assert at.census(**query, key="bad")[1]["Location"].endswith("/invalid_key.html")
    assert (
        at.census(**{**query, "get": "B250301_001E"})[2]
        == b"error: error: unknown variable 'B250301_001E'"
    )
    assert at.census(get="NAME")[2] == b"error: missing 'for' argument"
    assert (
        at.census(**{**query, "for": "planet:3"})[2]
        == b"error: unknown/unsupported geography hierarchy"
    )
    assert at.census(**{**query, "for": "state:99"})[0] == 204
    status, headers, _ = at.census("/2025/acs/acs5", **query)
    assert status == 404 and headers["Content-Type"].startswith("text/html")


# --- FRED


def fred_answers_observations(at):
    query = {"series_id": "CAUR", "sort_order": "desc", "limit": 24}
    answer = json.loads(at.fred("/series/observations", **query)[2])
    newest = answer["observations"][0]
    assert len(answer["observations"]) == 24 and newest["date"] == "2026-09-01"
    assert isinstance(newest["value"], str)
    assert "." in [row["value"] for row in answer["observations"]]
    rows = json.loads(at.fred("/series/observations", series_id="RPPALL35620")[2])["observations"]
    assert rows[-1]["date"] == "2024-01-01" and 105 < float(rows[-1]["value"]) < 120
    rows = json.loads(at.fred("/series/observations", series_id="UNRATE", units="ch1", limit=9)[2])
    assert rows["units"] == "ch1"


def fred_describes_series(at):
    answer = json.loads(at.fred("/series", series_id="CPIAUCSL")[2])
    assert answer["seriess"][0]["seasonal_adjustment_short"] == "SA"
    found = json.loads(at.fred("/series/search", search_text="unemployment rate seattle")[2])
    assert [row["id"] for row in found["seriess"]] == ["SEAT653URN"]


def fred_speaks_xml_unless_asked(at):
    query = {"series_id": "UNRATE", "api_key": "k", "limit": 2}
    _, headers, body = at.ask("/fred/series/observations", query, headers={})
    assert headers["Content-Type"].startswith("text/xml") and b"<observation " in body


def fred_refuses_in_its_own_words(at):
    status, _, body = at.fred("/series/observations", series_id="NOPE")
    error = json.loads(body)
    assert status == 400 and error["error_message"] == "Bad Request.  The series does not exist."
    error = json.loads(at.fred("/series", series_id="UNRATE", api_key="bad")[2])
    assert "is not registered" in error["error_message"] and error["error_code"] == 400
    assert b"units is not one of" in at.fred("/series/observations", series_id="GDP", units="x")[2]


# --- feeds


ADZUNA = {"app_id": "id", "app_key": "key"}
USAJOBS = {"User-Agent": "owner@fleet.example", "Authorization-Key": "key"}


def adzuna_pages_by_path_and_guesses_pay(at):
    answer = at.json("/adzuna/jobs/us/search/1", {**ADZUNA, "results_per_page": 50})
    second = at.json("/adzuna/jobs/us/search/2", {**ADZUNA, "results_per_page": 50})
    rows = answer["results"]
    assert len(rows) == 50 and answer["count"] > 100
    assert not {row["id"] for row in rows} & {row["id"] for row in second["results"]}
    guessed = [row for row in rows if row["salary_is_predicted"] == "1"]
    assert guessed and all(row["salary_min"] == row["salary_max"] for row in guessed)
    assert [row for row in rows if len(row["location"]["area"]) == 4]
    found = at.json("/adzuna/jobs/gb/search/1", {**ADZUNA, "what": "nurse"})
    assert found["count"] == 0 and found["results"] == []
    status, _, body = at.ask("/adzuna/jobs/us/search/1", {"app_id": "id"}, headers={})
    assert status == 401 and json.loads(body)["exception"] == "AUTH_FAIL"
    assert at.ask("/adzuna/jobs/jp/search/1", ADZUNA, headers={})[0] == 400


def usajobs_wants_to_know_who_asks(at):
    query = {"Keyword": "data", "ResultsPerPage": 20}
    result = at.json("/usajobs/Search", query, headers=USAJOBS)["SearchResult"]
    assert len(result["SearchResultItems"]) == 20 == result["SearchResultCount"]
    assert int(result["UserArea"]["NumberOfPages"]) == -(-result["SearchResultCountAll"] // 20)
    row = result["SearchResultItems"][0]["MatchedObjectDescriptor"]
    assert isinstance(row["PositionRemuneration"][0]["MinimumRange"], str)
    assert row["PublicationStartDate"].endswith(".0000")
    for headers in ({}, {"Authorization-Key": "key"}, {**USAJOBS, "Authorization-Key": "bad"}):
        assert at.ask("/usajobs/Search", query, headers=headers)[0] == 401, headers


def themuse_counts_its_hour_and_ends_at_page_99(at):
    status, headers, body = at.ask("/themuse/jobs", {"page": 2}, headers={})
    answer = json.loads(body)
    assert status == 200 and answer["page"] == 2 and len(answer["results"]) == 20
    assert headers["X-RateLimit-Limit"] == "500" and int(headers["X-RateLimit-Reset"]) <= 3600
    assert at.ask("/themuse/jobs", {"page": 100}, headers={})[0] == 400
    assert at.ask("/themuse/jobs", {"page": 1, "api_key": "bad"}, headers={})[0] == 403
    away = at.json("/themuse/jobs", {"location": "Flexible / Remote"}, headers={})["results"]
    assert away and all({"name": "Flexible / Remote"} in row["locations"] for row in away)


def remotive_tells_all_at_once_beside_its_notices(at):
    answer = at.json("/remotive/remote-jobs", headers={})
    assert "0-legal-notice" in answer and answer["job-count"] == len(answer["jobs"]) > 20
    assert all(isinstance(row["salary"], str) for row in answer["jobs"])
    found = at.json("/remotive/remote-jobs", {"search": "python"}, headers={})
    assert 0 < found["job-count"] < answer["job-count"]


def arbeitnow_links_its_pages(at):
    seen, page = set(), 1
    while page:
        answer = at.json("/arbeitnow/job-board-api", {"page": page}, headers={})
        slugs = {row["slug"] for row in answer["data"]}
        assert slugs and not slugs & seen
        seen |= slugs
        page = page + 1 if answer["links"]["next"] else 0
    assert len(seen) > 50


def greenhouse_escapes_its_content_once_more(at):
    jobs = at.json("/greenhouse/invented/jobs", {"content": "true"}, headers={})["jobs"]
    assert len(jobs) > 50 and not [job for job in jobs if "<" in job["content"]]
    assert [job for job in jobs if job["content"].startswith("&lt;p&gt;")]
    assert "content" not in at.json("/greenhouse/invented/jobs", headers={})["jobs"][0]
    assert any(job.get("pay_input_ranges") for job in jobs)
    own = at.json("/greenhouse/" + slug(jobs[0]["company_name"]) + "/jobs", headers={})["jobs"]
    assert {job["company_name"] for job in own} == {jobs[0]["company_name"]}
    status, _, body = at.ask("/greenhouse/gone/jobs", headers={})
    assert status == 404 and json.loads(body)["error"] == "Job not found"


def lever_cuts_its_array_by_skip_and_limit(at):
    whole = at.json("/lever/invented", {"mode": "json"}, headers={})
    parts = [
        at.json("/lever/invented", {"mode": "json", "skip": skip, "limit": 100}, headers={})
        for skip in range(0, len(whole) + 1, 100)
    ]
    assert sum(parts, []) == whole and len(whole) > 100
    assert all(row["createdAt"] > 10**12 for row in whole)
    assert at.ask("/lever/gone-away", {"mode": "json"}, headers={})[0] == 404


def ashby_has_rows_that_are_not_listed(at):
    jobs = at.json("/ashby/invented", {"includeCompensation": "true"}, headers={})["jobs"]
    assert {job["isListed"] for job in jobs} == {True, False}
    assert [job for job in jobs if job["isRemote"] and job["workplaceType"] == "Hybrid"]
    types = {c["compensationType"] for j in jobs for c in j["compensation"]["summaryComponents"]}
    assert types == {"Salary", "EquityPercentage"}
    assert "compensation" not in at.json("/ashby/invented", headers={})["jobs"][0]


def remoteok_begins_with_a_notice_and_wants_to_know_who_asks(at):
    rows = at.json("/remoteok/api", headers={"User-Agent": "Mozilla/5.0 (me)"})
    assert "legal" in rows[0] and "id" not in rows[0] and rows[-1]["position"] == "sdf"
    assert 0 in {row["salary_min"] for row in rows[1:]}
    assert at.ask("/remoteok/api", headers={})[0] == 403


def himalayas_has_pages_of_twenty_whatever_is_asked(at):
    first = at.json("/himalayas/jobs/api", {"limit": 100, "offset": 20}, headers={})
    assert first["limit"] == 20 and first["offset"] == 20 and len(first["jobs"]) == 20
    found = at.json("/himalayas/jobs/api/search", {"q": "engineer", "page": 1}, headers={})
    assert 0 < found["totalCount"] < first["totalCount"]
    assert {job["minSalary"] is None for job in found["jobs"]} == {True, False}


def jobicy_refuses_a_country_that_it_does_not_name(at):
    rows = at.json("/jobicy/remote-jobs", {"count": 100, "geo": "usa"}, headers={})
    assert rows["success"] and rows["jobCount"] == len(rows["jobs"]) > 5
    assert at.ask("/jobicy/remote-jobs", {"geo": "atlantis"}, headers={})[0] == 400


def indeed_wants_a_token(at):
    body = json.dumps({"query": "{jobSearch(x)}", "variables": {"what": "engineer", "limit": 50}})
    assert at.ask("/indeed/graphql", headers={}, method="POST", body=body)[0] == 401
    answer = at.json(
        "/indeed/graphql", headers={"Authorization": "Bearer t"}, method="POST", body=body
    )
    search = answer["data"]["jobSearch"]
    assert len(search["results"]) == 50 and search["pageInfo"]["nextCursor"]


def what_is_unchanged_is_told_by_its_tag(at):
    for path in ("/greenhouse/invented/jobs", "/lever/invented?mode=json", "/jobicy/remote-jobs"):
        _, headers, _ = at.ask(path, headers={})
        status, _, body = at.ask(path, headers={"If-None-Match": headers["ETag"]})
        assert status == 304 and body == b"", path


# --- faults


def replies_replace_the_answer(at):
    expected = {
        "429_monthly": (429, b"MONTHLY quota"),
        "429_daily": (429, b"DAILY quota"),
        "429_minute": (429, b"per minute"),
        "429_second": (429, b"per second"),
        "400": (400, b"ERROR"),
        "401": (401, b"Invalid API key"),
        "403": (403, b"not subscribed"),
        "404_endpoint": (404, b"'/search-v2' does not exist"),
        "429": (429, b"<html>"),
        "500": (500, b"message"),
        "502": (502, b"<html>"),
        "503": (503, b"message"),
        "503_html": (503, b"<html>"),
        "504": (504, b"message"),
        "html_200": (200, b"<html>"),
        "html_as_json": (200, b"<html>"),
        "empty_200": (200, b""),
        "empty_object": (200, b"{}"),
        "null": (200, b"null"),
        "redirect": (302, b""),
        "redirect_loop": (302, b""),
        "wrong_charset": (200, "Société".encode("latin-1")),
        "nul": (200, b"\\u0000"),
    }
    for kind, (status, text) in expected.items():
        at.fault(kind)
        answer = at.ask("/jsearch/search-v2", {"query": "*"})
        assert answer[0] == status and text in answer[2], (kind, answer)
        assert at.ask("/jsearch/search-v2", {"query": "*"})[0] == 200, kind


def big_and_deep_bodies_come_whole(at):
    at.fault("huge", bytes=3_000_000)
    assert abs(len(at.ask("/jsearch/search-v2", {"query": "*"})[2]) - 3_000_000) < 100
    at.fault("deep", bytes=5000)
    assert at.ask("/jsearch/search-v2", {"query": "*"})[2].count(b"[") == 5000
    at.fault("gzip_bomb", bytes=1_000_000)
    _, headers, body = at.ask("/jsearch/search-v2", {"query": "*"})
    assert headers["Content-Encoding"] == "gzip" and len(body) < 10000


def each_provider_has_faults_of_its_own(at):
    for kind, word in (
        ("bls_threshold", "daily threshold"),
        ("bls_threshold_v1", "25 queries"),
        ("bls_invalid_key", "The key:secret"),
        ("bls_unsupported", "not supported"),
        ("bls_failed", "failed"),
    ):
        at.fault(kind, "bls")
        assert word in at.bls("LNS14000000", registrationkey="secret")["message"][0], kind
    query = {"get": "NAME", "for": "us:1"}
    for kind, status in (
        ("census_302", 302),
        ("census_302_invalid", 302),
        ("census_204", 204),
        ("census_error", 400),
        ("503_html", 503),
    ):
        at.fault(kind, "census")
        assert at.census(**query)[0] == status, kind
    for kind, status in (
        ("fred_bad_key", 400),
        ("fred_423", 423),
        ("fred_429", 429),
        ("fred_500", 500),
    ):
        at.fault(kind, "fred")
        assert at.fred("/series", series_id="GDP")[0] == status, kind


def feeds_have_faults_like_the_others(at):
    for kind, status in (("500", 500), ("html_200", 200), ("429", 429), ("empty_200", 200)):
        for provider, path in (
            ("adzuna", "/jobs/us/search/1"),
            ("usajobs", "/Search"),
            ("themuse", "/jobs"),
            ("remotive", "/remote-jobs"),
            ("arbeitnow", "/job-board-api"),
            ("greenhouse", "/invented/jobs"),
            ("lever", "/invented?mode=json"),
            ("ashby", "/invented"),
            ("remoteok", "/api"),
            ("himalayas", "/jobs/api"),
            ("jobicy", "/remote-jobs"),
        ):
            at.fault(kind, provider)
            answer = at.ask(f"/{provider}{path}", headers={})
            assert answer[0] == status and b'"id"' not in answer[2], (provider, kind)
    for provider, path, kind, status in (
        ("adzuna", "/jobs/us/search/1", "adzuna_daily", 429),
        ("adzuna", "/jobs/us/search/1", "adzuna_auth", 401),
        ("usajobs", "/Search", "usajobs_401", 401),
        ("themuse", "/jobs", "themuse_limit", 403),
        ("remotive", "/remote-jobs", "remotive_blocked", 403),
    ):
        at.fault(kind, provider)
        assert at.ask(f"/{provider}{path}", headers={})[0] == status, kind


def a_cut_answer_ends_early(at):
    at.fault("cut")
    assert raises(lambda: at.ask("/jsearch/search-v2", {"query": "*"}), http.client.IncompleteRead)
    at.fault("truncated")
    assert raises(lambda: at.json("/jsearch/search-v2", {"query": "*"}), json.JSONDecodeError)


def a_reset_connection_says_so(at):
    at.fault("reset")
    assert raises(lambda: at.ask("/jsearch/search-v2", {"query": "*"}), ConnectionResetError)
    at.fault("reset", bytes=400)
    assert raises(
        lambda: at.ask("/jsearch/search-v2", {"query": "*"}),
        ConnectionResetError,
        http.client.IncompleteRead,
    )


def time_is_taken_as_told(at):
    for kind in ("slow", "delay"):
        at.fault(kind, seconds=0.3)
        start = time.monotonic()
        assert at.ask("/jsearch/search-v2", {"query": "*"})[0] == 200
        assert time.monotonic() - start >= 0.25, kind
    at.fault("hang", seconds=0.2)
    assert raises(
        lambda: at.ask("/jsearch/search-v2", {"query": "*"}), http.client.RemoteDisconnected
    )
    at.fault("chunked")
    _, headers, body = at.ask("/jsearch/search-v2", {"query": "*"})
    assert headers["Transfer-Encoding"] == "chunked" and json.loads(body)["status"] == "OK"


def faults_are_counted_and_dropped(at):
    at.fault("500", count=2, endpoint="/search-v2")
    assert at.ask("/jsearch/search", {"query": "*"})[0] == 200
    assert [at.ask("/jsearch/search-v2", {"query": "*"})[0] for _ in range(3)] == [500, 500, 200]
    at.fault("500", count=None)
    assert [at.ask("/jsearch/search-v2", {"query": "*"})[0] for _ in range(3)] == [500] * 3
    at.ask("/_fault", method="DELETE")
    assert at.ask("/jsearch/search-v2", {"query": "*"})[0] == 200
    assert at.ask("/_fault", method="POST", body='{"kind":"nonsense"}')[0] == 400
    assert at.ask("/_fault", method="POST", body="no json")[0] == 400


def statistics_count_by_path_and_status(at):
    at.ask("/_stats", method="DELETE")
    at.fault("503")
    for _ in range(3):
        at.ask("/jsearch/search-v2", {"query": "*"})
    stats = at.json("/_stats")
    assert stats["calls"]["jsearch"]["/search-v2"] == {"200": 2, "503": 1}, stats
    assert stats["faults"] == {"jsearch": {"503": 1}} and stats["total"] == 3


def no_key_reaches_the_log(at):
    secret = "s3cr3t-value"
    at.ask("/jsearch/search", {"query": "*"}, {"X-RapidAPI-Key": secret})
    at.bls("LNS14000000", registrationkey=secret)
    at.census(**{"get": "NAME", "for": "us:1", "key": secret})
    at.fred("/series", series_id="GDP", api_key=secret)
    at.ask("/adzuna/jobs/us/search/1", {"app_id": secret, "app_key": secret}, headers={})
    at.ask("/usajobs/Search", headers={**USAJOBS, "Authorization-Key": secret})
    at.ask("/jsearch/search", {"query": "*"}, headers={})
    lines = at.log.read_text("utf-8").splitlines()
    assert not [line for line in lines if secret in line]
    assert [json.loads(line)["key"] for line in lines[-7:]] == [True] * 6 + [False]


# --- servers of their own


def a_withdrawn_endpoint_answers_404():
    for generation, gone, there in (
        ("v2", "/search", "/search-v2"),
        ("legacy", "/search-v2", "/search"),
    ):
        at = Provider("--generation", generation)
        status, _, body = at.ask("/jsearch" + gone, {"query": "*"})
        assert status == 404 and json.loads(body)["message"] == f"Endpoint '{gone}' does not exist"
        assert at.ask("/jsearch" + there, {"query": "*"})[0] == 200
        assert at.stop() == 0


def recorded_samples_are_all_reachable():
    """Every posting of every recorded response, by whatever query."""
    at = Provider("--data", SAMPLES)
    wanted = []
    for path in sorted(SAMPLES.glob("jsearch/[0-9]*.json")):
        data = json.loads(path.read_text("utf-8"))["data"]
        wanted += [
            row for row in (data["jobs"] if isinstance(data, dict) else data) if "job_id" in row
        ]
    rows, _ = at.search("software engineer in Denver, CO")
    assert len(rows) == len(wanted) and all(row in rows for row in wanted)
    assert at.json("/jsearch/search", {"query": "x", "num_pages": 20})["data"] == rows
    pay = at.json(
        "/jsearch/company-job-salary", {"company": "Amazon", "job_title": "Software Developer"}
    )
    assert pay["data"][0]["salary_count"] == 988
    assert (
        series_of(at.bls("LAUST080000000000006"))["LAUST080000000000006"][0]["value"] == "3178070"
    )
    rows = json.loads(at.fred("/series/observations", series_id="GDP")[2])["observations"]
    assert rows[4]["value"] == "243.164"
    query = {"get": "NAME,B19013_001E,B25064_001E,B01003_001E", "for": "county:*", "in": "state:56"}
    assert json.loads(at.census(**query)[2])[1][1] == "61917"
    assert at.stop() == 0


def the_server_ends_with_its_parent():
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        at = Provider()
        os.write(write, b"%d" % at.port)
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    port = int(os.read(read, 16))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server outlives its parent")


SHARED = (
    jsearch_v2_walks_all_postings_by_cursor,
    jsearch_v2_never_mixes_generations_on_a_page,
    jsearch_finds_by_title_words_place_and_country,
    jsearch_legacy_pages_hold_an_array,
    jsearch_counts_its_quota_down_in_headers,
    jsearch_refuses_keys_and_parameters,
    jsearch_details_and_salaries_answer,
    jsearch_filters_and_projects,
    answers_are_packed_where_the_client_takes_it,
    bls_answers_wages_as_strings,
    bls_marks_what_it_cannot_say,
    bls_answers_unemployment,
    bls_keeps_its_limits,
    census_answers_rows_of_strings,
    census_has_sentinels_and_top_codes,
    census_labels_name_the_columns,
    census_fails_in_its_own_ways,
    fred_answers_observations,
    fred_describes_series,
    fred_speaks_xml_unless_asked,
    fred_refuses_in_its_own_words,
    adzuna_pages_by_path_and_guesses_pay,
    usajobs_wants_to_know_who_asks,
    themuse_counts_its_hour_and_ends_at_page_99,
    remotive_tells_all_at_once_beside_its_notices,
    greenhouse_escapes_its_content_once_more,
    lever_cuts_its_array_by_skip_and_limit,
    ashby_has_rows_that_are_not_listed,
    remoteok_begins_with_a_notice_and_wants_to_know_who_asks,
    himalayas_has_pages_of_twenty_whatever_is_asked,
    jobicy_refuses_a_country_that_it_does_not_name,
    indeed_wants_a_token,
    what_is_unchanged_is_told_by_its_tag,
    arbeitnow_links_its_pages,
    replies_replace_the_answer,
    big_and_deep_bodies_come_whole,
    each_provider_has_faults_of_its_own,
    feeds_have_faults_like_the_others,
    a_cut_answer_ends_early,
    a_reset_connection_says_so,
    time_is_taken_as_told,
    faults_are_counted_and_dropped,
    statistics_count_by_path_and_status,
    no_key_reaches_the_log,
)
ALONE = (a_withdrawn_endpoint_answers_404, the_server_ends_with_its_parent)


def passes(check, *arguments):
    sentence = check.__name__.replace("_", " ")
    try:
        check(*arguments)
    except Exception:
        traceback.print_exc()
        print(f"not ok - {sentence}", flush=True)
        return False
    print(f"ok - {sentence}", flush=True)
    return True


def main():
    at = Provider()
    results = [passes(check, at) for check in SHARED]
    results.append(passes(stop_of(at)))
    results += [passes(check) for check in ALONE]
    if SAMPLES.is_dir():
        results.append(passes(recorded_samples_are_all_reachable))
    sys.exit(0 if all(results) else 1)


def stop_of(at):
    def the_server_stops_at_sigterm():
        assert at.stop() == 0

    return the_server_stops_at_sigterm


if __name__ == "__main__":
    main()
