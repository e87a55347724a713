"""The AsyncAPI document as one static page: no script, no address but its own, so it opens anywhere.

Pure: a document in, HTML out. Everything told is escaped.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Document = Mapping[str, Any]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #222; }
h2 { margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem; } h3 { margin-bottom: 0; }
table { border-collapse: collapse; width: 100%; } td, th { border: 1px solid #ddd; padding: .25rem .5rem; }
td, th { text-align: left; vertical-align: top; } code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #f5f5f5; overflow-x: auto; padding: .75rem; } summary { cursor: pointer; }
"""


def render_events_page(document: Document) -> str:
    """Return the page: topics with who sends and reads them, and every message with fields, headers and examples."""
    info = document["info"]
    parts = [
        "<!doctype html>",
        f'<html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}: events</title>',
        f"<style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])}: events</h1><p>{escape(info['description'])}</p>",
        '<p>The document: <a href="asyncapi.json">asyncapi.json</a></p><ul>',
        *(f'<li><a href="#{escape(topic)}">{escape(topic)}</a></li>' for topic in document["channels"]),
        "</ul>",
        *(line for topic in document["channels"] for line in _channel(topic, document)),
        "<h1>Messages</h1>",
        *(
            line
            for message in document["components"]["messages"].values()
            for line in _message(message, document)
        ),
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _channel(topic: str, document: Document) -> Iterator[str]:
    channel = document["channels"][topic]
    kafka = channel["bindings"]["kafka"]
    yield f'<h2 id="{escape(topic)}"><code>{escape(topic)}</code></h2><p>{escape(channel["description"])}</p>'
    facts = {"partitions": kafka["partitions"], **kafka["topicConfiguration"]}
    rows = [(name, ", ".join(value) if isinstance(value, list) else value) for name, value in facts.items()]
    for operation in document["operations"].values():
        if operation["channel"]["$ref"] == f"#/channels/{topic}":
            group = operation.get("bindings", {}).get("kafka", {}).get("groupId", {}).get("const")
            rows.append(("sent by", "this service") if group is None else ("read here by group", group))
    yield _table(rows)
    links = (f'<a href="#{escape(name)}">{escape(name)}</a>' for name in channel["messages"])
    yield f"<p>Messages: {', '.join(links)}</p>"


def _message(message: Mapping[str, Any], document: Document) -> Iterator[str]:
    yield f'<h2 id="{escape(message["title"])}">{escape(message["title"])}</h2>'
    yield f"<p><code>{escape(message['name'])}</code>: {escape(message['summary'])} {escape(message.get('description', ''))}</p>"
    schemas = document["components"]["schemas"]
    reference = message["payload"].get("$ref", "").rpartition("/")[2]
    if reference:
        yield "<h3>Fields</h3>"
        yield _table(list(_fields(schemas[reference], schemas)))
    yield "<h3>Headers</h3>"
    yield _table(list(_fields(message["headers"], schemas)))
    for example in message.get("examples", ()):
        text = json.dumps(
            {"headers": example["headers"], "value": example["payload"]}, indent=2, ensure_ascii=False
        )
        yield f"<details><summary>Example: {escape(example['summary'])}</summary><pre>{escape(text)}</pre></details>"


def _fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        told = _kind(field) + ("" if name in needed else ", may be missing")
        yield f"{prefix}{name}", f"{told}. {field.get('description', '')}".strip()
        inner = field.get("items", field).get("$ref", "").rpartition("/")[2]
        if inner in schemas:
            yield from _fields(schemas[inner], schemas, f"{prefix}{name}.")


def _kind(field: Mapping[str, Any]) -> str:
    if "const" in field:
        return f"always {field['const']}"
    if "anyOf" in field:
        return " or ".join(_kind(each) for each in field["anyOf"])
    if "items" in field:
        return f"list of {_kind(field['items'])}"
    words = field.get("x-extensible-enum")
    if words or "enum" in field:
        return f"one of {', '.join(map(str, words or field['enum']))}{', more may come' if words else ''}"
    kind = str(field.get("$ref", field.get("type", "anything"))).rpartition("/")[2]
    return f"{kind} ({field['format']})" if "format" in field else kind


def _table(rows: list[tuple[str, Any]]) -> str:
    cells = (f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"
