# SPDX-License-Identifier: MIT
"""The real pipeline beside a drill's own tasks: a local provider, runs of jobfleet.run_pipeline
every now and then, each with postings of its own, and the account of what became of every posting.

A posting is lost when the provider served it and, at the end, it stands in no raw answer or is not
loaded exactly once (one row of job_sources, new or merged). It is there twice when it was loaded
more often than its page is in the archive: a page whose task died between the answer and its row is
rightly asked for again."""

import base64
import json
import os
import re
import subprocess
import threading
import time
import urllib.request
import uuid

import psycopg2

from fleet_worker import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
QUEUE = "job_collection_requests"
PROGRAMS = ("collection", "processing", "loading")
PAGES, PAGE = 2, 6
TRADES = ("Welder", "Potter", "Glazier", "Baker", "Surveyor", "Librarian", "Florist", "Brewer",
          "Roofer", "Tailor", "Plumber", "Gardener")
# what an outage outlasts comes to its end within the drill
DEAD_LETTERS = "\tdead_letter_retry = 5s\n\tdead_letter_retries = 20\n"
PICKUP = "schedule raw_pickup {\n\tevery = 5s\n\ttask = jobfleet.pick_up_raw\n}\n"
STATE = """SELECT (SELECT count(*) FROM raw_job_collections WHERE processing_status IN
        ('pending', 'processing')),
    (SELECT count(*) FROM processed_job_data WHERE load_status = 'pending')"""
ARCHIVED = """SELECT j ->> 'job_id', count(*) FROM raw_job_collections,
    jsonb_array_elements(raw_response -> 'data' -> 'jobs') AS j
    WHERE http_status = 200 GROUP BY 1"""
LOADED = "SELECT external_id, count(*), sum(times_seen) FROM job_sources GROUP BY 1"
ENDED = """SELECT task_id, outcome, meta::jsonb -> 'result' ->> 'status',
        extract(epoch FROM settled_at)::float8
    FROM jobfleet.ledger WHERE final AND task = 'jobfleet.run_pipeline'"""


def postings_of(word):
    """What the provider has for this search."""
    for i, trade in enumerate(TRADES[:PAGES * PAGE]):
        maker = uuid.uuid5(uuid.NAMESPACE_DNS, "%s %d" % (word, i)).hex
        name = "".join(chr(ord("a") + int(c, 16)) for c in maker[:9]).capitalize()
        yield {"job_id": "%s-%d" % (word, i), "job_title": "%s %s" % (trade, word),
               "employer_name": name + " Works", "job_publisher": "Indeed", "job_city": "Austin",
               "job_state": "Texas", "job_country": "US", "job_employment_type": "Full-time",
               "job_description": "%s Works looks for a %s. " % (name, trade) * 4,
               "job_apply_link": "https://jobs.example.com/view/" + maker}


def shipped_conf(fleet_block):
    """queues.conf, with nothing that fires by itself but the look for raw files."""
    with open(os.path.join(TOP, "queues.conf"), encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"^(schedule|alert) .*?^}\n", "", text, flags=re.M | re.S)
    text = re.sub(r"^queue drill .*?^}\n", "", text, flags=re.M | re.S)
    text = re.sub(r"^source (?!jsearch\b)\w+ \{\n(\tenabled = .*\n)?",
                  lambda m: m.group().split("\n")[0] + "\n\tenabled = no\n", text, flags=re.M)
    text = text.replace("monthly_quota = 200", "monthly_quota = 1000000")
    block = fleet_block + DEAD_LETTERS
    return re.sub(r"^fleet \{\n", lambda _: block, text, 1, re.M) + PICKUP


