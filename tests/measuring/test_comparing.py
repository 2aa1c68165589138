"""Baseline and variants on tiny models: order, labels, what is refused, and numbers by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny import TEXT, tiny

from oversmooth.core.errors import CancelledError, ModelError, SettingsError
from oversmooth.core.progress import Progress, Report
from oversmooth.measuring.comparing import compare, control_settings, variant_settings
from oversmooth.measuring.measuring import measure
from oversmooth.measuring.mitigating import mitigated
from oversmooth.mitigations.attnscale import AttnScale
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.comparison import BASELINE
from oversmooth.results.comparison_settings import ComparisonSettings, from_file
from oversmooth.results.settings import Settings

SETTINGS = Settings.of(texts=TEXT, metrics=("token_cosine", "mean_norm"))
SHARP = "attnscale:omega=0.5"


def bert() -> LoadedModel:
    return tiny("bert")


class TestSides:
    def test_are_labelled_as_given_and_in_that_order(self) -> None:
        found = compare(SETTINGS, ["pairnorm", SHARP, "pairnorm+attnscale"], model=bert())
        assert list(found.measurements) == [BASELINE, "pairnorm", SHARP, "pairnorm+attnscale"]
        assert found.failures == {}
        named = compare(SETTINGS, {"sharper": SHARP, "normed": [PairNorm(scale=2.0)]}, model=bert())
        assert list(named.variants) == ["sharper", "normed"]
        assert named.variants["normed"].settings.mitigations == ("pairnorm:scale=2,layers=default",)

    def test_are_what_measuring_them_alone_gives(self) -> None:
        found = compare(SETTINGS, [SHARP], model=bert())
        alone = measure(variant_settings(SETTINGS, SHARP), model=bert())
        assert found.variants[SHARP].curves.identical(alone.curves)
        with mitigated(bert(), AttnScale(omega=0.5)):
            by_hand = measure(SETTINGS, model=bert())
        for metric in SETTINGS.metrics:
            np.testing.assert_array_equal(found.variants[SHARP].curves[metric], by_hand.curves[metric])

    def test_deltas_are_the_differences_of_their_curves(self) -> None:
        found = compare(SETTINGS, [SHARP], model=bert())
        theirs, ours = found.baseline.curves["mean_norm"].values, found.variants[SHARP].curves["mean_norm"].values
        deltas = found.deltas("mean_norm", SHARP)
        np.testing.assert_array_equal(list(deltas.values()), (ours - theirs)[0])
        assert deltas["embedding"] == 0.0
        assert any(deltas.values())
        assert found.parting("mean_norm", SHARP) == "0"

    def test_a_method_that_changes_nothing_parts_nowhere(self) -> None:
        found = compare(SETTINGS, ["attnscale:omega=0"], model=bert())
        assert found.parting("token_cosine", "attnscale:omega=0") is None
        assert found.variants["attnscale:omega=0"].curves["cka_to_baseline"].values == pytest.approx(1.0)

    def test_a_method_of_later_blocks_parts_there(self) -> None:
        specification = f"{SHARP},layers=1"
        assert compare(SETTINGS, [specification], model=bert()).parting("token_cosine", specification) == "1"

    def test_only_variants_with_mitigations_are_held_against_the_baseline(self) -> None:
        other = SETTINGS.model_copy(update={"texts": ("the cat saw the moon and the dog",)})
        found = compare(SETTINGS, {"sharp": SHARP, "other text": other}, model=bert())
        assert "cka_to_baseline" in found.variants["sharp"].metrics
        assert "cka_to_baseline" not in found.variants["other text"].metrics
        assert "cka_to_baseline" not in found.baseline.metrics
        assert not found.same_texts("other text")

    def test_the_model_is_left_as_it_was(self) -> None:
        before = measure(SETTINGS, model=bert())
        compare(SETTINGS, [SHARP, "pairnorm"], model=bert())
        assert measure(SETTINGS, model=bert()).curves.identical(before.curves)

    def test_no_variant_is_a_baseline_alone(self) -> None:
        assert list(compare(SETTINGS, [], model=bert()).measurements) == [BASELINE]


class TestOtherModels:
    @pytest.fixture
    def loads(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names of the models that were loaded, in order; they are tiny ones by their family's name."""
        asked: list[str] = []

        def load(name: str, *, revision: str | None, device: str, precision: str, report: Report) -> LoadedModel:
            assert (revision, device, precision) == (SETTINGS.revision, SETTINGS.device, SETTINGS.precision)
            asked.append(name)
            if name == "missing":
                raise ModelError("There is no such model.")
            return tiny(name)

        monkeypatch.setattr("oversmooth.measuring.preparing.load", load)
        return asked

    def test_are_measured_beside_it(self, loads: list[str]) -> None:
        settings = SETTINGS.model_copy(update={"model": "bert"})
        other = settings.model_copy(update={"model": "gpt2"})
        found = compare(settings, {"sharp": SHARP, "other": other, "sharp other": variant_settings(other, SHARP)})
        # Each once: the baseline's serves its variants, the other one's too.
        assert loads == ["bert", "gpt2"]
        expected = measure(variant_settings(other, SHARP), model=tiny("gpt2"))
        assert found.variants["sharp other"].curves.identical(expected.curves)

    def test_each_is_loaded_as_its_own_settings_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def load(name: str, *, revision: str | None, device: str, precision: str, report: Report) -> LoadedModel:
            asked.append((name, revision, device, precision))
            return tiny(name)

        monkeypatch.setattr("oversmooth.measuring.preparing.load", load)
        settings = SETTINGS.model_copy(update={"model": "bert", "revision": "first", "device": "cpu"})
        updates: tuple[dict[str, str | None], ...] = (
            {"revision": "second"},
            {"revision": None},
            {"device": "auto"},
            {"revision": "first"},
        )
        compare(settings, {f"{place}": settings.model_copy(update=each) for place, each in enumerate(updates)})
        precision = SETTINGS.precision
        assert asked == [
            ("bert", "first", "cpu", precision),
            ("bert", "second", "cpu", precision),
            ("bert", None, "cpu", precision),
            ("bert", "first", "auto", precision),
        ]

    def test_are_let_go_but_for_the_baselines_and_the_last(self, loads: list[str]) -> None:
        settings = SETTINGS.model_copy(update={"model": "bert"})
        order = ["gpt2", "gpt2", "albert", "gpt2", "bert"]
        compare(settings, {f"{n}": settings.model_copy(update={"model": name}) for n, name in enumerate(order)})
        assert loads == ["bert", "gpt2", "albert", "gpt2"]

    def test_that_cannot_be_loaded_do_not_stop_the_others(self, loads: list[str]) -> None:
        settings = SETTINGS.model_copy(update={"model": "bert"})
        found = compare(settings, {"gone": settings.model_copy(update={"model": "missing"}), "sharp": SHARP})
        assert list(found.measurements) == [BASELINE, "sharp"]
        assert found.failures == {"gone": "There is no such model."}

    def test_a_baseline_that_cannot_be_loaded_is_an_error(self, loads: list[str]) -> None:
        with pytest.raises(ModelError, match="no such model"):
            compare(SETTINGS.model_copy(update={"model": "missing"}), [SHARP])
        assert loads == ["missing"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("specification", "told"),
        [
            ("attnscal", "did you mean “attnscale”"),
            ("attnscale:omgea=1", "did you mean “omega”"),
            ("attnscale:omega=9", "must be in"),
            ("attnscale:omega", "omega=value"),
            ("pairnorm+pairnorm", "given twice"),
            ("attnscale:layers=7", "7"),
            ("pairnorm:heads=0", "no parameter"),
            (" ", "label"),
        ],
    )
    def test_are_one_sentence_and_the_others_run(self, specification: str, told: str) -> None:
        if specification.strip():
            found = compare(SETTINGS, [specification, SHARP], model=bert())
            assert list(found.measurements) == [BASELINE, SHARP]
            assert found.places == {BASELINE: 0, specification: 1, SHARP: 2}
            assert told in found.failures[specification]
            assert found.failures[specification].endswith(".")
        else:
            with pytest.raises(SettingsError, match=told):
                compare(SETTINGS, [specification, SHARP], model=bert())

    def test_a_family_that_cannot_carry_a_method(self) -> None:
        # DeBERTa's values are out of reach.
        found = compare(SETTINGS, ["neutreno", SHARP], model=tiny("deberta"))
        assert list(found.variants) == [SHARP]
        assert "neutreno" in found.failures["neutreno"]

    def test_of_labels_that_cannot_be_told_apart(self) -> None:
        with pytest.raises(SettingsError, match="“pairnorm” is given 2 times"):
            compare(SETTINGS, ["pairnorm", "pairnorm"], model=bert())
        with pytest.raises(SettingsError, match="cannot be called “baseline”"):
            compare(SETTINGS, {"baseline": SHARP}, model=bert())
        with pytest.raises(SettingsError, match="cannot be shown"):
            compare(SETTINGS, {"a\nb": SHARP}, model=bert())
        with pytest.raises(SettingsError, match="cannot be shown"):
            compare(SETTINGS, ["\udcff"], model=bert())

    def test_a_single_specification_is_one_variant(self) -> None:
        assert list(compare(SETTINGS, SHARP, model=bert()).variants) == [SHARP]

    def test_of_a_baseline_with_mitigations(self) -> None:
        with pytest.raises(SettingsError, match="Give them as a variant"):
            compare(variant_settings(SETTINGS, SHARP), ["pairnorm"], model=bert())

    def test_a_run_that_is_stopped_stops_whole(self) -> None:
        def report(progress: Progress) -> None:
            if progress.variant == "pairnorm":
                raise CancelledError("The run was cancelled.")

        with pytest.raises(CancelledError):
            compare(SETTINGS, ["pairnorm", SHARP], model=bert(), report=report)


