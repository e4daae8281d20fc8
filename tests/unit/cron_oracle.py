#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Expected fires for test_cron, from calculators that share no line with common/base/cron.

usage: cron_oracle.py random     random expressions in UTC, by Debian's croniter
       cron_oracle.py changes    days around clock changes, by trying every minute with zoneinfo
       cron_oracle.py zones      two years of every distinct zone: croniter's local times, put on the
                                 time line by zoneinfo; around each change. JOBFLEET_CRON_ZONES=all:
                                 all zones, ten years, every day

Each line: expression TAB zone TAB start TAB the fires after it, blank separated (seconds since the
epoch). Ends with status 77 where croniter is not installed.
"""

import datetime
import os
import random
import sys
import zoneinfo

UTC = datetime.timezone.utc
MINUTE, DAY = 60, 86400


def field(rng, first, last, names=()):
    def value():
        v = rng.randint(first, last)
        return names[v - first] if names and rng.random() < 0.4 else str(v)

    def item():
        kind = rng.random()
        if kind < 0.5:
            return value()
        low, high = sorted(rng.sample(range(first, last + 1), 2))
        if kind < 0.75:
            return "%d-%d" % (low, high)
        step = rng.randint(1, max(1, (last - first) // 2))
        return "%d-%d/%d" % (low, high, step) if kind < 0.9 else "*/%d" % step

    return "*" if rng.random() < 0.4 else ",".join(item() for _ in range(rng.randint(1, 3)))


MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()


def expressions(rng):
    """Ours and croniter's spelling, which puts the second last and the L in front."""
    while True:
        second = field(rng, 0, 59) if rng.random() < 0.4 else None
        minute, hour = field(rng, 0, 59), field(rng, 0, 23)
        day, month, weekday = field(rng, 1, 28), field(rng, 1, 12, MONTHS), field(rng, 0, 6, DAYS)
        theirs = weekday
        kind = rng.random()
        if kind < 0.1:
            day, weekday, theirs = "L", "*", "*"
        elif kind < 0.2:
            n, nth = rng.randint(0, 6), rng.randint(1, 4)
            day, weekday = "*", "%d#%d" % (n, nth)
            theirs = weekday
        elif kind < 0.3:
            n = rng.randint(0, 6)
            day, weekday, theirs = "*", "%dL" % n, "L%d" % n
        elif "*" in weekday or rng.random() < 0.7:
            # where both are given, a list that happens to cover all days means "*" to us only
            day = "*"
        five = " ".join([minute, hour, day, month, weekday])
        yours = " ".join([minute, hour, day, month, theirs])
        yield (five, yours) if second is None else (second + " " + five, yours + " " + second)


def by_croniter():
    try:
        from croniter import croniter
    except ImportError:
        sys.exit(77)
    rng = random.Random(20261121)
    source = expressions(rng)
    for _ in range(600):
        ours, theirs = next(source)
        start = rng.randint(946684800, 2208988800)
        walk = croniter(theirs, datetime.datetime.fromtimestamp(start, UTC))
        fires = [int(walk.get_next(float)) for _ in range(6)]
        print(ours, "UTC", start, " ".join(map(str, fires)), sep="\t")


CHANGES = [     # gap and repeat: midnight, half an hour, a whole day, both hemispheres
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Santiago", "2025-09-07"), ("America/Santiago", "2026-04-05"),
    ("America/Havana", "2026-03-08"), ("America/Havana", "2026-11-01"),
    ("Africa/Cairo", "2024-04-26"), ("Africa/Cairo", "2024-11-01"),
    ("Pacific/Apia", "2011-12-30"), ("Africa/Casablanca", "2026-02-15"),
    ("Asia/Kathmandu", "1986-01-01"), ("Antarctica/Troll", "2026-03-29"),
    ("Antarctica/Troll", "2026-10-25"), ("Asia/Tokyo", "2026-06-01"),
]
EVERY = set(range(24))
TIMES = [       # expression, hours, minutes
    ("30 2 * * *", {2}, {30}), ("0 0 * * *", {0}, {0}), ("15 0 * * *", {0}, {15}),
    ("0,30 1-3 * * *", {1, 2, 3}, {0, 30}), ("*/20 */2 * * *", set(range(0, 24, 2)), {0, 20, 40}),
    ("59 23 * * *", {23}, {59}), ("45 1 * * *", {1}, {45}), ("10 0-22 * * *", set(range(23)), {10}),
    ("0 * * * *", EVERY, {0}), ("*/7 * * * *", EVERY, set(range(0, 60, 7))),
    ("50 * * * *", EVERY, {50}),
]


