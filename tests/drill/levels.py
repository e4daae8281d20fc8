# SPDX-License-Identifier: MIT
"""The service levels (contracts.md), each as a drill measured it, beside its aim.

availability  The drill's time in slots of one second, from the first to the last enqueue of its own
              producer. A slot is up when at least half of the tasks enqueued in it were accepted
              (confirmed, or spooled) within 5 s and began within 5 s of when they were due. A slot
              without an enqueue is down: the producer could not write its intent. No slot is left
              out, whatever was being done to the fleet in it. So this is the availability of a
              fleet that is hit every few seconds; what 99.9 % allows is told beside: a fault costs
              so many seconds, hence one in so many minutes uses up the tenth of a percent.
accepted      Of the producer's enqueues, those confirmed or spooled; no answer counts as no.
recovery      The longest time from the begin of a fault to full health after it (a task enqueued
              after its cause was gone has come back and the queue is short), its duration within.
              A fault that no health follows (180 s) misses the aim whatever the others did.
pipeline      Of all runs of jobfleet.run_pipeline that were asked for, those that ended with status
              success; partial, failed and missing ones are the others.
errors        Of all tasks that came to their end (drill.* and jobfleet.*), those that failed, were
              refused or stand in the dead letters. None was meant to. Beside it: of all attempts,
              those that failed and were repeated though not meant to (drill.retried is)."""

AVAILABLE, RECOVERY_S, PIPELINE, ERRORS = 0.999, 300, 0.95, 0.10
WITHIN = "interval '5 s'"

SLOTS = """
WITH i AS (SELECT date_trunc('second', at) AS slot, task_id, answered_at - at <= {w}
        AND answer IN ('confirmed', 'spooled') AS accepted, answer, coalesce(due, at) AS due
    FROM jobfleet.drill_intents WHERE run = %s AND door IN ('broker', 'sql')),
started AS (SELECT task_id, min(at) AS at FROM jobfleet.drill_begins WHERE run = %s GROUP BY 1),
tried AS (SELECT slot, count(*) AS n,
        count(*) FILTER (WHERE accepted AND s.at - due <= {w}) AS good,
        count(*) FILTER (WHERE answer IN ('confirmed', 'spooled')) AS accepted
    FROM i LEFT JOIN started s USING (task_id) GROUP BY 1),
slots AS (SELECT generate_series(min(slot), max(slot), interval '1 s') AS slot FROM tried)
SELECT count(*), count(*) FILTER (WHERE good * 2 >= n), coalesce(sum(n), 0)::bigint,
    coalesce(sum(accepted), 0)::bigint, coalesce(sum(good), 0)::bigint
FROM slots LEFT JOIN tried USING (slot)""".format(w=WITHIN)

FAULTS = """
SELECT count(*), count(*) FILTER (WHERE healthy_at IS NULL),
    coalesce(max(extract(epoch FROM healthy_at - at)), 0)::float8
FROM jobfleet.drill_injections WHERE run = %s"""

ENDS = """
SELECT count(*) FILTER (WHERE final), count(*) FILTER (WHERE final AND outcome IN
        ('failure', 'rejected', 'revoked')), count(*),
    count(*) FILTER (WHERE outcome = 'retry' AND task <> 'drill.retried'),
    (SELECT count(*) FROM jobfleet.dead_letters WHERE state = 'dead')
FROM jobfleet.ledger WHERE task LIKE 'drill.%' OR task LIKE 'jobfleet.%'"""

# Of each kind of fault, and of all: to full health after its cause is gone.
KINDS = """
SELECT coalesce(what, 'all'), count(*), (percentile_cont(0.5) WITHIN GROUP (ORDER BY took))::float8,
    (percentile_cont(0.99) WITHIN GROUP (ORDER BY took))::float8, max(took)::float8,
    avg(lasted)::float8
FROM (SELECT what, extract(epoch FROM healthy_at - over_at) AS took,
        extract(epoch FROM over_at - at) AS lasted
    FROM jobfleet.drill_injections WHERE run = %s) AS f
GROUP BY ROLLUP (what) ORDER BY what NULLS FIRST"""


def level(name, got, aim, met, words):
    return {"name": name, "got": round(got, 5), "aim": aim, "met": bool(met), "words": words}


def availability(fleet):
    slots, up, tried, accepted, good = fleet.sql(SLOTS, fleet.run, fleet.run)[0]
    faults = fleet.sql(FAULTS, fleet.run)[0][0]
    down = slots - up
    share = up / max(slots, 1)
    words = "%d of %d one-second slots up under %d faults" % (up, slots, faults)
    if faults:
        each = down / faults
        words += "; %.2f s down a fault, so 99.9 %% holds with a fault every %.0f min or rarer" % (
            each, each / (1 - AVAILABLE) / 60)
    return [level("availability", share, AVAILABLE, share >= AVAILABLE, words),
            level("accepted", accepted / max(tried, 1), AVAILABLE,
                  accepted >= AVAILABLE * tried,
                  "%d of %d enqueues; %d accepted and begun within 5 s" % (accepted, tried, good))]


def recovery(fleet):
    count, ill, longest = fleet.sql(FAULTS, fleet.run)[0]
    return level("recovery_s", longest, RECOVERY_S, not ill and longest < RECOVERY_S,
                 "longest of %d faults, its duration within; %d without health" % (count, ill))


def pipeline(account):
    share = account["succeeded"] / max(account["runs"], 1)
    return level("pipeline", share, PIPELINE, share >= PIPELINE, "%d of %d runs succeeded" % (
        account["succeeded"], account["runs"]))


def errors(fleet):
    ended, failed, attempts, again, dead = fleet.sql(ENDS)[0]
    share = max(failed, dead) / max(ended, 1)
    return level("errors", share, ERRORS, share < ERRORS,
                 "%d failed and %d stand in the dead letters, of %d tasks; %d of %d attempts failed and were repeated" % (
                     failed, dead, ended, again, attempts))


def measure(fleet, pipeline_account):
    found = availability(fleet) + [recovery(fleet)]
    if pipeline_account:
        found.append(pipeline(pipeline_account))
    return found + [errors(fleet)]


def kinds(fleet):
    names = ("what", "times", "p50", "p99", "max", "lasts")
    return [dict(zip(names, row)) for row in fleet.sql(KINDS, fleet.run)]


def as_text(found):
    rows = []
    for one in found:
        seconds = one["name"].endswith("_s")
        shown = "%.1f s" % one["got"] if seconds else "%.3f %%" % (100 * one["got"])
        aim = "%d s" % one["aim"] if seconds else "%g %%" % (100 * one["aim"])
        under = seconds or one["name"] == "errors"
        rows.append("%-28s %s, aim %s %s: %s; %s" % (
            one["name"].replace("_s", ""), shown, "under" if under else "at least", aim,
            "met" if one["met"] else "MISSED", one["words"]))
    return "\n".join(rows)
