# SPDX-License-Identifier: MIT
"""Job boards of many employers: what server mounts, by name."""


def mounts(data):
    """{mount: provider}; data: the directory of postings they share."""
    return {}
