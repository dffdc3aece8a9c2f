from __future__ import annotations

from pathlib import Path

import pytest

from framing.config import BASE, dump_config, load_config
from framing.errors import FramingError

CONFIGS = sorted(BASE.parent.glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_is_valid_and_holds_only_what_differs(path: Path) -> None:
    import yaml

    load_config(path)
    if path == BASE:
        return
    base, own = (yaml.safe_load(p.read_text(encoding="utf-8")) for p in (BASE, path))

    def repeated(change: dict[str, object], default: dict[str, object]) -> list[str]:
        found = []
        for key, value in change.items():
            old = default.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                found += repeated(value, old)
            elif value == old:
                found.append(key)
        return found

    assert repeated(own, base) == []


def test_overrides_win_and_the_resolved_config_reads_back(tmp_path: Path) -> None:
    config = load_config(BASE, ["training.epochs=7", "labels=[biased]", "data.train=[x.jsonl]"])
    assert (config.training.epochs, config.labels, config.data.train) == (7, ["biased"], [Path("x.jsonl")])
    resolved = tmp_path / "config.yaml"
    resolved.write_text(dump_config(config), encoding="utf-8")
    assert load_config(resolved) == config


@pytest.mark.parametrize(
    ("content", "overrides", "message"),
    [
        ("training: {epoch: 3}", [], "training.epoch: unknown key"),
        ("", ["training.epochs=0"], "training.epochs"),
        ("", ["windows.context=paragraph"], "windows.context"),
        ("", ["training.epochs"], "must look like"),
        ("- a list", [], "mapping"),
        ("a: [", [], "not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: str, overrides: list[str], message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content or "{}", encoding="utf-8")
    with pytest.raises(FramingError, match=message):
        load_config(path, overrides)


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(FramingError, match=r"gone\.yaml"):
        load_config(tmp_path / "gone.yaml")
