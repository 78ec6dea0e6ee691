"""How attachments come: over https, from public addresses, within bytes and seconds."""

import datetime
import gzip
import logging
import ssl
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector import DeclarationError, FileSettings, Settings
from connector.files.fetching.download import Download
from connector.files.fetching.sink import Disk, Sink
from connector.files.reading.problems import Problem, Refused
from tests.attachments.blobs import (
    Answering,
    Blobs,
    broken,
    dripping,
    endless,
    silent,
    status,
    too_short,
    unmeasured,
    whole,
)

BODY = b"%PDF-1.7 and more" * 1000
KIB = 1024
TRUST = ssl.create_default_context()
TIGHT = FileSettings(loopback=True, largest=64 * KIB)
HURRIED = FileSettings(loopback=True, within=0.7, stall=0.3)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.files.fetching.download.PAUSE", 0.001)


async def fetched(
    tmp_path: Path, url: str, settings: FileSettings = TIGHT, *, disk: Disk | None = None, **options: Any
) -> Sink:
    """Download into a folder of the test's own."""
    sink = Sink(tmp_path / "1", largest=settings.largest, disk=disk or Disk(10**9))
    await Download(settings, **{"trust": TRUST, **options}).into(sink, url)
    return sink


async def refusal(tmp_path: Path, url: str, settings: FileSettings = TIGHT, **options: Any) -> Refused:
    """What a download is refused with."""
    with pytest.raises(Refused) as refused:
        await fetched(tmp_path, url, settings, **options)
    return refused.value


def resolving(*answers: Sequence[str]) -> tuple[list[str], Callable[..., Any]]:
    """A resolver with one answer after the other, and the names it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return asked, resolve


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "behaviour",
    [whole(BODY), unmeasured(BODY), whole(gzip.compress(BODY), Content_Encoding="gzip"),
     whole(gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]), Content_Encoding="x-gzip")],
    ids=["whole", "unmeasured", "packed", "packed-twice"],
)  # fmt: skip
async def test_a_file_arrives_whole_however_it_is_sent(
    behaviour: Callable[[Answering], None], store: Blobs, tmp_path: Path
) -> None:
    """Ours: without a length, with one, and packed although nobody asked for it."""
    sink = await fetched(tmp_path, store.put("/a", behaviour)["download_url"])

    assert sink.path.read_bytes() == BODY
    assert (sink.size, sink.sha256[:8]) == (17000, "c7d4acd2")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        (too_short(BODY[:100], said=5000), Problem.BROKEN_OFF),
        (broken(BODY), Problem.BROKEN_OFF),
        (lambda answering: answering.reset(), Problem.BROKEN_OFF),
        (lambda answering: answering.head(Content_Length="-5"), Problem.BROKEN_OFF),
        (whole(bytes(65 * KIB)), Problem.TOO_LARGE),
        (too_short(b"", said=10**18), Problem.TOO_LARGE),
        (endless, Problem.TOO_LARGE),
        (whole(gzip.compress(bytes(50 * KIB * KIB)), Content_Encoding="gzip"), Problem.TOO_LARGE),
        (whole(gzip.compress(BODY)[:-9], Content_Encoding="gzip"), Problem.CUT_OFF),
        (whole(b"no gzip", Content_Encoding="gzip"), Problem.CORRUPT),
        (whole(zlib.compress(BODY), Content_Encoding="br"), Problem.ENCODED),
        (whole(gzip.compress(BODY), Transfer_Encoding="gzip"), Problem.BROKEN_OFF),
        (status(403), Problem.GONE),
        (status(404), Problem.GONE),
        (status(410), Problem.GONE),
        (status(503), Problem.UNREACHABLE),
        (status(206), Problem.UNREACHABLE),
        (status(302, Location="/a"), Problem.FORBIDDEN),
        (status(302, Location="file:///etc/passwd"), Problem.UNFIT_URL),
        (status(302, Location="http://10.0.0.1/x"), Problem.FORBIDDEN),
        (status(302, Location="http://user:secret@127.0.0.1/x"), Problem.FORBIDDEN),
        (status(302, Location="http://[::1/x"), Problem.UNFIT_URL),
    ],
)
async def test_what_a_store_does_wrong_is_told_apart(
    behaviour: Callable[[Answering], None], problem: Problem, store: Blobs, tmp_path: Path
) -> None:
    """Issue 8 item 4: each needs another word to the user."""
    refused = await refusal(tmp_path, store.put("/a", behaviour)["download_url"])

    assert refused.problem is problem
    assert not (tmp_path / "1").exists() or (tmp_path / "1").stat().st_size <= TIGHT.largest


@pytest.mark.asyncio
@pytest.mark.parametrize("behaviour", [silent, dripping])
async def test_a_store_that_takes_for_ever_is_left(
    behaviour: Callable[[Answering], None], store: Blobs, tmp_path: Path
) -> None:
    """Issue 8 item 4: whether nothing more comes, or a byte now and then."""
    refused = await refusal(tmp_path, store.put("/a", behaviour)["download_url"], HURRIED)

    assert refused.problem is Problem.SLOW


@pytest.mark.asyncio
async def test_a_download_leaves_the_tool_time_to_answer(store: Blobs, tmp_path: Path) -> None:
    """Issue 8 item 4: bound by the deadline of the call, however that is said."""
    sink = Sink(tmp_path / "1", largest=10**6, disk=Disk(10**9))
    url, download = store.put("/a", silent)["download_url"], Download(FileSettings(loopback=True), trust=TRUST)

    with pytest.raises(Refused) as said, anyio.fail_after(1):
        await download.into(sink, url)
    with pytest.raises(Refused) as known:
        await download.into(sink, url, ends=time.monotonic() + 0.5)

    assert said.value.problem is known.value.problem is Problem.SLOW


@pytest.mark.asyncio
async def test_a_store_that_stumbles_is_asked_again(store: Blobs, tmp_path: Path) -> None:
    """Ours: a download changes nothing, so a second try is free."""
    ways = [status(503), broken(b"half"), whole(BODY)]

    def differently(answering: Answering) -> None:
        ways.pop(0)(answering)

    url = store.put("/a", differently)["download_url"]

    sink = await fetched(tmp_path, url)

    assert sink.path.read_bytes() == BODY
    assert len(store.asked) == 3


@pytest.mark.asyncio
async def test_a_link_is_not_logged(store: Blobs, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ours: who has the link has the file, and HTTP clients like to log what they ask for."""
    caplog.set_level(logging.INFO)
    store.put("/a?sig=c2VjcmV0", status(302, Location="/b?sig=c2VjcmV0"))
    store.put("/b?sig=c2VjcmV0", whole(BODY))

    await fetched(tmp_path, f"{store.origin}/a?sig=c2VjcmV0")

    assert len(store.asked) == 2
    assert "c2VjcmV0" not in caplog.text


