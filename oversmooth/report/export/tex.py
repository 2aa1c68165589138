"""Words for LaTeX: whatever is in them, they are set as themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from oversmooth.core.tokens import visible

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


def escaped(text: str) -> str:
    """Plain text for LaTeX: every command character is set as itself, what cannot be seen is made visible.

    Letters of other scripts stay as they are (:func:`needs_unicode`).
    """
    words = "".join(_SIGNS.get(sign, sign) for sign in visible(text))
    return _JOINED.sub(r"\1{}", words)


def needs_unicode(source: str) -> bool:
    """Whether LaTeX source holds characters that LuaLaTeX and XeLaTeX alone can set, with a font that has them."""
    return _KNOWN.fullmatch(source) is None
