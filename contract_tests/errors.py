"""What can go wrong before anything could be judged: one class per situation, with what to do about it.

A finding about a target is never an exception; these are the reasons why there is no finding to give.
"""

from pathlib import Path


class BallastTestError(Exception):
    """Base of every error this package raises on purpose. The command line turns it into exit code 2."""


class SessionFileError(BallastTestError):
    """A session file cannot be used. Fix the named line; nothing was sent."""

    def __init__(self, path: Path | str, line: int, field: str, problem: str, remedy: str) -> None:
        self.path = str(path)
        self.line = line
        self.field = field
        self.problem = problem
        self.remedy = remedy
        where = f"{path}:{line}" + (f", {field}" if field else "")
        super().__init__(f"{where}: {problem} {remedy}")


class UnknownSession(BallastTestError):
    """A session was asked for by an id that does not exist."""


class UnknownRule(BallastTestError):
    """A rule for mutations was asked for by an id that does not exist."""


class BadConfiguration(BallastTestError):
    """ballast.toml or `[tool.ballast]` says something that cannot be used."""


class BadTarget(BallastTestError):
    """The target cannot be served: it does not import, is missing, or is not an MCP server."""


class TargetUnreachable(BallastTestError):
    """Nothing answered at the target's address, so there is nothing to judge."""


class BadBaseline(BallastTestError):
    """A baseline cannot be used: it is missing, no JSON, or of another format."""


class BadNight(BallastTestError):
    """A night cannot be kept: nowhere to write, or another one is under way."""


class BadSurface(BallastTestError):
    """An approved list of tools cannot be used: it is missing, no JSON, of another format, or none was seen."""


class CannotRecord(BallastTestError):
    """Traffic cannot be recorded: nowhere to write, nothing to read, or no way to listen."""


class CannotFill(BallastTestError):
    """A template names a variable that has no value."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the variable ${{{name}}} has no value here")


class CannotMakeArguments(BallastTestError):
    """No arguments could be made from a tool's input schema; give an example in ballast.toml."""
