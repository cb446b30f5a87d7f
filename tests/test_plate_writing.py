"""Plates as people write them."""

from __future__ import annotations

import pytest

from pipeline.errors import ModelError
from pipeline.plate_writing import written


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("75A26819", "75A-268.19"),
        ("75a-268.19", "75A-268.19"),
        ("75F123456", "75-F1 234.56"),
        ("29MD275691", "29-MĐ2 756.91"),
        ("54F44078", "54F-440.78"),
        ("75A*", "75A*"),
        ("lost", "lost"),
        ("", ""),
        ("#K7Q2M4X3B5N6V7C2L4J3", "#K7Q2M4X3B5N6V7C2L4J3"),
    ],
)
def test_a_plate_is_written_as_on_its_metal_and_anything_else_stays(text: str, told: str) -> None:
    assert written(text, ("vn",)) == told


def test_the_narrowest_format_of_all_countries_tells_how() -> None:
    assert written("75A26819", ("br", "us", "vn")) == "75A-268.19"
    assert written("ABC1234", ("br", "us", "vn")) == "ABC-1234"
    assert written("75A26819", ()) == "75A26819"


def test_a_country_without_a_grammar_is_refused() -> None:
    with pytest.raises(ModelError, match="no plate grammar for country 'xx'"):
        written("75A26819", ("xx",))
