"""The baseline table, docs/benchmarks.md: every public set, dense, keyword and hybrid.

Retrieval on all questions of each set, by search alone and without the reader; answers and refusals
as the product ships, on a seeded sample, whose retrieval stands in the first table too. Each set is
indexed once. Killed and started again it goes on where it was: finished
runs are read, unfinished ones continued.

Run: ``python -m benchmarks.baselines [--data ../shared/data] [--sample 500] [--only NAME …]``
"""

import argparse
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.datasets import DATA
from rag.assistant import encoder_of
from rag.errors import RagError
from rag.evaluate.dataset import load
from rag.evaluate.metric_texts import show
from rag.evaluate.plan import Plan
from rag.evaluate.questions import Dataset
from rag.evaluate.results import MANIFEST, OPERATION, SUMMARY, read_json
from rag.evaluate.run import run
from rag.evaluate.sweep import title
from rag.progress import ProgressBar
from rag.retrieve.embed import Encoder
from rag.settings import Settings

TABLE = Path("docs/benchmarks.md")
MODES = ("dense", "keyword", "hybrid")
SHIPPED = "出厂配置（抽样）"
# For training a reader only, says its README.
SKIPPED = ("cmrc2018-train",)
RETRIEVAL = (
    "retrieval.document.recall@1",
    "retrieval.document.recall@5",
    "retrieval.document.recall@10",
    "retrieval.document.mrr@10",
    "retrieval.document.ndcg@10",
    "retrieval.passage.recall@5",
    "retrieval.passage.ndcg@10",
)
ANSWERS = (
    "outcome.correct",
    "answer.exact_match",
    "answer.f1",
    "answer.text_f1",
    "answer.rouge_l",
    "answer.numeric_accuracy",
    "citation.precision",
    "citation.recall",
    "citation.gold_precision",
    "citation.evidence_f1",
)
ABSTENTION = (
    "abstain.precision",
    "abstain.recall",
    "abstain.f1",
    "abstain.false_answer_rate",
    "abstain.over_refusal_rate",
    "abstain.aurc",
)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What one run came to."""

    dataset: str
    mode: str
    directory: Path
    summary: Json
    operation: Json


class Baselines:
    """Makes or reads the runs.

    Args:
        sample: how many questions are answered; 0 for none, None for all.
    """

    def __init__(self, settings: Settings, *, sample: int | None, seed: int) -> None:
        self._settings = settings
        self._sample = sample
        self._seed = seed
        self._encoder: Encoder | None = None

    def retrieval(self, dataset: Dataset) -> Iterator[Result]:
        reader = self._settings.reader.model_copy(update={"enabled": False})
        for mode in MODES:
            retrieve = self._settings.retrieve.model_copy(update={"mode": mode})
            changes = {"retrieve": retrieve, "reader": reader}
            settings = self._settings.model_copy(update=changes)
            yield self._result(Plan(dataset, settings, seed=self._seed, retrieval_only=True), mode)

    def answers(self, dataset: Dataset) -> Iterator[Result]:
        if self._sample != 0:
            plan = Plan(dataset, self._settings, seed=self._seed, limit=self._sample)
            yield self._result(plan, SHIPPED)

    def _result(self, plan: Plan, mode: str) -> Result:
        directory = plan.settings.eval.directory / plan.name
        started = time.monotonic()
        if not (directory / SUMMARY).is_file():
            with ProgressBar() as progress:
                self._encoder = self._encoder or encoder_of(plan.settings, progress.say)
                run(plan, encoder=self._encoder, progress=progress)
        summary, operation = (read_json(directory / name) for name in (SUMMARY, OPERATION))
        name, questions = plan.dataset.name, summary["questions"]
        print(
            f"{name} {mode}: {questions} questions, {time.monotonic() - started:.0f} s", flush=True
        )
        return Result(name, mode, directory, summary, operation)


def document(searched: Sequence[Result], answered: Sequence[Result], command: str) -> str:
    """docs/benchmarks.md."""
    machine = read_json(searched[0].directory / MANIFEST)
    made = machine["machine"]
    lines = [
        "# 基线 · Baselines",
        "",
        "由下面的命令生成，数值后为 95% 自助法区间；指标的定义见 [metrics.md](metrics.md)。"
        "This file is made by the command below; 95 % bootstrap intervals follow the values, "
        "metrics.md defines every metric.",
        "",
        f"```\n{command}\n```",
        "",
        f"机器 · Machine: {made['processor']}, {made['cores']} cores, {made['memory_gib']} GiB. "
        f"医问 {machine['versions']['yiwen']}, 向量模型 {machine['settings']['embed']['model']}, "
        f"seed {machine['seed']}.",
        "",
        "数据来自 CMRC 2018、ExpMRC（CC BY-SA 4.0）、DRCD（CC BY-SA 3.0）、DuReader 2.0 demo、"
        "CMB-Clin（Apache-2.0）与 Chinese medical dialogue data（MIT）的公开仓库，未作改写。",
        "",
        "## 检索 · Retrieval",
        "",
        "dense、keyword、hybrid：全部问题，只检索，不用阅读模型；"
        f"{SHIPPED}：与下面的回答同一次运行。阅读理解类问题由出题人看着段落写成，字面重合很高；比较检索方式请看 "
        "med-dialogue-internal 与 dureader-demo。",
        "",
        *_table(_in_order(searched, answered), RETRIEVAL, with_mode=True),
        "",
    ]
    if answered:
        lines += [
            "## 回答与引用 · Answers and citations",
            "",
            "出厂配置，摘录式回答；题数为抽样数。",
            "",
            *_table(answered, ANSWERS, with_mode=False),
            "",
            "## 拒答 · Abstention",
            "",
            *_table(answered, ABSTENTION, with_mode=False),
            "",
        ]
    return "\n".join(lines)


def _table(results: Sequence[Result], metrics: Sequence[str], *, with_mode: bool) -> list[str]:
    shown = [m for m in metrics if any(m in result.summary["metrics"] for result in results)]
    names = [title(metric) for metric in shown]
    head = ["评测集", "题数", *(["检索"] if with_mode else []), *names, "每题秒数"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for result in results:
        found = result.summary["metrics"]
        lines.append(
            [
                result.dataset,
                str(result.summary["questions"]),
                *([result.mode] if with_mode else []),
                *(_cell(metric, found.get(metric)) for metric in shown),
                f"{result.operation['timings']['total']['p50']:.3f}",
            ]
        )
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _in_order(searched: Sequence[Result], answered: Sequence[Result]) -> list[Result]:
    """Each set's rows together, as the sets come."""
    names = list(dict.fromkeys(result.dataset for result in searched))
    return sorted([*searched, *answered], key=lambda result: names.index(result.dataset))


