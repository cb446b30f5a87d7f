"""A real RTSP server (GStreamer) that sends films in a loop; run by the system's Python, which has `gi`.

    rtsp_server.py --port 0 --mount=/gate=film.json --mount=/yard=a.json,b.json [--user=USER --password=PASSWORD]

Prints the port it listens on, then a line of JSON for each request to play, and serves until its standard input is
closed. A film is an H.264 or H.265 byte stream with its index, as `pipeline.soak.films` writes it; its pictures are
sent as they are, with timestamps that run on when it begins anew. All clients of a mount see the same film. It begins
with the first of them; with `--epoch SECONDS` (Unix time) it began then and goes on whether anyone looks or not, as
what a camera sees does, and a client joins at the next key frame.

A mount may have several films of the same length in pictures, such as one scene at two sizes. Lines on standard
input change what a mount sends, from its next key frame on:

    film /yard 1            its second film
    freeze /yard on         the same picture again and again
    garble /yard on         pictures whose content is noise
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CODECS = {"h264": ("video/x-h264", "h264parse", "rtph264pay"), "hevc": ("video/x-h265", "h265parse", "rtph265pay")}
SWITCHES = {"on": 1, "off": 0}
HEAD = 16
"""Bytes of a garbled picture that stay as they are, so that it still passes for one."""


class Film:
    """The pictures of a film: bytes, and (offset, size, pts, dts) of each in nanoseconds, in decoding order."""

    def __init__(self, index: str) -> None:
        film = json.loads(Path(index).read_text("utf-8"))
        self.data = Path(index).with_suffix(".bin").read_bytes()
        self.pictures = film["pictures"]
        self.keys = film["keys"]
        self.duration = film["duration"]
        self.codec = film["codec"]

    def picture(self, number: int) -> bytes:
        offset, size, *_ = self.pictures[number]
        return self.data[offset : offset + size]


class LoopedFilm(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """Pushes one picture after the other, whenever the pipeline wants more."""

    def __init__(self, indexes: str, epoch: float | None, phase: float) -> None:
        super().__init__()
        self.films = [Film(index) for index in indexes.split(",")]
        self.epoch = None if epoch is None else epoch + phase
        self.wanted = {"film": 0, "freeze": 0, "garble": 0}
        self.set_switches()
        kind, parse, pay = CODECS[self.films[0].codec]
        # in the other form a payloader that begins with noise sends empty packets without end (GStreamer 1.22)
        form = f"{kind},stream-format=byte-stream,alignment=au"
        self.set_launch(
            "( appsrc name=film is-live=true format=time max-bytes=400000 max-time=500000000 "
            f"caps={form} ! {parse} config-interval=-1 ! {form} ! {pay} name=pay0 pt=96 )"
        )
        self.set_shared(True)
        self.connect("media-configure", self.begin)

    def set_switches(self) -> None:
        self.film = self.films[self.wanted["film"]]
        self.frozen, self.garbled = bool(self.wanted["freeze"]), bool(self.wanted["garble"])

    def begin(self, _factory: Any, media: Any) -> None:
        next_picture, shift = 0, 0
        if self.epoch is not None:
            shift = int((time.time() - self.epoch) * 1e9)
            loop, rest = divmod(shift, self.film.duration)
            coming = (key for key in self.film.keys if self.film.pictures[key][3] >= rest)
            next_picture = loop * len(self.film.pictures) + next(coming, len(self.film.pictures))
        state = {"next": next_picture, "shift": shift}
        source = media.get_element().get_by_name("film")
        source.connect("need-data", lambda source, _size: self.push(source, state))

    def push(self, source: Any, state: dict[str, int]) -> None:
        loop, number = divmod(state["next"], len(self.film.pictures))
        if number in self.film.keys:
            self.set_switches()
        passed = loop * self.film.duration - state["shift"]
        _, _, pts, dts = self.film.pictures[number]
        picture = Gst.Buffer.new_wrapped(self.content(number))
        picture.pts = pts + passed
        picture.dts = dts + passed
        state["next"] += 1
        source.emit("push-buffer", picture)

    def content(self, number: int) -> bytes:
        if self.frozen:
            number = self.film.keys[0]
        data = self.film.picture(number)
        if self.garbled:
            data = data[:HEAD] + random.Random(number).randbytes(max(0, len(data) - HEAD))  # noqa: S311
        return data


def protect(server: Any, factories: Any, user: str, password: str) -> None:
    """Ask for a login; anyone else is answered 401."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("user", "media.factory.access", True)
        permissions.add_permission_for_role("user", "media.factory.construct", True)
        factory.set_permissions(permissions)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def announce(_server: Any, client: Any) -> None:
    def played(_client: Any, context: Any) -> None:
        say(json.dumps({"mount": context.uri.abspath.rstrip("/"), "time": time.time()}))

    client.connect("play-request", played)


def listen(factories: dict[str, LoopedFilm], loop: Any) -> None:
    """Obey the lines of standard input until it is closed."""
    for line in sys.stdin:
        what, mount, value = line.split()
        factories[mount].wanted[what] = SWITCHES[value] if value in SWITCHES else int(value)
    loop.quit()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--mount", action="append", required=True, help="/path=index of a film, or several with commas")
    parser.add_argument("--epoch", type=float)
    parser.add_argument("--phase", action="append", default=[], help="/path=seconds after the epoch that it began")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    pairs = (mount.partition("=")[::2] for mount in options.mount)
    phases = {name: float(seconds) for name, _, seconds in (phase.partition("=") for phase in options.phase)}
    factories = {name: LoopedFilm(indexes, options.epoch, phases.get(name, 0.0)) for name, indexes in pairs}
    if options.user:
        protect(server, factories.values(), options.user, options.password)
    for name, factory in factories.items():
        server.get_mount_points().add_factory(name, factory)
    server.connect("client-connected", announce)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {options.port}")
    say(server.get_bound_port())
    loop = GLib.MainLoop()
    threading.Thread(target=listen, args=(factories, loop), daemon=True).start()
    loop.run()
    os._exit(0)  # threads of the pipelines may be in the middle of a push


if __name__ == "__main__":
    main()
