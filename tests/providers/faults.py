# SPDX-License-Identifier: MIT
"""Faults on request.

A fault is asked for by POST /_fault with a JSON object:

    provider   a name that the server mounts, or * (any)
    kind       one of REPLIES (what is answered instead) or DELIVERIES (how the answer travels)
    endpoint   only requests whose path ends like this; absent = every one
    count      how many requests it spoils; null or absent = until DELETE /_fault
    seconds    slow: the whole body takes so long; delay: the answer starts so late;
               hang: nothing comes, then the end
    bytes      huge: size of the body; deep: levels; cut, reset: bytes sent before the end;
               indeed_offers: how many
    retry_after, reset   header values for the 429 kinds (seconds)
    location   redirect: where to

The oldest fault that matches a request is the one it gets.
"""

import gzip
import json
import os
import socket
import struct
import threading

from exchange import Reply, reply_html, reply_json, reply_text

RAPID_PLAN = "https://rapidapi.com/letscrape-6bRBa3QguO5/api/jsearch"


def rapid_message(status, text):
    return lambda fault, request: reply_json(
        {"message": text}, status, {"x-rapidapi-proxy-response": "true"}
    )


def rapid_limit(text, reset, remaining="0"):
    def answer(fault, request):
        headers = {
            "x-ratelimit-requests-limit": "200",
            "x-ratelimit-requests-remaining": remaining,
            "x-ratelimit-requests-reset": str(fault.get("reset", reset)),
        }
        if "retry_after" in fault:
            headers["Retry-After"] = str(fault["retry_after"])
        return reply_json({"message": text}, 429, headers)

    return answer


def quota_text(word):
    return (
        f"You have exceeded the {word} quota for Requests on your current plan, BASIC. "
        f"Upgrade your plan at {RAPID_PLAN}"
    )


def rate_text(word):
    return f"You have exceeded the rate limit per {word} for your plan, BASIC, by the API provider"


def bls_refusal(status, text):
    return lambda fault, request: reply_json(
        {
            "status": status,
            "responseTime": 0,
            "message": [text.format(key=request.key())],
            "Results": {},
        }
    )


def bls_series(value, note):
    """Success, with one row for each series asked for, or none where value is None."""

    def answer(fault, request):
        row = {
            "year": "2025",
            "period": "A01",
            "periodName": "Annual",
            "latest": "true",
            "value": value,
            "footnotes": [note],
        }
        names = request.json().get("seriesid", [])
        return reply_json(
            {
                "status": "REQUEST_SUCCEEDED",
                "responseTime": 1,
                "message": [f"{note['text']} for Series {name}" for name in names]
                if value is None
                else [],
                "Results": [
                    {
                        "series": [
                            {"seriesID": name, "data": [] if value is None else [row]}
                            for name in names
                        ]
                    }
                ],
            }
        )

    return answer


def census_cells(cell, place=None):
    """A table with the same in every cell; its ids as asked for, or of another place."""

    def answer(fault, request):
        wanted, _, code = request.parameter("for", "us:1").rpartition(":")
        columns = request.parameter("get", "NAME").split(",")
        return reply_json([[*columns, wanted], [*[cell] * len(columns), place or code]])

    return answer


def indeed_row(number, title, place, unit, low, high, currency="USD", guessed=False):
    pay = {"baseSalary": {"unitOfWork": unit, "range": {"min": low, "max": high}}}
    pay["currencyCode"] = currency
    return {
        "trackingKey": f"t{number}",
        "job": {
            "key": f"{number:016x}",
            "title": title,
            "location": {"countryCode": "US", "formatted": {"long": place}},
            "compensation": {"estimated": pay, "baseSalary": None} if guessed else pay,
            "employer": {"name": "Bell & Sons"},
        },
    }


def indeed_offers(fault, request):
    """Forty offers in New York, a thousand dollars apart, and one of each kind that is no offer."""
    york, engineer = "New York, NY", "Senior Software Engineer"
    rows = [
        indeed_row(i, engineer, york, "YEAR", 100000 + 1000 * i, 120000 + 1000 * i)
        for i in range(fault.get("bytes", 40) - 1)
    ]
    last = 100000 + 1000 * len(rows)
    rows += [
        indeed_row(100, engineer, "Newark, NJ", "HOUR", last / 2080, (last + 20000) / 2080),
        indeed_row(101, "Registered Nurse", york, "YEAR", 1, 2),
        indeed_row(102, engineer, "Austin, TX", "YEAR", 1, 2),
        indeed_row(103, engineer, york, "YEAR", 1, 2, currency="EUR"),
        indeed_row(104, engineer, york, "YEAR", 1, 2, guessed=True),
        indeed_row(105, engineer, york, "FORTNIGHT", 1, 2),
        indeed_row(106, engineer, york, "YEAR", 2, 1),
        indeed_row(107, engineer, york, "YEAR", 0, 5),
        indeed_row(108, engineer, york, "YEAR", "x", None),
        {"trackingKey": "t", "job": None},
    ]
    return reply_json(
        {"data": {"jobSearch": {"pageInfo": {"nextCursor": None}, "results": rows}}}
    )


