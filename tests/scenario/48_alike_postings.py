#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: own
# timeout: 120
"""Postings that repeat others in other words, postings that come back after weeks, vectors from an
endpoint with its faults, and the search over all of them, through the programs themselves."""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import urllib.request
import uuid

import psycopg2

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from fleet_worker import wait_for  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BIN = os.environ["JOBFLEET_BIN"]
DIR = tempfile.mkdtemp()
LIMIT_S = 60

sys.stdout.reconfigure(line_buffering=True)
sys.path.insert(0, os.path.join(TOP, "tests/bench"))
sys.dont_write_bytecode = True
import duplicates_generator    # noqa: E402
import score_duplicates    # noqa: E402

failed = False


def check(sentence, good, note=""):
    global failed
    print("%s - %s%s" % ("ok" if good else "not ok", sentence, "" if good else ": %s" % (note,)))
    failed = failed or not good


def call(program, *words, conf="", key=None):
    """One run of a program under a queues.conf with these fleet lines."""
    path = os.path.join(DIR, "queues.conf")
    with open(os.path.join(TOP, "queues.conf"), encoding="utf-8") as f:
        shipped = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^fleet \{", "fleet {\n" + conf.replace("\\", "\\\\"), shipped, count=1))
    env = dict(os.environ, JOBFLEET_CONFIG=path)
    if key:
        env["JOBFLEET_EMBEDDING_KEY"] = key
    return subprocess.run([os.path.join(BIN, program), *words], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT_S)


class Bed:
    def __init__(self):
        done = call("jobfleet", "migrate")
        assert done.returncode == 0, done.stderr
        self.pg = psycopg2.connect(os.environ["JOBFLEET_DATABASE_URL"])
        self.pg.autocommit = True

    def sql(self, text, *args):
        with self.pg.cursor() as c:
            c.execute(text, args or None)
            return c.fetchall() if c.description else None

    def load(self, rows, conf="", demo=False):
        """One collection through processing and loading; what processing answered."""
        collection = str(uuid.uuid4())
        self.sql("INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
                 " raw_response, is_demo) VALUES (%s, 'jsearch', '{\"country\": \"us\"}', %s, %s)",
                 collection, json.dumps({"status": "OK", "data": rows}), demo)
        done = call("jobfleet-processing", "--run", "jobfleet.process_collection",
                    json.dumps({"collection_id": collection}), conf=conf)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        done = call("jobfleet-loading", "--run", "jobfleet.load_processed",
                    json.dumps({"processing_id": answer["processing_id"]}), conf=conf)
        assert done.returncode == 0, done.stderr
        return answer

    def jobs(self, title):
        return self.sql("SELECT id, repost_of, status, dedupe_key, company, embedding_model FROM"
                        " enhanced_jobs WHERE title LIKE %s ORDER BY first_seen, posted_at", title)


def words(seed, n):
    rng = random.Random(seed)
    return " ".join("".join(rng.choice("abcdefghij") for _ in range(6)) for _ in range(n))


def row(number, title, company="Acme", text=None, **more):
    return dict({"job_id": "j%d" % number, "job_title": title, "employer_name": company,
                 "job_city": "Austin", "job_state": "TX", "job_country": "US",
                 "job_description": text or words(title, 200)}, **more)


# ---- duplicates ----

def labelled_pairs(bed):
    pairs, _ = duplicates_generator.pairs(400, 7, "/nowhere")
    bed.load([r for i, p in enumerate(pairs) if i % 3 == 0 for r in p[3:]])
    bed.load([p[3] for i, p in enumerate(pairs) if i % 3])
    bed.load([p[4] for i, p in enumerate(pairs) if i % 3])
    precision, recall, wrong = score_duplicates.score(pairs, score_duplicates.loaded_as(bed.pg),
                                                      say=lambda text: None)
    check("of pairs in other words, framed or cut, at least 99 in 100 are told right",
          precision >= 0.99 and recall >= 0.99, (precision, recall, {k: len(v) for k, v in wrong.items()}))


def switched_off(bed):
    bed.load([row(1, "Miller"), row(2, "Miller", company="Acme Careers")],
             conf="\tenable_duplicate_detection = no\n")
    check("enable_duplicate_detection = no leaves descriptions alone", len(bed.jobs("Miller")) == 2)
    bed.load([row(3, "Tanner"), row(5, "Tanner", company="Acme USA")])
    told = bed.sql("SELECT metrics FROM job_processing_log ORDER BY started_at DESC LIMIT 1")[0][0]
    check("the log says how many only their descriptions told", told["duplicates_near"] == 1 and
          told["duplicates_within"] == 1 and told["duplicates_detected"] == 1, told)
    bed.load([row(4, "Tanner", company="Acme Careers")], demo=True)
    check("sample rows are no near duplicates of real ones", len(bed.jobs("Tanner")) == 2)


def chains(bed):
    link = "https://jobs.example.com/view/4711001"
    bed.load([row(20, "Sailor", job_apply_link=link)])
    bed.load([row(21, "Sailor", company="Zed", job_apply_link=link),
              row(22, "Sailor", company="Zed Careers")])
    check("what repeats a posting that repeats a known one goes to the known one",
          len(bed.jobs("Sailor")) == 1, bed.jobs("Sailor"))


def reposts(bed):
    bed.load([row(10, "Cooper", job_posted_at_datetime_utc="2026-09-01T00:00:00Z"),
              row(11, "Weaver", job_posted_at_datetime_utc="2026-09-01T00:00:00Z")])
    bed.sql("UPDATE enhanced_jobs SET last_seen = '2026-09-20', first_seen = '2026-09-01' WHERE"
            " title IN ('Cooper', 'Weaver')")
    bed.sql("UPDATE job_sources SET last_seen = '2026-09-20' WHERE external_id IN ('j10', 'j11')")
    bed.load([row(12, "Cooper", job_posted_at_datetime_utc="2026-09-26T00:00:00Z")])
    check("advertised again within 7 days is the same posting", len(bed.jobs("Cooper")) == 1)
    bed.sql("UPDATE enhanced_jobs SET last_seen = '2026-09-20' WHERE title IN ('Cooper', 'Weaver')")
    bed.sql("UPDATE job_sources SET last_seen = '2026-09-20' WHERE external_id IN ('j10', 'j11', 'j12')")
    again = [row(13, "Cooper", job_posted_at_datetime_utc="2026-10-05T00:00:00Z"),
             row(14, "Weaver", company="Acme Careers", job_posted_at_datetime_utc="2026-10-05T00:00:00Z")]
    told = bed.load(again)
    check("which is counted apart from duplicates", told["reposts_detected"] == 2 and
          told["duplicates_detected"] == 0, told)
    coopers, weavers = bed.jobs("Cooper"), bed.jobs("Weaver")
    check("later it is a posting of its own that names the earlier, which gives its key up",
          len(coopers) == 2 and coopers[1][1] == coopers[0][0] and coopers[0][2] == "expired" and
          coopers[0][3] == "%s|%s" % (coopers[1][3], coopers[0][0]), coopers)
    check("and so it is in other words", len(weavers) == 2 and weavers[1][1] == weavers[0][0], weavers)
    bed.load(again)
    check("what is seen again goes to the newer one", len(bed.jobs("Cooper")) == 2 and
          len(bed.jobs("Weaver")) == 2 and bed.jobs("Cooper")[1][1] == coopers[0][0], bed.jobs("%er"))


# ---- embeddings ----

class Endpoint:
    def __init__(self):
        port_file = os.path.join(DIR, "port")
        self.process = subprocess.Popen(
            [os.path.join(TOP, "tests/providers/server"), "--port-file", port_file,
             "--die-with-parent"])
        wait_for("the endpoint", lambda: os.path.exists(port_file) and open(port_file).read())
        with open(port_file) as f:
            self.base = "http://127.0.0.1:%d" % int(f.read())

    def fault(self, kind, count, **more):
        data = json.dumps(dict(more, provider="embeddings", kind=kind, count=count)).encode()
        urllib.request.urlopen(urllib.request.Request(self.base + "/_fault", data, method="POST"))

    def stats(self):
        with urllib.request.urlopen(self.base + "/_stats") as answer:
            return json.load(answer)

    def conf(self, model="test-embedding"):
        return ('\tembedding_url = "%s/embeddings/v1/embeddings"\n\tembedding_model = "%s"\n'
                "\tembedding_batch = 2\n" % (self.base, model))


def embed(bed, conf, titles, key="k3y"):
    """A collection of such postings and the task behind it: its process, and their models."""
    answer = bed.load([row(100 + i, title) for i, title in enumerate(titles)], conf=conf)
    done = call("jobfleet-processing", "--run", "jobfleet.embed_postings",
                json.dumps({"processing_id": answer["processing_id"]}), conf=conf, key=key)
    return done, [bed.jobs(title)[0][5] for title in titles]


def endpoint(bed):
    server = Endpoint()
    conf = server.conf()
    waiting = str(uuid.uuid4())
    bed.sql("INSERT INTO job_processing_log (processing_id, status) VALUES (%s, 'completed')", waiting)
    done = call("jobfleet-processing", "--run", "jobfleet.embed_postings",
                json.dumps({"processing_id": waiting}), conf=conf, key="k3y")
    check("vectors are asked for behind the load", done.returncode != 0 and
          "not loaded yet" in done.stderr, done.stderr)
    server.fault("429", 1, retry_after=0)
    server.fault("503", 1)
    done, models = embed(bed, conf, ["Baker one", "Baker two", "Baker three"])
    check("the endpoint's vectors replace ours, after a 429 and a 503", done.returncode == 0 and
          json.loads(done.stdout)["embedded"] == 3 and models == ["test-embedding"] * 3,
          (done.stdout, done.stderr, models))
    sys.path.insert(0, os.path.join(TOP, "tests/providers"))
    import embeddings
    text = "\n".join(bed.sql("SELECT title, company, description FROM enhanced_jobs WHERE title ="
                             " 'Baker two'")[0])
    have = bed.sql("SELECT embedding::real[] FROM enhanced_jobs WHERE title = 'Baker two'")[0][0]
    check("each posting has its own text's vector, in whatever order they came",
          all(abs(a - b) < 1e-5 for a, b in zip(have, embeddings.vector(text, 1536))))
    server.fault("500", 3)
    done, models = embed(bed, conf, ["Potter"])
    check("an endpoint that fails leaves the local vector, which says so", done.returncode != 0 and
          models == ["local-hash-ngram-2"] and "500" in done.stderr, (done.stderr, models))
    done, models = embed(bed, conf, ["Joiner"], key="bad-s3cret")
    check("a refused key is told without the key", done.returncode != 0 and
          "JOBFLEET_EMBEDDING_KEY" in done.stderr and "s3cret" not in done.stderr, done.stderr)
    done, _ = embed(bed, server.conf("gap"), ["Roofer"])
    check("an answer with a gap is no answer", "answered" in done.stderr, done.stderr)
    done, models = embed(bed, server.conf("short"), ["Glazier"])
    check("another length than 1536 is never stored", "768" in done.stderr and
          models == ["local-hash-ngram-2"], done.stderr)
    return server


def configuration(server):
    done = call("jobfleet", "config", "check", conf=server.conf(), key="k3y")
    check("a good endpoint passes config check", done.returncode == 0, done.stderr)
    done = call("jobfleet", "config", "check", conf=server.conf("short"), key="k3y")
    check("one of another length is refused there", done.returncode == 100 and
          "768 dimensions" in done.stderr, (done.returncode, done.stderr))
    server.process.terminate()
    server.process.wait()
    done = call("jobfleet", "config", "check", conf=server.conf(), key="k3y")
    check("one that is away is told", done.returncode == 0 and "not checked" in done.stderr,
          (done.returncode, done.stderr))


# ---- search ----

def search(bed, server):
    bed.load([row(200, "Harbour Pilot", text="Guide ships through the harbour at night. " * 5),
              row(201, "Clerk of Works", text="Keep the books of a harbour office. " * 5),
              row(202, "Hafenmeister", job_posting_language="de",
                  text="Sie leiten die Häfen und planen Liegeplätze für Schiffe im Hafen. " * 5)])
    done = call("jobfleet", "search", "harbour", "pilots", "--json")
    found = json.loads(done.stdout) if done.returncode == 0 else done.stderr
    check("search finds words in other forms, all of them", [f["title"] for f in found] ==
          ["Harbour Pilot"] and found[0]["cosine"] > 0.1, found)
    done = call("jobfleet", "search", "harbour -night", "-n", "5", "--json")
    check("and leaves out what is not wanted",
          [f["title"] for f in json.loads(done.stdout)] == ["Clerk of Works"], done.stdout)
    done = call("jobfleet", "search", "harbour -ships", "-n", "5", "--json")
    check("also in a form that another language would write otherwise",
          [f["title"] for f in json.loads(done.stdout)] == ["Clerk of Works"], done.stdout)
    done = call("jobfleet", "search", "Hafens", "--json")
    check("and knows a posting's own language",
          [f["title"] for f in json.loads(done.stdout)] == ["Hafenmeister"], done.stdout)
    done = call("jobfleet", "search", "harbour")
    check("people get a table", done.returncode == 0 and "Harbour Pilot" in done.stdout and
          done.stdout.index("Harbour Pilot") < done.stdout.index("Clerk of Works"), done.stdout)
    done = call("jobfleet", "search", "harbour", "--json", conf=server.conf())
    check("an endpoint that is away leaves the search its local vectors", done.returncode == 0 and
          len(json.loads(done.stdout)) == 2 and "made here" in done.stderr, done.stderr)
    done = call("jobfleet", "search", "zzzz")
    check("no hit is said", done.returncode == 0 and "no posting" in done.stdout + done.stderr,
          done.stdout)
    done = call("jobfleet", "search", "x", "--number=0")
    check("a number out of range is refused", done.returncode == 100, done.stderr)
    vector = "array_fill(1::real, ARRAY[%d])"
    check("by a vector alone the most alike come first",
          len(bed.sql("SELECT * FROM search_jobs(NULL, " + vector % 1536 + ", 3)")) == 3)
    try:
        bed.sql("SELECT * FROM search_jobs('x', " + vector % 3 + ")")
        check("a vector of another length is refused", False)
    except psycopg2.DataError as error:
        check("a vector of another length is refused", "1536" in str(error), error)


def main():
    bed = Bed()
    labelled_pairs(bed)
    switched_off(bed)
    chains(bed)
    reposts(bed)
    server = endpoint(bed)
    configuration(server)
    search(bed, server)
    sys.exit(1 if failed else 0)


main()