class Postings:
    """The provider and the runs that were asked for."""

    def __init__(self, directory, run, most):
        self.run, self.most, self.asked, self.lock = run, most, {}, threading.Lock()
        self.stop = threading.Event()
        data = os.path.join(directory, "provider")
        os.makedirs(os.path.join(data, "jsearch"))
        rows = [row for n in range(most) for row in postings_of(self.word(n))]
        with open(os.path.join(data, "jsearch/drill.json"), "w") as f:
            json.dump({"parameters": {"country": "us"}, "data": rows}, f)
        self.journal, port = os.path.join(directory, "journal"), os.path.join(directory, "port")
        self.process = subprocess.Popen(
            [os.path.join(TOP, "tests/providers/server"), "--data", data, "--port-file", port,
             "--match", "words", "--log", self.journal, "--page-size", str(PAGE), "--quota",
             "1000000", "--die-with-parent"])
        wait_for("the provider", lambda: os.path.exists(port))
        with open(port) as f:
            self.base = "http://127.0.0.1:%d" % int(f.read())
        self.env = {"JOBFLEET_SOURCE_JSEARCH_URL": self.base + "/jsearch", "RAPIDAPI_KEY": "drill",
                    "ETL_REQUESTS_PER_MINUTE": "60000"}

    def word(self, number):
        return "drill%d" % number

    # ---- runs ----

    def order(self, fleet):
        """A new run, its intent first; its number, or None when all were asked for."""
        with self.lock:
            number = len(self.asked)
            if number >= self.most:
                return None
            task_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "%s/run %d" % (self.run, number)))
            self.asked[task_id] = {"at": time.time(), "answer": None}
        try:
            fleet.sql("SELECT jobfleet.enqueue('jobfleet.run_pipeline', kwargs => %s, queue => %s,"
                      " task_id => %s)", json.dumps({"query": self.word(number),
                                                     "num_pages": PAGES}), QUEUE, task_id)
        except psycopg2.IntegrityError:
            pass        # the enqueue before a lost connection did commit
        self.asked[task_id]["answer"] = time.time()
        return number

    def keep_ordering(self, fleet, every_s):
        while not self.stop.wait(every_s) and self.order(fleet) is not None:
            pass

    def begin(self, fleet, every_s):
        self.thread = threading.Thread(target=self.keep_ordering, args=(fleet, every_s),
                                       daemon=True)
        self.thread.start()

    def delay(self, seconds, count):
        body = json.dumps({"provider": "jsearch", "kind": "delay", "seconds": seconds,
                           "count": count}).encode()
        urllib.request.urlopen(urllib.request.Request(
            self.base + "/_fault", data=body, method="POST"), timeout=10).close()

    def calls(self):
        with urllib.request.urlopen(self.base + "/_stats", timeout=10) as answer:
            return json.load(answer)["total"]

    # ---- the account ----

    def served(self):
        """Each posting that was answered, and how often."""
        found = {}
        if not os.path.exists(self.journal):
            return found
        with open(self.journal) as f:
            for line in map(json.loads, f):
                if line["status"] != 200 or line["path"] != "/search-v2":
                    continue
                cursor = base64.urlsafe_b64decode(line["query"].get("cursor", "")).decode()
                first = int(cursor.rpartition(":")[2] or 0)
                for i in range(first, min(first + PAGE, PAGES * PAGE)):
                    name = "%s-%d" % (line["query"]["query"].split()[0], i)
                    found[name] = found.get(name, 0) + 1
        return found

    def finish(self, fleet, wait_s):
        """Waits for the end of all runs."""
        self.stop.set()
        self.thread.join()
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            ended = {row[0] for row in fleet.sql(ENDED)}
            if set(self.asked) <= ended and fleet.sql(STATE)[0] == (0, 0) and not self.files(fleet):
                return
            time.sleep(0.2)

    def files(self, fleet):
        path = os.path.join(fleet.data, "raw_collections/waiting")
        return len(os.listdir(path)) if os.path.isdir(path) else 0

    def account(self, fleet):
        ended = {row[0]: row[1:] for row in fleet.sql(ENDED)}
        archived = dict(fleet.sql(ARCHIVED))
        loaded = {row[0]: (row[1], int(row[2])) for row in fleet.sql(LOADED)}
        served, pending = self.served(), fleet.sql(STATE)[0]
        took = sorted(ended[i][2] - a["at"] for i, a in self.asked.items() if i in ended)
        picked = "SELECT count(*) FROM raw_job_collections WHERE metadata ? 'picked_up'"
        return {
            "runs": len(self.asked),
            "succeeded": sum(ended.get(i, ("",))[:2] == ("success", "success") for i in self.asked),
            "partial": sum(ended.get(i, ("",))[:2] == ("success", "partial") for i in self.asked),
            "lost_runs": len(set(self.asked) - set(ended)),
            "run_s": {"p50": round(took[len(took) // 2], 2), "max": round(took[-1], 2)}
            if took else None,
            "postings_served": len(served), "served_again": sum(served.values()) - len(served),
            "archived": len(set(archived) & set(served)),
            "archived_again": sum(archived.values()) - len(archived),
            "loaded": len(set(loaded) & set(served)),
            "lost": sorted(set(served) - (set(archived) & set(loaded))),
            "twice": sorted(i for i, (rows, seen) in loaded.items()
                            if rows > 1 or seen > archived.get(i, 0)),
            "unexpected": sorted((set(loaded) | set(archived)) - set(served)),
            "waiting": sum(pending), "raw_files_waiting": self.files(fleet),
            "raw_files_taken_in": fleet.one(picked),
            "dead": fleet.sql("SELECT task_id, task, reason FROM jobfleet.dead_letters"
                              " WHERE task LIKE 'jobfleet.%' AND state = 'dead' LIMIT 20"),
        }

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def problems_of(account):
    """In words; a run that was not successful is a figure, no broken promise."""
    return ["pipeline: %s %s" % (what.replace("_", " "), account[what])
            for what in ("lost_runs", "lost", "twice", "unexpected", "waiting", "raw_files_waiting",
                         "dead") if account[what]]
