"""Under every chart, the chart as a file; under every result, its numbers as files.

Nothing is drawn or written before a button is pressed, and then by a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import streamlit as st

from oversmooth.core.errors import OutputError
from oversmooth.core.progress import sentence
from oversmooth.dashboard.charts import export_choices
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment, others_draw, page_owner
from oversmooth.report.export.contents import Parts
from oversmooth.report.export.formats import figure_formats
from oversmooth.report.export.images import missing_characters
from oversmooth.report.export.requests import ChartFile, Everything, Export, NumbersFile, SettingsFile
from oversmooth.report.figures.registry import Drawable
from oversmooth.report.paper.chart import Chart
from oversmooth.report.paper.presets import PRESETS, Preset
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.formats import number_formats
from oversmooth.results.files.names import SETTINGS
from oversmooth.results.measurement import Measurement
from oversmooth.service.engine.engine import shared_engine
from oversmooth.service.server.offered_file import Wanted

_TYPES: Final = {
    "zip": "application/zip",
    **{name: each.media_type for name, each in figure_formats().items()},
    **{name: each.media_type for name, each in number_formats().items()},
}
_NOTED, _ASKED = "export noted", "zip asked for"
_ARRIVAL_SECONDS: Final = 1.0
"""How long after a press the wish for the file itself may arrive."""
_POLL_SECONDS: Final = 0.01
_SHOWN_SECONDS: Final = 0.25
"""Between two looks at how far a zip is."""


@dataclass(frozen=True)
class Paper:
    """A chart of the page as it goes to paper."""

    result: Measurement | Comparison
    name: str
    """That of its files."""
    figure: Drawable
    """In the light theme, whatever the screen shows."""


def export_menu(paper: Paper, key: str) -> None:
    """Draw the button under a chart, and behind it how the chart is to be written."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        menu = st.popover("Export", type="tertiary", icon=":material/download:", key=f"export_{key}", on_change="rerun")
    if not menu.open:
        return
    with menu:
        export_choices.draw_choices(key)
        try:
            preset = export_choices.preset()
        except OutputError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        name = export_choices.chosen("format")
        forms = export_choices.FORMATS[name]
        ending = "zip" if len(forms) > 1 else forms[0]
        if ending != "html":
            _tell_missing(paper, preset)
        _download(
            f"Download {name}",
            partial(
                ChartFile, paper.result, paper.name, paper.figure, forms, preset, export_choices.chosen("resolution")
            ),
            f"{paper.name}.{ending}",
            f"download_{key}",
        )


def note_choices(point: str, *, lines: bool = False) -> None:
    """Have the zip of everything take the choices of the session; in every part of the page that can change them."""
    figures, formats = export_choices.zip_parts()
    preset = PRESETS["single"]
    with suppress(OutputError):  # told in the menu
        preset = export_choices.preset()
    parts = Parts(formats, figures, preset, export_choices.chosen("resolution"), point, lines)
    st.session_state.setdefault(_NOTED, {}).update(vars(parts))


def data_row(result: Measurement | Comparison) -> None:
    """Draw the buttons that write the numbers of a result, and all of it in one zip.

    Outside the parts that redraw by themselves: a button that is pressed while it is drawn anew finds no file.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="data"):
        _zip(result)
        for title, form in export_choices.ZIP_NUMBERS.items():
            ending = form if number_formats()[form].file else "zip"
            name = f"oversmooth-{form}.zip" if ending == "zip" else f"oversmooth.{form}"
            _download(title, partial(NumbersFile, result, form), name, f"download_{form}")
        _download(
            "Settings",
            partial(SettingsFile, result),
            SETTINGS,
            "download_settings",
            help="Drop the file into the sidebar, or `oversmooth run settings.json`, to have all this again.",
        )


@fragment
def _zip(result: Measurement | Comparison) -> None:
    """The zip of everything, the choice of what is in it, and how far it is once it was asked for."""
    # The session is out of reach when the button is pressed; what is in it is not.
    noted = st.session_state[_NOTED]
    with st.container(horizontal=True, vertical_alignment="center"):
        _download(
            "Everything in one zip",
            lambda: Everything(result, Parts(**noted)),
            "oversmooth.zip",
            "download_bundle",
            help="One zip: figures in the size and type chosen last under a chart, numbers, settings, the record of "
            "how they came about, and how to repeat them.",
            on_click=_note_zip,
        )
        with st.popover(
            "In it", type="tertiary", icon=":material/tune:", key="zip_parts", on_change="rerun"
        ) as choices:
            if choices.open:
                export_choices.draw_zip_choices()
    noted["figures"], noted["formats"] = export_choices.zip_parts()
    if st.session_state.pop(_ASKED, False):
        _show_progress()


def _note_zip() -> None:
    """Once the button was pressed, have it drawn anew only when the engine knows of it: drawn anew, it is another."""
    st.session_state[_ASKED] = True
    page, until = page_owner(), time.monotonic() + _ARRIVAL_SECONDS
    while page is not None and shared_engine().exporting(page) is None and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _show_progress() -> None:
    """Draw how far the zip is, and a button that gives it up, until it is there."""
    page = page_owner()
    if page is None or shared_engine().exporting(page) is None:
        return
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0)
        st.button("Stop", key="stop_zip", on_click=shared_engine().stop_exporting, args=(page,))
    with others_draw():
        while (step := shared_engine().exporting(page)) is not None:
            bar.progress(step.fraction, text=plain(sentence(step)))
            time.sleep(_SHOWN_SECONDS)
    place.empty()


def _download(
    label: str,
    make: Callable[[], Export],
    file_name: str,
    key: str,
    help: str | None = None,
    on_click: Callable[[], None] | Literal["ignore"] = "ignore",
) -> None:
    media_type = _TYPES[file_name.rpartition(".")[2]]
    st.download_button(
        label,
        Wanted(make, page_owner(), file_name, media_type),
        file_name=file_name,
        mime=media_type,
        key=key,
        help=help,
        on_click=on_click,
        icon=":material/download:",
    )


def _tell_missing(paper: Paper, preset: Preset) -> None:
    """Say which characters paper will not show; matplotlib, which knows, is asked only about rare ones."""
    figure, title = paper.figure.build(), paper.figure.title
    if (canvas := getattr(figure, "canvas", None)) is None:
        return
    # The fonts that come with matplotlib have European scripts, punctuation and mathematics.
    written = set("".join((*Chart(canvas).words(), title)))
    if all(sign < "\u0530" or "\u1e00" <= sign < "\u2300" for sign in written):
        return
    if missing := missing_characters(figure, preset, title=title):
        st.caption(plain(f"No font on this machine has {missing}: on paper, code points stand in their place."))
