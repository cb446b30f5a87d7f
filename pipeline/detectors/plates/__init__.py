"""Reading plates: one reader for every country, countries as data."""

from pipeline.detectors.plates.reader import PlateCandidate, PlateReader, load_plate_reader

__all__ = ["PlateCandidate", "PlateReader", "load_plate_reader"]
