"""How figures are exported: one set of choices for all charts, remembered for the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from oversmooth.dashboard.controls.state import bound, hold, keep, last
from oversmooth.report.export.formats import figure_formats
from oversmooth.report.export.images import RESOLUTIONS
from oversmooth.report.paper.presets import LARGEST_POINTS, PRESETS, SMALLEST_POINTS, WIDTHS, Preset
from oversmooth.results.files.formats import number_formats


def _by_title(*, bundled: bool) -> dict[str, tuple[str, ...]]:
    """What is chosen together, of a bundle or of one figure, which brings what else it needs."""
    found: dict[str, tuple[str, ...]] = {}
    for name, each in figure_formats().items():
        if each.bundled or not bundled:
            found[each.title] = (*found.get(each.title, ()), *(() if bundled else each.brings), name)
    return found


FORMATS = _by_title(bundled=False)
"""What is written of a figure; LaTeX takes several files, in a zip."""
ZIP_FIGURES = _by_title(bundled=True)
"""What the zip of everything may hold of each figure."""
ZIP_NUMBERS = {each.title: name for name, each in number_formats().items()}
"""What it may hold of the numbers."""
CUSTOM = "custom"
_SIZES = {**{name: preset.title for name, preset in PRESETS.items()}, CUSTOM: "Custom width"}
_USUAL: Final[Mapping[str, Any]] = {
    "format": "PDF",
    "size": "single",
    "serif": "Sans",
    "resolution": RESOLUTIONS[0],
    "zip figures": ["PDF"],
    "zip numbers": ["CSV"],
}


def chosen(name: str) -> Any:  # noqa: ANN401  of any control
    """What was chosen last of the format, the resolution and the like."""
    return last(f"export {name}", _USUAL[name])


def _sized() -> tuple[str, Preset]:
    """The size chosen, and the preset that it begins with."""
    size = chosen("size")
    return size, PRESETS["single" if size == CUSTOM else size]


def preset() -> Preset:
    """The size and type chosen.

    Raises:
        OutputError: where they leave no room for a chart.
    """
    size, base = _sized()
    return replace(
        base,
        title=_SIZES[size],
        width=last("export width", base.width) if size == CUSTOM else base.width,
        points=last(f"export points {size}", base.points),
        typeface="serif" if chosen("serif") == "Serif" else "sans",
        titled=last(f"export titled {size}", base.titled),
    )


def draw_choices(menu: str) -> None:
    """Draw the choices in one of several menus, by its key; all show the same."""
    st.segmented_control("Format", list(FORMATS), required=True, **_shared("format", menu))
    match chosen("format"):
        case "HTML":
            st.caption("One page that needs no network, of the size of the screen.")
            return
        case "LaTeX":
            st.caption("A zip: the PDF, its figure environment with a caption, and a pgfplots drawing of curves.")
        case "PNG":
            st.segmented_control("Dots per inch", list(RESOLUTIONS), required=True, **_shared("resolution", menu))
    st.selectbox("Size", list(_SIZES), format_func=_SIZES.__getitem__, **_shared("size", menu))
    size, base = _sized()
    fixed = size != CUSTOM
    width, points = st.columns(2)
    with width:
        shown = _shared(f"width of {size}" if fixed else "width", menu, base.width)
        st.number_input("Width, in", *WIDTHS, step=0.25, format="%.2f", disabled=fixed, **shown)
    with points:
        bounds = (SMALLEST_POINTS, LARGEST_POINTS)
        st.number_input("Text, pt", *bounds, step=0.5, format="%.1f", **_shared(f"points {size}", menu, base.points))
    with st.container(horizontal=True, vertical_alignment="center"):
        faces = ["Sans", "Serif"]
        st.segmented_control("Typeface", faces, required=True, label_visibility="collapsed", **_shared("serif", menu))
        st.toggle("Title above", **_shared(f"titled {size}", menu, base.titled))


def draw_zip_choices() -> None:
    """Draw the choice of what is in the zip of everything."""
    for label, titles in {"Figures": [*ZIP_FIGURES], "Numbers": [*ZIP_NUMBERS]}.items():
        name = f"zip {label.lower()}"
        st.pills(label, titles, selection_mode="multi", **bound(f"export {name}", list(chosen(name))))
    st.caption("PDF and CSV take a few seconds; each further format of the figures about as long again.")


def zip_parts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the figures and of the numbers, what the zip of everything holds."""
    figures = [form for name, some in ZIP_FIGURES.items() if name in chosen("zip figures") for form in some]
    return tuple(figures), tuple(form for name, form in ZIP_NUMBERS.items() if name in chosen("zip numbers"))


def _shared(name: str, menu: str, usual: Any = None) -> dict[str, Any]:  # noqa: ANN401  of any control
    """Arguments of one of several controls of the same choice."""
    key, own = f"export {name}", f"{menu} export {name}"
    hold(own, last(key, _USUAL.get(name, usual)))

    def take() -> None:
        # A browser that draws a menu anew may send the empty choice that it begins with, before it has been told.
        if st.session_state[own] is not None:
            keep(key, st.session_state[own])

    return {"key": own, "on_change": take}
