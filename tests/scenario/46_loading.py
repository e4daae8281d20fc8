#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
# timeout: 150
"""Loading, load by load: what is unchanged is not touched, the best account of a posting stands,
postings expire and return, several loads at once have each posting once, broken rows cost only
themselves, listeners hear of what changed, and pay figures are right to the cent."""

import hashlib
import json
import os
import random
import re
import threading
from decimal import ROUND_HALF_UP, Decimal

import redis

from loading_bed import Bed, posting, wait_for

# what any write of a row changes
TOUCHED = ("SELECT 'job', id::text, xmin::text, ctid::text FROM enhanced_jobs UNION ALL"
           " SELECT 'company', id::text, xmin::text, ctid::text FROM companies ORDER BY 1, 2")


def counts(answer):
    return tuple(answer[name] for name in ("inserted", "updated", "unchanged", "duplicates", "failed"))


def days_ago(bed, n):
    return bed.one("SELECT (now() - %s * interval '1 day')::text", n)


def unchanged_postings_are_not_touched(bed):
    rows = [posting(i) for i in range(20)]
    first = bed.load(rows, seen="yesterday")
    before = bed.sql(TOUCHED)
    again = bed.load([dict(row, raw_data={"job_id": row["external_id"], "rank": 7}) for row in rows])
    bed.check("a repeat of a load writes no posting and no company",
              counts(first) == (20, 0, 0, 0, 0) and counts(again) == (0, 0, 20, 0, 0) and
              before == bed.sql(TOUCHED), (first, again))
    bed.check("but each sighting is recorded",
              bed.sql("SELECT min(times_seen), max(times_seen), bool_and(last_seen > now() -"
                      " interval '1 hour'), bool_and(first_seen < last_seen) FROM job_sources")
              == [(2, 2, True, True)])
    mixed = bed.load(rows[:10] + [dict(rows[10], remote="remote")] + [posting(99)])
    after = bed.sql(TOUCHED)
    bed.check("and of a mixed load only the postings that change",
              counts(mixed) == (1, 1, 10, 0, 0) and len(set(before) - set(after)) == 1, mixed)


def accounts(bed):
    return bed.sql("SELECT publisher, title, salary_min, apply_url, source_weight, quality_score"
                   " FROM enhanced_jobs")[0]


def the_best_account_stands(bed):
    """Weights as shipped: jsearch 0.5, LinkedIn 0.3, Indeed 0.2 as its publishers."""
    def of(publisher, quality, **more):
        return posting(1, publisher=publisher, external_id=publisher, quality_score=quality,
                       apply_url="https://jobs.example.com/" + publisher, **more)

    bed.load([of("Indeed", 0.9, title="Baker (Indeed)", salary_min=30000, salary_max=40000,
                 salary_currency="USD", salary_period="YEAR")])
    bed.load([of("Monster", 0.5, title="Baker (Monster)")])
    found = accounts(bed)
    bed.check("an account wins by its source's weight times its completeness, and keeps what else "
              "was known", found[:3] == ("Monster", "Baker (Monster)", Decimal(30000)) and
              found[3].endswith("Monster") and found[4:] == (Decimal("0.50"), Decimal("0.50")), found)
    bed.load([of("LinkedIn", 0.8, title="Baker (LinkedIn)", benefits=["dental_coverage"])])
    found = accounts(bed)
    bed.check("one that does not win only fills gaps", found[:2] == ("Monster", "Baker (Monster)") and
              bed.one("SELECT benefits FROM enhanced_jobs") == ["dental_coverage"], found)
    bed.load([of("LinkedIn", 0.85, title="Baker (LinkedIn)")])
    bed.check("a weightier completeness takes over", accounts(bed)[0] == "LinkedIn", accounts(bed))
    bed.check("every source is kept, with its weight, completeness and links back", bed.sql(
        "SELECT publisher, weight, o.quality_score, collection_id IS NOT NULL AND processing_id IS NOT"
        " NULL, times_seen FROM job_sources o ORDER BY 1") == [
            ("Indeed", Decimal("0.20"), Decimal("0.90"), True, 1),
            ("LinkedIn", Decimal("0.30"), Decimal("0.85"), True, 2),
            ("Monster", Decimal("0.50"), Decimal("0.50"), True, 1)] and
        bed.one("SELECT sources FROM enhanced_jobs") == ["Indeed", "LinkedIn", "Monster"])
    bed.load([of("LinkedIn", 0.85, title="Baker, as it was")], seen=days_ago(bed, 9))
    bed.check("an older answer of the same source takes nothing back",
              accounts(bed)[1] == "Baker (LinkedIn)", accounts(bed))
    bed.sql("UPDATE enhanced_jobs SET metadata = '{\"salary_ote\": true, \"metro\": \"Old\"}'")
    bed.load([of("LinkedIn", 0.95, title="Baker (LinkedIn)", metadata={"metro": "Tulsa", "equity": True})])
    bed.check("notes are the winner's, but those on pay go with the pay",
              bed.one("SELECT metadata FROM enhanced_jobs") == {"salary_ote": True, "metro": "Tulsa"},
              bed.one("SELECT metadata FROM enhanced_jobs"))
    bed.empty()
    answer = bed.load([of("Indeed", 0.9, title="Baker (Indeed)", language="en", remote="unknown"),
                       of("Monster", 0.6, title="Baker (Monster)", skills=[]),
                       of("LinkedIn", 0.9, title="Baker (LinkedIn)", skills=["Bread"])])
    found = bed.sql("SELECT publisher, title, skills, language, remote, cardinality(sources)"
                    " FROM enhanced_jobs")
    bed.check("so do accounts of one load", counts(answer) == (1, 0, 0, 2, 0) and found == [
        ("Monster", "Baker (Monster)", ["Bread"], "en", "onsite", 3)], (answer, found))


