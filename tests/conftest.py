"""A tiny encoder and a tiny trained model, made on the spot, and invented labelled articles."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

ROOT = Path(__file__).parent.parent

WORDS = """the a of in on and it that was were said says ministry minister police mayor army spokesman told reporters
brutal shameful regime thugs disgraceful bridge closed monday town market open river train road school rain
no evidence for claim footage confirms shows could not be verified blamed accused council for flood failure company
share this article subscribe newsletter walked sold bread crossed two three""".split()  # noqa: SIM905

TEMPLATES = [
    (["official_claim"], "the ministry said the {} was closed", {"official_claim": (0, 12)}),
    (["official_claim"], "police told reporters the {} was open", {"official_claim": (0, 6)}),
    (["loaded_terminology"], "the brutal regime crossed the {}", {"loaded_terminology": (4, 17)}),
    (["independent_verification"], "no evidence for the {} claim", {"independent_verification": (0, 11)}),
    (["blame_attribution"], "the company accused the council of the {} flood", {"blame_attribution": (20, 31)}),
    ([], "the {} was open in the town on monday", {}),
]


def labelled_articles(count: int) -> list[dict[str, object]]:
    """Invented articles in the training format: every label, a boilerplate line, a context line."""
    nouns = ["bridge", "market", "river", "train", "road", "school"]
    articles: list[dict[str, object]] = []
    for number in range(count):
        sentences: list[dict[str, object]] = []
        for offset, (labels, template, evidence) in enumerate(TEMPLATES):
            sentences.append(
                {
                    "text": template.format(f"{nouns[(number + offset) % len(nouns)]} {number}"),
                    "annotated": True,
                    "boilerplate": False,
                    "labels": labels,
                    "verification": "refuted" if "independent_verification" in labels else None,
                    "evidence": {label: [list(span)] for label, span in evidence.items()},
                }
            )
        sentences.append({"text": "share this article", "annotated": True, "boilerplate": True, "labels": [], "evidence": {}})
        sentences.append({"text": "it was in the town", "annotated": False})
        random.Random(number).shuffle(sentences)  # or the model learns their order
        articles.append(
            {"id": f"t{number}", "dataset": "invented", "article": f"a{number}", "outlet": None, "sentences": sentences}
        )
    return articles


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def run_script(name: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script of the project as a user does."""
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd or ROOT, check=False)


def run_cli(*arguments: object, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a user does, its output into a pipe."""
    command = [sys.executable, "-m", "framing", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd or ROOT, check=False)


def start_process(command: list[str]) -> subprocess.Popen[bytes]:
    """A command under way, in a session of its own, its standard input and standard error in pipes.

    It heeds Ctrl-C, which the jobs that a shell has in the background, tests among them, ignore and pass on.
    """
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers and 32 dimensions with random weights and a word-piece vocabulary."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("encoder")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.,!?'\"-“”’")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS), *letters, *(f"##{c}" for c in letters)]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]"
    )
    fast.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=128,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("labelled") / "articles.jsonl", labelled_articles(40))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, encoder: Path, labelled: Path) -> Path:
    """The folder that `scripts/train.py configs/smoke.yaml` writes."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    done = run_script(
        "train.py", "configs/smoke.yaml", f"encoder.name={encoder}", f"data.train=[{labelled}]", f"output={folder}",
        "training.epochs=30", "training.learning_rate=0.003", "training.head_learning_rate=0.01",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, trained: Path, labelled: Path) -> Path:
    """The folder that `scripts/export.py` makes of it."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    done = run_script("export.py", trained, folder, "--data", labelled)
    assert done.returncode == 0, done.stderr
    return folder


#: Nothing of Chromium's own on the network, so that a request that is seen is one of the page.
BROWSER_ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium of the system for all tests, in a profile of its own; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS, timeout=120_000)
        yield running
        running.close()
