"""Finding words in a person's own conversations.

`keep` stores the match form (one script, width and case) of each title and turn, `sought` reads
one person's texts one after another. So a word of two characters is found as well as one of
twenty, nothing of anybody else is read, and nothing is left behind by what is deleted: a trigram
index finds no two-character word, and SQLite's full-text index keeps deleted words in its
segments (before 3.42 always). 20,000 turns of one person take about a tenth of a second.
"""

from sqlite3 import Connection

from rag.chinese import match_form
from rag.sentences import sentence_spans
from rag.types import Answer

TITLE = 0  # the number of a title among the texts of its conversation
_EXCERPT_LENGTH = 80
_MOST_WORDS = 8


def encodable(text: str) -> str:
    """The text with half characters (lone surrogates), which UTF-8 cannot hold, replaced."""
    return text.encode("utf-8", "replace").decode()


def words_of(query: str) -> list[str]:
    """What is sought: the words between spaces, in match form, at most eight."""
    return match_form(encodable(query)).split()[:_MOST_WORDS]


def keep(connection: Connection, person: str, conversation: str, number: int, text: str) -> None:
    """Make a title or turn findable; replaces what stood there."""
    connection.execute(
        "INSERT OR REPLACE INTO texts (person, conversation, number, text) VALUES (?, ?, ?, ?)",
        (person, conversation, number, match_form(encodable(text))),
    )


def of_answer(answer: Answer) -> str:
    """What of a turn is sought: the question and the answer, never a model's thinking."""
    return f"{answer.question}\n{answer.text}"


def sought(connection: Connection, person: str, words: list[str]) -> dict[str, int]:
    """Conversations of a person that hold every word: id → number of the first text with the
    first word."""
    places: list[dict[str, int]] = [
        dict(
            connection.execute(
                "SELECT conversation, min(number) FROM texts"
                " WHERE person = ? AND instr(text, ?) GROUP BY conversation",
                (person, word),
            ).fetchall()
        )
        for word in words
    ]
    first, *others = places
    return {name: number for name, number in first.items() if all(name in o for o in others)}


def excerpt(text: str, word: str) -> str:
    """The sentence of a text, as it was written, whose match form holds the word."""
    for start, end in sentence_spans(text):
        sentence = text[start:end].strip()
        place = match_form(sentence).find(word)
        if place >= 0:
            # Lengths change little in match form: near enough for a window.
            first = max(0, place - _EXCERPT_LENGTH // 2)
            last = first + _EXCERPT_LENGTH
            before, after = "…" if first else "", "…" if last < len(sentence) else ""
            return f"{before}{sentence[first:last]}{after}"
    return text[:_EXCERPT_LENGTH]
