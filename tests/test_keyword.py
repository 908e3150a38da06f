import numpy as np
import pytest

from rag.chinese import match_form, tokenize
from rag.errors import CorpusIndexError
from rag.retrieve.keyword import KeywordIndex

TEXTS = ["全國共有許多醫療機構部署了大模型", "英国审查基础模型的安全性", "DeepSeek-R1 的参数规模"]


@pytest.fixture
def index():
    return KeywordIndex([7, 3, 11], TEXTS)


def test_tokens_are_characters_pairs_and_whole_words():
    assert tokenize("服用DeepSeek-R1") == ["服", "用", "服用", "deepseek-r1", "deepseek", "r1"]
    assert tokenize("占3.5%") == ["占", "3.5"]
    assert tokenize("，。！") == []


def test_match_form_ignores_script_width_and_case():
    assert match_form("２０２５年，資料ＦＤＡ") == match_form("2025年,资料fda")


def test_traditional_document_is_found_by_a_simplified_question(index):
    scores = index.scores("多少医疗机构部署")
    assert index.ids[np.argmax(scores)] == 7
    assert scores[1] < scores[0]


def test_question_without_known_tokens_scores_zero(index):
    assert index.scores("龘").tolist() == [0, 0, 0]
    assert index.scores("？").tolist() == [0, 0, 0]


def test_document_share(index):
    assert index.document_share("模型") == pytest.approx(2 / 3)
    assert index.document_share("龘") == 0


def test_rows_lead_from_ids_to_scores(index):
    assert index.rows([11, 7]).tolist() == [2, 0]


def test_save_and_load_keep_scores(index, tmp_path):
    index.save(tmp_path)
    loaded = KeywordIndex.load(tmp_path)
    for question in ("医疗机构", "deepseek 参数", "安全"):
        assert loaded.scores(question) == pytest.approx(index.scores(question))
    assert loaded.ids.tolist() == [7, 3, 11]


def test_empty_index(tmp_path):
    KeywordIndex([], []).save(tmp_path)
    assert KeywordIndex.load(tmp_path).scores("问题").tolist() == []


def test_missing_files_are_one_clear_error(tmp_path):
    with pytest.raises(CorpusIndexError, match="rag index"):
        KeywordIndex.load(tmp_path / "nothing")
