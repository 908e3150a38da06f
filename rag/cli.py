"""The command line. Heavy imports stand inside the commands, so that --help is instant.

Exit codes: 0 done; 1 something could not be done; 2 wrong usage, configuration or question;
3 embedding model; 4 index; 5 language model; 6 serving; 130 interrupted.
"""

import io
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import RagError
from rag.evaluate_cli import app as evaluate_app

if TYPE_CHECKING:
    from rag.indexer import IndexReport
    from rag.settings import Settings
    from rag.types import Answer
    from ui.api_ask import Exchange

app = typer.Typer(
    help="医问：对本院文档的中文问答，回答附出处，数据不出院。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(evaluate_app, name="eval")
Config = Annotated[
    Path | None, typer.Option("--config", help="配置文件，默认为当前目录的 rag.toml")
]
Directory = Annotated[Path | None, typer.Option("--index", help="索引目录，默认取自配置")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON，供脚本使用")]
_STATES = {"answered": "已回答", "uncertain": "不确定", "not_found": "资料中未找到"}
_INTERRUPTED = 130
_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


@app.command("index")
def index_command(
    paths: Annotated[list[Path] | None, typer.Argument(help="要加入的文件或目录")] = None,
    remove: Annotated[
        list[Path] | None, typer.Option("--remove", help="不再索引此文件或目录（可多次）")
    ] = None,
    index: Directory = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """建立或更新索引：只处理有变化的文件；不给路径时更新已登记的全部文件。"""
    settings = _settings(config, index)
    report = _update_index(settings, paths or [], remove or [], is_default=index is None)
    if as_json:
        from rag.wire import report_to_json

        _print_json(report_to_json(report))
    else:
        _print_report(report, settings.index.directory)
    if report.failures:
        raise typer.Exit(1)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="问题")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="问题文件：每行一个 JSON 对象，含 question 字段")
    ] = None,
    index: Directory = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """回答一个问题，或文件里的每个问题（每行输出一个回答）。"""
    questions: list[dict[str, Any]]
    if file is not None and question is None:
        questions = list(_questions(file))
    elif question is not None and file is None:
        questions = [{"question": question}]
    else:
        raise typer.BadParameter("请给出一个问题，或用 --file 给出问题文件")
    settings = _settings(config, index)
    from rag.assistant import Assistant
    from rag.wire import answer_to_json

    assistant = Assistant.from_settings(settings)
    failed = False
    for entry in questions:
        extra = {key: value for key, value in entry.items() if key == "id"}
        try:
            answer = assistant.ask(entry["question"])
        except RagError as error:
            if file is None:
                raise
            failed = True
            if as_json:
                bad = {**extra, "question": entry["question"], "error": str(error)}
                _print_json(bad, line=True)
            else:
                typer.echo(f"问：{entry['question']}\n错误：{error}\n")
            continue
        if as_json:
            _print_json({**extra, **answer_to_json(answer)}, line=file is not None)
        else:
            if file is not None:
                typer.echo(f"问：{entry['question']}")
            _print_answer(answer)
    if failed:
        raise typer.Exit(1)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="要查的内容")],
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, max=50, help="段落数")] = None,
    index: Directory = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """只检索段落，不生成回答。"""
    settings = _settings(config, index)
    from rag.assistant import Assistant
    from rag.wire import hit_to_json

    hits = Assistant.from_settings(settings).search(question, top_k=top_k)
    if as_json:
        _print_json({"question": question, "hits": [hit_to_json(hit) for hit in hits]})
        return
    if not hits:
        typer.echo("没有相关的段落。")
    for number, hit in enumerate(hits, 1):
        passage = hit.passage
        page = f" 第 {passage.page} 页" if passage.page else ""
        typer.echo(f"{number}. {hit.title}{page}（{passage.document}，{hit.score:.3f}）")
        typer.echo(f"   {passage.text}\n")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host", help="监听地址")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="端口")] = None,
    update: Annotated[
        bool, typer.Option("--update-index/--no-update-index", help="启动前先更新索引")
    ] = False,
    index: Directory = None,
    config: Config = None,
) -> None:
    """启动网页问答。"""
    overrides = {"serve": {"host": host, "port": port}}
    settings = _settings(config, index, overrides)
    _refuse_public_without_filing(settings)
    if update:
        report = _update_index(settings, [], [], is_default=index is None)
        _print_report(report, settings.index.directory)
    with _status("加载模型与索引"):
        from rag.assistant import Assistant, encoder_of
        from rag.library.library import Library

        encoder = encoder_of(settings)
        assistant = Assistant.from_settings(settings, encoder=encoder)
        # Uploads belong to the index that rag.toml names, whatever other one is looked at.
        library = (
            Library.from_settings(settings, encoder=encoder, index=lambda: assistant.index)
            if index is None
            else None
        )
    with _status("启动网页"):
        from ui.app import serve as serve_page
        from ui.chat_desk import Abilities, ComplianceNotice
    compliance = settings.compliance

    from rag.answer.follow_up import Turn
    from rag.conversations.feedback import settings_digest
    from rag.conversations.kept import Origin

    def follow_up(history: "Sequence[Exchange]", question: str) -> str:
        turns = [Turn(exchange.question, exchange.answer) for exchange in history]
        return assistant.stand_alone(turns, question).text

    digest = settings_digest(settings)
    serve_page(
        assistant,
        settings.serve.host,
        settings.serve.port,
        host_names=settings.serve.host_names,
        concurrency=settings.serve.concurrency,
        queue=settings.serve.queue,
        max_question_characters=settings.answer.max_question_characters,
        compliance=ComplianceNotice(compliance.model_name, compliance.filing_number),
        api_keys=settings.api.keys,
        follow_up=follow_up,
        abilities=Abilities(
            stand_alone=assistant.stand_alone,
            follow_ups=assistant.follow_ups,
            collections=lambda: assistant.collections,
            origin=lambda: Origin(digest, assistant.index.generation),
            digest=lambda: assistant.model_digest,
        ),
        library=library,
        data=settings.conversations.directory,
        keep_days=settings.conversations.keep_days,
        font=settings.conversations.font,
        on_ready=lambda url: typer.echo(f"医问已启动：{url}（按 Ctrl+C 停止）"),
    )