def test_progress_says_which_side_is_measured() -> None:
    seen: list[str] = []
    compare(SETTINGS, ["pairnorm", SHARP], model=bert(), report=lambda progress: seen.append(progress.variant))
    assert list(dict.fromkeys(seen)) == [BASELINE, "pairnorm", SHARP]


class TestControls:
    def test_sweep_each_control_over_the_strengths(self) -> None:
        sweeps = control_settings(variant_settings(SETTINGS, SHARP))
        assert list(sweeps) == ["High-frequency gain", "Noise"]
        assert next(iter(sweeps["High-frequency gain"])) == "gain 0.03"
        for sweep, name in zip(sweeps.values(), ("high_frequency_gain", "noise"), strict=True):
            strengths = []
            for label, settings in sweep.items():
                (method,) = settings.methods
                assert method.declaration.name == name
                assert method.layers is None
                assert settings.fidelity
                assert settings.texts == SETTINGS.texts
                strengths.append(float(label.split()[1]))
                assert getattr(method, label.split()[0]) == strengths[-1]
            assert 4 <= len(strengths) <= 6
            assert strengths == sorted(strengths)

    def test_leave_less_of_the_baseline_the_stronger_they_are(self) -> None:
        settings = SETTINGS.model_copy(update={"metrics": ("token_cosine",)})
        for sweep in control_settings(settings).values():
            found = compare(settings, sweep, model=bert())
            kept = [each.curve("cka_to_baseline")[found.end(label)] for label, each in found.variants.items()]
            assert kept[-1] < kept[0]
            assert len(kept) == len(sweep)


