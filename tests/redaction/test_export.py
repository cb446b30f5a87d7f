"""A whole package, from a real clip, given out without those whom it is not about."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import EvidenceError
from pipeline.evidence import EvidenceRecorder, verify_package
from pipeline.frame import Frame
from pipeline.redaction import export
from pipeline.sources import Recording
from pipeline.types import PlateRead, Trace, TraceBox, Violation
from samples import load_truth, sample_paths
from tests.evidence.makers import ID
from tests.store.makers import identity

CLIP, TRUTH = sample_paths()["street"]
FRAMES = 14
pytestmark = pytest.mark.skipif(not CLIP.exists(), reason="the samples are not rendered")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of the street, about one of its motorbikes."""
    return made(tmp_path_factory.mktemp("evidence"), FRAMES, 6)


def made(root: Path, length: int, number: int, aside: float = 0.0) -> Path:
    """A package of `length` frames whose still is the frame `number`; its plate hangs so many widths aside."""
    truth = load_truth(TRUTH)
    subject = next(
        record
        for record in truth.records
        if truth.objects[record.object].label == "motorcycle" and record.frame == number
    )
    left, top, right, bottom = subject.box
    across, middle = (right - left) * aside, (left + right) / 2
    recorder = EvidenceRecorder("street", root, before=timedelta(), after=timedelta())
    frames: list[Frame] = []
    for frame in Recording(CLIP, "street", start=truth.anchor).frames(recorder.packet):
        frames.append(frame)
        if len(frames) == length:
            break
    boxes = tuple(
        TraceBox(frames[record.frame].time, "motorcycle", 1.0, record.box)
        for record in truth.records
        if record.object == subject.object and record.frame < length
    )
    still = frames[number]
    plate = PlateRead(
        identity("plate"),
        "street",
        1,
        "motorcycle",
        still.time,
        still.time,
        still.time,
        "75A12345",
        0.9,
        (),
        box=(middle - 4 + across, top + 0.6 * (bottom - top), middle + 4 + across, top + 0.7 * (bottom - top)),
        crop=np.full((20, 60, 3), 200, np.uint8),
    )
    recorder.record(
        Violation(
            ID,
            "street",
            "wrong_way",
            "wrong_way",
            frames[0].time,
            still.time,
            frames[-1].time,
            0.9,
            still,
            (("motorcycle 1", subject.box),),
            Trace((), boxes),
            "motorcycle",
            track=1,
            plate=plate,
        )
    )
    *_, evidence = recorder.finish()
    return root / evidence.folder


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(container.streams.video[0])]


def files(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_a_copy_hides_others_shows_the_subject_and_verifies_as_a_copy(package: Path, tmp_path: Path) -> None:
    before = files(package)
    copy = tmp_path / "copy"
    answer = CliRunner().invoke(app, ["export", str(package), "--redact", str(copy)])
    assert answer.exit_code == 0, answer.output
    assert files(package) == before
    assert verify_package(copy) == []
    told = CliRunner().invoke(app, ["verify", str(copy)]).output.replace("\n", "")
    assert f"a redacted copy of the package whose manifest has the SHA-256 {before['manifest.json']}" in told

    fields = json.loads((copy / "manifest.json").read_bytes())
    assert fields["redaction"]["original"] == before["manifest.json"]
    assert fields["redaction"]["subject"] == "motorcycle 1"
    assert set(fields["redaction"]["models"]) == {"road-nano", "hazard-nano"}
    assert {file["role"] for file in fields["files"]} == {"still", "overlay", "plate", "clip", "trace"}
    assert "left_out" not in fields["redaction"]
    with pytest.raises(EvidenceError, match="is a redacted copy already"):
        export(copy, tmp_path / "again")

    truth = load_truth(TRUTH)
    clear, hidden = pictures(package / "clip.mp4"), pictures(copy / "clip.mp4")
    assert len(hidden) == len(clear)
    trace = json.loads((copy / "trace.json").read_bytes())
    subject = {tuple(box["box"]) for box in trace["boxes"]}
    kept, lost = [], []
    for number, (one, other) in enumerate(zip(clear, hidden, strict=True)):
        for record in truth.records:
            if record.frame != number or record.visible < 0.9:
                continue
            left, top, right, bottom = (max(0, int(edge)) for edge in record.box)
            share = detail(other[top:bottom, left:right]) / detail(one[top:bottom, left:right])
            if record.box in subject:
                kept.append(share)
            elif truth.objects[record.object].label == "car" and right - left > 60:
                lost.append(share)
    assert len(kept) > FRAMES / 2
    assert np.mean(kept) > 0.6
    assert lost
    assert max(lost) < 0.35


def test_the_picture_of_a_plate_that_hangs_elsewhere_is_left_out(tmp_path: Path) -> None:
    copy = export(made(tmp_path, 3, 1, aside=3.0), tmp_path / "copy")
    assert verify_package(copy) == []
    assert not (copy / "plate.jpg").exists()
    left_out = json.loads((copy / "manifest.json").read_bytes())["redaction"]["left_out"]
    assert left_out == {"plate.jpg": "the plate is not seen to be the subject's"}


def detail(picture: np.ndarray) -> float:
    """Contrast between neighbouring pixels."""
    return float(np.abs(np.diff(picture.astype(int), axis=1)).mean())


def test_a_zip_holds_the_package_under_its_name(package: Path, tmp_path: Path) -> None:
    target = export(package, tmp_path / "copy.zip", redact=False)
    with zipfile.ZipFile(target) as packed:
        packed.extractall(tmp_path / "there")
    assert files(tmp_path / "there" / package.name) == files(package)
    assert verify_package(tmp_path / "there" / package.name) == []
    again = export(package, tmp_path / "again.zip", redact=False)
    assert again.read_bytes() == target.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.zip", "copy.zip", "there"]


def test_what_does_not_verify_or_would_be_overwritten_is_not_exported(package: Path, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="is there already"):
        export(package, tmp_path)
    broken = tmp_path / package.name
    export(package, broken, redact=False)
    (broken / "trace.json").write_bytes(b"{}")
    with pytest.raises(EvidenceError, match="does not verify"):
        export(broken, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
