# SPDX-License-Identifier: MIT
"""One request to a provider and the reply to it.

A request knows its path below the provider's mount point, its query, headers and body. A reply is
status, headers and bytes; `reply_json`, `reply_text` and `reply_html` build the usual ones.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

# Wherever a key may stand: its value never reaches a log.
SECRET_HEADERS = ("x-rapidapi-key", "x-api-key", "authorization", "authorization-key")
SECRET_PARAMETERS = ("registrationkey", "api_key", "key", "app_id", "app_key")


@dataclass
class Request:
    method: str
    path: str
    query: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_target(cls, method, target, headers, body):
        """`target`: the request line's, below the mount point; header names become lower case."""
        parts = urlsplit(target)
        query = {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        return cls(method, parts.path or "/", query, {k.lower(): v for k, v in headers}, body)

    def parameter(self, name, default=None):
        return self.query.get(name, default)

    def json(self):
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body.decode("utf-8"))

    def key(self):
        """The key this request carries, wherever it stands; None without one."""
        for name in SECRET_HEADERS:
            if name in self.headers:
                return self.headers[name]
        for name in SECRET_PARAMETERS:
            if name in self.query:
                return self.query[name]
        try:
            return self.json().get("registrationkey") if self.body else None
        except (ValueError, AttributeError):
            return None


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes


def reply_json(value, status=200, headers=None, text=None):
    """`text` overrides the serialisation (BLS has line breaks of its own)."""
    body = (
        text if text is not None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    )
    return Reply(
        status, {"Content-Type": "application/json", **(headers or {})}, body.encode("utf-8")
    )


def reply_text(text, status=200, kind="text/plain", headers=None):
    return Reply(
        status, {"Content-Type": f"{kind};charset=UTF-8", **(headers or {})}, text.encode("utf-8")
    )


def reply_html(title, text, status=200, headers=None):
    body = f"<h1>{title}</h1><p>{text}</p>"
    page = f"<html>\n<head><title>{title}</title></head>\n<body>{body}</body>\n</html>\n"
    return reply_text(page, status, "text/html", headers)
