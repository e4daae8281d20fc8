# SPDX-License-Identifier: MIT
"""report.json as Markdown: docs/figures.md whole, and the short table of the README. What is known of a
missed aim stands in reasons.json by the name of the figure; figures say beside it what they measured."""

import json
import os

from plot import short

HERE = os.path.dirname(os.path.realpath(__file__))
REASONS = os.path.join(HERE, "reasons.json")
# what the README shows: figure, measure, what it is in words
BRIEF = (("drain", "rate", "drain, no-op tasks"), ("results", "rate", "drain with results in Redis"),
         ("ledger", "rate", "drain with the ledger"), ("enqueue", "rate", "confirmed enqueue"),
         ("chain", "rate", "chain"), ("group", "rate", "group"), ("chord", "rate", "chord"),
         ("latency", "ms", "enqueue to start, idle, p50"),
         ("latency", "p99", "enqueue to start, idle, p99"),
         ("latency-half", "p99", "enqueue to start, half load, p99"),
         ("memory-2", "pss", "memory, 2 children"), ("memory-20", "pss", "memory, 20 children"),
         ("start", "ms", "start to ready"), ("fleet-start", "ms", "start of the whole fleet"))
UNITS = {"rate": " /s", "ms": " ms", "p99": " ms", "pss": " MiB"}


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def number(value):
    return "-" if value is None else "{:,.0f}".format(value) if abs(value) >= 100 else "%.3g" % value


def spread(s):
    if s["min"] == s["max"]:
        return number(s["median"])
    return "%s (%s to %s)" % (number(s["median"]), number(s["min"]), number(s["max"]))


def table(head, rows):
    cells = [[str(c).replace("|", "\\|") for c in row] for row in [head] + rows]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([lines[0], "| " + " | ".join("---" for _ in head) + " |"] + lines[1:])


def renew(report, later):
    """What a later run (--only) measured again stands in for what it was; its section says so."""
    again = {f["name"]: dict(f, again=later["machine"]) for f in later["figures"]}
    left = [line for line in report["left_out"] if line.split(":")[0] not in again]
    return dict(report, left_out=left, figures=[again.pop(f["name"], f) for f in report["figures"]]
                + list(again.values()))


# ---- aims ----

def aim_words(aim):
    """(what is compared, the aim, what came, met)"""
    what = aim["who"]
    if aim["against"]:
        what += " beside " + aim["against"]
    if aim.get("measure") not in (None, "rate", "ms"):
        what += ", " + aim["measure"]
    if "ratios" in aim:
        got = ", ".join("%.2f at %s" % (r, short(float(x))) for x, r in aim["ratios"].items())
        return what, "%g times" % aim["aim"], got, len(aim["met_at"]) == len(aim["ratios"])
    if aim["against"]:
        return what, "%g times" % aim["aim"], "%.2f (%.2f to %.2f)" % (
            aim["median"], aim["min"], aim["max"]), aim["met"]
    return what, "at most %g" % aim["aim"], spread(aim), aim["met"]


def judged(figure):
    return [a for a in figure.get("aims", [])
            if a["aim"] is not None and (a.get("ratios") or "median" in a)]


def aims(report):
    rows = []
    for figure in report["figures"]:
        for aim in judged(figure):
            what, wanted, got, met = aim_words(aim)
            rows.append(["[%s](#%s)" % (figure["name"], figure["name"]), what, wanted, got,
                         "met" if met else "**missed**"])
    met = sum(row[-1] == "met" for row in rows)
    return "%d of %d aims are met.\n\n" % (met, len(rows)) + table(
        ["figure", "what", "aim", "measured", ""], rows)


def missed(report, reasons):
    parts = []
    for figure in report["figures"]:
        wrong = [aim_words(a) for a in judged(figure) if not aim_words(a)[3]]
        if not wrong:
            continue
        words = ["%s: %s, aim %s" % (what, got, wanted) for what, wanted, got, _ in wrong]
        parts.append("- **%s**: %s. %s" % (figure["name"], "; ".join(words), reasons.get(
            figure["name"], "What was measured beside it stands with the figure.")))
    return "\n".join(parts) or "None."


# ---- figures ----

def command(report, name):
    sizes = "" if report["tasks"] == 50000 and report["pairs"] == 5 else \
        "--pairs %d --tasks %d " % (report["pairs"], report["tasks"])
    return "`make bench BENCH_ARGS='%s--only %s'`" % (sizes, name)


def body_of_figure(figure):
    measures = []
    for samples in figure["who"].values():
        measures += [m for m in samples if m not in measures]
    rows = [[who] + [spread(samples[m]) if m in samples else "" for m in measures]
            for who, samples in figure["who"].items()]
    runs = ", ".join("%s %d" % (who, len(next(iter(samples.values()))["values"]))
                     for who, samples in figure["who"].items())
    return table([figure["unit"]] + measures, rows) + "\n\nMedians and ranges; runs: %s." % runs


def growth_words(found):
    words = "size^%.2f" % found["slope"]
    for a, b, there in found["bends"]:
        words += ", bends from %s to %s (^%.2f)" % (short(a), short(b), there)
    return words


def body_of_curve(figure):
    xs = sorted({row["x"] for rows in figure["who"].values() for row in rows})
    by = {who: {row["x"]: row for row in rows} for who, rows in figure["who"].items()}
    rows = [["{:,d}".format(x)] + [spread(by[who][x]) if x in by[who] else "" for who in by]
            for x in xs]
    lines = [table(["%s; %s" % (figure["over"], figure["unit"])] + list(by), rows), ""]
    lines += ["- %s grows as %s" % (who, growth_words(g)) for who, g in figure["growth"].items()]
    return "\n".join(lines)


