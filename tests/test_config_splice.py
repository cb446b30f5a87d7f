"""Values of a YAML file change, and everything else of its text stays as it was."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.document import parse
from pipeline.config.render import block, inline
from pipeline.config.splice import Append, Put, Remove, expected, spliced
from pipeline.config.yaml_text import SpliceError

STREAMS = Path(__file__).parents[1] / "streams.yaml"
ORDER = ["id", "name", "source", "zones", "lanes", "rules"]


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that only the old text has, and those that only the new one has."""
    before, after = old.splitlines(), new.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


def test_a_moved_point_changes_two_figures_of_one_line() -> None:
    text = STREAMS.read_text("utf-8")
    moved = spliced(text, [Put(("cameras", 0, "lanes", 0, "polygon", 1), [0.4, 0.1333])])
    gone, come = changed_lines(text, moved)
    assert (len(gone), len(come)) == (1, 1)
    assert come[0] == gone[0].replace("[0.382, 0.133]", "[0.400, 0.1333]")


def test_points_come_and_go_in_any_style() -> None:
    text = textwrap.dedent("""\
        zones:
          - id: flow
            polygon: [[0.100, 0.2], # first
                      [0.3, 0.4],   # second
                      [0.5, 0.6]]
          - id: block
            polygon:
              # the kerb
              - [0.1, 0.2]
              # the lamp
              - [0.3, 0.4]
              - [0.5, 0.6]  # the tree
        """)
    for zone in (0, 1):
        path = ("zones", zone, "polygon")
        more = spliced(text, [Put(path, [[0.1, 0.2], [0.3, 0.4], [0.9, 0.9], [0.5, 0.6]])])
        assert "[0.900, 0.900]" in more
        assert comments(more) == comments(text)
        fewer = spliced(text, [Put(path, [[0.1, 0.2], [0.5, 0.6]])])
        assert ("# the lamp" in fewer) == (zone == 0)
        assert "# the kerb" in fewer
        assert "# the tree" in fewer
        assert "[0.100, 0.2]" in fewer


def test_an_entry_goes_with_its_own_comments_and_no_others() -> None:
    text = STREAMS.read_text("utf-8")
    lanes = parse(text).data["cameras"][0]["lanes"]
    new = {"id": "bus", "polygon": [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]], "direction": [[0.1, 0.1], [0.2, 0.2]]}
    changed = spliced(text, [Put(("cameras", 0, "lanes"), [lanes[1], new], ORDER, [1, None])])
    gone, come = changed_lines(text, changed)
    assert gone[0] == "      - id: inbound                   # left half, towards the camera"
    assert len(gone) == 3
    assert come == [
        "      - id: bus",
        "        polygon: [[0.100, 0.100], [0.200, 0.100], [0.200, 0.200]]",
        "        direction: [[0.100, 0.100], [0.200, 0.200]]",
    ]
    assert changed.index("right half") < changed.index("id: bus") < changed.index("wrong_way")


def test_a_camera_comes_and_another_goes() -> None:
    text = STREAMS.read_text("utf-8")
    camera = {"id": "new", "source": "rtsp://a:${CAM}@h/1", "zones": [{"id": "all", "polygon": [[0.1, 0.1]]}]}
    changed = spliced(text, [Remove(("cameras", 1)), Append(("cameras",), camera)])
    gone, _ = changed_lines(text, changed)
    assert "  # A square: do more people come together than may?" in gone
    assert "# A market street: does anything burn?" in changed
    assert "\n\n\n" not in changed
    assert changed.splitlines()[-5:] == [
        "  - id: new",
        '    source: "rtsp://a:${CAM}@h/1"',
        "    zones:",
        "      - id: all",
        "        polygon: [[0.100, 0.100]]",
    ]


@pytest.mark.parametrize(
    ("text", "edit", "result"),
    [
        ("{a: 1, b: [1, 2]}", Put(("c",), "x"), "{a: 1, b: [1, 2], c: x}"),
        ("{}", Put(("c",), None), "{c: null}"),
        ("a: []\n", Append(("a",), 1), "a: [1]\n"),
        ("a:\nb: 1", Put(("a",), 2), "a: 2\nb: 1"),
        ("- {a: 1}\n- - 1\n  - 2\n", Remove((1, 0)), "- {a: 1}\n- - 2\n"),
        ("a:\n- 1\n- 2\nb: 3\n", Append(("a",), 5), "a:\n- 1\n- 2\n- 5\nb: 3\n"),
        ("a: &x [1]\nb: *x\nc: 1\n", Put(("d",), 2), "a: &x [1]\nb: *x\nc: 1\nd: 2\n"),
        ("a: 1\r\nb: 2\r\n", Put(("c",), 3, ["a", "c", "b"]), "a: 1\r\nc: 3\r\nb: 2\r\n"),
        ("a: 'x'   # why\nb: 1\n", Put(("a",), "it's: #1"), 'a: "it\'s: #1"   # why\nb: 1\n'),
        ("a: |\n  many\n  lines\nb: 1\n", Put(("a",), "one"), "a: one\nb: 1\n"),
        ("a: {b: 1, c: 2}", Remove(("a", "c")), "a: {b: 1}"),
        ("a: 1 # x\n# of b\nb: 2", Remove(("b",)), "a: 1 # x"),
    ],
)
def test_how_it_is_written(text: str, edit: Put | Append | Remove, result: str) -> None:
    assert spliced(text, [edit]) == result


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a: &x {b: 1}\nc: *x\n", Put(("a", "b"), 2)),  # c would change as well
        ("a: &x {b: 1}\nc: *x\n", Put(("c", "b"), 2)),
        ("a: &x {b: 1}\nc: {<<: *x}\n", Remove(("c", "b"))),
        ("a: [1\n", Put(("a",), 2)),
    ],
)
def test_what_cannot_be_changed_in_place_is_refused(text: str, edit: Put | Remove) -> None:
    with pytest.raises(SpliceError):
        spliced(text, [edit])


NAMES = st.text("abcdefgh", min_size=1, max_size=4)
SCALARS = (
    st.booleans() | st.integers(-9, 9) | st.floats(0, 1).map(lambda value: round(value, 4)) | st.none() | NAMES
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


@given(DOCUMENTS, DOCUMENTS, st.booleans(), st.booleans())
@settings(max_examples=120)
@example({"a": ":"}, {"b": "-"}, False, False)
@example({"a": {"a": ":0"}}, {"b": {"b": ":0"}}, True, False)
def test_any_document_turns_into_any_other(old: dict, new: dict, flow: bool, commented: bool) -> None:
    text = (inline(old) if flow else block(old, 0, 2)) + "\n"
    if commented and not flow:
        text = "# top\n\n" + "".join(f"{line}  # {number}\n" for number, line in enumerate(text.splitlines()))
    assert parse(text).data == old
    edits = [Put((key,), value) for key, value in new.items()] + [Remove((key,)) for key in old if key not in new]
    if set(old).isdisjoint(new):
        edits = [edit for edit in edits if isinstance(edit, Put)]  # something must be left to stand beside
    changed = spliced(text, edits)
    assert parse(changed).data == expected(old, edits)
    assert changed.startswith("# top") == (commented and not flow)


@given(VALUES)
@settings(max_examples=100)
def test_what_is_written_reads_back(value: object) -> None:
    assert parse(f"a: {inline(value)}").data == {"a": value}
