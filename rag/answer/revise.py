"""One more turn with the model: the sentences that the passages do not support, and why."""

import re
from collections.abc import Sequence

from rag.answer.llm import Message

WITHDRAWN = "删除"
_NUMBERED = re.compile(
    r"^\s*(?:第?(\d{1,2})\s*(?:[.、．:：)）]|句[:：]?)|[(（](\d{1,2})[)）])\s*(.*)$"
)


def revision(
    messages: Sequence[Message], answer: str, faulty: Sequence[tuple[str, Sequence[str]]]
) -> tuple[Message, ...]:
    """The chat that led to ``answer``, with the ``faulty`` sentences and their reasons named."""
    lines = [
        f"{number}. {sentence}（问题：{'；'.join(reasons)}）"
        for number, (sentence, reasons) in enumerate(faulty, start=1)
    ]
    request = (
        "核对发现，你的回答里下面这些句子没有得到资料支持：\n"
        + "\n".join(lines)
        + "\n\n请按同样的编号逐句改写，每句一行，只写资料里有的内容，数字与资料完全一致，"
        f"句末标出资料编号，例如 [1]；资料不支持的句子只写“{WITHDRAWN}”。不要写其他内容。"
    )
    return (*messages, Message("assistant", answer), Message("user", request))


def revised(text: str, count: int) -> tuple[str, ...]:
    """The ``count`` sentences of a model's reply, "" for those it withdrew or left out.

    A reply without numbers to a single sentence is that sentence.
    """
    found: dict[int, list[str]] = {}
    current = 1 if count == 1 else 0
    for line in text.splitlines():
        match = _NUMBERED.match(line)
        number = int(match[1] or match[2]) if match else 0
        if match and 1 <= number <= count:
            current = number
            line = match[3]
        if current:
            found.setdefault(current, []).append(line.strip())
    sentences = (" ".join(filter(None, found.get(n, []))) for n in range(1, count + 1))
    return tuple("" if _is_withdrawn(sentence) else sentence for sentence in sentences)


def _is_withdrawn(sentence: str) -> bool:
    bare = re.sub(r"[\W_\d]", "", sentence)
    return bare == "" or bare.startswith(WITHDRAWN)
