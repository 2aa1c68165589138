from __future__ import annotations

import re
from concurrent.futures import Future

import pytest
from synthetic import measurement

from oversmooth.core.errors import CancelledError, InputError, LimitError, QueueFullError
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings
from oversmooth.service.engine.cache import measurement_bytes
from oversmooth.service.engine.jobs import Job, Jobs
from oversmooth.service.engine.rounds import Owner


def jobs(
    slots: int = 1, limit: int | None = None, result_bytes: int = 10**6, in_flight: int | None = None
) -> Jobs[Measurement]:
    return Jobs(slots, limit, in_flight, result_bytes)


def submit(to: Jobs[Measurement], text: str) -> tuple[Job[Measurement], Future[Measurement]]:
    return to.submit(Settings.of(texts=text), text)


def test_first_in_first_out() -> None:
    queue = jobs()
    submitted = [submit(queue, f"text {number}")[0] for number in range(5)]
    assert [queue.position(job) for job in submitted] == [1, 2, 3, 4, 5]
    assert queue.take() is submitted[0]
    assert queue.position(submitted[0]) is None
    assert queue.position(submitted[4]) == 4
    assert [queue.take() for _ in range(5)] == [*submitted[1:], None]
    assert [job.number for job in submitted] == sorted(job.number for job in submitted)


def test_progress_tells_the_place_in_the_queue() -> None:
    queue = jobs()
    first, second = submit(queue, "one")[0], submit(queue, "two")[0]
    assert queue.progress(first).stage == "start"  # the slot is free: it only waits for the worker
    assert queue.progress(second).stage == "queue"
    queue.take()
    assert (queue.progress(second).stage, queue.progress(second).detail) == ("queue", "place 1")


def test_equal_requests_share_one_run_while_it_waits_and_while_it_runs() -> None:
    queue = jobs()
    job, first = submit(queue, "one")
    assert submit(queue, "one")[0] is job
    assert queue.take() is job
    same, third = submit(queue, "one")
    assert same is job
    assert queue.take() is None
    result = measurement()
    queue.finish(job, result)
    assert first.result(0) is result
    assert third.result(0) is result


def test_a_result_is_kept_for_the_next_who_asks() -> None:
    queue = jobs()
    job, _ = submit(queue, "one")
    queue.take()
    result = measurement()
    queue.finish(job, result)
    assert submit(queue, "one")[1].result(0) is result
    assert queue.take() is None


def test_results_beyond_the_byte_bound_are_computed_again() -> None:
    queue = jobs(result_bytes=2 * measurement_bytes(measurement()) + 1)
    for text in "abc":
        job, _ = submit(queue, text)
        queue.take()
        queue.finish(job, measurement())
    assert submit(queue, "c")[1].done()
    assert submit(queue, "b")[1].done()
    assert not submit(queue, "a")[1].done()


def test_the_size_of_a_result_counts_its_maps_and_grows_with_its_tokens() -> None:
    with_maps, without = measurement(blocks=4), measurement(blocks=4, similarity=False)
    # embedding, 4 blocks and final norm; 11 words; float32
    assert measurement_bytes(with_maps) - measurement_bytes(without) == 6 * 11 * 11 * 4
    assert measurement_bytes(measurement(words=["word"] * 1000)) > measurement_bytes(measurement()) + 300 * 900


def test_no_caller_can_change_the_result_of_another() -> None:
    queue = jobs()
    job, future = submit(queue, "one")
    queue.take()
    queue.finish(job, measurement())
    result = future.result(0)
    with pytest.raises(ValueError, match="view"):
        result.curves["token_cosine"][0, 0] = 7.0
    with pytest.raises(ValueError, match="read-only"):
        result.spectra["raw"].values[:] = 7.0


def test_a_failure_reaches_everybody_as_its_own_error_and_is_not_kept() -> None:
    queue = jobs()
    job, first = submit(queue, "one")
    _, second = submit(queue, "one")
    queue.take()
    queue.finish(job, InputError("The text is empty."))
    errors = [future.exception(0) for future in (first, second)]
    assert [(type(error), str(error)) for error in errors] == [(InputError, "The text is empty.")] * 2
    assert errors[0] is not errors[1]
    assert not submit(queue, "one")[1].done()


def test_cancelling_one_of_two_leaves_the_run_to_the_other() -> None:
    queue = jobs()
    job, first = submit(queue, "one")
    _, second = submit(queue, "one")
    queue.release(job, first)
    assert isinstance(first.exception(0), CancelledError)
    assert job.wanted
    assert queue.take() is job
    result = measurement()
    queue.finish(job, result)
    assert second.result(0) is result


