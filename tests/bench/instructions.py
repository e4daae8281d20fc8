# SPDX-License-Identifier: MIT
"""Where the worker's time goes on the no-op drain, and how many instructions a task takes.

profile: perf samples parent and children by the clock, the kernel's share included, grouped by what
the code belongs to. instructions: callgrind counts those of user mode between two dumps, WARM_UP
tasks after the start, and says in which functions they are. The child's counts do not depend on what
else the machine does (0.3 % between an idle and an overloaded one). The parent handles what has
arrived, so that it wakes more often a task on a busy machine (17 to 35 % more): of TRIES runs the
least counts, and above a load of BUSY it is not judged. They are compared with instructions.json, which names its processor, compiler and
libraries: more than GUARD over it fails the run; --rebase writes it anew. Where one of them is another
the comparison is said, and fails nothing: the C library takes other functions for another processor.
instructions-child is the part of it that is steady enough for make test
(tests/scenario/95_bench_smoke.sh)."""

import json
import os
import re
import shutil
import subprocess
import time

import bed as beds
from bed import Absent, Ours
from figures import NOOP
from plot import bars

BASELINE = os.path.join(beds.HERE, "instructions.json")
GUARD = 0.10
WARM_UP, COUNTED = 1000, 3000
TRIES = 3
BUSY = 3                # the load average from which the parent is not judged
DUMP_LIMIT_S = 60
PACKAGES = ("libc6", "librabbitmq4", "libuv1", "libhiredis0.14", "libpq5", "libcjson1", "libutf8proc2",
            "valgrind")
# by which the C library chooses among its functions for strings and memory
FEATURES = ("avx2", "avx512f", "avx512vl", "bmi2", "erms", "evex", "fsrm", "lzcnt", "movbe", "rtm")
SHOWN = 24
FREQUENCY = 4000
LIBRARIES = ("librabbitmq", "libpq", "libhiredis", "libcjson", "libuv", "libutf8proc", "libc.so",
             "libcrypto", "libssl")


def group_of(place):
    name = os.path.basename(place)
    if "kernel" in name or name.startswith("[k"):
        return "kernel"
    if name.startswith("jobfleet"):
        return "ours"
    for library in LIBRARIES:
        if name.startswith(library):
            return library.removesuffix(".so")
    return "vdso" if "vdso" in name else "others"


def versions():
    gcc = subprocess.run(["gcc", "--version"], stdout=subprocess.PIPE, text=True).stdout
    packages = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return {"compiler": gcc.split("\n")[0], "libraries": packages.split("\n")[:-1],
            "machine": processor()}


def processor():
    with open("/proc/cpuinfo") as f:
        said = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", f.read().split("\n\n")[0], re.M))
    has = set(said.get("flags", "").split()) & set(FEATURES)
    return "%s, family %s model %s, %s" % (
        said.get("model name", "?"), said.get("cpu family", "?"), said.get("model", "?"),
        " ".join(sorted(has)))


# ---- callgrind ----

class Counted(Ours):
    def command(self):
        out = os.path.join(self.bed.dir, "callgrind.%p")
        return ["valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
                "--callgrind-out-file=" + out, *super().command()]


def dump(pids):
    """Through valgrind's pipe, for which a process that waits is woken by ptrace: not everywhere."""
    try:
        subprocess.run(["callgrind_control", "--dump", *map(str, pids)], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=DUMP_LIMIT_S)
    except (subprocess.TimeoutExpired, OSError) as problem:
        raise Absent("callgrind_control does not reach the worker: %s" % problem) from None


def read_dump(path):
    """{(function, place): instructions of its own} of one of callgrind's files."""
    names, cost = {"fn": {}, "ob": {}}, {}
    at, skip = {"fn": "?", "ob": "?"}, False
    with open(path, errors="replace") as f:
        for line in f:
            found = re.match(r"(fn|ob|cfn|cob)=\((\d+)\)(?: (.*))?$", line.rstrip("\n"))
            if found:
                kind = found.group(1)[-2:]
                if found.group(3):
                    names[kind][found.group(2)] = found.group(3)
                if found.group(1) == kind:
                    at[kind] = names[kind][found.group(2)]
            elif line.startswith("calls="):
                skip = True             # the next line is the cost of the one that is called
            elif re.match(r"[\d+*-]", line):
                if not skip:
                    key = (at["fn"].split("'")[0], at["ob"])
                    cost[key] = cost.get(key, 0) + int(line.split()[-1])
                skip = False
    return cost


