"""LaTeX around the figures: an environment each, with a caption that says what was measured and how."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from oversmooth import metrics as metric_registry
from oversmooth.core.errors import MitigationError
from oversmooth.core.tokens import visible
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms import registry as mechanisms
from oversmooth.metrics.registry import Definition
from oversmooth.mitigations import parse
from oversmooth.report.figures.registry import Drawable
from oversmooth.report.findings.collapse import compared_outliers, outlier_sentence
from oversmooth.report.findings.spread import mean_of
from oversmooth.report.paper.presets import Preset
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_SPECIAL: Final[Mapping[str, str]] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    # Some languages of babel make a command of it.
    '"': r"\char34{}",
}
_TEXT: Final[Mapping[str, str]] = {
    "…": r"\ldots{}",
    "␣": r"\textvisiblespace{}",
    "°": r"\textdegree{}",
    **{sign: rf"\textsubscript{{{digit}}}" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{sign: rf"\textsuperscript{{{digit}}}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "⁻": r"\textsuperscript{\ensuremath{-}}",
}
_GREEK: Final[Mapping[str, str]] = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_MATHEMATICS: Final[Mapping[str, str]] = {
    "−": "-",
    "±": r"\pm",
    "×": r"\times",
    "·": r"\cdot",
    "→": r"\to",
    "≤": r"\leq",
    "≥": r"\geq",
    "√": r"\surd",
    "∞": r"\infty",
    "∅": r"\emptyset",
    "↵": r"\hookleftarrow",
    "⇥": r"\mapsto",
    "⟨": r"\langle",
    "⟩": r"\rangle",
    "○": r"\circ",
    **{sign: f"\\{name}" for sign, name in _GREEK.items()},
}
_SIGNS: Final = {**_SPECIAL, **_TEXT, **{sign: rf"\ensuremath{{{name}}}" for sign, name in _MATHEMATICS.items()}}
# Neighbours that fonts join to another sign: -- to a dash, '' and ,, to quotation marks.
_JOINED: Final = re.compile(r"([-,'])(?=\1)")
_KNOWN: Final = re.compile("[\x00-\u017f‐-‧‘-‟•€™]*")
"""What pdfLaTeX sets without packages; its own commands are ASCII."""
HEAD: Final = "% Needs \\usepackage{graphicx}, and \\usepackage[T1]{fontenc} for accents.\n"
UNICODE: Final = "% Holds characters that pdfLaTeX cannot set: use LuaLaTeX or XeLaTeX with a font that has them.\n"
COLUMN: Final = 3.6
"""Inches up to which a figure fits into one of two columns."""


def escaped(text: str) -> str:
    """Plain text for LaTeX: every command character is set as itself, what cannot be seen is made visible.

    Letters of other scripts stay as they are (:func:`needs_unicode`).
    """
    words = "".join(_SIGNS.get(sign, sign) for sign in visible(text))
    return _JOINED.sub(r"\1{}", words)


def needs_unicode(source: str) -> bool:
    """Whether LaTeX source holds characters that LuaLaTeX and XeLaTeX alone can set, with a font that has them."""
    return _KNOWN.fullmatch(source) is None


def snippets(result: Measurement | Comparison, figures: Mapping[str, Drawable], preset: Preset, folder: str) -> str:
    """A ``figure`` environment for each figure.

    A figure wider than one of two columns spans both; LaTeX finds its files in ``folder``.
    """
    every = "\n".join(_environment(result, name, each, preset, folder) for name, each in figures.items())
    return f"{HEAD}{UNICODE if needs_unicode(every) else ''}\n{every}"


def _environment(result: Measurement | Comparison, name: str, figure: Drawable, preset: Preset, folder: str) -> str:
    environment, width = ("figure", r"\columnwidth") if preset.width <= COLUMN else ("figure*", r"\textwidth")
    # Without its ending: LaTeX takes the PDF, or else the PNG.
    lines = [
        *(f"% {each.title}: ${each.formula}$" for each in _declared(figure)),
        rf"\begin{{{environment}}}[t]",
        r"  \centering",
        rf"  \includegraphics[width={width}]{{{folder}/{name}}}",
        rf"  \caption{{{_folded(caption(result, figure))}}}",
        rf"  \label{{fig:{name}}}",
        rf"\end{{{environment}}}",
    ]
    return "\n".join(lines) + "\n"


def _folded(words: str) -> str:
    return textwrap.fill(words, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def caption(result: Measurement | Comparison, figure: Drawable) -> str:
    """What a figure shows, of which model and text, and how it is defined, as LaTeX in one line."""
    baseline = result.baseline if isinstance(result, Comparison) else result
    sentences = [f"{figure.title}.", f"{_model(baseline)}, {_texts(baseline, figure)}."]
    if isinstance(result, Comparison) and result.variants:
        variants = [_variant(label, each, baseline) for label, each in result.variants.items()]
        sentences.append(f"{'Variant' if len(variants) == 1 else 'Variants'}: {'; '.join(variants)}.")
    outlier = compared_outliers(result) if isinstance(result, Comparison) else outlier_sentence(result)
    return escaped(" ".join(filter(None, [*sentences, figure.drawn, *_definitions(figure), outlier])))


def _model(measurement: Measurement) -> str:
    model = measurement.record.model
    named = f" ({model.identifier})" if model.identifier != model.name else ""
    digest = next(iter(model.weights_sha256.values()), "")
    version = f", revision {model.commit}" if model.commit else f", weights SHA-256 {digest[:12]}" if digest else ""
    return f"Model {model.name}{named}{version}"


def _texts(measurement: Measurement, figure: Drawable) -> str:
    """How much was read of how many texts, and which tokens count."""
    tokens = measurement.tokens
    special = f"special tokens {'counted' if measurement.settings.special_tokens else 'not counted'}"
    one = len(tokens) == 1 or figure.declared.of_the_text_shown
    if one:
        place = "one text" if len(tokens) == 1 else f"text {measurement.settings.shown + 1} of {len(tokens)},"
        read = f"{place} of {count(len(measurement.shown.measured), 'token')}"
    else:
        lengths = sorted({len(each.measured) for each in tokens})
        span = f"{lengths[0]:,} to {count(lengths[-1], 'token')}" if len(lengths) > 1 else count(lengths[0], "token")
        read = f"{mean_of(len(tokens))} of {span}"
    cut = any(each.left_out or each.characters_left_out for each in ((measurement.shown,) if one else tokens))
    left = ", what is longer cut off" if cut else ""
    return f"{read}{left}, {special}"


def _variant(label: str, measurement: Measurement, baseline: Measurement) -> str:
    """Its label, and what that does not say: its methods with every parameter, another model, other texts."""
    settings = measurement.settings
    more = [] if _names(label, settings.mitigations) else ["+".join(settings.mitigations)]
    if measurement.record.model != baseline.record.model:
        more.append(_model(measurement).replace("Model", "model", 1))
    if settings.texts != baseline.settings.texts:
        more.append(mean_of(len(measurement.tokens)).replace("texts", "other texts") or "another text")
    return f"{label} ({', '.join(more)})" if more else label


def _names(label: str, mitigations: Sequence[str]) -> bool:
    """Whether a label is the specification of these methods."""
    try:
        return not mitigations or tuple(map(str, parse(label))) == tuple(mitigations)
    except MitigationError:
        return False


def _definitions(figure: Drawable) -> Iterator[str]:
    for each in _declared(figure):
        yield f"{each.title}{f' ({each.paper.cite()})' if each.paper else ''}: {each.reads}"
    if figure.declared.definition:
        yield figure.declared.definition


def _declared(figure: Drawable) -> list[Definition]:
    """What is said of the metrics and quantities that a figure shows."""
    return [mechanisms.get(name) if name in mechanisms.names() else metric_registry.get(name) for name in figure.shown]
