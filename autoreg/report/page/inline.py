"""What a page carries with itself, since it asks nobody for anything: the charts' library, its style, its script."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autoreg.report.figures.style import SERIES_COLOURS

_HERE = Path(__file__).parent
#: The files of the page's own script, in the order in which they run.
SCRIPTS = (
    "dom", "sweep", "chart", "width", "curves", "searches", "figures", "layers", "paper", "table", "details", "picking",
    "live", "page",
)  # fmt: skip


def style() -> Markup:
    """Return the page's style, with the colours of series that all figures have."""
    light, dark = (
        " ".join(f"--s{place}:{colour};" for place, colour in enumerate(SERIES_COLOURS[page]))
        for page in ("light", "dark")
    )
    colours = f":root {{ {light} }}\n@media screen {{ :root[data-theme=dark] {{ {dark} }} }}\n"
    return Markup(colours + (_HERE / "page.css").read_text(encoding="utf-8"))


@cache
def library() -> str:
    """Return Vega-Lite with all that it needs, 0.9 MB; the bundle takes two seconds."""
    import vl_convert  # a tenth of a second and 80 MB, which no other command needs

    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub has no default
    return bundle.replace("</script", "<\\/script")


@cache
def script() -> str:
    """Return the page's own script."""
    return "\n".join((_HERE / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def digest(text: str) -> str:
    """Return how a Content-Security-Policy names a script, so that no other one can run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def as_script_data(value: Any) -> Markup:
    """Return JSON that ends no script element and begins no comment, whatever texts are in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def data_uri(kind: str, content: bytes) -> str:
    """Return a file as a link that has it inside."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
