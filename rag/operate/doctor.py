"""Is everything in place? One line a check, each with what to do when it is not.

A failed check stops answers or the chat; a warning does not. Nothing outside this machine is asked, but for
the language model's server where rag.toml names one.
"""

import errno
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag.answer import llm
from rag.answer.llm import OllamaStatus
from rag.assistant import encoder_of
from rag.errors import RagError
from rag.retrieve.embed import Encoder
from rag.retrieve.generation import Recipe, damaged_files, read_manifest, refuse_other_recipe
from rag.settings import Settings

_LEAST_DISK = 2 * 1024**3
# System prompt, question and chat template, in tokens, rounded up.
_PROMPT_OVERHEAD = 800


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """All checks, in the order in which things depend on each other; none raises."""
    yield _python()
    yield _disk(settings.index.directory)
    yield from _documents(settings)
    encoder: Encoder | None = None
    try:
        encoder = encoder_of(settings)
        yield Check("向量模型", Status.OK, f"{encoder.name}，{encoder.dimension} 维")
    except RagError as error:
        yield Check("向量模型", Status.FAILED, str(error))
    except OSError as error:
        reason = f"{settings.embed.model} 无法读取（{error.strerror}）"
        yield Check("向量模型", Status.FAILED, reason, "请检查 [embed] 的 model 与 cache")
    yield _index(settings, encoder)
    yield _language_model(settings)
    yield _port(settings.serve.host, settings.serve.port)
    yield _filing(settings)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] != (3, 11):
        return Check("Python", Status.WARNING, version, "本产品在 Python 3.11 上测试，请改用 3.11")
    return Check("Python", Status.OK, version)


def _disk(directory: Path) -> Check:
    place = next(p for p in (directory, *directory.absolute().parents) if _exists(p))
    free = shutil.disk_usage(place).free
    detail = f"索引所在磁盘剩余 {free / 1024**3:.1f} GiB"
    if free < _LEAST_DISK:
        return Check(
            "磁盘", Status.WARNING, detail, "请清理磁盘，或用 [index] directory 换到其他磁盘"
        )
    return Check("磁盘", Status.OK, detail)


def _documents(settings: Settings) -> Iterator[Check]:
    for path in settings.index.corpus:
        if _exists(path):
            yield Check("资料目录", Status.OK, str(path))
        else:
            yield Check(
                "资料目录", Status.WARNING, f"{path} 不存在", "请检查 [index] corpus 的路径"
            )


def _index(settings: Settings, encoder: Encoder | None) -> Check:
    directory = settings.index.directory
    try:
        manifest = read_manifest(directory)
        damaged = damaged_files(directory, manifest)
        if damaged:
            return Check(
                "索引",
                Status.FAILED,
                f"文件损坏：{'、'.join(damaged)}",
                f"请删除 {directory} 后运行 rag index",
            )
        if encoder is not None:
            recipe = Recipe.of(
                encoder,
                split_size=settings.split.size,
                split_overlap=settings.split.overlap,
                clean=settings.clean.enabled(),
            )
            refuse_other_recipe(directory, manifest["recipe"], recipe)
    except RagError as error:
        return Check("索引", Status.FAILED, str(error))
    except OSError as error:
        reason = f"{directory} 无法读取（{error.strerror}）"
        return Check("索引", Status.FAILED, reason, "请检查目录权限")
    count = len(manifest["documents"])
    detail = f"{directory}：{count} 个文档，{manifest['passages']} 个段落"
    if not count:
        return Check("索引", Status.WARNING, detail, "请把文档放进资料目录后运行 rag index")
    return Check("索引", Status.OK, detail)


def _language_model(settings: Settings) -> Check:
    name = "语言模型"
    choice = settings.answer.llm
    if choice == "extractive":
        return Check(name, Status.OK, "摘录式回答，不使用大模型")
    if choice == "openai":
        openai = settings.openai
        if not (openai.base_url and openai.model):
            return Check(
                name,
                Status.FAILED,
                "answer.llm 是 openai，但 [openai] 的 base_url 或 model 为空",
                "请在 rag.toml 填写",
            )
        return Check(name, Status.OK, f"{openai.model}（{openai.base_url}）")
    if choice == "llama_cpp":
        path = settings.llama_cpp.path
        if path is None or not _exists(path) or not path.is_file():
            return Check(name, Status.FAILED, f"找不到 GGUF 文件 {path}", "请检查 [llama_cpp] path")
        return Check(name, Status.OK, f"{path.name}（本进程 llama.cpp）")
    ollama = settings.ollama
    status = llm.probe_ollama(ollama.base_url, ollama.model, ollama.connect_timeout)
    if not (status.reachable and status.has_model):
        if choice == "auto":
            return Check(name, Status.WARNING, f"{status.error}（现在由摘录式回答代替）")
        return Check(name, Status.FAILED, status.error)
    return _window(settings, status)


def _window(settings: Settings, status: OllamaStatus) -> Check:
    """Ollama cuts a prompt that does not fit without a word: compare before it happens."""
    model = settings.ollama.model
    window = min(status.context or settings.ollama.max_context, settings.ollama.max_context)
    # A passage may reach 1.25 times its size; a Chinese character is at most about 1.5 tokens.
    passages = int(settings.retrieve.top_k * settings.split.size * 1.25 * 1.5)
    needed = _PROMPT_OVERHEAD + passages + settings.answer.max_tokens
    detail = (
        f"{model}（Ollama {status.version}），窗口 {window} 词元，提示与回答最多约 {needed} 词元"
    )
    if needed > window:
        return Check(
            "语言模型",
            Status.WARNING,
            detail,
            "段落会被截短；请调大 [ollama] max_context，或调小 [retrieve] top_k",
        )
    return Check("语言模型", Status.OK, detail)


def _port(host: str, port: int) -> Check:
    """Whether the chat could listen here, found by listening for a moment."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        if getattr(error, "errno", None) != errno.EADDRINUSE:
            reason = getattr(error, "strerror", None) or "主机名无效"
            return Check(
                "端口",
                Status.FAILED,
                f"不能在 {host}:{port} 监听（{reason}）",
                "请检查 [serve] 的 host 与 port",
            )
        return Check(
            "端口",
            Status.WARNING,
            f"{host}:{port} 已有程序在使用",
            "若不是已启动的医问，请用 rag serve --port 换一个端口",
        )
    return Check("端口", Status.OK, f"{host}:{port} 可用")


def _exists(path: Path) -> bool:
    """Like `Path.exists`, which raises where a name is too long or a folder closed to us."""
    try:
        return path.exists()
    except OSError:
        return False


def _filing(settings: Settings) -> Check:
    compliance = settings.compliance
    if compliance.audience == "public" and not (compliance.model_name and compliance.filing_number):
        return Check(
            "备案信息",
            Status.FAILED,
            "面向公众服务，但模型名称或备案号为空",
            "请在 [compliance] 填写 model_name 与 filing_number",
        )
    audience = {"staff": "仅院内人员使用", "public": "面向公众"}[compliance.audience]
    return Check("备案信息", Status.OK, audience)
