"""The shape of the package: imports follow the direction of the data, and the base half needs no training library."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "framing"

#: Base install first, then the train extra; a module may import only modules that stand before it. A sub-package has
#: one place for all its modules.
BASE = [
    "__init__", "errors", "labels", "text", "limits", "decoding", "pages", "formats", "articles", "model_folder",
    "windows", "evidence", "cores", "runtime", "results",
    "classifier", "distributed", "workers", "summary", "outputs", "records", "journal", "batch", "progress", "ray_engine", "data",
    "check", "standoff", "report", "labelstudio", "corrections", "compare", "score_command",
    "result_commands", "compare_command", "cli", "__main__",
]  # fmt: skip
TRAIN = [
    "config", "encoders", "model", "metrics", "augmentation", "torch_runtime", "teaching", "calibration", "targets",
    "training", "averaging", "evaluation", "graph", "quantisation", "export", "plots", "card", "benchmarks",
]  # fmt: skip
ORDER = BASE + TRAIN

TRAIN_LIBRARIES = {
    "torch",
    "transformers",
    "datasets",
    "evaluate",
    "sklearn",
    "accelerate",
    "onnx",
    "yaml",
    "safetensors",
    "matplotlib",
}


#: Every module of the package with the name of its place: its own, or that of its sub-package.
MODULES = {
    **{path: path.stem for path in PACKAGE.glob("*.py")},
    **{path: package.parent.name for package in PACKAGE.glob("*/__init__.py") for path in package.parent.rglob("*.py")},
}


def imports(module: Path, top_level_only: bool) -> set[str]:
    """Names a module imports outside `if TYPE_CHECKING`, as `framing.x` or as a library."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in nodes:
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"framing.{alias.name}" for alias in node.names} if node.module == "framing" else {node.module or ""}
    return names


@pytest.mark.parametrize("module", sorted(MODULES), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_direction(module: Path) -> None:
    place = MODULES[module]
    assert place in ORDER, "a new module or package takes its place in ORDER"
    before = set(ORDER[: ORDER.index(place)]) | {"__version__"} | ({place} if module.parent != PACKAGE else set())
    used = {name.split(".")[1] for name in imports(module, top_level_only=False) if name.startswith("framing.")}
    assert not used - before


@pytest.mark.parametrize("name", BASE)
def test_the_base_half_needs_no_training_library(name: str) -> None:
    modules = [module for module, place in MODULES.items() if place == name]
    assert modules, "a module or package that is gone leaves ORDER"
    used = {library.split(".")[0] for module in modules for library in imports(module, top_level_only=True)}
    assert not used & TRAIN_LIBRARIES


def test_no_pickle_anywhere() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "pickle" not in text, path
        assert "torch.load" not in text, path
        assert "trust_remote_code" not in text, path
