"""Filters that write measures: `{{ drive.size|size }}`; and the icons."""

from datetime import UTC, datetime

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloudjobs.pages.measures import duration_text, rate_text, size_text

register = template.Library()
register.filter("size", size_text)
register.filter("rate", rate_text)
register.filter("duration", duration_text)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of our own set; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.filter
def moment(at: datetime, precision: str = "minutes") -> SafeString:
    """Write a time, with its day and its year where those are not the present ones.

    A script turns UTC into the reader's own time zone.
    """
    at, now = at.astimezone(UTC), timezone.now()
    clock = "%H:%M:%S" if precision == "seconds" else "%H:%M"
    day = "%d %b " if at.year == now.year else "%d %b %Y "
    return format_html(
        '<time datetime="{}" title="{}" data-precision="{}">{} UTC</time>',
        at.isoformat(timespec="milliseconds"),
        at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        precision,
        at.strftime(clock if at.date() == now.date() else day + clock),
    )
