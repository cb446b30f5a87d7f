"""A camera that another process watches is left alone, with all that it has open, until it is free."""

from __future__ import annotations

import threading
from pathlib import Path

from pipeline.camera_states import CameraStates
from pipeline.config import Changes, Config
from pipeline.installation import Installation
from pipeline.oversight import Oversight
from pipeline.paths import DataFolder
from pipeline.roster import Roster
from pipeline.types import Findings

from .store.makers import violation
from .store.test_claims import other_process
from .test_uploads import wait_for


def test_an_added_camera_is_claimed_before_anything_of_it_is_touched(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    camera = {"id": "gate", "source": "rtsp://127.0.0.1:9/x", "rules": []}
    config = Config.model_validate({"site": {"timezone": "UTC"}, "cameras": [camera]})
    with Installation.open(config, data, [], patient=True) as installation:
        store, outlet = installation.repository, installation.outlet
        store.save(Findings((violation(0, camera="gate", end=None),)))
        networks = installation.networks
        oversight = Oversight(installation.driver(), networks.engine, networks.workers, outlet)
        roster = Roster(installation, oversight, CameraStates(outlet), threading.Event(), lambda: None)
        with other_process(data.database_url):
            roster.change(Changes(added=config.cameras), config)
            assert "is watched already by process" in roster.failures["gate"]
            assert not oversight.given_up.lasting("gate")  # the other one tells how it is
            wait_for(lambda: not outlet.depth)
            assert [one.end for one in store.violations().items] == [None]
        roster.change(Changes(), config)
        assert not roster.failures
        assert [run.pipeline.camera.id for run in roster.runs] == ["gate"]
        roster.readers.close()
