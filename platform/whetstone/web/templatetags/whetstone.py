"""What the templates need beyond Django's own tags."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.context import Context
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from contracts.fault import FaultReport
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.evaluations.numbers import Measure
from whetstone.web.words import IMPORT_STATES, PHASES, SHARES, STATUSES

register = template.Library()
THEMES = ("system", "light", "dark")
ENTRY = "src/main.ts"


@register.simple_tag
def frontend() -> SafeString:
    """The built style sheet and script."""
    entry = _manifest()[ENTRY]
    styles = format_html_join("", '<link rel="stylesheet" href="{}">', ((static(name),) for name in entry["css"]))
    return format_html('{}<script type="module" src="{}"></script>', styles, static(entry["file"]))


@cache
def _manifest() -> dict[str, Any]:
    path = Path(settings.STATICFILES_DIRS[0]) / ".vite" / "manifest.json"
    if not path.exists():
        raise ImproperlyConfigured(
            f"The frontend is not built: {path} is missing. Run `npm --prefix frontend run build`."
        )
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Light, dark or system, as the reader's cookie says."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in THEMES else THEMES[0]


@register.simple_tag(takes_context=True)
def here(context: Context, prefix: str) -> SafeString:
    """Marks the link of the navigation whose pages these are."""
    path = context["request"].path
    is_here = path == prefix if prefix == "/" else path == prefix or path.startswith(f"{prefix}/")
    return format_html(' aria-current="{}"', "page") if is_here else SafeString("")


@register.filter
def status_label(status: str) -> str:
    return str(STATUSES[status])


@register.filter
def phase_label(phase: str) -> str:
    return str(PHASES.get(phase, phase))


@register.filter
def import_label(state: str) -> str:
    return str(IMPORT_STATES[state])


@register.filter
def file_size(size: int) -> str:
    """Bytes in decimal units, as storage is sold: 4.2 MB."""
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{number_format(amount, 0 if unit in ('B', 'KB') else 1)} {unit}"
        amount /= 1000
    return f"{number_format(amount, 1)} TB"


@register.filter
def short_number(value: int) -> str:
    """1,050,000 is 1.1M: how parameters are counted."""
    amount = float(value)
    for unit in ("", "K", "M", "B"):
        if amount < 1000:
            return f"{amount:.0f}{unit}" if amount >= 100 or not unit else f"{amount:.1f}{unit}"
        amount /= 1000
    return f"{amount:.1f}T"


@register.filter
def took(start: datetime, end: datetime) -> str:
    """From one moment to another: 33 s, 2 min 5 s, 1 h 4 min."""
    seconds = round((end - start).total_seconds())
    if seconds < 60:
        return _("%(s)d s") % {"s": seconds}
    if seconds < 3600:
        return _("%(m)d min %(s)d s") % {"m": seconds // 60, "s": seconds % 60}
    return _("%(h)d h %(m)d min") % {"h": seconds // 3600, "m": seconds % 3600 // 60}


@register.filter
def pretty_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def percent_of(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


@register.filter
def score(value: float) -> str:
    """Three digits that count: 0.8, 0.333, 1."""
    return f"{value:.3g}"


@register.filter
def chance(value: float) -> str:
    """A bootstrap never says for sure."""
    return "< 0.1%" if value < 0.0005 else "> 99.9%" if value > 0.9995 else f"{value:.1%}"


@register.filter
def said(report: FaultReport) -> ErrorJson:
    """A fault in the reader's language."""
    return fault_json(report)


@register.filter
def measured(one: Measure) -> str:
    """A number of an evaluation: a share in percent, anything else with three digits that count."""
    return _shown(one["name"], one["value"])


@register.filter
def interval(one: Measure) -> str:
    """From where to where it may be; empty where nobody knows."""
    low, high = one["low"], one["high"]
    return "" if low is None or high is None else f"{_shown(one['name'], low)} – {_shown(one['name'], high)}"


def _shown(name: str, value: float) -> str:
    sign = "+" if name.startswith("delta") and value > 0 else ""
    return f"{sign}{value:.1%}" if name in SHARES or name.startswith("pass@") else f"{sign}{value:.3g}"


ICONS = {
    "overview": "M2.5 2.5h4.5v5H2.5z M9 2.5h4.5v3H9z M9 8h4.5v5.5H9z M2.5 10h4.5v3.5H2.5z",
    "models": "M8 1.8l5.5 3v6.4L8 14.2l-5.5-3V4.8z M2.5 4.8L8 7.9l5.5-3.1 M8 7.9v6.3",
    "datasets": "M2.5 4c0-1.2 2.5-2 5.5-2s5.5.8 5.5 2-2.5 2-5.5 2-5.5-.8-5.5-2z"
    " M2.5 4v8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2V4 M2.5 8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2",
    "evaluators": "M8 2.2v11.6 M4.5 13.8h7 M3 4.2h10 M3 4.2l-1.7 4.6a2 2 0 003.4 0z M13 4.2l-1.7 4.6a2 2 0 003.4 0z",
    "jobs": "M1.8 12.2l3.6-4.4 2.8 2.4 6-7 M10.6 3.2h3.6v3.6",
    "evaluations": "M2.5 13.5v-4h3v4z M6.5 13.5v-7h3v7z M10.5 13.5v-10.5h3v10.5z",
    "deployments": "M8 9.5v4 M5 13.5h6 M8 9.5a1.6 1.6 0 100-3.2 1.6 1.6 0 000 3.2z M4.9 11a4.4 4.4 0 010-6.2"
    " M11.1 4.8a4.4 4.4 0 010 6.2 M2.8 12.8a7 7 0 010-9.8 M13.2 3a7 7 0 010 9.8",
    "chat": "M2.5 3h11v8H8.2L5 13.8V11H2.5z M5.2 7h.1 M8 7h.1 M10.8 7h.1",
    "labels": "M2.5 2.5h5.2l5.8 5.8-5.2 5.2-5.8-5.8z M5.2 5.2h.1",
    "workers": "M2.5 2.8h11v4h-11z M2.5 9.2h11v4h-11z M5 4.8h.1 M5 11.2h.1",
    "settings": "M2 4.5h7 M12 4.5h2 M9 3v3h3V3z M2 11.5h2 M7 11.5h7 M4 10v3h3v-3z",
    "menu": "M2.5 4.5h11 M2.5 8h11 M2.5 11.5h11",
    "done": "M3 8.5l3.2 3.2L13 4.8",
    "plus": "M8 3v10 M3 8h10",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>', ICONS[name])