@pytest.mark.asyncio
async def test_a_redirect_is_followed_and_carries_nothing_along(store: Blobs, tmp_path: Path) -> None:
    """Each hop is judged anew; a cookie of the first is not sent to the second."""
    store.put("/b", whole(BODY))
    url = store.put("/a", status(307, Location="/b", Set_Cookie="session=1; Path=/"))["download_url"]

    await fetched(tmp_path, url)

    assert [path for path, _ in store.asked] == ["/a", "/b"]
    for _, headers in store.asked:
        assert set(headers) <= {"Host", "Accept-Encoding", "Accept", "Connection", "User-Agent"}
        assert headers["Accept-Encoding"] == "identity"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/a", "ftp://files.example.com/a", "file:///etc/passwd", "data:,x", "//host/a", "", "a",
        "https://", "https://[::1", "https://host:99999/a", "https://ho\0st/a", "sediment://file_1",
    ],
)  # fmt: skip
async def test_only_https_is_asked(url: str, tmp_path: Path) -> None:
    """Over http anybody on the way could change the file, and other schemes reach into the machine."""
    refused = await refusal(tmp_path, url, FileSettings(), resolve=resolving(["1.1.1.1"])[1])

    assert refused.problem in {Problem.UNFIT_URL, Problem.FORBIDDEN}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/x", "https://2130706433/x", "https://0x7f.1/x", "https://[::ffff:127.0.0.1]/x",
     "https://localhost/x", "https://169.254.169.254/latest/meta-data/", "https://10.1.2.3/x", "https://[fd00::1]/x"],
)  # fmt: skip
async def test_an_address_inside_is_refused_however_it_is_spelt(url: str, tmp_path: Path) -> None:
    """SSRF: this machine, the network around it, and what clouds tell their guests."""
    refused = await refusal(tmp_path, url, FileSettings(within=5))

    assert refused.problem is Problem.FORBIDDEN


