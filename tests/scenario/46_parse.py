#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 120
"""`jobfleet parse`: JSON lines in, JSON lines out, in order, without any service."""

import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from fleet_bed import run  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# nothing listens there: whoever asked a service would fail
ENV = dict(os.environ, JOBFLEET_BROKER_URL="amqp://127.0.0.1:1/", JOBFLEET_CONFIG="/dev/null",
           JOBFLEET_DATABASE_URL="postgresql://127.0.0.1:1/x", JOBFLEET_REDIS_URL="redis://127.0.0.1:1")


def parse(*words, lines=(), text=None, status=0):
    """What it answers, each line read."""
    if text is None:
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                       for line in lines)
    got = subprocess.run(["jobfleet", "parse", *words], input=text, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=ENV, timeout=60)
    assert got.returncode == status, (words, got.returncode, got.stdout[-500:], got.stderr)
    return [json.loads(line) for line in got.stdout.splitlines()]


def pay_is_told_or_absent():
    told, none, hourly = parse("salary", lines=[
        {"text": "The salary range for this role is $120,000 - $150,000 per year."},
        {"text": "We raised $120 million last year."},
        {"text": "Wir zahlen 15,50 € pro Stunde.", "lang": "de", "country": "DE"}])
    assert (told["min"], told["max"], told["currency"], told["interval"]) == (
        120000, 150000, "USD", "year"), told
    assert none == {}, none
    assert (hourly["min"], hourly["currency"], hourly["interval"]) == (15.5, "EUR", "hour"), hourly


def places_have_their_country():
    austin, germany, nothing = parse("location", lines=[
        {"text": "Austin, TX"}, {"text": "Germany (Remote)"}, {"text": ""}])
    assert (austin["country"], austin["country_code"], austin["city"], austin["remote"]) == (
        "United States", "US", "Austin", False), austin
    assert abs(austin["latitude"] - 30.27) < 0.1 and austin["cbsa"] == "12420", austin
    assert (germany["country"], germany["city"], germany["remote"]) == ("Germany", None, True)
    assert nothing["country"] is None and nothing["city"] is None, nothing


def levels_and_skills_are_named():
    assert parse("level", lines=[{"title": "Senior Software Engineer"}, {"title": "Baker"}]) == [
        {"level": "senior"}, {"level": "unknown"}]
    found, = parse("skills", lines=[{"text": "We work with Python, PostgreSQL and Docker."}])
    assert set(found["skills"]) == {"Python", "PostgreSQL", "Docker"}, found


def a_wrong_line_is_answered_in_its_place():
    answers = parse("level", status=1, lines=[
        {"title": "Intern"}, "{", "[]", {"text": "x"}, "", {"title": "CEO"}])
    assert [list(a)[0] for a in answers] == ["level"] + 4 * ["error"] + ["level"]
    assert answers[1]["error"].startswith("line 2: not valid JSON"), answers[1]
    assert answers[2]["error"] == "line 3: must be a JSON object", answers[2]
    assert answers[3]["error"] == 'line 4: "title" must be a text', answers[3]
    assert answers[4]["error"] == "line 5: empty", answers[4]


def an_answer_becomes_postings_and_refusals():
    answer = {"data": [{"job_title": "Baker", "employer_name": "Crumb & Co",
                        "job_city": "Austin", "job_state": "TX", "job_country": "US"},
                       {"job_title": "Nobody's"}, 7]}
    first, second, third = parse("posting", "--source=jsearch", status=1,
                                 text=json.dumps(answer, indent=1))
    assert first["title"] == "Baker" and first["city"] == "Austin", first
    assert first["raw_data"] == answer["data"][0], first["raw_data"]
    assert second == {"error": "row 1: Missing required field: employer_name"}, second
    assert third["error"].startswith("row 2: Wrong type"), third


def what_is_no_answer_says_why():
    for text, why in (("<html>", "not valid JSON at byte 0"), ("", "The answer is empty"),
                      ('{"message": "no"}', "has no list of postings at")):
        got, = parse("posting", "--source", "jsearch", text=text, status=1)
        assert why in got["error"], (text, got)


def wrong_words_say_what_would_be_right():
    for words, why in ((["salery"], "salary, location, level, skills or posting"),
                       (["posting"], "give --source=NAME"),
                       (["posting", "--source=nobody"], 'no source is called "nobody"'),
                       (["level", "/nowhere/at/all"], "cannot read /nowhere/at/all")):
        got = subprocess.run(["jobfleet", "parse", *words], stdin=subprocess.DEVNULL, text=True,
                             stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV, timeout=60)
        assert got.returncode == 100 and why in got.stderr, (words, got)


def every_sources_fixture_comes_out():
    """tests/providers/fixtures/NAME.json: an invented answer in the provider's format."""
    for path in sorted(glob.glob(os.path.join(TOP, "tests/providers/fixtures/*.json"))):
        name = os.path.basename(path)[:-len(".json")]
        with open(path) as f:
            got = subprocess.run(["jobfleet", "parse", "posting", "--source=" + name.split(".")[0]],
                                 stdin=f, stdout=subprocess.PIPE, text=True, env=ENV, timeout=60)
        rows = [json.loads(line) for line in got.stdout.splitlines()]
        assert rows and any("title" in r for r in rows), (name, rows)


def real_answers_come_out_whole():
    """Of every row of the samples: a posting or a reason. Not there in a plain clone."""
    samples = os.path.join(TOP, "../shared/samples")
    postings = refused = 0
    for name in ("jsearch", "adzuna", "usajobs", "themuse", "remotive", "arbeitnow", "remoteok",
                 "greenhouse", "lever", "ashby"):
        for path in sorted(glob.glob(os.path.join(samples, name, "[0-9]*.json"))):
            got = subprocess.run(["jobfleet", "parse", "posting", "--source=" + name, path],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=ENV, timeout=60)
            if got.returncode == 100:       # no such source
                continue
            rows = [json.loads(line) for line in got.stdout.splitlines()]
            assert rows, path
            postings += sum("title" in r for r in rows)
            refused += sum("error" in r for r in rows)
            assert all("title" in r or r["error"] for r in rows), path
    print("# real rows: %d postings, %d refused with their reason" % (postings, refused))


run(pay_is_told_or_absent,
    places_have_their_country,
    levels_and_skills_are_named,
    a_wrong_line_is_answered_in_its_place,
    an_answer_becomes_postings_and_refusals,
    what_is_no_answer_says_why,
    wrong_words_say_what_would_be_right,
    every_sources_fixture_comes_out,
    real_answers_come_out_whole)
