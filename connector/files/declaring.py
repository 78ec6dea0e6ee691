"""A tool's file parameters: found in its annotations, and spelt on its descriptor as the platform's scanner demands.

A wrong declaration fails here, before any request. Knows nothing of fetching.
"""

import importlib.util
import inspect
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Union

from mcp.server.mcpserver.tools import Tool
from pydantic import WithJsonSchema

from ..errors import DeclarationError
from .file import File
from .reading import kinds
from .reference import SCHEMA, Reference

PARAMS: Final = "openai/fileParams"

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*)|\*/\*")
_PARSERS: Final = (("pypdf", (kinds.PDF,)), ("PIL", tuple(kinds.PICTURES)))


@dataclass(frozen=True, slots=True)
class Accepts:
    """Media types that a file parameter takes. Made by `accepts`."""

    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileParameter:
    """One file parameter: whether it takes several files, whether it may be left out, and which kinds it takes."""

    many: bool
    optional: bool
    accepts: tuple[str, ...]
    described: tuple[Any, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Its part of the input schema."""
        return {"type": "array", "items": SCHEMA} if self.many else SCHEMA

    def annotation(self) -> Any:
        """What the SDK is shown instead of `File`."""
        wire: Any = list[Reference] if self.many else Reference
        wire = wire | None if self.optional else wire
        return Annotated[(wire, *self.described, WithJsonSchema(self.schema()))]


def accepts(*media_types: str) -> Accepts:
    """Say which files a parameter takes: `Annotated[File, accepts("application/pdf", "image/*")]`.

    A file of another kind, by its bytes, is refused before the tool is run; so is one that is damaged, cut off,
    encrypted or a bomb, where its kind is PDF, a picture, ZIP or Word.

    Raises:
        DeclarationError: None is named, one is no media type, or one that bytes cannot tell.
    """
    if not media_types:
        raise DeclarationError("accepts() names no kind of file: write e.g. accepts('application/pdf')")
    for each in media_types:
        if not (isinstance(each, str) and _MEDIA_TYPE.fullmatch(each)):
            raise DeclarationError(f"accepts({each!r}) is no media type: write e.g. 'application/pdf' or 'image/*'")
        if not kinds.can_be_told(each):
            raise DeclarationError(
                f"accepts({each!r}) would refuse every file, because bytes do not tell that kind: leave accepts out, "
                "and look at the file yourself"
            )
    return Accepts(media_types)


def file_parameters(method: Any) -> Mapping[str, FileParameter]:
    """The file parameters of a method, by name.

    Raises:
        DeclarationError: `File` stands where the platform fills none, or what is accepted cannot be read here.
    """
    hints = typing.get_type_hints(method, include_extras=True)
    found = dict[str, FileParameter]()
    for name, parameter in inspect.signature(method).parameters.items():
        where = f"{method.__qualname__}({name})"
        declared = _declared(hints.get(name), where)
        if declared is not None:
            _must_be_left_out_with_none(parameter, declared, where)
            found[name] = declared
    if _holds_file(hints.get("return")):
        raise DeclarationError(f"{method.__qualname__} returns a File, which ends with the call: return what is in it")
    return found


def with_file_params(meta: dict[str, Any] | None, files: Mapping[str, FileParameter]) -> dict[str, Any] | None:
    """A descriptor's `_meta` that names the file parameters.

    Raises:
        DeclarationError: It names others already.
    """
    said = (meta or {}).get(PARAMS)
    if said is not None and list(said) != list(files):
        raise DeclarationError(
            f"_meta[{PARAMS!r}] is {said!r}, but the parameters annotated with File are {list(files)!r}: leave it out, "
            "it follows from the annotations"
        )
    return {**(meta or {}), PARAMS: list(files)} if files else meta


def spell_out(tool: Tool | None, files: Mapping[str, FileParameter]) -> None:
    """Make a tool's input schema say of file parameters what the scanner demands and a description, nothing else."""
    properties = {} if tool is None else tool.parameters["properties"]
    for name, file in files.items():
        kept = properties[name]
        properties[name] = file.schema() | {k: v for k, v in kept.items() if k == "description"}


def _declared(hint: Any, where: str) -> FileParameter | None:
    inner, notes, is_optional, is_many = _unwrapped(hint)
    said = [each for each in notes if isinstance(each, Accepts)]
    if inner is not File:
        if said:
            raise DeclarationError(f"{where}: accepts(...) says something of a File, and {inner!r} is none")
        if _holds_file(hint):
            raise DeclarationError(
                f"{where} is {hint!r}: the platform fills File, list[File] and File | None only, at the top level"
            )
        return None
    if len(said) > 1:
        raise DeclarationError(f"{where} has more than one accepts(...): name all kinds in one")
    wanted = said[0].media_types if said else ()
    _must_be_readable(wanted, where)
    others = tuple(each for each in notes if not isinstance(each, Accepts))
    return FileParameter(many=is_many, optional=is_optional, accepts=wanted, described=others)


def _unwrapped(hint: Any) -> tuple[Any, list[Any], bool, bool]:
    """What is inside `Annotated`, `| None` and one `list`; the annotations; whether it may be None; whether a list."""
    notes, is_optional, is_many = list[Any](), False, False
    while True:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Annotated:
            hint, notes = arguments[0], [*notes, *arguments[1:]]
        elif origin in {Union, types.UnionType} and len(others := [a for a in arguments if a is not type(None)]) == 1:
            if is_many:
                return hint, notes, is_optional, is_many
            hint, is_optional = others[0], True
        elif origin is list and arguments and not is_many:
            hint, is_many = arguments[0], True
        else:
            return hint, notes, is_optional, is_many


def _holds_file(hint: Any) -> bool:
    return hint is File or any(_holds_file(each) for each in typing.get_args(hint))


def _must_be_left_out_with_none(parameter: inspect.Parameter, file: FileParameter, where: str) -> None:
    default = parameter.default
    is_left_out = default is not inspect.Parameter.empty
    if is_left_out and not (default is None and file.optional):
        raise DeclarationError(f"{where} has the default {default!r}: write File | None = None if it may be left out")
    if file.optional and not is_left_out:
        raise DeclarationError(f"{where} may be None and has no default: write File | None = None")


def _must_be_readable(wanted: tuple[str, ...], where: str) -> None:
    for package, read in _PARSERS:
        is_wanted = any(kinds.fits(kind, each) for kind in read for each in wanted if each != "*/*")
        if is_wanted and importlib.util.find_spec(package) is None:
            raise DeclarationError(
                f"{where} accepts what {package} reads, which is not installed: pip install 'mcp-ballast[files]'"
            )
