"""What every metric declares."""

from __future__ import annotations

import re

import pytest

from oversmooth.core.papers import Paper
from oversmooth.metrics import Metric, TokenStates, all_metrics, get, names
from oversmooth.metrics.registry import define_fidelity
from oversmooth.metrics.registry import metric as register

every_metric = pytest.mark.parametrize("metric", all_metrics(), ids=names())


def test_each_is_found_by_its_name() -> None:
    assert len(names()) == len(set(names()))
    for metric in all_metrics():
        assert get(metric.name) is metric
    with pytest.raises(KeyError):
        get("unheard_of")


def test_titles_tell_metrics_apart() -> None:
    titles = [metric.title for metric in all_metrics()]
    assert len(titles) == len(set(titles))


@every_metric
def test_a_metric_says_what_it_tells_and_what_not(metric: Metric) -> None:
    for sentence in (metric.reads, metric.caveat):
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
    assert metric.title[0].isupper() or metric.title[0] == "["
    assert metric.lower < metric.upper
    assert (metric.compute.__doc__ or "").strip()


@every_metric
def test_formulas_are_whole_latex(metric: Metric) -> None:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", metric.formula):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    commands = re.findall(r"\\([a-zA-Z]+)", metric.formula)
    assert commands
    for left, right in (("left", "right"), ("Big", "Big"), ("lVert", "rVert")):
        assert commands.count(left) == commands.count(right)
    assert "$" not in metric.formula


@every_metric
def test_papers_can_be_found(metric: Metric) -> None:
    paper = metric.paper
    assert paper
    assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+/\S+", paper.url)
    assert 1900 < paper.year < 2100
    assert paper.cite() == f"{paper.authors} {paper.year}"
    assert paper.title


def test_ranges_in_words() -> None:
    ranges = {metric.name: metric.range_text() for metric in all_metrics()}
    assert ranges["token_cosine"] == "[−1, 1]"
    assert ranges["effective_rank"] == "[1, min(n, d)]"
    assert ranges["matrix_entropy"] == "[0, ln min(n, d)]"
    assert ranges["distance_to_mean"] == "[0, ∞)"
    assert ranges["rbf_distance"] == "[−8, 0]"
    assert ranges["spectrum_skewness"] == "(−∞, ∞)"


def test_a_second_metric_of_the_same_name_is_refused() -> None:
    def token_cosine(states: TokenStates) -> float:
        return float(states.count)

    paper = Paper("A", 2000, "B", "https://example.org/")
    before = get("token_cosine")
    with pytest.raises(RuntimeError, match="two metrics are named token_cosine"):
        register(title="x", formula="x", paper=paper, lower=0, upper=1, reads="x", caveat="x")(token_cosine)
    assert get("token_cosine") is before


def test_a_metric_and_a_number_of_a_comparison_cannot_share_a_name() -> None:
    with pytest.raises(RuntimeError, match="two metrics are named token_cosine"):
        define_fidelity(get("token_cosine"))
    with pytest.raises(RuntimeError, match="two metrics are named lsds"):
        define_fidelity(get("lsds"))
