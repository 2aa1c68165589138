from __future__ import annotations

from oversmooth.report.figures.labels import Box, Words, place


def test_words_stand_on_the_right_where_there_is_room() -> None:
    assert place([Words(50, 50, 20, 10)], [], 100, 100) == [(1, 0)]


def test_words_stay_inside_the_chart_and_off_what_is_taken() -> None:
    assert place([Words(95, 50, 20, 10)], [], 100, 100) == [(-1, 0)]
    assert place([Words(95, 50, 20, 10)], [Box(60, 40, 90, 60)], 100, 100)[0] is None
    middle = Words(50, 50, 20, 10)
    sides_taken = [Box(55, 45, 95, 55), Box(5, 45, 45, 55)]
    assert place([middle], sides_taken, 100, 100) == [(0, 1)]


def test_words_do_not_cover_each_other() -> None:
    words = [Words(50, 50 + n, 20, 10) for n in range(3)]
    ways = place(words, [], 200, 200)
    boxes = [each.box(*way) for each, way in zip(words, ways, strict=True) if way is not None]
    assert len(boxes) == 3
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)
