"""Reading plates: one reader for every country, countries as data."""

from pipeline.detectors.plates.load import LOCALISER, RECOGNISER, load_plate_reader
from pipeline.detectors.plates.reader import PlateCandidate, PlateReader

__all__ = ["LOCALISER", "RECOGNISER", "PlateCandidate", "PlateReader", "load_plate_reader"]
