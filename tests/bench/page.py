# SPDX-License-Identifier: MIT
"""The report as files: report.txt as it was printed, report.json, report.html with the plots inside,
and each plot alone."""

import html
import json
import os

STYLE = """
body { font-family: sans-serif; max-width: 62rem; margin: 1rem auto; padding: 0 1rem; color: #222 }
pre { background: #f6f6f4; padding: .6rem; overflow-x: auto; font-size: .82rem }
h2 { margin: 2rem 0 .4rem; font-size: 1.1rem } svg { max-width: 100%; height: auto }
.missed { color: #a11 } .met { color: #064 } table { border-collapse: collapse }
td, th { text-align: left; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid #ddd }
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def verdicts(figures):
    """[(figure, words, met)] of every aim that has a bound."""
    found = []
    for figure in figures:
        for aim in getattr(figure, "aims", []):
            words = figure.aim_row(aim).strip()
            if aim.aim is not None and "not measured" not in words:
                found.append((figure.name, words, "MISSED" not in words))
    return found


def verdict_text(figures):
    rows = verdicts(figures)
    return "\n".join(["", "aims: %d of %d met" % (sum(met for *_, met in rows), len(rows))]
                     + ["  %-16s %s" % (name, words) for name, words, met in rows if not met])


def as_html(head, figures, tail):
    rows = "".join('<tr><td><a href="#%s">%s</a></td><td class="%s">%s</td></tr>' % (
        name, name, "met" if met else "missed", html.escape(words))
        for name, words, met in verdicts(figures))
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8"><title>jobfleet: figures</title>'
             "<style>%s</style><h1>jobfleet: figures</h1><pre>%s</pre>" % (STYLE, html.escape(head)),
             "<h2>Aims</h2><table>%s</table>" % rows]
    for figure in figures:
        parts.append('<h2 id="%s">%s</h2>' % (figure.name, html.escape(figure.name)))
        if hasattr(figure, "as_svg"):
            parts.append(figure.as_svg())
        parts.append("<pre>%s</pre>" % html.escape(figure.as_text().strip("\n")))
    return "\n".join(parts) + "<pre>%s</pre></html>\n" % html.escape(tail)


def save(directory, head, about, figures, troubles, left_out):
    os.makedirs(directory, exist_ok=True)
    tail = verdict_text(figures) + "".join(
        "\ntrouble: " + t for t in troubles) + "".join("\nleft out: " + t for t in left_out)
    write(os.path.join(directory, "report.txt"), head + "\n"
          + "\n".join(f.as_text() for f in figures) + "\n" + tail + "\n")
    write(os.path.join(directory, "report.json"), json.dumps(
        dict(about, figures=[f.as_json() for f in figures], troubles=troubles), indent=1))
    write(os.path.join(directory, "report.html"), as_html(head, figures, tail))
    for figure in figures:
        if hasattr(figure, "as_svg"):
            write(os.path.join(directory, figure.name + ".svg"), figure.as_svg())
    return tail
