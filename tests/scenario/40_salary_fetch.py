#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: shared
"""Salary figures by the shipped programs: sources failing in every way they can, a worker killed in
the middle, a key that must turn up nowhere, and the rate that only a real fetch costs."""

import json
import os
import signal
import subprocess
import zlib

from salary_bed import SECRET, SalaryBed, offspring, sockets_of, wait_for

NAME = "backend.tasks.salary_data_tasks."
bed = SalaryBed()


def passed(what):
    print("ok " + what)


def enqueue(task, *args, wait=True, **options):
    """The result (with wait), else the task's id."""
    words = ["jobfleet", "enqueue", NAME + task, "--args=" + json.dumps(args), "--quiet"]
    words += ["--wait", "--timeout=60"] if wait else []
    words += ["--%s=%s" % option for option in options.items()]
    got = subprocess.run(words, env=bed.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, timeout=90)
    assert got.returncode == 0, got.stdout + got.stderr
    lines = got.stdout.strip().splitlines()
    return json.loads(lines[-1]) if wait else lines[0]


def fetch(location, occupation, **more):
    return enqueue("fetch_salary_data", dict(more, location=location, occupation=occupation))


def one_source_down_at_a_time():
    faults = {
        "bls": ("503_html", "html_200", "html_as_json", "empty_200", "truncated", "cut", "reset",
                "bls_failed", "empty_object", "null", "deep"),
        "census": ("census_error", "census_204", "503", "html_200", "truncated"),
        "fred": ("fred_500", "fred_423", "fred_429", "html_200", "reset"),
    }
    for source, kinds in faults.items():
        for kind in kinds:
            bed.clean()
            bed.fault(source, kind)
            answer = fetch("Chicago, IL", "Data Scientist")
            assert answer["status"] == "success" and not answer["fallback"], (kind, answer)
            names = {row["data_source"] for row in answer["salary_benchmarks"]}
            if source == "bls":
                assert names == {"census"}, (kind, names)
            elif source == "census" and kind != "census_204":
                assert names == {"bls"}, (kind, names)
            assert any(source in warning for warning in answer["warnings"]), (kind, answer["warnings"])
    passed("one source failing in any way leaves the figures of the others, told in warnings")


def all_sources_down():
    bed.clean()
    for kind in ("503_html", "hang", "reset", "html_200", "429"):
        bed.clean()
        bed.fault("*", kind, seconds=1)
        answer = fetch("New York, NY", "Software Engineer", max_age=0)
        assert answer["status"] == "success" and answer["fallback"], (kind, answer)
        row, = answer["salary_benchmarks"]
        assert row["data_source"] == "fallback" and row["metadata"]["fallback"], row
        assert row["source_confidence_score"] < 0.4, row
        assert any("no source answered" in warning for warning in answer["warnings"])
    passed("with every source down the answer is bundled figures, marked, with low confidence")
    bed.clean()
    answer = fetch("New York, NY", "Software Engineer", max_age=0)
    assert not answer["fallback"]
    answer = fetch("NYC", "Software Engineer")
    assert answer["cache_hit"] and not answer["fallback"], answer
    passed("once the sources are back their figures replace the bundled ones")


def quota_is_never_passed():
    bed.clean()
    fetch("Houston, TX", "SRE")
    bed.sql("UPDATE jobfleet.provider_quota SET used = 499 WHERE source = 'bls' AND period = 'day'")
    fetch("Seattle, WA", "SRE")
    answer = fetch("Denver, CO", "SRE")
    assert {row["data_source"] for row in answer["salary_benchmarks"]} == {"census"}, answer
    used = bed.one("SELECT used FROM jobfleet.provider_quota WHERE source = 'bls' AND period = 'day'")
    assert used == 500, used
    passed("the 500th call of a day is made, the 501st is not")


def killed_in_the_middle():
    bed.clean()
    bed.fault("bls", "delay", seconds=3, count=1)
    task = enqueue("fetch_salary_data", {"location": "Austin, TX", "occupation": "Data Engineer"},
                   wait=False)
    wait_for("the call to BLS", lambda: "Austin" in bed.log() or children_busy())
    os.kill(children_busy()[0], signal.SIGKILL)
    result = subprocess.run(["jobfleet", "result", task, "--wait", "--timeout=60"], env=bed.env,
                            stdout=subprocess.PIPE, text=True, timeout=90)
    assert result.returncode == 0 and '"success"' in result.stdout, result.stdout
    rows = bed.sql("SELECT data_source, count(*) FROM salary_benchmarks WHERE location = 'Austin, TX'"
                   " GROUP BY 1 ORDER BY 1")
    assert rows == [("bls", 1), ("census", 1)], rows
    ledger = bed.one("SELECT count(*) FROM jobfleet.ledger WHERE task_id = %s AND final", task)
    assert ledger == 1
    passed("a child killed in the middle of its calls leaves the right figures, once")


