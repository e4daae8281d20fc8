#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A cached salary answer through Celery's protocol, from enqueue to result, one at a time.

usage: tests/services/services run -- tests/bench/salary_cached.py [--calls N] [--json FILE]

In the same run and in turn, 25 at a time: a cached fetch_salary_data of the shipped salary program; a
task of ours that does nothing but has a ledger too, which is what the fleet itself takes; and Celery's
own worker with a task that does nothing. The client is the same for all: protocol 2 by pika, results
by Redis's publication. The aim is for p99 of the first: under 5 ms. Last come two of them by
Celery's own client, whose share is Python's."""

import argparse
import json
import os
import time

import salary_common as common
import bed as beds

ROUND, WARM_UP = 25, 20
AIM_MS = 5
REQUEST = {"location": "New York, NY", "occupation": "Software Engineer"}


def timed(client, task, queue, *args):
    """Milliseconds from the publication to the result in hand."""
    answer = client.call(task, queue, *args)
    return (time.perf_counter() - client.sent_at) * 1000, answer


def measure(client, contenders, pids, n):
    """Milliseconds of each call, and the program's CPU in all, by contender."""
    took, cpu = {name: [] for name in contenders}, dict.fromkeys(contenders, 0)
    for name, call in contenders.items():
        for _ in range(WARM_UP):
            timed(client, *call)
    for _ in range((n + ROUND - 1) // ROUND):
        for name, call in contenders.items():
            cpu[name] -= beds.cpu_us(beds.tree(pids[name]))
            for _ in range(ROUND):
                ms, answer = timed(client, *call)
                if name == "cached answer" and not answer["cache_hit"]:
                    raise SystemExit("bench: an answer did not come from the cache")
                took[name].append(ms)
            cpu[name] += beds.cpu_us(beds.tree(pids[name]))
    return took, {name: us / len(took[name]) for name, us in cpu.items()}


def by_celery(contenders, n):
    from celery_app import app      # needs the services' URLs
    took = {}
    for name, (task, queue, *args) in contenders.items():
        took[name] = []
        for i in range(WARM_UP + n):
            began = time.perf_counter()
            app.send_task(task, args=args, queue=queue, priority=5).get(timeout=30)
            if i >= WARM_UP:
                took[name].append((time.perf_counter() - began) * 1000)
    return took


def line(name, ms):
    p50, p95, p99 = common.percentiles(ms)
    return "  %-36s p50 %6.2f ms  p95 %6.2f ms  p99 %6.2f ms  (%d calls)" % (
        name, p50, p95, p99, len(ms))


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--json")
    o = parser.parse_args()
    salary = common.bed()
    bench = beds.Bed(os.environ["JOBFLEET_BIN"])
    queues = bench.new_queue(), bench.new_queue()
    workers = []
    try:
        for kind, queue in zip((beds.Ours, beds.Celery), queues):
            workers.append(kind(bench, queue))
        client = common.Client()
        size = len(json.dumps(client.call(common.NAME + "fetch_salary_data", "salary_data",
                                          REQUEST)))
        contenders = {
            "cached answer": (common.NAME + "fetch_salary_data", "salary_data", REQUEST),
            "nothing, with ledger": ("echo.noop_ledger", queues[0]),
            "nothing, by Celery": ("echo.noop", queues[1])}
        pids = dict(zip(contenders, (salary.processes["salary"].pid,
                                     *(worker.process.pid for worker in workers))))
        took, cpu = measure(client, contenders, pids, o.calls)
        python = by_celery({name: contenders[name] for name in ("cached answer",
                                                                "nothing, by Celery")},
                           max(o.calls // 5, 20))
        monitor = client.call(common.NAME + "monitor_cache_performance", "monitoring")
    finally:
        for worker in workers:
            worker.stop()
        salary.stop()
    p50, _, p99 = common.percentiles(took["cached answer"])
    print("salary-cached: enqueue to result of a cached answer (%d bytes), load average %.1f"
          % (size, os.getloadavg()[0]))
    for name, ms in took.items():
        print(line(name, ms) + ", CPU %.0f µs each" % cpu[name])
    for name, ms in python.items():
        print(line(name + ", Celery's client", ms))
    print("  p99 %.2f ms: aim under %d ms, %s" % (p99, AIM_MS, common.verdict(p99 < AIM_MS)))
    print("  in the program, look-up and all: %s" % json.dumps(monitor["response_time_ms"]))
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"p50_ms": p50, "p99_ms": p99, "aim_ms": AIM_MS, "cpu_us": cpu,
                       "all": {name: common.percentiles(ms) for name, ms in took.items()},
                       "celery_client": {name: common.percentiles(ms)
                                         for name, ms in python.items()}}, f, indent=1)


main()
