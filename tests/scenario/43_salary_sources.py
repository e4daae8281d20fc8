#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Every way in which the sources of salary figures fail, lie, or have no figure, by the shipped
programs: what is answered is what a source that is well said, a marked fallback, or left out; no
call goes out beyond the quota; the keys turn up nowhere."""

import json
import os
import subprocess
import zlib

from salary_bed import SECRET, SalaryBed

NAME = "backend.tasks.salary_data_tasks.fetch_salary_data"
PLACE = {"location": "Chicago, IL", "occupation": "Data Scientist", "max_age": 0}
# What becomes of a source: "failed" was asked in vain, "ok" was asked well. Parked: until somebody
# acts, or the quota begins anew. Slowed: for as long as the source says.
FAILED, PARKED, SLOWED, NOTHING = "failed", "parked", "slowed", "nothing"
FORMS = {
    "bls": {
        FAILED: ("500", "502", "503_html", "bls_202", "html_200", "html_as_json", "empty_200",
                 "empty_object", "null", "truncated", "cut", "reset", "deep",
                 "bls_failed", "bls_unsupported", "bls_415"),
        PARKED: ("bls_threshold", "bls_threshold_v1", "bls_invalid_key", "bls_404", "401", "403"),
        SLOWED: ("429",),
        NOTHING: ("bls_missing", "bls_hidden"),
    },
    "census": {
        FAILED: ("500", "503_html", "html_200", "html_as_json", "empty_200", "truncated", "reset",
                 "census_error", "census_error_500", "census_elsewhere", "census_numbers"),
        PARKED: ("census_302", "census_302_invalid", "census_key_page", "census_404", "401"),
        SLOWED: ("429",),
        NOTHING: ("census_204", "census_no_variable", "census_no_place", "census_sentinels",
                  "census_nulls"),
    },
    "fred": {
        FAILED: ("fred_500", "502", "html_200", "empty_200", "empty_object", "truncated", "reset"),
        PARKED: ("fred_bad_key", "fred_xml", "fred_404"),
        SLOWED: ("fred_423", "fred_429"),
        NOTHING: ("fred_no_series", "fred_missing"),
    },
}
bed = SalaryBed(programs=("salary",))


def passed(what):
    print("ok " + what)


def fetch(**more):
    got = subprocess.run(
        ["jobfleet", "enqueue", NAME, "--args", json.dumps([dict(PLACE, **more)]), "--quiet",
         "--wait", "--timeout=60"],
        env=bed.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90)
    assert got.returncode == 0, got.stdout
    answer = json.loads(got.stdout.strip().splitlines()[-1])
    assert answer["status"] == "success", answer
    return answer


def figures(answer):
    """{source: what it said}, of pay and of the market."""
    pay = {row["data_source"]: [row[k] for k in ("median_salary", "mean_salary", "percentile_25",
                                                 "percentile_75", "percentile_90", "year")]
           for row in answer["salary_benchmarks"]}
    market = {row["data_source"]: [row[k] for k in ("job_count", "job_growth_rate", "demand_score",
                                                    "unemployment_rate", "cost_of_living_index",
                                                    "remote_work_percentage", "year")]
              for row in answer["market_data"]}
    return pay, market


def state_of(source):
    rows = bed.sql("SELECT failures, coalesce(parked_until > now(), false), coalesce(reason, '')"
                   " FROM jobfleet.source_state WHERE source = %s", source)
    return rows[0] if rows else (0, False, "")


def expect_state(source, kind, fate):
    failures, held, reason = state_of(source)
    if fate == PARKED:
        assert held and reason.startswith(("quota_used_up", "provider_key_refused")), (kind, reason)
    elif fate == SLOWED:
        assert held and reason.startswith("rate_limited"), (kind, reason)
    else:
        assert not held, (kind, reason)
        bad = fate == FAILED and kind not in WRONG and (source, kind) != ("fred", "empty_object")
        assert failures == (1 if bad else 0), (kind, failures)


# Refused as wrong, or of another shape: says nothing about health.
WRONG = ("bls_unsupported", "bls_415", "census_elsewhere", "census_numbers")
TABLES = ("census_204", "census_no_variable", "census_no_place", "census_sentinels", "census_nulls",
          "census_elsewhere", "census_numbers")


def expect_fate(answer, source, kind, fate):
    status = answer["source_details"][source]["status"]
    assert status == ("ok" if fate == NOTHING else "failed"), (kind, answer["source_details"])
    told = any(source in warning for warning in answer["warnings"])
    assert told or fate == NOTHING and source == "fred", (kind, answer["warnings"])
    expect_state(source, kind, fate)


def rounds():
    """Two sources in trouble at a time, the third one well: every form comes once."""
    left = {source: [(source, kind, fate) for fate, kinds in fates.items() for kind in kinds]
            for source, fates in FORMS.items()}
    while any(left.values()):
        yield [left[source].pop() for source in sorted(left, key=lambda s: len(left[s]))[1:]
               if left[source]]


def each_form_of_trouble():
    bed.clean()
    pay, market = figures(fetch())
    assert set(pay) == {"bls", "census"} and set(market) == {"bls", "census", "fred"}, (pay, market)
    for troubles in rounds():
        bed.clean()
        for source, kind, _ in troubles:
            # columns are asked for first: what a table says can only be said of a table
            table = {"endpoint": "/acs5"} if kind in TABLES else {}
            bed.fault(source, kind, **table)
        answer = fetch()
        ill = {source for source, _, _ in troubles}
        got_pay, got_market = figures(answer)
        well = {source: row for source, row in pay.items() if source not in ill}
        if well:
            assert got_pay == well, (troubles, got_pay)
        else:
            assert answer["fallback"] and set(got_pay) == {"fallback"}, (troubles, got_pay)
        assert got_market == {k: v for k, v in market.items() if k not in ill}, (troubles, got_market)
        for source, kind, fate in troubles:
            expect_fate(answer, source, kind, fate)
    passed("a source in trouble of any form leaves the figures of the others, and is told")


def all_in_trouble():
    for kind in ("html_200", "truncated", "429", "404_endpoint"):
        bed.clean()
        bed.fault("*", kind)
        answer = fetch()
        row, = answer["salary_benchmarks"]
        assert answer["fallback"] and row["data_source"] == "fallback", (kind, answer)
        assert row["median_salary"] == 112590 and row["year"] == 2024, row
        assert row["metadata"]["fallback"] and "May 2024" in row["metadata"]["note"], row
        assert answer["market_data"] == [], (kind, answer["market_data"])
    passed("with all of them in trouble the answer is a published figure, dated and marked")


def top_codes():
    bed.clean()
    bed.fault("bls", "bls_top")
    bed.fault("census", "census_top", endpoint="/acs5")
    rows = {row["data_source"]: row for row in fetch()["salary_benchmarks"]}
    assert rows["bls"]["median_salary"] == 249600, rows["bls"]
    assert "median_salary" in rows["bls"]["metadata"]["lower_bounds"], rows["bls"]
    assert rows["census"]["median_salary"] == 250001, rows["census"]
    assert "median_salary" in rows["census"]["metadata"]["lower_bounds"], rows["census"]
    passed("a top-coded figure is a lower bound, by the amount that the footnote names")


def slow_and_half():
    bed.clean()
    pay, market = figures(fetch())
    bed.fault("*", "slow", seconds=1)
    assert figures(fetch()) == (pay, market)
    bed.clean()
    bed.fault("fred", "fred_500", count=1)
    answer = fetch()
    assert figures(answer)[0] == pay and "fred" in answer["sources"], answer
    assert any("FRED answers 500" in warning for warning in answer["warnings"]), answer["warnings"]
    passed("slow sources are waited for, and half of an answer counts")


def quota_and_breaker():
    bed.clean()
    fetch()
    bed.sql("UPDATE jobfleet.provider_quota SET used = 499 WHERE source = 'bls' AND period = 'day'")
    bed.fault("bls", "reset")
    bed.control("DELETE", "/_stats")
    fetch()
    fetch()
    calls = bed.control("GET", "/_stats")["calls"]["bls"]
    assert sum(sum(path.values()) for path in calls.values()) == 1, calls
    passed("a broken call is not repeated beyond the quota")
    bed.clean()
    bed.fault("census", "503_html")
    for _ in range(5):
        fetch()
    bed.control("DELETE", "/_stats")
    answer = fetch()
    assert answer["source_details"]["census"]["status"] == "skipped", answer["source_details"]
    assert "census" not in bed.control("GET", "/_stats")["calls"]
    passed("a source that failed five times in a row is left alone")


def value_text(key):
    """What a stored value says, packed or not."""
    if bed.redis.type(key) != b"string":
        return ""
    value = bed.redis.get(key)
    if value[:4] == b"\x28\xb5\x2f\xfd":
        value = subprocess.run(["zstd", "-dcq"], input=value, stdout=subprocess.PIPE).stdout or value
    elif value[:1] == b"\x78":
        value = zlib.decompress(value)
    return value.decode("utf-8", "replace")


def key_nowhere():
    bed.clean()
    for source, kind in (("bls", "bls_invalid_key"), ("census", "census_302_invalid"),
                         ("fred", "fred_bad_key")):
        bed.fault(source, kind)
    answer = json.dumps(fetch())
    bed.clean()
    answer += json.dumps(fetch())
    assert SECRET not in answer
    assert SECRET not in bed.log(), "the key stands in a log"
    dump = subprocess.run(["pg_dump", "--inserts", os.environ["JOBFLEET_DATABASE_URL"]],
                          stdout=subprocess.PIPE, check=True).stdout
    assert SECRET.encode() not in dump, "the key stands in the database"
    for key in bed.redis.scan_iter():
        assert SECRET.encode() not in key + bed.redis.dump(key), key
        assert SECRET not in value_text(key), key
    with open(bed.requests) as f:
        asked = [json.loads(line) for line in f]
    assert all(any(line["provider"] == source and line["key"] for line in asked)
               for source in FORMS), "a key was never sent"
    passed("no key stands in an answer, a log, the database or Redis")


for part in (each_form_of_trouble, all_in_trouble, top_codes, slow_and_half, quota_and_breaker,
             key_nowhere):
    part()
bed.stop()
