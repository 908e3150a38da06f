"""Does a sentence say the same words again and again? Small models fall into such loops.

每人每月10元，每人每月10元: whatever the passages say, nobody wrote that sentence on purpose.
"""

import re

from rag.chinese import match_form

# Four characters or more, said again at once; a mark may stand between.
_AT_ONCE = re.compile(r"(?P<words>[^\s,，、;；。:：]{4,60})[,，、;；。:：\s]{0,2}(?P=words)")
_CLAUSE = re.compile(r"[,，、;；。:：\s]+")
# A clause of four characters may stand twice in a sentence, one of ten only once.
_SHORTEST, _LONG, _MOST = 4, 10, 2


def loop(statement: str) -> str:
    """The words that a sentence says over and over; "" when it does not."""
    form = match_form(statement)
    at_once = _AT_ONCE.search(form)
    if at_once:
        return at_once["words"]
    clauses = [clause for clause in _CLAUSE.split(form) if len(clause) >= _SHORTEST]
    return next((c for c in clauses if clauses.count(c) > (1 if len(c) >= _LONG else _MOST)), "")