@pytest.mark.asyncio
async def test_a_name_that_changes_its_mind_is_looked_up_once_for_each_request(store: Blobs, tmp_path: Path) -> None:
    """DNS rebinding: the connection goes to the address that was judged. The second answer would lead elsewhere."""
    asked, resolve = resolving(["127.0.0.1"], ["10.0.0.1"])
    url = store.put("/a", whole(BODY))["download_url"].replace("127.0.0.1", "files.example.com")

    sink = await fetched(tmp_path, url, resolve=resolve)

    assert sink.path.read_bytes() == BODY
    assert asked == ["files.example.com"]
    assert store.asked[0][1]["Host"] == f"files.example.com:{store.server_port}"


@pytest.mark.asyncio
async def test_a_redirect_to_a_name_that_leads_inside_is_refused(store: Blobs, tmp_path: Path) -> None:
    """SSRF by redirect, and rebinding between two hops of one download."""
    _, resolve = resolving(["127.0.0.1"], ["169.254.169.254"])
    url = store.put("/a", status(302, Location="/b"))["download_url"]

    assert (await refusal(tmp_path, url, resolve=resolve)).problem is Problem.FORBIDDEN
    assert [path for path, _ in store.asked] == ["/a"]


@pytest.mark.asyncio
async def test_a_connector_can_be_bound_to_the_hosts_of_its_platform(store: Blobs, tmp_path: Path) -> None:
    """Ours: `hosts` names domains; what only ends like one is another."""
    settings = FileSettings(loopback=True, hosts=("oaiusercontent.com",))
    _, resolve = resolving(["127.0.0.1"])
    url = store.put("/a", whole(BODY))["download_url"]

    for host in ("files.oaiusercontent.com", "oaiusercontent.com", "oaiusercontent.com."):
        await fetched(tmp_path, url.replace("127.0.0.1", host), settings, resolve=resolve)
    for host in ("evil-oaiusercontent.com", "oaiusercontent.com.evil.example"):
        refused = await refusal(tmp_path, url.replace("127.0.0.1", host), settings, resolve=resolve)
        assert refused.problem is Problem.FORBIDDEN


@pytest.mark.asyncio
async def test_a_certificate_for_another_name_is_not_trusted(store: Blobs, tmp_path: Path) -> None:
    """Connecting to an address must not loosen what TLS promises of the name."""
    client = ssl.create_default_context(cafile=_wear_certificate(store, "files.example.com", tmp_path))
    secure = store.put("/a", whole(BODY))["download_url"].replace("http://127.0.0.1", "https://files.example.com")
    _, resolve = resolving(["127.0.0.1"])

    sink = await fetched(tmp_path, secure, resolve=resolve, trust=client)
    other = secure.replace("files.example.com", "other.example.com")

    assert sink.path.read_bytes() == BODY
    refused = await refusal(tmp_path, other, resolve=resolve, trust=client)
    assert refused.problem is Problem.UNREACHABLE


def _wear_certificate(store: Blobs, host: str, folder: Path) -> str:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "cert.pem"
    pem.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    store.socket = context.wrap_socket(store.socket, server_side=True)
    return str(pem)


@pytest.mark.asyncio
async def test_all_files_together_take_no_more_of_the_disk_than_they_may(store: Blobs, tmp_path: Path) -> None:
    """Ours: many calls with large files must not fill the disk; what is given back can be taken again."""
    disk, url = Disk(30_000), store.put("/a", whole(BODY))["download_url"]

    first = await fetched(tmp_path, url, disk=disk)
    refused = await refusal(tmp_path, url, disk=disk)
    first.release()

    assert refused.problem is Problem.DISK_FULL


def test_the_switch_for_tests_is_refused_where_strangers_come_in() -> None:
    """Ours: BALLAST_FILES_LOOPBACK beside a public URL would be a hole."""
    with pytest.raises(DeclarationError, match=r"loopback=True would let callers of https://papers\.example\.com"):
        Settings.from_environment(
            {"BALLAST_FILES_LOOPBACK": "true", "BALLAST_PUBLIC_URL": "https://papers.example.com"}
        )
    local = {"BALLAST_FILES_LOOPBACK": "true", "BALLAST_PUBLIC_URL": "http://localhost:8000"}
    assert Settings.from_environment(local).files.loopback


@pytest.mark.parametrize("wrong", [{"largest": 0}, {"within": 0}, {"step": float("inf")}, {"readers": -1}])
def test_a_setting_that_would_refuse_everything_is_refused(wrong: dict[str, Any]) -> None:
    """Ours: at start-up, with the value."""
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(DeclarationError, match=f"{name}={value}"):
        FileSettings(**wrong)
