"""Follow-up questions in conversations: how many are rewritten as they were meant.

The set (tests/data/follow_up_questions.jsonl) was written by hand: one to three turns, a question,
and either the words that its full form must and must not hold ("|" between spellings), or that it
stands alone and must stay as it is. Rules were chosen on the development half (the first byte of
the SHA-256 of a dialogue's id is even); the other half is only reported.

Run: ``python -m benchmarks.follow_ups [--model] [--wrong]``; ``--model`` adds the language model
that rag.toml names, ``--wrong`` lists the development half's wrong ones.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.answer.follow_up import Rewritten, Turn, stand_alone
from rag.answer.llm import LanguageModel
from rag.answer.slots import plain
from rag.errors import RagError

DIALOGUES = Path(__file__).parents[1] / "tests" / "data" / "follow_up_questions.jsonl"
HALVES = ("development", "report")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """``expected`` is None for a question that stands alone."""

    id: str
    kind: str
    history: tuple[Turn, ...]
    question: str
    expected: tuple[str, ...] | None
    forbidden: tuple[str, ...]

    def is_right(self, rewritten: Rewritten) -> bool:
        """Whether a rewriting says what was meant."""
        if self.expected is None:
            return not rewritten.changed and rewritten.text == self.question
        text = plain(rewritten.text)
        return all(
            any(spelling in text for spelling in wanted.split("|")) for wanted in self.expected
        ) and not any(word in text for word in self.forbidden)


def dialogues(half: str, path: Path = DIALOGUES) -> Iterator[Dialogue]:
    """The dialogues of one half."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        is_development = hashlib.sha256(row["id"].encode()).digest()[0] % 2 == 0
        if is_development == (half == "development"):
            yield Dialogue(
                row["id"],
                row["kind"],
                tuple(Turn(turn["question"], turn["answer"]) for turn in row["history"]),
                row["question"],
                None if row.get("unchanged") else tuple(row["expected"]),
                tuple(row.get("forbidden", ())),
            )


def report(half: str, model: LanguageModel | None, *, lists_wrong: bool) -> None:
    """Print the shares of one half, and the development half's wrong ones when asked."""
    right: dict[str, list[bool]] = defaultdict(list)
    ways: dict[str, int] = defaultdict(int)
    wrong = []
    started = time.perf_counter()
    for dialogue in dialogues(half):
        rewritten = stand_alone(dialogue.question, dialogue.history, model=model)
        ways[rewritten.how] += 1
        is_right = dialogue.is_right(rewritten)
        right[dialogue.kind].append(is_right)
        if not is_right:
            wrong.append((dialogue, rewritten))
    seconds = time.perf_counter() - started
    every = [value for values in right.values() for value in values]
    name = "rules" if model is None else model.name
    print(
        f"\n{half} half, {name}: {sum(every)} of {len(every)} right ({sum(every) / len(every):.3f})"
    )
    print(
        f"  {seconds / len(every) * 1000:.1f} ms each; "
        + ", ".join(f"{w} {n}" for w, n in sorted(ways.items()))
    )
    for kind, values in sorted(right.items()):
        print(f"  {kind:12} {sum(values):3d} of {len(values):3d}")
    if lists_wrong and half == "development":
        for dialogue, rewritten in wrong:
            last = dialogue.history[-1].question if dialogue.history else ""
            print(
                f"  {dialogue.id} {last} + {dialogue.question} → {rewritten.text} ({rewritten.how})"
            )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.follow_ups")
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    arguments = parser.parse_args()
    model = None
    if arguments.model:
        from rag.language import LanguageModelSource
        from rag.settings import Settings

        try:
            source = LanguageModelSource(Settings.load())
            model = source.current()
        except RagError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        if model is None:
            print(
                f"没有可用的语言模型，只报告规则（{source.reason or '已设为摘录式'}）",
                file=sys.stderr,
            )
    for half in HALVES:
        report(half, None, lists_wrong=arguments.wrong)
        if model is not None:
            report(half, model, lists_wrong=arguments.wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
