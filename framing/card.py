"""The model card of a folder, generated from its settings, its config and its measured figures."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

import yaml

from framing.evaluation import as_table
from framing.model_folder import CONFIG, ONNX, Settings, read_settings

_READING = {
    "article": "Neighbouring sentences of an article share a sequence of up to {} tokens, so each is read in its context.",
    "none": "Each sentence is read alone.",
}


def write_card(folder: Path, figures: list[dict[str, Any]], template: Path) -> str:
    """Write `metrics.json` and the card `README.md` into a model folder, and return the card's text.

    `figures` are the dictionaries that `scripts/evaluate.py -o` writes, one a table of the card.
    """
    settings = read_settings(folder)
    config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    card = Template(template.read_text(encoding="utf-8")).substitute(
        name=settings.name,
        version=settings.version,
        labels="\n".join(f"- `{label.name}`: {label.definition}; evidence: {label.evidence}" for label in settings.labels),
        encoder=config["encoder"]["name"],
        reading=_READING[settings.context].format(settings.max_tokens),
        size=f"{(folder / ONNX).stat().st_size / 1e6:.0f}",
        package_version=settings.package_version,
        data=settings.data_sha256[:16],
        figures="\n\n".join(_section(settings, one) for one in figures),
        train_data=", ".join(f"`{Path(path).parent.name}/{Path(path).name}`" for path in config["data"]["train"]),
        config=yaml.safe_dump({key: config[key] for key in ("seed", "windows", "training")}, sort_keys=False).strip(),
    )
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    return card


def _section(settings: Settings, figures: dict[str, Any]) -> str:
    only = f" --only {figures['only']}" if figures["only"] else ""
    kinds = figures.get("verification_kind")
    lines = [
        f"### {figures['data']}{only}",
        f"`python scripts/evaluate.py framing/models/default {figures['data']}{only}`",
        as_table(figures),
        f"Site furniture: F1 {figures['boilerplate_f1']:.3f}." if settings.boilerplate else "",
        f"Kind of verification, where one was rightly found: accuracy {kinds['accuracy']:.3f} of {kinds['sentences']}."
        if kinds
        else "",
    ]
    return "\n\n".join(line for line in lines if line)
