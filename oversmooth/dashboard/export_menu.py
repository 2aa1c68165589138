"""Under every chart, the chart as a file; under every result, its numbers as files.

Nothing is drawn or written before a button is pressed, and matplotlib is not loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Final

import streamlit as st

from oversmooth.comparison import Comparison
from oversmooth.dashboard import export_choices
from oversmooth.dashboard.prose import plain
from oversmooth.export.bundle import bundle, zipped
from oversmooth.export.contents import settings_of
from oversmooth.export.data import data
from oversmooth.export.drawings import drawings
from oversmooth.export.images import missing_characters
from oversmooth.export.names import SETTINGS, FigureForm, Format
from oversmooth.export.paper.chart import Chart
from oversmooth.export.paper.presets import Preset
from oversmooth.figures.drawable import Drawable
from oversmooth.measurement import Measurement

_TYPES: Final = {
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html",
    "json": "application/json",
    "npz": "application/octet-stream",
    "zip": "application/zip",
}
_NUMBERS: Final[Mapping[str, Format]] = {"CSV": "csv", "Parquet": "parquet", "NPZ": "npz", "JSON": "json"}
_NOTED: Final = "export noted"


@dataclass(frozen=True)
class Paper:
    """A chart of the page as it goes to paper."""

    result: Measurement | Comparison
    name: str
    """That of its files."""
    figure: Drawable
    """In the light theme, whatever the screen shows."""

    def file(self, forms: tuple[FigureForm, ...], preset: Preset, dpi: int) -> bytes:
        """The chart as a file, or as a zip where it takes several."""
        files = drawings(self.result, {self.name: self.figure}, forms, preset, dpi=dpi)
        return zipped(files) if len(forms) > 1 else next(iter(files.values()))


def export_menu(paper: Paper, key: str) -> None:
    """Draw the button under a chart, and behind it how the chart is to be written."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        menu = st.popover("Export", type="tertiary", icon=":material/download:", key=f"export_{key}", on_change="rerun")
    if not menu.open:
        return
    with menu:
        export_choices.choices(key)
        preset = export_choices.fitting()
        if preset is None:
            return
        name, forms = export_choices.forms()
        ending = "zip" if len(forms) > 1 else forms[0]
        if ending != "html":
            _tell_missing(paper, preset)
        _download(
            f"Download {name}",
            partial(paper.file, forms, preset, export_choices.resolution()),
            f"{paper.name}.{ending}",
            f"download_{key}",
        )


def note_choices(point: str, *, lines: bool = False) -> None:
    """Have the zip of everything take the choices of the session; in every part of the page that can change them.

    Args:
        point: where its maps and spectra are read.
        lines: whether its curves have a thin line for each of several texts.
    """
    noted = st.session_state.setdefault(_NOTED, {})
    noted.update(preset=export_choices.possible(), dpi=export_choices.resolution(), point=point, lines=lines)


def data_row(result: Measurement | Comparison) -> None:
    """Draw the buttons that write the numbers of a result, and all of it in one zip.

    Outside the parts that redraw by themselves: a button that is pressed while it is drawn anew finds no file.
    """
    # The session is out of reach when the button is pressed; what is in it is not.
    noted = st.session_state[_NOTED]
    with st.container(horizontal=True, vertical_alignment="center", key="data"):
        everything = partial(_everything, result, noted)
        _download("Everything in one zip", everything, "oversmooth.zip", "download_bundle", help=_CONTENTS)
        for title, form in _NUMBERS.items():
            ending = "zip" if form in ("csv", "parquet") else form
            name = f"oversmooth-{form}.zip" if ending == "zip" else f"oversmooth.{form}"
            _download(title, partial(_numbers, result, form), name, f"download_{form}")
        _download(
            "Settings",
            lambda: settings_of(result).to_json().encode(),
            SETTINGS,
            "download_settings",
            help="Drop the file into the sidebar, or `oversmooth run settings.json`, to have all this again.",
        )


_MAKING: Final = Lock()

_CONTENTS: Final = (
    "One zip: figures in the size and type chosen last under a chart, numbers, settings, the record of how they came "
    "about, and how to repeat them."
)


def _everything(result: Measurement | Comparison, noted: Mapping[str, Any]) -> bytes:
    return bundle(result, **noted)


def _numbers(result: Measurement | Comparison, form: Format) -> bytes:
    files = data(result, [form])
    return zipped(files) if form in ("csv", "parquet") else next(iter(files.values()))


def _download(label: str, make: Callable[[], bytes], file_name: str, key: str, help: str | None = None) -> None:
    st.download_button(
        label,
        partial(_in_turn, make),
        file_name=file_name,
        mime=_TYPES[file_name.rpartition(".")[2]],
        key=key,
        help=help,
        on_click="ignore",
        icon=":material/download:",
    )


def _in_turn(make: Callable[[], bytes]) -> bytes:
    # Files are made in the process that draws the pages: one at a time, they leave the others a core.
    with _MAKING:
        return make()


def _tell_missing(paper: Paper, preset: Preset) -> None:
    """Say which characters paper will not show; matplotlib, which knows, is asked only about rare ones."""
    figure = paper.figure.build()
    if all(map(_common, "".join((*Chart.of(figure).words(), paper.figure.title)))):
        return
    if missing := missing_characters(figure, preset, title=paper.figure.title):
        st.caption(plain(f"No font on this machine has {missing}: on paper, code points stand in their place."))


def _common(character: str) -> bool:
    """Whether the fonts that come with matplotlib have it: European scripts, punctuation and mathematics."""
    return character < "\u0530" or "\u1e00" <= character < "\u2300"
