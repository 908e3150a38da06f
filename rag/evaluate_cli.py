"""``rag eval``: the evaluator's commands. Heavy imports stand inside, as in `rag.cli`.

Exit codes as there; ``gate`` ends with 1 when a minimum is not reached.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rag.evaluate.run import Finished
    from rag.retrieve.embed import Encoder
    from rag.settings import Settings

app = typer.Typer(
    help="评测：跑问题集，出指标、区间、对比与门槛。", no_args_is_help=True, add_completion=False
)
Config = Annotated[
    Path | None, typer.Option("--config", help="配置文件，默认为当前目录的 rag.toml")
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON，供脚本使用")]
DatasetPath = Annotated[
    Path, typer.Argument(help="评测集：目录，或 .json、.jsonl、.csv、.xlsx 文件")
]
Index = Annotated[
    Path | None, typer.Option("--index", help="问已有的索引（目录，或 indexes 下的名字）")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="只抽取这么多题")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="抽样与区间的随机种子")]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, max=64, help="同时提问的题数")]
RetrievalOnly = Annotated[bool, typer.Option("--retrieval-only", help="只检索，不作答")]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", help="改一项配置：节.名=值（可多次）")
]
Run = Annotated[Path, typer.Argument(help="评测目录（rag eval run 打印的路径）")]
_FLIPS_SHOWN = 20


@app.command("run")
def run_command(
    dataset: DatasetPath,
    index: Index = None,
    config: Config = None,
    limit: Limit = None,
    seed: Seed = 7,
    out: Annotated[Path | None, typer.Option("--out", help="评测目录，默认自动命名")] = None,
    concurrency: Concurrency = 1,
    retrieval_only: RetrievalOnly = False,
    judge: Annotated[
        bool, typer.Option("--judge", help="另请本地模型评审，结果单列，不计入指标")
    ] = False,
    assignments: Assignments = None,
    report: Annotated[bool, typer.Option("--report", help="跑完后写出网页报告")] = False,
    as_json: AsJson = False,
) -> None:
    """跑一个评测集；中断后用同一命令继续。"""
    from rag.evaluate.present import summary_text
    from rag.evaluate.sweep import Variant, parse_assignments

    chosen = {name: values[0] for name, values in _single(parse_assignments(assignments or []))}
    done = _run(
        dataset,
        Variant(chosen).overrides,
        config=config,
        index=index,
        limit=limit,
        seed=seed,
        out=out,
        concurrency=concurrency,
        retrieval_only=retrieval_only,
        judge=judge,
    )
    page = None
    if report:
        from rag.evaluate.report import write_report

        page = write_report(done.directory)
    if as_json:
        _print_json({"run": str(done.directory), "report": page and str(page)} | done.summary)
        return
    typer.echo(summary_text(done.summary, done.operation))
    typer.echo(f"结果：{done.directory}")
    if page is not None:
        typer.echo(f"报告：{page.resolve()}")


@app.command()
def compare(
    first: Run,
    second: Run,
    seed: Seed = 7,
    flips: Annotated[int, typer.Option("--flips", min=0, help="列出多少翻转的题")] = _FLIPS_SHOWN,
    as_json: AsJson = False,
) -> None:
    """比较两次评测：先列翻转的题，再列各指标之差、95% 区间与 p 值。"""
    from rag.evaluate.compare import compare as compare_runs
    from rag.evaluate.present import comparison_text

    comparison = compare_runs(first, second, seed=seed)
    if as_json:
        _print_json(comparison.json())
    else:
        typer.echo(comparison_text(comparison, flips))


@app.command()
def gate(
    run: Run,
    minimum: Annotated[
        list[str] | None,
        typer.Option("--min", help="门槛，例如 'answer.f1>=0.80,errors<=0'（可多次）"),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """按门槛判定一次评测：全部达到退出码为 0，否则为 1。"""
    from rag.evaluate.gate import check, parse_conditions
    from rag.evaluate.present import gate_text
    from rag.evaluate.results import SUMMARY, read_json

    texts = minimum or list(_settings(config).eval.minimum)
    verdicts = check(read_json(run / SUMMARY), parse_conditions(texts))
    passed = all(verdict.is_met for verdict in verdicts)
    if as_json:
        _print_json({"passed": passed, "conditions": [verdict.json() for verdict in verdicts]})
    else:
        typer.echo(gate_text(verdicts))
        typer.echo("通过" if passed else "未通过")
    if not passed:
        raise typer.Exit(1)


@app.command()
def sweep(
    dataset: DatasetPath,
    assignments: Annotated[
        list[str], typer.Option("--set", help="要试的值：节.名=值1,值2（可多次，取所有组合）")
    ],
    index: Index = None,
    config: Config = None,
    limit: Limit = None,
    seed: Seed = 7,
    out: Annotated[Path | None, typer.Option("--out", help="放表和图的目录")] = None,
    concurrency: Concurrency = 1,
    retrieval_only: RetrievalOnly = False,
    metric: Annotated[str | None, typer.Option("--metric", help="图中画哪个指标")] = None,
    as_json: AsJson = False,
) -> None:
    """用多组配置跑同一评测集，出消融表和图。"""
    from rag.evaluate.sweep import (
        parse_assignments,
        row_of,
        sweep_name,
        table,
        variants,
        write_sweep,
    )

    combinations = list(variants(parse_assignments(assignments)))
    for variant in combinations:  # all of them are checked before the first one runs
        _settings(config, variant.overrides)
    encoders: dict[str, Encoder] = {}
    rows = []
    identities = []
    for number, variant in enumerate(combinations, 1):
        typer.echo(f"[{number}/{len(combinations)}] {variant.label}", err=True)
        done = _run(
            dataset,
            variant.overrides,
            config=config,
            index=index,
            limit=limit,
            seed=seed,
            concurrency=concurrency,
            retrieval_only=retrieval_only,
            encoders=encoders,
        )
        rows.append(row_of(variant, done.directory, done.summary, done.operation))
        identities.append({"settings": dict(variant.settings), "run": done.directory.name})
    directory = out or _settings(config).eval.directory / sweep_name(dataset.stem, identities)
    chosen = metric or ("retrieval.document.ndcg@10" if retrieval_only else "outcome.correct")
    write_sweep(directory, rows, chosen)
    if as_json:
        _print_json({"sweep": str(directory), "rows": rows})
    else:
        typer.echo(table(rows))
        typer.echo(f"表和图：{directory}")


@app.command()
def report(run: Run) -> None:
    """把一次评测写成一个网页文件，打印它的路径。"""
    from rag.evaluate.report import write_report

    typer.echo(str(write_report(run).resolve()))


def _run(
    path: Path,
    overrides: dict[str, dict[str, Any]],
    *,
    config: Path | None,
    index: Path | None,
    limit: int | None,
    seed: int,
    concurrency: int,
    retrieval_only: bool,
    out: Path | None = None,
    judge: bool = False,
    encoders: "dict[str, Encoder] | None" = None,
) -> "Finished":
    from rag.evaluate.dataset import load

    settings = _settings(config, overrides)
    dataset = load(path)  # before anything heavy: a faulty data set is told at once
    from rag.assistant import encoder_of
    from rag.evaluate.plan import Plan
    from rag.evaluate.run import run
    from rag.progress import ProgressBar

    plan = Plan(
        dataset,
        settings,
        seed=seed,
        limit=limit,
        retrieval_only=retrieval_only,
        with_judge=judge,
        index=_index(settings, index),
    )
    opinion = None
    if judge:
        from rag.evaluate.judge import LlamaIndexJudge

        opinion = LlamaIndexJudge.from_settings(settings)
    with ProgressBar() as progress:
        key = settings.embed.model_dump_json()
        kept = {} if encoders is None else encoders
        if key not in kept:
            kept[key] = encoder_of(settings, progress.say)
        return run(
            plan,
            out=out,
            encoder=kept[key],
            concurrency=concurrency,
            progress=progress,
            judge=opinion,
        )


def _index(settings: "Settings", named: Path | None) -> Path | None:
    """A directory as it is, or a name beside the configured index."""
    if named is None or named.is_dir():
        return named
    beside = settings.index.directory.parent / named
    return beside if beside.is_dir() else named


def _settings(
    config: Path | None, overrides: dict[str, dict[str, Any]] | None = None
) -> "Settings":
    from rag.settings import Settings

    return Settings.load(config, overrides=overrides or {})


def _single(assignments: Mapping[str, list[str]]) -> Iterable[tuple[str, list[str]]]:
    for name, values in assignments.items():
        if len(values) != 1:
            raise typer.BadParameter(f"{name} 给了多个值；要试多组配置请用 rag eval sweep")
        yield name, values


def _print_json(value: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
