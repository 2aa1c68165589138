"""What a model's own head makes of the text: the loss of its predictions, and how far they moved from a baseline's."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oversmooth.core import points
from oversmooth.core.progress import Progress, Report
from oversmooth.core.texts import which_text
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.preparing import Prepared, acting
from oversmooth.measuring.resolution import below
from oversmooth.metrics.numerics import arithmetic_of
from oversmooth.metrics.outputs import ENCODER_ALONE, NO_HEAD
from oversmooth.mitigations import Mitigation, parse
from oversmooth.models import inputs
from oversmooth.models.encodings import Encoded
from oversmooth.models.inputs import Batches
from oversmooth.models.loaded import REFERENCE_BYTES
from oversmooth.results.measurement import Note

if TYPE_CHECKING:
    from oversmooth.models.loaded import LoadedModel

LOSS: Final = "language_model_loss"
DIVERGENCE: Final = "output_kl"
LOGIT_BYTES: Final = 2**27
"""Logits of one pass, unless a single causal text has more: a vocabulary is long."""
DOUBLES: Final = 2**22
"""Predictions that are held in float64 at once."""
NON_FINITE: Final = "the predictions of the head are infinite or not a number"


@dataclass(frozen=True)
class Outputs:
    """The numbers of the head, per input in nats a token; NaN where a note says why."""

    values: dict[str, NDArray[np.float64]]
    notes: tuple[Note, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Questions:
    """One pass: what the network reads, where its predictions are read, and what is right there."""

    inputs: dict[str, Tensor]
    rows: Tensor
    positions: Tensor
    """Of the predictions (question)."""
    answers: Tensor
    """Vocabulary ids (question)."""
    texts: NDArray[np.intp]
    """Number of the text that each is about (question)."""


@torch.inference_mode()
def score(run: Prepared, report: Report) -> Outputs:
    """Measure the head where that is asked for.

    Causal models predict each measured token that has one before it; masked models each measured token in turn, with
    it masked. A variant's predictions are compared with those of the baseline at the same places.
    """
    settings, model, texts = run.settings, run.model, run.texts
    if not settings.language_model:
        return Outputs({})
    names = (LOSS, DIVERGENCE) if run.methods else (LOSS,)
    reason = _why_undefined(model, run.methods)
    if reason:
        notes = [Note("missing", number, points.OUTPUT, name, reason) for number in range(len(texts)) for name in names]
        return Outputs({name: np.full(len(texts), np.nan) for name in names}, tuple(notes))
    sums = {name: np.zeros(len(texts)) for name in names}
    noises = np.zeros(len(texts))
    asked = np.array([len(_predicted(model, text)) for text in texts], dtype=np.intp)
    done, total = 0, int(asked.sum())
    own = settings.fidelity and not run.methods
    predictions = _Predictions(model, run.intervention, run.states_key, own=own, total=total)
    report(Progress("loss", done, total))
    for number, questions in enumerate(_questions(model, texts)):
        ours = predictions.ours(number, questions)
        theirs = predictions.theirs(number, questions) if DIVERGENCE in names else None
        for name, found in zip(names, _losses(ours, questions.answers, theirs), strict=True):
            np.add.at(sums[name], questions.texts, found.numpy())
        np.add.at(noises, questions.texts, _noises(ours).numpy())
        done += len(questions.texts)
        report(Progress("loss", done, total))
    with np.errstate(invalid="ignore"):  # Told in a note.
        outputs = _with_notes({name: each / asked for name, each in sums.items()}, asked)
        return replace(outputs, notes=(*outputs.notes, *_unresolved(outputs.values, noises / asked, model.precision)))


def _why_undefined(model: LoadedModel, methods: Sequence[Mitigation]) -> str:
    if model.prediction is None:
        if model.network.config.is_encoder_decoder:
            return ENCODER_ALONE
        return NO_HEAD
    if model.prediction == "masked":
        return "" if model.tokenizer.mask_token_id is not None else "the tokenizer of this model has no mask token"
    # Mitigations from outside count as well.
    for method in methods or (parse("+".join(model.mitigated_by)) if model.mitigated_by else ()):
        if not method.declaration.causal_safe:
            return (
                f"“{method.declaration.name}” lets later tokens into the states of earlier ones, so the head would "
                "predict what it has seen"
            )
    return ""


def _predicted(model: LoadedModel, text: Encoded) -> list[int]:
    """Positions of the tokens that are predicted."""
    first = 1 if model.prediction == "causal" else 0
    return [at for at, token in enumerate(text.tokens.items) if token.measured and at >= first]


def _questions(model: LoadedModel, texts: Sequence[Encoded]) -> Iterator[_Questions]:
    most = max(1, LOGIT_BYTES // _logit_bytes(model))
    if model.prediction == "causal":
        for numbers, read in Batches.of(texts, model, most):
            yield _next_tokens(model, texts, numbers, read)
        return
    for number, text in enumerate(texts):
        positions = _predicted(model, text)
        together = min(most, max(1, inputs.BATCH_TOKENS // len(text.ids)))
        for first in range(0, len(positions), together):
            yield _masked_tokens(model, text, number, positions[first : first + together])


def _logit_bytes(model: LoadedModel) -> int:
    """Of one prediction."""
    return model.network.dtype.itemsize * int(model.network.config.vocab_size)


def _next_tokens(
    model: LoadedModel, texts: Sequence[Encoded], numbers: Sequence[int], read: dict[str, Tensor]
) -> _Questions:
    chosen = [texts[number] for number in numbers]
    asked = [(row, at) for row, text in enumerate(chosen) for at in _predicted(model, text)]
    return _Questions(
        inputs=read,
        rows=torch.tensor([row for row, _ in asked], dtype=torch.long),
        positions=torch.tensor([at - 1 for _, at in asked], dtype=torch.long),
        answers=torch.tensor([chosen[row].ids[at] for row, at in asked], dtype=torch.long),
        texts=np.array([numbers[row] for row, _ in asked], dtype=np.intp),
    )


def _masked_tokens(model: LoadedModel, text: Encoded, number: int, masked: Sequence[int]) -> _Questions:
    read = inputs.batch([text] * len(masked), model)
    rows, positions = torch.arange(len(masked)), torch.tensor(masked)
    answers = read["input_ids"][rows, positions].cpu()
    read["input_ids"][rows, positions] = int(model.tokenizer.mask_token_id)
    return _Questions(read, rows, positions, answers, np.full(len(masked), number))


class _Predictions:
    """Logits of one side and of its baseline, which are kept on the model where all of them fit.

    Args:
        model: with a head.
        intervention: of the side.
        key: of the baseline's states.
        own: whether the side is a baseline, whose predictions are kept for its variants.
        total: predictions over all texts.
    """

    def __init__(
        self, model: LoadedModel, intervention: Intervention | None, key: Hashable, *, own: bool, total: int
    ) -> None:
        self._model = model
        self._intervention = intervention
        self._own = own
        self._key = key
        states = model.references.get(key)
        room = REFERENCE_BYTES - (0 if states is None else states.nbytes)
        self._fit = total * _logit_bytes(model) <= room

    def ours(self, number: int, questions: _Questions) -> Tensor:
        """Of this side (question, vocabulary), for the pass of that number."""
        with acting(self._intervention):
            found = logits_of(self._model, questions)
        if self._own:
            self._keep(number, found)
        return found

    def theirs(self, number: int, questions: _Questions) -> Tensor:
        """Of the baseline (question, vocabulary), for the same pass."""
        kept: Any = self._model.references.get((self._key, number))
        if kept is not None:
            return torch.from_numpy(kept)
        with acting(Intervention(self._model, ())):
            found = logits_of(self._model, questions)
        self._keep(number, found)
        return found

    def _keep(self, number: int, found: Tensor) -> None:
        if self._fit:
            self._model.references.put((self._key, number), found.numpy())


def logits_of(model: LoadedModel, questions: _Questions) -> Tensor:
    """What the head predicts at the places that are asked for, on the CPU: (question, vocabulary)."""
    whole = model.language_model
    assert whole is not None  # noqa: S101  asked before

    def choose(_: nn.Module, __: tuple[Any, ...], output: Any) -> Any:  # noqa: ANN401  each family has its own
        # Only these go through the head: the logits of all tokens would take vocabulary × text memory a copy.
        output.last_hidden_state = output.last_hidden_state[questions.rows, questions.positions][None]
        return output

    handle = model.network.register_forward_hook(choose)
    try:
        cache = {"use_cache": False} if model.prediction == "causal" else {}
        logits: Tensor = whole(**questions.inputs, **cache).logits[0]
    finally:
        handle.remove()
    return logits.to("cpu", model.network.dtype)


def _losses(ours: Tensor, answers: Tensor, theirs: Tensor | None) -> tuple[Tensor, ...]:
    """−ln p of each answer and, beside a baseline, Σ p₀ ln(p₀/p) over the vocabulary, from logits."""
    found = []
    # In float64, or small divergences would be rounding; a few rows at a time, for its memory.
    step = max(1, DOUBLES // ours.shape[1])
    for rows in (slice(first, first + step) for first in range(0, len(ours), step)):
        log = ours[rows].double().log_softmax(dim=-1)
        each = [-log.gather(1, answers[rows, None])[:, 0]]
        if theirs is not None:
            base = theirs[rows].double().log_softmax(dim=-1)
            # A word that the baseline rules out adds nothing; the sum is below 0 only by rounding.
            terms = torch.where(base == -torch.inf, 0.0, base.exp() * (base - log))
            each.append(terms.sum(dim=-1).clamp(min=0.0))
        found.append(each)
    return tuple(map(torch.cat, zip(*found, strict=True)))


def _noises(logits: Tensor) -> Tensor:
    """Σ p₀ ln(p₀/p) up to which noise of the pass may have made it: ½δ², logits being off by δ at most (question)."""
    off = arithmetic_of(logits.dtype).in_pass * logits.double().abs().amax(dim=-1)
    return off * off / 2.0


def _unresolved(
    values: Mapping[str, NDArray[np.float64]], noises: NDArray[np.float64], precision: str
) -> Iterator[Note]:
    """Of divergences that noise may have made; the same logits diverge by exactly 0. A loss is far above."""
    for number, value in enumerate(values.get(DIVERGENCE, ())):
        if 0.0 < value <= noises[number]:
            yield Note("unresolved", number, points.OUTPUT, DIVERGENCE, below(precision))


def _with_notes(values: dict[str, NDArray[np.float64]], asked: NDArray[np.intp]) -> Outputs:
    """With a note on each number that is missing, and a warning where the head's predictions are not numbers."""
    notes, broken = [], set()
    for name, each in values.items():
        for number in np.flatnonzero(~np.isfinite(each)):
            each[number] = np.nan
            reason = NON_FINITE if asked[number] else "no token of this text has one before it to be predicted from"
            notes.append(Note("missing", int(number), points.OUTPUT, name, reason))
            if asked[number]:
                broken.add(int(number))
    warnings = [f"{which_text(number, asked.tolist())}No loss is given: {NON_FINITE}." for number in sorted(broken)]
    return Outputs(values, tuple(sorted(notes, key=lambda note: note.input)), tuple(warnings))