PAY = {"salary_min": 30000, "salary_max": 40000, "salary_currency": "USD", "salary_period": "YEAR"}


def told(bed):
    return bed.sql("SELECT title, salary_min::int, skills, benefits FROM enhanced_jobs")[0]


def an_account_replaces_itself(bed):
    """All of it where it is the only one, also when it says less; never by an older answer."""
    def of(publisher, **more):
        return posting(1, **dict({"publisher": publisher, "external_id": publisher}, **more))

    bed.load([of("Monster", title="v1", skills=["Baking", "R"], **PAY)], seen=days_ago(bed, 9))
    bed.load([of("Monster", title="v2", quality_score=0.6)], seen=days_ago(bed, 5))
    bed.check("a newer answer of the only source stands altogether, however complete it is",
              told(bed) == ("v2", None, ["Baking"], []), told(bed))
    older = bed.load([of("Monster", title="v1", rules_version=2, quality_score=0.9, **PAY)],
                     seen=days_ago(bed, 9))
    bed.check("an older answer changes nothing, by newer rules neither, more complete or not",
              told(bed) == ("v2", None, ["Baking"], []) and older["unchanged"] == 1, told(bed))
    same = days_ago(bed, 4)
    bed.load([of("Monster", title="v3", skills=["R"], **PAY)], seen=same)
    bed.load([of("Monster", title="v3", skills=[], rules_version=2, quality_score=0.7)], seen=same)
    bed.check("the same answer by newer rules stands altogether: what they do not find goes",
              told(bed) == ("v3", None, [], []), told(bed))
    bed.load([of("Monster", title="v3", skills=["R"], **PAY)], seen=same)
    bed.check("by older rules it changes nothing", told(bed) == ("v3", None, [], []), told(bed))
    bed.empty()
    bed.load([of("Indeed", title="I", benefits=["dental_coverage"], **PAY)], seen=same)
    bed.load([of("Monster", title="M")], seen=same)
    for publisher in "Indeed", "Monster":
        bed.load([of(publisher, title=publisher[0] + "2", rules_version=2)], seen=same)
    bed.check("where there are several sources what others said stays",
              told(bed) == ("M2", 30000, ["Baking"], ["dental_coverage"]), told(bed))
    bed.load([of("Monster", title="M3", **dict(PAY, salary_min=35000))])
    bed.load([of("Monster", title="M2", quality_score=0.9, **PAY)], seen=days_ago(bed, 6))
    bed.check("and its own newest answer stands", told(bed)[:2] == ("M3", 35000), told(bed))
    bed.empty()
    bed.load([of("Monster", quality_score=0.9)], seen=days_ago(bed, 9))
    bed.load([of("Monster", quality_score=0.3)], seen=days_ago(bed, 5))
    bed.load([of("LinkedIn", title="L", quality_score=0.8)], seen=days_ago(bed, 5))
    bed.load([of("Monster", title="old", quality_score=0.9, rules_version=2)], seen=days_ago(bed, 9))
    bed.check("against another source an account's old answer does not count either",
              told(bed)[0] == "L", told(bed))


