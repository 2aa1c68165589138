"""Pairs of texts, and what a network reads of each token beside its id: the numbers are those of transformers' call."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
import transformers
from families import COMMON, build
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import loaded, minilm, tiny, tokenizer, with_head
from tokenizers import processors
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from oversmooth.core import pairs
from oversmooth.core.errors import InputError
from oversmooth.core.pairs import Input
from oversmooth.measuring.comparing import compare
from oversmooth.measuring.measuring import measure
from oversmooth.measuring.mitigating import Sampler
from oversmooth.models.encodings import Encoded
from oversmooth.models.inputs import batch, encode
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings

FIRST, SECOND, LONG = "the cat sat on the mat", "a dog saw rain", "the cat saw the moon and the dog saw the stone house"
PAIR = (FIRST, SECOND)
BERT = ("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1")
XLNET = ("$A:0 [SEP]:0 [CLS]:2", "$A:0 [SEP]:0 $B:1 [SEP]:1 [CLS]:2")
ROBERTA = ("[CLS] $A [SEP]", "[CLS] $A [SEP] [SEP] $B [SEP]")


def typed(form: tuple[str, str], *, types: bool = True) -> PreTrainedTokenizerFast:
    """The word-level tokenizer with a form for pairs, whose type ids are told where ``types``."""
    tokens = tokenizer()
    tokens.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=form[0], pair=form[1], special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    if types:
        tokens.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return tokens


def model_of(family: str, form: tuple[str, str]) -> LoadedModel:
    return replace(tiny(family), tokenizer=typed(form))


def cosine(states: torch.Tensor) -> float:
    unit = states.double() / states.double().norm(dim=-1, keepdim=True)
    gram, count = unit @ unit.T, len(unit)
    return float((gram.sum() - gram.trace()) / (count * (count - 1)))


@torch.inference_mode()
def called(model: LoadedModel, *texts: str, **more: Any) -> list[float]:
    """Mean cosine of the content tokens at each hidden state of ``network(**tokenizer(…))``, one text at a time."""
    found = model.tokenizer(*texts, return_tensors="pt", return_special_tokens_mask=True)
    content = found.pop("special_tokens_mask")[0] == 0
    states = model.network(**found, **more, output_hidden_states=True).hidden_states
    return [cosine(each[0][: len(content)][content]) for each in states]


def measured(model: LoadedModel, *texts: Input, **more: Any) -> Measurement:
    return measure(Settings.of(texts=texts, metrics="token_cosine", **more), model=model)


def curves(result: Measurement) -> list[list[float]]:
    found: list[list[float]] = result.curves["token_cosine"].values.tolist()
    return found


def read(text: Input, model: LoadedModel, *, max_tokens: int = 512, special_tokens: bool = False) -> Encoded:
    return encode(text, model, max_tokens=max_tokens, special_tokens=special_tokens)


def refusal(text: Input, model: LoadedModel, *, max_tokens: int = 512) -> str:
    with pytest.raises(InputError) as raised:
        read(text, model, max_tokens=max_tokens)
    return str(raised.value)


class TestWhatTheNetworkReads:
    @pytest.mark.parametrize(("family", "form"), [("bert", BERT), ("albert", BERT), ("xlnet", XLNET)])
    def test_single_texts_and_pairs_in_one_batch_are_as_called_alone(self, family: str, form: tuple[str, str]) -> None:
        model = model_of(family, form)
        if family == "xlnet":
            network = build(family)
            torch.manual_seed(1)
            for name, parameter in network.named_parameters():
                if "seg_embed" in name or "r_s_bias" in name:
                    torch.nn.init.normal_(parameter)
            model = loaded(network, typed(form))
        found = curves(measured(model, FIRST, PAIR, LONG, (SECOND, LONG)))
        wanted = [called(model, FIRST), called(model, *PAIR), called(model, LONG), called(model, SECOND, LONG)]
        assert np.abs(np.array(found) - np.array(wanted)).max() < 1e-5
        if family == "xlnet":
            # Type 2 of its [CLS] is in every text: without types, the numbers are others.
            alone = curves(measured(replace(model, tokenizer=typed(form, types=False)), FIRST))
            assert abs(alone[0][-1] - wanted[0][-1]) > 1e-4

    def test_types_are_padded_with_nothing(self) -> None:
        model = model_of("bert", BERT)
        made = batch([read(SECOND, model), read((SECOND, "rain"), model), read(FIRST, model)], model)
        assert made["token_type_ids"].tolist() == [[0] * 8, [0, 0, 0, 0, 0, 0, 1, 1], [0] * 8]
        assert made["attention_mask"].sum(dim=1).tolist() == [6, 8, 8]

    @pytest.mark.parametrize("family", ["bert", "gpt2", "roberta"])
    def test_types_that_are_all_0_are_left_to_the_network(self, family: str) -> None:
        # GPT-2 adds the embedding of word 0 for a type 0, which it was not trained with.
        model = model_of(family, (ROBERTA[0].replace(" ", ":0 ") + ":0", BERT[1]))
        assert "token_type_ids" in model.tokenizer(FIRST)
        assert set(batch([read(FIRST, model)], model)) == {"input_ids", "attention_mask"}

    @pytest.mark.parametrize("family", ["bert", "roberta", "longformer"])
    def test_a_type_that_the_network_does_not_know_is_refused(self, family: str) -> None:
        config = {"bert": "BertConfig", "roberta": "RobertaConfig", "longformer": "LongformerConfig"}[family]
        made = getattr(transformers, config)(**COMMON, type_vocab_size=1)
        model = loaded(transformers.AutoModel.from_config(made).eval(), typed(BERT))
        assert "gives tokens the type 1" in refusal(PAIR, model)
        assert "its network knows 1 type, counted from 0" in refusal(PAIR, model)
        assert curves(measured(model, FIRST))[0] == pytest.approx(called(model, FIRST), abs=1e-5)

    def test_what_the_network_does_not_take_is_not_given(self) -> None:
        model = model_of("distilbert", BERT)
        assert model.tokenizer(*PAIR)["token_type_ids"].count(1) == 5
        assert set(batch([read(PAIR, model)], model)) == {"input_ids", "attention_mask"}

    def test_masked_passes_of_the_loss_read_the_types(self) -> None:
        whole = with_head("bert")
        tokens = typed(BERT)
        tokens.add_special_tokens({"mask_token": "[MASK]"})
        model = replace(whole, tokenizer=tokens)
        found = measured(model, PAIR, language_model=True).outputs["language_model_loss"].values
        encoding = tokens(*PAIR, return_tensors="pt", return_special_tokens_mask=True)
        special = encoding.pop("special_tokens_mask")[0]
        losses = []
        assert model.language_model is not None
        for place in torch.nonzero(special == 0)[:, 0].tolist():
            ids = encoding["input_ids"].clone()
            ids[0, place] = tokens.mask_token_id
            with torch.inference_mode():
                logits = model.language_model(**{**encoding, "input_ids": ids}).logits[0, place]
            losses.append(-float(logits.double().log_softmax(-1)[encoding["input_ids"][0, place]]))
        assert found == pytest.approx([np.mean(losses)], rel=1e-5)

    def test_calibration_reads_the_types(self) -> None:
        model = model_of("bert", BERT)
        encoding = model.tokenizer(*PAIR, return_tensors="pt")
        with torch.inference_mode():
            wanted = model.network(**encoding, output_hidden_states=True).hidden_states[2][0]
        sampler = Sampler(model.anatomy, [batch([read(PAIR, model)], model)])
        assert torch.allclose(sampler(1), wanted, atol=1e-5)

    def test_other_inputs_of_each_token_are_given_whatever_they_are_called(self) -> None:
        class Positioned(PreTrainedTokenizerFast):
            """Counts positions backwards."""

            def __call__(self, *texts: Any, **options: Any) -> Any:
                found = super().__call__(*texts, **options)
                found["position_ids"] = list(range(len(found["input_ids"])))[::-1]
                found["strange"] = [1] * len(found["input_ids"])
                return found

        plain = tokenizer()
        tokens = cast(Any, Positioned)(
            tokenizer_object=plain.backend_tokenizer, cls_token="[CLS]", sep_token="[SEP]", model_max_length=64
        )
        model = replace(tiny("bert"), tokenizer=tokens)
        made = batch([read(FIRST, model), read(SECOND, model)], model)
        assert made["position_ids"].tolist() == [[7, 6, 5, 4, 3, 2, 1, 0], [5, 4, 3, 2, 1, 0, 0, 0]]
        assert "strange" not in made


class TestSparseAttention:
    """Global attention as the checkpoint's own head chooses it."""

    def longformer(self, head: str) -> tuple[LoadedModel, PreTrainedModel]:
        torch.manual_seed(0)
        config = transformers.LongformerConfig(
            **{**COMMON, "max_position_embeddings": 66},
            attention_window=4,
            initializer_range=0.3,
            sep_token_id=3,
            pad_token_id=0,
            architectures=[head],
        )
        whole = getattr(transformers, head)(config)
        whole.train(False)
        tokens = tokenizer()
        tokens.backend_tokenizer.post_processor = typed(ROBERTA, types=False).backend_tokenizer.post_processor
        return loaded(whole.base_model, tokens), whole

    @pytest.mark.parametrize(
        ("head", "told"),
        [
            ("LongformerForSequenceClassification", "the first token has global attention"),
            ("LongformerForQuestionAnswering", "the first text of a pair has global attention"),
            ("LongformerForMaskedLM", "No token has global attention, since LongformerForMaskedLM chooses none"),
            ("LongformerForTokenClassification", "No token has global attention"),
        ],
    )
    def test_tokens_are_those_of_the_head_itself(self, head: str, told: str) -> None:
        model, whole = self.longformer(head)
        texts: list[Input] = [PAIR, (LONG, FIRST)]
        if "Question" not in head:
            texts += [FIRST, LONG]
        found = curves(measured(model, *texts))
        wanted = [called(replace(model, network=whole), *pairs.parts(text)) for text in texts]
        assert np.abs(np.array(found) - np.array(wanted)).max() < 1e-5
        assert any(told in limit for limit in model.record.limits)

    def test_a_choice_is_attended_to_behind_its_premise(self) -> None:
        model, _ = self.longformer("LongformerForMultipleChoice")
        made = batch([read(PAIR, model), read(FIRST, model)], model)["global_attention_mask"].tolist()
        assert made == [[0] * 9 + [1] * 5, [0] * 14]

    def test_long_texts_keep_their_sparse_attention_after_short_ones(self) -> None:
        def network() -> PreTrainedModel:
            torch.manual_seed(0)
            sizes = {**COMMON, "max_position_embeddings": 64, "block_size": 4, "num_random_blocks": 1}
            made = transformers.BigBirdModel(
                transformers.BigBirdConfig(**sizes, initializer_range=0.5, attention_type="block_sparse")
            )
            made.train(False)
            return made

        text = " ".join([LONG] * 4)
        model = loaded(network())
        curves(measured(model, SECOND))
        found = curves(measured(model, text))
        fresh = called(replace(model, network=network()), text)
        assert np.abs(np.array(found) - np.array([fresh])).max() < 1e-5
        full: Any = network()
        full.set_attention_type("original_full")
        assert abs(called(replace(model, network=full), text)[-1] - fresh[-1]) > 1e-4


