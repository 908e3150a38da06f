"""How texts meet: one script, one width, one case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chinese import match_form, to_simplified, tokenize


def test_traditional_becomes_simplified_and_nothing_else_changes():
    assert to_simplified("麻醉藥品須雙人雙鎖保管，ＡＢ１") == "麻醉药品须双人双锁保管，ＡＢ１"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("２０２５年，資料", "2025年,资料"),
        ("ＤｅｅｐＳｅｅｋ", "deepseek"),
        ("①號樓", "1号楼"),
        ("㎎", "mg"),
        ("頭髮", "头发"),
        ("發熱門診", "发热门诊"),
        ("", ""),
    ],
)
def test_texts_that_a_reader_calls_the_same_meet(one, other):
    assert match_form(one) == match_form(other)


@given(st.text("麻醉藥品須雙人管理药须双 ＡＢｃd１2.％%/、①㎎"))
def test_tokens_do_not_depend_on_script_width_or_case(text):
    assert tokenize(match_form(text)) == tokenize(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("服用", ["服", "用", "服用"]),
        ("药", ["药"]),
        ("服用DeepSeek-R1", ["服", "用", "服用", "deepseek-r1", "deepseek", "r1"]),
        ("合格率96.5%", ["合", "格", "率", "合格", "格率", "96.5"]),
        ("2025-03-01", ["2025-03-01", "2025", "03", "01"]),
        ("120/80", ["120/80", "120", "80"]),
        ("1.5", ["1.5"]),
        ("血压，心率", ["血", "压", "血压", "心", "率", "心率"]),
        ("snake_case", ["snake", "case"]),
        ("𠮷野家", ["𠮷", "野", "家", "𠮷野", "野家"]),
        ("，。！？ \n😀", []),
    ],
)
def test_tokens(text, tokens):
    assert tokenize(text) == tokens


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_every_han_character_is_a_token_and_no_token_is_empty(text):
    tokens = tokenize(text)
    assert all(tokens)
    assert set(match_form(text)) & set("药品一二三") <= set(tokens)
