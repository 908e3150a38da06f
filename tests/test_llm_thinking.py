"""Inline thinking: whatever the chunk borders, the same text comes out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rag.answer.thinking import ThinkingSplitter


def split(chunks: list[str], opened: bool = False) -> tuple[str, str]:
    splitter = ThinkingSplitter(opened=opened)
    text = thinking = ""
    pieces = [piece for chunk in chunks for piece in splitter.feed(chunk)]
    for piece in pieces + splitter.finish():
        if piece.reset:
            text, thinking = "", thinking + text
        text += piece.text
        thinking += piece.thinking
    return text, thinking


def test_thinking_then_answer() -> None:
    assert split(["<think>\n先想。\n</think>\n\n答案。"]) == ("答案。", "\n先想。\n")


def test_no_thinking_at_all() -> None:
    assert split(["5 < 7，", "a <b"]) == ("5 < 7，a <b", "")


def test_end_of_text_that_looks_like_a_tag_is_not_lost() -> None:
    assert split(["收缩压 <th"]) == ("收缩压 <th", "")


def test_unclosed_thinking_is_never_an_answer() -> None:
    assert split(["<think>想", "着想着"]) == ("", "想着想着")


def test_closing_tag_alone_takes_the_text_back() -> None:
    assert split(["想着。", "</think>答案。"]) == ("答案。", "想着。")


def test_template_that_opened_the_thinking() -> None:
    assert split(["想着。</think>答案。"], opened=True) == ("答案。", "想着。")
    assert split(["<think>想着。</think>答案。"], opened=True) == ("答案。", "想着。")
    assert split(["<think>想着。"], opened=True) == ("", "想着。")


def test_wrong_guess_gives_the_text_back() -> None:
    assert split(["没有思考，", "只有答案。"], opened=True)[0] == "没有思考，只有答案。"


def test_server_with_a_field_of_its_own_ends_the_guess() -> None:
    splitter = ThinkingSplitter(opened=True)
    splitter.thinks_elsewhere()
    assert [piece.text for piece in splitter.feed("答案。")] == ["答案。"]


PARTS = st.lists(
    st.sampled_from(
        ["<think>", "</think>", "<thinking>", "</thinking>", "<", "药", " ", "\n", "a>"]
    )
)


@given(PARTS, st.lists(st.integers(0, 80)), st.booleans())
def test_chunk_borders_do_not_matter(parts: list[str], cuts: list[int], opened: bool) -> None:
    text = "".join(parts)
    borders = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    chunks = [text[start:end] for start, end in pairwise(borders)]
    assert split(chunks, opened) == split([text], opened)


@given(PARTS)
def test_no_tag_reaches_a_person(parts: list[str]) -> None:
    text, _ = split(["".join(parts)])
    assert "<think" not in text
    assert "</think" not in text
