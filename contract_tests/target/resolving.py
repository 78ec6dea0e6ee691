"""From `module:attribute` or `file.py[:attribute]` to the object. Imports the user's code, and says what went wrong."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ..errors import BadTarget

USUAL_NAMES = ("connector", "app", "mcp", "server")
"""The attributes tried in this order where a file is given without one."""


def resolve(specification: str) -> object:
    """Import what the user named.

    Raises:
        BadTarget: it does not import, or has no such attribute.
    """
    place, _, attribute = specification.partition(":")
    if place.endswith(".py") or "/" in place:
        return _attribute(_from_file(Path(place)), attribute, specification)
    if not attribute:
        raise BadTarget(
            f"{specification!r} is no target. Give an address (https://...), module:attribute or file.py[:attribute]."
        )
    return _attribute(_from_module(place), attribute, specification)


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise BadTarget(f"There is no file {path}. Give the path of a Python file, or module:attribute.")
    _look_in(path.resolve().parent)
    name = path.stem
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) != str(path.resolve()):
        name = f"_ballast_target_{name}"  # a name such as `types` belongs to somebody else already
    specification = importlib.util.spec_from_file_location(name, path.resolve())
    if specification is None or specification.loader is None:
        raise BadTarget(f"{path} is not a Python file. Give one that is, or module:attribute.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as problem:
        sys.modules.pop(name, None)
        raise BadTarget(f"{path} does not import: {_in_words(problem)}. Run `python {path}` to see where.") from problem
    return module


def _from_module(name: str) -> ModuleType:
    _look_in(Path.cwd())
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as problem:
        remedy = f"Run `python -c 'import {name}'` here to see where."
        raise BadTarget(f"The module {name} does not import: {_in_words(problem)}. {remedy}") from problem


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _attribute(module: ModuleType, attribute: str, specification: str) -> object:
    if not attribute:
        for name in USUAL_NAMES:
            if hasattr(module, name):
                found: object = getattr(module, name)
                return found
        names = ", ".join(USUAL_NAMES)
        raise BadTarget(f"{specification} has none of {names}. Say which attribute it is: {specification}:NAME.")
    value: object = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            public = ", ".join(sorted(name for name in vars(module) if not name.startswith("_"))[:20])
            raise BadTarget(f"{module.__name__} has no {attribute!r}. It has: {public or 'nothing public'}.")
        value = getattr(value, part)
    return value


def _in_words(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
