# SPDX-License-Identifier: MIT
"""Certificates of the tests' own: a CA, and what it vouches for, as NAME.crt and NAME.key."""

import os
import subprocess


def make_ca(directory, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name + ".key", "-out",
                    name + ".crt", "-days", "2", "-subj", "/CN=test " + name], cwd=directory,
                   check=True, stderr=subprocess.DEVNULL)


def make_certificate(directory, name, ca, san, days=2):
    with open(os.path.join(directory, name + ".ext"), "w") as f:
        f.write("subjectAltName = %s\n" % san)
    for words in (["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name],
                  ["x509", "-req", "-in", name + ".csr", "-CA", ca + ".crt", "-CAkey", ca + ".key",
                   "-CAcreateserial", "-days", str(days), "-extfile", name + ".ext", "-out",
                   name + ".crt"]):
        subprocess.run(["openssl"] + words, cwd=directory, check=True, stderr=subprocess.DEVNULL)
