"""What pages look like: pictures that are kept, and how far a page may be from its picture.

    python plugins/ui/tests/looks.py FOLDER    replace the pictures by those of FOLDER, which a failed test names

Pictures are compared as shapes: small, grey, and with room for other fonts. They are there to be looked at.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

KEPT = Path(__file__).parent / "looks"
_SMALL = (70, 45)
_MOST_FAR = 7.0  # of 255, in the mean over the small picture; a part that is missing or moved costs more


def kept(picture: bytes) -> bytes:
    """Return a picture as it is kept: half as wide and high, of few colours."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        small = image.convert("RGB").resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def distance(one: bytes, other: bytes) -> float:
    """Return how far two pictures are from each other, 0 to 255."""
    left, right = _shape(one), _shape(other)
    return sum(abs(a - b) for a, b in zip(left, right, strict=True)) / len(left)


def check(name: str, picture: bytes, folder: Path) -> None:
    """Compare a page with its picture. Raises AssertionError: it looks otherwise; says where the new picture is."""
    new = folder / f"{name}.png"
    new.write_bytes(kept(picture))
    old = KEPT / f"{name}.png"
    assert old.is_file(), f"there is no picture {old}: look at {new}, then run python {Path(__file__).name} {folder}"
    far = distance(old.read_bytes(), new.read_bytes())
    assert far <= _MOST_FAR, f"the page looks otherwise ({far:.1f} of 255): compare {old} and {new}"


def _shape(picture: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("L").resize(_SMALL, Image.Resampling.BOX).tobytes()


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for path in Path(sys.argv[1]).glob("*.png"):
        shutil.copy(path, KEPT)