def by_trying():
    """The rules of cron.h taken literally, over every minute of five days."""
    for name, day in CHANGES:
        zone = zoneinfo.ZoneInfo(name)
        middle = int(datetime.datetime.fromisoformat(day + "T12:00+00:00").timestamp())
        instants = range(middle - 3 * DAY, middle + 3 * DAY, MINUTE)
        shown = {}          # local minute -> first instant that shows it
        local_of = {}
        for t in instants:
            local = datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None)
            local_of[t] = local
            shown.setdefault(local, t)
        first, last = local_of[instants[0]], local_of[instants[-1]]
        wanted, step = [], datetime.timedelta(minutes=1)
        while first <= last:
            wanted.append(first)
            first += step
        # seen from behind, a minute that is never shown comes when the next shown one does
        arrives, later = {}, instants[-1]
        for local in reversed(wanted):
            later = shown.get(local, later)
            arrives[local] = later
        for text, hours, minutes in TIMES:
            if hours == EVERY:
                fires = [t for t in instants if local_of[t].minute in minutes]
            else:
                fires = sorted({arrives[w] for w in wanted
                                if w.hour in hours and w.minute in minutes})
            start, end = instants[0] + DAY, instants[-1] - DAY
            fires = [t for t in fires if start < t < end]
            print(text, name, start, " ".join(map(str, fires)), sep="\t")


# Times of day, and times of rare days; every expression with all hours is by_trying's.
DAILY = ["30 2 * * *", "0 0 * * *", "0,45 1-3 * * *", "15 23 * * *"]
RARE = ["0 2 L * *", "30 1 * * 0#2", "0 3 * * MON-FRI", "59 0 1 */3 *", "30 0 29 2 *"]
FROM = datetime.datetime(2026, 1, 1)


def instant(local, zone, fold):
    return int(local.replace(tzinfo=zone, fold=fold).timestamp())


def changes_of(zone, days):
    """The instants at which its offset changes."""
    def offset(t):
        return datetime.datetime.fromtimestamp(t, zone).utcoffset()

    start, found = int(FROM.replace(tzinfo=UTC).timestamp()) - DAY, []
    for t in range(start, start + days * DAY, DAY):
        low, high = t, t + DAY
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append((high, offset(t), offset(t + DAY)))
    return found


def on_time_line(local, zone, changes):
    """The first instant that shows it; of one that no clock shows, the end of its gap."""
    first, second = instant(local, zone, 0), instant(local, zone, 1)
    if second >= first:
        return first
    return next(t for t, _, _ in changes if second < t <= first)


def by_zones():
    try:
        from croniter import croniter
    except ImportError:
        sys.exit(77)
    every = os.environ.get("JOBFLEET_CRON_ZONES") == "all"
    years = 10 if every else 2
    end = FROM.replace(year=FROM.year + years)
    days = (end - FROM).days + 2
    locals_ = {}
    for text in DAILY + RARE:
        walk, times = croniter(text, FROM - datetime.timedelta(days=1)), []
        while not times or times[-1] < end:
            times.append(walk.get_next(datetime.datetime))
        locals_[text] = times[:-1]
    seen = set()
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}):
        if name.startswith(("right/", "posix/")):
            continue
        zone = zoneinfo.ZoneInfo(name)
        changes = changes_of(zone, days)
        key = tuple((t, a, b) for t, a, b in changes)
        if not every and (not changes or key in seen):
            continue
        seen.add(key)
        for text, times in locals_.items():
            fires = sorted({on_time_line(t, zone, changes) for t in times})
            for at in [None] if every or text in RARE else [t for t, _, _ in changes]:
                near = [f for f in fires if at is None or at - 2 * DAY < f < at + 2 * DAY]
                if len(near) > 1:
                    print(text, name, near[0], " ".join(map(str, near[1:])), sep="\t")


if __name__ == "__main__":
    {"random": by_croniter, "changes": by_trying, "zones": by_zones}[sys.argv[1]]()
