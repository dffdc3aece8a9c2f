"""Token windows through ONNX Runtime.

One window is one run of the graph on one thread, and as many windows run at once as there are cores. So there is no
padding, a window's scores cannot depend on what else is scored (the int8 graph scales its activations per run), and
memory grows with the longest article, not with their number.
"""

from __future__ import annotations

import json
import mmap
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from framing.cores import available_cores
from framing.errors import FramingError, UnreadableError, in_short, rust_panics_caught
from framing.model_folder import ONNX, OUTPUTS, TOKENIZER, Settings, read_part, read_settings
from framing.windows import EncodedSentence, Window, encode_sentences, plan_windows

Array = NDArray[np.float32]

#: A tokenizer takes some megabytes.
_MAX_TOKENIZER = 100_000_000

#: Where a graph names a file that holds its weights: the key `location`, its length of 8 in front, in the protocol buffer.
#: Looked for without what stands in front: a plain string is found several times as fast, which a single article feels.
_LOCATION, _BEFORE = re.compile(rb"location"), b"\x08\x00"

#: Windows whose logits are kept in case they come again: enough for an article that is scored at every change. Windows of other
#: articles hardly ever come again, and many more of them would only scatter over the heap.
WINDOWS_KEPT = 256


@dataclass(frozen=True)
class SentenceLogits:
    """Raw scores of one sentence: `sentence` (outputs,), `tokens` (tokens, labels), and the tokens' character spans."""

    sentence: Array
    tokens: Array
    encoded: EncodedSentence


class WindowRunner(ABC):
    """Sentences → windows → logits; what runs a window is the subclass's.

    A window of the same tokens as one of the last `WINDOWS_KEPT` is not run again: copy that several outlets print, and
    an article that is scored at every change while somebody writes it.
    """

    def __init__(self, settings: Settings, tokenizer: Tokenizer):
        self.settings = settings
        self._tokenizer = tokenizer
        self._logits = lru_cache(WINDOWS_KEPT)(self._run_tokens)

    def submit(self, sentences: Sequence[str]) -> list[Future[list[SentenceLogits]]]:
        """Start scoring the sentences of one article; the futures, one a window, hold all of them in order.

        Raises `UnreadableError`, as the futures do, where the model cannot be run on them.
        """
        settings = self.settings
        try:
            with rust_panics_caught():
                encoded = encode_sentences(self._tokenizer, sentences, settings.max_sentence_tokens)
        except Exception as error:  # the library raises bare Exception
            raise UnreadableError("model_failed", f"the model's tokenizer failed ({in_short(error)})") from None
        windows = plan_windows(encoded, settings.context, settings.max_tokens, settings.context_sentences)
        return [self._start(encoded, window) for window in windows]

    def _run(self, encoded: list[EncodedSentence], window: Window) -> list[SentenceLogits]:
        members = encoded[window.first : window.stop]
        sentence, tokens = self._logits(tuple(np.array(member.ids, dtype=np.int32).tobytes() for member in members))
        ends = np.cumsum([len(member.ids) for member in members])
        return [
            SentenceLogits(sentence[i], tokens[ends[i] - len(members[i].ids) : ends[i]], members[i])
            for i in range(window.scored - window.first, len(members))
        ]

    def _run_tokens(self, members: tuple[bytes, ...]) -> tuple[Array, Array]:
        """Sentence logits (sentences, outputs) and token logits (tokens, labels) of sentences of int32 token ids."""
        rows = [np.frombuffer(member, dtype=np.int32) for member in members]
        ids = np.concatenate(rows).astype(np.int64)[None]
        mask = np.repeat(np.eye(len(rows), dtype=np.float32), [len(row) for row in rows], axis=1)[None]
        sentence, tokens = self._forward({"input_ids": ids, "sentence_mask": mask})
        shapes = (1, len(members), len(self.settings.outputs)), (1, ids.shape[1], len(self.settings.labels))
        if (sentence.shape, tokens.shape) != shapes or not (np.isfinite(sentence).all() and np.isfinite(tokens).all()):
            raise UnreadableError("model_failed", "the model gave scores that are no numbers, or not as many as there should be")
        for kept in (sentence, tokens):
            kept.setflags(write=False)  # they are handed out more than once
        return sentence[0], tokens[0]

    def _start(self, encoded: list[EncodedSentence], window: Window) -> Future[list[SentenceLogits]]:
        """Have `_run` done: here at once, in a subclass perhaps later."""
        done: Future[list[SentenceLogits]] = Future()
        done.set_result(self._run(encoded, window))
        return done

    @abstractmethod
    def _forward(self, inputs: dict[str, NDArray[Any]]) -> tuple[Array, Array]:
        """Sentence logits (1, sentences, outputs) and token logits (1, tokens, labels) of one window."""


