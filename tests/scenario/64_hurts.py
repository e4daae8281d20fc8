#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 300
"""Where it hurts: a broker whose consumer timeout nobody told us, tasks that kill their child or the
whole worker each time, a hard limit that strikes during COMMIT, a child frozen between its ledger
row and COMMIT, two versions of a program with different routing side by side."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../interop"))
from conformance_bed import Bed, kill, raised, run, wait_for  # noqa: E402
from fleet_worker import Worker  # noqa: E402

TIMEOUT_S = 6
KEYS = "start_budget = 3"


def lost(bed, result, limit_s=60):
    """WorkerLostError for the client, one dead letter whose detail names each death."""
    problem = raised(result, limit_s)
    assert type(problem).__name__ == "WorkerLostError", repr(problem)
    letters = bed.letters(result.id)
    assert len(letters) == 1 and letters[0][0] == "lost", letters
    starts = bed.sql("SELECT starts, causes FROM jobfleet.starts WHERE task_id = %s", result.id)
    print("# %s; starts and causes: %s" % (letters[0][1], starts))
    return letters[0][1], starts


def neighbours(bed, n):
    return [bed.send("mark", kwargs={"work_ms": 20}) for _ in range(n)]


def done_once(bed, results, limit_s=60):
    bed.finals([r.id for r in results], limit_s)
    found = bed.one("SELECT count(*) FROM effects WHERE task_id = ANY(%s)",
                    [r.id for r in results])
    assert found == len(results), "%d effects of %d tasks" % (found, len(results))


def a_task_that_kills_its_child_each_time_hurts_no_neighbour():
    bed = Bed(fleet_conf=KEYS)
    before = bed.workers["one"].process.pid
    first = neighbours(bed, 20)
    poison = [bed.send("kill", number) for number in (9, 4, 6)]    # ASan takes SIGSEGV for itself
    second = neighbours(bed, 20)
    for result, name in zip(poison, ("SIGKILL", "SIGILL", "SIGABRT")):
        reason, _ = lost(bed, result)
        assert name in reason, reason
    done_once(bed, first + second)
    assert bed.workers["one"].process.pid == before, "the worker itself was replaced"
    bed.nothing_is_left()
    bed.close()


def a_task_that_kills_the_whole_worker_each_time_ends_in_the_dead_letters():
    """Whoever ran beside it at two deaths begins alone from then on: only the culprit pays."""
    for who in ("parent", "zygote"):
        bed = Bed(fleet_conf=KEYS)
        first = neighbours(bed, 15)
        poison = bed.send("kill", kwargs={"who": who})
        second = neighbours(bed, 15)
        lost(bed, poison)
        bed.finals([r.id for r in first + second])
        shared = [r for r in first + second if bed.letters(r.id)]
        print("# %d of 30 neighbours shared its end" % len(shared))
        assert not shared, shared
        done_once(bed, first + second)
        assert bed.workers["one"].starts >= 3, bed.workers["one"].starts
        bed.goes_on()
        bed.nothing_is_left()
        bed.close()


SLOW_COMMIT = """
CREATE OR REPLACE FUNCTION public.slow_commit() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.note LIKE 'slow%' THEN PERFORM pg_sleep(2.5); END IF; RETURN NULL; END $$;
DROP TRIGGER IF EXISTS slow_commit ON public.effects;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON public.effects DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION public.slow_commit();
"""


def a_hard_limit_that_strikes_during_COMMIT_leaves_one_truth():
    """The child dies while PostgreSQL commits; what the client hears is what the tables say."""
    bed = Bed(fleet_conf=KEYS)
    bed.sql(SLOW_COMMIT)
    sent = [bed.send("mark", kwargs={"note": "slow %d" % i}, time_limit=limit)
            for i, limit in enumerate((0.5, 1.2, 2.0, 2.4, 2.6, 30))]
    bed.finals([r.id for r in sent])
    told = []
    for result in sent:
        status, effects = bed.meta(result.id)["status"], bed.effects(result.id)
        outcome = bed.sql("SELECT outcome FROM jobfleet.ledger WHERE task_id = %s AND final",
                          result.id)
        told.append(status)
        assert effects == (1 if status == "SUCCESS" else 0), (status, effects, outcome)
        assert outcome == [(status.lower(),)], (status, outcome)
        if status == "FAILURE":
            assert bed.meta(result.id)["result"]["exc_type"] == "TimeLimitExceeded"
    print("# under limits of 0.5, 1.2, 2, 2.4, 2.6 and 30 s a COMMIT of 2.5 s was: %s" % told)
    assert told[-1] == "SUCCESS"
    bed.sql("DROP TRIGGER slow_commit ON public.effects")
    bed.nothing_is_left()
    bed.close()


def a_hard_limit_before_and_after_COMMIT_leaves_one_truth():
    """Frozen at the point, the child cannot end by itself: the limit strikes right there."""
    bed = Bed(fleet_conf=KEYS, faults=True)
    for point, status in (("ledger-row", "FAILURE"), ("before-commit", "FAILURE"),
                          ("after-commit", "SUCCESS")):
        path = bed.arm(point, "STOP")
        result = bed.send("mark", time_limit=1)
        bed.carried_out(path)
        bed.finals([result.id])
        got = bed.meta(result.id)
        assert got["status"] == status, (point, got)
        assert bed.effects(result.id) == (1 if status == "SUCCESS" else 0), point
    bed.nothing_is_left()
    bed.close()


def a_child_frozen_between_ledger_row_and_COMMIT_holds_nobody_for_long():
    """The same task, published twice, goes on beside it once PostgreSQL has cut the frozen one; also
    when the cut comes later than the end of its wait for the lock, as PostgreSQL's process is frozen,
    too: it is tried again, and no start of it is lost."""
    bed = Bed(fleet_conf=KEYS, faults=True)
    path = bed.arm("ledger-row", "STOP")
    result = bed.send("mark")
    bed.carried_out(path)
    frozen = wait_for("somebody is frozen", bed.stopped)
    server = wait_for("its transaction idles", lambda: bed.sql(
        "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'"
        " AND application_name LIKE 'jobfleet%%' AND datname = current_database()"))[0][0]
    kill(server, 19)                    # SIGSTOP
    began = time.monotonic()
    bed.app.send_task("t.mark", task_id=result.id)
    wait_for("its twin waited for the lock in vain",
             lambda: "task not settled, it will run again" in dict(bed.logs())["one.log"])
    kill(server, 18)                    # SIGCONT: it finds that the time is over
    assert result.get(timeout=30) == result.id
    print("# its twin was done after %.1f s" % (time.monotonic() - began))
    assert not bed.sql("SELECT FROM jobfleet.starts WHERE task_id = %s AND starts > 1", result.id)
    kill(frozen, 18)
    bed.goes_on()
    assert bed.effects(result.id) == 1, bed.effects(result.id)
    bed.nothing_is_left()
    bed.close()


def a_consumer_timeout_that_nobody_told_us_costs_the_channel_but_no_task():
    """The broker closes the channel under runs longer than its timeout, though queues.conf says 30
    minutes: the copies change nothing, short tasks go on."""
    bed = Bed(workers=(), dispatcher=True)
    ctl = [os.environ["JOBFLEET_SERVICES"], "ctl", "eval",
           "application:set_env(rabbit, consumer_timeout, %d),"
           "application:set_env(rabbit, channel_tick_interval, %d)."]
    setting = ctl[3]
    bed.services(*ctl[1:3], setting % (TIMEOUT_S * 1000, 1000))
    with bed.lock:
        bed.workers["one"] = Worker(bed, "one", False)
    bed.workers["one"].wait_ready()
    long = [bed.send("steps", kwargs={"n": 1, "work_ms": TIMEOUT_S * 2000})]
    short = []
    for _ in range(TIMEOUT_S * 2):
        short += neighbours(bed, 2)
        time.sleep(1)                   # the pace of the load
    done_once(bed, short)
    bed.finals([long[0].id])
    assert bed.meta(long[0].id)["status"] == "SUCCESS", bed.meta(long[0].id)
    assert bed.effects(long[0].id) == 1
    bed.services(*ctl[1:3], setting % (1800000, 60000))
    bed.nothing_is_left()
    bed.close()


class Version:
    """A fleet as one version of a program sees it: its own name and queues.conf."""

    def __init__(self, bed, program, conf):
        self.program, self.dir, self.least = program, bed.dir, 2
        self.conf = os.path.join(bed.dir, program + ".conf")
        with open(self.conf, "w") as f:
            f.write("fleet {\n\tshutdown = \"60s\"\n}\n" + conf)


SHARED = """
queue conformance {
	program = "%s"
	max_priority = 0
	concurrency = {2, 2}
}
queue %s {
	program = "%s"
	max_priority = 10
}
queue %s {
	program = "other"
	max_priority = 10
}
task t.mark {
	queue = "ranked"
}
task echo.mark {
	queue = "echo"
}
"""


def two_versions_with_different_routing_side_by_side_do_each_task_once():
    """Both consume one queue, each knows tasks the other does not: what comes to the wrong one is
    forwarded to where only the right one listens."""
    bed = Bed(workers=())
    with bed.lock:
        bed.workers["new"] = Worker(Version(bed, "conformance", SHARED % (
            "conformance", "ranked", "conformance", "echo")), "new", False)
        bed.workers["old"] = Worker(Version(bed, "echo", SHARED % (
            "echo", "echo", "echo", "ranked")), "old", False)
    for worker in bed.workers.values():
        worker.wait_ready()
    sent = [bed.app.send_task(name, kwargs={"note": "mark"}, headers={"number": i})
            for i in range(100) for name in ("t.mark", "echo.mark")]
    done_once(bed, sent)
    shares = dict(bed.sql("SELECT queue, count(*) FROM jobfleet.ledger GROUP BY queue"))
    print("# done from each queue: %s" % shares)
    assert shares.get("ranked") and shares.get("echo"), shares
    assert not bed.one("SELECT count(*) FROM jobfleet.dead_letters")
    bed.nothing_is_left()
    bed.close()


run(a_task_that_kills_its_child_each_time_hurts_no_neighbour,
    a_task_that_kills_the_whole_worker_each_time_ends_in_the_dead_letters,
    a_hard_limit_that_strikes_during_COMMIT_leaves_one_truth,
    a_hard_limit_before_and_after_COMMIT_leaves_one_truth,
    a_child_frozen_between_ledger_row_and_COMMIT_holds_nobody_for_long,
    a_consumer_timeout_that_nobody_told_us_costs_the_channel_but_no_task,
    two_versions_with_different_routing_side_by_side_do_each_task_once)
