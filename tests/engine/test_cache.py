from __future__ import annotations

from pathlib import Path

from oversmooth.engine.cache import folder_fingerprint, request_key
from oversmooth.settings import Settings


def test_a_model_folder_that_is_saved_over_is_another_request(tmp_path: Path) -> None:
    settings = Settings.of(texts="one text", model=str(tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"first")
    before = request_key(settings)
    assert request_key(settings) == before
    weights.write_bytes(b"second weights")
    after = request_key(settings)
    assert after != before
    weights.unlink()
    assert request_key(settings) != after


def test_other_settings_are_another_request() -> None:
    settings = Settings.of(texts="one text")
    assert request_key(settings) == request_key(Settings.of(texts=["one text"]))
    assert request_key(settings) != request_key(Settings.of(texts="one text", special_tokens=True))


def test_names_that_are_no_folder_have_no_fingerprint() -> None:
    for name in ("all-MiniLM-L6-v2", "owner/name", "nul\0in it", "~nobody-of-this-name/model", "x" * 5000):
        assert folder_fingerprint(name) == ()
