"""Data sets of every layout, and every fault with its file and line."""

import gzip
import json

import pytest
from evaluation_sets import write_lines, write_set
from openpyxl import Workbook

from rag.evaluate.dataset import load
from rag.evaluate.faults import DatasetError

QUESTION = {
    "id": "q1",
    "question": "几年？",
    "answers": ["三年"],
    "positive_ids": ["d1"],
    "answerable": True,
    "type": "number",
}
DOCUMENT = {"id": "d1", "title": "处方", "text": "处方保存三年。", "source": "test"}


def pair(folder, questions, documents=(DOCUMENT,)):
    write_lines(folder / "corpus.jsonl", documents)
    write_lines(folder / "questions.jsonl", questions)
    return folder


def fault(path):
    with pytest.raises(DatasetError) as caught:
        load(path)
    return str(caught.value)


def test_our_schema_plain_or_gzipped(tmp_path):
    plain = load(write_set(tmp_path / "set"))
    assert plain.name == "set"
    assert len(plain.questions) == 10
    assert [text.id for text in plain.texts] == ["d1", "d2", "d3", "d4"]
    assert plain.questions[7].is_answerable is False
    for name in ("corpus.jsonl", "questions.jsonl"):
        path = tmp_path / "set" / name
        (tmp_path / "set" / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = load(tmp_path / "set")
    assert packed.questions == plain.questions
    assert packed.texts == plain.texts


def test_optional_fields(tmp_path):
    more = QUESTION | {
        "evidence": ["处方保存三年"],
        "key_facts": ["三年|3年"],
        "abilities": ["noise"],
    }
    (question,) = load(pair(tmp_path, [more])).questions
    assert question.evidence == ("处方保存三年",)
    assert question.key_facts == ("三年|3年",)
    assert question.abilities == ("noise",)


def test_a_title_may_be_empty_and_a_line_separator_stands_inside_a_string(tmp_path):
    document = DOCUMENT | {"title": "", "text": "处方保存\u2028三年。"}
    assert load(pair(tmp_path, [QUESTION], [document])).texts[0].text == "处方保存\u2028三年。"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": None}, "字段 answers 应是文字的列表"),
        ({"answers": "三年"}, "字段 answers 应是文字的列表"),
        ({"question": " "}, "字段 question 应是不为空的文字"),
        ({"answerable": "yes"}, "字段 answerable 应是 true 或 false"),
        ({"positive_ids": ["d9"]}, "指向不存在的文档 'd9'"),
        ({"id": "q0"}, "编号 'q0' 与第 1 行重复"),
        ({"abilities": ["flying"]}, "abilities 中的 'flying' 不认识"),
        ({"answers": [], "positive_ids": []}, "标为可回答，但"),
    ],
)
def test_a_bad_question_is_told_with_file_and_line(tmp_path, change, message):
    text = fault(pair(tmp_path, [QUESTION | {"id": "q0"}, QUESTION | change]))
    assert text.startswith(f"{tmp_path / 'questions.jsonl'} 第 2 行：")
    assert message in text


@pytest.mark.parametrize("field", ["id", "question", "answers", "positive_ids", "answerable"])
def test_a_missing_field_is_named(tmp_path, field):
    row = {name: value for name, value in QUESTION.items() if name != field}
    assert f"第 1 行：缺少字段 {field}。" in fault(pair(tmp_path, [row]))


def test_a_document_that_appears_twice(tmp_path):
    text = fault(pair(tmp_path, [QUESTION], [DOCUMENT, DOCUMENT]))
    assert text.startswith(f"{tmp_path / 'corpus.jsonl'} 第 2 行：编号 'd1' 与第 1 行重复")


def test_mixed_encodings_are_told_with_the_line(tmp_path):
    lines = [json.dumps(QUESTION | {"id": f"q{n}"}, ensure_ascii=False) for n in range(3)]
    pair(tmp_path, [])
    (tmp_path / "questions.jsonl").write_bytes(
        b"\n".join([lines[0].encode(), lines[1].encode("gb18030"), lines[2].encode()])
    )
    assert "questions.jsonl 第 2 行：不是 UTF-8" in fault(tmp_path)


def test_json_that_is_none(tmp_path):
    pair(tmp_path, [QUESTION])
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write('{"id": "q2",\n')
    assert "第 2 行：不是有效的 JSON" in fault(tmp_path)


def test_a_damaged_archive(tmp_path):
    pair(tmp_path, [QUESTION])
    (tmp_path / "corpus.jsonl").unlink()
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(b'{"id": "d1"}')[:-4])
    assert "corpus.jsonl.gz：无法读取" in fault(tmp_path)


def test_nothing_to_ask(tmp_path):
    assert "没有问题" in fault(pair(tmp_path, []))
    assert "评测集不存在" in fault(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    assert "目录里没有可用的评测集" in fault(tmp_path / "empty")
    (tmp_path / "notes.docx").write_bytes(b"")
    assert "不认识的文件类型" in fault(tmp_path / "notes.docx")


def beir(folder, judgements):
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": "", "text": f"文档{name}"} for name in ("1", "2")]
    write_lines(folder / "corpus.jsonl", corpus)
    queries = [{"_id": name, "text": f"问题{name}"} for name in ("a", "b")]
    write_lines(folder / "queries.jsonl", queries)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judgements}")
    return folder


def test_a_beir_folder(tmp_path):
    dataset = load(beir(tmp_path / "beir", "a\t1\t1\na\t2\t0\n"))
    (question,) = dataset.questions  # b is not judged
    assert (question.id, question.text, question.positives) == ("a", "问题a", frozenset({"1"}))
    assert len(dataset.texts) == 2


