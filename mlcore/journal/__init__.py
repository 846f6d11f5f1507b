"""Journals: append-only files in which everything that is recorded of a run stands, in order.

One file holds what one writer recorded of one run, so that no two writers ever share a file. The format is public
and described in docs/journal.md; `store_file` keeps its runs in the same files.
"""

from mlcore.journal.entries import decode, encode
from mlcore.journal.format import SUFFIX, VERSION, Fault, Header, Origin
from mlcore.journal.mapped import MappedJournal
from mlcore.journal.reader import Chunk, JournalReader, read_journal
from mlcore.journal.writer import Journal, PlainJournal, new_origin

__all__ = [
    "SUFFIX",
    "VERSION",
    "Chunk",
    "Fault",
    "Header",
    "Journal",
    "JournalReader",
    "MappedJournal",
    "Origin",
    "PlainJournal",
    "decode",
    "encode",
    "new_origin",
    "read_journal",
]
