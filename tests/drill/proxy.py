#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A network between the fleet and its services that fails on order.

usage: proxy.py NAME=PORT...     what listens for each on a port of its own and forwards to PORT

Prints a line `NAME PORT` for each, then takes orders on stdin, a line each, and answers `done`:

    NAME pass           forward, as at first; what was held back goes on
    NAME delay SECONDS  each piece of data waits so long, both ways
    NAME bytes          each byte is a write of its own
    NAME hold           half open: connections stay and are taken, nothing gets through
    NAME cut            every connection is closed, and new ones are
    NAME reset          every connection ends with RST; then as before
Ends with its stdin.
"""

import asyncio
import socket
import struct
import sys

PIECE = 65536
RESET = struct.pack("ii", 1, 0)     # SO_LINGER: on, 0 s


class Link:
    def __init__(self, port):
        self.port, self.mode, self.delay_s = port, "pass", 0
        self.writers = set()
        self.open = asyncio.Event()
        self.open.set()

    async def forward(self, reader, writer):
        try:
            while True:
                data = await reader.read(PIECE)
                if not data:
                    break
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self.open.wait()
                if self.mode == "bytes":
                    for i in range(len(data)):
                        writer.write(data[i:i + 1])
                        await asyncio.sleep(0)      # a turn of the loop each, so a packet each
                else:
                    writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def take(self, reader, writer):
        if self.mode == "cut":
            writer.close()
            return
        await self.open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        pair = {writer, far_writer}
        for one in pair:
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.writers |= pair
        await asyncio.gather(self.forward(reader, far_writer), self.forward(far_reader, writer))
        self.writers -= pair

    def end_all(self, reset):
        for writer in list(self.writers):
            if reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                           RESET)
            writer.transport.abort()

    def order(self, mode, value=None):
        if mode in ("cut", "reset"):
            self.end_all(mode == "reset")
        self.mode = "pass" if mode == "reset" else mode
        self.delay_s = float(value) if mode == "delay" else 0
        if mode == "hold":
            self.open.clear()
        else:
            self.open.set()


async def main():
    links = {}
    for word in sys.argv[1:]:
        name, _, port = word.partition("=")
        links[name] = Link(int(port))
        server = await asyncio.start_server(links[name].take, "127.0.0.1", 0)
        print(name, server.sockets[0].getsockname()[1], flush=True)
    print(".", flush=True)
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break
        name, *words = line.split()
        links[name].order(*words)
        print("done", flush=True)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
