"""From settings to the controls that ask for them: what a link and a settings file have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import streamlit as st

from oversmooth import mitigations
from oversmooth.core.pairs import named, parts
from oversmooth.core.texts import bundled
from oversmooth.core.wording import count, enumerated, shortened
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.declared import (
    ALWAYS,
    CURVES,
    LAYER_ASKED_FOR,
    SOURCE_KEYS,
    Curves,
    PageName,
    declared,
)
from oversmooth.dashboard.controls.state import keep
from oversmooth.dashboard.controls.texts import are_lines, examples, show_texts
from oversmooth.dashboard.controls.variants import Variant, compared, control_value, labelled, newcomers
from oversmooth.dashboard.markdown import plain
from oversmooth.results.comparison import MOST_VARIANTS
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import AnySettings
from oversmooth.results.settings import Settings
from oversmooth.results.view import View

_SUPERSETS = {"schema_version", "metrics", "similarity", *ALWAYS["compare"]}
"""Fields of which a page measures no less than any settings ask for, and those that it draws apart."""


@cache
def usual(page: PageName) -> AnySettings:
    """What a page measures before anything is changed, on a server without limits: what an address leaves out."""
    texts = tuple(each.text for each in bundled()) if page == "explain" else examples()[0].text
    baseline = Settings.of(texts=texts, **ALWAYS[page])
    if page != "compare":
        return baseline
    return compared(baseline, labelled(newcomers()))[0]


def opening(page: PageName) -> AnySettings:
    """What a page of this server measures before anything is changed."""
    return clamped(usual(page))[0]


def page_of(settings: AnySettings) -> PageName:
    """The page that has controls for settings."""
    if isinstance(settings, ComparisonSettings):
        return "compare"
    return "explain" if settings.explanation else "measure"


def clamped(settings: AnySettings) -> tuple[AnySettings, list[str]]:
    """The settings as this server can measure them, and a sentence for each thing that had to change.

    Texts are left alone: the control that holds them says what is wrong with them.
    """
    if not isinstance(settings, ComparisonSettings):
        return _clamped(settings)
    baseline, notices = _clamped(settings.baseline)
    models, most, sides = limits.models(), limits.most_variants(), []
    for label, side in settings.variants[:most]:
        shared = _shared(side, settings.baseline)
        changed = {name: getattr(baseline, name) for name in shared}
        if "model" not in shared and models is not None:
            model = models.find(side.model)
            if model is None:
                notices.append(
                    f"The variant “{shortened(label)}” is left out: its model, “{shortened(side.model)}”, is not on "
                    "the list of this server."
                )
                continue
            changed["model"] = model.name
        sides.append((label, side.model_copy(update=changed)))
    if (variants := len(settings.variants)) > most:
        who = "the page takes" if most == MOST_VARIANTS else "the limit “variants” of this server is"
        notices.append(f"There are {variants} variants, and {who} {most}: the first ones are shown.")
    return settings.model_copy(update={"baseline": baseline, "variants": tuple(sides)}), notices


def _clamped(settings: Settings) -> tuple[Settings, list[str]]:
    cuts = [control.cut(settings) for control in declared(Settings)]
    fields = {name: value for changed, _ in cuts for name, value in changed.items()}
    return settings.model_copy(update=fields), [sentence for _, sentences in cuts for sentence in sentences]


def _shared(side: Settings, baseline: Settings) -> list[str]:
    return [name for name in Settings.model_fields if getattr(side, name) == getattr(baseline, name)]


def restore(settings: AnySettings, view: View | None = None) -> list[str]:
    """Set every control, before it is drawn; give a sentence for each thing that no control can say.

    Without a view, what is drawn of the measured stays as it is.
    """
    granted, notices = clamped(settings)
    baseline = granted.baseline if isinstance(granted, ComparisonSettings) else granted
    page = page_of(granted)
    controls = declared(Settings, page)
    for control in controls:
        control.restore(baseline)
    show_texts(baseline.texts, SOURCE_KEYS[page])
    if curves := CURVES.get(page):
        curves.restore(baseline)
    said = ["texts", *ALWAYS[page], *(control.sets for control in controls), *["points"] * (page == "explain")]
    notices += _unsaid(baseline, said, "")
    if isinstance(granted, ComparisonSettings) and isinstance(settings, ComparisonSettings):
        # Places are also of the variants that this server does not take.
        places = (view and view.places) or range(1, len(settings.variants) + 1)
        placed = dict(zip(dict(settings.variants), places, strict=True))
        notices += _restore_variants(granted, view or View(), placed)
    if view is None:
        return notices
    for control in declared(View):
        # What is drawn is shared by all pages, but for the curves.
        if page in control.pages or not isinstance(control, Curves):
            control.restore(view)
    st.session_state[LAYER_ASKED_FOR] = view.layer
    foreign = [name for name in view.curves or () if curves and name not in curves.known()]
    return notices + ([f"{enumerated(foreign)} can be drawn beside a baseline alone."] if foreign else [])


def _restore_variants(asked: ComparisonSettings, view: View, places: Mapping[str, int]) -> list[str]:
    sides: list[Variant] = []
    notices = []
    for number, (label, settings) in enumerate(asked.variants, 1):
        sides.append(variant_of(number, label, settings, asked.baseline))
        sides[-1].place = places[label]
        if label == view.mapped or number == 1:
            keep("mapped", sides[-1].place)
        texts = ["texts"] if are_lines(settings.texts) else []
        said = ["model", "mitigations", *_shared(settings, asked.baseline), *texts]
        notices += _unsaid(settings, said, f"of the variant “{label}” ")
    st.session_state.variants = sides
    st.session_state.variant_number = MOST_VARIANTS
    keep("chosen_variant", view.edited)
    return notices


def variant_of(number: int, label: str, settings: Settings, baseline: Settings) -> Variant:
    """The variant whose controls ask for these settings beside that baseline."""
    methods = {
        method.declaration.name: {
            name: control_value(parameter, getattr(method, name))
            for name, parameter in mitigations.get(method.declaration.name).parameters().items()
        }
        for method in settings.methods
    }
    own_model = settings.model if settings.model != baseline.model else ""
    several = len(settings.texts) > 1 and are_lines(settings.texts)
    first, *second = parts(settings.texts[0])
    own_text = "\n".join(map(named, settings.texts)) if several else first
    own = (own_text, several, "".join(second)) if settings.texts != baseline.texts else ("", False, "")
    variant = Variant(number, methods, own_model, *own)
    if variant.label != label:
        variant.name = label
    return variant


def _unsaid(settings: Settings, said: Sequence[str], whose: str) -> list[str]:
    notices = []
    if len(settings.texts) > 1 and "texts" not in said:
        texts = count(len(settings.texts), "text")
        notices.append(
            f"Texts of several lines and pairs fit a variant one at a time: the first {whose}of {texts} is taken."
        )
    page_settings = Settings.of(texts=settings.texts)
    unsaid = [
        name
        for name in Settings.model_fields
        if name not in _SUPERSETS | {*said} and getattr(settings, name) != getattr(page_settings, name)
    ]
    if unsaid:
        fields = enumerated([f"“{name}”" for name in unsaid])
        notices.append(f"The page has no control for {fields} {whose}and measures without.")
    return notices


def notify(sentences: Sequence[str]) -> None:
    """Have :func:`draw_notices` show sentences above the page until the reader closes them."""
    st.session_state["told"] = list(sentences)


def draw_notices() -> None:
    """Draw what the page has to say of a link or a settings file."""
    if not (sentences := st.session_state.get("told")):
        return
    with st.container(horizontal=True, key="told"):
        st.info("\n\n".join(map(plain, sentences)), icon=":material/link:")
        st.button("Close", key="told_close", type="tertiary", on_click=lambda: st.session_state.pop("told", None))
