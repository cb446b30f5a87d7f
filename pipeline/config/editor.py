"""JSON Schema of streams.yaml, for completion and checks in editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipeline.config.schema import Config
from pipeline.rules import rule_types

TEMPLATE = "#/$defs/{model}"


def json_schema() -> dict[str, Any]:
    """The schema with the settings of every rule known, told apart by `kind`.

    Raises:
        PluginError: a rule plugin does not load.
    """
    kinds = {kind: rule.Config for kind, rule in sorted(rule_types().items())}
    models: list[type[BaseModel]] = [Config, *kinds.values()]
    references, schema = models_json_schema([(model, "validation") for model in models], title="streams.yaml")
    rules = {kind: references[config, "validation"] for kind, config in kinds.items()}
    mapping = {kind: reference["$ref"] for kind, reference in rules.items()}
    schema["$defs"]["CameraConfig"]["properties"]["rules"]["items"] = {
        "oneOf": list(rules.values()),
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **references[Config, "validation"], **schema}