@app.command()
def doctor(config: Config = None, index: Directory = None, as_json: AsJson = False) -> None:
    """检查安装、模型、索引与配置是否就绪。"""
    settings = _settings(config, index)
    from rag.operate.doctor import Status, examine

    checks = []
    for check in examine(settings):
        checks.append(check)
        if not as_json:
            remedy = f"。{check.remedy}" if check.remedy else ""
            typer.echo(f"{_MARKS[check.status.value]} {check.name}：{check.detail}{remedy}")
    if as_json:
        _print_json(
            {
                "checks": [
                    {
                        "name": c.name,
                        "status": c.status.value,
                        "detail": c.detail,
                        "remedy": c.remedy,
                    }
                    for c in checks
                ]
            }
        )
    if any(check.status is Status.FAILED for check in checks):
        raise typer.Exit(1)


def main() -> None:
    """The entry point: expected errors become one line and an exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character (✓ in GBK) must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except RagError as error:
        typer.echo(f"错误：{error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as exit_:
        if exit_.code == _INTERRUPTED:  # typer's way of passing on Ctrl+C
            typer.echo("已中断；已处理的内容不会丢失。", err=True)
        raise
    except BrokenPipeError:  # the reader of our output has gone
        sys.exit(1)


def _settings(
    config: Path | None, index: Path | None, overrides: dict[str, dict[str, Any]] | None = None
) -> "Settings":
    from rag.settings import Settings

    merged = {"index": {"directory": index}, **(overrides or {})}
    return Settings.load(config, overrides=merged)


def _update_index(
    settings: "Settings", paths: list[Path], remove: list[Path], *, is_default: bool
) -> "IndexReport":
    """Update an index; the one that rag.toml names also holds rag.toml's own documents."""
    from rag.assistant import encoder_of
    from rag.library.indexing import indexer_of, roots_of
    from rag.progress import ProgressBar

    with ProgressBar() as progress:
        encoder = encoder_of(settings, progress.say)
        indexer = indexer_of(settings, encoder, progress)
        if is_default or not (paths or indexer.has_roots()):
            paths = [*paths, *roots_of(settings)]
        report = indexer.update(paths, remove=remove)
    configured = (*settings.index.corpus, settings.library.directory) if is_default else ()
    listed = {path.resolve() for path in configured}
    again = tuple(
        f"{path} 写在 rag.toml 的 [index] corpus 或 [library] directory 中，下次更新会再加入。"
        "若不再需要，请也从配置里删去"
        for path in remove
        if path.resolve() in listed
    )
    return replace(report, notices=report.notices + again)


def _questions(file: Path) -> Iterator[dict[str, Any]]:
    from rag.errors import QuestionError

    try:
        # Not splitlines(): JSON may hold other line separators (U+2028) inside a string.
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(
            f"问题文件 {file} 无法读取（{error}）。请检查路径，文件须为 UTF-8"
        ) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise QuestionError(
                f"{file} 第 {number} 行不是有效的 JSON（{error}）。请改正后重试"
            ) from error
        if not isinstance(entry, dict) or not isinstance(entry.get("question"), str):
            raise QuestionError(
                f'{file} 第 {number} 行缺少 question 字段。请改为 {{"question": "…"}}'
            )
        yield entry


def _refuse_public_without_filing(settings: "Settings") -> None:
    from rag.errors import SettingsError

    compliance = settings.compliance
    if compliance.audience == "public" and not (compliance.model_name and compliance.filing_number):
        raise SettingsError(
            "面向公众服务须公示模型名称与备案号。请在 rag.toml 的 [compliance] 填写 model_name 与 filing_number"
        )


def _status(text: str) -> Any:
    from rag.progress import status

    return status(text)


def _print_json(value: dict[str, Any], *, line: bool = False) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=None if line else 2))
    sys.stdout.flush()


def _print_answer(answer: "Answer") -> None:
    typer.echo(f"【{_STATES[answer.state.value]}】{answer.text}\n")
    for citation in answer.citations:
        page = f" 第 {citation.page} 页" if citation.page else ""
        date = f"，{citation.date}" if citation.date else ""
        typer.echo(
            f"[{citation.mark}] {citation.title}{page}（{citation.document}{date}）：{citation.quote}"
        )
    for notice in answer.notices:
        typer.echo(f"提示：{notice}")
    seconds = answer.timings["total"]
    typer.echo(f"—— {answer.model}，{seconds:.1f} 秒。内容由人工智能生成，须由医师确认。")


def _print_report(report: "IndexReport", directory: Path) -> None:
    for failure in report.failures:
        typer.echo(f"未能索引 {failure}", err=True)
    for notice in report.notices:
        typer.echo(f"提示：{notice}", err=True)
    changes = [
        f"{name} {count}"
        for name, count in (
            ("新增", len(report.added)),
            ("更新", len(report.updated)),
            ("移除", len(report.removed)),
            ("未变", report.unchanged),
            ("失败", len(report.failures)),
        )
        if count
    ]
    typer.echo(
        f"索引 {directory}：{report.documents} 个文档，{report.passages} 个段落"
        f"（{'，'.join(changes) or '没有文档'}），用时 {report.seconds:.1f} 秒"
    )


if __name__ == "__main__":
    main()
