"""Any bytes, under any name and type: a clean result or a sentence, within limits, and the process goes on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector import FileRefused, FileSettings
from connector.files.declaring import FileParameter
from connector.files.fetching.download import Download
from connector.files.fetching.sink import Sink
from connector.files.file import File
from connector.files.intake import Intake
from connector.files.reading import kinds
from connector.files.reference import Reference
from tests.attachments import zoo

SEEDS = [
    zoo.pdf(2), zoo.encrypted_pdf(user=""), zoo.png(), zoo.animation(), zoo.picture("JPEG"), zoo.picture("GIF"),
    zoo.picture("WEBP"), zoo.picture("TIFF"), zoo.picture("BMP"),
    zoo.archive({"a/b": b"c" * 99, "d.zip": zoo.archive({})}),
    zoo.docx("Dear", "reader"), zoo.encrypted_ooxml(), b"<html>", "Grüße".encode("utf-16"), b"a,b\n1,2\n",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file that was whole once: bytes changed, cut out, put in, two files in one."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        span = draw(st.integers(0, 40))
        body[at : at + span] = draw(st.binary(max_size=40))
    return bytes(body + draw(st.sampled_from([b"", b"", *SEEDS])))


class Given(Download):
    """A download that is handed its bytes."""

    body = b""

    async def into(self, sink: Sink, url: str, *, ends: float | None = None) -> None:
        """What the store has."""
        await sink.write(self.body)
        await sink.flush()


class House:
    """A loop and an intake that live as long as the test."""

    def __init__(self, folder: Path) -> None:
        given = FileSettings(folder=folder, step=10, pixels=100_000, inflated=10**6, characters=10_000, pages=50)
        self.download = Given(given)
        self.intake = Intake(given, download=self.download)
        self.runner = asyncio.Runner()

    def take(self, body: bytes, wanted: tuple[str, ...], name: str | None, said: str | None) -> str:
        """What becomes of a file: what is in it, or the sentence."""
        self.download.body = body
        reference = Reference(download_url="https://x", file_id="f", mime_type=said, file_name=name)
        return self.runner.run(self._taken(reference, wanted))

    async def _taken(self, reference: Reference, wanted: tuple[str, ...]) -> str:
        parameter = FileParameter(many=False, optional=False, accepts=wanted)
        try:
            async with self.intake.opened({"f": reference}, {"f": parameter}) as arguments:
                file: File = arguments["f"]
                assert not wanted or any(kinds.fits(file.media_type, each) for each in wanted)
                return await _read(file)
        except FileRefused as refused:
            return str(refused)

    def close(self) -> None:
        """End everything."""
        self.runner.run(self.intake.aclose())
        self.runner.close()


async def _read(file: File) -> str:
    if file.media_type == kinds.PDF:
        return "\n".join([page.text async for page in file.pages()])
    if file.media_type in kinds.PICTURES:
        return (await file.image(longest=64)).media_type
    if file.media_type == kinds.ZIP:
        return str(await file.entries())
    return await file.text()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all examples: what one does must not hurt the next."""
    opened = House(tmp_path_factory.mktemp("files"))
    yield opened
    opened.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=damaged() | st.binary(max_size=200) | st.sampled_from(SEEDS),
    wanted=st.sampled_from([(), ("application/pdf",), ("image/*",), (kinds.DOCX, "text/*"), (kinds.ZIP,), ("*/*",)]),
    name=st.none() | st.text(max_size=60),
    said=st.none() | st.sampled_from(["application/pdf", "text/csv", "image/png", "", "x"]) | st.text(max_size=20),
)
def test_any_bytes_give_a_clean_result_or_a_sentence(
    house: House, body: bytes, wanted: tuple[str, ...], name: str | None, said: str | None
) -> None:
    """Issue 8 item 4: never another exception, never half a surrogate, never a leftover file."""
    found = house.take(body, wanted, name, said)

    found.encode()
    assert len(found) < 20_000
    if found.startswith("The attachment "):
        assert "Ask" in found or "Try" in found, found
        assert "{" not in found.partition("' ")[2]
        assert "\n" not in found
    assert len(house.intake.room.pids) <= 2
    assert house.intake._disk._left == FileSettings().on_disk
