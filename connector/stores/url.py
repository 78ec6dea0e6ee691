"""The URL of a store as it may be shown: in messages, in a repr, in a log. What could be a password is not shown."""

from urllib.parse import unquote

SECRET_WORDS = ("pass", "secret", "token", "key", "auth")
"""A parameter whose name has one of these in it is not shown: `password`, `sslpassword`, `passfile` and their like."""


def shown(url: str) -> str:
    """The URL with `***` for user, password, and any parameter that may be a secret.

    Everything up to the last `@` is hidden, since a password that was not percent-encoded may contain `/` or `@`.
    """
    scheme, slashes, rest = url.partition("://")
    if not slashes:
        return f"{url.partition(':')[0]}:***" if ":" in url else "***"
    if "@" in rest:
        rest = f"***@{rest.rpartition('@')[2]}"
    rest, mark, query = rest.partition("?")
    parameters = "&".join(_shown_parameter(parameter) for parameter in query.split("&")) if query else ""
    return f"{scheme}://{rest}{mark}{parameters}"


def _shown_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    is_secret = any(word in unquote(name).lower() for word in SECRET_WORDS)
    return f"{name}={'***'}" if equals and is_secret else parameter