def keys(bed):
    return bed.sql("SELECT dedupe_key, dedupe_title FROM enhanced_jobs ORDER BY 1")


def newer_rules_give_the_new_key(bed):
    """merge_key: as processing hands it on for a row that was loaded before."""
    def reads(title, was=1, **more):
        return posting(was, dedupe_title=title, dedupe_key=title + "|oven sons|tulsa",
                       merge_key="baker %d|oven sons|tulsa" % was, **more)

    first = days_ago(bed, 2)
    bed.load([posting(1), posting(2)], seen=first)
    bed.load([reads("oven baker", publisher="Indeed", external_id="x", rules_version=2)], seen=first)
    bed.check("an account that does not stand leaves the key",
              [k[0] for k in keys(bed)] == ["baker 1|oven sons|tulsa", "baker 2|oven sons|tulsa"], keys(bed))
    bed.load([reads("bread baker", rules_version=2), reads("bread baker", 2, rules_version=2)], seen=first)
    found = keys(bed)
    bed.check("the standing account by newer rules gives its posting the key it has now, which one alone"
              " can have", sorted(k[1] for k in found) in (["baker 1", "bread baker"],
                                                           ["baker 2", "bread baker"]) and
              bed.one("SELECT count(*) FROM processed_job_data WHERE load_status = 'failed'") == 0, found)
    answer = bed.load([posting(9, dedupe_key="bread baker|oven sons|tulsa", publisher="LinkedIn")])
    bed.check("and what other sources show by it meets it",
              answer["inserted"] == 0 and len(keys(bed)) == 2, answer)
    bed.empty()
    bed.load([posting(1)], seen=first)
    bed.sql("UPDATE enhanced_jobs SET dedupe_key = dedupe_key || '|' || id")
    was = bed.one("SELECT dedupe_key FROM enhanced_jobs")
    bed.load([dict(reads("bread baker", rules_version=2), merge_key=was)], seen=first)
    bed.check("a posting that gave its key up takes none", keys(bed)[0][0] == was, keys(bed))


def a_link_meets_what_processing_could_not_know(bed):
    link = "jobs.example.com/apply/77123"

    def of(words, number, **more):
        return posting(number, dedupe_title=words, apply_key=link, dedupe_key="%s|%d" % (words, number),
                       external_id="x%d" % number, **more)

    bed.load([of("night baker", 1, publisher="Indeed")])
    answer = bed.load([of("baker nights", 2, publisher="LinkedIn", dedupe_company="oven sons",
                          title="Baker (nights)")])
    both = bed.one("SELECT count(*) FROM job_sources")
    bed.check("postings of one link that were processed before either was loaded are one",
              counts(answer) == (0, 1, 0, 0, 0) and both == 2, answer)
    others = [of("night baker", 3, seniority="senior"), of("night baker", 4, dedupe_location="enid|ok|us"),
              of("accountant", 5), of("night baker", 6, is_demo=True),
              of("night baker", 7, dedupe_company="mill")]
    answer = bed.load(others)
    bed.check("other levels, places and jobs of that link stay what they are, and samples apart",
              counts(answer)[0] == 4 and answer["failed"] == 0, answer)


def companies_gather_what_postings_say(bed):
    bed.load([posting(1, company_website="https://oven.example", company_type="Private")])
    bed.load([posting(2, company_website="https://other.example", naics_code="311811",
                      company_logo="https://oven.example/logo.png", naics_name="Retail Bakeries")])
    bed.check("a company gathers website, logo, type and NAICS from its postings", bed.sql(
        "SELECT name, website, logo_url, company_type, naics_code, naics_name FROM companies") == [
            ("Oven & Sons", "https://oven.example", "https://oven.example/logo.png", "Private",
             "311811", "Retail Bakeries")])


def statuses(bed):
    return dict(bed.sql("SELECT external_id, status FROM enhanced_jobs ORDER BY 1"))


