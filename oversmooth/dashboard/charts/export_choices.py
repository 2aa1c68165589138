"""How figures are exported: one set of choices for all charts, remembered for the session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from oversmooth.core.errors import OutputError
from oversmooth.dashboard.controls.state import hold, keep, last, remembered
from oversmooth.dashboard.markdown import plain
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
CUSTOM = "custom"
ZIP_FIGURES = _by_title(bundled=True)
"""What the zip of everything may hold of each figure."""
ZIP_NUMBERS = {each.title: name for name, each in number_formats().items()}
"""What it may hold of the numbers."""
QUICK_FIGURES, QUICK_NUMBERS = ("PDF",), ("CSV",)
"""What it holds before anything is chosen."""
_SIZES = {**{name: preset.title for name, preset in PRESETS.items()}, CUSTOM: "Custom width"}
_FORMAT, _SIZE, _WIDTH, _POINTS, _SERIF, _TITLED, _RESOLUTION, _ZIP_FIGURES, _ZIP_NUMBERS = (
    f"export {name}"
    for name in ("format", "size", "width", "points", "serif", "titled", "resolution", "zip figures", "zip numbers")
)


def preset() -> Preset:
    """The size and type chosen.

    Raises:
        OutputError: where they leave no room for a chart.
    """
    size = last(_SIZE, "single")
    base = PRESETS["single" if size == CUSTOM else size]
    return replace(
        base,
        title=_SIZES[size],
        width=last(_WIDTH, base.width) if size == CUSTOM else base.width,
        points=last(f"{_POINTS} {size}", base.points),
        typeface="serif" if last(_SERIF, "Sans") == "Serif" else "sans",
        titled=last(f"{_TITLED} {size}", base.titled),
    )


def preset_or_usual() -> Preset:
    """The size and type chosen, or those of a column where they do not go together."""
    try:
        return preset()
    except OutputError:
        return PRESETS["single"]


def resolution() -> int:
    """Dots per inch of PNG."""
    dots: int = last(_RESOLUTION, RESOLUTIONS[0])
    return dots


def forms() -> tuple[str, tuple[str, ...]]:
    """The format chosen, and the files that it takes."""
    name: str = last(_FORMAT, "PDF")
    return name, FORMATS[name]


def draw_choices(menu: str) -> None:
    """Draw the choices in one of several menus, by its key; all show the same."""
    st.segmented_control("Format", list(FORMATS), required=True, **_shared(_FORMAT, "PDF", menu))
    chosen, _ = forms()
    if chosen == "HTML":
        st.caption("One page that needs no network, of the size of the screen.")
        return
    if chosen == "LaTeX":
        st.caption("A zip: the PDF, its figure environment with a caption, and a pgfplots drawing of curves.")
    if chosen == "PNG":
        st.segmented_control(
            "Dots per inch", list(RESOLUTIONS), required=True, **_shared(_RESOLUTION, RESOLUTIONS[0], menu)
        )
    _sizes(menu)


def _sizes(menu: str) -> None:
    st.selectbox("Size", list(_SIZES), format_func=_SIZES.__getitem__, **_shared(_SIZE, "single", menu))
    size = last(_SIZE, "single")
    base = PRESETS["single" if size == CUSTOM else size]
    width, points = st.columns(2)
    with width:
        low, high = WIDTHS
        shown = _shared(_WIDTH, base.width, menu) if size == CUSTOM else _fixed(f"{_WIDTH} of {size}", base.width, menu)
        st.number_input("Width, in", low, high, step=0.25, format="%.2f", disabled=size != CUSTOM, **shown)
    with points:
        bounds = (SMALLEST_POINTS, LARGEST_POINTS)
        st.number_input("Text, pt", *bounds, step=0.5, format="%.1f", **_shared(f"{_POINTS} {size}", base.points, menu))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Typeface", ["Sans", "Serif"], required=True, label_visibility="collapsed", **_shared(_SERIF, "Sans", menu)
        )
        st.toggle("Title above", **_shared(f"{_TITLED} {size}", base.titled, menu))


def draw_zip_choices() -> None:
    """Draw the choice of what is in the zip of everything."""
    figures, numbers = remembered(_ZIP_FIGURES, list(QUICK_FIGURES)), remembered(_ZIP_NUMBERS, list(QUICK_NUMBERS))
    st.pills("Figures", list(ZIP_FIGURES), selection_mode="multi", **figures)
    st.pills("Numbers", list(ZIP_NUMBERS), selection_mode="multi", **numbers)
    st.caption("PDF and CSV take a few seconds; each further format of the figures about as long again.")


def zip_parts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the figures and of the numbers, what the zip of everything holds."""
    figures, numbers = last(_ZIP_FIGURES, QUICK_FIGURES), last(_ZIP_NUMBERS, QUICK_NUMBERS)
    forms = tuple(form for name, some in ZIP_FIGURES.items() if name in figures for form in some)
    return forms, tuple(form for name, form in ZIP_NUMBERS.items() if name in numbers)


def checked_preset() -> Preset | None:
    """The size and type chosen, or None after telling why they do not go together."""
    try:
        return preset()
    except OutputError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _shared(key: str, usual: Any, menu: str) -> dict[str, Any]:  # noqa: ANN401  of any control
    """Arguments of one of several controls of the same choice."""
    own = f"{menu} {key}"
    hold(own, last(key, usual))

    def chosen() -> None:
        # A browser that draws a menu anew may send the empty choice that it begins with, before it has been told.
        if st.session_state[own] is not None:
            keep(key, st.session_state[own])

    return {"key": own, "on_change": chosen}


def _fixed(key: str, value: Any, menu: str) -> dict[str, Any]:  # noqa: ANN401
    own = f"{menu} {key}"
    hold(own, value)
    return {"key": own}
