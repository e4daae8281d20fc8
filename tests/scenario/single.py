# SPDX-License-Identifier: MIT
"""Processes of one thread, by the kernel's word: who starts a second one is killed with SIGSYS.

single(command) are the words that run a command so, forks and execs of it included. A seccomp
filter sees clone() with CLONE_THREAD; clone3(), whose flags a filter cannot read, is said not to
exist, upon which the C library takes clone(). x86_64 only, as its numbers are."""

import ctypes
import glob
import os
import platform
import re
import signal
import struct
import subprocess
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
ARCH_X86_64, CLONE, CLONE3, CLONE_THREAD = 0xC000003E, 56, 435, 0x10000
LOAD, JUMP_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, KILL_PROCESS, NO_SUCH_CALL = 0x7FFF0000, 0x80000000, 0x00050000 | 38     # ENOSYS
NUMBER_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16        # of struct seccomp_data
FILTER = [(LOAD, 0, 0, ARCH_AT),                # (code, jump if true, jump if false, operand)
          (JUMP_EQUAL, 0, 6, ARCH_X86_64),
          (LOAD, 0, 0, NUMBER_AT),
          (JUMP_EQUAL, 5, 0, CLONE3),
          (JUMP_EQUAL, 0, 2, CLONE),
          (LOAD, 0, 0, FIRST_ARGUMENT_AT),
          (JUMP_ANY_BIT, 1, 0, CLONE_THREAD),
          (RETURN, 0, 0, ALLOW),
          (RETURN, 0, 0, KILL_PROCESS),
          (RETURN, 0, 0, NO_SUCH_CALL)]


def single(command):
    if platform.machine() != "x86_64":
        return command
    return [sys.executable, "-IS", os.path.realpath(__file__), *command]


def threads_of(pid):
    return len(glob.glob("/proc/%d/task/*" % pid))


def died_of_a_thread(where):
    """Lines of the logs there that tell of a child killed with SIGSYS, with a core or without."""
    found = []
    for path in glob.glob(os.path.join(where, "*.log")):
        with open(path, errors="replace") as f:
            found += re.findall(r"^.*child died pid=\d+ status=(?:31|159)\b.*$", f.read(), re.M)
    return found


def starters_of_threads(folder):
    """Which programs there import a call that starts one (libuv's pool works for the last three)."""
    found = {}
    for path in glob.glob(os.path.join(folder, "jobfleet-*")):
        said = subprocess.run(["nm", "-D", "--undefined-only", path], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        found[path] = re.findall(r"\b(?:pthread_create|thrd_create|clone|uv_thread_\w+|"
                                 r"uv_queue_work|uv_getaddrinfo|uv_fs_\w+)\b", said)
    assert found
    return {path: names for path, names in found.items() if names}


def check_the_filter():
    """A thread is indeed death: else the rest shows nothing."""
    if platform.machine() != "x86_64":
        return
    starts_one = [sys.executable, "-c", "import _thread; _thread.start_new_thread(print, ())"]
    status = subprocess.run(single(starts_one), stdout=subprocess.DEVNULL).returncode
    assert status == -signal.SIGSYS, status
    assert subprocess.run(single(["/bin/sh", "-c", "/bin/true; exit 3"])).returncode == 3


def main():
    program = b"".join(struct.pack("HBBI", *row) for row in FILTER)
    rows = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(FILTER), ctypes.addressof(rows))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, MODE_FILTER, header, 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
