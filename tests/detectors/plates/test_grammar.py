from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors.plates.formats import normalise
from pipeline.detectors.plates.grammar import Grammar, countries, load_grammar
from pipeline.errors import ModelError

GRAMMARS = [load_grammar(country) for country in countries()]


def texts(grammar: Grammar) -> st.SearchStrategy[str]:
    """Texts that plates of a country can bear."""
    return st.sampled_from(grammar.formats).flatmap(
        lambda form: st.tuples(*(st.sampled_from(allowed) for allowed in form.signs)).map("".join)
    )


conforming = st.sampled_from(GRAMMARS).flatmap(lambda grammar: st.tuples(st.just(grammar), texts(grammar)))


@given(conforming, conforming)
def test_equivalence_is_symmetric_and_only_joins_lookalikes(one: tuple[Grammar, str], two: tuple[Grammar, str]) -> None:
    grammar, first, second = one[0], one[1], two[1]
    assert grammar.equivalent(first, first)
    assert grammar.equivalent(first, second) == grammar.equivalent(second, first)
    if grammar.equivalent(first, second):
        assert first.translate(str.maketrans("OI", "01")) == second.translate(str.maketrans("OI", "01"))


@pytest.mark.parametrize(
    "text",
    [
        "75A18283",
        "51F44614",
        "30N4616",
        "59E119283",
        "54S24522",
        "59VA00843",
        "29MD275691",
        "29LD12345",
        "49019BD",
        "TM1234",
        "80NG45501",
        "80QT45501",
        "54R47039",
        "75R12345",
        "75AR12345",
        "T7512345",
    ],
)
def test_vietnamese_series(text: str) -> None:
    assert load_grammar("vn").conforms(text)


@pytest.mark.parametrize(
    "text", ["75I18283", "75AG12345", "75RA12345", "7A518283", "75A182", "75A182833333", "METRO", "75W12345"]
)
def test_what_no_vietnamese_plate_bears(text: str) -> None:
    assert not load_grammar("vn").conforms(text)


def test_lookalikes_count_as_equal_only_where_the_grammar_leaves_it_open() -> None:
    american, brazilian = load_grammar("us"), load_grammar("br")
    assert american.equivalent("UH1F0F", "UHIFOF")
    assert not american.equivalent("UH1F0F", "UH1FQF")
    assert not brazilian.equivalent("OYJ9057", "0YJ9057")  # the second is no plate
    assert brazilian.equivalent("OYJ9057", "OYJ9O57")  # grey or Mercosul


@pytest.mark.parametrize(
    ("text", "form", "display", "series"),
    [
        ("75A26819", "", "75A-268.19", "civil"),
        ("30n-4616", "", "30N-4616", "civil"),
        ("75AA12345", "", "75-AA 123.45", "civil"),
        ("54F44078", "", "54F-440.78", "civil"),
        ("54F44078", "motorbike with a four-digit serial", "54-F4 4078", "civil"),
        ("29MD275691", "", "29-MĐ2 756.91", "electric"),
        ("61LD12345", "", "61LD-123.45", "foreign investment"),
        ("75R12345", "", "75R-123.45", "trailer"),
        ("80NG63134", "", "80-NG-631-34", "diplomatic"),
        ("80631NG34", "", "80-631-NG-34", "diplomatic"),
        ("TM1234", "", "TM-12-34", "army"),
        ("METRO", "", "METRO", ""),
    ],
)
def test_a_text_is_described_as_people_write_it(text: str, form: str, display: str, series: str) -> None:
    facts = load_grammar("vn").describe(text, form)
    assert (facts.display, facts.series) == (display, series)
    assert bool(facts.source) == bool(series)


@given(conforming)
def test_what_is_displayed_reads_as_the_text(case: tuple[Grammar, str]) -> None:
    grammar, text = case
    assert normalise(grammar.describe(text).display) == text


def test_a_code_names_its_province_of_now_and_of_before_the_merger() -> None:
    grammar = load_grammar("vn")
    hue, merged = grammar.describe("75A26819"), grammar.describe("61A12345")
    assert (hue.region, hue.former) == ("Huế", "Thừa Thiên Huế")
    assert merged.place == "Thành phố Hồ Chí Minh (Bình Dương)"
    assert (merged.region, merged.former) == ("Thành phố Hồ Chí Minh", "Bình Dương")
    assert grammar.describe("TM1234").region == ""
    provinces = set(grammar.regions.values()) - {"Cục Cảnh sát giao thông"}
    assert (len(provinces), len(grammar.regions)) == (34, 81)


def test_regions_are_named() -> None:
    assert load_grammar("vn").region("75A18283") == "Huế"
    assert load_grammar("vn").region("13A18283") is None
    assert load_grammar("us").region("UH1F0F") is None


def test_an_unknown_country_is_told_with_those_that_are_there() -> None:
    with pytest.raises(ModelError, match=re.escape("no plate grammar for country 'xx': there are br, us, vn")):
        load_grammar("xx")
