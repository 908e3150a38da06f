"""A second opinion from the configured local model, through LlamaIndex's evaluators.

Never part of the deterministic metrics: it stands under ``judge``, with how far the two agree. A
language model judging answers prefers its own style and errs on numbers; use it to find questions
worth reading, not to decide.

- correctness: 1 to 5 beside the references (`CorrectnessEvaluator`), right from 4.
- faithfulness: do the cited passages support the answer (`FaithfulnessEvaluator`)?
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag.answer.llm import LanguageModel, Message
from rag.errors import LanguageModelError, SettingsError
from rag.evaluate.questions import Question
from rag.evaluate.score import OUTCOME, is_refused, plain_text
from rag.language import LanguageModelSource
from rag.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

RIGHT_FROM = 4.0
_MAX_TOKENS = 256
_CORRECTNESS = """你是问答系统的评审。请对照参考答案，给“系统回答”打分，只看内容是否正确完整，不看文风和长短。
5 分：与参考答案一致；4 分：正确，缺少次要内容；3 分：部分正确；2 分：大部分错误；1 分：错误或答非所问。
数字、剂量、日期与参考答案不同，不得高于 2 分。
第一行只写分数，第二行用一句话写理由。

问题：{query}
参考答案：{reference_answer}
系统回答：{generated_answer}
"""
_FAITHFULNESS = """请判断下面的“说法”能否完全由“资料”得出。不要使用资料以外的知识。
能则回答 YES，不能则回答 NO，不要写别的。

资料：{context_str}

说法：{query_str}
回答："""
_REFINE = """请判断“说法”能否由资料得出。此前的判断是：{existing_answer}
如果下面的补充资料能支持该说法，回答 YES；否则照抄此前的判断。不要写别的。

补充资料：{context_msg}

说法：{query_str}
回答："""
_SCORE = re.compile(r"(?<![\d.])([1-5](?:\.\d+)?)(?![\d.])")


class LlamaIndexJudge:
    """Asks the model about one answer at a time.

    Args:
        model: who judges; it may be the one that answered, which makes the opinion kinder.
    """

    def __init__(self, model: LanguageModel) -> None:
        from llama_index.core.evaluation import CorrectnessEvaluator, FaithfulnessEvaluator
        from llama_index.core.prompts import PromptTemplate

        self._name = model.name
        llm = _as_llama_index(model)
        self._correctness = CorrectnessEvaluator(
            llm,
            eval_template=PromptTemplate(_CORRECTNESS),
            score_threshold=RIGHT_FROM,
            parser_function=read_score,
        )
        # The templates as objects: given as text, the evaluator falls back on its English ones.
        self._faithfulness = FaithfulnessEvaluator(
            llm,
            eval_template=PromptTemplate(_FAITHFULNESS),
            refine_template=PromptTemplate(_REFINE),
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "LlamaIndexJudge":
        """The model that the settings name.

        Raises:
            SettingsError: they name none, or Ollama does not answer.
        """
        source = LanguageModelSource(settings)
        model = source.current()
        if model is None:
            raise SettingsError(
                "没有可作评审的语言模型。请启动 Ollama，或在 [answer] llm 选择 ollama、openai 或 llama_cpp"
            )
        return cls(model)

    def __call__(self, question: Question, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The opinion; a refusal is not judged, and a judge that failed says so."""
        if is_refused(answer):
            return {}
        text = plain_text(answer)
        opinion: dict[str, Any] = {"model": self._name}
        try:
            if question.answers or question.key_facts:
                reference = " / ".join(question.answers) or "；".join(question.key_facts)
                judged = self._correctness.evaluate(
                    query=question.text, response=text, reference=reference
                )
                opinion["correctness"] = judged.score
                opinion["feedback"] = judged.feedback
            quotes = [citation["quote"] for citation in answer["citations"]]
            if quotes:
                judged = self._faithfulness.evaluate(response=text, contexts=quotes)
                opinion["faithful"] = bool(judged.passing)
        except LanguageModelError as error:
            opinion["error"] = str(error)
        return opinion


def read_score(reply: str) -> tuple[float | None, str | None]:
    """The first number from 1 to 5 of a reply, and what stands behind it."""
    found = _SCORE.search(reply)
    if found is None:
        return None, reply.strip()
    return min(float(found[1]), 5.0), reply[found.end() :].strip(" 分。\n") or None


def agreement(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The judge's means, and how often it agrees with ``outcome.correct`` at 0.5.

    ``kappa`` is Cohen's (1960), 0 for agreement by chance; None where one of the two never varies.
    """
    scores = [r["judge"]["correctness"] for r in rows if r["judge"].get("correctness") is not None]
    faithful = [r["judge"]["faithful"] for r in rows if "faithful" in r["judge"]]
    pairs = [
        (r["judge"]["correctness"] >= RIGHT_FROM, r["metrics"][OUTCOME] >= 0.5)
        for r in rows
        if r["judge"].get("correctness") is not None and OUTCOME in r["metrics"]
    ]
    return {
        "model": rows[0]["judge"].get("model"),
        "judged": len(rows),
        "failed": sum("error" in row["judge"] for row in rows),
        "correctness": _mean(scores),
        "faithful": _mean(faithful),
        "agreement": _mean([float(first == second) for first, second in pairs]),
        "kappa": _kappa(pairs),
        "compared": len(pairs),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None


def _kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    if not pairs:
        return None
    total = len(pairs)
    observed = sum(first == second for first, second in pairs) / total
    first, second = (sum(pair[side] for pair in pairs) / total for side in (0, 1))
    expected = first * second + (1 - first) * (1 - second)
    return None if expected == 1 else round((observed - expected) / (1 - expected), 6)


def _as_llama_index(model: LanguageModel) -> "LLM":
    """A `LanguageModel` in the dress that LlamaIndex's evaluators ask for."""
    from llama_index.core.base.llms.types import (
        CompletionResponse,
        CompletionResponseGen,
        LLMMetadata,
    )
    from llama_index.core.llms import CustomLLM

    class Judge(CustomLLM):
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(
                context_window=model.context, num_output=_MAX_TOKENS, model_name=model.name
            )

        def complete(
            self,
            prompt: str,
            formatted: bool = False,  # noqa: ARG002, FBT001, FBT002, RUF100  the library's signature
            **kwargs: Any,  # noqa: ARG002
        ) -> CompletionResponse:
            deltas = model.stream(
                [Message("user", prompt)], max_tokens=_MAX_TOKENS, temperature=0.0
            )
            text = ""
            for delta in deltas:
                text = ("" if delta.reset else text) + delta.text
            return CompletionResponse(text=text)

        def stream_complete(
            self,
            prompt: str,
            formatted: bool = False,  # noqa: FBT001, FBT002, RUF100
            **kwargs: Any,
        ) -> CompletionResponseGen:
            yield self.complete(prompt, formatted, **kwargs)

    return Judge()
