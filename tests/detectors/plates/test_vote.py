from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detectors.plates.reader import PlateCandidate
from pipeline.detectors.plates.vote import vote

CROP = np.zeros((8, 24, 3), np.uint8)


def read(
    text: str | None, confidence: float, *alternatives: tuple[str, float], doubts: dict[int, float] | None = None
) -> PlateCandidate:
    sure = tuple((doubts or {}).get(position, 0.99) for position in range(len(text or "")))
    return PlateCandidate(text, text or "?", confidence, sure, (0, 0, 24, 8), CROP, 0.9, alternatives=alternatives)


def test_one_read_stands_for_itself() -> None:
    result = vote([read("75A18283", 0.9)])
    assert (result.text, result.reads) == ("75A18283", 1)
    assert result.confidence == pytest.approx(0.9, abs=0.01)


def test_agreeing_reads_are_surer_than_each() -> None:
    assert vote([read("75A18283", 0.8)] * 2).confidence > 0.9
    assert vote([read("75A18283", 0.8)] * 3).confidence > vote([read("75A18283", 0.8)] * 2).confidence


def test_the_majority_wins_over_a_single_misread() -> None:
    result = vote([read("75A18283", 0.8), read("75A18288", 0.8, doubts={7: 0.5}), read("75A18283", 0.8)])
    assert result.text == "75A18283"
    assert result.rivals[0][0] == "75A18288"


def test_reads_that_contradict_each_other_are_illegible() -> None:
    result = vote([read("75A18283", 0.9), read("51F44614", 0.9)])
    assert result.text is None
    assert {text for text, _ in result.rivals} == {"75A18283", "51F44614"}


def test_what_is_told_is_not_among_the_alternatives_and_what_is_kept_back_is_the_first() -> None:
    doubtful = read("75A18283", 0.6, ("75A18288", 0.2), ("75A18293", 0.1), ("75A78283", 0.05))
    result = vote([doubtful])
    assert result.text == "75A18283"
    assert [text for text, _ in result.besides(result.text)] == ["75A18288", "75A18293", "75A78283"]
    assert result.besides(None) == (("75A18283", result.confidence), *result.rivals[:2])


def test_a_doubtful_sign_gives_way_to_a_surer_read() -> None:
    doubtful = read("59E119288", 0.7, doubts={8: 0.4})
    sure = read("59E119283", 0.9)
    assert vote([doubtful, sure]).text == "59E119283"


def test_illegible_reads_add_what_they_offer() -> None:
    faint = read(None, 0.35, ("75A18283", 0.35), ("75A18288", 0.2))
    assert vote([faint]).text is None
    assert vote([faint, read("75A18283", 0.7)]).confidence > 0.7


def test_a_read_of_nothing_speaks_against_nothing() -> None:
    blind = read(None, 0.0, ("99K99999", 0.001))
    assert vote([blind, read("75A18283", 0.94)]).confidence == pytest.approx(0.94, abs=0.04)


def test_nothing_read_is_illegible() -> None:
    result = vote([read(None, 0.0), read(None, 0.0)])
    assert (result.text, result.confidence, result.reads) == (None, 0.0, 2)


texts = st.sampled_from(["75A18283", "75A18288", "51F44614", "30N4616"])
reads = st.lists(st.builds(read, texts, st.floats(0.01, 1.0)), min_size=1, max_size=5)


@settings(max_examples=300)
@given(reads, st.randoms())
def test_a_vote_is_one_of_the_texts_offered_and_order_does_not_matter(
    found: list[PlateCandidate], random: object
) -> None:
    result = vote(found)
    assert 0 <= result.confidence <= 1
    assert result.text is None or result.text in {one.text for one in found}
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = vote(shuffled)
    assert again.text == result.text
    assert again.confidence == pytest.approx(result.confidence)
