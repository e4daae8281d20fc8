# SPDX-License-Identifier: MIT
"""Providers that always tell the same: the files of fixtures/, each under its own name, for sources
that no module of its own stands for. And what makes the answers of any provider conditional."""

import hashlib
from pathlib import Path

from exchange import Reply, reply_json

FOLDER = Path(__file__).resolve().parent / "fixtures"


class Canned:
    def __init__(self, path):
        self.path = path

    def answer(self, request):
        return reply_json(None, text=self.path.read_text(encoding="utf-8"))


class Conditional:
    """Its answers carry an ETag; who has that one already is told 304."""

    def __init__(self, provider):
        self.provider = provider

    def answer(self, request):
        reply = self.provider.answer(request)
        if reply.status != 200:
            return reply
        tag = '"%s"' % hashlib.sha1(reply.body).hexdigest()[:16]
        if request.headers.get("if-none-match") == tag:
            return Reply(304, {"ETag": tag}, b"")
        reply.headers["ETag"] = tag
        return reply


def mounts():
    """{mount: provider}"""
    return {path.stem: Canned(path) for path in sorted(FOLDER.glob("*.json"))}
