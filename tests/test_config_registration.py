"""streams.yaml is changed from the desk: nothing but what is meant, never over another's change, every version kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import ConfigFile, compare, load
from pipeline.config.camera_change import CameraChange, NotAllowedError, adding, changing, check_source, removing
from pipeline.config.registration import Registration, Revision
from pipeline.config.shown import difference, excerpt, shown
from pipeline.errors import ConfigError, ConflictError

ROOT = Path(__file__).parents[1]
SECRETS = """\
storage: {database: "postgresql://matthan:hunter2@db/x", plate_key: hunter2hunter2hunter2} # key: hunter2
notifications: {targets: [{id: chat, url: tgram://hunter2/1}]}
cameras:
  # before: rtsp://admin:hunter2@10.0.0.1/1, password: hunter2
  - {id: a, source: "rtsp://admin:hunter2@10.0.0.1/1"}
  - {id: b, source: {url: "rtsp://10.0.0.2/1?token=hunter2", user: hunter2, password: "${CAM_B}"}}
"""
SMALL = """\
site: {timezone: UTC}
cameras:
  - id: street       # the one by the bridge
    source: rtsp://10.0.0.1/1
    lanes:
      # as the road is painted
      - id: inbound  # left half, towards the camera
        polygon: [[0.4, 0.1], [0.3, 0.1], [0.0, 0.9], [0.4, 1]]
        direction: [[0.35, 0.1], [0.2, 1]]
      - id: outbound # right half, away from it
        polygon: [[0.6, 0.1], [0.5, 0.1], [0.5, 1.0]]
        direction: [[0.52, 1], [0.55, 0.1]]
    # nothing yet
    rules: []
  - {id: other, source: rtsp://10.0.0.2/1}  # the other one
"""


@pytest.fixture
def registration(tmp_path: Path) -> Registration:
    shutil.copy(ROOT / "streams.yaml", tmp_path)
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    return Registration(tmp_path / "streams.yaml", tmp_path / "versions", environment={"CAM_A": "secret"})


def change(registration: Registration, index: int, **values: object):
    wanted = CameraChange.model_validate(values)
    return registration.edited(registration.read(), lambda data: changing(data, index, wanted))


def test_a_change_is_written_whole_and_its_versions_are_kept(registration: Registration) -> None:
    before = registration.read()
    registration.path.chmod(0o640)
    watched = ConfigFile(registration.path)
    running = watched.load()
    draft = change(registration, 1, name="Ngọ Môn", rate=6)
    assert [line for line in draft.difference if line[0] in "+-"] == [
        "-    name: Quảng trường Ngọ Môn",
        "+    name: Ngọ Môn",
        "+    rate: 6.0",
    ]
    assert str(draft.changes) == "restarted: square"
    registration.write(draft, "lan")

    assert registration.path.stat().st_mode & 0o777 == 0o640
    assert not watched.changed(), "a file is looked at twice"
    assert watched.changed()
    assert [camera.id for camera in compare(running, watched.load()).restarted] == ["square"]
    newest, oldest = registration.versions()
    assert (newest.actor, newest.digest, oldest.actor) == ("lan", draft.after.digest, "")
    assert registration.version(oldest.digest) == before
    assert oldest.path.stat().st_mode & 0o777 == 0o600

    registration.write(registration.draft(registration.read(), before), "minh")
    assert registration.path.read_text("utf-8") == before.text
    oldest.path.write_text("another text")
    assert registration.version(oldest.digest) == before, "kept a second time when it was written again"


def test_who_was_slower_changes_nothing(registration: Registration) -> None:
    mine, theirs = change(registration, 0, name="mine"), change(registration, 0, name="theirs")
    registration.write(theirs, "lan")
    with pytest.raises(ConflictError, match="has been changed meanwhile"):
        registration.write(mine, "minh")
    assert load(registration.path).cameras[0].name == "theirs"
    assert [path.name for path in registration.path.parent.glob(".*")] == []


def test_a_wrong_change_is_told_with_its_place_and_not_written(registration: Registration) -> None:
    crossing = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]
    with pytest.raises(ConfigError) as raised:
        change(registration, 1, zones=[{"was": 0, "id": "square", "polygon": crossing}])
    (problem,) = raised.value.problems
    assert problem.field == "cameras[1].zones[0].polygon"
    assert registration.read().text.splitlines()[problem.line - 1].lstrip().startswith("polygon:")
    assert "crosses or touches itself" in problem.message


def test_rules_follow_a_new_name_and_a_zone_that_is_named_stays(registration: Registration) -> None:
    zone = registration.read().cameras[1]["zones"][0]
    draft = change(registration, 1, zones=[{**zone, "was": 0, "id": "plaza"}])
    assert draft.config.cameras[1].rules[0].zones == ("plaza",)
    assert "people: 10                    # a crowd is at least so many people …" in draft.after.text
    with pytest.raises(ConfigError, match=r"rules\[0\].zones\[0\]: found 'square'; no such zone"):
        change(registration, 1, zones=[])


def test_an_obstacle_is_told(registration: Registration, tmp_path: Path) -> None:
    assert registration.obstacle == ""
    assert Registration(tmp_path / "none.yaml", tmp_path).obstacle == "there is no such file on this machine"
    assert "example" in Registration(registration.path, tmp_path, fixed=True).obstacle


def test_a_camera_is_added_and_taken_out(registration: Registration) -> None:
    wanted = CameraChange(name="Cầu", source="rtsp://admin:${CAM_A}@10.0.0.9/1", groups=["river"])
    revision = registration.read()
    added = registration.edited(revision, lambda data: adding(data, "cau", wanted))
    assert (added.config.camera("cau").groups, str(added.changes)) == (("river",), "added: cau")
    assert "secret" not in "".join(added.difference)
    removed = registration.draft(added.after, Revision.of(added.after.text))
    assert removed.difference == ()
    gone = registration.edited(added.after, lambda data: removing(3))
    assert gone.after.text == revision.text


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://admin:hunter2@10.0.0.1/1",
        "rtsp://10.0.0.1/1?token=hunter2",
        "rtsp://10.0.0.1/${DATABASE_PASSWORD}",
        "rtsp://10.0.0.1/${file:/etc/shadow}",
        "rtsp://admin:${CAM_A:-hunter2}@10.0.0.1/1",
        "/etc/passwd",
        "http://10.0.0.1/",
    ],
)
def test_no_password_and_no_secret_of_others_is_brought_into_an_address(source: str) -> None:
    with pytest.raises(NotAllowedError) as raised:
        check_source({"cameras": [{"source": "rtsp://a:${CAM_A}@h/1"}]}, source)
    assert "hunter2" not in str(raised.value)


def test_nothing_shown_holds_a_secret() -> None:
    told = shown(SECRETS)
    assert "hunter2" not in told
    assert "${CAM_B}" in told
    assert "10.0.0.2" in told
    assert "hunter2" not in "".join(difference(SECRETS, SECRETS.replace("id: a", "id: c")))
    assert shown("a: [hunter2") == ""
    assert excerpt((ROOT / "streams.yaml").read_text("utf-8"), "square").startswith("zones:\n  - id: square\n")


COORDINATES = st.tuples(*[st.integers(0, 10000).map(lambda value: value / 10000)] * 2)
SHAPES = st.tuples(st.floats(0.05, 0.2), st.floats(0.05, 0.2), COORDINATES).map(
    lambda drawn: [
        [round(min(1.0, drawn[2][0] * 0.8 + x * drawn[0]), 4), round(min(1.0, drawn[2][1] * 0.8 + y * drawn[1]), 4)]
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
)


@given(st.lists(SHAPES, max_size=4), st.sets(st.integers(0, 1)), st.text("abc", min_size=1, max_size=8))
@settings(max_examples=15)
def test_any_drawing_reads_back_as_it_was_drawn(shapes: list, kept: set[int], name: str) -> None:
    registration, before = Registration(ROOT / "streams.yaml", ROOT / "none"), Revision.of(SMALL)
    old = before.cameras[0]["lanes"]
    lanes = [{**old[index], "was": index} for index in sorted(kept)]
    lanes += [
        {"id": f"{name}-{number}", "polygon": shape, "direction": [shape[0], shape[2]]}
        for number, shape in enumerate(shapes)
    ]
    wanted = CameraChange.model_validate({"lanes": lanes} if lanes else {"name": name})
    draft = registration.edited(before, lambda data: changing(data, 0, wanted))
    if lanes:
        drawn = [lane.model_dump(mode="json") for lane in draft.config.cameras[0].lanes]
        assert drawn == [{key: value for key, value in lane.items() if key != "was"} for lane in lanes]
    assert draft.config.cameras[1:] == registration.config(before).cameras[1:]
    comments = [line.partition("#")[2] for line in before.text.splitlines() if "#" in line]
    left = [line.partition("#")[2] for line in draft.after.text.splitlines() if "#" in line]
    own = {" left half, towards the camera": 0, " as the road is painted": 0, " right half, away from it": 1}
    gone = [index for index in (0, 1) if lanes and index not in kept and (kept or index)]  # one is turned into the new
    assert [comment for comment in comments if comment not in left] == [
        comment for comment in comments if own.get(comment) in gone
    ]
