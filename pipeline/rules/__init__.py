"""Rules: one file each, found by name. A plugin registers under the entry point group `matthan.rules`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from inspect import isabstract
from types import ModuleType
from typing import Any

from pipeline.errors import PluginError
from pipeline.rules.base import Rule, RuleConfig, RuleContext, Scene

__all__ = ["Rule", "RuleConfig", "RuleContext", "Scene", "rule_types"]


@cache
def rule_types() -> dict[str, type[Rule[Any]]]:
    """Every rule known, by kind: the files of this package, then installed plugins.

    Raises:
        PluginError: a plugin fails to import or takes a kind that is already there.
    """
    found: dict[str, type[Rule[Any]]] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        _register(found, importlib.import_module(module.name), module.name)
    for plugin in entry_points(group="matthan.rules"):
        try:
            _register(found, importlib.import_module(plugin.value), plugin.name)
        except Exception as error:
            raise PluginError(f"rule plugin {plugin.name!r} ({plugin.value}) does not load: {error}") from error
    return found


def _register(found: dict[str, type[Rule[Any]]], module: ModuleType, origin: str) -> None:
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue
        if issubclass(value, Rule) and not isabstract(value):
            kind = value.Config.model_fields["kind"].annotation
            name = str(getattr(kind, "__args__", ("",))[0])
            if not name:
                continue
            if name in found:
                raise PluginError(f"{origin}: a rule of kind {name!r} is already there: {found[name].__module__}")
            found[name] = value