def count_once(bed, results, wanted=("parent", "child")):
    """{role: {(function, place): instructions a task}} of the roles that are wanted"""
    queue = bed.new_queue()
    bed.quiet_stores()
    bed.fill(queue, WARM_UP, NOOP, results)
    worker = Counted(bed, queue)
    try:
        roles = [(role, pid) for role, pid in worker.roles() if role in wanted]
        pids = [pid for _, pid in roles]
        worker.run_through(NOOP, WARM_UP)
        dump(pids)
        bed.fill(queue, COUNTED, NOOP, results)
        worker.run_through(NOOP, WARM_UP + COUNTED)
        dump(pids)
        found = {}
        for role, pid in roles:
            path = os.path.join(bed.dir, "callgrind.%d.2" % pid)
            for key, n in read_dump(path).items():
                row = found.setdefault(role, {})
                row[key] = row.get(key, 0) + n / COUNTED
        return found
    except OSError as problem:
        raise Absent("callgrind leaves no counts: %s" % problem) from None
    finally:
        worker.stop()
        bed.drop_queue(queue, must_be_empty=False)


def totals(found):
    return {role: round(sum(row.values())) for role, row in found.items()}


def by_group(row):
    groups = {}
    for (_, place), n in row.items():
        groups[group_of(place)] = groups.get(group_of(place), 0) + n
    return dict(sorted(groups.items(), key=lambda item: -item[1]))


