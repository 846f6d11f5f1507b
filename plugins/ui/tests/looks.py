"""What pages look like: pictures that are kept, and how far a page may be from its picture.

    python plugins/ui/tests/looks.py FOLDER    replace the pictures by those of FOLDER, which a failed test names

Pictures are compared by what is drawn where: the edges in each small part of them, with room for other fonts. They are
there to be looked at.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

KEPT = Path(__file__).parent / "looks"
_SMALL = (70, 45)
_MOST_FAR = 0.45  # a blank page is 1 from each, a page from another one 0.5 to 1, one that moved by 12 pixels 0.3


def kept(picture: bytes) -> bytes:
    """Return a picture as it is kept: half as wide and high, of few colours."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        small = image.convert("RGB").resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def distance(one: bytes, other: bytes) -> float:
    """Return how far two pictures are from each other: which part of what is drawn stands elsewhere or is missing."""
    left, right = _drawn(one), _drawn(other)
    return sum(abs(a - b) for a, b in zip(left, right, strict=True)) / max(1, sum(left), sum(right))


def check(name: str, picture: bytes, folder: Path) -> None:
    """Compare a page with its picture. Raises AssertionError: it looks otherwise; says where the new picture is."""
    new = folder / f"{name}.png"
    new.write_bytes(kept(picture))
    old = KEPT / f"{name}.png"
    assert old.is_file(), f"there is no picture {old}: look at {new}, then run python {Path(__file__).name} {folder}"
    far = distance(old.read_bytes(), new.read_bytes())
    assert far <= _MOST_FAR, f"the page looks otherwise ({far:.2f} of it): compare {old} and {new}"


def _drawn(picture: bytes) -> bytes:
    """Return how much is drawn in each small part of a picture; the ground, light or dark, is nothing."""
    from PIL import Image, ImageFilter

    with Image.open(io.BytesIO(picture)) as image:
        edges = image.convert("L").filter(ImageFilter.FIND_EDGES)
    inner = edges.crop((2, 2, edges.width - 2, edges.height - 2))  # the rim of a picture is no edge
    return inner.resize(_SMALL, Image.Resampling.BOX).filter(ImageFilter.BoxBlur(1)).tobytes()


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for path in Path(sys.argv[1]).glob("*.png"):
        shutil.copy(path, KEPT)