def postings_expire_and_return(bed):
    ended = posting(3, expires_at="2026-01-31T00:00:00Z")
    bed.load([posting(1), posting(2), ended], seen=days_ago(bed, 40))
    bed.load([posting(2)])
    answer = bed.run("expire_postings")
    bed.check("postings not seen for 30 days and those past their end expire, others stay",
              statuses(bed) == {"b1": "expired", "b2": "active", "b3": "expired"} and
              answer == {"status": "success", "expired": 2}, (answer, statuses(bed)))
    before = bed.sql(TOUCHED)
    bed.check("again nothing is touched", bed.run("expire_postings")["expired"] == 0 and
              before == bed.sql(TOUCHED))
    bed.load([posting(1), posting(2), ended])
    bed.check("one that is seen again is active again, one past its end is not",
              statuses(bed) == {"b1": "active", "b2": "active", "b3": "expired"}, statuses(bed))
    bed.sql("UPDATE enhanced_jobs SET status = 'expired'")
    bed.load([posting(1)], seen=days_ago(bed, 35))
    bed.check("an old answer, processed anew, brings nothing back",
              statuses(bed)["b1"] == "expired", statuses(bed))


def an_end_is_its_own_accounts(bed):
    past, ahead = days_ago(bed, 1), days_ago(bed, -9)

    def low(**more):
        return posting(1, **dict({"publisher": "Indeed", "external_id": "z", "quality_score": 0.1}, **more))

    def now(step):
        step()
        bed.run("expire_postings")
        return bed.sql("SELECT status, CASE WHEN expires_at IS NULL THEN 'none' WHEN expires_at > now()"
                       " THEN 'ahead' ELSE 'past' END FROM enhanced_jobs")[0]

    found = [now(lambda: bed.load([posting(1)], seen=days_ago(bed, 3))),
             now(lambda: bed.load([low(expires_at=past)], seen=days_ago(bed, 2))),
             now(lambda: bed.load([low(expires_at=ahead)])),
             now(lambda: bed.load([posting(1)]))]
    bed.check("a past end of an account that does not win does not end a posting, one ahead is noted",
              found == [("active", "none")] * 2 + [("active", "ahead")] * 2, found)
    end = "UPDATE enhanced_jobs SET expires_at = now() - interval '1 hour'"
    found = [now(lambda: bed.sql(end)), now(lambda: bed.load([posting(1)])), now(lambda: bed.sql(end)),
             now(lambda: bed.load([low()])), now(lambda: bed.sql(end)),
             now(lambda: bed.load([low(expires_at=past)])),
             now(lambda: bed.load([posting(1, expires_at=past)]))]
    bed.check("one that is still shown after its end, by an account that knows none, is active again",
              found == [("expired", "past"), ("active", "none")] * 2 + [("expired", "past")] * 3, found)
    bed.empty()
    answer = bed.load([posting(1), low(expires_at=past), low(external_id="y", expires_at=ahead)])
    found = now(lambda: None)
    bed.check("so with accounts of one load", counts(answer) == (1, 0, 0, 2, 0) and
              found == ("active", "ahead"), (answer, found))


def loads_at_once_have_each_posting_once(bed):
    """Overlapping postings in opposite orders, three loads of each, one of them given twice."""
    order = list(range(400))
    jobs = []
    for k in range(6):
        rows = [posting(i, publisher="P%d" % k, external_id="%d-%d" % (k, i),
                        company="Oven %d" % (i % 40), dedupe_company="oven %d" % (i % 40))
                for i in (order if k % 2 else reversed(order))]
        jobs.append(bed.processed(rows))
    running = [bed.start("load_processed", processing_id=job) for job in jobs + jobs[:2]]
    answers = [bed.answer(process) for process in running]
    bed.check("six loads of the same postings at once have each once, with all sources",
              bed.one("SELECT count(*) FROM enhanced_jobs") == 400 and
              bed.one("SELECT count(*) FROM job_sources") == 2400 and
              bed.one("SELECT count(*) FROM companies") == 40 and
              sum(a["inserted"] for a in answers) == 400 and
              bed.one("SELECT count(*) FROM enhanced_jobs WHERE cardinality(sources) <> 6") == 0,
              answers)
    bed.check("and the one that is given twice counts once",
              sorted(a["status"] for a in answers) == ["already_loaded"] * 2 + ["success"] * 6 and
              bed.one("SELECT max(times_seen) FROM job_sources") == 1, answers)


