"""`matthan models`: the detection models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from pipeline.cli.terminal import Data, console
from pipeline.paths import DataFolder

app = typer.Typer(no_args_is_help=True, help="Detection models: list, fetch, verify, add.")
Model = Annotated[str, typer.Argument(help="Name of the model.")]


@app.command(name="list")
def list_models(data: Data = None) -> None:
    """Show the models that are known and where their weights are."""
    from pipeline.detectors.manifest import Manifest

    drawn = Table("model", "family", "classes", "input", "licence", "weights")
    for model in Manifest.load(DataFolder.resolve(data)):
        drawn.add_row(
            model.name,
            model.family,
            ", ".join(model.classes),
            f"{model.width}×{model.height}",
            model.entry.licence,
            "here" if model.present else f"to be fetched: matthan models pull {model.name}",
        )
    console.print(drawn)


@app.command(name="pull")
def pull_model(name: Model, data: Data = None) -> None:
    """Fetch a model's weights from their public release; goes on where a broken transfer stopped."""
    from pipeline.detectors.fetch import pull
    from pipeline.detectors.manifest import Manifest

    model = Manifest.load(DataFolder.resolve(data)).find(name)
    with Progress(console=console) as progress:
        bar = progress.add_task(name, total=None)
        path = pull(model, progress=lambda done, total: progress.update(bar, completed=done, total=total))
    console.print(f"{name}: {path}")


@app.command(name="verify")
def verify_models(names: Annotated[list[str] | None, typer.Argument()] = None, data: Data = None) -> None:
    """Compare weights with the manifest's SHA-256; those of all models that are here when none is named."""
    from pipeline.detectors.manifest import Manifest, verify

    manifest = Manifest.load(DataFolder.resolve(data))
    for model in [manifest.find(name) for name in names] if names else [one for one in manifest if one.present]:
        verify(model)
        console.print(f"{model.name}: intact", style="green")


@app.command(name="add")
def add_model(
    path: Annotated[Path, typer.Argument(help="An ONNX file, such as an Ultralytics export.")],
    name: Annotated[str, typer.Option(help="Its name; the file's when left out.")] = "",
    family: Annotated[str, typer.Option(help="Its family; found from its metadata when left out.")] = "",
    classes: Annotated[str, typer.Option(help="Class names, separated by commas, when the file names none.")] = "",
    plate_config: Annotated[
        Path | None, typer.Option(help="For a recogniser of fast-plate-ocr: the YAML file that comes with it.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "",
    data: Data = None,
) -> None:
    """Register weights of your own, so that streams.yaml can name them."""
    from pipeline.detectors.fetch import add

    listed = tuple(part.strip() for part in classes.split(",") if part.strip())
    folder = DataFolder.resolve(data).create()
    model = add(path, folder, name=name, family=family, classes=listed, licence=licence, plate=plate_config)
    finds = f"classes {', '.join(model.classes)}" if model.classes else "reads the text of plates"
    console.print(f"{model.name}: family {model.family}, {finds}")
