from __future__ import annotations

from synthetic import measurement

from oversmooth.report.findings import missing
from oversmooth.results.measurement import Note

POINTS = ("embedding", "0", "1")
FEW = "needs at least two tokens"
BROKEN = "3 activations of 528 are infinite or not a number"


def told(*notes: Note) -> list[str]:
    curves = {"token_cosine": [0.1] * 3, "mean_norm": [1.0] * 3}
    return missing(measurement(curves, blocks=2, final_norm=False, notes=notes))


def test_one_sentence_for_each_reason_and_place() -> None:
    notes = [Note("missing", 0, point, "token_cosine", FEW) for point in POINTS]
    notes += [Note("missing", 0, point, name, BROKEN) for name in ("token_cosine", "mean_norm") for point in ("0", "1")]
    assert told(*notes) == [
        f"No value for token_cosine at any point: {FEW}.",
        f"No value for token_cosine, mean_norm at 2 points: {BROKEN}.",
    ]


def test_a_reason_of_several_texts_is_told_once() -> None:
    notes = [Note("missing", text, "1", "token_cosine", FEW) for text in (0, 1)]
    assert told(*notes) == [f"No value for token_cosine at block 1: {FEW}."]


def test_the_output_is_a_place_of_its_own() -> None:
    note = Note("missing", 0, "output", "language_model_loss", "the model has no language-model head")
    assert told(note) == [
        "No value for language_model_loss at the output of the language-model head: "
        "the model has no language-model head."
    ]


def test_what_is_not_resolved_is_not_missing() -> None:
    assert told(Note("unresolved", 0, "1", "token_cosine", "below rounding")) == []
