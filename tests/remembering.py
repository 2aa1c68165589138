"""A page under test that keeps the values of its controls as a browser keeps them.

AppTest sends with each run what the script holds. A browser sends what it has stored itself: of a choice the label,
even one that the page no longer offers, until the reader chooses anew or the page sets the control.
"""

from __future__ import annotations

from typing import Any, cast

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, InitialValue, Widget


def remembering(page: AppTest) -> Remembering:
    """The same page, from now on with a memory of its own."""
    page.__class__ = Remembering
    found = cast("Remembering", page)
    found.memory = {}
    found.take_over()
    return found


class Remembering(AppTest):
    """Made by :func:`remembering`."""

    memory: dict[str, WidgetState]
    """What the browser holds of each control on the page, by its id."""

    def _run(self, widget_state: WidgetStates | None = None, timeout: float | None = None) -> AppTest:
        asked = WidgetStates()
        for state in (widget_state or asked).widgets:
            asked.widgets.append(state if state.id in self._touched() else self.memory.get(state.id, state))
        self.memory |= {state.id: state for state in asked.widgets if not state.HasField("trigger_value")}
        super()._run(asked, timeout)
        self.take_over()
        return self

    def send(self, state: WidgetState) -> None:
        """Run the page with one control as the visitor has left it, whatever its kind."""
        asked = WidgetStates(widgets=[each for key, each in self.memory.items() if key != state.id])
        asked.widgets.append(state)
        if not state.HasField("trigger_value"):
            self.memory[state.id] = state
        super()._run(asked)
        self.take_over()

    def _touched(self) -> set[str]:
        return {node.id for node in self._tree if isinstance(node, Widget) and _is_touched(node)}

    def take_over(self) -> None:
        """Store what controls that are new hold at first, and what the page itself has set; forget those that went."""
        found = {}
        for node in self._tree:
            if isinstance(node, Widget) and not isinstance(node, Button):
                fresh = node.id not in self.memory or getattr(node.proto, "set_value", False)
                found[node.id] = node._widget_state if fresh else self.memory[node.id]
        self.memory = found


def _is_touched(node: Any) -> bool:
    if isinstance(node, Button):
        return bool(node._value)
    return not all(isinstance(getattr(node, name, InitialValue()), InitialValue) for name in ("_value", "_files"))
