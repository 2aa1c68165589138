from __future__ import annotations

import pytest

from oversmooth.core import points


def test_names_and_kinds_of_points() -> None:
    names = [points.EMBEDDING, points.block(0), points.sub_layer(0, "attention"), points.block(11), points.FINAL_NORM]
    assert names == ["embedding", "0", "0.attention", "11", "final_norm"]
    assert [points.is_block(name) for name in names] == [False, True, False, True, False]
    assert [points.is_sub_layer(name) for name in names] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("name", "title", "tick"),
    [
        ("embedding", "the embedding", "embedding"),
        ("5", "block 5", "5"),
        ("12.attention", "block 12 after attention", "12.attention"),
        ("12.attention_norm", "block 12 after its attention norm", "12.attention_norm"),
        ("12.mlp", "block 12 after the MLP", "12.mlp"),
        ("final_norm", "the final norm", "final norm"),
    ],
)
def test_points_in_words(name: str, title: str, tick: str) -> None:
    assert points.title(name) == title
    assert points.tick(name) == tick
