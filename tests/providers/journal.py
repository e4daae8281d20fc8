# SPDX-License-Identifier: MIT
"""What was asked and answered: one JSON line a request, and the counts behind GET /_stats."""

import json
import threading
import time
from collections import Counter

from exchange import SECRET_HEADERS, SECRET_PARAMETERS

BODY_LIMIT = 4096


def masked(names, pairs):
    return {name: "***" if name.lower() in names else value for name, value in pairs.items()}


def masked_body(request):
    """The request's body as an object without its key; None when there is none, its size when it is
    no JSON.
    """
    if not request.body:
        return None
    if len(request.body) > BODY_LIMIT:
        return {"bytes": len(request.body)}
    try:
        value = request.json()
    except ValueError:
        return {"bytes": len(request.body)}
    return masked(SECRET_PARAMETERS, value) if isinstance(value, dict) else value


class Journal:
    """Safe to use from several threads."""

    def __init__(self, path=None):
        self.lock = threading.Lock()
        self.calls = Counter()
        self.faults = Counter()
        self.file = open(path, "a", encoding="utf-8") if path else None

    def note(self, provider, request, status, fault=None):
        """`status` 0 means that the connection was cut before any status line."""
        line = {
            "time": round(time.time(), 3),
            "provider": provider,
            "method": request.method,
            "path": request.path,
            "query": masked(SECRET_PARAMETERS, request.query),
            "headers": masked(SECRET_HEADERS, request.headers),
            "key": bool(request.key()),
            "status": status,
            "fault": fault,
            "body": masked_body(request),
        }
        with self.lock:
            self.calls[(provider, request.path, status)] += 1
            if fault:
                self.faults[(provider, fault)] += 1
            if self.file:
                self.file.write(json.dumps(line, ensure_ascii=False) + "\n")
                self.file.flush()

    def stats(self):
        """total, calls as {provider: {path: {status: n}}}, faults as {provider: {kind: n}}"""
        with self.lock:
            answer = {"total": sum(self.calls.values()), "calls": {}, "faults": {}}
            for (provider, path, status), count in sorted(self.calls.items()):
                answer["calls"].setdefault(provider, {}).setdefault(path, {})[str(status)] = count
            for (provider, kind), count in sorted(self.faults.items()):
                answer["faults"].setdefault(provider, {})[kind] = count
        return answer

    def clear(self):
        with self.lock:
            self.calls.clear()
            self.faults.clear()