def _cell(metric: str, entry: Json | None) -> str:
    if entry is None:
        return "—"
    low, high = (show(metric, entry[end]).rstrip("%") for end in ("low", "high"))
    return f"{show(metric, entry['value']).rstrip('%')} ({low}–{high})"


def _datasets(data: Path, only: Sequence[str]) -> list[Dataset]:
    names = only or sorted(
        path.name for path in data.iterdir() if path.is_dir() and path.name not in SKIPPED
    )
    return [load(data / name) for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with one folder a set")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="these sets alone")
    parser.add_argument("--sample", type=int, default=500, help="questions answered a set, 0: none")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    settings = Settings.load(overrides={"answer": {"llm": "extractive"}})
    place = settings.eval.model_copy(update={"directory": arguments.runs})
    settings = settings.model_copy(update={"eval": place})
    baselines = Baselines(settings, sample=arguments.sample, seed=arguments.seed)
    command = shlex.join(["python", "-m", "benchmarks.baselines", *sys.argv[1:]])
    try:
        datasets = _datasets(arguments.data, arguments.only)
        searched = [result for dataset in datasets for result in baselines.retrieval(dataset)]
        answered = [result for dataset in datasets for result in baselines.answers(dataset)]
    except RagError as error:
        sys.exit(str(error))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(document(searched, answered, command), encoding="utf-8")
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()
