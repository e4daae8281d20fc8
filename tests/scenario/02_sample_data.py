#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 60
"""The committed sample data: it is what its generator writes, and it holds what it should hold."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

PROVIDERS = Path(__file__).resolve().parents[1] / "providers"
DATA = PROVIDERS / "data"
# What the provider is known for; each must stand in the data this often at least.
ODDITIES = {
    "relative_date_en": 20, "relative_date_de": 5, "relative_date_fr": 5, "relative_date_es": 5,
    "relative_date_it": 5, "null_timestamp": 20, "employment_u2011": 3, "employment_ufffd": 3,
    "employment_null": 3, "remote_flag_lies": 20, "hybrid": 20, "us_centroid": 5, "no_city": 3,
    "location_bullet": 50, "salary_in_fields": 20, "salary_in_string": 20,
    "salary_in_description": 20, "salary_in_highlights": 5, "salary_hour": 10, "salary_day": 5,
    "salary_week": 5, "salary_month": 10, "salary_year": 50, "salary_lpa": 3, "pay_swapped": 3,
    "pay_equal": 3, "pay_zero": 3, "money_that_is_no_pay": 20, "null_logo": 20, "nbsp": 3,
    "html_entities": 3, "html_tags": 3, "html_twice": 3, "mojibake_text": 3, "mojibake_title": 3,
    "null_required_skills": 20, "apply_fallback": 3, "tracking_parameters": 50,
    "long_description": 5, "soft_types": 3,
}
PHRASES = ("401k", "$120 million", "LPA", "tramite", "vor ", "il y a ", "hace ", "fa", "via ")

failed = False


def check(sentence, good, note=""):
    global failed
    print(f"{'ok' if good else 'not ok'} - {sentence}{'' if good else f': {note}'}")
    failed = failed or not good


def rows_read():
    """{(file, index): row}"""
    rows = {}
    for path in sorted(DATA.glob("jsearch/*.json")):
        data = json.loads(path.read_text("utf-8"))["data"]
        listed = data["jobs"] if isinstance(data, dict) else data
        rows.update({(path.name, index): row for index, row in enumerate(listed)})
    return rows


def check_bytes():
    run = subprocess.run([PROVIDERS / "generate", "--check"], capture_output=True, text=True)
    check("regenerating gives the bytes that are committed", run.returncode == 0, run.stderr)
    size = sum(path.stat().st_size for path in DATA.rglob("*.json"))
    check("the data stays under 3 MB", size < 3_000_000, size)


def check_counts(rows, labels):
    counts = labels["counts"]
    check("there are 480 postings at least", counts["valid"] >= 480, counts["valid"])
    check("every row is either labelled or refused",
          len(rows) == len(labels["postings"]) + len(labels["refused"]), len(rows))
    few = {name: counts["oddities"].get(name, 0) for name, least in ODDITIES.items()
           if counts["oddities"].get(name, 0) < least}
    check("every oddity of the provider occurs", not few, few)
    reasons = {refusal["reason"] for refusal in labels["refused"]}
    check("rows are refused for each reason there is", reasons == {
        "missing title", "missing company", "title is no string", "company is no string",
        "row is no object"}, reasons)
    text = json.dumps(list(rows.values()), ensure_ascii=False)
    absent = [phrase for phrase in PHRASES if phrase not in text]
    check("the known phrases occur", not absent, absent)


def check_labels(rows, labels):
    postings = labels["postings"]
    wrong = [name for name, label in postings.items()
             if rows[label["file"], label["index"]]["job_id"] != name]
    check("each label stands at its row", not wrong, wrong)
    pairs = [label.get("duplicate_of") or label["not_duplicate_of"] for label in postings.values()
             if "duplicate_of" in label or "not_duplicate_of" in label]
    check("each duplicate and near miss names a posting", all(name in postings for name in pairs))
    chained = [name for name in pairs if "duplicate_of" in postings[name]]
    check("no duplicate is the duplicate of another", not chained, chained)
    share = sum("duplicate_of" in label for label in postings.values()) / len(postings)
    check("5 to 10 of 100 postings are duplicates", 0.05 <= share <= 0.1, share)
    crossed = [name for name, label in postings.items() if label["salary"]
               and None not in (label["salary"]["min"], label["salary"]["max"])
               and label["salary"]["min"] > label["salary"]["max"]]
    check("no label has its least pay above its most", not crossed, crossed)
    generations = Counter(label["file"].split("_")[0] for label in postings.values())
    check("all three generations of rows are there",
          all(generations[name] > 100 for name in ("2023", "2025", "v5")), generations)


def check_samples_differ(rows):
    """Nothing of the recorded responses is in the data."""
    samples = PROVIDERS.parents[2] / "shared" / "samples" / "jsearch"
    if not samples.is_dir():
        return
    recorded = "".join(path.read_text("utf-8") for path in samples.glob("[0-9]*.json"))
    copied = [row["job_id"] for row in rows.values()
              if isinstance(row, dict) and row.get("job_id", "-none-") in recorded]
    check("no recorded posting is among the generated ones", not copied, copied)


def main():
    rows = rows_read()
    labels = json.loads((DATA / "labels.json").read_text("utf-8"))
    check_bytes()
    check_counts(rows, labels)
    check_labels(rows, labels)
    check_samples_differ(rows)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