def fred_missing(fault, request):
    rows = [{"date": f"2026-{month:02d}-01", "value": "."} for month in range(9, 0, -1)]
    return reply_json({"count": len(rows), "observations": rows})


def fred_error(status, text):
    return lambda fault, request: reply_json({"error_code": status, "error_message": text}, status)


def adzuna_refusal(status, exception, display):
    return lambda fault, request: reply_json(
        {"exception": exception, "display": display, "doc": "https://api.adzuna.com/v1/doc"}, status
    )


def themuse_limit(fault, request):
    headers = {
        "X-RateLimit-Limit": "500",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(fault.get("reset", 1800)),
    }
    return reply_json({"code": 403, "error": "Forbidden"}, 403, headers)


def plain_429(fault, request):
    headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
    return reply_html("429 Too Many Requests", "Slow down.", 429, headers)


def endpoint_404(fault, request):
    return reply_json(
        {"message": f"Endpoint '{request.path}' does not exist"},
        404,
        {"x-rapidapi-proxy-response": "true"},
    )


def census_302(page):
    def answer(fault, request):
        host = request.headers.get("host", "api.census.gov")
        return Reply(
            302,
            {"Location": f"http://{host}/census/{page}.html", "X-DataWebAPI-KeyError": "1"},
            b"",
        )

    return answer


def redirect(fault, request):
    return Reply(302, {"Location": fault.get("location", "http://elsewhere.example/")}, b"")


def redirect_loop(fault, request):
    host = request.headers.get("host", "127.0.0.1")
    return Reply(302, {"Location": f"http://{host}/{fault['mount']}{request.path}"}, b"")


def huge(fault, request):
    """Valid JSON, 50 MB unless told otherwise."""
    filler = max(0, fault.get("bytes", 50_000_000) - 40)
    return reply_json(None, text='{"status":"OK","data":{"jobs":[],"x":"' + "x" * filler + '"}}')


def deep(fault, request):
    levels = fault.get("bytes", 200_000)
    return reply_json(None, text='{"status":"OK","data":' + "[" * levels + "]" * levels + "}")


def gzip_bomb(fault, request):
    """Small on the wire, big when unpacked, whatever the request accepts."""
    body = gzip.compress(
        b'{"status":"OK","data":[' + b" " * fault.get("bytes", 200_000_000) + b"]}", 9
    )
    return Reply(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, body)


def wrong_charset(fault, request):
    """Latin-1 bytes under a header that says UTF-8."""
    row = {
        "job_id": "bGF0aW4xLWJ5dGVz",
        "job_title": "Développeur Älteres System",
        "employer_name": "Société Générique",
        "job_description": "Café, Straße, señor",
        "job_city": "Orléans",
        "job_country": "FR",
    }
    body = json.dumps({"status": "OK", "data": {"jobs": [row], "cursor": None}}, ensure_ascii=False)
    return Reply(200, {"Content-Type": "application/json; charset=utf-8"}, body.encode("latin-1"))


def nul_bytes(fault, request):
    """Good JSON that jsonb refuses."""
    row = {
        "job_id": "bnVsLWNoYXI=",
        "job_title": "Data\u0000Engineer",
        "employer_name": "Nul & Sons",
    }
    return reply_json(
        None, text=json.dumps({"status": "OK", "data": {"jobs": [row], "cursor": None}})
    )


