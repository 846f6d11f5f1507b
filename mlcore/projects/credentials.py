"""Credentials in URLs, kept out of what is written down: ids, locks, messages."""

from __future__ import annotations

import re

# greedy up to the last @ before the path: an @ in a password is often left as it is
_USER = re.compile(r"(?i)\b((?:[a-z0-9.\-]+\+)?(?:https?|ftps?|s3)://)[^/\s?#]*@")
# a token in the path of a channel of conda
_TOKEN = re.compile(r"(?i)(https?://[^/\s]+/t/)[^/\s]+/")


def stripped(text: str, by: str = "") -> str:
    """Return *text* with user and password of every http, ftp or s3 URL in it replaced by *by*.

    The user goes too, as tokens are often given in its place, and so does the token of a conda channel, `/t/TOKEN/`; the
    user of an ssh URL is no secret and stays.
    """
    text = _TOKEN.sub(lambda found: found[1][:-2] + (f"t/{by}/" if by else ""), text)
    return _USER.sub(lambda found: found[1] + (f"{by}@" if by else ""), text)