class Instructions:
    """The counts, where they are, and what the guard says."""
    title, unit = "instructions a task in user mode", "instructions"

    def __init__(self, name, rebase):
        self.load, self.troubles = [os.getloadavg()[0]], []
        self.name, self.rebase, self.counts, self.runs = name, rebase, {}, {}
        self.baseline = {}
        if os.path.exists(BASELINE):
            with open(BASELINE) as f:
                self.baseline = json.load(f)

    def add(self, what, found):
        """Of several runs the least, role by role."""
        counts = totals(found)
        for role, n in counts.items():
            if n <= self.counts.setdefault(what, {}).setdefault(role, n):
                self.counts[what][role] = n
                self.runs.setdefault(what, {})[role] = found[role]

    def finish(self):
        self.load.append(os.getloadavg()[0])
        if self.rebase and self.name == "instructions":
            self.baseline = dict(versions(), counts=self.counts)
            with open(BASELINE, "w") as f:
                json.dump(self.baseline, f, indent=1)
                f.write("\n")
        if self.comparable() and self.grown():
            self.troubles.append("more instructions a task than instructions.json has: "
                                 + "; ".join(self.grown()))

    def comparable(self):
        return all(self.baseline.get(k) == v for k, v in versions().items())

    def grown(self):
        """What is over the guard; the parent's counts mean nothing on a busy machine."""
        judged = ("child",) if max(self.load) > BUSY else ("parent", "child")
        return ["%s, %s: %d beside %d" % (what, role, n, old) for what, role, n, old in self.pairs()
                if role in judged and n > old * (1 + GUARD)]

    def pairs(self):
        for what, roles in self.counts.items():
            for role, n in roles.items():
                old = self.baseline.get("counts", {}).get(what, {}).get(role)
                if old:
                    yield what, role, n, old

    def as_json(self):
        return {"name": self.name, "title": self.title, "counts": self.counts,
                "baseline": self.baseline, "comparable": self.comparable(),
                "groups": {what: {role: by_group(row) for role, row in found.items()}
                           for what, found in self.runs.items()}}

    def as_svg(self):
        return bars(self.title, self.unit, [("%s %s" % (role, what), n, n, n) for what, roles
                                            in self.counts.items() for role, n in roles.items()])

    def as_text(self):
        lines = ["", self.name + ": %s, by callgrind between %d and %d tasks" % (
            self.title, WARM_UP, WARM_UP + COUNTED)]
        for what, found in self.runs.items():
            for role, row in found.items():
                whole = sum(row.values())
                lines.append("  %s, %s: %d: %s" % (what, role, whole, ", ".join(
                    "%s %.0f %%" % (g, 100 * n / whole) for g, n in by_group(row).items()
                    if n > whole * 0.005)))
        noop = next(iter(self.runs.values()))
        for role, row in noop.items():
            top = sorted(row.items(), key=lambda item: -item[1])[:SHOWN // 2]
            lines.append("  most in the %s: %s" % (role, ", ".join(
                "%s (%s) %d" % (fn if not fn.startswith("0x") else "unnamed", group_of(place), n)
                for (fn, place), n in top)))
        for what, role, n, old in self.pairs():
            lines.append("  %s, %s: %+.1f %% beside instructions.json (%d)%s" % (
                what, role, 100 * (n / old - 1), old,
                "" if self.comparable() else ": another processor, compiler or library, no verdict"))
        return "\n".join(lines)


def needed():
    if not shutil.which("valgrind"):
        raise Absent("valgrind is not installed")


def figure_instructions(bed, o):
    needed()
    figure = Instructions("instructions", o.rebase)
    for what, results in (("noop", False), ("results", True)):
        for _ in range(TRIES):
            figure.add(what, count_once(bed, results))
            if not o.rebase and not (figure.comparable() and figure.grown()):
                break
    return figure


def figure_child(bed, o):
    needed()
    figure = Instructions("instructions-child", o.rebase)
    for _ in range(TRIES):
        figure.add("noop", count_once(bed, False, ("child",)))
        if not (figure.comparable() and figure.grown()):
            break
    return figure


# ---- perf ----

class Profile:
    name, title = "profile", "where the worker's processor time goes on the no-op drain"

    def __init__(self, shares, symbols, cpu):
        self.load = [os.getloadavg()[0]]
        self.shares, self.symbols, self.cpu = shares, symbols, cpu

    def finish(self):
        self.load.append(os.getloadavg()[0])

    def as_json(self):
        return {"name": self.name, "title": self.title, "cpu_us_a_task": self.cpu,
                "shares": self.shares, "symbols": self.symbols}

    def as_svg(self):
        rows = [("%s %s" % (role, group), n, n, n) for role, groups in self.shares.items()
                for group, n in groups.items() if n >= 1]
        return bars(self.title, "% of the samples", rows)

    def as_text(self):
        lines = ["", "profile: %s; perf, by the clock" % self.title]
        for role, groups in self.shares.items():
            lines.append("  %-7s %4.1f µs a task; %% of all samples: %s" % (role, self.cpu[role],
                ", ".join("%s %.1f" % (g, n) for g, n in groups.items() if n >= 0.1)))
        lines.append("  most, of all samples: " + ", ".join(
            "%s (%s) %.1f %%" % (s["symbol"], s["group"], s["share"]) for s in self.symbols))
        return "\n".join(lines)


def perf_rows(data, keys):
    said = subprocess.run(["perf", "report", "-i", data, "--stdio", "-g", "none", "-t", "\t", "--sort",
                           keys], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for line in said.splitlines():
        cells = [c.strip() for c in line.split("\t")]
        if not line.startswith("#") and len(cells) > 1:
            yield float(cells[0].rstrip("%")), cells[1:]


def figure_profile(bed, o):
    if not shutil.which("perf"):
        raise Absent("perf is not installed")
    queue, n, data = bed.new_queue(), max(o.tasks, 20000), os.path.join(bed.dir, "perf.data")
    bed.quiet_stores()
    bed.fill(queue, n, NOOP)
    worker = Ours(bed, queue)
    roles = worker.roles()
    recorder = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "-o",
                                 data, "-p", ",".join(str(pid) for _, pid in roles)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        worker.run_through(NOOP, n)
        cpu = {}
        for role, pid in roles:
            cpu[role] = cpu.get(role, 0) + beds.cpu_us([pid]) / n
    finally:
        recorder.terminate()
        recorder.wait()
        time.sleep(0.1)
        worker.stop()
    bed.drop_queue(queue)
    role_of, shares = {str(pid): role for role, pid in roles}, {}
    for share, (who, place) in perf_rows(data, "pid,dso"):
        row = shares.setdefault(role_of.get(who.split(":")[0].strip(), "others"), {})
        row[group_of(place)] = round(row.get(group_of(place), 0) + share, 2)
    symbols = [{"symbol": re.sub(r"^\[.\] ", "", symbol), "group": group_of(place), "share": share}
               for share, (place, symbol) in perf_rows(data, "dso,sym")][:SHOWN]
    if not symbols:
        raise Absent("perf has no samples here")
    return Profile({r: dict(sorted(g.items(), key=lambda i: -i[1])) for r, g in shares.items()},
                   symbols, cpu)


FIGURES = {"profile": figure_profile, "instructions": figure_instructions,
           "instructions-child": figure_child}
QUICK = ("profile",)