def test_cancelling_the_last_takes_a_waiting_run_out_of_the_queue() -> None:
    queue = jobs()
    submit(queue, "one")
    job, future = submit(queue, "two")
    third, _ = submit(queue, "three")
    queue.release(job, future)
    assert queue.position(job) is None
    assert queue.position(third) == 2


def test_nobody_joins_a_run_that_is_being_cancelled() -> None:
    queue = jobs()
    job, future = submit(queue, "one")
    queue.take()
    queue.release(job, future)
    again, second = submit(queue, "one")
    assert again is not job
    queue.finish(job, CancelledError("The run was cancelled."))
    assert not second.done()
    assert queue.take() is again


def test_cancelling_what_is_done_changes_nothing() -> None:
    queue = jobs()
    job, future = submit(queue, "one")
    queue.take()
    result = measurement()
    queue.finish(job, result)
    queue.release(job, future)
    assert future.result(0) is result


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_full_queue_refuses_with_the_number_waiting(slots: int, limit: int) -> None:
    queue = jobs(slots, limit)
    for number in range(slots):
        submit(queue, f"running {number}")
        queue.take()
    waiting = [submit(queue, f"waiting {number}")[0] for number in range(limit)]
    with pytest.raises(QueueFullError, match=rf"{limit} runs? waiting") as refusal:
        submit(queue, "one more")
    assert re.search("1 runs", str(refusal.value)) is None
    # Equal requests take no further place.
    assert submit(queue, "running 0")[0].number == 0
    if waiting:
        queue.release(waiting[0], next(iter(waiting[0].waiting)))
        submit(queue, "one more")


def test_runs_that_a_free_slot_will_take_do_not_count_as_waiting() -> None:
    queue = jobs(slots=2, limit=1)
    for number in range(3):
        submit(queue, f"text {number}")
    with pytest.raises(QueueFullError, match="1 run waiting"):
        submit(queue, "one more")


def test_closing_fails_every_run_and_takes_no_more() -> None:
    queue = jobs()
    running, first = submit(queue, "one")
    queue.take()
    _, second = submit(queue, "two")
    queue.close()
    for future in (first, second):
        assert isinstance(future.exception(0), CancelledError)
    queue.finish(running, measurement())
    assert queue.take() is None
    with pytest.raises(CancelledError):
        submit(queue, "three")


def ask(to: Jobs[Measurement], text: str, owner: Owner | str) -> tuple[Job[Measurement], Future[Measurement]]:
    settings = Settings.of(texts=text)
    return to.submit(settings, settings.key(), owner)


def test_one_owner_has_so_many_runs_and_others_are_not_held_up() -> None:
    queue = jobs(in_flight=2)
    ask(queue, "running", "greedy")
    queue.take()
    waiting, future = ask(queue, "waiting", "greedy")
    with pytest.raises(LimitError, match="at most 2 runs at a time here \\(the limit “in_flight”\\)"):
        ask(queue, "one more", "greedy")
    ask(queue, "one more", "modest")
    # A place is free again as soon as a run is given up.
    queue.release(waiting, future)
    ask(queue, "another", "greedy")


def test_joining_the_run_of_somebody_else_counts_too() -> None:
    queue = jobs(in_flight=1)
    ask(queue, "shared", "first")
    ask(queue, "shared", "second")
    for owner in ("first", "second"):
        with pytest.raises(LimitError):
            ask(queue, "own", owner)


def test_turns_go_round_by_address() -> None:
    queue = jobs()
    for number in range(3):
        ask(queue, f"crowd {number}", Owner(f"page {number}", "crowd"))
    single, _ = ask(queue, "single", Owner("page", "single"))
    assert queue.position(single) == 2
    order = []
    for late in (None, "late", None, None, None):
        order.append(queue.take())
        if late:
            ask(queue, late, Owner("another page", "late"))
    texts = [job.request.texts[0] for job in order if job is not None and isinstance(job.request, Settings)]
    # Who comes from an address that was not served yet comes before those whose address was.
    assert texts == ["crowd 0", "single", "late", "crowd 1", "crowd 2"]


def test_an_address_that_was_served_comes_after_one_that_was_not_though_it_asked_first() -> None:
    queue = jobs()
    ask(queue, "first", Owner("a", "greedy"))
    queue.take()
    second, _ = ask(queue, "second", Owner("b", "greedy"))
    other, _ = ask(queue, "other", Owner("c", "modest"))
    assert (queue.position(other), queue.position(second)) == (1, 2)
    assert queue.take() is other
