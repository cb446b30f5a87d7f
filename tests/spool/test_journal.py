"""The journal: what was appended is read back, in order, whatever is cut off its end."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.spool.journal import Journal

from ..servers.disk import fill

payloads = st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b" ")), max_size=20)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def opened(folder: Path, segment: int = 200) -> Journal:
    return Journal(folder, reserve=0, segment=segment)


def taken(journal: Journal) -> list[bytes]:
    """Everything there is, taken."""
    found = []
    while (payload := journal.peek()) is not None:
        found.append(payload)
        journal.drop()
    return found


@settings(max_examples=40)
@given(given_payloads=payloads, cut=st.integers(0, 2000))
def test_any_beginning_of_the_file_holds_the_beginning_of_the_records(given_payloads: list[bytes], cut: int) -> None:
    with TemporaryDirectory() as name:
        journal = opened(Path(name), segment=10_000)
        for payload in given_payloads:
            journal.append([payload])
        journal.close()
        for file in Path(name).glob("*.journal"):
            os.truncate(file, min(cut, file.stat().st_size))
        again = opened(Path(name))
        ends = accumulate(len(payload) + 10 for payload in given_payloads)
        whole = sum(end <= cut for end in ends)
        assert again.depth == whole
        again.append([b"new"])
        assert taken(again) == [*given_payloads[:whole], b"new"]


@settings(max_examples=40)
@given(steps=st.lists(st.one_of(st.binary(max_size=30), st.sampled_from(["take", "reopen"])), max_size=60))
def test_records_come_out_once_and_in_order_however_often_it_is_opened(steps: list[bytes | str]) -> None:
    with TemporaryDirectory() as name:
        journal, waiting = opened(Path(name)), list[bytes]()
        for step in steps:
            if isinstance(step, bytes):
                waiting.append(step.replace(b"\n", b" "))
                journal.append(waiting[-1:])
            elif step == "reopen":
                journal.close()
                journal = opened(Path(name))
            elif waiting:
                assert journal.peek() == waiting.pop(0)
                journal.drop()
            assert journal.depth == len(waiting)
        assert taken(journal) == waiting
        assert len(list(Path(name).glob("*.journal"))) <= 1


def test_a_damaged_record_is_passed_over_with_a_word(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = opened(folder)
    journal.append([b"one", b"two", b"three"])
    journal.close()
    (file,) = folder.glob("*.journal")
    file.write_bytes(file.read_bytes().replace(b"two", b"twa"))
    assert taken(opened(folder)) == [b"one", b"three"]
    assert "torn record dropped" in capsys.readouterr().out


def test_a_lost_position_brings_records_again_and_loses_none(folder: Path) -> None:
    journal = opened(folder, segment=10_000)
    journal.append([b"one", b"two"])
    journal.peek()
    journal.drop()
    journal.close()
    (folder / "position").write_bytes(b"\0" * 40)
    assert taken(opened(folder)) == [b"one", b"two"]


def test_segments_that_were_taken_are_deleted(folder: Path) -> None:
    journal = opened(folder, segment=100)
    for number in range(50):
        journal.append([b"%040d" % number])
    assert len(list(folder.glob("*.journal"))) > 10
    assert journal.size > 2000
    assert taken(journal) == [b"%040d" % number for number in range(50)]
    assert len(list(folder.glob("*.journal"))) <= 1


def test_a_write_that_fails_half_way_leaves_nothing_behind(folder: Path) -> None:
    journal = opened(folder)
    journal.append([b"one"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size + 20, hard))  # room for "two" and a part of "three"
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.append([b"two", b"three"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.depth == 1
    journal.append([b"four"])
    assert taken(journal) == [b"one", b"four"]


def test_the_reserve_is_given_back_when_the_disk_is_full_and_laid_by_again(small_disk: Path) -> None:
    journal = Journal(small_disk / "spool", reserve=256 * 1024)
    filler = fill(small_disk)
    count = 0
    with pytest.raises(OSError, match="No space"):
        while True:
            journal.append([b"%020d" % count])
            count += 1
    assert count > 1000
    assert journal.depth == count
    assert not (small_disk / "spool" / "reserve").exists()
    filler.unlink()
    journal.append([b"again"])
    assert taken(journal) == [*(b"%020d" % number for number in range(count)), b"again"]
    journal.keep_reserve()
    assert (small_disk / "spool" / "reserve").stat().st_size == 256 * 1024
