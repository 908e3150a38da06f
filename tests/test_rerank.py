"""A LlamaIndex reranker in the place of the product's own."""

from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.postprocessor.types import BaseNodePostprocessor

from rag.retrieve.rerank import LlamaIndexReranker
from rag.types import Hit, Passage


class LongestFirst(BaseNodePostprocessor):
    """A reranker small enough to foresee."""

    def _postprocess_nodes(self, nodes, query_bundle=None):
        assert query_bundle.query_str == "几点开放？"
        return sorted(nodes, key=lambda node: -len(node.text))


def hits(*texts):
    return [
        Hit(Passage("d", 0, len(text), text, id=number), "题", 0.9 - number / 10)
        for number, text in enumerate(texts)
    ]


def test_the_order_is_the_postprocessors_and_scores_fall():
    found = hits("短", "最长的一段", "中等")
    ranked = LlamaIndexReranker(LongestFirst()).rerank("几点开放？", found)
    assert [hit.passage for hit in ranked] == [found[1].passage, found[2].passage, found[0].passage]
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
    assert {hit.title for hit in ranked} == {"题"}


def test_what_the_postprocessor_leaves_out_is_left_out():
    ranked = LlamaIndexReranker(SimilarityPostprocessor(similarity_cutoff=0.85)).rerank(
        "几点开放？", hits("一", "二")
    )
    assert [hit.passage.text for hit in ranked] == ["一"]


def test_no_hits_are_no_hits():
    assert LlamaIndexReranker(SimilarityPostprocessor()).rerank("几点开放？", []) == []
