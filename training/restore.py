"""The shipped 8-bit graph back as a PyTorch reader, to train on from what an installation has.

Weights come back as their 8 bits times their channel's scale; everything else as it was. The graph
is `training.export`'s: twelve times QAttention (query, key and value side by side) and three
matrices, then the dense layer of the sequence head and the two heads.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rag.reader.model import GRAPH
from training.network import SEQUENCE_OUTPUTS, Reader, load_backbone

_DENSE = ("attention.output.dense", "intermediate.dense", "output.dense")
_OWN = ("query", "key", "value")


def restore(
    weights: Path, folder: Path, *, dropout: float = 0.0, like: Reader | None = None
) -> Reader:
    """A reader with the weights of a folder that `training.export` wrote, on the backbone in
    ``folder``; outputs that an older graph lacks are those of ``like``, or begin anew.

    Raises:
        ValueError: the graph is not one of ours.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(weights / GRAPH)).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    state = {
        name.removeprefix("reader."): torch.from_numpy(array.copy())
        for name, array in values.items()
        if name.startswith("reader.") and name.endswith((".weight", ".bias"))
    }
    attentions = [node.input for node in graph.node if node.op_type == "QAttention"]
    for layer, names in enumerate(attentions):
        weight = _plain(values, names[1])
        size = weight.shape[0]
        for place, part in enumerate(_OWN):
            own = slice(place * size, (place + 1) * size)
            prefix = f"backbone.encoder.layer.{layer}.attention.self.{part}"
            state[f"{prefix}.weight"] = torch.from_numpy(weight[:, own].T.copy())
            state[f"{prefix}.bias"] = torch.from_numpy(values[names[2]][own].copy())
    matrices = [
        torch.from_numpy(_plain(values, node.input[1]).T.copy())
        for node in graph.node
        if node.op_type == "MatMulInteger"
    ]
    inner = len(attentions) * len(_DENSE)
    for number, matrix in enumerate(matrices[:inner]):
        layer, place = divmod(number, len(_DENSE))
        state[f"backbone.encoder.layer.{layer}.{_DENSE[place]}.weight"] = matrix
    reader = Reader(load_backbone(folder, dropout=dropout))
    for matrix in matrices[inner:]:
        state[f"{_head(matrix)}.weight"] = matrix
    for name in ("token_head.weight", "token_head.bias"):
        fresh = (like or reader).state_dict()[name]
        state[name] = torch.cat([state[name], fresh[len(state[name]) :]])
    missing, unexpected = reader.load_state_dict(state, strict=False)
    left = [name for name in missing if not name.startswith("backbone.embeddings.")]
    if left or unexpected:
        raise ValueError(f"{weights / GRAPH}: {[*left, *unexpected][:3]}")
    return reader


def _plain(values: dict[str, Any], name: str) -> npt.NDArray[np.float32]:
    """A quantized matrix in numbers, shape (inputs, outputs)."""
    stem = name.removesuffix("_quantized")
    zero = values[f"{stem}_zero_point"].astype(np.float32)
    scale = values[f"{stem}_scale"].astype(np.float32)
    plain: npt.NDArray[np.float32] = (values[name].astype(np.float32) - zero) * scale
    return plain


def _head(matrix: Tensor) -> str:
    if matrix.shape[0] == matrix.shape[1]:
        return "sequence_dense"
    return "sequence_head" if matrix.shape[0] == SEQUENCE_OUTPUTS else "token_head"
