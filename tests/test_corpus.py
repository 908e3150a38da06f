"""The shipped documents, and the two question sets.

`article_questions.jsonl` asks about the article in shared/seed and is for reporting only: nothing
may be tuned on it. `development_questions.jsonl` asks about corpus/ and is what thresholds are set
on. In both, `answers` are variants of which one suffices, in simplified script; `evidence` is a
short fragment that stands once in the text, in the sentence that answers.

The article is repaired here by hand, apart from `rag.ingest.clean`, so that the questions do not
rest on the code they measure.
"""

import json
import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from rag.chinese import match_form, to_simplified
from rag.sentences import sentence_spans

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "corpus"
DATA = ROOT / "tests" / "data"
SEED = ROOT.parent / "shared" / "seed"

DOCUMENTS = sorted(CORPUS.glob("*.md"))
ARTICLE_SET = "article_questions.jsonl"
DEVELOPMENT_SET = "development_questions.jsonl"
QUESTION_SETS = (ARTICLE_SET, DEVELOPMENT_SET)

KINDS = {
    "fact",
    "date",
    "number",
    "list",
    "definition",
    "colloquial",
    "traditional",
    "false_premise",
    "near_miss",
    "off_topic",
}

# Names of documents that cannot be said in other words.
OFFICIAL_TITLES = (
    "互联网信息服务算法推荐管理规定",
    "互联网信息服务深度合成管理规定",
    "卫生健康行业人工智能应用场景参考指引",
)
RUN = 16

# Every fact of the article, as (document, pattern); a line of the document must match.
FACTS = (
    ("large-model-concepts.md", r"没有人工标注的海量数据.*下游任务"),
    ("large-model-concepts.md", r"百亿个以上.*一千亿个"),
    ("large-model-concepts.md", r"分布式计算.*高性能计算机"),
    ("large-model-concepts.md", r"图像分类、识别语音、处理自然语言.*不必有人插手"),
    ("large-model-concepts.md", r"换任务时不用重新学习"),
    ("large-model-concepts.md", r"没有见过的数据.*预测和推断"),
    ("large-model-concepts.md", r"换一种硬件或换一个平台.*其他技术、其他算法"),
    ("large-model-concepts.md", r"大语言模型.*多模态大模型和具身智能"),
    ("large-model-concepts.md", r"生产力.*国家竞争力"),
    ("domestic-industry.md", r"全球第一梯队.*多模态数据.*推理的效率.*理解和生成"),
    ("domestic-industry.md", r"DeepSeek-R1 与 DeepSeek-V3.*竞争格局.*前三名"),
    ("domestic-industry.md", r"本地部署.*一键"),
    ("domestic-industry.md", r"2024年12月31日.*国家网信办.*302款.*238款是2024年"),
    ("domestic-industry.md", r"医疗健康数据的存储、处理和分析.*本地"),
    ("domestic-industry.md", r"由训练移向推理.*万卡集群和十万卡集群"),
    ("domestic-industry.md", r"可信数据空间和高质量数据集.*数据要素"),
    ("hospital-deployment.md", r"“井喷”"),
    ("hospital-deployment.md", r"不同规模的版本.*重要窗口"),
    ("hospital-deployment.md", r"新华社.*2025年4月初.*700余家"),
    ("hospital-deployment.md", r"三甲医院.*往基层下沉"),
    ("hospital-deployment.md", r"疑难杂症.*6710亿.*混合专家架构"),
    ("three-medical-coordination.md", r"专病决策.*治疗方案.*医疗文书"),
    ("three-medical-coordination.md", r"临床决策支持系统只给出判断结果.*逐轮回应.*治疗方案"),
    ("three-medical-coordination.md", r"分布不均.*数字化转型.*分级诊疗"),
    ("three-medical-coordination.md", r"病历数据、医保的报销数据、临床路径的数据.*政策规则"),
    ("three-medical-coordination.md", r"选出合适的临床路径"),
    ("three-medical-coordination.md", r"个性化的治疗方案"),
    ("three-medical-coordination.md", r"准确算出应付的金额"),
    ("three-medical-coordination.md", r"不合理增长得到控制.*协同优化"),
    ("three-medical-coordination.md", r"临床试验数据、标准指南和医疗文书.*学术推广"),
    ("three-medical-coordination.md", r"多个来源的数据.*数字人.*药品的价值.*更规范、更普及"),
    ("international-policy.md", r"国际组织是首要的推动者"),
    ("international-policy.md", r"2023年5月，美国参议院.*听证会.*（AIGC）"),
    ("international-policy.md", r"2023年5月，英国着手审查基础模型.*安全、可靠"),
    ("international-policy.md", r"欧洲议会在2024年3月.*人的控制.*“高风险”.*风险管理系统.*技术文件"),
    ("international-policy.md", r"《人工智能法案》也是医疗领域.*法律保障"),
    ("international-policy.md", r"FDA.*《人工智能医疗设备监管框架》.*安全、有效"),
    ("international-policy.md", r"NHS.*《人工智能战略规划》.*重点应用领域"),
    ("international-policy.md", r"加拿大.*《人工智能医疗技术发展报告》.*患者的权益"),
    ("domestic-policy-timeline.md", r"算法推荐管理规定》.*2022年3月.*舆论属性.*社会动员能力"),
    ("domestic-policy-timeline.md", r"深度合成管理规定》.*2022年11月.*源头上治理"),
    ("domestic-policy-timeline.md", r"2024年3月，国家网信办.*显著的地方或者产品详情页.*备案号"),
    ("domestic-policy-timeline.md", r"2024年11月，国家卫生健康委.*四大场景.*13个类目.*84个"),
    ("domestic-policy-timeline.md", r"2025年3月的政府工作报告.*“人工智能\+”行动"),
    ("domestic-policy-timeline.md", r"2025年3月，国家药监局综合司.*“揭榜挂帅”.*注册"),
    (
        "domestic-policy-timeline.md",
        r"2025年4月，七个部门.*工业和信息化部.*2025年至2030年.*医药产业链",
    ),
)