REPLIES = {
    "400": lambda f, r: reply_json(
        {
            "status": "ERROR",
            "request_id": "fault",
            "error": {"message": "Invalid parameter", "code": 400},
        },
        400,
    ),
    "401": rapid_message(
        401, "Invalid API key. Go to https://docs.rapidapi.com/docs/keys for more info."
    ),
    "403": rapid_message(403, "You are not subscribed to this API."),
    "404_endpoint": endpoint_404,
    "429": plain_429,
    "429_monthly": rapid_limit(quota_text("MONTHLY"), 864000),
    "429_daily": rapid_limit(quota_text("DAILY"), 3600),
    "429_minute": rapid_limit(rate_text("minute"), 864000, "150"),
    "429_second": rapid_limit(rate_text("second"), 864000, "150"),
    "500": lambda f, r: reply_json({"message": "Internal server error"}, 500),
    "502": lambda f, r: reply_html("502 Bad Gateway", "nginx", 502),
    "503": lambda f, r: reply_json({"message": "Service temporarily unavailable"}, 503),
    "503_html": lambda f, r: reply_html("503 Service Temporarily Unavailable", "nginx", 503),
    "504": lambda f, r: reply_json({"message": "The request to the API has timed out"}, 504),
    "html_200": lambda f, r: reply_html("We will be right back", "Scheduled maintenance."),
    "html_as_json": lambda f, r: reply_json(
        None, text="<html><body>Scheduled maintenance.</body></html>"
    ),
    "empty_200": lambda f, r: reply_json(None, text=""),
    "empty_object": lambda f, r: reply_json({}),
    "null": lambda f, r: reply_json(None),
    "redirect": redirect,
    "redirect_loop": redirect_loop,
    "wrong_charset": wrong_charset,
    "nul": nul_bytes,
    "huge": huge,
    "deep": deep,
    "gzip_bomb": gzip_bomb,
    "bls_threshold": bls_refusal(
        "REQUEST_NOT_PROCESSED",
        "Request could not be serviced, as the daily threshold for "
        "total number of requests allocated to the user with registration key {key} "
        "has been reached.",
    ),
    "bls_threshold_v1": bls_refusal(
        "REQUEST_NOT_PROCESSED",
        "Daily threshold of 25 queries has been reached. "
        "Please register for an API key at https://data.bls.gov/registrationEngine/",
    ),
    "bls_invalid_key": bls_refusal(
        "REQUEST_NOT_PROCESSED",
        "The key:{key} provided by the User is invalid. "
        "Please provide a proper key for the operation to be successful",
    ),
    "bls_unsupported": bls_refusal(
        "REQUEST_NOT_PROCESSED", "calculations not supported for this survey"
    ),
    "bls_failed": bls_refusal("REQUEST_FAILED", "Your request has failed, please try again later."),
    "bls_202": lambda f, r: reply_json({"status": "REQUEST_PROCESSING", "message": []}, 202),
    "bls_404": lambda f, r: reply_html("404 Not Found", "The requested page was not found.", 404),
    "bls_415": lambda f, r: reply_html("415 Unsupported Media Type", "Not supported.", 415),
    "bls_missing": bls_series(None, {"text": "Series does not exist"}),
    "bls_hidden": bls_series("-", {"code": "8", "text": "Estimate not released."}),
    "bls_top": bls_series(
        "-",
        {
            "code": "5",
            "text": "This wage is equal to or greater than $120.00 per hour or $249,600 per year.",
        },
    ),
    "census_302": census_302("missing_key"),
    "census_302_invalid": census_302("invalid_key"),
    "census_204": lambda f, r: Reply(204, {}, b""),
    "census_error": lambda f, r: reply_text(
        "There was an error while running your query. "
        "We've logged the error and we'll correct it ASAP. Sorry for the inconvenience.",
        400,
    ),
    "census_error_500": lambda f, r: reply_text(
        "There was an error while running your query. We've logged the error.", 500
    ),
    "census_404": lambda f, r: reply_html("404 Not Found", "No such vintage.", 404),
    "census_key_page": lambda f, r: reply_html("Invalid Key", "A valid key must be included."),
    "census_no_variable": lambda f, r: reply_text(
        "error: error: unknown variable 'B24011_999E'", 400
    ),
    "census_no_place": lambda f, r: reply_text(
        "error: unknown/unsupported geography hierarchy", 400
    ),
    "census_sentinels": census_cells("-666666666.0"),
    "census_nulls": census_cells(None),
    "census_top": census_cells("250001"),
    "census_elsewhere": census_cells("43000", "00000"),
    "census_numbers": census_cells(43000),
    "fred_no_series": fred_error(400, "Bad Request.  The series does not exist."),
    "fred_404": fred_error(404, "Not Found"),
    "fred_xml": lambda f, r: reply_text(
        '<?xml version="1.0" encoding="utf-8" ?>\n'
        '<error code="400" message="Bad Request.  Variable api_key is not set." />\n',
        400,
        "text/xml",
    ),
    "fred_missing": fred_missing,
    "fred_bad_key": fred_error(
        400,
        "Bad Request.  The value for variable api_key is not registered.  "
        "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information.",
    ),
    "fred_423": fred_error(423, "Locked"),
    "fred_429": fred_error(429, "Too Many Requests.  Exceeded Rate Limit"),
    "fred_500": fred_error(500, "Internal Server Error"),
    "indeed_offers": indeed_offers,
    "indeed_refused": lambda f, r: reply_json({"errors": [{"message": "Not authorized"}]}),
    "indeed_wrong": lambda f, r: reply_json({"errors": [{"message": "Cannot query field x"}]}),
    "adzuna_auth": adzuna_refusal(401, "AUTH_FAIL", "Authorisation failed"),
    "adzuna_daily": adzuna_refusal(429, "LIMIT", "Daily limit of hits exceeded"),
    "themuse_limit": themuse_limit,
    "remotive_blocked": lambda f, r: reply_html("403 Forbidden", "Too many requests.", 403),
    "usajobs_401": lambda f, r: reply_json(
        {"Message": "Authorization has been denied for this request."}, 401
    ),
}


