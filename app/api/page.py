"""The endpoint's documentation, as a person reads it."""

import html
import json
from typing import Any


def page(schema: dict[str, Any], path: str) -> str:
    """The OpenAPI document as one plain page that loads nothing; `path` is the call it explains."""
    call = schema["paths"][path]["post"]
    form = next(iter(call["requestBody"]["content"].values()))["schema"]
    name = form["$ref"].rsplit("/", 1)[1] if "$ref" in form else form["allOf"][0]["$ref"].rsplit("/", 1)[1]
    fields = schema["components"]["schemas"][name]
    rows = [
        (key, "yes" if key in fields.get("required", ()) else "", one.get("description", ""))
        for key, one in fields["properties"].items()
    ]
    rows += [(f"{one['name']} (header)", "", one.get("description", "")) for one in call.get("parameters", ())]
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    statuses = "".join(
        f"<li><b>{status}</b> {html.escape(one.get('description', ''))}</li>"
        for status, one in call["responses"].items()
    )
    answers = html.escape(json.dumps(schema["components"]["schemas"]["Answer"]["properties"], indent=1))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Holdpoint endpoint</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}pre{overflow:auto}</style>"
        f"<h1>POST {path}</h1><p>{html.escape(call['summary'])}. {html.escape(call.get('description', ''))}</p>"
        f"<table><tr><th>field<th>required<th>meaning</tr>{cells}</table><h2>Answers</h2><ul>{statuses}</ul>"
        f"<h2>200</h2><pre>{answers}</pre><p><a href=/openapi.json>openapi.json</a></p></html>"
    )