@pytest.mark.parametrize(
    ("judgements", "message"),
    [
        ("a\t1\n", "test.tsv 第 2 行：应是以制表符分隔的三列"),
        ("c\t1\t1\n", "没有的问题 'c'"),
        ("a\t7\t1\n", "不存在的文档 '7'"),
    ],
)
def test_bad_judgements(tmp_path, judgements, message):
    assert message in fault(beir(tmp_path / "beir", judgements))


def squad(*questions, context="处方保存三年。"):
    return {
        "version": "1",
        "data": [
            {"title": "处方", "paragraphs": [{"id": "P1", "context": context, "qas": questions}]}
        ],
    }


def write_json(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def test_squad_json(tmp_path):
    answers = [{"text": "三年", "answer_start": 4}, {"text": "三年", "answer_start": 4}]
    content = squad(
        {"id": "q1", "question": "几年？", "answers": answers, "evidences": ["处方保存三年"]},
        {"id": "q2", "question": "谁？", "answers": [], "is_impossible": True},
    )
    dataset = load(write_json(tmp_path / "dev.json", content))
    first, second = dataset.questions
    assert first.answers == ("三年",)
    assert first.positives == {"P1"}
    assert first.evidence == ("处方保存三年",)
    assert second.is_answerable is False
    assert dataset.texts[0].title == "处方"


def test_the_layout_of_cmrc_itself(tmp_path):
    content = [
        {
            "context_id": "C1",
            "context_text": "处方保存三年。",
            "title": "处方",
            "qas": [{"query_id": "q1", "query_text": "几年？", "answers": ["三年", "三年"]}],
        }
    ]
    (question,) = load(write_json(tmp_path / "cmrc.json", content)).questions
    assert (question.text, question.answers) == ("几年？", ("三年",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (squad({"id": "q1", "answers": []}), "缺少字段 'question'"),
        (squad(*[{"id": "q1", "question": "几年？", "answers": []}] * 2), "问题编号 'q1' 重复"),
        ({"data": "x"}, "不是 SQuAD 或 CMRC2018 的结构"),
        ({"rows": []}, "缺少字段 'data'"),
    ],
)
def test_bad_squad_json(tmp_path, content, message):
    assert message in fault(write_json(tmp_path / "dev.json", content))


TABLE = "编号,问题,参考答案,关键词,可回答\n一,几年？,三年,三年；处方,\n二,火星？,,,否\n三,谁？,,病案室,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_table(tmp_path, encoding):
    path = tmp_path / "题.csv"
    path.write_bytes(TABLE.encode(encoding))
    first, second, third = load(path).questions
    assert (first.id, first.answers, first.key_facts) == ("一", ("三年",), ("三年", "处方"))
    assert second.is_answerable is False
    assert (third.is_answerable, third.answers) == (True, ())
    assert load(path).has_documents is False


def test_an_excel_table_of_the_three_columns(tmp_path):
    book = Workbook()
    for row in (
        ("问题", "参考答案", "关键词"),
        ("几年？", 3, None),
        (None, None, None),
        ("谁？", None, None),
    ):
        book.active.append(row)
    book.save(tmp_path / "题.xlsx")
    first, second = load(tmp_path / "题.xlsx").questions
    assert (first.id, first.answers) == ("第2行", ("3",))
    assert (second.id, second.is_answerable) == ("第4行", False)


def test_a_cell_with_line_breaks_keeps_the_rows_number(tmp_path):
    path = tmp_path / "题.csv"
    path.write_text('问题,关键词\n"第一\n行？",甲\n,乙\n', encoding="utf-8")
    assert fault(path).startswith(f"{path} 第 4 行：“问题”一格是空的")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("题目,答案\n几年？,三年\n".encode(), "第 1 行：第一行没有列名“问题”"),
        ("问题,可回答\n几年？,也许\n".encode(), "第 2 行：“可回答”是 '也许'"),
        ("编号,问题\n一,几年？\n一,谁？\n".encode(), "编号 '一' 与第 2 行重复"),
        ("问题\n几年？\n".encode() + "谁负责？\n".encode("gb18030"), "第 3 行：有 1 行不是 UTF-8"),
        (b"\xce\xca\xcc\xe2\n\xff\xff\n", "第 2 行：既不是 UTF-8 也不是 GB18030"),
    ],
)
def test_a_bad_table(tmp_path, content, message):
    path = tmp_path / "题.csv"
    path.write_bytes(content)
    assert message in fault(path)


def test_a_file_that_is_no_excel(tmp_path):
    (tmp_path / "题.xlsx").write_bytes(b"nothing")
    assert "不是有效的 Excel 文件" in fault(tmp_path / "题.xlsx")


POINTER = 'name = "own"\ndocuments = ["../papers"]\nquestions = "questions.jsonl"\n'


def test_a_set_that_points_at_documents(tmp_path):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "处方.md").write_text("处方保存三年。", encoding="utf-8")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "dataset.toml").write_text(POINTER, encoding="utf-8")
    write_lines(folder / "questions.jsonl", [QUESTION | {"positive_ids": ["papers/处方.md"]}])
    dataset = load(folder)
    assert dataset.name == "own"
    assert dataset.documents == (tmp_path / "papers",)
    before = dataset.corpus_sha256
    (tmp_path / "papers" / "处方.md").write_text("处方保存五年。", encoding="utf-8")
    assert load(folder).corpus_sha256 != before


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("name = ", "不是有效的 TOML"),
        ('name = "x"\n', "缺少 documents"),
        (POINTER, "不存在"),
    ],
)
def test_a_bad_pointer(tmp_path, pointer, message):
    (tmp_path / "dataset.toml").write_text(pointer, encoding="utf-8")
    write_lines(tmp_path / "questions.jsonl", [QUESTION])
    text = fault(tmp_path)
    assert "dataset.toml" in text
    assert message in text
