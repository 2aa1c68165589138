"""A tokenizer that hangs costs its own visitor the run, and nobody else anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hanging import SNOWMAN, hanging
from workers import gone, short, wait

from oversmooth.core.errors import DeadlineError
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine
from oversmooth.service.hosting import Limits

pytestmark = pytest.mark.slow


def test_a_hung_tokenizer_ends_with_the_deadline_and_its_worker_is_replaced(tmp_path: Path) -> None:
    with Engine(Limits(workers=1, threads=1, deadline=8)) as engine:
        wait(lambda: engine.ready)
        (pid,) = engine.worker_pids
        late = engine.submit(Settings.of(texts=SNOWMAN, model=hanging(tmp_path)))
        following = engine.submit(short("behind the one that hangs"))
        with pytest.raises(DeadlineError, match="longer than the 8"):
            late.result(60)
        assert following.result(60).curve("token_cosine")["5"] > 0
        assert gone(pid)
