#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Each of the six salary tasks dies once at each point that matters (built with FAULTS=1): its effects
come once, its counters are right, no figure is wrong, and no source is asked for more than what the
dead one had not yet committed."""

import json
import os
import subprocess

from salary_bed import passed, SalaryBed, wait_for

NAME = "backend.tasks.salary_data_tasks."
JOBS = ["Software Engineer", "Data Scientist", "DBA"]
PLACES = ["Boston, MA", "New York, NY"]
bed = SalaryBed(programs=(), faults=True)
enqueue, result = bed.enqueue, bed.result
ORDER = os.path.join(bed.dir, "die")


def run(task, *args):
    return result(enqueue(task, *args))


def dying_at(point, task, *args, program="salary"):
    """The answer of a task whose first run ends at the point."""
    with open(ORDER, "w"):
        pass
    bed.env["JOBFLEET_FAULT"] = point + ":" + ORDER
    bed.start(program)
    name = enqueue(task, *args)
    wait_for("the death at " + point, lambda: not os.path.exists(ORDER))
    answer = result(name)
    assert answer["status"] == "success", (point, answer)
    rows = bed.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = %s AND final", name)
    assert rows == 1, (point, rows)
    bed.env.pop("JOBFLEET_FAULT")
    bed.stop()
    return answer


def with_program(work, program="salary"):
    bed.start(program)
    answer = work()
    bed.stop()
    return answer


def asked():
    return {provider: sum(n for paths in calls.values() for n in paths.values())
            for provider, calls in bed.control("GET", "/_stats")["calls"].items()}


def figures():
    return bed.sql("SELECT location, occupation, data_source, median_salary, year FROM"
                   " salary_benchmarks ORDER BY 1, 2, 3")


def tracked():
    return bed.sql("SELECT data_type, count(*) FROM salary_data_cache WHERE is_active GROUP BY 1"
                   " ORDER BY 1")


def a_fetch():
    request = {"location": "Boston, MA", "occupation": "Data Scientist"}
    bed.clean()
    with_program(lambda: run("fetch_salary_data", request))
    want, once, entries = figures(), asked(), tracked()
    for point in ("before-step", "after-step", "after-commit"):
        bed.clean()
        answer = dying_at(point, "fetch_salary_data", request)
        assert figures() == want and tracked() == entries, (point, figures(), tracked())
        assert answer["data_count"] == len(want), (point, answer)
        twice = {source: 2 * n for source, n in once.items()}
        for source, n in asked().items():
            assert n <= (twice if point == "before-step" else once)[source], (point, asked(), once)
        again = with_program(lambda: run("fetch_salary_data", request))
        assert again["cache_hit"], (point, again)
    passed("a fetch that dies stores its figures once and asks again only for what was not stored")


def a_sync():
    bed.clean()
    first = with_program(lambda: run("sync_salary_data", JOBS, PLACES))
    want, once, entries = figures(), asked(), tracked()
    assert sum(once.values()) == first["calls"], (once, first)
    for point in ("sync.called", "after-step", "sync.gathered", "sync.kept", "after-commit"):
        bed.clean()
        answer = dying_at(point, "sync_salary_data", JOBS, PLACES)
        assert figures() == want and tracked() == entries, (point, figures(), tracked())
        assert (answer["pairs"], answer["synced"], answer["fresh"]) == (6, 6, 0), (point, answer)
        lost = 1 if point == "sync.called" else 0
        assert sum(asked().values()) == first["calls"] + lost, (point, asked(), once)
        assert answer["calls"] == first["calls"], (point, answer)
    passed("a sync that dies goes on where it was: at most the call under way is made again")


def a_refresh():
    keys = len(PLACES)
    for point in ("before-step", "after-step", "before-commit"):
        bed.clean()
        with_program(lambda: [run("fetch_salary_data", {"location": place, "occupation": "DBA"})
                              for place in PLACES])
        want, once = figures(), asked()
        answer = dying_at(point, "refresh_salary_cache", "salary_data:*")
        assert figures() == want, (point, figures())
        assert answer["keys_found"] == keys and answer["failed"] == 0, (point, answer)
        more = {source: n * 2 + (n if point == "before-step" else 0) for source, n in once.items()}
        for source, n in asked().items():
            assert n <= more[source], (point, asked(), once)
    passed("a refresh that dies leaves every answer once, with the figures it had")


def upkeep():
    for point in ("handler-done", "before-commit", "after-commit"):
        bed.clean()
        with_program(lambda: [run("fetch_salary_data", {"location": "Boston, MA",
                                                        "occupation": "DBA"}) for _ in range(4)])
        answer = dying_at(point, "monitor_cache_performance")
        assert (answer["total_hits"], answer["total_misses"]) == (3, 1), (point, answer)
        stray = b"salary_data:nowhere:nobody:us:us:any:any:any:latest"
        bed.redis.set(stray, b"[{},[]]")
        answer = dying_at(point, "cleanup_expired_cache")
        assert not bed.redis.exists(stray), (point, answer)
        hits = bed.one("SELECT cache_hits FROM salary_data_cache WHERE data_type = 'salary_data'")
        assert hits == 3, (point, hits)
        hit = with_program(lambda: run("fetch_salary_data", {"location": "Boston, MA",
                                                             "occupation": "DBA"}))
        assert hit["cache_hit"], (point, hit)
    passed("monitor and clean-up that die count no hit twice, lose none and leave no stray entry")


def scores():
    bed.clean()
    with_program(lambda: run("fetch_salary_data", {"location": "Boston, MA", "occupation": "DBA"}))
    query = ("SELECT data_type, overall_confidence_score, source_reliability_score FROM"
             " confidence_scores WHERE location = 'Boston, MA' ORDER BY 1")
    with_program(lambda: run("update_confidence_scores", "Boston, MA", "DBA"), "confidence")
    want = bed.sql(query)
    assert want, "no scores"
    for point in ("before-commit", "after-commit"):
        bed.sql("TRUNCATE confidence_scores")
        answer = dying_at(point, "update_confidence_scores", "Boston, MA", "DBA",
                          program="confidence")
        assert bed.sql(query) == want, (point, bed.sql(query), want)
        assert answer["scores_updated"] == len(want), (point, answer)
    passed("scores of a run that dies stand once, with the same figures")


def outcomes(name):
    return bed.sql("SELECT outcome, retries FROM jobfleet.ledger WHERE task_id = %s ORDER BY retries",
                   name)


def failures():
    """What no retry rule would call transient: a table that is not there."""
    bed.clean()
    for program in ("salary", "confidence"):
        bed.start(program)
    run("fetch_salary_data", {"location": "Boston, MA", "occupation": "DBA"})
    calls = (("fetch_salary_data", 60, {"location": "Austin, TX", "occupation": "DBA"}),
             ("refresh_salary_cache", 120, "salary_data:*"),
             ("update_confidence_scores", 300, "Boston, MA"))
    bed.sql("ALTER TABLE salary_benchmarks RENAME TO benchmarks_away")
    try:
        for task, backoff_s, *args in calls:
            name = enqueue(task, *args)
            wait_for("a retry of " + task, lambda: outcomes(name))
            assert outcomes(name)[0] == ("retry", 0), (task, outcomes(name))
            late = bed.one("SELECT extract(epoch FROM max(p.due) - max(l.settled_at)) FROM"
                           " jobfleet.pending p JOIN jobfleet.ledger l USING (task_id)"
                           " WHERE task_id = %s", name)
            assert late is None or late <= backoff_s * 2, (task, late)
    finally:
        bed.sql("ALTER TABLE benchmarks_away RENAME TO salary_benchmarks")
    for task, *args in (("fetch_salary_data", {"location": "Boston, MA"}),
                        ("fetch_salary_data", {"location": "Xyzzyville", "occupation": "DBA"}),
                        ("refresh_salary_cache", ""), ("update_confidence_scores", 42)):
        name = enqueue(task, *args)
        wait_for("the end of " + task, lambda: outcomes(name))
        assert outcomes(name) == [("failure", 0)], (task, outcomes(name))
    bed.stop()
    passed("any failure of fetch, refresh and scores comes again later, a wrong call fails at once")


for part in (a_fetch, a_sync, a_refresh, upkeep, scores, failures):
    part()
