"""Tokens, and how one is shown: as itself, whatever is in it, and never as markup.

Every place that draws a token takes it from here. :func:`visible` is for text that is not interpreted (a table cell,
``st.text``); :func:`label` and :func:`axis` are for Plotly, whose labels understand some HTML and TeX;
:func:`harmless` is for words of several lines on a terminal.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

EMPTY = "∅"
"""Shown for a token without text."""
MAX_TICKS = 64
"""Explicit tick labels on an axis: each costs the browser more than the one before (10 s at 512)."""
TICK_CHARACTERS = 14

_CARRIER = "◌"
_SIGNS = {"\n": "↵", "\t": "⇥"}
_ZERO_WIDTH_NON_JOINER = "\u200c"
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_SELECTOR = "\ufe0f"
_KEYCAP = "\u20e3"
_VIRAMA = 9  # canonical combining class
# Letters and marks that have no ink although their category says otherwise (Unicode: Default_Ignorable_Code_Point).
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffd")
# Spaces at either end, runs of them, and those beside a line break or tab. One between two signs is seen as it is.
_SPACES_TO_SHOW = re.compile(r"^ +| +$| {2,}|(?<=[\n\t]) | (?=[\n\t])")


TokenKind = Literal["content", "special", "unknown"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token as the model sees it."""

    id: int
    text: str
    """What the token stands for, decoded; not yet made safe or visible for a screen (``tokens.label`` does that)."""
    kind: TokenKind
    start: int | None
    end: int | None
    """Characters of the input text it covers, of a pair in its own half; empty for a special token that was added. None
    where the tokenizer does not tell."""
    measured: bool
    """Whether it counts in the metrics."""
    segment: int | None = 0
    """Which text of a pair it is of, from 0; 0 without a pair. None for a special token that the tokenizer added."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of one input, padding left out."""

    items: tuple[Token, ...]
    left_out: int = 0
    """Tokens at the end of the text that the model did not see."""
    characters_left_out: int = 0
    """Characters that were cut before tokenising, on top of ``left_out``."""

    @property
    def pair(self) -> bool:
        """Whether they are of a pair of texts."""
        return any(token.segment == 1 for token in self.items)

    @property
    def measured(self) -> tuple[Token, ...]:
        """The tokens that count in the metrics, in order."""
        return tuple(token for token in self.items if token.measured)

    @property
    def positions(self) -> tuple[int, ...]:
        """Where each of :attr:`measured` stands in the sequence as the model sees it: from 0, special ones counted."""
        return tuple(position for position, token in enumerate(self.items) if token.measured)


def visible(text: str) -> str:
    """The text with everything that could not be seen, or could disturb its neighbours, made visible.

    * A space that leads, trails, stands alone or repeats is ␣; a single one between two signs stays.
    * Newline ↵, tab ⇥; any other space, control, format, bidi, zero-width, unassigned or private character, lone
      surrogate and U+FFFD is its code point, ``⟨U+202E⟩``. So are invisible tags and variation selectors.
    * A joiner stays only where it does its work: ZWJ between two pictures of one emoji, ZWNJ between two Arabic-script
      letters, either of them behind a virama (as in RFC 5892, A.1 and A.2). Elsewhere it is shown: a hidden character
      is a different token, and the reader must see why.
    * A combining mark without a base sits on ◌, an empty text is ∅.

    Nothing is normalised and nothing is left out.
    """
    if not text:
        return EMPTY
    text = _SPACES_TO_SHOW.sub(lambda match: "␣" * len(match.group()), text)
    shown: list[str] = []
    for index, character in enumerate(text):
        sign = _SIGNS.get(character) or _sign(text, index)
        if sign == character and unicodedata.category(character)[0] == "M" and not _carries(shown):
            sign = _CARRIER + character
        shown.append(sign)
    return "".join(shown)


def harmless(text: str) -> str:
    """The text with its spaces and line feeds as they are, and every other character as :func:`visible` shows it.

    A terminal would take control characters for commands: to colour, to clear, to write into the clipboard.
    """
    return "".join(sign if sign in " \n" else _sign(text, index) for index, sign in enumerate(text))


def escape(text: str) -> str:
    """Text for a Plotly title, annotation or hover box: tags, entities and TeX are shown, not interpreted."""
    return html.escape(text, quote=False).replace("$", "&#36;").replace("\n", " ")


def label(text: str) -> str:
    """A token for Plotly: :func:`visible`, then :func:`escape`.

    Plotly drops unknown tags (``<s>`` would be blank), turns ``<a href>`` into a link and ``$…$`` into TeX.
    """
    return escape(visible(text))


