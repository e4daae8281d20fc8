# SPDX-License-Identifier: MIT
"""The salary tasks as a Python service declares them to call them: names, queues and options. The
work is done by jobfleet-salary and jobfleet-confidence; the functions have no body here.

JOBFLEET_BROKER_URL and JOBFLEET_REDIS_URL say where they are. One line is needed for jobfleet's
queues, which have priorities: task_queue_max_priority.
"""

import os

from celery import Celery

app = Celery("backend", broker=os.environ.get("JOBFLEET_BROKER_URL"),
             backend=os.environ.get("JOBFLEET_REDIS_URL"))
app.conf.task_queue_max_priority = 10

NAME = "backend.tasks.salary_data_tasks."


@app.task(name=NAME + "fetch_salary_data", queue="salary_data", routing_key="salary_data",
          priority=5, rate_limit="10/m", time_limit=300, soft_time_limit=240, max_retries=3,
          default_retry_delay=60)
def fetch_salary_data(request_data):
    """Salary benchmarks, market data and confidence for a place and an occupation."""


@app.task(name=NAME + "refresh_salary_cache", queue="salary_data", routing_key="salary_data",
          priority=3, rate_limit="5/m", time_limit=600, soft_time_limit=540, max_retries=2,
          default_retry_delay=120)
def refresh_salary_cache(cache_pattern="salary_data:*"):
    """Asks the sources again for the cached answers that the pattern meets."""


@app.task(name=NAME + "update_confidence_scores", queue="confidence_scores",
          routing_key="confidence_scores", priority=4, rate_limit="15/m", time_limit=1800,
          soft_time_limit=1500, max_retries=2, default_retry_delay=300)
def update_confidence_scores(location, occupation=None):
    """Scores what is stored for a place."""


@app.task(name=NAME + "cleanup_expired_cache", queue="monitoring", routing_key="monitoring",
          priority=2, time_limit=300, soft_time_limit=240)
def cleanup_expired_cache():
    """Makes the cache and its table agree."""


@app.task(name=NAME + "monitor_cache_performance", queue="monitoring", routing_key="monitoring",
          priority=6, time_limit=60, soft_time_limit=50)
def monitor_cache_performance():
    """Hit rate, response times and size of the cache."""


@app.task(name=NAME + "sync_salary_data", queue="analytics", routing_key="analytics", priority=1,
          time_limit=1560, soft_time_limit=1500)
def sync_salary_data(occupations=None, locations=None, force=False, max_calls=250):
    """Brings all pairs of occupation and place up to date."""