class TestTokensOfAPair:
    def test_each_token_says_which_text_it_is_of_and_where(self) -> None:
        items = read(("The cat.", "A dog ran."), minilm()).tokens.items
        assert [token.segment for token in items] == [None, 0, 0, 0, None, 1, 1, 1, 1, None]
        spans = [("The cat.", "A dog ran.")[token.segment or 0][token.start : token.end] for token in items]
        assert spans == ["", "The", "cat", ".", "", "A", "dog", "ran", ".", ""]

    def test_the_longer_text_is_cut_first_as_transformers_does(self) -> None:
        model = model_of("bert", BERT)
        for limit in range(5, 20):
            encoded = read((SECOND, LONG), model, max_tokens=limit)
            wanted = model.tokenizer(SECOND, LONG, truncation="longest_first", max_length=limit)["input_ids"]
            assert list(encoded.ids) == wanted
            left = len(model.tokenizer(SECOND, LONG)["input_ids"]) - limit
            assert encoded.tokens.left_out == max(0, left)
            if left > 0:
                warning = encoded.warnings[0]
                assert "The pair was cut at the ends of its texts, the longer one first" in warning
                assert f"{left} token" in warning

    def test_characters_of_both_are_bounded(self) -> None:
        model = model_of("bert", BERT)
        encoded = read(("cat " * 5000, "dog"), model, max_tokens=16)
        assert encoded.tokens.characters_left_out == 20_000 - (16 * 16 + 1024)
        assert [token.segment for token in encoded.tokens.items].count(1) == 1

    @pytest.mark.parametrize(
        ("pair", "sentence"),
        [
            (("", "a dog"), "The first text of the pair is empty"),
            (("a dog", " \n"), "The second text of the pair is empty"),
            (("a dog", "\u200b"), "The second text of the pair has no content tokens"),
            (("[SEP]", "a dog"), "The first text of the pair has no content tokens"),
        ],
    )
    def test_half_a_pair_is_refused(self, pair: tuple[str, str], sentence: str) -> None:
        assert sentence in refusal(pair, minilm())

    def test_a_limit_needs_room_for_both(self) -> None:
        assert "leaves no room for a pair" in refusal(PAIR, minilm(), max_tokens=4)
        assert "at least 5" in refusal(PAIR, minilm(), max_tokens=4)
        assert len(read(PAIR, minilm(), max_tokens=5).ids) == 5

    def test_a_model_without_a_form_for_pairs_says_so(self) -> None:
        assert refusal(PAIR, tiny("gpt2")).startswith(
            "The tokenizer of tiny has no form for a pair of texts: it puts nothing between them"
        )

    def test_a_pair_is_not_its_texts_joined_nor_turned(self) -> None:
        model = model_of("bert", BERT)
        assert read((SECOND, FIRST), model).ids != read(PAIR, model).ids
        assert len(measured(model, PAIR, (SECOND, FIRST), FIRST).tokens) == 3

    def test_a_refused_pair_among_several_is_named(self) -> None:
        with pytest.raises(InputError, match=r"^Text 2: The second text of the pair is empty"):
            measured(model_of("bert", BERT), FIRST, (FIRST, " "))

    def test_record_and_token_entries_hold_both(self) -> None:
        result = measured(model_of("bert", BERT), PAIR, FIRST)
        pair, single = result.record.inputs
        assert pair.text_sha256 == single.text_sha256 == pairs.digest(FIRST)
        assert (pair.pair_sha256, single.pair_sha256) == (pairs.digest(SECOND), None)
        assert pair.characters == len(FIRST) + len(SECOND)
        assert result.tokens[0].pair
        assert not result.tokens[1].pair

    def test_a_comparison_sets_one_pair_beside_another(self) -> None:
        model = model_of("bert", BERT)
        baseline = Settings.of(texts=[PAIR], metrics="token_cosine", device="cpu")
        turned = Settings.of(**{**baseline.model_dump(), "texts": [(SECOND, FIRST)]})
        found = compare(baseline, {"turned": turned}, model=model)
        assert not found.same_texts("turned")
        assert math.isfinite(found.measurements["turned"].curve("token_cosine")["0"])


