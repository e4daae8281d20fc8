# SPDX-License-Identifier: MIT
"""A figure over a size: one line for each that is compared, its growth stated.

The growth is the slope of the least squares line through the logarithms: 0 is flat, 1 in proportion. A
line bends where the slope between two neighbours is further from that than BEND; what is known of
the reason is said beside it."""

import math
import os
from statistics import median

import plot
from report import spread

BEND = 0.35
FLAT = 0.1
STRAIGHT = 0.15         # a line that is never further from a straight one


def slope(points):
    """Of the least squares line through (log x, log y)."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    under = sum((x - mx) ** 2 for x in xs)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / under if under else 0.0


def straight(points):
    """(a, b, largest relative distance) of y = a + b x, which is through the first and the last point."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    each = (y1 - y0) / (x1 - x0) if x1 != x0 else 0.0
    base = y0 - each * x0
    return base, each, max(abs(base + each * x - y) / y for x, y in points)


def growth(points):
    """{slope, bends: [(from, to, slope there)]}"""
    whole = slope(points)
    bends = []
    for a, b in zip(points, points[1:]):
        local = slope([a, b])
        if len(points) > 2 and abs(local - whole) > BEND:
            bends.append((a[0], b[0], round(local, 2)))
    return {"slope": round(whole, 2), "bends": bends}


def in_words(found):
    value = found["slope"]
    words = "flat" if abs(value) < FLAT else "falls" if value < 0 else \
        "in proportion" if abs(value - 1) < FLAT else "grows"
    text = "size^%.2f (%s)" % (value, words)
    for a, b, there in found["bends"]:
        text += ", bends from %s to %s (^%.2f)" % (plot.short(a), plot.short(b), there)
    return text


class Curve:
    def __init__(self, name, title, over, unit, how):
        self.name, self.title, self.over, self.unit, self.how = name, title, over, unit, how
        self.samples = {}               # who -> {x: [y]}
        self.parts = {}                 # who -> {x: [{part: µs}]}: what stands behind y
        self.aims, self.notes = [], []
        self.troubles, self.given_up = [], set()
        self.load = [os.getloadavg()[0]]

    def add(self, who, x, y, parts=None):
        self.samples.setdefault(who, {}).setdefault(x, []).append(y)
        if parts:
            self.parts.setdefault(who, {}).setdefault(x, []).append(parts)

    def finish(self):
        self.load.append(os.getloadavg()[0])

    def points(self, who):
        return [(x, median(ys)) for x, ys in sorted(self.samples[who].items())]

    def growths(self):
        return {who: growth(self.points(who)) for who in self.samples
                if len(self.samples[who]) > 1}

    def verdict(self, aim):
        """The aim's ratio at each size where both were measured, pair by pair."""
        ours, theirs = self.samples.get(aim.who, {}), self.samples.get(aim.against, {})
        at = {}
        for x in sorted(set(ours) & set(theirs)):
            at[x] = median(b / a if aim.less else a / b for a, b in zip(ours[x], theirs[x]))
        met = [x for x in at if aim.aim is None or at[x] >= aim.aim]
        return {"who": aim.who, "against": aim.against, "aim": aim.aim, "ratios": at,
                "met_at": met if aim.aim is not None else None}

    def parts_at(self, who, x):
        rows = self.parts.get(who, {}).get(x, [])
        return {name: median(row[name] for row in rows) for name in (rows[0] if rows else {})}

    def reasons(self):
        """Of each line that bends: that it is a straight one, or what the processors did at the two ends
        of each bend."""
        for who, found in self.growths().items():
            base, each, off = straight(self.points(who))
            if found["bends"] and off < STRAIGHT:
                yield ("%s is the straight line %.3g + %.3g for each (within %.0f %%), whose logarithm "
                       "bends" % (who, base, each, 100 * off))
                continue
            for a, b, _ in found["bends"]:
                before, after = self.parts_at(who, a), self.parts_at(who, b)
                words = ", ".join("%s %.0f to %.0f" % (name, before[name], after[name])
                                  for name in before if name in after)
                if words:
                    yield "%s from %s to %s, µs a task on a processor: %s" % (
                        who, plot.short(a), plot.short(b), words)

    def said(self):
        words = [note if isinstance(note, str) else note(self) for note in self.notes]
        return [w for w in words + list(self.reasons()) if w]

    def as_json(self):
        return {"name": self.name, "title": self.title, "unit": self.unit, "over": self.over,
                "how": self.how, "load_before_after": self.load,
                "who": {who: [dict(spread(ys), x=x, parts=self.parts_at(who, x)) for x, ys in sorted(by_x.items())]
                        for who, by_x in self.samples.items()},
                "growth": self.growths(), "aims": [self.verdict(aim) for aim in self.aims],
                "notes": self.said()}

    def as_svg(self):
        series = {who: [p for p in self.points(who) if p[1] > 0] for who in self.samples}
        return plot.lines(self.title, self.over, self.unit, {w: s for w, s in series.items() if s})

    def table(self):
        xs = sorted({x for by_x in self.samples.values() for x in by_x})
        lines = ["  %12s" % self.over[:12] + "".join("%14s" % who[:13] for who in self.samples)]
        for x in xs:
            row = "  %12s" % format(x, ",d")
            for by_x in self.samples.values():
                y = median(by_x[x]) if x in by_x else None
                row += "%14s" % ("-" if y is None else "%.0f" % y if y >= 100 else "%.3g" % y)
            lines.append(row)
        return lines

    def aim_row(self, aim):
        v = self.verdict(aim)
        if not v["ratios"]:
            return "  %s beside %s: not measured" % (aim.who, aim.against)
        names = (aim.against, aim.who) if aim.less else (aim.who, aim.against)
        text = "  %s / %s = %s at %s" % (
            *names, ", ".join("%.2f" % r for r in v["ratios"].values()),
            ", ".join(plot.short(x) for x in v["ratios"]))
        if aim.aim is not None:
            missed = [x for x in v["ratios"] if x not in v["met_at"]]
            text += ": aim at least %g, %s" % (aim.aim, "met" if not missed else "MISSED at "
                                               + ", ".join(plot.short(x) for x in missed))
        return text

    def as_text(self):
        lines = ["", "%s: %s, %s" % (self.name, self.title, self.unit), "  %s; load average %.1f "
                 "before, %.1f after" % (self.how, *self.load)]
        lines += self.table()
        lines += ["  %s ~ %s" % (who, in_words(g)) for who, g in self.growths().items()]
        lines += [self.aim_row(aim) for aim in self.aims]
        lines += ["  " + note for note in self.said()]
        return "\n".join(lines)
