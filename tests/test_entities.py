"""What a question names exactly."""

from rag.answer.entities import entities, missing_entities


def test_places_numbers_and_latin_names_in_match_form():
    assert entities("德國在2025年對DeepSeek-R1有什麼規定？") == {"德国", "2025", "deepseek-r1"}
    assert entities("欧盟的法案与上海的办法") == {"欧盟", "上海"}


def test_a_month_is_more_than_its_number():
    question = "截至2025年10月有多少家"
    assert entities(question) == {"2025", "10月"}
    assert missing_entities(question, ["2025年有10家"]) == 1
    assert missing_entities(question, ["2025年10月有3家"]) == 0


def test_ordinary_words_are_no_entities():
    assert entities("门诊几点开放，先测体温还是先候诊？") == frozenset()


def test_the_passage_that_holds_most_counts():
    question = "德国2025年的政策"
    assert missing_entities(question, ["德国的办法", "德国在2025年的政策"]) == 0
    assert missing_entities(question, ["德國的辦法", "法国2024年的政策"]) == 1
    assert missing_entities(question, ["法国的办法"]) == 2
    assert missing_entities(question, []) == 2


def test_a_question_without_entities_misses_none():
    assert missing_entities("谁负责培训", ["无关的内容"]) == 0
