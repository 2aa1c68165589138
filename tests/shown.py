"""What stands on a page of the dashboard, put together from the server's messages as a browser does it.

A delta replaces what stood at its path, and what a finished run of the script did not draw again goes away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamlit.proto.Block_pb2 import Block
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

WORDS = ("body", "text", "label", "code_text", "title", "message", "value", "delta", "placeholder")
"""Fields of elements that a visitor reads."""
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""Punctuation that Markdown shows as itself."""


@dataclass(frozen=True)
class Drawn:
    """What stands at one place."""

    kind: str
    """``alert``, ``markdown``, ``text_area``, …; of a block ``block``."""
    message: Any
    """Its protobuf: of an element the one of its kind."""
    run: str
    fragment: str


class Page:
    """An open page, empty at first."""

    def __init__(self) -> None:
        self.outcome = ""
        """How the script's last run ended, ``FINISHED_SUCCESSFULLY`` or another of Streamlit's names."""
        self.traces: list[str] = []
        """Everything of a traceback that was ever sent; nobody should ever see any."""
        self.steps: list[str] = []
        """Texts of all progress bars since the script was asked to run last, in the order in which they came."""
        self._run = ""
        self._drawn: dict[tuple[int, ...], Drawn] = {}

    @property
    def elements(self) -> list[tuple[str, Any]]:
        """Kind and protobuf of everything, from top to bottom."""
        return [(drawn.kind, drawn.message) for _, drawn in sorted(self._drawn.items()) if drawn.kind != "block"]

    @property
    def texts(self) -> list[str]:
        """All words as they are read, labels of controls included, charts not."""
        drawn = (drawn.message for _, drawn in sorted(self._drawn.items()))
        return [word for message in drawn for word in _words(message)]

    @property
    def alerts(self) -> list[str]:
        """Errors, warnings and notices, as they are read."""
        return [read(message.body) for kind, message in self.elements if kind == "alert"]

    @property
    def exceptions(self) -> list[str]:
        """Exceptions shown in place of a part of the page; nobody should ever see any."""
        return [f"{message.type}: {message.message}" for kind, message in self.elements if kind == "exception"]

    @property
    def figures(self) -> list[str]:
        """Charts, as the JSON of plotly."""
        return [message.spec for kind, message in self.elements if kind == "plotly_chart"]

    @property
    def progress(self) -> list[str]:
        """Texts of the progress bars, as they are read."""
        return [read(message.text) for kind, message in self.elements if kind == "progress"]

    def widget(self, name: str) -> Any:
        """The protobuf of the control with that label, or with the key that the script gave it.

        Raises:
            LookupError: where the page has none.
        """
        return self.placed(name)[0]

    def placed(self, name: str) -> tuple[Any, str]:
        """A control as :meth:`widget` has it, and the part of the page that is drawn anew with it; errors likewise."""
        for _, drawn in sorted(self._drawn.items()):
            message = drawn.message
            if drawn.kind == "block":
                continue
            if getattr(message, "id", "") and name in (getattr(message, "label", ""), _key(message.id)):
                return message, drawn.fragment
        labels = sorted(label for _, message in self.elements if (label := getattr(message, "label", "")))
        raise LookupError(f"no control “{name}” among {labels}")

    def take(self, message: ForwardMsg) -> None:
        """Draw what a message says; messages that draw nothing change nothing."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._run = message.metadata.run.script_run_id
        elif kind == "delta":
            self._draw(message)
        elif kind == "script_finished":
            self.outcome = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
            if self.outcome.endswith("SUCCESSFULLY"):
                self._clear(set(message.metadata.run.fragment_ids))
        elif kind == "session_event" and message.session_event.WhichOneof("type") == "script_compilation_exception":
            self.traces.extend(message.session_event.script_compilation_exception.stack_trace)

    def _draw(self, message: ForwardMsg) -> None:
        path, delta = tuple(message.metadata.delta_path), message.delta
        run = message.metadata.run.script_run_id or self._run
        kind = delta.WhichOneof("type")
        if kind == "add_block":
            self._drawn[path] = Drawn("block", delta.add_block, run, delta.fragment_id)
        elif kind == "new_element":
            for below in [each for each in self._drawn if each[: len(path)] == path]:
                del self._drawn[below]
            name = delta.new_element.WhichOneof("type") or "empty"
            element = getattr(delta.new_element, name)
            self._drawn[path] = Drawn(name, element, run, delta.fragment_id)
            if name == "exception":
                self.traces.extend(element.stack_trace)
            if name == "progress":
                self.steps.append(read(element.text))

    def _clear(self, parts: set[str]) -> None:
        """Take away what the run did not draw; parts that ran by themselves leave the rest as it is."""
        self._drawn = {
            path: drawn
            for path, drawn in self._drawn.items()
            if drawn.run == self._run or (parts and drawn.fragment not in parts)
        }


def read(markdown: str) -> str:
    """Markdown without the strokes that keep its punctuation from acting."""
    return ESCAPED.sub(r"\1", markdown)


def _words(message: Any) -> Iterator[str]:
    if isinstance(message, Block):
        kind = message.WhichOneof("type")
        message = getattr(message, kind) if kind else message
    for field in message.DESCRIPTOR.fields:
        if field.name in WORDS and isinstance(word := getattr(message, field.name), str) and word:
            yield read(word)


def _key(identifier: str) -> str:
    """The key in ``$$ID-<hash>-<key>``."""
    return identifier.split("-", 2)[2] if identifier.count("-") >= 2 else identifier
