"""Whether a run repeats an earlier one: what differs of its circumstances, and by how much its numbers do."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from oversmooth.core import points
from oversmooth.core.errors import SettingsError
from oversmooth.results.files.data import data
from oversmooth.results.files.tables import Table, all_tables

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement
    from oversmooth.results.record import Record

TOLERANCE: Final = 1e-4
"""Largest relative difference between machines.

States are float32 and pass through dozens of products whose sums each kernel takes in another order: from one
instruction set to another, those of the default model move by up to 2·10⁻⁵. The metrics themselves are float64."""
SMALL: Final = 0.01
"""Share of the largest value of a curve or a spectrum. What is smaller is compared with that share: a cosine that
happens to be near 0 has no digits of its own."""


@dataclass(frozen=True)
class Agreement:
    """How the numbers of one table compare with those of an earlier run."""

    table: str
    same_bytes: bool
    difference: float
    """Largest relative difference; infinite where a number is on one side alone."""
    where: str
    """Of which number; empty where there is none."""

    @property
    def repeated(self) -> bool:
        """Whether the numbers lie within the tolerance."""
        return self.same_bytes or self.difference <= TOLERANCE


_COLUMNS: Final[dict[str, str]] = {
    "label": "str",
    "input": "Int64",
    "layer": "Int64",
    "head": "Int64",
    "token": "Int64",
    "component": "Int64",
    "value": "float64",
    "gain": "float64",
    "real": "float64",
    "imaginary": "float64",
    **dict.fromkeys(("point", "other", "metric", "quantity", "norm", "form", "kind"), "str"),
}


def agreements(result: Measurement | Comparison, earlier: Mapping[str, bytes]) -> list[Agreement]:
    """Each earlier CSV file beside that of the result.

    Args:
        result: what was measured now.
        earlier: CSV files by name.

    Raises:
        SettingsError: where an earlier file is no such table.
    """
    now = data(result, ["csv"])
    compared = {f"{name}.csv": table for name, table in all_tables().items() if table.scale}
    found = []
    for name, before in earlier.items():
        if now.get(name) == before:
            found.append(Agreement(name, same_bytes=True, difference=0.0, where=""))
        elif name in compared:
            ours, theirs = (_numbers(content, name, compared[name]) for content in (now.get(name, b""), before))
            found.append(_compared(name, compared[name].scale, theirs, ours))
    return found


def _numbers(content: bytes, name: str, declared: Table) -> pd.DataFrame:
    """What is compared of a file."""
    if not content:
        return pd.DataFrame(columns=[*declared.scale, "value"])
    empty = {column: [""] for column, kind in _COLUMNS.items() if kind != "str"}
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=_COLUMNS, keep_default_na=False, na_values=empty)
        return declared.compared(table)
    except (KeyError, ValueError) as error:
        raise SettingsError(f"The earlier {name} is no table of Oversmooth's ({error}).") from error


def _compared(name: str, scale: Sequence[str], before: pd.DataFrame, now: pd.DataFrame) -> Agreement:
    keys = [column for column in before if column != "value"]
    if keys != [column for column in now if column != "value"]:
        return Agreement(name, same_bytes=False, difference=math.inf, where="other columns")
    both = before.merge(now, on=keys, how="outer", suffixes=("_before", "_now"))
    old, new = both["value_before"].abs(), both["value_now"].abs()
    largest_of_each = both.assign(size=old.fillna(0)).groupby(list(scale), sort=False)["size"].transform("max")
    size = pd.concat([old, new, SMALL * largest_of_each], axis="columns").max(axis="columns")
    change = (both["value_before"] - both["value_now"]).abs()
    relative = (change / size.where(size > 0, 1.0)).where(old.notna() | new.notna(), 0.0).fillna(math.inf)
    if relative.empty:
        return Agreement(name, same_bytes=False, difference=0.0, where="")
    largest = int(relative.to_numpy().argmax())
    return Agreement(name, same_bytes=False, difference=float(relative.iloc[largest]), where=_place(both.iloc[largest]))


def _place(row: pd.Series) -> str:
    name = next((str(row[column]) for column in ("metric", "quantity") if column in row), "")
    if not name:
        kind = "eigenvalue" if "head" in row else "singular value"
        name = f"{kind} {row['component']}" if "component" in row else "value"
    named = [name, *([f"at {points.title(str(row['point']))}"] if "point" in row else [])]
    named += [f"of {noun} {row[noun]}" for noun in ("layer", "head") if noun in row and not pd.isna(row[noun])]
    named += [f"of text {row['input'] + 1}"] if "input" in row and not pd.isna(row["input"]) else []
    return f"{' '.join(named)}, {row['label']}"


def differences(before: Mapping[str, Record], now: Mapping[str, Record]) -> list[str]:
    """What is not as it was when an earlier run was recorded, one line each; by label, both."""
    sides: dict[str, list[str]] = {}
    for label, record in now.items():
        for line in _differences(before[label], record) if label in before else ():
            sides.setdefault(line, []).append(label)
    return [line if len(labels) == len(now) else f"{', '.join(labels)}: {line}" for line, labels in sides.items()]


def _differences(before: Record, now: Record) -> Iterator[str]:
    old, new = _circumstances(before), _circumstances(now)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield f"{name} was {old.get(name, 'not there')}, now {new.get(name, 'not there')}"


def _circumstances(record: Record) -> dict[str, str]:
    here, model = record.environment, record.model
    return {
        "Oversmooth": here.oversmooth,
        "Python": here.python,
        **here.libraries,
        **{f"the plug-in {name}": version for name, version in here.plugins.items()},
        "the platform": here.platform,
        "the device": f"{here.device} ({here.device_name})",
        "the instruction set": here.instructions,
        "the number of threads": str(here.threads),
        "the type of numbers": here.dtype,
        "the attention implementation": here.attention,
        "the model's commit": model.commit or "unknown",
        "the architecture": model.architecture,
        **{f"the tokenizer's {name}": f"SHA-256 {digest[:12]}…" for name, digest in model.tokenizer_sha256.items()},
    }


def other_weights(before: Mapping[str, Record], now: Mapping[str, Record]) -> list[str]:
    """A sentence for each model whose weight files are not those of the record."""
    found = {}
    for label, record in now.items():
        old, new = before.get(label, record).model.weights_sha256, record.model.weights_sha256
        changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        if changed:
            was, are = (hashes.get(changed[0], "not there")[:12] for hashes in (old, new))
            found[record.model.name] = (
                f"The weights of “{record.model.name}” are not those of the record ({changed[0]}: SHA-256 {was}… then, "
                f"{are}… now). This is another model, and what follows does not repeat the earlier run."
            )
    return list(found.values())