class Runtime(WindowRunner):
    """A model folder opened for scoring with ONNX Runtime.

    Args:
        folder: a model folder with `framing.json`, `tokenizer.json` and `model.onnx`.
        threads: windows scored at once; 0 for every core this process may use.

    Raises `FramingError` where the folder is not complete or does not fit together.
    """

    def __init__(self, folder: Path, threads: int = 0):
        if threads < 0:
            raise FramingError(f"threads must be 0 (every core) or more, not {threads}")
        super().__init__(read_settings(folder), open_tokenizer(folder / TOKENIZER))
        self._session = _open_session(folder / ONNX)
        self._check_graph(folder)
        self._pool = ThreadPoolExecutor(threads or available_cores(), thread_name_prefix="framing")
        try:  # what does not fit together fails here, not in the middle of a job
            for future in self.submit(["One sentence on trial."]):
                future.result()
        except UnreadableError as error:
            raise FramingError(f"{folder}: {error}; export the model again") from None

    def _check_graph(self, folder: Path) -> None:
        try:
            shapes = {output.name: output.shape[-1] if output.shape else 0 for output in self._session.get_outputs()}
            trained = self._session.get_modelmeta().custom_metadata_map.get(OUTPUTS)
        except UnicodeDecodeError as error:
            raise FramingError(f"{folder / ONNX}: not a readable ONNX model ({in_short(error)})") from None
        expected = {"sentence_logits": len(self.settings.outputs), "token_logits": len(self.settings.labels)}
        if shapes != expected:
            raise FramingError(f"{folder}: {ONNX} gives {shapes} but framing.json names {expected}; export the model again")
        if trained is not None and trained != json.dumps(self.settings.outputs):
            raise FramingError(f"{folder}: framing.json has other labels, or another order, than {ONNX}; export the model again")

    def _start(self, encoded: list[EncodedSentence], window: Window) -> Future[list[SentenceLogits]]:
        return self._pool.submit(self._run, encoded, window)

    def _forward(self, inputs: dict[str, NDArray[Any]]) -> tuple[Array, Array]:
        try:
            sentence, tokens = self._session.run(["sentence_logits", "token_logits"], inputs)
        except Exception as error:  # onnxruntime's exception types are private
            raise UnreadableError("model_failed", f"the model could not be run ({in_short(error)})") from None
        return sentence, tokens


def open_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a model folder. Raises `FramingError` where it cannot be read."""
    try:
        with rust_panics_caught():
            return Tokenizer.from_str(read_part(path, _MAX_TOKENIZER).decode())
    except OSError:
        raise FramingError(f"{path.parent}: not a complete model folder, {path.name} cannot be read") from None
    except Exception as error:  # the library raises bare Exception for a malformed file
        raise FramingError(f"{path}: not a tokenizer file ({in_short(error)})") from None


#: Fusions of ONNX Runtime that cost time on CPUs: its fused addition and layer norm is slower than the two apart.
_SLOWER = ["SkipLayerNormFusion"]


def _open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False  # windows differ in length: the allocator is faster
    options.log_severity_level = 4  # what goes wrong, we say
    if not path.is_file():
        raise FramingError(f"{path.parent}: not a complete model folder, it has no {path.name}; make one with scripts/export.py")
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            external = any(content[found.start() - 1] in _BEFORE for found in _LOCATION.finditer(content))
        if not external:
            # Its fallback to another provider tries the same one again and prints on standard output.
            return onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER, enable_fallback=0
            )
    except Exception as error:  # onnxruntime's exception types are private
        raise FramingError(f"{path}: not a readable ONNX model ({in_short(error)})") from None
    raise FramingError(f"{path}: takes weights from other files, which is refused; export it as one file")
