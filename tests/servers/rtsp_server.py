"""A real RTSP server (GStreamer) that sends films in a loop; run by the system's Python, which has `gi`.

    rtsp_server.py --port 0 --mount=/gate=film.json --mount=/yard=other.json [--user=USER --password=PASSWORD]

Prints the port it listens on, then serves until its standard input is closed. A film is an H.264 or H.265
byte stream with its index, as `tests.servers.rtsp.Film` writes it; its pictures are sent as they are, with
timestamps that run on when it begins anew. All clients of a mount see the same film, begun with the first.
"""

import argparse
import json
import sys
import threading
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CODECS = {"h264": ("video/x-h264", "h264parse", "rtph264pay"), "hevc": ("video/x-h265", "h265parse", "rtph265pay")}


class LoopedFilm(GstRtspServer.RTSPMediaFactory):
    """Pushes one picture after the other, whenever the pipeline wants more."""

    def __init__(self, index):
        super().__init__()
        film = json.loads(Path(index).read_text("utf-8"))
        self.data = Path(index).with_suffix(".bin").read_bytes()
        self.pictures = film["pictures"]
        self.duration = film["duration"]
        kind, parse, pay = CODECS[film["codec"]]
        self.set_launch(
            "( appsrc name=film is-live=true format=time max-bytes=400000 "
            f"caps={kind},stream-format=byte-stream,alignment=au "
            f"! {parse} config-interval=-1 ! {pay} name=pay0 pt=96 )"
        )
        self.set_shared(True)
        self.connect("media-configure", self.begin)

    def begin(self, _factory, media):
        state = {"next": 0}
        source = media.get_element().get_by_name("film")
        source.connect("need-data", lambda source, _size: self.push(source, state))

    def push(self, source, state):
        loop, number = divmod(state["next"], len(self.pictures))
        offset, size, pts, dts = self.pictures[number]
        picture = Gst.Buffer.new_wrapped(self.data[offset : offset + size])
        picture.pts = pts + loop * self.duration
        picture.dts = dts + loop * self.duration
        state["next"] += 1
        source.emit("push-buffer", picture)


def protect(server, factories, user, password):
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--mount", action="append", required=True, help="/path=index of a film")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    pairs = (mount.partition("=")[::2] for mount in options.mount)
    factories = {name: LoopedFilm(index) for name, index in pairs}
    if options.user:
        protect(server, factories.values(), options.user, options.password)
    for name, factory in factories.items():
        server.get_mount_points().add_factory(name, factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {options.port}")
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
