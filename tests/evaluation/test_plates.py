from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors.plates.grammar import load_grammar
from pipeline.errors import MatThanError
from pipeline.evaluation.plate_outcomes import Outcome, edit_distance, judge, plot
from pipeline.evaluation.plate_tracks import readable
from pipeline.evaluation.plates import evaluate, read_truth
from samples import load_truth, sample_paths

texts = st.text("AB12", max_size=6)


@given(texts, texts, texts)
def test_edit_distance_is_a_metric(first: str, second: str, third: str) -> None:
    assert (edit_distance(first, second) == 0) == (first == second)
    assert edit_distance(first, second) == edit_distance(second, first)
    assert edit_distance(first, third) <= edit_distance(first, second) + edit_distance(second, third)


def test_the_offer_that_comes_nearest_is_judged() -> None:
    grammar = load_grammar("us")
    right = judge("UH1F0F", [("METRO", 0.9), ("UH1FOF", 0.8)], grammar)
    assert right == Outcome("UH1F0F", "UH1FOF", 0.8, exact=True)
    wrong = judge("5UVR090", [("5UVR0", 0.7)], grammar)
    assert not wrong.exact
    assert wrong.characters == pytest.approx(5 / 7)
    assert judge("5UVR090", [], grammar).characters == 0


def test_truth_files_are_read_with_countries_plates_and_boxes(tmp_path: Path) -> None:
    (tmp_path / "scenes.tsv").write_text(
        "image\tplates\tbox_xywh\tcountry\na.jpg\t75A18283,30N4616\t\tVN\nb.jpg\tOYJ9557\t10,20,30,40\tBR\n"
    )
    first, second = read_truth(tmp_path, "scenes")
    assert (first.country, first.plates, first.boxes) == ("vn", ("75A18283", "30N4616"), ())
    assert (second.path, second.boxes) == (tmp_path / "b.jpg", ((10, 20, 40, 60),))


def test_missing_data_is_told(tmp_path: Path) -> None:
    with pytest.raises(MatThanError, match="no evaluation data for plates"):
        evaluate(tmp_path)


def test_plates_of_a_sample_that_can_be_read_are_those_large_enough() -> None:
    _, path = sample_paths()["street"]
    if not path.is_file():
        pytest.skip("the samples are not rendered: python -m samples.render")
    truth = load_truth(path)
    near, nearer = readable(truth, 32), readable(truth, 90)
    assert len(near) > len(nearer) > 0
    assert nearer.items() <= near.items()


def test_the_plot_is_drawn(tmp_path: Path) -> None:
    outcomes = {"set": [Outcome("A", "A", 0.9, exact=True), Outcome("B", "", 0.0, exact=False)]}
    plot(tmp_path / "plates.png", outcomes, outcomes)
    assert (tmp_path / "plates.png").read_bytes().startswith(b"\x89PNG")