class TestTypedSpecialTokens:
    def test_they_are_left_out_and_told(self) -> None:
        encoded = read("The cat [SEP] sat [MASK] here [SEP]", minilm())
        kinds = [(token.text, token.kind) for token in encoded.tokens.items if token.segment is not None]
        assert [text for text, kind in kinds if kind == "special"] == ["[SEP]", "[MASK]", "[SEP]"]
        assert [token.text for token in encoded.tokens.measured] == ["the", "cat", "sat", "here"]
        (warning,) = encoded.warnings
        assert "3 special tokens written out (“[SEP]” and “[MASK]”)" in warning
        assert "they are left out" in warning
        assert "they count" in read("The cat [SEP] sat", minilm(), special_tokens=True).warnings[0]

    def test_an_added_token_declared_special_is_one(self) -> None:
        tokens = tokenizer()
        tokens.add_tokens(["<|im_start|>"], special_tokens=True)
        tokens.add_tokens(["<word>"])
        encoded = read("<|im_start|> the cat <word>", replace(tiny("bert"), tokenizer=tokens))
        assert [token.text for token in encoded.tokens.measured] == ["the", "cat", "<word>"]

    def test_the_name_of_the_unknown_token_is_no_unknown_word(self) -> None:
        encoded = read("the xyzzy [UNK] cat", tiny("bert"))
        assert [token.kind for token in encoded.tokens.items] == [
            "special",
            "content",
            "unknown",
            "special",
            "content",
            "special",
        ]

    def test_a_text_of_nothing_else_is_refused(self) -> None:
        assert "turned it into special tokens only" in refusal("[SEP] [MASK]", minilm())

    @pytest.mark.parametrize(("family", "form", "place"), [("bert", BERT, 0), ("xlnet", XLNET, 5)])
    def test_the_classification_token_is_the_one_that_was_added(
        self, family: str, form: tuple[str, str], place: int
    ) -> None:
        encoded = read("the [CLS] cat sat", model_of(family, form))
        assert encoded.classification == place
        assert encoded.tokens.items[place].segment is None

    def test_without_an_added_one_there_is_none(self) -> None:
        tokens = tokenizer()
        tokens.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
        assert read("[CLS] the cat", replace(tiny("bert"), tokenizer=tokens)).classification is None

    def test_their_states_stay_out_of_the_numbers(self) -> None:
        model = tiny("bert")
        ids = torch.tensor([model.tokenizer("the cat [SEP] sat on")["input_ids"]])
        with torch.inference_mode():
            states = model.network(input_ids=ids, output_hidden_states=True).hidden_states
        wanted = [cosine(each[0][[1, 2, 4, 5]]) for each in states]
        assert curves(measured(model, "the cat [SEP] sat on"))[0] == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=12) | st.tuples(st.text(max_size=8), st.text(max_size=8)) | st.text("[]\",'a ", max_size=9))
def test_a_written_input_is_read_back(given_input: Input) -> None:
    assert pairs.read(pairs.written(given_input)) == given_input
