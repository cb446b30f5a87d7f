"""A real RTSP server (GStreamer) that plays files in a loop; run by the system's Python, which has `gi`.

    rtsp_server.py --port 0 --mount /gate=clip.mp4 --mount /yard=other.mp4 [--user USER --password PASSWORD]

Prints the port it listens on, then serves until its standard input is closed. Clips must hold one H.264 or
H.265 stream; it is sent as it is. Each client of a mount sees the same film, which begins with the first.
"""

import argparse
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CODECS = {"h264": ("h264parse", "rtph264pay"), "h265": ("h265parse", "rtph265pay")}
DEMUXERS = {"mp4": "qtdemux", "mkv": "matroskademux", "avi": "avidemux"}
SEGMENT = Gst.SeekFlags.SEGMENT | Gst.SeekFlags.ACCURATE


class LoopedFile(GstRtspServer.RTSPMediaFactory):
    """One file, begun again without a break in time whenever it ends."""

    def __init__(self, path, codec):
        super().__init__()
        parse, pay = CODECS[codec]
        demux = DEMUXERS[path.rpartition(".")[2]]
        self.set_launch(
            f'( filesrc location="{path}" ! {demux} ! queue ! {parse} config-interval=-1 '
            f"! {pay} name=pay0 pt=96 )"
        )
        self.set_shared(True)
        self.connect("media-configure", lambda factory, media: media.connect("prepared", self.begin))

    def begin(self, media):
        element = media.get_element()
        pad = element.get_by_name("pay0").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, lambda pad, info: self.on_event(info, element))
        element.seek_simple(Gst.Format.TIME, SEGMENT | Gst.SeekFlags.FLUSH, 0)
        element.get_state(5 * Gst.SECOND)  # a client must not be answered before the first frame is there again

    def on_event(self, info, element):
        if info.get_event().type != Gst.EventType.SEGMENT_DONE:
            return Gst.PadProbeReturn.OK
        GLib.idle_add(lambda: element.seek_simple(Gst.Format.TIME, SEGMENT, 0) and False)
        return Gst.PadProbeReturn.DROP


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
    parser.add_argument("--mount", action="append", required=True, help="/path=file")
    parser.add_argument("--codec", choices=CODECS, default="h264")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    pairs = (mount.partition("=")[::2] for mount in options.mount)
    factories = {name: LoopedFile(path, options.codec) for name, path in pairs}
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