@pytest.fixture(scope="module")
def written() -> ComparisonSettings:
    """Of a comparison with a variant of another text, and one that was refused."""
    other = SETTINGS.model_copy(update={"texts": ("the cat saw the moon",)})
    found = compare(SETTINGS, {"sharp, “é”": SHARP, "other": other, "broken": "attnscal"}, model=bert())
    return ComparisonSettings.of(found)


class TestSettings:
    def test_name_what_was_measured(self, written: ComparisonSettings) -> None:
        assert [label for label, _ in written.variants] == ["sharp, “é”", "other"]
        assert written.baseline == SETTINGS.model_copy(update={"fidelity": True})

    def test_come_back_from_json(self, written: ComparisonSettings) -> None:
        assert ComparisonSettings.from_json(written.to_json()) == written

    def test_are_told_from_those_of_one_measurement(self, written: ComparisonSettings, tmp_path: Path) -> None:
        (tmp_path / "several.json").write_text(written.to_json(), encoding="utf-8")
        (tmp_path / "one.json").write_text(SETTINGS.to_json(), encoding="utf-8")
        assert from_file(tmp_path / "several.json") == written
        assert from_file(tmp_path / "one.json") == SETTINGS

    def test_change_where_they_are_the_baselines(self, written: ComparisonSettings) -> None:
        changed = written.changed({"texts": ("a cat",), "max_tokens": 9})
        sharp, other = (settings for _, settings in changed.variants)
        assert changed.baseline.texts == sharp.texts == ("a cat",)
        assert other.texts == ("the cat saw the moon",)
        assert {each.max_tokens for each in (changed.baseline, sharp, other)} == {9}
        assert sharp.mitigations == ("attnscale:omega=0.5,layers=default,heads=default",)

    @pytest.mark.parametrize(
        ("document", "told"),
        [
            ("[]", "JSON object"),
            ('{"baseline": {}}', "the baseline: The setting “texts” is missing"),
            ('{"baseline": 3}', "the baseline has no settings"),
            ('{"baseline": {"texts": ["a"]}, "variants": [["x", {"texts": []}]]}', "the variant “x”"),
            ('{"baseline": {"texts": ["a"]}, "variants": [["x"]]}', "a label with settings"),
            ('{"baseline": {"texts": ["a"]}, "variants": 3}', "a label with settings"),
            ('{"baseline": {"texts": ["a"]}, "variants": [[3, {"texts": ["a"]}]]}', "a label with settings"),
            ('{"baseline": {"texts": ["a"]}, "variants": [], "more": 1}', "a label with settings"),
            ('{"schema_version": 2, "baseline": {"texts": ["a"]}, "variants": []}', "newer Oversmooth"),
        ],
    )
    def test_that_are_wrong_are_told_in_a_sentence(self, document: str, told: str) -> None:
        with pytest.raises(SettingsError, match=told) as caught:
            ComparisonSettings.from_json(document, source="mine.json")
        assert str(caught.value).startswith("mine.json: ")
        assert "\n" not in str(caught.value)
