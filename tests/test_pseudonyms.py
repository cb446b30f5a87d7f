"""Cameras for statistics: no plate leaves the heart in clear, and the same plate stays the same."""

from __future__ import annotations

import json
import stat
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from pydantic import SecretStr

from pipeline.camera import CameraPipeline, ModelCard
from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.evidence import EvidenceRecorder
from pipeline.evidence.documents import manifest_fields, trace_fields
from pipeline.frame import Frame
from pipeline.kept_secret import kept_secret
from pipeline.pseudonyms import coarse, pseudonym, without_plates
from pipeline.types import Findings, PlateRead, RawRead, Trace, Violation
from tests.rules.test_plate import reader

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = b"k" * 32
CROP = np.full((40, 120, 3), 200, np.uint8)
READ = PlateRead(
    UUID(int=9), "gate", 1, "car", NOW, NOW, NOW, "75A12345", 0.9, (RawRead(NOW, "75A-123.45", 0.9),),
    crop=CROP, final=True, country="vn", display="75A-123.45", region="Huế", colour="white",
    alternatives=(("75A12346", 0.05), ("75A12348", 0.01)),
)  # fmt: skip
STILL = Frame("gate", 0, NOW, np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8))
VIOLATION = Violation(
    UUID(int=1), "gate", "wrong_way", "wrong_way", NOW, NOW, NOW, 0.8, STILL, (), Trace(()), track=1, plate=READ
)


def streams(folder: Path, text: str) -> Path:
    path = folder / "streams.yaml"
    path.write_text("site: {name: Test, timezone: UTC}\n" + text)
    return path


def test_the_same_plate_has_the_same_pseudonym_and_no_other_key_or_country_gives_it() -> None:
    one = pseudonym("75A-123.45", "vn", KEY)
    assert one == pseudonym("75a12345", "vn", KEY)
    assert pseudonym("75AO2345", "vn", KEY) == pseudonym("75A02345", "vn", KEY)
    assert len({one, pseudonym("75A12346", "vn", KEY), pseudonym("75A12345", "br", KEY),
                pseudonym("75A12345", "vn", b"x" * 32)}) == 4  # fmt: skip
    assert one.startswith("#")
    assert one[1:].isalpha()
    assert len(one) == 21


def test_nothing_that_is_given_out_holds_the_plate() -> None:
    found = without_plates(Findings((VIOLATION,), (READ,)), KEY)
    (violation,), (read,) = found.violations, found.plates
    assert read.text == pseudonym("75A12345", "vn", KEY)
    assert (read.reads, read.alternatives, read.crop, read.region, read.colour) == ((), (), None, "Huế", "white")
    assert violation.plate is not None
    assert violation.plate.alternatives == ()
    text = json.dumps(
        [
            trace_fields(violation),
            manifest_fields(violation, (), (), code_version="", complete=True, note=""),
            {name: value for name, value in asdict(read).items() if name != "crop"},
        ],
        default=str,
    )
    assert "1234" not in text
    assert "123.4" not in text
    colours = violation.still.image.astype(np.int64) @ (1, 256, 65536)
    assert len(np.unique(colours)) <= 32 * 18


def test_an_illegible_plate_stays_illegible() -> None:
    (read,) = without_plates(Findings(plates=(replace(READ, text=None, display=""),)), KEY).plates
    assert (read.text, read.display, read.reads, read.crop) == (None, "", (), None)


@pytest.mark.parametrize("shape", [(1, 1, 3), (720, 1280, 3), (33, 7, 3)])
def test_a_coarse_picture_keeps_its_size(shape: tuple[int, int, int]) -> None:
    assert coarse(np.zeros(shape, np.uint8)).shape == shape


class Reporting:
    """A rule that reports a violation and a read in every frame, and at the end."""

    def update(self, _scene: object) -> Findings:
        return Findings((VIOLATION,), (READ,))

    def finish(self) -> Findings:
        return Findings((VIOLATION,), (READ,))


