"""A baseline and its variants → Comparison: what pages, command line and notebooks call. Loads torch when it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from oversmooth.core.errors import CancelledError, OversmoothError, SettingsError
from oversmooth.core.progress import Progress, Report, silent
from oversmooth.mitigations import Mitigation, parse
from oversmooth.models.given import refuse_other_models
from oversmooth.results.comparison import BASELINE, Comparison, check_labels
from oversmooth.results.settings import Settings

if TYPE_CHECKING:
    from oversmooth.models.loaded import LoadedModel
    from oversmooth.results.measurement import Measurement

Variant = Settings | str | Sequence[Mitigation]
"""A specification, methods, or whole settings: another model or another text."""
CONTROLS: Mapping[str, tuple[str, str, tuple[float, ...]]] = {
    "High-frequency gain": ("high_frequency_gain", "gain", (0.03, 0.1, 0.2, 0.4, 1.0)),
    "Noise": ("noise", "ratio", (0.03, 0.1, 0.2, 0.4, 1.0)),
}
"""By title: a method that any other must beat, its strength, and the strengths that are tried."""


def compare(
    settings: Settings,
    variants: Mapping[str, Variant] | Sequence[str],
    *,
    model: LoadedModel | None = None,
    report: Report = silent,
) -> Comparison:
    """Measure a baseline and its variants, all with eager attention, one after the other.

    Args:
        settings: the baseline: what to measure, without mitigations.
        variants: by label, any number; a sequence of specifications serves as their labels too.
        model: the baseline's, already loaded; variants of another model are loaded.
        report: receives the progress, with the label of the variant; may raise ``CancelledError`` to stop.

    Returns:
        Measurements in the order given, the baseline first. A variant that is refused is left out of them and its
        reason kept in ``failures``; the others are measured all the same.

    Raises:
        SettingsError: where two variants share a label, or the baseline has mitigations.
        OversmoothError: where the baseline cannot be measured.
    """
    from oversmooth.measuring.measuring import measure
    from oversmooth.measuring.preparing import load_model
    from oversmooth.models.loaded import LoadedModel

    refuse_other_models(model, LoadedModel)
    named = _by_label(variants)
    baseline = as_baseline(settings)
    models = {} if model is None else {_loaded_by(baseline): model}
    measurements: dict[str, Measurement] = {}
    failures: dict[str, str] = {}
    for label, variant in {BASELINE: baseline, **named}.items():
        of_side = _labelled(report, label)
        try:
            side = variant_settings(baseline, variant)
            if _loaded_by(side) not in models:
                # The baseline's is kept throughout, the others make room: memory does not grow with variants.
                models = {key: kept for key, kept in models.items() if key == _loaded_by(baseline)}
                models[_loaded_by(side)] = load_model(side, of_side)
            measurements[label] = measure(side, model=models[_loaded_by(side)], report=of_side)
        except OversmoothError as error:
            if label == BASELINE or isinstance(error, CancelledError):
                raise
            failures[label] = str(error)
    places = {label: number for number, label in enumerate((BASELINE, *named))}
    return Comparison(measurements, failures, places)


def as_baseline(settings: Settings) -> Settings:
    """Settings as one side of a comparison that the others are set against.

    Raises:
        SettingsError: where they have mitigations.
    """
    if settings.mitigations:
        raise SettingsError(
            "The baseline of a comparison has no mitigations, but its settings name "
            f"{' and '.join(settings.mitigations)}. Give them as a variant."
        )
    return settings.model_copy(update={"fidelity": True})


def variant_settings(baseline: Settings, variant: Variant) -> Settings:
    """One variant as settings: the baseline's with the mitigations that it names, or its own.

    Raises:
        MitigationError: for a specification that names an unknown method or parameter, or values out of range.
        SettingsError: for whole settings of another precision than the baseline's.
    """
    if isinstance(variant, Settings):
        if variant.precision != baseline.precision:
            raise SettingsError(
                f"Its model would run in {variant.precision} and the baseline's in {baseline.precision}, and rounding "
                "would be taken for an effect. Give both the same precision."
            )
        return variant.model_copy(update={"fidelity": True})
    methods = parse(variant) if isinstance(variant, str) else variant
    return Settings.of(
        **{**baseline.model_dump(exclude_unset=True), "mitigations": tuple(map(str, methods)), "fidelity": True}
    )


def control_settings(settings: Settings) -> Mapping[str, Mapping[str, Settings]]:
    """The controls that a method must beat, over a range of strengths in every block: title → label → settings.

    They draw a line through a plane of diversity and fidelity, so that no similarity maps are kept.
    """
    baseline = settings.model_copy(
        update={"mitigations": (), "fidelity": True, "similarity": False, "centred_spectra": False}
    )
    return {
        title: {
            f"{parameter} {strength:g}": variant_settings(baseline, f"{method}:{parameter}={strength:g}")
            for strength in strengths
        }
        for title, (method, parameter, strengths) in CONTROLS.items()
    }


def _by_label(variants: Mapping[str, Variant] | Sequence[str]) -> Mapping[str, Variant]:
    if isinstance(variants, Mapping):
        check_labels(variants)
        return variants
    specifications = (variants,) if isinstance(variants, str) else variants
    check_labels(specifications)
    return {text: text for text in specifications}


def _labelled(report: Report, label: str) -> Report:
    def with_label(progress: Progress) -> None:
        report(replace(progress, variant=label))

    return with_label


def _loaded_by(settings: Settings) -> tuple[str, str | None, str, str]:
    return settings.model, settings.revision, settings.device, settings.precision
