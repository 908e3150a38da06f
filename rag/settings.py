"""Settings: frozen values from rag.toml, then the environment, then arguments.

The environment variable of ``[section] name`` is ``RAG_SECTION_NAME`` (``RAG_OLLAMA_MODEL``).
`OLLAMA_HOST`, which Ollama's own tools read, sets ``[ollama] base_url`` unless
``RAG_OLLAMA_BASE_URL`` does. There is no settings object at module level.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import SettingsError

DEFAULT_FILE = "rag.toml"
_LISTS = ("corpus", "host_names")  # in the environment separated like PATH


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
    weight: float = Field(0.5, ge=0, le=1)


class AnswerSettings(_Section):
    """``answered`` and ``uncertain`` are probabilities that the documents hold the answer:
    below ``uncertain`` the answer is 资料中未找到, between the two it is marked uncertain."""

    llm: Literal["auto", "ollama", "openai", "llama_cpp", "extractive"] = "auto"
    answered: float = Field(0.5, ge=0, le=1)
    uncertain: float = Field(0.35, ge=0, le=1)
    max_question_characters: int = Field(2000, ge=10)
    max_tokens: int = Field(1024, ge=16)
    temperature: float = Field(0.0, ge=0, le=2)
    timeout: float = Field(300.0, gt=0)


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


class ComplianceSettings(_Section):
    """What the page shows of the model's filing (生成式人工智能服务备案)."""

    audience: Literal["staff", "public"] = "staff"
    model_name: str = ""
    filing_number: str = ""


class Settings(_Section):
    """All settings; every section may be left out of rag.toml."""

    index: IndexSettings = IndexSettings()
    clean: CleanSettings = CleanSettings()
    split: SplitSettings = SplitSettings()
    embed: EmbedSettings = EmbedSettings()
    retrieve: RetrieveSettings = RetrieveSettings()
    answer: AnswerSettings = AnswerSettings()
    ollama: OllamaSettings = OllamaSettings()
    openai: OpenAISettings = OpenAISettings()
    llama_cpp: LlamaCppSettings = LlamaCppSettings()
    serve: ServeSettings = ServeSettings()
    compliance: ComplianceSettings = ComplianceSettings()

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
        values: dict[str, dict[str, Any]] = {}
        if path is not None or Path(DEFAULT_FILE).is_file():
            values = _read(path or Path(DEFAULT_FILE))
        environment = os.environ if environment is None else environment
        _merge(values, _from_environment(environment))
        _merge(values, overrides or {})
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_explain(error, path or Path(DEFAULT_FILE))) from error


def _read(path: Path) -> dict[str, dict[str, Any]]:
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
                    [part for part in value.split(os.pathsep) if part]
                    if name in _LISTS
                    else value
                )
    return values


def _ollama_url(host: str) -> str:
    """OLLAMA_HOST as Ollama reads it: scheme and port may be missing, 0.0.0.0 means here."""
    url = host if "://" in host else f"http://{host}"
    scheme, rest = url.split("://", 1)
    rest = rest.rstrip("/").replace("0.0.0.0", "127.0.0.1", 1)  # noqa: S104  an address to call
    if ":" not in rest and scheme == "http":
        rest += ":11434"
    return f"{scheme}://{rest}"


def _merge(into: dict[str, dict[str, Any]], other: Mapping[str, Mapping[str, Any]]) -> None:
    for section, entries in other.items():
        target = into.setdefault(section, {})
        target.update({name: value for name, value in entries.items() if value is not None})


def _explain(error: ValidationError, path: Path) -> str:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    name = f"[{where[0]}] {'.'.join(where[1:])}" if len(where) > 1 else f"[{where[0]}]"
    if first["type"] == "extra_forbidden":
        return f"配置项 {name} 不认识。请对照 {path} 的说明检查拼写"
    return f"配置项 {name} 的值 {first.get('input')!r} 不可用（{first['msg']}）。请在 {path} 中改正"
