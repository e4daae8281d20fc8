# SPDX-License-Identifier: MIT
"""Invented employers. `name` has no legal suffix; `suffix` is the one its own postings carry (""
for none).
"""

from dataclasses import dataclass

from sample.dice import Dice

FIRST = """Brackenfold Quillmere Tarnwick Oxbarrow Hollisgate Pellworth Drayfern Copperlane Wrenhollow Saltmarch Ashgrove
Kestrelby Lanternfield Moorvale Nettlestone Orchardine Pinehallow Quarrystone Ravenscombe Sablewood Thistledown
Underhill Vantrey Willowmere Yarrowgate Zephyrine Bluefennel Cindermoor Dunlinton Emberwick Foxglovely Greywater
Harrowfield Ironquay Junipera Kilnbridge Larkspurly Mistralon Northernby Osprenda""".split()
SECOND = [
    "Systems",
    "Analytics",
    "Robotics",
    "Health",
    "Labs",
    "Software",
    "Logistics",
    "Energy",
    "Mobility",
    "Data",
    "Financial",
    "Networks",
]
SUFFIXES = {
    "us": ["", "Inc.", "LLC", "Corp.", ", Inc."],
    "gb": ["", "Ltd", "Limited", "PLC"],
    "ca": ["", "Inc.", "Ltd."],
    "in": ["", "Pvt. Ltd.", "Private Limited"],
    "de": ["GmbH", "AG", "GmbH & Co. KG", "SE"],
    "fr": ["SAS", "S.A.", "SARL"],
    "es": ["S.L.", "S.A.", "SLU"],
    "it": ["S.p.A.", "S.r.l.", "Srl"],
}
OTHERS = [
    "Marlow & Finch",
    "O'Darragh Brothers",
    "Société Belrive",
    "Grünwerder",
    "7th Meridian",
    "data:fold",
]


@dataclass(frozen=True)
class Company:
    name: str
    suffix: str
    host: str
    logo: bool
    site: bool
    sector: str
    naics: str

    @property
    def full(self):
        """As its postings write it."""
        joint = "" if self.suffix.startswith(",") or not self.suffix else " "
        return f"{self.name}{joint}{self.suffix}"


NAICS = {
    "Systems": "541512",
    "Analytics": "541715",
    "Robotics": "333249",
    "Health": "621999",
    "Labs": "541715",
    "Software": "513210",
    "Logistics": "488510",
    "Energy": "221118",
    "Mobility": "485999",
    "Data": "518210",
    "Financial": "523999",
    "Networks": "517111",
    "": "541990",
}


def companies(seed, country):
    """The employers of one country, always the same."""
    dice = Dice(seed, "companies", country)
    names = [(first, sector) for first in FIRST for sector in dice.some(SECOND, 2)]
    names = dice.some(names, 48 if country == "us" else 12)
    found = [company(dice, f"{first} {sector}", sector, country) for first, sector in names]
    return found + [
        company(dice, name, "", country) for name in dice.some(OTHERS, 4 if country == "us" else 1)
    ]


def company(dice, name, sector, country):
    slug = "".join(letter for letter in name.casefold() if letter.isascii() and letter.isalnum())
    return Company(
        name,
        dice.pick(SUFFIXES[country]),
        f"www.{slug}.example",
        dice.chance(0.55),
        dice.chance(0.6),
        sector,
        NAICS[sector],
    )
