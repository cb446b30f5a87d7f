"""Detectors: one file for each family of networks. Plugins register under the entry point group `matthan.detectors`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from pipeline.detectors import nanodet, yolo
from pipeline.detectors.base import Detector
from pipeline.detectors.family import Family
from pipeline.detectors.manifest import Manifest, Threshold, verify
from pipeline.detectors.session import Runtime
from pipeline.detectors.slices import NESTED, OVERLAP, SlicedDetector
from pipeline.errors import ModelError, PluginError
from pipeline.paths import DataFolder

__all__ = ["Detector", "Family", "Runtime", "families", "load_detector"]


@cache
def families() -> dict[str, Family]:
    """Every family known: the built-in ones, then installed plugins.

    Raises:
        PluginError: a plugin fails to import, is no Family, or takes a name that is already there.
    """
    found: dict[str, Family] = {"nanodet": nanodet.FAMILY, "yolo": yolo.FAMILY}
    for plugin in entry_points(group="matthan.detectors"):
        try:
            family = plugin.load()
        except Exception as error:
            raise PluginError(f"detector plugin {plugin.name!r} ({plugin.value}) does not load: {error}") from error
        if not isinstance(family, Family):
            raise PluginError(f"detector plugin {plugin.name!r} ({plugin.value}) is no Family")
        if plugin.name in found:
            raise PluginError(f"detector plugin {plugin.name!r} ({plugin.value}): that family is already there")
        found[plugin.name] = family
    return found


def load_detector(
    name: str,
    *,
    threshold: Threshold | None = None,
    slices: tuple[int, int] = (1, 1),
    runtime: Runtime = Runtime(),  # noqa: B008 - frozen
    data: DataFolder | None = None,
) -> Detector:
    """Load a model of the manifest by name.

    Args:
        name: the model's name, as `matthan models list` shows it.
        threshold: lowest score reported, 0-1, for all classes or by class; the model's own when None.
        slices: tiles across and down to run besides the whole picture, for small objects.
        runtime: provider and threads.
        data: the data folder, which holds added and fetched models; the default one when None.

    Raises:
        ModelError: no such model, weights missing or altered, or not what their family needs.
        ProviderError: the runtime lacks the provider.
        PluginError: a detector plugin does not load.
    """
    model = Manifest.load(data or DataFolder.resolve()).find(name)
    known = families()
    if model.entry.task != "detection":
        raise ModelError(f"model {name!r} reads the text of plates: it is no detector")
    if model.family not in known:
        raise ModelError(f"model {name!r} is of family {model.family!r}: known are {', '.join(known)}")
    verify(model)
    detector = known[model.family].load(model, model.entry.threshold if threshold is None else threshold, runtime)
    if slices == (1, 1):
        return detector
    overlap, nested = model.entry.overlap or OVERLAP, model.entry.nested or NESTED
    return SlicedDetector(detector, *slices, overlap=overlap, nested=nested)
