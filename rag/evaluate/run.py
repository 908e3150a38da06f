"""Asks every question of a data set through the clinicians' own `Assistant`, and keeps what came.

A run can be killed at any moment and started again: what has a result is not asked again. A
question that fails is recorded with its error and counted. When the language model is not to
be reached several times in a row, the run stops. What a language model failed is asked again when
the run is continued.
"""

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from rag.assistant import Assistant, encoder_of
from rag.errors import (
    LanguageModelUnavailable,
)
from rag.evaluate.ask import UNREACHED, Asker, Judge
from rag.evaluate.faults import RunError
from rag.evaluate.manifest import manifest_of, refuse_other_run
from rag.evaluate.operation import operation_of
from rag.evaluate.plan import Plan, model_of, resolve
from rag.evaluate.prepare import prepare_index
from rag.evaluate.questions import Question
from rag.evaluate.results import (
    MANIFEST,
    OPERATION,
    RESULTS,
    SUMMARY,
    ResultsFile,
    Row,
    held,
    read_json,
    read_results,
    write_json,
    write_results,
)
from rag.evaluate.summarize import summarize
from rag.indexer import Progress
from rag.retrieve.embed import Encoder

DEAD_AFTER = 3


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has come to its end."""

    directory: Path
    summary: Row
    operation: Row


def run(
    plan: Plan,
    *,
    out: Path | None = None,
    encoder: Encoder | None = None,
    concurrency: int = 1,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> Finished:
    """Run or continue a run.

    Args:
        out: the run directory; by default one named by data set and settings.
        encoder: instead of the one that the settings name.
        concurrency: how many questions are asked at once.

    Raises:
        DatasetError: the data set cannot be used; nothing was asked.
        RunError: ``out`` holds a run with other settings, or another process is running it.
        LanguageModelUnavailable: the model died; the results so far are kept.
    """
    progress = progress or _silent
    directory = out or plan.settings.eval.directory / plan.name
    with held(directory):
        started = time.monotonic()
        settings = resolve(plan.settings, asks_model=not plan.retrieval_only)
        model = model_of(settings)
        encoder = encoder or encoder_of(settings, lambda text: progress(text, 0, 0))
        index = prepare_index(plan, encoder, progress)
        place = settings.index.model_copy(update={"directory": index})
        settings = settings.model_copy(update={"index": place})
        assistant = Assistant.from_settings(settings, encoder=encoder)
        manifest = manifest_of(
            plan,
            answering=settings.answer.llm,
            model=model,
            index=_about(assistant),
            documents=assistant.index.documents.count()[0],
        )
        results = _opened(directory, manifest, concurrency)
        asked = plan.questions()
        asker = Asker(plan, assistant, asked, judge)
        _ask_all(asker, directory, asked, results, concurrency, progress)
        rows = [results[question.id] for question in asked]
        write_results(directory / RESULTS, rows)
        summary = summarize(plan.dataset.name, rows, seed=plan.seed)
        operation = operation_of(rows, wall_seconds=time.monotonic() - started, memory=_memory())
        write_json(directory / SUMMARY, summary)
        write_json(directory / OPERATION, operation)
    return Finished(directory, summary, operation)


def _opened(directory: Path, manifest: Row, concurrency: int) -> dict[str, Row]:
    """The results that need not be asked for again, after checking that they are of this run."""
    manifest["concurrency"] = concurrency
    if (directory / MANIFEST).is_file():
        refuse_other_run(directory, read_json(directory / MANIFEST), manifest)
    elif (directory / RESULTS).is_file():
        raise RunError(f"{directory} 里有结果却没有 {MANIFEST}。请用 --out 另选目录")
    else:
        write_json(directory / MANIFEST, manifest)
    kept = {
        identifier: row
        for identifier, row in read_results(directory / RESULTS).items()
        if not row.get("retry")
    }
    write_results(directory / RESULTS, kept.values())
    return kept


def _ask_all(
    asker: Asker,
    directory: Path,
    asked: Sequence[Question],
    results: dict[str, Row],
    concurrency: int,
    progress: Progress,
) -> None:
    """Ask what has no result yet; ``results`` grows by id."""
    waiting = [question for question in asked if question.id not in results]
    done_before = len(asked) - len(waiting)
    started = time.monotonic()
    dead = 0
    with ResultsFile(directory / RESULTS) as file:
        for number, row in enumerate(_in_parallel(asker, waiting, concurrency), 1):
            file.append(row)
            results[row["id"]] = row
            left = (time.monotonic() - started) / number * (len(waiting) - number)
            progress(f"提问，剩余约 {_duration(left)}", done_before + number, len(asked))
            dead = dead + 1 if row.get("retry") == UNREACHED else 0
            if dead >= DEAD_AFTER:
                raise LanguageModelUnavailable(
                    f"连续 {dead} 题语言模型都没有应答，已停止（{row['error']}）。"
                    f"已有 {done_before + number - dead} 题的结果保存在 {directory}；"
                    "恢复模型后重新运行同一命令即可继续"
                )


def _in_parallel(asker: Asker, questions: Sequence[Question], concurrency: int) -> Iterator[Row]:
    """Results as they are finished; no more questions are under way than may be."""
    if concurrency == 1:
        yield from map(asker, questions)
        return
    waiting = iter(questions)
    running: set[Future[Row]] = set()
    with ThreadPoolExecutor(concurrency) as pool:
        while True:
            while len(running) < concurrency and (question := next(waiting, None)) is not None:
                running.add(pool.submit(asker, question))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


def _about(assistant: Assistant) -> dict[str, str]:
    from rag.retrieve.generation import read_manifest

    index = assistant.index
    recipe = read_manifest(index.directory)["recipe"]
    return {"generation": index.generation, "fingerprint": str(recipe["embedding_fingerprint"])}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} 小时 {minutes} 分"
    return f"{minutes} 分 {rest} 秒" if minutes else f"{rest} 秒"


def _memory() -> float:
    """The most this process has held in memory, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most) / (1024**2 if sys.platform == "darwin" else 1024)


def _silent(text: str, done: int, total: int) -> None:
    """Nobody watches."""
