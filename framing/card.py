"""The model card of a folder, generated from its settings, its config and its measured figures."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import yaml

from framing.errors import FramingError
from framing.evaluation import as_table
from framing.model_folder import CONFIG, ONNX, Settings, read_settings

_READING = {
    "article": "Neighbouring sentences of an article share a sequence of up to {} tokens, so each is read in its context.",
    "none": "Each sentence is read alone.",
}

_BENCHMARK = "python scripts/benchmark.py --trained TRAINED --full"

_CAPTION = """Reliability plots show, of the sentences scored alike, the share that carries the label, and how many sentences that
were; an honest score lies on the diagonal. Precision and recall are what every threshold would give; the mark is the chosen one."""


def write_card(folder: Path, figures: list[dict[str, Any]], template: Path, plots: bool = False, speed: str = "") -> str:
    """Write `metrics.json` and the card `README.md` into a model folder, and return the card's text.

    `figures` are the dictionaries that `scripts/evaluate.py -o` writes, one a table of the card. With `plots` they are
    drawn, too, into `plots/<name of the model>/`, and the card shows them. `speed` is what `scripts/benchmark.py` prints.
    """
    settings = read_settings(folder)
    sections = [_section(folder, settings, one, _drawn(one, folder, settings.name) if plots else "") for one in figures]
    config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    card = Template(template.read_text(encoding="utf-8")).substitute(
        name=settings.name,
        version=settings.version,
        labels="\n".join(f"- `{label.name}`: {label.definition}; evidence: {label.evidence}" for label in settings.labels),
        encoder=config["encoder"]["name"],
        layers=f" ({config['encoder']['layers']} of its layers)" if config["encoder"]["layers"] else "",
        reading=_READING[settings.context].format(settings.max_tokens),
        size=f"{(folder / ONNX).stat().st_size / 1e6:.0f}",
        package_version=settings.package_version,
        data=settings.data_sha256[:16],
        figures="\n\n".join([_CAPTION, *sections] if plots else sections),
        speed=f"## Speed\n\n`{_BENCHMARK}`, TRAINED the trained folder of the default model\n\n{speed}\n" if speed else "",
        train_data=", ".join(f"`{Path(path).parent.name}/{Path(path).name}`" for path in config["data"]["train"]),
        config=yaml.safe_dump({key: config[key] for key in ("seed", "windows", "training")}, sort_keys=False).strip(),
    )
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    return card


def _drawn(figures: dict[str, Any], folder: Path, name: str) -> str:
    """The plots of a measurement as Markdown images, with paths from the card."""
    from framing.plots import draw_plots

    missing = next((label for label, row in figures["labels"].items() if "reliability" not in row), None)
    if missing:
        raise FramingError(f"the figures of {figures['data']} hold no curves; measure once more with scripts/evaluate.py -o")
    files = draw_plots(figures, folder / "plots" / name)
    return "\n\n".join(f"![{title} of each label]({quote(path.relative_to(folder).as_posix())})" for title, path in files.items())


def _section(folder: Path, settings: Settings, figures: dict[str, Any], plots: str) -> str:
    only = f" --only {figures['only']}" if figures["only"] else ""
    kinds = figures.get("verification_kind")
    lines = [
        f"### {figures['data']}{only}",
        f"`python scripts/evaluate.py framing/models/{folder.name} {figures['data']}{only}`",
        as_table(figures),
        f"Site furniture: F1 {figures['boilerplate_f1']:.3f}." if settings.boilerplate else "",
        f"Kind of verification, where one was rightly found: accuracy {kinds['accuracy']:.3f} of {kinds['sentences']}."
        if kinds
        else "",
        plots,
    ]
    return "\n\n".join(line for line in lines if line)