def front_matter(path: Path) -> tuple[dict[str, str], str]:
    """The fields between the two lines of dashes, and the text behind them."""
    match = re.match(r"---\n(.*?)\n---\n", path.read_text(encoding="utf-8"), re.S)
    assert match is not None, f"{path.name} has no front matter"
    fields = dict(line.split(": ", 1) for line in match[1].splitlines())
    return fields, path.read_text(encoding="utf-8")[match.end() :]


def questions(name: str) -> list[dict[str, Any]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@lru_cache(maxsize=1)
def article() -> str:
    """The article, repaired and in matching form."""
    files = sorted(SEED.glob("*.txt")) if SEED.is_dir() else []
    if not files:
        pytest.skip("the article is not part of the repository, and shared/seed is not here")
    text = files[0].read_text(encoding="utf-8")
    for damaged, whole in (("?qū)ξ匆娺^", "對未見過"), ("?!痹偃?", "。”再如")):
        assert text.count(damaged) == 1
        text = text.replace(damaged, whole)
    # (AIGC) and (FDA) are real brackets: a gloss is in lower case.
    text = re.sub(r"(?<=[一-鿿])\([a-zà-ǿ]+\)", "", text)
    return match_form(text)


def sentence_with(text: str, evidence: str) -> str:
    """The one sentence of a text in matching form that holds a piece of evidence."""
    evidence = match_form(evidence)
    sentences = [text[a:b] for a, b in sentence_spans(text) if evidence in text[a:b]]
    assert len(sentences) == 1, f"{evidence} stands in {len(sentences)} sentences"
    assert text.count(evidence) == 1, f"{evidence} stands {text.count(evidence)} times"
    return sentences[0]


def runs(text: str) -> set[str]:
    """All runs of 16 characters, punctuation left out."""
    bare = re.sub(r"[^一-鿿0-9A-Za-z]", "", text)
    return {bare[i : i + RUN] for i in range(len(bare) - RUN + 1)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_document_says_what_it_is(path: Path) -> None:
    fields, body = front_matter(path)
    assert set(fields) == {"title", "source", "date", "collection"}
    assert all(value.strip() for value in fields.values())
    assert date.fromisoformat(fields["date"]).isoformat() == fields["date"]
    headings = re.findall(r"^# (.+)$", body, re.M)
    assert headings == [fields["title"]]


def test_the_readme_lists_every_document_with_its_title_and_collection() -> None:
    rows = re.findall(
        r"^\| `(.+?)` \| (.+?) \| (.+?) \|$",
        (CORPUS / "README.md").read_text(encoding="utf-8"),
        re.M,
    )
    expected = []
    for path in DOCUMENTS:
        if path.name != "README.md":
            fields, _ = front_matter(path)
            expected.append((path.name, fields["title"], fields["collection"]))
    assert sorted(rows) == expected
    assert len(expected) == 9


@pytest.mark.parametrize(("name", "pattern"), FACTS)
def test_the_corpus_carries_the_fact(name: str, pattern: str) -> None:
    _, body = front_matter(CORPUS / name)
    assert any(re.search(pattern, line) for line in body.splitlines())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_dose(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"\d\s*(毫克|微克|毫升|克|片|粒|mg|μg|ml|mL|IU)", text) is None


@pytest.mark.parametrize("name", QUESTION_SETS)
def test_question_sets_keep_their_schema_and_size(name: str) -> None:
    rows = questions(name)
    fields = {"id", "question", "answers", "evidence", "answerable", "kind"}
    if name == DEVELOPMENT_SET:
        fields.add("document")
    for row in rows:
        assert set(row) == fields
        assert row["kind"] in KINDS
        assert row["question"].strip() == row["question"] != ""
        if row["answerable"]:
            assert row["answers"]
            assert 8 <= len(row["evidence"]) < RUN
            assert all(answer == to_simplified(answer) for answer in row["answers"])
        else:
            assert (row["answers"], row["evidence"]) == ([], "")
            assert row["kind"] in {"near_miss", "off_topic", "traditional", "false_premise"}
        assert (row["kind"] == "traditional") == (row["question"] != to_simplified(row["question"]))
    assert sum(row["answerable"] for row in rows) == 40
    assert sum(not row["answerable"] for row in rows) == 20
    assert sum(row["kind"] == "traditional" for row in rows) >= 5


def test_ids_and_questions_are_unique_across_both_sets() -> None:
    rows = [row for name in QUESTION_SETS for row in questions(name)]
    assert len({row["id"] for row in rows}) == len(rows) == 120
    assert len({match_form(row["question"]) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "row", [row for row in questions(ARTICLE_SET) if row["answerable"]], ids=lambda row: row["id"]
)
def test_the_article_answers_the_question_where_it_says(row: dict[str, Any]) -> None:
    sentence = sentence_with(article(), row["evidence"])
    assert any(match_form(answer) in sentence for answer in row["answers"])


@pytest.mark.parametrize(
    "row",
    [row for row in questions(DEVELOPMENT_SET) if row["answerable"]],
    ids=lambda row: row["id"],
)
def test_the_corpus_answers_the_question_where_it_says(row: dict[str, Any]) -> None:
    _, body = front_matter(CORPUS / row["document"])
    sentence = sentence_with(match_form(body), row["evidence"])
    assert any(match_form(answer) in sentence for answer in row["answers"])


def test_development_questions_ask_about_every_document() -> None:
    asked = {row["document"] for row in questions(DEVELOPMENT_SET) if row["answerable"]}
    assert asked == {path.name for path in DOCUMENTS} - {"README.md"}


@pytest.mark.parametrize(
    "path",
    [*DOCUMENTS, *(DATA / name for name in QUESTION_SETS)],
    ids=lambda path: path.name,
)
def test_nothing_of_the_article_stands_word_for_word(path: Path) -> None:
    shared = runs(match_form(path.read_text(encoding="utf-8"))) & runs(article())
    assert {run for run in shared if not any(run in title for title in OFFICIAL_TITLES)} == set()


def test_the_comparison_with_the_article_can_fail() -> None:
    taken = article()[400:460]
    assert runs(taken)
    assert runs(taken) <= runs(article())
