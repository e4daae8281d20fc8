# SPDX-License-Identifier: MIT
"""The keeper: one process per directory, parent of all that runs for it.

It knows nothing of what it runs. It spawns, signals and reaps on request (a line of JSON each way
over the unix socket DIR/control), so that a request never waits for a service. Waiting is the
caller's. A spawn says the name, argv, env, cwd, log, user (or null), the signal that stops it and
a rank: when all is stopped the highest rank goes first, and the next when it is gone.

Nothing outlives it: its children get SIGKILL from the kernel when the keeper dies, however it
dies. A keeper that was started for one owner likewise gets SIGTERM when that process dies, and
then kills its children and the owner's command's process group, and removes the directory.
The lock DIR/lock is held while a keeper lives; the kernel gives it back. A keeper whose directory
was removed ends too.
"""

import ctypes
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
STOP_LIMIT_S = 30
LOOK_S = 2          # how often the keeper looks whether its directory still exists
libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent, sig):
    """In a fresh child, after any change of user (which would clear it)."""
    libc.prctl(PR_SET_PDEATHSIG, int(sig))
    if os.getppid() != parent:
        os.kill(os.getpid(), sig)


def load_state(directory):
    with open(os.path.join(directory, "state.json")) as f:
        return json.load(f)


def descendants(pid):
    """Every process below pid, children before grandchildren."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry) as f:
                    ppid = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(ppid, []).append(int(entry))
    found = list(children.get(pid, []))
    for child in found:
        found.extend(children.get(child, []))
    return found


def send(pid, sig):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def close_quietly(fd):
    try:
        os.close(fd)
    except OSError:
        pass


class Keeper:
    def __init__(self, directory, owner):
        self.directory = directory
        self.owner = owner              # pid of the process we live for, or 0
        self.group = 0                  # process group of its command
        self.children = {}              # name -> Popen, kept so that only reap() waits for it
        self.exits = {}                 # name -> how it ended last
        self.leaving = None             # "stop" or "kill" once we are to end

    def spawn(self, name, argv, env, cwd, log, user, stop, rank):
        if name in self.children:
            return
        me = os.getpid()
        identity = dict(user=user, group=user, extra_groups=[]) if user else {}
        with open(log, "ab") as out:
            child = subprocess.Popen(
                argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, umask=0o077,
                preexec_fn=lambda: die_with(me, signal.SIGKILL), **identity)
        child.stop_signal, child.rank = stop, rank
        self.children[name] = child
        self.exits.pop(name, None)

    def signal(self, name, sig):
        child = self.children.get(name)
        if not child:
            return
        below = descendants(child.pid) if sig == signal.SIGKILL else []
        for pid in [child.pid] + below:
            send(pid, sig)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, child in list(self.children.items()):
                if child.pid == pid:
                    child.returncode = os.waitstatus_to_exitcode(status)
                    self.exits[name] = child.returncode
                    del self.children[name]

    def answer(self, request):
        op = request.pop("op")
        if op == "spawn":
            self.spawn(**request)
        elif op == "signal":
            self.signal(request["name"], request["signal"])
        elif op == "group":
            self.group = request["group"]
        elif op in ("stop", "kill"):
            self.leaving = op
        pids = {name: child.pid for name, child in self.children.items()}
        return {"pids": pids, "exits": self.exits, "keeper": os.getpid()}

    def serve(self, connection):
        with connection, connection.makefile("rw") as stream:
            connection.settimeout(5)
            try:
                reply = self.answer(json.loads(stream.readline()))
            except (OSError, ValueError, KeyError, TypeError) as problem:
                reply = {"error": str(problem)}
            try:
                stream.write(json.dumps(reply) + "\n")
                stream.flush()
            except OSError:
                pass

    def end(self):
        """Stops every child, orderly first unless the data is thrown away anyway."""
        if self.leaving == "stop":
            for rank in sorted({child.rank for child in self.children.values()}, reverse=True):
                self.stop_rank(rank)
        elif self.group:
            try:
                os.killpg(self.group, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        deadline = time.monotonic() + STOP_LIMIT_S
        while time.monotonic() < deadline:
            left = descendants(os.getpid())
            if not left:
                break
            for pid in left:
                send(pid, signal.SIGKILL)
            time.sleep(0.01)
            self.reap()

    def stop_rank(self, rank):
        names = {name for name, child in self.children.items() if child.rank == rank}
        for name in names:
            self.signal(name, self.children[name].stop_signal)
        deadline = time.monotonic() + STOP_LIMIT_S
        while names & set(self.children) and time.monotonic() < deadline:
            time.sleep(0.01)
            self.reap()

    def leave(self, *_):
        self.leaving = "kill"

    def loop(self, listener):
        wake_r, wake_w = os.pipe()
        os.set_blocking(wake_w, False)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sig, self.leave)
        if self.owner:
            die_with(self.owner, signal.SIGTERM)
        select = selectors.DefaultSelector()
        select.register(listener, selectors.EVENT_READ)
        select.register(wake_r, selectors.EVENT_READ)
        while not self.leaving:
            for key, _ in select.select(LOOK_S):
                if key.fileobj is listener:
                    self.serve(listener.accept()[0])
                else:
                    os.read(wake_r, 512)
            self.reap()
            if not os.path.exists(os.path.join(self.directory, "lock")):
                self.leave()
        listener.close()
        self.end()


def start(directory, owner):
    """Forks a keeper for directory and returns when it answers requests."""
    lock = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with address(directory) as name:
        if os.path.lexists(name):
            os.unlink(name)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(name)
    os.chmod(os.path.join(directory, "control"), 0o600)
    listener.listen(64)
    if os.fork():
        os.close(lock)
        listener.close()
        return
    status = 1
    try:
        data = load_state(directory)["data"]
        os.setsid()
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
        null = os.open(os.devnull, os.O_RDWR)
        log = os.open(os.path.join(directory, "keeper.log"),
                      os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for fd, to in ((null, 0), (log, 1), (log, 2)):
            os.dup2(fd, to)
        for fd in map(int, os.listdir("/proc/self/fd")):
            # what the caller had open is not ours to hold: a pipe, another lock
            if fd > 2 and fd not in (lock, listener.fileno()):
                close_quietly(fd)
        Keeper(directory, owner).loop(listener)
        if owner or not os.path.exists(os.path.join(directory, "lock")):
            shutil.rmtree(data, ignore_errors=True)
            shutil.rmtree(directory, ignore_errors=True)
        status = 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        os._exit(status)


class address:
    """A short name for DIR/control: socket names end at 107 bytes, directories need not."""

    def __init__(self, directory):
        self.directory = directory

    def __enter__(self):
        self.fd = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
        return "/proc/self/fd/%d/control" % self.fd

    def __exit__(self, *_):
        os.close(self.fd)


def ask(directory, op, **arguments):
    """Sends one request; None when no keeper answers."""
    try:
        with address(directory) as name, socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(name)
            with s.makefile("rw") as stream:
                stream.write(json.dumps(dict(arguments, op=op)) + "\n")
                stream.flush()
                line = stream.readline()
    except OSError:
        return None
    reply = json.loads(line) if line else None
    if reply and "error" in reply:
        raise SystemExit("services: " + reply["error"])
    return reply


def alive(directory):
    """Does a keeper hold the directory (also one that is just ending)?"""
    try:
        lock = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
