"""Client documents must not make this server a tool of strangers (SSRF)."""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.addresses import may_be_called
from connector.oauth.issuing import Fetcher
from connector.oauth.issuing.clients.documents import is_address
from connector.oauth.issuing.clients.fetching import Unfetchable, Unreachable
from tests.oauth.issuing.documents import AUGUST, Platform
from tests.oauth.issuing.house import house
from tests.oauth.issuing.test_client_documents import both

INSIDE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "203.0.113.5", "192.0.2.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "fec0::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::a00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2001:0:7f00:1::1", "fe80::1%eth0",
    "localhost", "", "127.1", "0177.0.0.1", "2130706433",
)  # fmt: skip

OUTSIDE = ("1.1.1.1", "104.18.32.47", "2606:4700::6810:202f", "::ffff:1.1.1.1", "64:ff9b::101:101")


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_on_the_public_internet_is_not_called(address: str) -> None:
    """Private, shared, link-local, loopback, multicast, documentation, tunnels, mapped IPv6 and NAT64."""
    assert not may_be_called(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is(address: str) -> None:
    """Ours: also as IPv6-only networks spell it."""
    assert may_be_called(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_only_in_development(address: str) -> None:
    """Ours: and still nothing else inside."""
    assert may_be_called(address, loopback=True)
    assert not may_be_called("10.0.0.1", loopback=True)
    assert not may_be_called("169.254.169.254", loopback=True)


@pytest.mark.parametrize(
    "client_id",
    [
        "http://chatgpt.com/oauth/client.json",
        "https://chatgpt.com",
        "https://chatgpt.com/",
        "https://user@chatgpt.com/client.json",
        "https://chatgpt.com/oauth/../client.json",
        "https://chatgpt.com/oauth/%2e%2e/client.json",
        "https://chatgpt.com/client.json#x",
        "ftp://chatgpt.com/client.json",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "https://chatgpt.com/\r\nHost: x",
        "https://" + "a" * 1000 + "/client.json",
    ],
)
def test_only_an_https_address_with_a_path_names_a_document(client_id: str) -> None:
    """Client ID Metadata Document, section 3."""
    assert not is_address(client_id)
    assert is_address("https://chatgpt.com/oauth/client.json")


def resolving(*answers: Sequence[str]) -> tuple[list[str], Fetcher]:
    """A fetcher whose names resolve to one answer after the other, and the names it has asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return asked, Fetcher(resolve=resolve, timeout=2)


@pytest.mark.asyncio
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:7f00:1"])
async def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(address: str) -> None:
    """A document at a name of the attacker's that resolves to a private address."""
    _, fetcher = resolving([address])
    with pytest.raises(Unfetchable, match="not on the public internet"):
        await fetcher.fetch("https://metadata.attacker.example/client.json")


@pytest.mark.asyncio
async def test_one_inside_address_among_public_ones_is_enough_to_refuse() -> None:
    """Ours: which of them would be taken is chance."""
    _, fetcher = resolving(["1.1.1.1", "10.0.0.1"])
    with pytest.raises(Unfetchable, match="not on the public internet"):
        await fetcher.fetch("https://attacker.example/client.json")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/x", "https://2130706433/x", "https://0x7f.1/x", "https://0177.0.0.1/x", "https://[::1]/x",
     "https://[::ffff:127.0.0.1]/x", "https://localhost/x"],
)  # fmt: skip
async def test_this_machine_is_refused_however_it_is_spelt(url: str) -> None:
    """The system's own resolver reads short, octal, hexadecimal and decimal spellings."""
    with pytest.raises((Unfetchable, Unreachable)) as refused:
        await Fetcher(timeout=2).fetch(url)
    assert "connection" not in str(refused.value)


def test_a_redirect_is_not_followed_and_a_private_document_is_refused_at_the_door() -> None:
    """Through the public door: 400 on a page for the person, and the host inside is never asked."""
    platform = Platform(**AUGUST)
    platform.status, platform.headers = 302, {"Location": "http://127.0.0.1:1/secret"}
    with both(platform) as at:
        answer = at.authorize(platform.client_id)
        assert (answer.status_code, "location" in answer.headers) == (400, False)
        assert platform.asked == ["document"]
    platform.status, platform.headers, platform.asked = 200, {}, []
    with both(platform, loopback_documents=False) as at:
        assert at.authorize(platform.client_id).status_code == 400
        assert at.authorize(platform.client_id.replace("http://", "https://")).status_code == 400
        assert platform.asked == []


