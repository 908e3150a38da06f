"""Answers from what the reader read: the sentence around a span, and what joins it."""

from dataclasses import replace

from rag.answer.extract import Candidate
from rag.answer.spans import candidates, choose, combine, focus_text
from rag.offsets import OffsetMap
from rag.sentences import sentence_spans
from rag.types import Block, BlockKind, Document, Hit, Passage, Reading, Span

FEATURES = "该模型有三个特征。一是规模大；二是自动化程度高；三是通用性强。其余从略。"
HOURS = "发热门诊全天开放。就诊须出示医保卡。食堂在一楼。"


def document(name, text, blocks=()):
    return Document(name, name, text, text, OffsetMap.identity(len(text)), blocks)


DOCUMENTS = {"特征": document("特征", FEATURES), "门诊": document("门诊", HOURS)}


def hit(name, *words, answerable=5.0, documents=DOCUMENTS):
    """The whole document as one hit in which the reader found ``words``, the best first."""
    text = documents[name].text
    spans = tuple(
        Span(text.index(word), text.index(word) + len(word), 0.9 - 0.3 * number)
        for number, word in enumerate(words)
    )
    passage = Passage(name, 0, len(text), text)
    return Hit(passage, name, 1.0, reading=Reading(2.0, answerable, spans))


def found(question, *hits, documents=DOCUMENTS):
    return candidates(question, hits, documents.__getitem__)


def test_the_sentence_around_the_best_span_comes_first_and_names_the_words_that_answer():
    best, second = found("发热门诊几点开？", hit("门诊", "全天", "医保卡"))
    assert (best.text, focus_text(best)) == ("发热门诊全天开放。", "全天")
    assert HOURS[best.start : best.end] == best.text
    assert second.text == "就诊须出示医保卡。"
    assert best.score > second.score


def test_a_span_across_two_sentences_takes_both():
    (best,) = found("怎么就诊？", hit("门诊", "开放。就诊须"))
    assert best.text == "发热门诊全天开放。就诊须出示医保卡。"


def test_a_passage_that_hardly_answers_scores_below_one_that_does():
    ranked = found("？", hit("门诊", "全天", answerable=-2.0), hit("特征", "规模大"))
    assert [candidate.hit.title for candidate in ranked] == ["特征", "门诊"]


def test_a_question_for_a_list_gets_the_whole_enumeration_with_what_leads_to_it():
    (best,) = found("它有哪些特征？", hit("特征", "规模大"))
    assert best.text == FEATURES.removesuffix("其余从略。")
    assert focus_text(best) == "规模大"


def test_a_question_for_one_thing_gets_its_item_alone():
    (best,) = found("自动化程度怎么样？", hit("特征", "自动化程度高"))
    assert best.text == "二是自动化程度高；"


def test_a_few_characters_alone_bring_the_sentence_before_them():
    text = "门诊时间见下。\n全天。\n完"
    documents = {"短": document("短", text)}
    (best,) = found("几点开？", hit("短", "全天", documents=documents), documents=documents)
    assert best.text == "门诊时间见下。\n全天。"


def test_a_heading_is_no_answer():
    text = "发热门诊\n全天开放，节假日不休息。"
    blocks = (Block(BlockKind.HEADING, 0, 4), Block(BlockKind.PARAGRAPH, 5, len(text)))
    documents = {"题": document("题", text, blocks)}
    assert found("？", hit("题", "发热门诊", documents=documents), documents=documents) == []


def test_hits_that_were_not_read_give_nothing():
    assert found("？", replace(hit("门诊", "全天"), reading=None)) == []


# The reader's word and similarity's together


def sentence_of(hit, text, score, documents=DOCUMENTS):
    start = documents[hit.passage.document].text.index(text)
    return Candidate(hit, start, start + len(text), text, score)


def test_the_readers_word_decides_between_sentences_that_are_as_near():
    read = hit("门诊", "医保卡")
    sentences = [
        sentence_of(read, "发热门诊全天开放。", 0.60),
        sentence_of(read, "就诊须出示医保卡。", 0.58),
    ]
    best, second = combine(found("要带什么？", read), sentences)
    assert (best.text, focus_text(best)) == ("就诊须出示医保卡。", "医保卡")
    assert second == sentences[0]


def test_a_much_nearer_sentence_stays_first_when_the_reader_doubts():
    read = hit("门诊", "医保卡", answerable=-6.0)
    sentences = [
        sentence_of(read, "发热门诊全天开放。", 0.9),
        sentence_of(read, "就诊须出示医保卡。", 0.6),
    ]
    assert [c.text for c in combine(found("？", read), sentences)] == [s.text for s in sentences]


def test_a_sentence_grows_to_the_enumeration_that_is_asked_for():
    read = hit("特征", "规模大")
    sentences = [sentence_of(read, "二是自动化程度高；", 0.5), sentence_of(read, "其余从略。", 0.4)]
    best, other = combine(found("它有哪些特征？", read), sentences)
    assert best.text == FEATURES.removesuffix("其余从略。")
    assert other.text == "其余从略。"


def test_without_a_reader_sentences_stay_as_they_are():
    unread = replace(hit("门诊", "全天"), reading=None)
    sentences = [sentence_of(unread, "发热门诊全天开放。", 0.6)]
    assert combine([], sentences) == sentences


# What joins the answer


def test_a_second_source_of_the_same_words_adds_no_second_answer():
    other = {"乙": document("乙", "急诊和发热门诊都是全天开放的。")}
    documents = DOCUMENTS | other
    ranked = found(
        "？", hit("门诊", "全天"), hit("乙", "全天开放", documents=documents), documents=documents
    )
    assert len(ranked) == 2
    assert choose(ranked) == ranked[:1]


def test_another_answer_that_is_nearly_as_good_joins_and_a_far_worse_one_does_not():
    ranked = found("开放时间和位置？", hit("门诊", "全天"), hit("特征", "规模大"))
    assert choose(ranked) == ranked
    far = [ranked[0], replace(ranked[1], score=0.1)]
    assert choose(far) == far[:1]


def test_overlapping_sentences_are_taken_once():
    read = hit("门诊", "全天")
    whole = sentence_of(read, HOURS, 0.9)
    part = sentence_of(read, "就诊须出示医保卡。", 0.89)
    assert choose([whole, part]) == [whole]


def test_nothing_found_is_nothing_chosen():
    assert choose([]) == []


def test_sentences_of_the_examples_are_what_the_tests_think():
    assert len(sentence_spans(FEATURES)) == 5
