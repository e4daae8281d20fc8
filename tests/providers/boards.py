# SPDX-License-Identifier: MIT
"""Boards of one employer each, and of remote work: what server mounts, by name."""


def mounts(data):
    """{mount: provider}; data: the directory of postings they share."""
    return {}
