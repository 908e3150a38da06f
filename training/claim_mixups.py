"""Errors made of true parts: names, terms, subjects and clauses where they do not belong."""

import re
from random import Random

from training.claim_text import (
    Context,
    Name,
    clauses,
    has_class,
    is_balanced,
    names,
    read_sentence,
    words_between,
)
from training.claim_words import TERMS

_ALIAS = re.compile("称|名|即|字|号|（|\\(|译|原|缩写")


def _is_alias(passage: str, one: str, other: str) -> bool:
    """Whether the passage may use both for the same thing."""
    if one in other or other in one or len(set(one) & set(other)) * 2 > min(len(one), len(other)):
        return True
    first, second = sorted((passage.find(one), passage.find(other)))
    between = passage[first:second]
    return first >= 0 and len(between) < 24 and _ALIAS.search(between) is not None


def wrong_entity(text: str, context: Context, random: Random) -> str | None:
    """A name replaced by one of its kind: of the same passage if it has one, else of another."""
    found = [name for name in names(text) if text.count(name.text) == 1]
    if not found:
        return None
    name = random.choice(found)
    near = [
        other.text
        for sentence in context.sentences
        for other in names(sentence)
        if other.kind == name.kind
        and other.text not in text
        and not _is_alias(context.passage, name.text, other.text)
    ]
    far = [
        other
        for other in context.pool.get(name.kind, ())
        if other not in context.passage and not _is_alias("", name.text, other)
    ]
    candidates = near if near and random.random() < 0.7 else far
    if not candidates:
        return None
    return text[: name.start] + random.choice(candidates) + text[name.end :]


def wrong_term(text: str, context: Context, random: Random) -> str | None:
    """A drug, disease, department, symptom, … replaced by another of its kind."""
    matches = [
        (start, word) for word in TERMS if (start := text.find(word)) >= 0 and text.count(word) == 1
    ]
    if not matches:
        return None
    start, word = random.choice(matches)
    near = [other for other in TERMS[word] if other in context.passage and other not in text]
    far = [other for other in TERMS[word] if other not in context.passage and other not in word]
    candidates = near if near and random.random() < 0.5 else far
    if not candidates:
        return None
    return text[:start] + random.choice(candidates) + text[start + len(word) :]


_SYMMETRIC = re.compile(
    "互相|相互|之间|彼此|结婚|接壤|相邻|合作|共同|一起|并列|相同|一致|等于|联合|合并|对阵|毗邻"
)
_LISTED = re.compile("^[和与、及或跟同－\\-—/（(》的]*$")


def exchanged_roles(text: str, context: Context, random: Random) -> str | None:
    """Two names of a kind exchanged: 甲击败乙 becomes 乙击败甲."""
    if _SYMMETRIC.search(text):
        return None
    found = names(text)
    sentence = read_sentence(text)
    ways = []
    for index, first in enumerate(found):
        for second in found[index + 1 :]:
            between = text[first.end : second.start]
            if first.kind != second.kind or _is_alias(context.passage, first.text, second.text):
                continue
            if (
                _LISTED.match(between)
                or re.search("[和与、及或，]", between)
                or text.count(first.text) > 1
            ):
                continue
            if (
                has_class(words_between(sentence, first.end, second.start), "v")
                and text.count(second.text) == 1
            ):
                ways.append((first, second))
    if not ways:
        return None
    first, second = random.choice(ways)
    return (
        text[: first.start]
        + second.text
        + text[first.end : second.start]
        + first.text
        + text[second.end :]
    )


_ANAPHOR = re.compile("^(?:该|此|其|这|那|他|她|它|本|全|两|双方|同|另|以上|上述)")


def _subject_and_rest(text: str) -> tuple[str, str, tuple[Name, ...]] | None:
    end = 0
    for word in read_sentence(text).words:
        if (
            word.flag[:1] not in "n"
            and word.text not in ("的", "·")
            and word.flag not in ("eng", "j")
        ):
            break
        end = word.end
    subject, rest = text[:end], text[end:]
    if (
        not 2 <= end <= 16
        or len(rest) < 6
        or _ANAPHOR.match(subject)
        or rest[0] in "，、（和与及：的"
    ):
        return None
    words = read_sentence(rest).words
    if words[0].flag[:1] not in "vdp" or not is_balanced(subject):
        return None
    return subject, rest, names(subject)


def joined_halves(text: str, context: Context, random: Random) -> str | None:
    """The subject of this sentence with what the passage or another one says of something else."""
    mine = _subject_and_rest(text)
    if mine is None:
        return None
    from_passage = []
    for other in context.sentences:
        theirs = _subject_and_rest(other) if other != text else None
        # Both must be named, or 该公司 and its name would be taken for two things.
        if theirs and theirs[2] and mine[2] and not set(theirs[0]) & set(mine[0]):
            from_passage.append(mine[0] + theirs[1])
    from_others = [
        mine[0] + theirs[1]
        for other in context.other_sentences
        if (theirs := _subject_and_rest(other)) and theirs[1] not in context.passage
    ]
    candidates = from_passage if from_passage and random.random() < 0.8 else from_others
    return random.choice(candidates) if candidates else None


def _loose_clause(text: str, random: Random) -> str | None:
    found = [
        clause
        for clause in clauses(text)
        if 6 <= len(clause) <= 30
        and is_balanced(clause)
        and not re.search(
            "^(?:如|若|当|虽|因|由于|除|但|而|则|却|即|例如|对|在)|[时后前：:的]$", clause
        )
        and has_class(read_sentence(clause).words, "v")
        and has_class(read_sentence(clause).words, "nrm")
    ]
    return random.choice(found) if found else None


def invented_addition(text: str, context: Context, random: Random) -> str | None:
    """The sentence with a clause appended (or put in) that the passage does not hold."""
    if not context.other_sentences:
        return None
    clause = _loose_clause(random.choice(context.other_sentences), random)
    if clause is None or clause in context.passage:
        return None
    parts = clauses(text)
    if len(parts) > 2 and random.random() < 0.3:
        place = random.randrange(1, len(parts))
        return "，".join([*parts[:place], clause, *parts[place:]])
    return text + random.choice(("，", "，", "，并且", "，而且", "；", "，同时")) + clause


def from_elsewhere(_text: str, context: Context, random: Random) -> str | None:
    """A whole sentence of another passage."""
    return random.choice(context.other_sentences) if context.other_sentences else None
