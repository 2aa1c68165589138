"""LaTeX source: it cannot be compiled here, so its structure and its words are looked at."""

from __future__ import annotations

import dataclasses
import re

import pytest
from awkward import SEEN
from hypothesis import given
from hypothesis import strategies as st
from latex import COMMAND, assert_harmless
from synthetic import comparison_of, measurement, tokens_of, variant

from oversmooth import metrics
from oversmooth.report.export.latex import caption, escaped, needs_unicode, snippets
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.paper.presets import PRESETS
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings


@given(st.text() | st.text(alphabet=r"\{}$&#%_^~<>|\"'`-,a "))
def test_any_text_is_set_as_itself(text: str) -> None:
    source = escaped(text)
    assert_harmless(source)
    # What is left of it without commands are the letters of the text, in order.
    letters = [sign for sign in text if sign.isascii() and sign.isalnum()]
    left = iter(COMMAND.sub("", source).replace(r"char34", ""))
    assert all(letter in left for letter in letters)


@pytest.mark.parametrize("text", list(SEEN))
def test_awkward_tokens_are_set_as_they_are_seen(text: str) -> None:
    assert_harmless(escaped(text))


def test_signs_have_their_commands() -> None:
    assert escaped(r"50% of $x_1$ & {y}#~^\n") == (
        r"50\% of \$x\_1\$ \& \{y\}\#\textasciitilde{}\textasciicircum{}\textbackslash{}n"
    )
    assert escaped("−1 × σ → ∞, EV₁ = 2⁻²³") == (
        r"\ensuremath{-}1 \ensuremath{\times} \ensuremath{\sigma} \ensuremath{\to} \ensuremath{\infty}, "
        r"EV\textsubscript{1} = 2\textsuperscript{\ensuremath{-}}\textsuperscript{2}\textsuperscript{3}"
    )
    assert escaped("a--b") == "a-{}-b"


def test_other_scripts_are_told_apart_from_what_pdflatex_can_set() -> None:
    assert not needs_unicode(escaped("Größe, naïve – “σ” …"))
    assert needs_unicode(escaped("猫"))


def environments(source: str) -> list[str]:
    return re.findall(r"\\begin\{figure\*?\}.*?\\end\{figure\*?\}", source, flags=re.DOTALL)


def words(source: str) -> str:
    """The caption of an environment as one line."""
    found = re.search(r"\\caption\{(.*)\}\n  \\label", source, flags=re.DOTALL)
    assert found is not None
    return " ".join(found[1].split())


def test_each_figure_has_an_environment_with_its_file_and_label() -> None:
    result = measurement()
    figures = figures_of(result)
    source = snippets(result, figures, PRESETS["single"], "figures")
    found = environments(source)
    assert len(found) == len(figures) == 4
    for name, environment in zip(figures, found, strict=True):
        assert rf"\includegraphics[width=\columnwidth]{{figures/{name}}}" in environment
        assert rf"\label{{fig:{name}}}" in environment
        assert environment.startswith(r"\begin{figure}[t]")
        assert_harmless(words(environment))
    wide = snippets(result, figures, PRESETS["double"], "figures")
    assert wide.count(r"\begin{figure*}") == 4
    assert wide.count(r"width=\textwidth") == 4


def of_bert(**changes: object) -> Measurement:
    """A measurement whose record names a revision."""
    result = measurement()
    model = result.record.model.model_copy(update={"name": "bert", "identifier": "google/bert_base", **changes})
    return dataclasses.replace(result, record=result.record.model_copy(update={"model": model}))


def test_a_caption_says_what_is_drawn_of_what_and_how() -> None:
    result = of_bert(commit="0123abcd")
    figures = figures_of(result)
    found = caption(result, figures["token_cosine"])
    definition = metrics.get("token_cosine")
    assert found.startswith("Token cosine similarity over depth. ")
    assert r"Model bert (google/bert\_base), revision 0123abcd, one text of 11 tokens" in found
    assert "special tokens not counted" in found
    assert definition.reads in found
    assert definition.paper
    assert definition.paper.cite() in found
    spectrum = caption(result, figures["spectrum_5"])
    assert "matrix whose rows are the states of the tokens" in spectrum


def test_a_caption_names_weights_without_a_revision_and_counted_special_tokens() -> None:
    result = of_bert(weights_sha256={"model.safetensors": "f00d" * 16}, identifier="bert")
    settings = Settings.of(**{**result.settings.model_dump(), "special_tokens": True})
    found = caption(dataclasses.replace(result, settings=settings), figures_of(result)["token_cosine"])
    assert "Model bert, weights SHA-256 f00df00df00d, " in found
    assert "special tokens counted" in found


def test_a_caption_says_how_many_texts_and_that_maps_show_the_first() -> None:
    result = measurement({"token_cosine": [[0.1] * 8, [0.2] * 8]})
    result = dataclasses.replace(result, tokens=(tokens_of(["a"] * 9), tokens_of(["a"] * 12)))
    figures = figures_of(result)
    assert "mean of 2 texts of 9 to 12 tokens" in caption(result, figures["token_cosine"])
    assert "text 1 of 2, of 9 tokens" in caption(result, figures["similarity_5"])
    band = r"A band holds the middle 95 \% of 2,000 bootstrap means over texts."
    assert band in caption(result, figures["token_cosine"])
    assert band not in caption(result, figures["similarity_5"])
    assert "Thin lines are single texts." in caption(result, figures_of(result, lines=True)["token_cosine"])


def test_a_caption_of_other_texts_says_how_many() -> None:
    one, two = measurement(), measurement({"token_cosine": [[0.1] * 8, [0.2] * 8]})
    comparison = comparison_of({"other": two})
    assert "Variant: other (mean of 2 other texts)." in caption(comparison, figures_of(comparison)["token_cosine"])
    comparison = Comparison({"baseline": two, "one": one}, {})
    assert "Variant: one (another text)." in caption(comparison, figures_of(comparison)["token_cosine"])


def test_a_caption_of_a_comparison_names_its_variants() -> None:
    own = dataclasses.replace(
        variant(-0.1), settings=Settings.of(texts="text 0", mitigations=["gfsa:weight=-0.1"], metrics="token_cosine")
    )
    comparison = comparison_of({"gfsa:weight=-0.1": own, "A & B": own})
    found = caption(comparison, figures_of(comparison)["token_cosine"])
    # The first says itself what it is; the second does not.
    assert r"Variants: gfsa:weight=-0.1; A \& B (gfsa:weight=-0.1,order=" in found
