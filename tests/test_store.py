import pytest
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from rag.retrieve.store import FaissVectorStore


def node(name, embedding, document="d1", **metadata):
    return TextNode(
        id_=name,
        text=f"text of {name}",
        embedding=embedding,
        metadata=metadata,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document)},
    )


@pytest.fixture
def store():
    store = FaissVectorStore(2)
    store.add(
        [
            node("a", [3.0, 0.0], ward="内科"),
            node("b", [2.0, 2.0], ward="外科"),
            node("c", [0.0, 1.0], document="d2", ward="外科"),
        ]
    )
    return store


def ask(store, embedding, count=3, **options):
    return store.query(
        VectorStoreQuery(query_embedding=embedding, similarity_top_k=count, **options)
    )


def test_similarities_are_cosines_whatever_the_lengths(store):
    result = ask(store, [5.0, 0.0])
    assert result.ids == ["a", "b", "c"]
    assert result.similarities == pytest.approx([1.0, 0.7071, 0.0], abs=1e-3)
    assert result.nodes[0].get_content() == "text of a"


def test_delete_removes_a_document_and_nothing_else(store):
    store.delete("d1")
    assert ask(store, [1.0, 0.0]).ids == ["c"]
    store.add([node("d", [1.0, 0.0], document="d3")])
    assert ask(store, [1.0, 0.0], 1).nodes[0].get_content() == "text of d"


def test_adding_an_id_again_updates_it(store):
    store.add([node("a", [0.0, -1.0])])
    assert len(store.get_nodes()) == 3
    assert ask(store, [0.0, -1.0], 1).similarities == pytest.approx([1.0])
    assert ask(store, [1.0, 0.0], 1).ids == ["b"]


def test_the_last_of_two_nodes_with_one_id_stands():
    store = FaissVectorStore(2)
    store.add([node("a", [1.0, 0.0]), node("a", [0.0, 1.0])])
    assert ask(store, [0.0, 1.0]).similarities == pytest.approx([1.0])


def test_filters_restrict_before_the_search(store):
    surgery = MetadataFilters(filters=[MetadataFilter(key="ward", value="外科")])
    assert ask(store, [1.0, 0.0], 1, filters=surgery).ids == ["b"]
    assert ask(store, [1.0, 0.0], 1, doc_ids=["d2"]).ids == ["c"]
    assert ask(store, [1.0, 0.0], 1, node_ids=["c"]).ids == ["c"]
    assert ask(store, [1.0, 0.0], 1, doc_ids=["other"]).ids == []


def test_delete_nodes_by_filter_and_clear(store):
    store.delete_nodes(filters=MetadataFilters(filters=[MetadataFilter(key="ward", value="外科")]))
    assert [n.node_id for n in store.get_nodes()] == ["a"]
    store.clear()
    assert ask(store, [1.0, 0.0]).ids == []


def test_works_under_llama_index_itself(store):
    from llama_index.core import VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding

    index = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(embed_dim=2))
    found = index.as_retriever(similarity_top_k=2).retrieve("问题")
    assert [f.node.node_id for f in found][:1] == ["b"]
