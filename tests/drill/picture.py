# SPDX-License-Identifier: MIT
"""A drill as one HTML page that stands alone: the service levels, the accounts, effects a second
with the faults above them, and the time to health of each kind of fault."""

import html
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.append(os.path.join(TOP, "tests/bench"))
import plot     # noqa: E402

BUCKETS = 300           # bars across the page at most
ROWS = 12               # of marks above the bars
WIDE, HIGH, LEFT, BASE = 940, 250, 52, 214
MARK_HIGH = 7
KINDS = (("kill", "#c44536"), ("freeze", "#2b59c3"), ("net", "#6c4f9c"), ("broker", "#b58900"),
         ("postgres", "#00798c"), ("redis", "#d1495b"))
OTHER = "#555555"
STYLE = """
body { font-family: sans-serif; max-width: 62rem; margin: 1rem auto; padding: 0 1rem; color: #222 }
h2 { margin: 1.6rem 0 .4rem; font-size: 1.1rem } svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: .9rem }
td, th { text-align: left; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid #ddd }
.n { text-align: right; white-space: nowrap } .missed { color: #a11 } .met { color: #064 }
pre { background: #f6f6f4; padding: .6rem; overflow-x: auto; font-size: .82rem }
"""
EFFECTS = """SELECT floor(extract(epoch FROM at - r.started_at))::int, count(*)
    FROM jobfleet.drill_effects e JOIN jobfleet.drill_runs r USING (run)
    WHERE e.run = %s GROUP BY 1"""
MARKS = """SELECT what, extract(epoch FROM j.at - r.started_at)::float8,
        extract(epoch FROM coalesce(j.healthy_at, j.over_at) - r.started_at)::float8,
        j.healthy_at IS NOT NULL
    FROM jobfleet.drill_injections j JOIN jobfleet.drill_runs r USING (run)
    WHERE j.run = %s ORDER BY j.at"""


def colour_of(what):
    return next((colour for word, colour in KINDS if what.startswith(word)), OTHER)


def bars(effects, across, step):
    """Effects a second, averaged over step seconds; and how many are the most."""
    sums = {}
    for second, count in effects:
        sums[second // step] = sums.get(second // step, 0) + count
    most = max(sums.values(), default=1) / step
    out = []
    for place, count in sums.items():
        high = 110 * count / step / most
        out.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#0b6e4f"/>' % (
            across(place * step), BASE - high, max(0.8, across(step) - across(0) - 0.4), high))
    return out, most


def marks(faults, across):
    """One below the other where they overlap; each tells itself."""
    ends, out = [-1.0] * ROWS, []
    for what, begin, end, healthy in faults:
        left, right = across(begin), max(across(end), across(begin) + 2)
        row = next((i for i in range(ROWS) if ends[i] < left), 0)
        ends[row] = right + 1
        out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s at %.1f s, '
                   '%s</title></rect>' % (
                       left, 12 + row * (MARK_HIGH - 1), right - left, MARK_HIGH - 2,
                       colour_of(what), html.escape(what), begin,
                       "%.1f s to health" % (end - begin) if healthy else "no health"))
    return out


def timeline(effects, faults):
    last = max([second for second, _ in effects] + [int(fault[2]) for fault in faults] + [1]) + 1
    step = -(-last // BUCKETS)

    def across(seconds):
        return LEFT + (WIDE - LEFT - 12) * max(0, seconds) / last

    out, most = bars(effects, across, step)
    out += marks(faults, across)
    every = next(n for n in (5, 10, 30, 60, 120, 300, 600, 3600) if last / n <= 14 or n == 3600)
    for second in range(0, last, every):
        label = "%d:%02d" % divmod(second, 60)
        out.append(plot.text(across(second), BASE + 15, label, "middle", 11))
        out.append(plot.line(across(second), BASE, across(second), BASE + 4, "#222"))
    for part in (0.5, 1):
        out.append(plot.line(LEFT, BASE - 110 * part, WIDE - 12, BASE - 110 * part))
        out.append(plot.text(LEFT - 5, BASE + 4 - 110 * part, "%.0f" % (most * part), "end", 11))
    key, x = [], LEFT
    for word, colour in KINDS + (("other", OTHER),):
        key.append('<rect x="%d" y="%d" width="10" height="10" fill="%s"/>' % (
            x, HIGH - 13, colour))
        key.append(plot.text(x + 14, HIGH - 4, word, size=11))
        x += 90
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
            'role="img" font-family="sans-serif" fill="#222"><title>effects a second, faults above'
            '</title>%s</svg>' % (WIDE, HIGH, WIDE, HIGH, "".join(out + key)))


def levels_table(levels):
    rows = []
    for one in levels:
        seconds = one["name"].endswith("_s")
        form, aim = ("%.1f s", "%d s") if seconds else ("%.3f %%", "%g %%")
        by = 1 if seconds else 100
        rows.append("<tr><td>%s</td><td class=n>%s</td><td class=n>%s</td><td class=%s>%s</td>"
                    "<td>%s</td></tr>" % (
                        html.escape(one["name"].replace("_s", "")), form % (by * one["got"]),
                        aim % (by * one["aim"]), "met" if one["met"] else "missed",
                        "met" if one["met"] else "missed", html.escape(one["words"])))
    return ("<table><tr><th>level<th>measured<th>aim<th><th>of what</tr>%s</table>" % "".join(rows))


def kinds_table(kinds):
    def cell(value):
        return "<td class=n>%s</td>" % ("" if value is None else "%.2f" % value)
    rows = ["<tr><td>%s</td><td class=n>%d</td>%s</tr>" % (
        html.escape(k["what"]), k["times"], "".join(cell(k[name]) for name in
                                                    ("lasts", "p50", "p99", "max")))
            for k in kinds]
    return ("<table><tr><th>fault<th>times<th>lasts, s<th>health p50, s<th>p99<th>max</tr>%s"
            "</table>" % "".join(rows))


def write(fleet, figures, text, path):
    effects, faults = fleet.sql(EFFECTS, fleet.run), fleet.sql(MARKS, fleet.run)
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8"><title>jobfleet: a drill</title>'
             "<style>%s</style><h1>jobfleet: a drill, seed %d</h1>" % (STYLE, figures["seed"]),
             "<p>%d tasks, %d faults, Linux %s, %d cores. Promises: <b class=%s>%s</b>.</p>" % (
                 figures["tasks"], sum(i["times"] for i in figures["injections"]),
                 html.escape(figures["machine"]), figures["cores"],
                 "met" if figures["verdict"] == "kept" and not figures["problems"] else "missed",
                 html.escape("; ".join([figures["verdict"]] + figures["problems"]))),
             "<h2>Service levels</h2>", levels_table(figures["levels"]),
             "<h2>Effects a second, and the faults above: each from its begin to full health</h2>",
             timeline(effects, faults), "<h2>From the end of a fault's cause to full health</h2>",
             kinds_table(figures["kinds_of_fault"]), "<h2>Accounts</h2><pre>%s</pre></html>\n"
             % html.escape(text)]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(parts))