class Faults:
    """The faults that are set, in the order they came. Safe to use from several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.set = []

    def add(self, fault, providers):
        """ValueError tells what is wrong with it."""
        if not isinstance(fault, dict):
            raise ValueError("a fault is a JSON object")
        if fault.get("provider", "*") not in (*providers, "*"):
            raise ValueError(f"provider is one of {', '.join(providers)} or *")
        if fault.get("kind") not in REPLIES and fault.get("kind") not in DELIVERIES:
            raise ValueError(f"kind is one of {', '.join([*REPLIES, *DELIVERIES])}")
        count = fault.get("count")
        if count is not None and (not isinstance(count, int) or count < 1):
            raise ValueError("count is a positive number or null")
        with self.lock:
            self.set.append(dict(fault))

    def clear(self):
        with self.lock:
            self.set.clear()

    def listed(self):
        with self.lock:
            return [dict(fault) for fault in self.set]

    def take(self, provider, path):
        """The fault for this request, counted as used; None when there is none."""
        with self.lock:
            for fault in self.set:
                if fault.get("provider", "*") not in (provider, "*"):
                    continue
                if not path.rstrip("/").endswith(fault.get("endpoint", "").rstrip("/")):
                    continue
                if fault.get("count") is not None:
                    fault["count"] -= 1
                    if fault["count"] == 0:
                        self.set.remove(fault)
                return {**fault, "mount": provider}
        return None


def faulty_reply(fault, request):
    """The reply that stands in for the provider's own; None when only the delivery is spoilt."""
    return REPLIES[fault["kind"]](fault, request) if fault and fault["kind"] in REPLIES else None


def silent(fault):
    """Whether it lets no status line out."""
    return fault["kind"] == "hang" or fault["kind"] == "reset" and not fault.get("bytes")


def spoil(handler, fault, reply, stopping):
    """Sends the reply as the fault has it, then ends the connection."""
    handler.close_connection = True
    seconds = fault.get("seconds", 5)
    DELIVERIES[fault["kind"]](
        handler, fault, reply, lambda share=1.0: stopping.wait(seconds * share)
    )


def slow(handler, fault, reply, pause):
    pieces = 20
    handler.wfile.write(handler.head(reply, len(reply.body)))
    step = max(1, -(-len(reply.body) // pieces))
    for start in range(0, len(reply.body), step):
        if pause(1 / pieces):
            return
        handler.wfile.write(reply.body[start : start + step])


def delay(handler, fault, reply, pause):
    pause()
    handler.wfile.write(handler.head(reply, len(reply.body)) + reply.body)


def hang(handler, fault, reply, pause):
    pause()


def cut(handler, fault, reply, pause):
    """The header promises more than comes."""
    sent = fault.get("bytes", len(reply.body) // 2)
    handler.wfile.write(handler.head(reply, len(reply.body)) + reply.body[:sent])


def truncated(handler, fault, reply, pause):
    """The header is right about a body that ends in mid-sentence."""
    body = reply.body[: fault.get("bytes", len(reply.body) // 2)]
    handler.wfile.write(handler.head(reply, len(body)) + body)


def chunked(handler, fault, reply, pause):
    """No fault in itself: the same reply without a length."""
    handler.wfile.write(handler.head(reply, None))
    for start in range(0, len(reply.body), 1000):
        piece = reply.body[start : start + 1000]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")


def reset(handler, fault, reply, pause):
    """Ends with RST: a lingering time of zero throws away what is unsent."""
    sent = fault.get("bytes", 0)
    handler.wfile.write((handler.head(reply, len(reply.body)) + reply.body)[:sent])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


DELIVERIES = {
    "slow": slow,
    "delay": delay,
    "hang": hang,
    "cut": cut,
    "truncated": truncated,
    "chunked": chunked,
    "reset": reset,
}
