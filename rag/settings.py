"""Settings: frozen values from rag.toml, then the environment, then arguments.

The environment variable of ``[section] name`` is ``RAG_SECTION_NAME`` (``RAG_OLLAMA_MODEL``).
`OLLAMA_HOST`, which Ollama's own tools read, sets ``[ollama] base_url`` unless
``RAG_OLLAMA_BASE_URL`` does. There is no settings object at module level.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import SettingsError

DEFAULT_FILE = "rag.toml"
# What is wrong with a value, by pydantic's error type.
_REASONS = {
    "greater_than": "须大于 {gt:g}",
    "greater_than_equal": "须不小于 {ge:g}",
    "less_than_equal": "须不大于 {le:g}",
    "literal_error": "只能是 {expected}",
    "int_type": "须是整数",
    "int_parsing": "须是整数",
    "int_from_float": "须是整数",
    "float_type": "须是数字",
    "float_parsing": "须是数字",
    "bool_type": "须是 true 或 false",
    "bool_parsing": "须是 true 或 false",
    "string_type": "须是带引号的文字",
    "string_too_short": "须不少于 {min_length} 个字符",
    "path_type": "须是带引号的路径",
    "tuple_type": '须是列表，例如 ["corpus"]',
    "model_type": "须是一节，例如 [serve]",
}
_LISTS = ("corpus", "host_names", "keys", "minimum")  # in the environment separated like PATH


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IndexSettings(_Section):
    """Where documents come from and where the index goes."""

    directory: Path = Path("indexes/default")
    corpus: tuple[Path, ...] = (Path("corpus"),)
    lock_timeout: float = Field(60.0, ge=0)
    max_file_megabytes: float = Field(100.0, gt=0)
    ocr: bool = True


class CleanSettings(_Section):
    """One switch a cleaning step."""

    control_characters: bool = True
    byte_shift: bool = True
    pinyin_glosses: bool = True
    punctuation: bool = True
    boilerplate: bool = True

    def enabled(self) -> tuple[str, ...]:
        """The names of the steps that run."""
        return tuple(name for name, wanted in self.model_dump().items() if wanted)


class SplitSettings(_Section):
    """Sizes in characters."""

    size: int = Field(240, ge=40, le=2000)
    overlap: int = Field(40, ge=0, le=400)


class EmbedSettings(_Section):
    """``model``: the embedded default, a folder, or a name in the local model cache."""

    model: str = "multilingual-e5-small"
    backend: Literal["auto", "onnx", "torch"] = "auto"
    threads: int = Field(0, ge=0)
    batch_size: int = Field(16, ge=1)
    cache: Path | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None


class RetrieveSettings(_Section):
    """``weight`` is the dense share of the fused score."""

    mode: Literal["hybrid", "dense", "keyword"] = "hybrid"
    top_k: int = Field(6, ge=1, le=50)
    candidates: int = Field(50, ge=1, le=1000)
    weight: float = Field(0.45, ge=0, le=1)


class AnswerSettings(_Section):
    """``answered`` and ``uncertain`` are probabilities that the documents hold the answer:
    below ``uncertain`` the answer is 资料中未找到, between the two it is marked uncertain. Where
    ``uncertain`` is not given it is chosen so that the share ``false_answers`` of the unanswerable
    development questions is not refused."""

    llm: Literal["auto", "ollama", "openai", "llama_cpp", "extractive"] = "auto"
    answered: float = Field(0.6, ge=0, le=1)
    uncertain: float | None = Field(None, ge=0, le=1)
    false_answers: float = Field(0.1, gt=0, lt=1)
    max_question_characters: int = Field(2000, ge=10)
    max_tokens: int = Field(1024, ge=16)
    temperature: float = Field(0.0, ge=0, le=2)
    timeout: float = Field(300.0, gt=0)


class EvidenceSettings(_Section):
    """What becomes of sentences that the passages do not support.

    ``strict`` removes them, otherwise they are marked; ``regenerate`` asks the model once more
    first. ``support`` is the probability under which the reader's no counts; it is low because the
    reader, trained on near copies, doubts most true sentences in other words (docs/evidence.md).
    """

    strict: bool = True
    regenerate: bool = True
    support: float = Field(0.13, ge=0, le=1)


class ReaderSettings(_Section):
    """The reader: ``candidates`` passages are read for a question; ``weight`` is the share of
    its relevance in a passage's score."""

    enabled: bool = True
    candidates: int = Field(12, ge=1, le=100)
    weight: float = Field(0.3, ge=0, le=1)


class OllamaSettings(_Section):
    base_url: str = "http://127.0.0.1:11434"
    model: str = "qwen3:8b"
    keep_alive: str = "30m"
    max_context: int = Field(16384, ge=1024)
    thinking: bool | None = None
    connect_timeout: float = Field(2.0, gt=0)


class OpenAISettings(_Section):
    """Any OpenAI-compatible server: vLLM, SGLang, llama.cpp."""

    base_url: str = ""
    model: str = ""
    api_key: str = "not-needed"
    context: int = Field(8192, ge=1024)


class LlamaCppSettings(_Section):
    """A local GGUF, run in this process."""

    path: Path | None = None
    context: int = Field(8192, ge=512)
    threads: int = Field(0, ge=0)


class ServeSettings(_Section):
    """``host_names``: further names or addresses, without port, under which browsers reach the
    page when ``host`` is not 127.0.0.1; requests for any other name are refused."""

    host: str = "127.0.0.1"
    port: int = Field(7860, ge=1, le=65535)
    concurrency: int = Field(4, ge=1)
    queue: int = Field(32, ge=1)
    host_names: tuple[str, ...] = ()


