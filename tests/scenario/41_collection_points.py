#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 120
"""The collection program dies at each named point of a page (built with FAULTS=1): one page row and
one hand-over each, and only the answer that was not stored yet is asked for again."""

import os
import sys

from collection_bed import LIMIT_S, QUEUE, TEMP, Fleet, run_all, wait_for

# point: how many requests for two pages, one death included
POINTS = {
    "collection.answered": 3,
    "collection.stored": 2,
    "collection.judged": 2,
    "collection.settled": 2,
}

fleet = Fleet(faults=True)
ORDER = os.path.join(TEMP, "die")


def arm(point):
    fleet.worker.terminate()
    fleet.worker.wait(LIMIT_S)
    with open(ORDER, "w"):
        pass
    fleet.env["JOBFLEET_FAULT"] = point + ":" + ORDER
    fleet.start()


def killed_after_collecting_a_pipeline_goes_on_at_its_other_stages():
    arm("collection.collected")
    task = fleet.app.send_task("jobfleet.run_pipeline", args=["engineer"], queue=QUEUE,
                               kwargs={"num_pages": 2, "refresh": True})
    wait_for("the death", lambda: not os.path.exists(ORDER))
    # nobody processes here
    assert len(fleet.sql("UPDATE raw_job_collections SET processing_status = 'completed' WHERE"
                         " run_id = %s RETURNING 1", task.id)) == 2
    result = task.get(timeout=LIMIT_S)
    assert result["status"] == "success" and result["answers"] == 2, result
    assert len(fleet.provider.asked()) == 2, fleet.provider.asked()
    assert sorted(set(fleet.handed_on())) == sorted(result["collection_ids"])


def dies_at(point):
    def test():
        arm(point)
        task = fleet.collect("engineer", num_pages=2)
        wait_for("the death at " + point, lambda: not os.path.exists(ORDER))
        result = task.get(timeout=LIMIT_S)
        fleet.check_run(result, 2)
        asked = fleet.provider.asked()
        assert len(asked) == POINTS[point], asked
    return test


sys.exit(run_all(fleet, [("killed at " + point + ", nothing is lost or doubled", dies_at(point))
                         for point in POINTS] + [
    ("killed after collecting, a pipeline goes on at its other stages",
     killed_after_collecting_a_pipeline_goes_on_at_its_other_stages)]))
