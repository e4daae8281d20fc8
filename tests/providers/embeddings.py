# SPDX-License-Identifier: MIT
"""An OpenAI-compatible endpoint for embeddings: POST /v1/embeddings.

The vector of a text is random, but always the same. Rows come in reverse, as nothing promises their
order. Model `short` answers 768 dimensions, `gap` leaves the last text out, any other than those and
`test-embedding` is not found. A key that starts with "bad" is refused."""

import hashlib
import random

from exchange import reply_json

MODELS = {"test-embedding": 1536, "short": 768, "gap": 1536}
TEXTS_MAX = 2048


def vector(text, length):
    rng = random.Random(hashlib.sha256(text.encode()).digest())
    return [round(rng.uniform(-0.05, 0.05), 6) for _ in range(length)]


def refused(status, message, code):
    return reply_json({"error": {"message": message, "type": "invalid_request_error", "param": None,
                                 "code": code}}, status)


class Embeddings:
    def answer(self, request):
        if request.path != "/v1/embeddings" or request.method != "POST":
            return refused(404, "Invalid URL (%s %s)" % (request.method, request.path), None)
        key = (request.key() or "").removeprefix("Bearer ")
        if not key or key.startswith("bad"):
            return refused(401, "Incorrect API key provided.", "invalid_api_key")
        try:
            asked = request.json()
            model, texts = asked["model"], asked["input"]
        except (ValueError, KeyError, TypeError):
            return refused(400, "We could not parse the JSON body of your request.", None)
        texts = [texts] if isinstance(texts, str) else texts
        if model not in MODELS:
            return refused(404, "The model `%s` does not exist." % model, "model_not_found")
        if not texts or len(texts) > TEXTS_MAX or not all(isinstance(t, str) and t for t in texts):
            return refused(400, "'$.input' is invalid.", None)
        rows = [{"object": "embedding", "index": i, "embedding": vector(text, MODELS[model])}
                for i, text in enumerate(texts)]
        if model == "gap":
            rows.pop()
        tokens = sum(len(t) // 4 + 1 for t in texts)
        return reply_json({"object": "list", "data": rows[::-1], "model": model,
                           "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
