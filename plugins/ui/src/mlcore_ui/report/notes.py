"""Notes: Markdown as HTML. What is HTML in it stays text, and links lead to http, https and mail alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

_DEEPEST = 8  # quotes in quotes
_BULLET = re.compile(r"\s{0,3}(?:[-*+]|\d{1,9}[.)])\s+(.*)")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_DIVIDER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
# code first: nothing in it means anything; each alternative ends at its own line's end, so that no text is slow
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|!?\[(?P<text>[^\[\]]{1,500})\]\((?P<link>[^()\s]{1,2000})\)"
    r"|\*\*(?P<strong>[^*\s](?:[^*]{0,500}[^*\s])?)\*\*"
    r"|(?<!\w)[*](?P<em>[^*\s](?:[^*]{0,500}[^*\s])?)[*](?!\w)"
    r"|\\(?P<plain>[\\`*_{}\[\]()#+\-.!|>~])"
)


def notes(text: str) -> str:
    """Return the HTML of a text in Markdown: headings, lists, code, quotes, tables, emphasis and links."""
    return "\n".join(_blocks(text.replace("\r\n", "\n").split("\n")))


def _blocks(lines: list[str], depth: int = 0) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        if not line.strip():
            at += 1
        elif fence:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip().startswith(fence[1])), len(lines))
            yield f"<pre>{escape(chr(10).join(lines[at + 1 : end]))}</pre>"
            at = end + 1
        elif heading:
            # the report has its own h1 and h2
            level = min(6, len(heading[1]) + 2)
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
            at += 1
        elif _RULE.match(line):
            yield "<hr>"
            at += 1
        else:
            end = _end(lines, at)
            yield _block(lines[at:end], depth)
            at = end


def _end(lines: list[str], at: int) -> int:
    """Return where the paragraph, list, quote or table that begins at *at* is over."""
    kind = bool(_BULLET.match(lines[at]))
    for end in range(at + 1, len(lines)):
        line = lines[end]
        if not line.strip() or _FENCE.match(line) or _HEADING.match(line):
            return end
        if not kind and _BULLET.match(line):
            return end
    return len(lines)


def _block(lines: list[str], depth: int) -> str:
    if _BULLET.match(lines[0]):
        return _list(lines)
    if lines[0].lstrip().startswith(">") and depth < _DEEPEST:
        inner = "\n".join(_blocks([line.lstrip().removeprefix(">").removeprefix(" ") for line in lines], depth + 1))
        return f"<blockquote>{inner}</blockquote>"
    if "|" in lines[0] and len(lines) > 1 and _DIVIDER.match(lines[1]):
        head, *rows = [_cells(line) for line in (lines[0], *lines[2:])]
        top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    return f"<p>{'<br>'.join(_inline(line.strip()) for line in lines)}</p>"


def _list(lines: list[str]) -> str:
    name = "ol" if lines[0].lstrip()[0].isdigit() else "ul"
    items: list[str] = []
    for line in lines:
        found = _BULLET.match(line.lstrip())
        if found:
            items.append(found[1])
        else:
            items[-1] += " " + line.strip()
    return f"<{name}>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</{name}>"


def _cells(line: str) -> list[str]:
    return [_inline(cell.strip()) for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _inline(text: str) -> str:
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[at : found.start()]), _marked(found)]
        at = found.end()
    return "".join([*parts, escape(text[at:])])


def _marked(found: re.Match[str]) -> str:
    kind, text = str(found.lastgroup), str(found[found.lastgroup or 0])
    if kind == "code":
        return f"<code>{escape(text)}</code>"
    if kind == "link":
        said = _inline(found["text"])
        # pictures lie elsewhere, and the file loads nothing
        if found[0].startswith("!") or not text.lower().startswith(("http://", "https://", "mailto:")):
            return said
        return f'<a href="{escape(text)}" rel="noreferrer noopener">{said}</a>'
    return escape(text) if kind == "plain" else f"<{kind}>{_inline(text)}</{kind}>"