def children_busy():
    """Pids of salary children that hold a connection to the provider server."""
    port = ":%04X" % int(bed.base.rsplit(":", 1)[1])
    inodes = set()
    with open("/proc/net/tcp") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            if words[2].endswith(port) and words[3] == "01":
                inodes.add("socket:[%s]" % words[9])
    return [pid for pid in offspring(bed.processes["salary"].pid) if inodes & sockets_of(pid)]


def rate_at_fetch():
    bed.clean()
    for _ in range(15):
        fetch("Miami, FL", "Software Engineer")
    assert bed.calls() < 10, bed.calls()
    passed("fifteen equal calls in a row cost one fetch and no more of the rate")


def key_nowhere():
    bed.clean()
    bed.fault("bls", "bls_invalid_key")
    bed.fault("fred", "fred_bad_key")
    bed.fault("census", "census_302_invalid")
    answer = fetch("Boston, MA", "Web Developer", max_age=0)
    assert answer["fallback"]
    bed.control("DELETE", "/_fault")
    bed.sql("TRUNCATE jobfleet.source_state")
    answer = fetch("Boston, MA", "Web Developer", max_age=0)
    assert len(answer["sources"]) == 3, answer
    assert SECRET not in bed.log(), "the key stands in a log"
    dump = subprocess.run(["pg_dump", "--inserts", os.environ["JOBFLEET_DATABASE_URL"]],
                          stdout=subprocess.PIPE, check=True).stdout
    assert SECRET.encode() not in dump, "the key stands in the database"
    for key in bed.redis.scan_iter():
        assert SECRET.encode() not in key
        assert SECRET.encode() not in bed.redis.dump(key) and SECRET not in value_text(key), key
    for pid in offspring(bed.processes["salary"].pid):
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            assert SECRET.encode() not in f.read()
    with open(bed.requests) as f:
        assert any(json.loads(line)["key"] for line in f), "the key was never sent"
    passed("the key stands in no log, error, cache, table or argument list")


def value_text(key):
    """What a stored value says, packed or not."""
    if bed.redis.type(key) != b"string":
        return ""
    value = bed.redis.get(key)
    if value[:4] == b"\x28\xb5\x2f\xfd":
        value = subprocess.run(["zstd", "-dcq"], input=value, stdout=subprocess.PIPE, check=True).stdout
    elif value[:1] == b"\x78":
        value = zlib.decompress(value)
    return value.decode("utf-8", "replace")


def cache_keys_are_the_contract():
    bed.clean()
    fetch("NYC", "software engineers")
    keys = [key.decode() for key in bed.redis.scan_iter("salary_data:new_york:software_engineer:*")]
    assert len(keys) == 1, keys
    fresh, keep = life(keys[0])
    # a day, half more or less by the age of the figures, a tenth by chance; a day of grace
    assert 0.45 * 86400 <= fresh <= 1.65 * 86400 and keep == fresh + 86400, (fresh, keep)
    packed = len(bed.redis.get(keys[0]))
    fetch("NYC", "software engineers", cache_strategy="conservative", max_age=0)
    fresh, keep = life(keys[0])
    assert 0.45 * 3600 <= fresh <= 1.65 * 3600 and keep == fresh + 3600, (fresh, keep)
    assert len(bed.redis.get(keys[0])) > 2 * packed, packed
    rows = bed.sql("SELECT cache_key, redis_key, is_active FROM salary_data_cache WHERE data_type = 'salary_data'")
    assert rows == [(keys[0], keys[0], True)], rows
    passed("cache keys, times to live and packing are as the contract has them")


def life(key):
    """Seconds that the answer is fresh, and that it is kept, as its tracking row and Redis say."""
    fresh, keep = bed.sql("SELECT ttl_seconds, (metadata->>'keep_seconds')::int FROM salary_data_cache"
                          " WHERE cache_key = %s", key)[0]
    assert keep - 60 < bed.redis.ttl(key) <= keep, (keep, bed.redis.ttl(key))
    return fresh, keep


for part in (one_source_down_at_a_time, all_sources_down, quota_is_never_passed, killed_in_the_middle,
             rate_at_fetch, key_nowhere, cache_keys_are_the_contract):
    part()
bed.stop()