class ConversationSettings(_Section):
    """Where conversations and feedback are kept, how many days after their last question (0: for
    ever; feedback is a record and stays), and the font of exported PDFs (None: a system font)."""

    directory: Path = Path("data/conversations")
    keep_days: int = Field(0, ge=0)
    font: Path | None = None


class ApiSettings(_Section):
    """``keys``: once there are any, a program must send one as its Bearer token; without, only
    programs on this machine may ask. Each has at least 16 characters."""

    keys: tuple[Annotated[str, Field(min_length=16)], ...] = ()


class LibrarySettings(_Section):
    """Where documents go that are uploaded in the browser; a folder in it is a collection. Their
    size is bounded by ``[index] max_file_megabytes``."""

    directory: Path = Path("data/library")


class ComplianceSettings(_Section):
    """What the page shows of the model's filing (生成式人工智能服务备案)."""

    audience: Literal["staff", "public"] = "staff"
    model_name: str = ""
    filing_number: str = ""


class EvalSettings(_Section):
    """Where runs and their indexes are kept, and what `rag eval gate` asks of a run
    ("answer.f1>=0.80")."""

    directory: Path = Path("runs")
    minimum: tuple[str, ...] = ()


class Settings(_Section):
    """All settings; every section may be left out of rag.toml."""

    index: IndexSettings = IndexSettings()
    clean: CleanSettings = CleanSettings()
    split: SplitSettings = SplitSettings()
    embed: EmbedSettings = EmbedSettings()
    retrieve: RetrieveSettings = RetrieveSettings()
    answer: AnswerSettings = AnswerSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    reader: ReaderSettings = ReaderSettings()
    ollama: OllamaSettings = OllamaSettings()
    openai: OpenAISettings = OpenAISettings()
    llama_cpp: LlamaCppSettings = LlamaCppSettings()
    serve: ServeSettings = ServeSettings()
    api: ApiSettings = ApiSettings()
    conversations: ConversationSettings = ConversationSettings()
    library: LibrarySettings = LibrarySettings()
    compliance: ComplianceSettings = ComplianceSettings()
    eval: EvalSettings = EvalSettings()

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> "Settings":
        """Read ``path`` (``rag.toml`` of the working folder when None and there is one).

        ``overrides`` are arguments, by section and name; they win over the environment, which
        wins over the file.

        Raises:
            SettingsError: the file is missing, not TOML, or holds an unknown or bad value.
        """
        values: dict[str, Any] = {}
        if path is not None or Path(DEFAULT_FILE).is_file():
            values = _read(path or Path(DEFAULT_FILE))
        environment = os.environ if environment is None else environment
        _merge(values, _from_environment(environment))
        _merge(values, overrides or {})
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_explain(error, path or Path(DEFAULT_FILE), environment)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise SettingsError(f"配置文件 {path} 不存在。请检查 --config 的路径") from error
    except OSError as error:
        raise SettingsError(f"配置文件 {path} 无法读取（{error.strerror}）。请检查权限") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"配置文件 {path} 不是有效的 TOML（{error}）。请按提示的行改正"
        ) from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    host = environment.get("OLLAMA_HOST", "").strip()
    if host:
        values["ollama"] = {"base_url": _ollama_url(host)}
    for section, field in Settings.model_fields.items():
        for name in field.annotation.model_fields:  # type: ignore[union-attr]
            value = environment.get(f"RAG_{section}_{name}".upper())
            if value is not None:
                values.setdefault(section, {})[name] = (
                    [part for part in value.split(os.pathsep) if part] if name in _LISTS else value
                )
    return values


def _ollama_url(host: str) -> str:
    """OLLAMA_HOST as Ollama's own client reads it: host, port and scheme may be missing.

    The port is 11434, or the scheme's own where a scheme is given; an address to listen on
    (0.0.0.0) means this machine.
    """
    scheme, _, rest = host.rpartition("://")
    if rest.count(":") > 1 and "[" not in rest:  # an IPv6 address without port
        rest = f"[{rest}]"
    try:
        parts = urlsplit(f"//{rest}")
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(
            f"环境变量 OLLAMA_HOST 的值 {host!r} 不是地址。请改为 主机:端口，例如 127.0.0.1:11434"
        ) from error
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104
    if ":" in name:
        name = f"[{name}]"
    if port is None and not scheme:
        port = 11434
    return f"{scheme or 'http'}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _merge(into: dict[str, Any], other: Mapping[str, Mapping[str, Any]]) -> None:
    for section, entries in other.items():
        target = into.setdefault(section, {})
        if isinstance(target, dict):  # what is no section is refused when it is validated
            target.update({name: value for name, value in entries.items() if value is not None})


def _explain(error: ValidationError, path: Path, environment: Mapping[str, str]) -> str:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    name = f"[{where[0]}] {'.'.join(where[1:])}" if len(where) > 1 else f"[{where[0]}]"
    if first["type"] == "extra_forbidden":
        return f"配置项 {name} 不认识。请对照 {path} 的说明检查拼写"
    reason = _REASONS.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
    variable = f"RAG_{'_'.join(where[:2])}".upper()
    place = f"环境变量 {variable}" if variable in environment else path
    value = "" if where[0] == "api" else f" {first['input']!r} "  # a key is not for the log
    return f"配置项 {name} 的值{value}不可用（{reason}）。请在 {place} 中改正"
