# SPDX-License-Identifier: MIT
"""Plots as SVG text: bars of medians with their ranges, and lines over a size on log scales. Each
stands alone: no script, no font, no colour from outside."""

import html
import math

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 34, 44
COLOURS = ("#0b6e4f", "#c44536", "#2b59c3", "#b58900", "#6c4f9c", "#555555", "#00798c", "#d1495b")
OF = {"jobfleet": 0, "Celery": 1, "bare": 2, "BullMQ": 3, "pgbench": 2}


def colour_of(who, place):
    """The same colour for the same contender in every plot."""
    return COLOURS[OF.get(who, 4 + place) % len(COLOURS)]


def short(value):
    """12345 as 12.3k."""
    for limit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return ("%.3g" % (value / limit)) + word
    return "%.3g" % value


def text(x, y, words, anchor="start", size=12, extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d"%s>%s</text>' % (
        x, y, anchor, size, extra, html.escape(str(words)))


def frame(title, inside, height=HEIGHT):
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
            'role="img" font-family="sans-serif" fill="#222"><title>%s</title>'
            '<rect width="%d" height="%d" fill="#fff"/>%s%s</svg>' % (
                WIDTH, height, WIDTH, height, html.escape(title), WIDTH, height,
                text(12, 20, title, size=14, extra=' font-weight="bold"'), "".join(inside)))


def line(x1, y1, x2, y2, colour="#ccc", width=1):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"/>' % (
        x1, y1, x2, y2, colour, width)


def bars(title, unit, rows):
    """rows: [(who, median, least, most)]"""
    step, left = 34, 110
    height = TOP + step * len(rows) + 34
    most = max([r[3] for r in rows] + [1e-9])
    wide = WIDTH - left - 110
    out = []
    for i, (who, middle, least, top) in enumerate(rows):
        y = TOP + i * step + 6
        mid = y + step / 2 - 4
        out.append(text(left - 8, mid + 4, who, "end"))
        out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            left, y, max(1, wide * middle / most), step - 10, colour_of(who, i)))
        a, b = left + wide * least / most, left + wide * top / most
        out.append(line(a, mid, b, mid, "#222"))
        out += [line(x, mid - 4, x, mid + 4, "#222") for x in (a, b)]
        out.append(text(max(b, left + wide * middle / most) + 8, mid + 4, short(middle)))
    out.append(text(left, height - 10, unit, size=11))
    return frame(title, out, height)


def decades(low, high):
    """Round values from low to high, for the lines of a log scale."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if len(powers) > 3 else (1, 2, 5)
    return [m * 10.0 ** p for p in powers for m in steps
            if low * 0.999 <= m * 10.0 ** p <= high * 1.001]


class Scale:
    """A logarithm from values to places."""

    def __init__(self, values, first, last):
        self.low, self.high = min(values), max(values)
        if self.high < self.low * 2:
            self.low, self.high = self.low / 1.5, self.high * 1.5
        self.first, self.last = first, last

    def __call__(self, value):
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.first + part * (self.last - self.first)


def spread_labels(places, least=14):
    """The same places, pushed apart."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    put = list(places)
    for before, i in zip(order, order[1:]):
        put[i] = max(put[i], put[before] + least)
    return put


def lines(title, x_unit, unit, series):
    """series: {who: [(x, y)]}, all above 0; both scales are logarithms."""
    points = [p for line_ in series.values() for p in line_]
    across = Scale([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = Scale([y for _, y in points] + [max(y for _, y in points) * 1.1], HEIGHT - BOTTOM, TOP + 14)
    out = []
    for value in decades(up.low, up.high):
        out.append(line(LEFT, up(value), WIDTH - RIGHT, up(value)))
        out.append(text(LEFT - 6, up(value) + 4, short(value), "end", 11))
    for value in sorted({x for x, _ in points}):
        out.append(line(across(value), HEIGHT - BOTTOM, across(value), HEIGHT - BOTTOM + 4, "#222"))
        out.append(text(across(value), HEIGHT - BOTTOM + 17, short(value), "middle", 11))
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_unit, "middle", 11))
    out.append(text(LEFT - 60, TOP + 4, unit, size=11))
    labels = spread_labels([up(line_[-1][1]) for line_ in series.values()])
    for i, (who, line_) in enumerate(series.items()):
        colour = colour_of(who, i)
        places = [(across(x), up(y)) for x, y in line_]
        out.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>' % (
            colour, " ".join("%.1f,%.1f" % place for place in places)))
        out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (*place, colour)
                for place in places]
        out.append(text(WIDTH - RIGHT + 8, labels[i] + 4, who, extra=' style="fill:%s"' % colour))
    return frame(title, out)