@dataclass(frozen=True)
class Axis:
    """Tokens along a Plotly category axis."""

    categories: tuple[str, ...]
    """One distinct value per row: the full token in quotes with its position, ``“the” (3)``, which hover shows."""
    tick_values: tuple[str, ...]
    """The categories that get a tick, at most ``MAX_TICKS``."""
    tick_labels: tuple[str, ...]
    """Their short labels: the token, or token and position where ticks are thinned."""


def axis(tokens: Tokens, factor: int = 1, *, max_ticks: int = MAX_TICKS) -> Axis:
    """Category values and tick labels of the measured tokens, for a heat map's rows or columns.

    Plotly merges repeated categories, so each carries its position in the sequence. ``factor`` neighbouring tokens
    share one row, the last of which may hold fewer; above ``max_ticks``, every k-th row is labelled.
    """
    categories = tuple(escape(name) for name in rows(tokens, factor, isolate=True))
    step = -(-len(categories) // max_ticks) or 1
    thinned = step > 1 or factor > 1
    firsts = list(zip(tokens.measured, tokens.positions, strict=True))[:: factor * step]
    labels = []
    for token, position in firsts:
        short = escape(_shortened(visible(token.text)))
        labels.append(f"{position}·{_isolated(short)}" if thinned else short)
    return Axis(categories, categories[::step], tuple(labels))


def rows(tokens: Tokens, factor: int = 1, *, isolate: bool = False) -> list[str]:
    """The name of each row of a map: ``“the” (3)``, and of ``factor`` neighbours in one row ``“the” … “mat” (3–5)``.

    Numbers are positions in the sequence as the model sees it, counted from 0, as everywhere. With ``isolate``,
    invisible signs keep a right-to-left token from turning what stands around it.
    """
    measured, positions = tokens.measured, tokens.positions
    shown = [visible(token.text) for token in measured]
    words = [f"“{_isolated(text) if isolate else text}”" for text in shown]
    names = []
    for start in range(0, len(words), factor):
        last = min(start + factor, len(words)) - 1
        if last == start:
            names.append(f"{words[start]} ({positions[start]})")
        else:
            names.append(f"{words[start]} … {words[last]} ({positions[start]}–{positions[last]})")
    return names


def _isolated(text: str) -> str:
    # Without isolates, a right-to-left token would pull the position behind it to its other side.
    return f"\u2068{text}\u2069"


def _shortened(text: str) -> str:
    if len(text) <= TICK_CHARACTERS:
        return text
    end = TICK_CHARACTERS - 1
    # A cut before a mark or beside a joiner would change the sign that is left.
    while end > 1 and (unicodedata.category(text[end])[0] in "MC" or text[end - 1] == _ZERO_WIDTH_JOINER):
        end -= 1
    return text[:end] + "…"


def _sign(text: str, index: int) -> str:
    """One character as itself where it has ink or a proper function, else its code point."""
    character = text[index]
    category = unicodedata.category(character)
    if category == "Cf":
        # Format characters of Arabic numbers and verses are drawn.
        seen = unicodedata.bidirectional(character) == "AN" or _joins(text, index)
    elif "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        seen = _selects_emoji(text, index)
    else:
        seen = category[0] != "C" and (category[0] != "Z" or character == " ") and character not in _BLANK
    return character if seen else f"⟨U+{ord(character):04X}⟩"


def _joins(text: str, index: int) -> bool:
    """Whether a zero-width joiner or non-joiner stands where it shapes its neighbours."""
    character = text[index]
    if character not in (_ZERO_WIDTH_JOINER, _ZERO_WIDTH_NON_JOINER) or not 0 < index < len(text) - 1:
        return False
    before, after = text[index - 1], text[index + 1]
    if unicodedata.combining(before) == _VIRAMA:
        return unicodedata.category(after)[0] == "L"
    if character == _ZERO_WIDTH_NON_JOINER:
        return unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    skin_tone = "\U0001f3fb" <= before <= "\U0001f3ff"
    return (_is_picture(before) or skin_tone or before == _EMOJI_SELECTOR) and _is_picture(after)


def _selects_emoji(text: str, index: int) -> bool:
    """Whether a variation selector turns the sign before it into an emoji."""
    if text[index] != _EMOJI_SELECTOR or index == 0:
        return False
    return _is_picture(text[index - 1]) or text[index + 1 : index + 2] == _KEYCAP


def _is_picture(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _carries(shown: list[str]) -> bool:
    """Whether a mark may sit on what was shown last."""
    return bool(shown) and shown[-1] not in ("␣", *_SIGNS.values(), " ") and not shown[-1].startswith("⟨")
