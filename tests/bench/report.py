# SPDX-License-Identifier: MIT
"""Samples into medians, ranges and verdicts, for people and as JSON. A note of a figure is said below
it: what stands behind a number, measured where that can be."""

import os
from statistics import median

import plot


class Aim:
    """who against whom, by which measure: their ratio, or who's median when there is no `against`.
    less: smaller is better; the ratio is then against/who, so that larger is always better."""

    def __init__(self, who, against, measure, aim, less=False):
        self.who, self.against, self.measure = who, against, measure
        self.aim, self.less = aim, less


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "values": values}


class Figure:
    measure, parts = "rate", ()

    def __init__(self, name, title, unit, how):
        self.name, self.title, self.unit, self.how = name, title, unit, how
        self.samples = {}               # who -> [{measure: value}]
        self.aims = []
        self.notes = []                 # words, or functions of the figure that give them
        self.troubles = []              # runs of ours that were made once more
        self.given_up = set()           # contenders that failed twice
        self.load = [os.getloadavg()[0]]

    def said(self):
        words = [note if isinstance(note, str) else note(self) for note in self.notes]
        return [w for w in words if w]

    def add(self, who, sample):
        self.samples.setdefault(who, []).append(sample)

    def values(self, who, measure):
        return [s[measure] for s in self.samples.get(who, []) if measure in s]

    def finish(self):
        self.load.append(os.getloadavg()[0])

    def verdict(self, aim):
        """The aim's ratio, pair by pair, and whether its median is met."""
        values = self.values(aim.who, aim.measure)
        if aim.against:
            other = self.values(aim.against, aim.measure)
            values = [b / a if aim.less else a / b for a, b in zip(values, other)]
        if not values:
            return {"who": aim.who, "against": aim.against, "measure": aim.measure, "aim": aim.aim,
                    "met": None}
        got = spread(values)
        met = None
        if aim.aim is not None:
            met = got["median"] <= aim.aim if not aim.against and aim.less \
                else got["median"] >= aim.aim
        return dict(got, who=aim.who, against=aim.against, measure=aim.measure, aim=aim.aim, met=met)

    def as_json(self):
        return {"name": self.name, "title": self.title, "unit": self.unit, "how": self.how,
                "load_before_after": self.load,
                "who": {who: {m: spread(self.values(who, m)) for m in samples[0]}
                        for who, samples in self.samples.items()},
                "aims": [self.verdict(aim) for aim in self.aims], "notes": self.said()}

    def as_svg(self):
        rows = []
        for who in self.samples:
            s = spread(self.values(who, self.measure))
            rows.append((who, s["median"], s["min"], s["max"]))
        return plot.bars(self.title, self.unit, rows)

    def row(self, who):
        digits = 0 if self.measure == "rate" else 1
        s = spread(self.values(who, self.measure))
        text = "  %-9s %*.*f  (%.*f to %.*f, %d runs)" % (
            who, 9, digits, s["median"], digits, s["min"], digits, s["max"], len(s["values"]))
        for measure, label in (("cpu", "CPU %.1f µs each"), ("broker", "broker %.1f µs")):
            if self.values(who, measure):
                text += "  " + label % median(self.values(who, measure))
        for part in self.parts:
            if self.values(who, part):
                text += "  %s %.1f" % (part, median(self.values(who, part)))
        return text

    def aim_row(self, aim):
        v = self.verdict(aim)
        if "median" not in v:
            return "  %s beside %s: not measured" % (aim.who, aim.against)
        if aim.against:
            text = "  %.2f times %s (%.2f to %.2f)" % (v["median"], aim.against, v["min"], v["max"])
            if aim.less:
                text = "  %s / %s = %s" % (aim.against, aim.who, text.strip().split(" times")[0]
                                           + text[text.index(" ("):])
        else:
            text = "  %s p50 %.1f" % (aim.who, v["median"])
        if aim.measure != self.measure:
            text += ", " + aim.measure
        if aim.aim is not None:
            bound = "at most" if aim.less and not aim.against else "at least"
            text += ": aim %s %g, %s" % (bound, aim.aim, "met" if v["met"] else "MISSED")
        return text

    def as_text(self):
        lines = ["", "%s: %s, %s" % (self.name, self.title, self.unit), "  " + self.how
                 + "; load average %.1f before, %.1f after" % tuple(self.load)]
        lines += [self.row(who) for who in self.samples]
        lines += [self.aim_row(aim) for aim in self.aims]
        lines += ["  " + note for note in self.said()]
        return "\n".join(lines)
