"""Does a sentence say the same words again and again? Small models fall into such loops.

每人每月10元，每人每月10元: nobody writes that on purpose. What the passages repeat as often
(a row of a table, a list of doses) may be repeated.
"""

import re
from collections.abc import Sequence

from rag.chinese import match_form

# Four characters or more, said again at once to the end of a clause; a mark may stand between.
_AT_ONCE = re.compile(
    r"(?P<words>[^\s,，、;；。:：]{4,60})[,，、;；。:：\s]{0,2}(?P=words)(?=[,，、;；。:：\s]|$)"
)
_CLAUSE = re.compile(r"[,，、;；。\s]+")
_HAN = re.compile("[\u4e00-\u9fff]")
# A clause of four characters may stand twice in a sentence, one of ten only once.
_SHORTEST, _LONG, _MOST = 4, 10, 2


def loop(statement: str, evidence: Sequence[str] = ()) -> str:
    """The words that a sentence says over and over and the evidence does not; "" when none."""
    form = match_form(statement)
    clauses = [clause for clause in _CLAUSE.split(form) if len(clause) >= _SHORTEST]
    repeated = [found["words"] for found in _AT_ONCE.finditer(form)]
    repeated += [c for c in clauses if clauses.count(c) > (1 if len(c) >= _LONG else _MOST)]
    texts = [match_form(text) for text in evidence]
    for words in repeated:
        is_held = any(text.count(words) >= form.count(words) for text in texts)
        if len(_HAN.findall(words)) > 1 and not is_held:
            return words
    return ""
