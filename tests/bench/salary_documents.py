# SPDX-License-Identifier: MIT
"""What salary_dictionary needs: a database of its own, the local provider server, and a
configuration in which no source has a rate or a quota."""

import contextlib
import os
import re
import subprocess
import tempfile
import time

from scratch import database

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SOURCES = ("bls", "census", "fred")
LIMIT_S = 30


def unlimited(directory):
    with open(os.path.join(TOP, "queues.conf")) as f:
        text = re.sub(r"\trate = \S+\n", "\trate = 100000/s\n", f.read())
    text = re.sub(r"\t(rate_limit|rate_limit_at|daily_quota|monthly_quota) = .*\n", "", text)
    path = os.path.join(directory, "queues.conf")
    with open(path, "w") as f:
        f.write(text)
    return path


def provider_port(directory):
    path, deadline = os.path.join(directory, "port"), time.monotonic() + LIMIT_S
    server = subprocess.Popen([os.path.join(TOP, "tests/providers/server"), "--port-file", path,
                               "--die-with-parent"])
    while not os.path.exists(path):
        if time.monotonic() > deadline or server.poll() is not None:
            raise SystemExit("the provider server does not start")
        time.sleep(0.02)
    with open(path) as f:
        return server, int(f.read())


@contextlib.contextmanager
def environment(programs):
    """The variables for salary_dictionary; everything is gone after the block."""
    with tempfile.TemporaryDirectory() as directory, database("salary_documents"):
        server, port = provider_port(directory)
        try:
            env = dict(os.environ, JOBFLEET_CONFIG=unlimited(directory))
            for name in SOURCES:
                env["JOBFLEET_SOURCE_%s_URL" % name.upper()] = "http://127.0.0.1:%d/%s" % (port, name)
                env[name.upper() + "_API_KEY"] = "0123456789abcdef0123456789abcdef"
            subprocess.run([os.path.join(programs, "jobfleet"), "migrate"], env=env, check=True,
                           stdout=subprocess.DEVNULL)
            yield env
        finally:
            server.terminate()
            server.wait()
