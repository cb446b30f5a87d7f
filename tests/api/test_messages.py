"""What the program refuses is told to readers of the desk in their language, whichever part of it refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from api.desk.language import LOCALES, VALUE, Language, languages, tell_lines
from pipeline.config import messages
from pipeline.config.document import HINTS
from pipeline.config.section import NAME_PATTERN
from pipeline.readers.steady_clock import Step
from pipeline.review import Action, State
from pipeline.store import Role

ROOT = Path(__file__).parents[2]
SAYING = {
    "ConfigError", "ConflictError", "Fault", "HTTPException", "MissingSecretError", "NotAllowedError", "Problem",
    "QueryError", "SpliceError", "UnfinishedAccountError", "_error", "_fault", "_named", "_unfit", "fail", "wrong",
}  # fmt: skip
"""What is called with a message that a page may come to show."""

FIELD = re.compile(r"^(correction|duplicate_of|note|plate|reason): ")
"""What a page of a case shows at its field."""

OF_CAMERAS = {"Failure", "SourceError", "_StoppedError"}
"""What says why a camera or recording failed, which the page of the camera shows."""

SPEAKING = {"pipeline/readers/failure.py"}
"""Modules that do nothing but find words."""

YIELDING = {"pipeline/config/changes.py"}
"""Modules whose messages are made piece by piece."""

PLACES = (
    "api/**/*.py", "pipeline/config/*.py", "pipeline/rules/*.py", "pipeline/store/*.py", "pipeline/casefile/state.py",
    "pipeline/training/export.py", "pipeline/exchange.py", "pipeline/periods.py", "pipeline/review.py",
    "pipeline/watchlist.py", "pipeline/evidence/verify.py", "pipeline/readers/*.py", "pipeline/sources/rtsp.py",
    "pipeline/sources/process.py", "pipeline/sources/reading.py", "pipeline/sources/recording.py",
)  # fmt: skip
UNSEEN = {
    "pipeline/store/claims.py": "said by `matthan run`",
    "pipeline/store/findings.py": "a fault of the program",
    "pipeline/config/schema.py: no camera has the id 7; there are 7": "said at the command line",
    "pipeline/training/export.py: 7: is there already; name a new file or folder": "said at the command line",
    "pipeline/config/changes.py: 7: 7": "in full among the phrases",
    "api/desk/language.py": "a fault of the program",
    "api/routes/evidence.py": "files of evidence are answered by the API, in English",
    "api/routes/stills.py": "pictures are answered by the API, in English",
}


BORROWED = (
    "Not Found", "Method Not Allowed", "There was an error parsing the body", "Too many fi", "Field exceeded",
    "Part exceeded", "The Content-Disposition header", "Missing boundary", "Invalid multipart",
)  # fmt: skip
"""What our libraries say."""


@pytest.fixture(scope="module")
def vietnamese() -> Language:
    return languages()["vi"]


def said() -> Iterator[tuple[str, str]]:
    """Each message in the source, 7 for every value in it, with the file that says it."""
    for pattern in PLACES:
        for path in sorted(ROOT.glob(pattern)):
            file = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text())):
                for text in (FIELD.sub("", _sample(each)) for each in _saying(node, file)):
                    if " " in text and any(map(str.isalpha, text)) and not {file, f"{file}: {text}"} & UNSEEN.keys():
                        yield text, file


def _saying(node: ast.AST, file: str) -> list[ast.expr]:
    if isinstance(node, ast.Yield) and node.value and file in YIELDING:
        return [node.value]
    if file in SPEAKING and isinstance(node, ast.Tuple | ast.IfExp | ast.Call):
        return [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.Constant | ast.JoinedStr)]
    return node.args if isinstance(node, ast.Call) and _name(node.func) in SAYING | OF_CAMERAS else []


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _sample(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_sample(part) or "7" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def phrases() -> Iterator[str]:
    """What messages about streams.yaml are put together of."""
    yield from (hint.replace("{line}", "7") for hint in HINTS.values())
    yield from messages.WANTED.values()
    pattern: Any = {"type": "string_pattern_mismatch", "loc": ("id",), "ctx": {"pattern": NAME_PATTERN}}
    yield messages.phrase(pattern, "A", {})
    yield from (f"{messages.WANTED[kind]}, without quotes" for kind in ("int_type", "float_type"))
    yield from (f"a number {words} 7 is needed" for _, words in messages.LIMITS.values())
    for _, words, one, many in messages.LENGTHS.values():
        yield from (f"{words} 1 {one} needed", f"{words} 7 {many} needed")
    yield from ("found 'x'; a number is needed, without quotes", "is missing. Where the camera stands.")
    yield from ("no such field (did you mean 'zones'?); allowed are zones, lanes", "text is needed; put it in quotes")
    yield from (
        "this camera has no lanes",
        "there are a, b",
        "a knows b",
        "a and b know c",
        "found nothing; text is needed",
    )
    yield from (
        "lan (accept) changed this case meanwhile; look at it again",
        "added: gate-1, gate-2; restarted: gate-3",
    )
    yield from ("removed: gate-1", "restarted: gate-1", "changed without a restart: gate-1")
    yield from (
        "found 'x' (did you mean 'y'?); allowed are y, z",
        "found 'x'; allowed is y",
        "a point is [x, y] (and 3 more here)",
    )
    yield from (
        f"its reader process ended ({how}) and is replaced" for how in ("killed by signal 9", "ended with code 1")
    )
    step = Step(datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC))
    yield from (str(each) for each in (step, replace(step, instead_of=datetime(2026, 11, 1, 4, tzinfo=UTC))))
    yield from (f"its clock is 7.2 s {way} this computer's" for way in ("ahead of", "behind"))
    yield f"{step}; times of this run are as the clock was before"
    yield from ("access changed: restart the program to let that hold", "given up: the reader failed: x")
    yield from (
        "the program was stopped",
        "no sign of life for 7 s",
        "removed on 2026-11-01: rejected for more than 30 days",
    )


def test_every_message_is_told_in_vietnamese(vietnamese: Language) -> None:
    everything = {**dict(said()), **dict.fromkeys(phrases(), "pipeline/config/messages.py")}
    assert len(everything) > 200
    assert {text: file for text, file in everything.items() if tell_lines(text, vietnamese) == text} == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "the clip ends 4.1 s early: the recording ends there",
            "đoạn video kết thúc sớm 4.1 giây: bản ghi kết thúc tại đó",
        ),
        (
            "no clip yet: it would leave less than 512 MiB free on the disk of /data",
            "chưa có đoạn video: nếu ghi thì ổ đĩa của /data còn trống chưa đến 512 MiB",
        ),
        (
            "preview.mp4 is a re-encoded copy for viewing, clip.mkv the evidence",
            "preview.mp4 là bản mã hóa lại để xem, clip.mkv mới là chứng cứ",
        ),
        (
            "is signed by the key 0123456789abcdef…, which is not trusted here",
            "được ký bằng khóa 0123456789abcdef…, không được tin cậy tại đây",
        ),
    ],
)
def test_what_is_noted_of_evidence_is_told_in_vietnamese(vietnamese: Language, said: str, told: str) -> None:
    assert vietnamese.tell(said) == told


def test_values_stay_and_messages_in_messages_are_told(vietnamese: Language) -> None:
    told = vietnamese.tell("found 'zoens' (did you mean 'zones'?); allowed are zones, lanes (and 2 more here)")
    assert told == "tìm thấy 'zoens' (có phải ý bạn là 'zones'?); được phép: zones, lanes (và 2 chỗ khác ở đây)"
    assert vietnamese.tell("there is no officer 'nothing'") == "không có cán bộ 'nothing'"
    assert vietnamese.tell("the disk is full") == "the disk is full"
    assert vietnamese.tell("") == ""
    assert languages()["en"].tell("there is no officer 'lan'") == "there is no officer 'lan'"


def test_no_translation_is_left_over_or_loses_a_value() -> None:
    words = {*State, *Action, *Role}
    texts = [*phrases(), *(text for name in ("api", "pipeline") for text in _texts(ROOT / name))]
    with (LOCALES / "vi" / "messages.po").open("rb") as file:
        entries = [message for message in read_po(file, abort_invalid=True) if message.id]
    for message in entries:
        text, translation = str(message.id), str(message.string)
        counted = {int(number) for number in re.findall(r"\{(\d)\}", translation)}
        assert counted == set(range(len(VALUE.findall(text)))), text
        longest = max(VALUE.split(text), key=len).removesuffix(": ")
        assert text in words or text.startswith(BORROWED) or any(longest in each for each in texts), text


def _texts(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        yield from filter(None, (_sample(node) for node in ast.walk(ast.parse(path.read_text()))))
