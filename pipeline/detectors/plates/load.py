"""Putting a plate reader together from models of the manifest."""

from __future__ import annotations

from pipeline.detectors import load_detector
from pipeline.detectors.manifest import Manifest
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.detectors.plates.localise import PlateLocaliser
from pipeline.detectors.plates.reader import GrammarPlateReader, Recogniser
from pipeline.detectors.plates.recognise import LineRecogniser
from pipeline.detectors.plates.slots import FAMILY, SlotRecogniser
from pipeline.detectors.session import Runtime
from pipeline.errors import ModelError
from pipeline.paths import DataFolder

LOCALISER, RECOGNISER = "hazard-nano", "built-in"
"""The networks that come with the program."""


def load_plate_reader(
    country: str = "vn",
    runtime: Runtime = Runtime(),  # noqa: B008 - frozen
    *,
    localiser: str = LOCALISER,
    recogniser: str = RECOGNISER,
    data: DataFolder | None = None,
) -> GrammarPlateReader:
    """The plate reader of a country.

    Args:
        country: two-letter code of a grammar.
        runtime: provider and threads.
        localiser: model of the manifest that finds plates.
        recogniser: model of the manifest that reads them, or RECOGNISER for the one that comes with the program.
        data: the data folder, which holds added and fetched models; the default one when None.

    Raises:
        ModelError: there is no grammar for the country, there is no such model, it cannot find or read plates, or
            weights are missing or altered.
        ProviderError: the runtime lacks the provider.
    """
    data = data or DataFolder.resolve()
    found = PlateLocaliser(load_detector(localiser, runtime=runtime, data=data))
    return GrammarPlateReader(load_grammar(country), found, _load_recogniser(recogniser, runtime, data))


def _load_recogniser(name: str, runtime: Runtime, data: DataFolder) -> Recogniser:
    if name == RECOGNISER:
        return LineRecogniser(runtime)
    model = Manifest.load(data).find(name)
    if model.entry.plate is not None and model.family != FAMILY:
        raise ModelError(f"model {name!r} is of family {model.family!r}: recognisers of plates are of {FAMILY}")
    return SlotRecogniser(model, runtime)
