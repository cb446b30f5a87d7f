"""Two packages bring OpenCV's files; only the one without windows imports on a server."""

from __future__ import annotations

import cv2


def test_the_installed_opencv_needs_no_window_system():
    gui = next(line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:"))
    assert gui.split(":")[1].strip() in {"NONE", ""}
