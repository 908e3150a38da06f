import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentence_spans


def sentences(text):
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("先洗手。再戴手套！好了吗？", ["先洗手。", "再戴手套！", "好了吗？"]),
        ("护士说：“请稍等。”随后离开。", ["护士说：“请稍等。”", "随后离开。"]),
        ("（详见附录。）下一步。", ["（详见附录。）", "下一步。"]),
        ("一是筛查；二是随访。", ["一是筛查；", "二是随访。"]),
        ("等待……然后复查", ["等待……", "然后复查"]),
        ("真的吗？！”是的", ["真的吗？！”", "是的"]),
        ("每次3.5mg，每日2.0次。", ["每次3.5mg，每日2.0次。"]),
        ("1. 测体温\n2. 量血压", ["1. 测体温", "2. 量血压"]),
        ("2.1 适应证。见下。", ["2.1 适应证。", "见下。"]),
        ("抗凝药 e.g. 华法林。", ["抗凝药 e.g. 华法林。"]),
        ("See Fig. 2 for it. Next one.", ["See Fig. 2 for it.", "Next one."]),
        ("收缩压120.患者平稳。", ["收缩压120.", "患者平稳。"]),
        ("体温&lt;37度。", ["体温&lt;37度。"]),
        ("等等...后来好转", ["等等...", "后来好转"]),
        ("标题\n\n正文。", ["标题", "正文。"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_where_sentences_end(text, expected):
    assert sentences(text) == expected


mixed = st.text(alphabet="患者血压。！？；，、…“”（）\"').!?;: \n\t\u30001aB3e.g", max_size=120)


@given(mixed)
def test_spans_are_in_order_and_hold_every_visible_character(text):
    spans = sentence_spans(text)
    previous = 0
    for start, end in spans:
        assert previous <= start < end
        assert text[previous:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        previous = end
    assert text[previous:].strip() == ""


@given(mixed)
def test_no_sentence_crosses_a_line_break(text):
    assert all("\n" not in sentence for sentence in sentences(text))


@given(st.lists(st.sampled_from(["血压平稳", "用药3.5mg", "见表（二）", "他说“好”"]), min_size=1))
def test_sentences_put_together_come_apart_again(parts):
    assert sentences("".join(part + "。" for part in parts)) == [part + "。" for part in parts]
