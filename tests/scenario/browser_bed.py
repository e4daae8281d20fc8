# SPDX-License-Identifier: MIT
"""A real headless Chromium, driven over its debugging pipe without any library: opens a page at a
width, tells what it complained of and what it asked for, evaluates JavaScript, takes a picture."""

import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

LIMIT_S = 60


class Browser:
    def __init__(self):
        self.dir = tempfile.mkdtemp()
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self.read_fd, self.write_fd = ours_in, ours_out
        self.buffer, self.numbers, self.events, self.session = b"", itertools.count(1), [], None
        # fd 3 is what the browser reads, fd 4 what it writes
        self.process = subprocess.Popen(
            ["sh", "-c", "exec \"$@\" 3<&%d 4>&%d" % (theirs_in, theirs_out), "sh", "chromium",
             "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--hide-scrollbars", "--disable-background-networking", "--user-data-dir=" + self.dir,
             "--remote-debugging-pipe", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env=dict(os.environ, HOME=self.dir))
        os.close(theirs_in)
        os.close(theirs_out)
        target = next(t for t in self.wait_targets() if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network":
            self.call(domain + ".enable")

    def wait_targets(self):
        deadline = time.monotonic() + LIMIT_S
        while True:
            targets = self.call("Target.getTargets")["targetInfos"]
            if any(t["type"] == "page" for t in targets):
                return targets
            assert time.monotonic() < deadline, "no page opens"
            time.sleep(0.05)

    def next_message(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            ready = select.select([self.read_fd], [], [], max(0, left))[0]
            assert ready, "the browser does not answer"
            chunk = os.read(self.read_fd, 1 << 16)
            assert chunk, "the browser is gone"
            self.buffer += chunk
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def call(self, method, **params):
        number, deadline = next(self.numbers), time.monotonic() + LIMIT_S
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_fd, data):]
        while True:
            got = self.next_message(deadline)
            if got.get("id") == number:
                assert "error" not in got, (method, got)
                return got["result"]
            self.events.append(got)

    def wait_event(self, method):
        deadline = time.monotonic() + LIMIT_S
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.next_message(deadline))

    def open(self, path, width, height=1000, dark=False):
        """The page as somebody sees it on a screen so wide."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events = []
        self.call("Page.navigate", url="file://" + path)
        self.wait_event("Page.loadEventFired")

    def asked_for(self):
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled",
                 "Page.javascriptDialogOpening")
        return [e for e in self.events if e.get("method") in kinds]

    def evaluate(self, script):
        """The value of an expression, which must be JSON."""
        got = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def picture(self, path, whole=True):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.read_fd)
        os.close(self.write_fd)
        shutil.rmtree(self.dir, ignore_errors=True)
