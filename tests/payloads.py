"""Texts that do harm where they are taken for markup, code, a formula, a path or an address."""

from __future__ import annotations

from typing import Final

MARKUP: Final = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "<svg onload=window.ran=1>",
    "<svg><script>window.ran=1</script></svg>",
    '<iframe srcdoc="<script>parent.ran=1</script>">',
    "<a href=javascript:window.ran=1>x</a>",
    "<a href='http://127.0.0.1:9/x'>y</a>",
    '<a href="data:text/html,<script>window.ran=1</script>">z</a>',
    "<foreignObject><body onload=window.ran=1>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<meta http-equiv=refresh content=0;url=http://127.0.0.1:9/>",
    "<base href=http://127.0.0.1:9/>",
    "<form action=http://127.0.0.1:9/><input autofocus onfocus=window.ran=1>",
    "<details open ontoggle=window.ran=1>",
    "<s>",
    "</s>",
    "<b>bold",
    "<br>",
    "<sup>2</sup>",
    "<div style='position:fixed;inset:0'>",
    '" onmouseover="window.ran=1',
    "' autofocus onfocus='window.ran=1",
    "<!-- comment",
    "<![CDATA[x]]>",
    "]]>",
    "<?xml version='1.0'?>",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "&xxe;",
    "&lt;",
    "&#x3c;b&#x3e;",
    "&amp;nbsp;",
    "&nbsp",
    "<",
    "a<b>c",
)
"""HTML, SVG and XML."""

MATHEMATICS: Final = (
    "$x$",
    "$$y$$",
    r"$\href{javascript:window.ran=1}{x}$",
    r"\(x\)",
    r"\[x\]",
    r"\input{/etc/passwd}",
    r"\immediate\write18{touch ran}",
    r"\end{document}",
    "^^5cinput x",
    "%",
    "50 % off\\\\",
    "~",
    "_",
    "^",
    "}",
    "{",
    r"\begin{verbatim}",
    "#1",
)
"""TeX and MathJax."""

MARKDOWN: Final = (
    "![x](http://127.0.0.1:9/i.png)",
    "[x](javascript:window.ran=1)",
    "[x](http://127.0.0.1:9/x)",
    "[x]: http://127.0.0.1:9/x",
    "http://127.0.0.1:9/auto",
    "https://example.org/a_b?c=d&e=f",
    "www.example.org",
    "ann@example.org",
    "<http://127.0.0.1:9/angle>",
    "mailto:ann@example.org",
    "xmpp:ann@example.org",
    ":red[x]",
    ":blue-background[x]",
    ":material/home:",
    ":smile:",
    ":+1:",
    ":streamlit:",
    ":shortcode[x]{a=b}",
    "`x`",
    "``` x",
    "*x*",
    "**x**",
    "__x__",
    "~~x~~",
    "# x",
    "> x",
    "- x",
    "1. x",
    "|a|b|",
    "---",
    "===",
    "[^1]",
    "- [ ] x",
    "a -> b",
    "a <- b",
    "a <-> b",
    "a -- b",
    "a >= b",
    "a <= b",
    "a ~= b",
    "(c)",
    "\\*x\\*",
    "    x",
)
"""Markdown, and what Streamlit adds to it."""

TEMPLATES: Final = (
    "%{x}",
    "%{y:.2f}",
    "%{customdata}",
    "%{customdata[0]}",
    "%{text}",
    "%{x|%Y}",
    "%{z:<extra>",
    "<extra></extra>",
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "{0.__class__}",
    "%s%n",
    "%(x)s",
)
"""Plotly's hover templates, and those of programs."""

DATA: Final = (
    "=1+1",
    '=HYPERLINK("http://127.0.0.1:9/x")',
    "=cmd|'/C calc'!A0",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "a,b",
    'a"b',
    "a;b",
    "'",
    '"',
    "NA",
    "nan",
    "null",
    "None",
    "1e5",
    "007",
    "true",
    "2024-01-01",
    "x'; DROP TABLE t; --",
    "\\",
    "\\n",
    "\\u003cb\\u003e",
    "__proto__",
    "constructor",
    "%PDF-1.7",
    "(",
    ")",
    "<<",
    "endstream",
    "/OpenAction",
)
"""Tables, JSON, JavaScript, SQL, PDF."""

UNSEEN: Final = (
    "\x07",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;http://127.0.0.1:9/x\x1b\\link\x1b]8;;\x1b\\",
    "\x9b2J",
    "\x08\x08\x08",
    "a\nb",
    "\n\n# big",
    "a\r\nb",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202egnp.exe",
    "\u2066x",
    "\u2067x\u2069",
    "\u2069",
    "\u200b",
    "a\u200bb",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\xad",
    "\u0301",
    "a\u0301\u0302\u0303",
    "x\U000e0041",
    "\ufe0f",
    "\ue000",
    "\U0010ffff",
    "\x00",
    "a\x00b",
    "\xa0",
    " ",
    " x ",
)
"""Control, bidi, zero-width, private and unassigned characters, blank and combining ones."""

PATHS: Final = ("../../x", "/etc/passwd", "C:\\x", "CON", "nul.txt", "a/b", ".", "..", "~root", "x" * 300, "猫" * 200)
"""Names that a file must not have."""

SCRIPTS: Final = ("القطة", "שלום", "عربي (x) abc", "👩\u200d💻", "🇩🇪", "क्ष", "猫", "ﷺ")
"""Words that run from right to left, and signs of several characters."""

PAYLOADS: Final = tuple(dict.fromkeys((*MARKUP, *MATHEMATICS, *MARKDOWN, *TEMPLATES, *DATA, *UNSEEN, *PATHS, *SCRIPTS)))
"""All of them, each once."""

LABELS: Final = tuple(each for each in PAYLOADS if each.isprintable() and each.strip())
"""Those that a variant may be called: labels hold no character that cannot be shown."""

HARM: Final = ("javascript:", "127.0.0.1:9", "example.org", "window.ran", "<script", "onerror", "onload", "onfocus")
"""What must not be found where a browser or a viewer acts on it."""