def loads_in_batches_go_one_way(bed):
    """More than one batch each, in opposite orders: every load changes every posting."""
    order = list(range(1100))
    bed.load([posting(i) for i in order], seen="yesterday")
    at_once = days_ago(bed, 0)
    jobs = [bed.processed([posting(i, title="T%d" % k) for i in (order if k % 2 else reversed(order))],
                          seen=at_once) for k in range(3)]
    running = [bed.start("load_processed", processing_id=job) for job in jobs]
    answers = [bed.answer(process) for process in running]
    bed.check("loads of several batches that meet in opposite orders wait for each other, and all end well",
              [a["updated"] for a in answers] == [1100] * 3 and
              len(bed.sql("SELECT DISTINCT title FROM enhanced_jobs")) == 1, answers)


def many_equal_postings_are_one(bed):
    rows = [posting(1, external_id="e%d" % i, publisher="P%d" % (i % 60), quality_score=0.8 - i / 1000,
                    benefits=["dental_coverage"] if i == 40 else ["paid_time_off"] if i == 60 else [])
            for i in range(120)]
    answer = bed.load(rows)
    bed.check("of very many equal postings the best fill each other's gaps, and every source is kept",
              counts(answer) == (1, 0, 0, 119, 0) and bed.sql(
                  "SELECT external_id, benefits, cardinality(sources) FROM enhanced_jobs") == [
                      ("e0", ["dental_coverage"], 60)] and
              bed.one("SELECT count(*) FROM job_sources") == 120, answer)