def test_the_heart_hashes_what_its_rules_report_and_needs_a_key_for_it(tmp_path: Path) -> None:
    (camera,) = load(streams(tmp_path, "cameras: [{id: gate, source: rtsp://10.0.0.2/a, hash_plates: true}]")).cameras
    models = {"road-nano": ModelCard("ab" * 32, frozenset({"car"}))}
    with pytest.raises(ValueError, match="given no key"):
        CameraPipeline(camera, models)
    pipeline = CameraPipeline(camera, models, plate_key=KEY)
    pipeline._rules = [Reporting()]  # type: ignore[list-item]
    for found in (pipeline.step(STILL, {}), pipeline.finish()):
        texts = {found.plates[0].text, found.violations[0].plate and found.violations[0].plate.text}
        assert texts == {pseudonym("75A12345", "vn", KEY)}
        assert not np.array_equal(found.violations[0].still.image, STILL.image)


def test_such_a_cameras_evidence_has_no_clip_and_says_so(tmp_path: Path) -> None:
    (hidden,) = without_plates(Findings((VIOLATION,)), KEY).violations
    recorder = EvidenceRecorder("gate", tmp_path, clips=False)
    recorder.record(hidden)
    (evidence,) = recorder.finish()
    assert "keeps nothing that shows a plate" in evidence.note
    assert {file.role for file in evidence.files} == {"still", "overlay", "trace", "manifest"}


def test_a_watchlist_is_refused_where_plates_are_hashed(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("plate,reason\n75A12345,stolen\n")
    path = streams(
        tmp_path,
        "cameras:\n  - id: gate\n    source: rtsp://10.0.0.2/a\n    hash_plates: true\n"
        "    rules: [{kind: plate, watchlist: w.csv}]\n",
    )
    with pytest.raises(ConfigError, match=r"streams\.yaml:5:18: cameras\[0\]\.hash_plates: .*'plate' has a watchlist"):
        load(path)


def test_the_switch_changes_what_is_kept_and_no_id(tmp_path: Path) -> None:
    text = "cameras: [{{id: gate, source: rtsp://10.0.0.2/a, rules: [{{kind: plate}}]{more}}}]"
    (clear,) = load(streams(tmp_path, text.format(more=""))).cameras
    (off,) = load(streams(tmp_path, text.format(more=", hash_plates: false"))).cameras
    (hashed,) = load(streams(tmp_path, text.format(more=", hash_plates: true"))).cameras
    assert clear.hash == off.hash != hashed.hash
    assert clear.rule_hash(clear.rules[0]) == hashed.rule_hash(hashed.rules[0])


def test_a_new_watchlist_changes_the_content_alone(tmp_path: Path) -> None:
    path = streams(
        tmp_path, "cameras: [{id: gate, source: rtsp://10.0.0.2/a, rules: [{kind: plate, watchlist: w.csv}]}]"
    )
    cameras = []
    for plate in ("75A12345", "75A12345", "75A12346"):
        (tmp_path / "w.csv").write_text(f"plate,reason\n{plate},stolen\n")
        cameras.append(load(path).cameras[0])
    first, same, other = cameras
    assert first == same != other
    assert first.hash == other.hash
    assert first.content == same.content != other.content
    pipeline = CameraPipeline(first, {"road-nano": ModelCard("ab" * 32, frozenset({"car"}))}, reader)
    pipeline.refresh(other)
    pipeline.step(STILL, {})
    assert pipeline.camera is other
    with pytest.raises(ValueError, match="other settings"):
        pipeline.refresh(other.model_copy(update={"rate": 3.0}))


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "plate.key"
    key = kept_secret(None, file, "the key")
    assert len(key) == 64
    assert kept_secret(None, file, "the key") == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["plate.key"]
    assert kept_secret(SecretStr("from the environment"), file, "the key") == b"from the environment"


def test_a_damaged_key_stops_rather_than_beginning_anew_in_silence(tmp_path: Path) -> None:
    (tmp_path / "plate.key").write_text("")
    with pytest.raises(ConfigError, match="put it back from a copy"):
        kept_secret(None, tmp_path / "plate.key", "the key")
    with pytest.raises(ConfigError, match="No such file"):
        kept_secret(None, tmp_path / "nowhere" / "plate.key", "the key")


def test_a_short_key_is_refused_without_telling_it(tmp_path: Path) -> None:
    path = streams(tmp_path, "storage: {plate_key: '${KEY}'}\ncameras: [{id: gate, source: rtsp://10.0.0.2/a}]\n")
    with pytest.raises(ConfigError, match="too short to be a secret") as caught:
        load(path, {"KEY": "geheim"})
    assert "geheim" not in str(caught.value)
    assert "very secret indeed" not in repr(load(path, {"KEY": "very secret indeed"}))
