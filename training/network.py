"""The reader as a PyTorch module: the e5 backbone and its four heads.

Outputs are logits. Of every token: start, end, then four for how many characters of the first
token and four for how many of the last do not belong to the answer (0, 1, 2, 3: a piece of the
vocabulary may hold several characters, and 7 % of the training answers begin or end inside one),
then two vectors whose product says how well it, as a start, and another, as an end, belong
together. Of the sequence, from its first token: relevance, answerability, support.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

CUTS = 4
PAIR = 32
TOKEN_OUTPUTS = 2 + 2 * CUTS + 2 * PAIR
SEQUENCE_OUTPUTS = 3
RELEVANCE, ANSWERABLE, SUPPORT = range(SEQUENCE_OUTPUTS)


class Reader(nn.Module):
    """Backbone and heads; the embeddings are the backbone's own and are not trained."""

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        hidden = backbone.config.hidden_size
        self.backbone = backbone
        self.token_head = nn.Linear(hidden, TOKEN_OUTPUTS)
        self.sequence_dense = nn.Linear(hidden, hidden)
        self.sequence_head = nn.Linear(hidden, SEQUENCE_OUTPUTS)
        backbone.embeddings.requires_grad_(False)
        backbone.pooler = None

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Token logits (batch, length, `TOKEN_OUTPUTS`), sequence logits (batch, 3)."""
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask)[0]
        pooled = torch.tanh(self.sequence_dense(hidden[:, 0]))
        return self.token_head(hidden), self.sequence_head(pooled)


def load_backbone(folder: Path, *, attention: str = "eager", dropout: float = 0.0) -> Any:
    """The backbone of a sentence-transformers folder; ``dropout`` of hidden states.

    Plain attention, compiled, trains 1.7 times as fast on a CPU as the fused kernel, whose
    backward pass took half of a step. Attention itself has no dropout: the random numbers for
    it alone made a step on a CPU three times as long.
    """
    from transformers import AutoModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return AutoModel.from_pretrained(
        folder,
        attn_implementation=attention,
        dtype=torch.float32,
        local_files_only=True,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
    )


def trained_state(reader: Reader) -> dict[str, Tensor]:
    """What training changed, by name: everything but the embeddings."""
    return {
        name: value
        for name, value in reader.state_dict().items()
        if not name.startswith("backbone.embeddings.")
    }
