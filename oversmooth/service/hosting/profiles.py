"""What each kind of host can bear: one profile, all limits."""

from typing import Annotated, Final, Literal

from pydantic import Field

from oversmooth.core.documents import Frozen

Profile = Literal["local", "hosted-xs", "hosted-s", "hosted-m", "hosted-gpu"]

_MEBI: Final = 2**20
_GIBI: Final = 2**30

Positive = Annotated[int, Field(ge=1)]


class Bounds(Frozen):
    """What a server may be told to grant; None where it is not told."""

    parameters: Positive | None = None
    """Parameters of a model."""
    tokens: Positive | None = None
    """Tokens of a text, special ones included; a longer one is cut."""
    characters: Positive | None = None
    """Characters of all texts of a run together."""
    texts: Positive | None = None
    """Texts of a run, each measured on its own."""
    variants: Positive | None = None
    """Variants of a comparison, besides its baseline."""
    upload_bytes: Positive | None = None
    """Bytes of an uploaded file."""
    waiting: Annotated[int, Field(ge=0)] | None = None
    """Runs that wait for a worker; those who come then are refused at once."""
    in_flight: Positive | None = None
    """Runs of one session that wait or are computed at the same time; a page asks for its sides one after another."""
    connections: Positive | None = None
    """Open pages of one network address."""
    deadline: Annotated[float, Field(gt=0)] | None = None
    """Seconds that a run may take, loading its model included and waiting not."""
    exports_waiting: Annotated[int, Field(ge=0)] | None = None
    """Files that wait to be written for download; who asks for one then is refused at once. A page has one written at a
    time."""
    export_deadline: Annotated[float, Field(gt=0)] | None = None
    """Seconds that writing a file for download may take, waiting not included."""
    workers: Positive | None = None
    """Processes that compute, each one run at a time."""
    threads: Positive | None = None
    """Threads of each of them; without a value, the machine's cores are shared out evenly."""
    model_bytes: Positive | None = None
    """Memory for models kept loaded, in all workers together; without a value, half the machine's."""
    run_bytes: Positive | None = None
    """Memory that one run may need besides its model, as estimated before anything is loaded."""
    worker_bytes: Positive | None = None
    """Memory that one worker may reserve altogether, of which it uses a third to a half; the system refuses it more
    (Linux alone)."""


class Limits(Bounds):
    """What a server grants; None is without a limit."""

    upload_bytes: Positive = 50 * _MEBI
    workers: Positive = 1


_HOSTED: Final[dict[str, tuple[float | None, ...]]] = {
    # xs, s, m, gpu
    "parameters": (35_000_000, 150_000_000, 500_000_000, 3_000_000_000),
    "tokens": (128, 256, 512, 2048),
    "characters": (20_000, 20_000, 50_000, 50_000),
    "texts": (64, 64, 256, 256),
    "variants": (3, 4, 6, 6),
    "upload_bytes": (200_000, _MEBI, 2 * _MEBI, 2 * _MEBI),
    "waiting": (8, 16, 64, 64),
    "in_flight": (1, 1, 1, 1),
    "connections": (4, 8, 8, 8),
    "deadline": (30, 60, 60, 60),
    "exports_waiting": (8, 16, 32, 32),
    "export_deadline": (60, 120, 120, 120),
    "workers": (1, 2, 8, 1),
    "threads": (1, 1, 1, 4),
    "model_bytes": (400 * _MEBI, 3 * _GIBI, 18 * _GIBI, 16 * _GIBI),
    "run_bytes": (128 * _MEBI, 256 * _MEBI, 512 * _MEBI, 2 * _GIBI),
    # None beside a GPU: CUDA maps the device's memory, which would count.
    "worker_bytes": (2560 * _MEBI, 5 * _GIBI, 7 * _GIBI, None),
}
_SIZES: Final[tuple[Profile, ...]] = ("hosted-xs", "hosted-s", "hosted-m", "hosted-gpu")
PROFILES: Final[dict[Profile, Limits]] = {
    "local": Limits(),
    **{
        profile: Limits.model_validate({limit: values[place] for limit, values in _HOSTED.items()})
        for place, profile in enumerate(_SIZES)
    },
}
