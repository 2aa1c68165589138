"""How a setting travels is told in docs/architecture.md, stop by stop: those stops are what happens."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType

from tiny import with_head

import oversmooth
from oversmooth import Settings, measure
from oversmooth.measuring.preparing import Prepared

HOUSE = Path(oversmooth.__file__).parent
GUIDE = HOUSE.parent / "docs" / "architecture.md"
STOP = re.compile(r"^\| \d+ \| `([\w.]+)`", re.MULTILINE)
MOST_STAYS, MOST_RETURNS = 40, 12


def holds_settings(value: object) -> bool:
    return isinstance(value, Settings | Prepared) or (
        type(value).__module__.startswith("oversmooth.")
        and any(isinstance(each, Settings | Prepared) for each in getattr(value, "__dict__", {}).values())
    )


def walked(settings: Settings) -> list[tuple[str, str]]:
    """Module and name of each function that is handed the settings, or something that holds them."""
    model, stops = with_head("gpt2"), list[tuple[str, str]]()
    measure(settings.baseline().model_copy(update={"texts": ("rain",), "fidelity": False}), model=model)

    def see(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(str(HOUSE)) or code.co_name.startswith("<"):
            return
        if code.co_name == "__set__":  # a field of a result is kept, as any other
            return
        given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(holds_settings(frame.f_locals.get(name)) for name in given):
            stops.append((Path(code.co_filename).stem, code.co_qualname))

    sys.setprofile(see)
    try:
        measure(settings, model=model)
    finally:
        sys.setprofile(None)
    return stops


def test_the_stops_of_the_guide_are_those_of_a_run() -> None:
    texts = ("the cat sat on the mat", "sun moon")
    settings = Settings.of(texts=texts, explanation=True, language_model=True, fidelity=True, mitigations="no_diagonal")
    stops = walked(settings)
    told = STOP.findall(GUIDE.read_text())
    assert told == [name if "." in name else f"{module}.{name}" for module, name in stops]
    assert len(stops) <= MOST_STAYS
    assert len(stops) - len(set(stops)) <= MOST_RETURNS
