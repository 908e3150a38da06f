"""A sentence-transformers model as an ONNX graph with 8-bit weights: fast on a CPU, no torch.

The graph is exported once from the model that `SentenceTransformer` loads, its pooling and
normalization inside, and put beside the folder's own files. `GraphEncoder` then answers as
``SentenceTransformer.encode_query`` and ``encode_document`` would, without importing torch and
transformers (9 s on two cores).

Texts run one at a time on single-threaded graph runs, ``threads`` of them side by side: nothing
is spent on padding, a vector never depends on its batch, and without VNNI instructions it was
the fastest of the layouts tried (DECISIONS.md).
"""

import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError

GRAPH = "model_int8.onnx"

FloatArray = npt.NDArray[np.float32]


def export_graph(folder: Path) -> None:
    """Export the model in ``folder`` to ``folder/model_int8.onnx``; whole or not at all.

    Raises:
        ModelError: the model's layers cannot be exported, or the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as aside:
        plain = Path(aside) / "model.onnx"
        quantized = Path(aside) / GRAPH
        try:
            _export(folder, plain)
            quantize(plain, quantized)
            quantized.replace(folder / GRAPH)
        except OSError as error:
            raise ModelError(
                f"无法写入 {folder}（{error.strerror}）。请检查磁盘空间与权限"
            ) from error


def _export(folder: Path, target: Path) -> None:
    import warnings

    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model = SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        model_kwargs={"attn_implementation": "eager", "dtype": torch.float32},
    ).eval()

    class Embedding(torch.nn.Module):
        """All modules of the model in one: token ids in, normalized vectors out."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            embedding = self.model(features)["sentence_embedding"]
            return torch.nn.functional.normalize(embedding, dim=1)

    ids = torch.randint(5, 1000, (2, 16))
    mask = torch.ones(2, 16, dtype=torch.long)
    mask[1, 10:] = 0
    axes = {0: "batch", 1: "length"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing tells of every shape it fixes
            torch.onnx.export(
                Embedding(),
                (ids, mask),
                str(target),
                input_names=["input_ids", "attention_mask"],
                output_names=["embedding"],
                dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}},
                opset_version=17,
                dynamo=False,
            )
    except (RuntimeError, TypeError, torch.onnx.errors.OnnxExporterError) as error:
        raise ModelError(
            f'模型 {folder.name} 无法导出为 ONNX（{error}）。请在 rag.toml 设 [embed] backend = "torch"'
        ) from error


def quantize(source: Path, target: Path) -> None:
    """Fuse attention, layer norm and GELU of an ONNX graph, then store matrix weights in 8 bits a
    channel; ``source`` is overwritten."""
    import logging

    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    quiet = logging.getLogger()
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # the quantizer advises on the root logger
    try:
        fused = optimizer.optimize_model(
            str(source), model_type="bert", num_heads=0, hidden_size=0, opt_level=0, use_gpu=False
        )
        fused.save_model_to_file(str(source))
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Attention"],
            extra_options={"DefaultTensorType": 1},
        )
    finally:
        quiet.setLevel(level)


class GraphEncoder:
    """Runs a folder's ONNX graph; the prompts and lengths are those of the folder.

    Args:
        folder: a sentence-transformers folder that `export_graph` has added its graph to.
        threads: texts run side by side; 0 takes every core.
        query_prompt, document_prompt: replace the folder's own when not None.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        fingerprint: str,
        threads: int = 0,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
    ) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as failures
        from tokenizers import Tokenizer

        self.name = name
        self.fingerprint = fingerprint
        prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts", {})
        self._query_prompt = prompts.get("query", "") if query_prompt is None else query_prompt
        if document_prompt is None:
            document_prompt = prompts.get("document", prompts.get("passage", ""))
        self._document_prompt = document_prompt
        length = _read_json(folder / "sentence_bert_config.json").get("max_seq_length", 512)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            # from_file would raise a bare Exception, from_buffer a ValueError
            self._tokenizer = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except (
            OSError,
            ValueError,
            failures.Fail,
            failures.InvalidArgument,
            failures.InvalidGraph,
            failures.InvalidProtobuf,
            failures.NoSuchFile,
            failures.NotImplemented,
            failures.RuntimeException,
        ) as error:
            raise ModelError(
                f"模型目录 {folder} 已损坏（{error}）。请删除该目录后重试，系统会自动重建"
            ) from error
        self._tokenizer.enable_truncation(length)
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "embed")
        self.dimension = int(self._session.get_outputs()[0].shape[1] or self._run("").shape[0])

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of questions, shape (len(texts), dimension), normalized."""
        return self._encode([self._query_prompt + text for text in texts])

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passages, shape (len(texts), dimension), normalized."""
        return self._encode([self._document_prompt + text for text in texts])

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        if len(texts) == 1:
            return self._run(texts[0])[None]
        return np.stack(list(self._pool.map(self._run, texts)))

    def _run(self, text: str) -> FloatArray:
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vector: FloatArray = self._session.run(None, inputs)[0][0]
        return vector


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"模型文件 {path} 无法读取（{error}）。请检查模型目录是否完整") from error
    return content