def body_of_counts(figure):
    rows = [[what, role, number(n), ", ".join("%s %.0f %%" % (g, 100 * i / n) for g, i in
                                              figure["groups"][what][role].items() if i > n / 200)]
            for what, roles in figure["counts"].items() for role, n in roles.items()]
    return table(["drain", "process", "instructions a task", "where"], rows)


def body_of_profile(figure):
    rows = [[role, "%.1f" % figure["cpu_us_a_task"].get(role, 0),
             ", ".join("%s %.1f" % item for item in shares.items() if item[1] >= 0.1)]
            for role, shares in figure["shares"].items()]
    most = ", ".join("`%s` (%s) %.1f" % (s["symbol"], s["group"], s["share"])
                     for s in figure["symbols"][:12])
    return table(["process", "µs a task", "% of all samples"], rows) + "\n\nMost, %: " + most


def without_texts(said):
    """A score's counts; the labelled texts it was wrong about, some of them others', are left out."""
    return "\n".join(line for line in said.rstrip().split("\n") if not line.startswith("    "))


def measured(report, figure):
    """By which command, when."""
    words = [command(report, figure["name"])]
    if "again" in figure:
        words.append("again at %s, commit %s" % (figure["again"]["at"], figure["again"]["commit"]))
    if "load_before_after" in figure:
        words.append("load average " + " to ".join("%.1f" % at for at in figure["load_before_after"]))
    return ", ".join(words)


def section(report, figure):
    head = ["### %s" % figure["name"], ""]
    if "title" in figure:
        head += [figure["title"][:1].upper() + figure["title"][1:] + "."
                 + (" " + figure["how"][:1].upper() + figure["how"][1:] + "." if "how" in figure else ""),
                 ""]
    head += [measured(report, figure), ""]
    if "said" in figure:
        body = "```\n%s\n```" % without_texts(figure["said"])
    elif "over" in figure:
        body = body_of_curve(figure)
    elif "counts" in figure:
        body = body_of_counts(figure)
    elif "shares" in figure:
        body = body_of_profile(figure)
    else:
        body = body_of_figure(figure)
    notes = ["- " + " ".join(note.split()) for note in figure.get("notes", [])]
    return "\n".join(head + [body] + ([""] + notes if notes else []))


def machine(report):
    m = report["machine"]
    again = [f["name"] for f in report["figures"] if "again" in f]
    load = "%.1f at the start, %.1f at the end" % (m["load"][0], report["load_at_end"][0])
    return table(["", ""], [
        ["date", m["at"]], ["commit", m["commit"]],
        ["processor", "%s, %d cores, %d MiB" % (m["cpu"], m["cores"], m["memory_mib"])],
        ["kernel, compiler", "Linux %s, %s" % (m["kernel"], m["compiler"])],
        ["versions", ", ".join(m["versions"]) + ", Python " + m["python"]],
        ["yardsticks", m.get("yardsticks", "-")],
        ["load average", load], ["took", "%d s" % report["seconds"]],
        ["command", "`%s`" % m["command"]],
        ["measured again later", ", ".join(again) or "none"]])


def growths(report):
    rows = [[figure["name"], who, figure["over"], growth_words(found)]
            for figure in report["figures"] for who, found in figure.get("growth", {}).items()]
    return table(["curve", "who", "over", "cost or rate grows as"], rows) if rows else "None measured."


def page(report):
    reasons = load(REASONS) if os.path.exists(REASONS) else {}
    parts = [
        "# Figures", "<!-- written by tests/bench/run --markdown: do not edit -->",
        "Each figure beside its yardstick, measured in turn in one run of `make bench`, with the broker, "
        "the stores and all contenders on the same machine. Ratios are those of the pairs; larger is "
        "better in each.",
        "## The machine", machine(report), "## Aims", aims(report),
        "## Missed, and why", missed(report, reasons),
        "## Growth", "The slope in log-log scale: 0 is flat, 1 in proportion. A bend is a part that is "
        "steeper or flatter than the whole by more than 0.35; what was measured at its ends stands with "
        "the curve.", growths(report), "## All figures"]
    parts += [section(report, figure) for figure in report["figures"]]
    out = report.get("left_out", []) + report.get("troubles", [])
    if out:
        parts += ["## Left out", "\n".join("- " + " ".join(line.split()) for line in out)]
    return "\n\n".join(parts) + "\n"


def brief(report):
    """The README's table."""
    figures = {f["name"]: f for f in report["figures"]}
    rows = []
    for name, measure, words in BRIEF:
        if name not in figures:
            continue
        who = figures[name]["who"]
        value = {w: s[measure]["median"] for w, s in who.items() if measure in s}
        if "jobfleet" not in value:
            continue
        unit = UNITS[measure]
        others = [number(value[w]) + unit if w in value else "" for w in ("Celery", "BullMQ")]
        bare = next((w for w in ("bare", "pgbench") if w in value), None)
        rows.append([words, number(value["jobfleet"]) + unit] + others
                    + ["%s %s%s" % (bare, number(value[bare]), unit) if bare else ""])
    m = report["machine"]
    again = ["%s again at %s" % (name, figures[name]["again"]["commit"])
             for name in dict.fromkeys(name for name, _, _ in BRIEF) if "again" in figures.get(name, {})]
    return table(["", "jobfleet", "Celery", "BullMQ", "the least there is"], rows) + (
        "\n\n%s, %d cores, %d MiB, Linux %s, everything on the same machine; commit %s, %s; "
        "`%s`. All of it, with ranges, aims and growths: docs/figures.md.\n"
        % (m["cpu"], m["cores"], m["memory_mib"], m["kernel"],
           ", ".join([m["commit"]] + again), m["at"][:10], "make bench"))
