"""The disk of the whole data folder hangs, with the spool and the database: a stop says what it leaves, and ends."""

from __future__ import annotations

import time

from tests.e2e import command
from tests.e2e.test_faults import CROWD_BEGINS, SQUARE, register
from tests.servers.disk import HangingDisk, hanging_disk

__all__ = ["hanging_disk"]


def test_a_stop_while_the_data_folder_hangs_says_what_it_leaves(tmp_path, rtsp_server, hanging_disk: HangingDisk):
    server = rtsp_server({"/square": SQUARE}, epoch=time.time() - CROWD_BEGINS)
    streams, data = register(tmp_path, {"square": server.url("/square")}), hanging_disk.folder / "data"
    streams.write_text("storage: {reserve: 1}\n" + streams.read_text())
    process = command.start("run", str(streams), data=data)
    try:
        command.wait_until(lambda: command.violations_stored(data) > 0, process)
        hanging_disk.freeze()
        began = time.monotonic()
        process.terminate()
        told = ""
        while "ended as by a kill" not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        took = time.monotonic() - began
        hanging_disk.thaw()
        assert process.wait(20) == 1
    finally:
        hanging_disk.thaw()
        process.kill()
    assert took < 9
    assert f"in {data}/evidence" in told
