"""Pictures: looked at before they are unpacked, made small, and stripped of what is not the picture."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ..kinds import PICTURES
from ..limits import Limits
from ..problems import Problem, Refused

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_FRAMES: Final = 10_000
QUALITY: Final = 88
"""Of JPEG: letters of a scanned page stay sharp."""

_SEE_THROUGH: Final = frozenset({"RGBA", "LA", "PA", "P", "1", "L"})
"""What JPEG cannot hold, or holds worse than PNG."""


def check(path: str, kind: str, limits: Limits) -> dict[str, Any]:
    """Unpack the picture once: its size, and how many frames it has.

    Raises:
        Refused: It is none, too large, damaged or cut off.
    """
    with _opened(path, kind, limits) as picture:
        said = _said(picture)
        picture.load()
        return said


def picture(path: str, kind: str, limits: Limits, longest: int) -> tuple[dict[str, Any], bytes]:
    """The first frame, upright and at most `longest` pixels wide and high, as PNG or JPEG without its metadata.

    Raises:
        Refused: As `check`.
    """
    from PIL import ImageOps  # noqa: PLC0415  an optional dependency

    with _opened(path, kind, limits) as picture:
        said = _said(picture)
        picture.draft(None, (longest, longest))
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((longest, longest))
        written, body = _written(upright)
        width, height = upright.size
        return {**said, "media_type": written, "shown_width": width, "shown_height": height}, body


@contextmanager
def _opened(path: str, kind: str, limits: Limits) -> "Iterator[Image]":
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  an optional dependency
    except ImportError:
        raise Refused(Problem.NOT_INSTALLED) from None
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with Image.open(path, formats=[PICTURES[kind]]) as picture:
            _must_be_small(picture, limits)
            yield picture
    except UnidentifiedImageError:
        raise Refused(Problem.CORRUPT) from None
    except Image.DecompressionBombError:
        raise Refused(Problem.TOO_MANY_PIXELS, limit=limits.pixels) from None
    except (OSError, EOFError) as failed:
        is_short = isinstance(failed, EOFError) or "truncated" in str(failed)
        raise Refused(Problem.CUT_OFF if is_short else Problem.CORRUPT) from None


def _must_be_small(picture: "Image", limits: Limits) -> None:
    width, height = picture.size
    if width * height > limits.pixels:
        raise Refused(Problem.TOO_MANY_PIXELS, width=width, height=height, limit=limits.pixels)


def _said(picture: "Image") -> dict[str, Any]:
    width, height = picture.size
    frames = int(getattr(picture, "n_frames", 1))
    if frames > MOST_FRAMES:
        raise Refused(Problem.BOMB)
    return {"width": width, "height": height, "frames": frames}


def _written(picture: "Image") -> tuple[str, bytes]:
    out = io.BytesIO()
    if picture.mode in _SEE_THROUGH:
        picture.convert("RGBA" if picture.mode in {"P", "PA", "LA"} else picture.mode).save(out, "PNG")
        return "image/png", out.getvalue()
    picture.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return "image/jpeg", out.getvalue()
