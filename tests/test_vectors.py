import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import CorpusIndexError
from rag.retrieve.vectors import VectorIndex


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def index():
    index = VectorIndex(2)
    index.add([10, 20, 30], np.stack([unit(1, 0), unit(1, 1), unit(0, 1)]))
    return index


def test_search_ranks_by_cosine(index):
    ids, scores = index.search(unit(1, 0.1), 3)
    assert ids.tolist() == [10, 20, 30]
    assert scores[0] == pytest.approx(float(unit(1, 0.1) @ unit(1, 0)), abs=1e-6)


def test_deleted_vectors_never_come_back(index):
    assert index.remove([10, 99]) == 1
    assert index.search(unit(1, 0), 3)[0].tolist() == [20, 30]
    index.add([40], unit(-1, 0)[None])
    assert index.search(unit(1, 0), 1)[0].tolist() == [20]
    assert sorted(index.ids().tolist()) == [20, 30, 40]


def test_filter_is_applied_before_the_search(index):
    ids, _ = index.search(unit(1, 0), 1, allowed={30})
    assert ids.tolist() == [30]
    assert index.search(unit(1, 0), 1, allowed=set())[0].tolist() == []


def test_ids_in_use_are_refused(index):
    with pytest.raises(ValueError, match="in use"):
        index.add([20], unit(1, 0)[None])
    with pytest.raises(ValueError, match="in use"):
        index.add([50, 50], np.stack([unit(1, 0), unit(0, 1)]))
    with pytest.raises(ValueError, match="ids"):
        index.add([60], np.zeros((1, 3), np.float32))


def test_save_and_load(index, tmp_path):
    index.save(tmp_path / "v")
    loaded = VectorIndex.load(tmp_path / "v")
    assert loaded.search(unit(0, 1), 2)[0].tolist() == [30, 20]
    assert loaded.cosines(unit(0, 1), [10, 30]) == pytest.approx([0, 1], abs=1e-6)
    loaded.remove([30])
    assert loaded.search(unit(0, 1), 1)[0].tolist() == [20]


def test_damaged_file_is_one_clear_error(tmp_path):
    (tmp_path / "v").write_bytes(b"nonsense")
    with pytest.raises(CorpusIndexError, match="rag index"):
        VectorIndex.load(tmp_path / "v")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=40))
def test_holds_exactly_what_was_added_and_not_removed(operations):
    index = VectorIndex(2)
    expected: dict[int, float] = {}
    for is_added, number in operations:
        if is_added and number not in expected:
            expected[number] = number / 10
            index.add([number], unit(np.cos(number / 10), np.sin(number / 10))[None])
        elif not is_added:
            assert index.remove([number]) == (number in expected)
            expected.pop(number, None)
    assert set(index.ids().tolist()) == set(expected)
    for number, angle in expected.items():
        ids, scores = index.search(unit(np.cos(angle), np.sin(angle)), 1)
        assert ids.tolist() == [number]
        assert scores[0] == pytest.approx(1, abs=1e-5)