def a_deadlock_is_got_over(bed):
    """Another session holds a posting, and then wants one that the load has locked."""
    bed.load([posting(i) for i in range(8)])
    change = bed.processed([posting(i, remote="remote") for i in range(8)])
    other = bed.connect()
    other.autocommit = False
    lock = ("SELECT FROM enhanced_jobs WHERE external_id = %s FOR UPDATE")
    with other.cursor() as c:
        c.execute(lock, ("b6",))
        process = bed.start("load_processed", processing_id=change)
        wait_for("the load waits for it", lambda: bed.one(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"))
        c.execute("SET LOCAL deadlock_timeout = '1h'")
        closer = threading.Thread(target=lambda: (c.execute(lock, ("b2",)), other.commit()))
        closer.start()
        answer = bed.answer(process)
        closer.join()
    other.close()
    bed.check("a load that was a deadlock's victim goes on in halves",
              counts(answer) == (0, 8, 0, 0, 0) and
              bed.one("SELECT count(*) FROM enhanced_jobs WHERE remote = 'remote'") == 8, answer)


def what_is_too_much_at_once_is_halved(bed):
    """PostgreSQL without memory, or with a conflict, for every statement of more than 30 rows."""
    bed.sql("CREATE FUNCTION too_many() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF (SELECT count(*) FROM made) > 30 THEN RAISE 'too many' USING ERRCODE = TG_ARGV[0];"
            " END IF; RETURN NULL; END $$")
    for state in "53200", "40001":
        bed.empty()
        bed.sql("CREATE TRIGGER too_many AFTER INSERT ON enhanced_jobs REFERENCING NEW TABLE AS made"
                " FOR EACH STATEMENT EXECUTE FUNCTION too_many('%s')" % state)
        answer = bed.load([posting(i) for i in range(200)])
        bed.sql("DROP TRIGGER too_many ON enhanced_jobs")
        bed.check("a batch that ends with SQLSTATE %s goes on in halves" % state,
                  counts(answer) == (200, 0, 0, 0, 0) and
                  bed.one("SELECT count(*) FROM enhanced_jobs") == 200, answer)


def broken_rows_cost_only_themselves(bed):
    rows = [posting(i) for i in range(60)]
    broken = {3: {"title": None}, 4: {"remote": "moon"}, 17: {"salary_min": 1e15},
              40: {"salary_min": 9, "salary_max": 8}, 41: {"skills": "Baking"},
              42: {"posted_at": "soon"}, 59: {"quality_score": "full"}}
    for i, wrong in broken.items():
        rows[i] = {name: value for name, value in dict(rows[i], **wrong).items() if value is not None}
    rows[20] = dict(rows[20], apply_key="https://jobs.example.com/" + random.Random(1).randbytes(9000).hex())
    answer = bed.load(rows)
    found = bed.sql("SELECT job_index FROM processed_job_data WHERE load_status = 'failed' AND"
                    " load_error <> '' ORDER BY 1")
    bed.check("rows that staging or the main table refuses are found by halving and told, the rest loads",
              counts(answer) == (52, 0, 0, 0, 8) and
              [f[0] for f in found] == sorted([20, *broken]), (answer, found))


def listeners_hear_what_changed(bed):
    bed.sql("LISTEN jobfleet_loaded")
    store = redis.Redis.from_url(os.environ["JOBFLEET_REDIS_URL"])
    prefix = re.search(r'# redis_prefix = "(.*)"', open(bed.conf, encoding="utf-8").read()).group(1)
    keys = [prefix + "search:" + hashlib.sha256(q.encode()).hexdigest() for q in ("night baker", "cook")]
    for key in keys:
        store.hset(key, "tulsa", "[]")
    answer = bed.load([posting(i) for i in range(1500)], query=" Night  Baker ")
    silent = bed.load([posting(0)])
    wait_for("both are told of", lambda: bed.pg.poll() or len(bed.pg.notifies) >= 2)
    told = [json.loads(n.payload) for n in bed.pg.notifies]
    ids = [str(row[0]) for row in bed.sql("SELECT j.id FROM processed_job_data p JOIN enhanced_jobs j"
                                          " ON j.id = p.job_id WHERE processing_id = %s ORDER BY"
                                          " job_index", answer["processing_id"])]
    bed.check("a notification tells of every load, with the first 100 postings",
              [t["job_ids"] for t in told] == [ids[:100], []] and told[0]["run_id"] == "run-1" and
              told[0]["processing_id"] == answer["processing_id"] and told[0]["inserted"] == 1500,
              [dict(t, job_ids=len(t["job_ids"])) for t in told])
    heard = bed.called("test.heard")
    bed.check("a task that subscribes gets the ids of all that changed, 1,000 a call",
              [(h["part"], h["parts"], h["run_id"], h["processing_id"]) for h in heard]
              == [(1, 2, "run-1", answer["processing_id"]), (2, 2, "run-1", answer["processing_id"])]
              and heard[0]["job_ids"] + heard[1]["job_ids"] == ids, len(heard))
    settle = bed.called("jobfleet.settle_load")
    bed.check("what follows a load is asked for once, and not of one that changed nothing",
              settle == [[answer["processing_id"]]] and silent["unchanged"] == 1, settle)
    settled = bed.run("settle_load", processing_id=settle[0][0])
    bed.check("it drops what is cached of the load's query and of no other",
              settled["dropped"] == 1 and [store.exists(key) for key in keys] == [0, 1], settled)


def cents(value):
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def percentile(values, share):
    """Between neighbours in proportion, as PostgreSQL's percentile_cont."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return cents(values[low] + (place - low) * (values[high] - values[low]))


def offer(rng, number, **more):
    low = Decimal(rng.randrange(4000000, 9000000)) / 100
    high = low + Decimal(rng.randrange(0, 3000000)) / 100
    return dict(posting(number), **dict(
        {"salary_min": float(low), "salary_max": float(high), "salary_currency": "USD",
         "salary_period": "YEAR", "salary_annual_min": float(low), "salary_annual_max": float(high),
         "soc_code": "15-1252"}, **more))


def middles(offers):
    return sorted((Decimal(str(o["salary_annual_min"])) + Decimal(str(o["salary_annual_max"]))) / 2
                  for o in offers)


def figures(bed):
    return bed.sql("SELECT location, occupation, year, median_salary, percentile_25, percentile_75,"
                   " percentile_90, mean_salary, sample_size FROM salary_benchmarks WHERE data_source ="
                   " 'postings' ORDER BY 1, 2, 3")


def expected(place, occupation, year, offers):
    v = middles(offers)
    return (place, occupation, year, percentile(v, Decimal("0.5")), percentile(v, Decimal("0.25")),
            percentile(v, Decimal("0.75")), percentile(v, Decimal("0.9")), cents(sum(v) / len(v)), len(v))


def pay_figures_are_right_to_the_cent(bed):
    rng = random.Random(46)
    enough = [offer(rng, i) for i in range(37)]
    few = [offer(rng, 100 + i, city="Enid") for i in range(29)]
    titles = [offer(rng, 200 + i, city="Enid", soc_code=None, dedupe_title="bread poet") for i in range(30)]
    earlier = [offer(rng, 300 + i, posted_at="2025-05-05T00:00:00Z") for i in range(31)]
    no_count = [offer(rng, 400, salary_estimated=True), offer(rng, 401, is_demo=True),
                offer(rng, 402, salary_currency="EUR"), offer(rng, 403, salary_annual_max=None),
                offer(rng, 404, metadata={"salary_ote": True}), offer(rng, 405, city=None),
                offer(rng, 406, metadata={"salary_period_assumed": True}), posting(407)]
    rows = enough + few + titles + earlier + no_count
    loaded = bed.load([{k: v for k, v in row.items() if v is not None} for row in rows])
    answer = bed.run("refresh_posting_salaries")
    want = sorted([expected("Tulsa, OK", "Software Developers", 2026, enough),
                   expected("Tulsa, OK", "Software Developers", 2025, earlier),
                   expected("Enid, OK", "bread poet", 2026, titles)])
    bed.check("pay figures of postings are those of an independent calculation, from 30 real offers on",
              figures(bed) == want and answer == {"status": "success", "loads": 1, "written": 3,
                                                  "removed": 0}, (loaded, answer, figures(bed), want))
    before = bed.sql("SELECT xmin::text, ctid::text FROM salary_benchmarks ORDER BY 1, 2")
    again = bed.run("refresh_posting_salaries"), bed.run("refresh_posting_salaries", all=True)
    bed.check("again, or all of them, nothing is written",
              [a["written"] for a in again] == [0, 0] and
              before == bed.sql("SELECT xmin::text, ctid::text FROM salary_benchmarks ORDER BY 1, 2"), again)
    one_more = offer(rng, 500, city="Enid")
    bed.sql("UPDATE job_processing_log SET pay_counted_at = now() - interval '1 hour'")
    settled = bed.run("settle_load", processing_id=bed.load([one_more])["processing_id"])
    bed.check("a load refreshes the figures that it touches, and no others",
              settled["figures"].get("written") == 1 and
              expected("Enid, OK", "Software Developers", 2026, few + [one_more]) in figures(bed), settled)
    bed.sql("UPDATE enhanced_jobs SET salary_estimated = true WHERE external_id = 'b200'")
    answer = bed.run("refresh_posting_salaries", all=True)
    bed.check("a figure that falls below 30 offers is taken away", answer["removed"] == 1 and
              "bread poet" not in [f[1] for f in figures(bed)], answer)


def sizes(bed):
    bed.run("refresh_posting_salaries")
    return {f[0]: (int(f[3]), f[8]) for f in figures(bed)}


def figures_follow_postings_that_leave(bed):
    def offers(low, n, amount=40000, **more):
        return [offer(random.Random(1), low + i, **dict({"salary_annual_min": amount,
                                                         "salary_annual_max": amount}, **more))
                for i in range(n)]

    bed.load(offers(0, 31), seen="yesterday")
    was = sizes(bed)
    bed.load(offers(0, 20, city="Norman"))
    bed.check("a figure goes that postings have left by moving",
              (was, sizes(bed)) == ({"Tulsa, OK": (40000, 31)}, {}), (was, figures(bed)))
    bed.load(offers(0, 31, 60000, city="Norman"))
    was = sizes(bed)
    bed.load([posting(i, city="Norman", soc_code="15-1252") for i in range(5)])
    bed.check("or by losing their pay",
              (was, sizes(bed)) == ({"Norman, OK": (60000, 31)}, {}) and
              bed.one("SELECT count(*) FROM jobfleet.pay_left") == 0, (was, figures(bed)))
    bed.load(offers(100, 31, city="London", state="ON", country="CA"))
    bed.load(offers(200, 31, 90000, city="London", state="BC", country="CA"))
    bed.check("places of one name in two regions have a figure each",
              sizes(bed) == {"London, ON, CA": (40000, 31), "London, BC, CA": (90000, 31)}, figures(bed))


bed = Bed('\tload_subscribers = "test.heard, nobody.knows"\n')
bed.run_all([unchanged_postings_are_not_touched, the_best_account_stands,
             an_account_replaces_itself, newer_rules_give_the_new_key,
             a_link_meets_what_processing_could_not_know,
             companies_gather_what_postings_say, postings_expire_and_return,
             an_end_is_its_own_accounts,
             loads_at_once_have_each_posting_once, loads_in_batches_go_one_way,
             many_equal_postings_are_one, a_deadlock_is_got_over,
             what_is_too_much_at_once_is_halved, broken_rows_cost_only_themselves,
             listeners_hear_what_changed,
             pay_figures_are_right_to_the_cent, figures_follow_postings_that_leave])
