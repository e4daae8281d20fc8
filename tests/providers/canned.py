# SPDX-License-Identifier: MIT
"""Providers that always tell the same: the files of fixtures/, each under its own name, with the
headers that make a request conditional. Sources that no module of its own stands for."""

import hashlib
from pathlib import Path

from exchange import Reply, reply_json

FOLDER = Path(__file__).resolve().parent / "fixtures"


class Canned:
    def __init__(self, path):
        self.path = path

    def answer(self, request):
        body = self.path.read_text(encoding="utf-8")
        tag = '"%s"' % hashlib.sha1(body.encode("utf-8")).hexdigest()[:16]
        if request.headers.get("if-none-match") == tag:
            return Reply(304, {"ETag": tag}, b"")
        return reply_json(None, 200, {"ETag": tag}, body)


def mounts():
    """{mount: provider}"""
    return {path.stem: Canned(path) for path in sorted(FOLDER.glob("*.json"))}
