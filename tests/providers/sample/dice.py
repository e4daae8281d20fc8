# SPDX-License-Identifier: MIT
"""Chance that is the same on every machine: built on random.random() alone, which Python promises
to keep.
"""

import hashlib
import random


class Dice:
    """One per thing that is drawn, named by words, so that a change in one leaves the others as
    they were.
    """

    def __init__(self, *words):
        digest = hashlib.sha256("|".join(map(str, words)).encode()).digest()
        self.random = random.Random(int.from_bytes(digest[:8], "big"))

    def share(self):
        return self.random.random()

    def chance(self, probability):
        return self.share() < probability

    def whole(self, low, high):
        """Both ends included."""
        return low + int(self.share() * (high - low + 1))

    def pick(self, things):
        return things[int(self.share() * len(things))]

    def weighted(self, pairs):
        """pairs of (thing, weight)."""
        mark = self.share() * sum(weight for _, weight in pairs)
        for thing, weight in pairs:
            mark -= weight
            if mark < 0:
                return thing
        return pairs[-1][0]

    def some(self, things, count):
        """`count` different ones, in an order of their own."""
        left = list(things)
        return [left.pop(int(self.share() * len(left))) for _ in range(min(count, len(left)))]


def hexdigest(*words):
    return hashlib.sha256("|".join(map(str, words)).encode()).hexdigest()
