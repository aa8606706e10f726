import numpy as np
import pytest
from keras import ops

from icd_relevancy.encoding.encoder import _in_chunks, _joined


@pytest.mark.parametrize("chunk_length", [1, 3, 4, 7, 8, 20])
def test_chunks_are_rows_of_each_text_in_turn(chunk_length):
    tokens = np.arange(1, 15).reshape(2, 7)
    size = min(chunk_length, 7)
    expected = []
    for row in tokens.tolist():
        for start in range(0, 7, size):
            chunk = row[start : start + size]
            expected.append(chunk + [99] * (size - len(chunk)))
    found = _in_chunks(ops.convert_to_tensor(tokens), chunk_length, padding=99)
    assert ops.convert_to_numpy(found).tolist() == expected
    back = _joined(ops.expand_dims(found, -1), 2, 7)
    np.testing.assert_array_equal(ops.convert_to_numpy(back)[..., 0], tokens)
