# SPDX-License-Identifier: MIT
"""A database for one bench alone, in the PostgreSQL that is there: JOBFLEET_DATABASE_URL points to it
while the block runs, also for the programs it starts; then it is dropped."""

import contextlib
import os
from urllib.parse import urlsplit, urlunsplit

import psycopg2

VARIABLES = ("JOBFLEET_DATABASE_URL", "JOBFLEET_DATABASE_DIRECT_URL")


@contextlib.contextmanager
def database(name):
    before = {v: os.environ[v] for v in VARIABLES if v in os.environ}
    server = psycopg2.connect(before["JOBFLEET_DATABASE_URL"])
    server.autocommit = True
    name = "bench_%s_%d" % (name, os.getpid())
    with server.cursor() as c:
        c.execute("CREATE DATABASE " + name)
    for variable, url in before.items():
        os.environ[variable] = urlunsplit(urlsplit(url)._replace(path="/" + name))
    try:
        yield os.environ["JOBFLEET_DATABASE_URL"]
    finally:
        os.environ.update(before)
        with server.cursor() as c:
            c.execute("DROP DATABASE %s WITH (FORCE)" % name)
        server.close()
