# SPDX-License-Identifier: MIT
"""The small tables behind the computed figures, and the arithmetic that makes a figure differ from
its neighbour.
"""

import hashlib
import json
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent / "data" / "tables"


def read_table(name, key):
    """Rows of data/tables/NAME.json by the column `key`."""
    rows = json.loads((DIRECTORY / f"{name}.json").read_text("utf-8"))["rows"]
    return {row[key]: row for row in rows}


def share(*words):
    """A fraction in [0, 1) that depends on nothing but the words."""
    digest = hashlib.sha256("|".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / float(1 << 48)


def sway(*words):
    """Like share, in [-1, 1)."""
    return 2 * share(*words) - 1
