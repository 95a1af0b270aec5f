"""What the browsable pages have beside the answer: links, neighbouring pages, and forms."""

import json
import re
from typing import Any

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from rest_framework.utils.urls import replace_query_param

from cloudjobs.api.fields import API_ROOT
from cloudjobs.api.page_forms import PageForm

LINKED = "drives|jobs|keypairs|libdrives|pubkeys|servers|snapshots|tags"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
OBJECT_PATH = re.compile(rf"(?<=&quot;){re.escape(API_ROOT)}(?:{LINKED})/{UUID}/(?=&quot;)")
ACTION = "dispatch_action"
SHORT = 8  # characters of a uuid


def linked(text: str, origin: str) -> SafeString:
    """Return JSON as HTML: paths of objects, and the service's own addresses, are links."""
    html = OBJECT_PATH.sub(link, escape(text))
    own = re.compile(rf"(?<=&quot;){re.escape(escape(origin))}[\w./-]*(?=&quot;)")
    return SafeString(own.sub(link, html))


def crumb(path: str) -> str:
    """Return what the way to a page calls it: the last part of its path."""
    last = path.rstrip("/").rsplit("/", 1)[-1]
    if path == API_ROOT:
        return "API"
    return last[:SHORT] if re.fullmatch(UUID, last) else last


def title_of(view_name: str, data: Any, path: str) -> str:
    """Return the title of a page: of an object its name, if it has one."""
    last = path.rstrip("/").rsplit("/", 1)[-1]
    if path == API_ROOT or not last:
        return view_name
    if not re.fullmatch(UUID, last):
        return last.replace("_", " ").capitalize()
    name = data.get("name") if isinstance(data, dict) else None
    return str(name or f"{view_name} {last[:SHORT]}")


def description_of(view: Any) -> str:
    """Return what the view tells of itself, without the marks of Markdown."""
    return view.get_view_description().replace("`", "")


def link(found: re.Match[str]) -> str:
    """Return a link to an address that is escaped already."""
    return f'<a href="{found[0]}">{found[0]}</a>'


def html_page(view: Any) -> str:
    """Return the address of the page that shows the same to people, if there is one."""
    app: str | None = getattr(view, "page_namespace", None)
    if app and view.action == "list" and not view.kwargs:
        return reverse(f"{app}:list")
    if app and view.action == "retrieve":
        return reverse(f"{app}:detail", args=[view.kwargs["uuid"]])
    return ""


def neighbours(request: Any, data: Any) -> dict[str, str]:
    """Return the addresses of the pages before and behind one of a list."""
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(meta, dict) or not {"limit", "offset", "total_count"} <= set(meta):
        return {}
    limit, offset, here = meta["limit"], meta["offset"], request.get_full_path()
    found = {}
    if limit and offset:
        found["Previous"] = replace_query_param(here, "offset", max(0, offset - limit))
    if limit and offset + limit < meta["total_count"]:
        found["Next"] = replace_query_param(here, "offset", offset + limit)
    return found


def forms_of(view: Any, request: Any, data: Any, status: int) -> list[PageForm]:
    """Return the forms of a page: for what can be made, changed, done and deleted there."""
    if not request.user.is_authenticated:
        return []
    methods = getattr(view, "action_map", None) or {name: name for name in ("get", "put")}
    exchanges = getattr(view, "exchanges", {})
    sent = sent_text(request) if status >= 400 else None
    forms = []
    if "create" in exchanges and methods.get("post") == "create":
        text = sent or pretty(exchanges["create"].example)
        forms.append(PageForm("Create", "POST", request.get_full_path(), text, bool(sent)))
    if ACTION in methods.values() or ("retrieve" in methods.values() and status < 400):
        forms += action_forms(view, request, ACTION in methods.values(), sent)
    change = exchanges.get(methods.get("put"))
    if change and (sent or isinstance(data, dict)):
        text = sent or pretty(writable(change.body, data))
        forms.append(PageForm("Change", "PUT", request.path, text, bool(sent)))
    if methods.get("delete") == "destroy" and status < 300:
        forms.append(PageForm("Delete", "DELETE", request.path))
    return forms


def action_forms(view: Any, request: Any, is_there: bool, sent: str | None) -> list[PageForm]:
    """Return a form for each action; what was sent in vain stands in the one that it was for."""
    path = request.path if is_there else f"{request.path}action/"
    forms = []
    for name in getattr(view, "action_methods", {}):
        exchange = view.exchanges.get(name)
        text = pretty(exchange.example) if exchange and exchange.body else None
        is_open = bool(text and sent) and request.query_params.get("do") == name
        label = name.replace("_", " ").capitalize()
        shown = sent if is_open else text
        forms.append(PageForm(label, "POST", f"{path}?do={name}", shown, is_open))
    return forms


def writable(serializer_class: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return of an object what a request may send back."""
    fields = serializer_class().fields.items()
    return {name: data[name] for name, field in fields if name in data and not field.read_only}


def sent_text(request: Any) -> str | None:
    """Return the JSON that a form has sent."""
    body: bytes | None = getattr(request._request, "page_form_body", None)
    return body.decode(errors="replace") if body else None


def pretty(example: Any) -> str:
    return json.dumps(example or {}, indent=2, ensure_ascii=False, default=str)
