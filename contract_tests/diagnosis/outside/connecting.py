"""Opens one connection to an address and looks at how far it comes: name, port, TLS, certificate. Sends no request.

Certificates are judged by the authorities this machine trusts (SSL_CERT_FILE names others), as a host would judge.
"""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import anyio.to_thread
from cryptography import x509

from ...report.words import plural

SOON: Final = 14
"""Days before its end at which a certificate is worth a word: renewals that work happen at thirty."""

_LIMIT: Final = 10.0  # seconds: what Claude gives a sign-in, and plenty for a handshake

_CODES: Final = {
    9: "not-yet",
    10: "expired",
    18: "self-made",  # the certificate has signed itself
    19: "incomplete",  # its chain ends in an authority that nobody here knows
    20: "incomplete",  # the next certificate of the chain is missing
    21: "incomplete",
    62: "other-name",
    64: "other-name",  # an address of digits
}
"""OpenSSL's X509_V_ERR numbers, as answers of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How far a connection came. `reach` and `certificate` are answers of the table, empty if there is nothing to say.

    `reach` is only filled where no connection came about.
    """

    reach: str = ""
    certificate: str = ""
    fact: str = ""


async def connect(url: str, *, now: datetime | None = None) -> Connection:
    """Connect to the host of a URL and say how that went; never raises for what is found."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    look = partial(_look, host, port, is_tls=is_tls, now=now or datetime.now(UTC))
    return await anyio.to_thread.run_sync(look, abandon_on_cancel=True)


def _look(host: str, port: int, *, is_tls: bool, now: datetime) -> Connection:
    try:
        with socket.create_connection((host, port), timeout=_LIMIT) as plain:
            return _greet(plain, host, port, now) if is_tls else Connection()
    except (socket.gaierror, UnicodeError) as problem:
        return Connection(reach="name-unknown", fact=f"{host}: {problem}")
    except ConnectionRefusedError:
        return Connection(reach="refused", fact=f"{host}, port {port}: connection refused")
    except OSError as problem:
        return Connection(reach="no-route", fact=f"{host}, port {port}: {problem}")


def _greet(plain: socket.socket, host: str, port: int, now: datetime) -> Connection:
    try:
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
            return _ends(x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b""), now)
    except ssl.SSLCertVerificationError as problem:
        answer = _CODES.get(problem.verify_code, "incomplete")
        return Connection(certificate=answer, fact=f"{problem.verify_message}{_described(host, port)}")
    except (ssl.SSLError, OSError) as problem:
        said = getattr(problem, "reason", None) or str(problem)
        return Connection(certificate="no-tls", fact=f"the TLS handshake with {host}, port {port} failed: {said}")


def _ends(certificate: x509.Certificate, now: datetime) -> Connection:
    left = (certificate.not_valid_after_utc - now).days
    fact = f"valid until {certificate.not_valid_after_utc:%Y-%m-%d}, {plural(left, 'day')} left"
    return Connection(certificate="ends-soon" if left <= SOON else "good", fact=fact)


def _described(host: str, port: int) -> str:
    """What the refused certificate says of itself; empty if it cannot be had a second time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only to read it: nothing is sent
    try:
        with (
            socket.create_connection((host, port), timeout=_LIMIT) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return ""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return f" (for {', '.join(_names(certificate)) or 'no name'}; valid {start:%Y-%m-%d} to {end:%Y-%m-%d})"


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]