@contextmanager
def speaking(
    *said: bytes, pause: float = 0.0, context: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that says these bytes, again and again the last, to whoever connects; and what it was sent."""
    heard: list[bytes] = []
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with suppress(OSError):
                while not done.is_set():
                    raw, _ = server.accept()
                    with suppress(OSError), raw, context.wrap_socket(raw, True) if context else raw as line:
                        heard.append(line.recv(65_536))
                        for each in said:
                            line.sendall(each)
                        while pause and not done.wait(pause):
                            line.sendall(said[-1])

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        done.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", server.getsockname()[1]), 1).close()
        thread.join(10)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.asyncio
async def test_a_document_without_end_is_cut_off() -> None:
    """Size: no more than 64 KiB are read."""
    endless, cut_off = speaking(HEAD + b"\r\n", b" " * 16_384, pause=0.001), "larger than 65536 bytes"
    with endless as (port, _), pytest.raises(Unfetchable, match=cut_off):
        await Fetcher(loopback=True).fetch(f"http://127.0.0.1:{port}/client.json")


@pytest.mark.asyncio
@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"\r\n{"])
async def test_a_document_that_drips_is_given_up(said: bytes) -> None:
    """Time: everything together, however often a byte comes."""
    dripping = speaking(said or b" ", b"X" if said else b" ", pause=0.05)
    with dripping as (port, _), pytest.raises((Unreachable, Unfetchable)):
        await Fetcher(loopback=True, timeout=0.5).fetch(f"http://127.0.0.1:{port}/client.json")


@pytest.mark.asyncio
async def test_a_compressed_answer_is_not_unpacked() -> None:
    """Size: a few bytes could become many."""
    with speaking(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}") as (port, heard):
        with pytest.raises(Unfetchable, match="compressed"):
            await Fetcher(loopback=True).fetch(f"http://127.0.0.1:{port}/client.json")
        assert b"accept-encoding: identity" in heard[0].lower()


@pytest.mark.asyncio
async def test_what_is_sent_tells_nothing_of_this_server() -> None:
    """Ours: no cookie, no credentials, no referrer; the type of the answer does not matter."""
    with speaking(HEAD + b"Content-Length: 2\r\nSet-Cookie: a=b\r\n\r\n{}") as (port, heard):
        for _ in range(2):
            assert (await Fetcher(loopback=True).fetch(f"http://127.0.0.1:{port}/client.json?x=1")).body == b"{}"
    lines = heard[1].decode().lower().split("\r\n")
    assert lines[0] == "get /client.json?x=1 http/1.1"
    assert f"host: 127.0.0.1:{port}" in lines
    assert {line.partition(":")[0] for line in lines[1:] if line} == {
        "host", "accept", "accept-encoding", "user-agent", "connection",
    }  # fmt: skip


def certificate(name: str, folder: Path) -> Path:
    """A self-signed certificate for a host, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, plain))
    return path


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "is_fetched"), [("client.example", True), ("other.example", False)])
async def test_the_checked_address_is_called_and_the_name_is_still_verified(
    name: str, is_fetched: bool, tmp_path: Path
) -> None:
    """Rebinding: the name is asked for once, and would answer something else then; TLS is to the name all the same."""
    pem = certificate(name, tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    trust = ssl.create_default_context(cafile=pem)
    asked, rebinding = resolving(["127.0.0.1"], ["10.0.0.1"])
    fetcher = Fetcher(loopback=True, resolve=rebinding.resolve, trust=trust, timeout=5)
    with speaking(HEAD + b"Content-Length: 2\r\n\r\n{}", context=serving) as (port, heard):
        url = f"https://client.example:{port}/client.json"
        if is_fetched:
            assert (await fetcher.fetch(url)).body == b"{}"
            assert f"host: client.example:{port}".encode() in heard[0].lower()
        else:
            with pytest.raises(Unreachable):
                await fetcher.fetch(url)
    assert asked == ["client.example"]


def test_keys_are_fetched_by_the_same_rules() -> None:
    """jwks_uri is a stranger's as well: inside addresses, other schemes and user names are refused."""
    for jwks_uri in (
        "https://169.254.169.254/keys", "https://10.0.0.1/keys", "file:///etc/passwd", "http://evil.test/keys",
        "https://a@evil.test/keys", "https://[::ffff:10.0.0.1]/keys", 7,
    ):  # fmt: skip
        platform = Platform(token_endpoint_auth_method="private_key_jwt", jwks_uri=jwks_uri)
        with both(platform) as at:
            signed = platform.assertion(f"{at.url}/token")
            answer = at.redeem(platform.client_id, at.code(platform.client_id), **signed)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), jwks_uri


def test_a_public_connector_fetches_nothing_from_its_own_machine() -> None:
    """Ours: loopback documents are for loopback connectors."""
    with house(public_url="https://notes.example.com") as at:
        assert at.authorize(f"{at.url}/.well-known/oauth-authorization-server").status_code == 400
