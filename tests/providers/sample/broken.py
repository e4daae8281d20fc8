# SPDX-License-Identifier: MIT
"""Rows that nobody can load, each with the reason that its refusal should name."""

from sample.job import copy_of, job_id
from sample.row import write

# what is wrong: (member, reason); the row is made by `spoilt`
KINDS = (
    ("title_absent", "job_title", "missing title"),
    ("title_null", "job_title", "missing title"),
    ("title_empty", "job_title", "missing title"),
    ("title_blank", "job_title", "missing title"),
    ("title_number", "job_title", "title is no string"),
    ("title_object", "job_title", "title is no string"),
    ("title_array", "job_title", "title is no string"),
    ("company_absent", "employer_name", "missing company"),
    ("company_null", "employer_name", "missing company"),
    ("company_empty", "employer_name", "missing company"),
    ("company_object", "employer_name", "company is no string"),
    ("company_number", "employer_name", "company is no string"),
    ("row_null", None, "row is no object"),
    ("row_string", None, "row is no object"),
    ("row_number", None, "row is no object"),
    ("row_array", None, "row is no object"),
    ("row_empty", None, "missing title"),
)
VALUES = {
    "null": None,
    "empty": "",
    "blank": " \t\u00a0 ",
    "number": 12345,
    "object": {"name": "x"},
    "array": ["x"],
}
ROWS = {"row_null": None, "row_string": "job", "row_number": 7, "row_array": [], "row_empty": {}}


class Broken:
    """A row that is no posting, with what belongs into labels.json about it."""

    def __init__(self, generation, country, row, kind, member, reason):
        self.generation, self.country, self.row = generation, country, row
        self.refusal = {
            "kind": kind,
            "member": member,
            "reason": reason,
            "job_id": row.get("job_id") if isinstance(row, dict) else None,
        }


def spoilt(seed, base, kind, member):
    if kind in ROWS:
        return ROWS[kind]
    job = copy_of(base.job)
    job.job_id = job_id(job.generation, seed, "broken", kind)
    row = write(seed, job).row
    what = kind.rsplit("_", 1)[1]
    if what == "absent":
        del row[member]
    else:
        row[member] = VALUES[what]
    return row


def broken(seed, postings):
    """One row of each kind, in the shape of some valid one."""
    found = []
    for number, (kind, member, reason) in enumerate(KINDS):
        base = postings[(number * 29 + 11) % len(postings)]
        row = spoilt(seed, base, kind, member)
        found.append(Broken(base.job.generation, base.job.country, row, kind, member, reason))
    return found
