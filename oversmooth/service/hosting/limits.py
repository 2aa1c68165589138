"""Whether a request is within what a server grants, decided before anything is loaded or queued."""

from typing import Final

from oversmooth.core.errors import LimitError, ModelError
from oversmooth.core.pairs import characters
from oversmooth.core.wording import bytes_in_words, count
from oversmooth.models.allowlist import AllowedModel, AllowList
from oversmooth.results.settings import Settings
from oversmooth.service.hosting.profiles import Limits

SPECIAL_TOKENS: Final = 8
"""Most that a tokenizer adds to a text, for an estimate."""
STATE_BYTES: Final = {"float32": 4, "float64": 8}
PAIR_BYTES: Final = 8
"""Of one entry of a Gram matrix, in float64."""


def require(settings: Settings, limits: Limits, models: AllowList | None) -> None:
    """Refuse what the server does not grant, by its limits and the models of its list, None for any model."""
    _require_text(settings, limits)
    if models is None:
        return
    model = models.require(settings.model)
    if settings.revision not in (None, model.commit):
        raise ModelError(f"This server measures “{model.name}” at one commit alone. Leave out the revision.")
    _require_parameters(settings, limits, model)
    needed = run_bytes(settings, model)
    if limits.run_bytes is not None and needed > limits.run_bytes:
        raise LimitError(
            f"This run would need about {bytes_in_words(needed)} besides its model, and this server gives a run "
            f"{bytes_in_words(limits.run_bytes)} (its limit “run_bytes”). Use fewer or shorter texts.",
            "run_bytes",
        )


def _require_parameters(settings: Settings, limits: Limits, model: AllowedModel) -> None:
    """In float64 a parameter takes the room of two."""
    twice = settings.precision == "float64"
    if limits.parameters is None or model.parameters * (1 + twice) <= limits.parameters:
        return
    fits = model.parameters <= limits.parameters
    raise LimitError(
        f"This server measures models of at most {limits.parameters:,} parameters (its limit “parameters”)"
        f"{', of which each counts twice in float64' if twice else ''}; {model.name} has {model.parameters:,}. "
        f"{'Choose the precision float32.' if fits else 'Choose a smaller one.'}",
        "parameters",
    )


def run_bytes(settings: Settings, model: AllowedModel) -> int:
    """Memory that a run needs besides the model's weights, from above.

    N·D·(L + 1)·4 bytes, 8 in float64, of states of all N tokens of width D behind L layers, once more for each side
    that they are set against, and T²·8 bytes for the pairs of the longest text of T tokens at every point that is kept.
    """
    longest = min(settings.max_tokens, model.positions or settings.max_tokens)
    tokens = [min(longest, characters(text) + SPECIAL_TOKENS) for text in settings.texts]
    sides = 1 + len(settings.mitigations)
    states = sum(tokens) * model.hidden_size * (model.layers + 1) * STATE_BYTES[settings.precision] * sides
    maps = model.layers + 2 if settings.similarity else 1
    return states + max(tokens) ** 2 * PAIR_BYTES * maps


def _require_text(settings: Settings, limits: Limits) -> None:
    texts, read = len(settings.texts), sum(map(characters, settings.texts))
    if limits.texts is not None and texts > limits.texts:
        raise LimitError(
            f"This server measures at most {count(limits.texts, 'text')} at once (its limit “texts”); these are "
            f"{texts:,}. Choose fewer.",
            "texts",
        )
    if limits.characters is not None and read > limits.characters:
        raise LimitError(
            f"This server reads at most {count(limits.characters, 'character')} (its limit “characters”); "
            f"{'this text has' if texts == 1 else 'these texts have'} {read:,}. Shorten "
            f"{'it' if texts == 1 else 'them'}.",
            "characters",
        )
    if limits.tokens is not None and settings.max_tokens > limits.tokens:
        raise LimitError(
            f"This server measures at most {count(limits.tokens, 'token')} of a text (its limit “tokens”); the "
            f"settings ask for {settings.max_tokens:,}. Lower the longest text, in tokens.",
            "tokens",
        )
