#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 240
"""Processing dies: at each named point of a collection (built with FAULTS=1), and of rows that end
whatever reads them. Each collection has one effect, and a row that kills costs only itself."""

import glob
import json
import os
import subprocess

from pipeline_bed import Bed, run, wait_for

POINTS = ("processing.opened", "processing.written", "processing.enqueued")

bed = Bed(faults=True, fleet_conf='\tprocessing_steps = "crash"\n\tlease = 5s\n')
ORDER = os.path.join(bed.dir, "die")
bed.run("dispatcher")
loader = bed.run("loading")


def rows(*titles):
    return [{"job_title": title, "employer_name": "Acme %d" % n, "job_id": title, "job_city":
             "Tulsa", "job_state": "OK", "job_country": "US"} for n, title in enumerate(titles)]


def one_effect(collection, processed, failed):
    wait_for("it is loaded", lambda: bed.loaded(collection))
    found = bed.sql("SELECT jobs_processed, jobs_failed, jobs_loaded, status FROM"
                    " job_processing_log WHERE collection_id = %s", collection)
    assert found == [(processed, failed, processed, "partial" if failed else "completed")], found
    assert bed.dead() == [], bed.dead()


def killed_at_each_point_a_collection_has_one_effect():
    for point in POINTS:
        with open(ORDER, "w"):
            pass
        bed.env["JOBFLEET_FAULT"] = point + ":" + ORDER
        worker = bed.run("processing", "processing-" + point)
        collection = bed.collect(rows("Baker " + point, "Cook " + point))
        bed.send("jobfleet.process_collection", collection)
        wait_for("the death at " + point, lambda: not os.path.exists(ORDER))
        one_effect(collection, 2, 0)
        bed.stop(worker)
    bed.env.pop("JOBFLEET_FAULT")


def a_row_that_kills_its_reader_is_refused_and_the_others_load():
    worker = bed.run("processing", "processing-poison")
    collection = bed.collect(rows("Baker", "Crash test driver", "Cook", "crashing bore", "Glazier"))
    bed.send("jobfleet.process_collection", collection)
    one_effect(collection, 3, 2)
    errors = bed.one("SELECT errors FROM job_processing_log WHERE collection_id = %s", collection)
    assert [(e["job_index"], e["error_type"], e["raw_data"]["job_title"]) for e in errors] == [
        (1, "crashed", "Crash test driver"), (3, "crashed", "crashing bore")], errors
    assert "row 1 of this collection ends the process that reads it" in worker.text()
    bed.stop(worker)


def the_same_collection_to_two_processors_at_once_has_one_effect():
    workers = [bed.run("processing", "processing-%d" % n) for n in range(2)]
    collections = [bed.collect(rows("Roofer %d" % n, "Tiler %d" % n)) for n in range(20)]
    for collection in collections:
        bed.send("jobfleet.process_collection", collection)
        bed.send("jobfleet.process_collection", collection)
    for collection in collections:
        one_effect(collection, 2, 0)
    wait_for("every copy ended", lambda: bed.one(
        "SELECT count(*) FROM jobfleet.ledger WHERE task = 'jobfleet.process_collection'"
        " AND outcome = 'success'") == len(POINTS) + 1 + 2 * len(collections))
    bed.stop(*workers)


def standing_copies_hold_postings_and_refusals():
    found = {kind: [json.load(open(path)) for path in sorted(glob.glob(os.path.join(
        bed.dir, "data", kind, "*/*/*/%s_*.json" % name)))]
        for kind, name in (("processed_data", "processed"), ("failed_processing", "failed"))}
    by_collection = {c["collection_id"]: c for c in found["processed_data"]}
    for collection, count in bed.sql("SELECT collection_id::text, jobs_processed FROM"
                                     " job_processing_log"):
        assert len(by_collection[collection]["postings"]) == count, by_collection[collection]
    crashed = found["failed_processing"][0]["errors"]
    assert [e["error_type"] for e in crashed] == ["crashed", "crashed"], crashed


def other_rules_reprocess_everything_in_the_background():
    worker = bed.run("processing", "processing-again")
    bed.sql("UPDATE job_processing_log SET metrics = metrics || '{\"rules_version\": 1}'")
    # as if titles had been read differently then: neither key nor link nor text tells the row again
    bed.sql("UPDATE enhanced_jobs SET dedupe_key = 'x' || dedupe_key, dedupe_title = 'x' ||"
            " dedupe_title, near_keys = NULL")
    was = bed.one("SELECT count(DISTINCT collection_id) FROM job_processing_log")
    before = bed.sql("SELECT id, dedupe_key, xmin::text FROM enhanced_jobs ORDER BY 1")
    subprocess.run([os.path.join(bed.bin, "jobfleet"), "reprocess", "--outdated", "--limit=7"],
                   env=bed.env, check=True, stdout=subprocess.DEVNULL)
    wait_for("all are by today's rules", lambda: bed.one(
        "SELECT count(DISTINCT collection_id) FROM job_processing_log WHERE loaded_at IS NOT NULL"
        " AND (metrics->>'rules_version')::int > 1") == was)
    assert bed.one("SELECT count(*) FROM job_processing_log") == 2 * was
    assert bed.one("SELECT count(*) FROM jobfleet.ledger WHERE task = 'jobfleet.reprocess'") \
        == was // 7 + 1
    assert before == bed.sql("SELECT id, dedupe_key, xmin::text FROM enhanced_jobs ORDER BY 1")
    bed.stop(worker)


run(bed, killed_at_each_point_a_collection_has_one_effect,
    a_row_that_kills_its_reader_is_refused_and_the_others_load,
    the_same_collection_to_two_processors_at_once_has_one_effect,
    standing_copies_hold_postings_and_refusals,
    other_rules_reprocess_everything_in_the_background)
