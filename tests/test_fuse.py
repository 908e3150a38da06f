import numpy as np
import pytest

from rag.retrieve.fuse import fuse, normalize


def array(*values):
    return np.array(values, np.float32)


def test_normalize_worked_by_hand():
    assert normalize(array(2, 4, 3)).tolist() == [0, 1, 0.5]
    assert normalize(array(5, 5)).tolist() == [0, 0]
    assert normalize(array()).tolist() == []


def test_fuse_worked_by_hand():
    # dense -> 1, 0.5, 0; keyword -> 0, 1, 0.5
    fused = fuse(array(0.9, 0.85, 0.8), array(0, 10, 5), weight=0.6)
    assert fused == pytest.approx([0.6, 0.7, 0.2], abs=1e-5)


def test_weight_one_keeps_the_dense_order():
    dense = array(0.81, 0.93, 0.85)
    assert np.argsort(-fuse(dense, array(9, 1, 5), weight=1.0)).tolist() == [1, 2, 0]
