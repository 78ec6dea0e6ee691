"""Python's standard library as a knowledge source: the `search` and `fetch` tools that ChatGPT's deep research and
company knowledge ask for, over the docstrings of the Python that runs this file.

Sources are parsed, never imported; C modules are inspected. The index is an SQLite FTS5 file in the user's cache
folder, built when the connector starts for the first time under a Python version (a few seconds), then reused.

    mcp-ballast serve examples/pydocs.py            # or: python examples/pydocs.py
"""

import ast
import builtins
import gc
import importlib
import inspect
import os
import re
import sqlite3
import sys
import sysconfig
import tempfile
import tomllib
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio.to_thread

from connector import Connector, ToolFailed, tool

PYTHON = ".".join(map(str, sys.version_info[:3]))
DOCS = f"https://docs.python.org/{PYTHON.rpartition('.')[0]}/library/"

PAGES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("pydocs_pages.toml").read_text(encoding="utf-8"))
SCHEMA = Path(__file__).with_name("pydocs_schema.sql").read_text(encoding="utf-8")
OTHER_PAGE: dict[str, str] = PAGES["page"]
OWN_PAGE = frozenset(PAGES["with_a_page"].split())
SOURCE_OF = {"os.path": "posixpath" if os.name == "posix" else "ntpath"}
DATA_TYPES = (bytearray, bytes, dict, frozenset, list, memoryview, range, set, str, tuple)


def url_of(module: str, name: str = "", *, defined_in: str = "") -> str:
    """Return the page and anchor of docs.python.org for `name` of `module`, or for the module itself."""
    if module == "builtins" and name:
        return f"{DOCS}{_builtins_page(name)}.html#{name}"
    page = OTHER_PAGE.get(defined_in) or OTHER_PAGE.get(module) or _page_of(module)
    return f"{DOCS}{page.lower()}.html#" + (f"{module}.{name}" if name else f"module-{module}")


def _page_of(module: str) -> str:
    while "." in module and module not in OWN_PAGE:
        module = module.rpartition(".")[0]
    return module


def _builtins_page(name: str) -> str:
    builtin = getattr(builtins, name.partition(".")[0])
    if inspect.isclass(builtin) and issubclass(builtin, BaseException):
        return "exceptions"
    return "stdtypes" if builtin in DATA_TYPES or "." in name else "functions"


@dataclass(frozen=True, slots=True)
class Entry:
    """One documented thing. `id` is its dotted name; `context` says in a line what its module is for."""

    id: str
    kind: str
    module: str
    url: str
    doc: str
    context: str
    text: str

    @property
    def title(self) -> str:
        """Its name and the first line of what it says about itself."""
        return f"{self.id}: {first_line}" if (first_line := self.doc.strip().split("\n")[0]) else self.id


Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


class Source:
    """What a module's source says, without running it."""

    def __init__(self, path: Path, module: str) -> None:
        tree = ast.parse(path.read_bytes())
        self.doc = ast.get_docstring(tree) or ""
        self.package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        self.definitions: dict[str, Definition] = {}
        self.imported: dict[str, tuple[str, str]] = {}
        self.stars: list[str] = []
        self.exports: list[str] = []
        self._instances: dict[str, str] = {}
        self._module = module
        for statement in _flat(tree.body):
            self._note(statement)

    def _note(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.definitions.setdefault(statement.name, statement)
                for function in [statement] if isinstance(statement, Function) else _members(statement):
                    del function.body[1:]  # only the docstring is of use; the rest would be most of the memory
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                self.stars.append(self._origin(statement))
            case ast.ImportFrom():
                origin = self._origin(statement)
                self.imported |= {each.asname or each.name: (origin, each.name) for each in statement.names}
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=(ast.List() | ast.Tuple()) as names)
                | ast.AugAssign(target=ast.Name(id="__all__"), value=(ast.List() | ast.Tuple()) as names)
                | ast.Expr(
                    ast.Call(ast.Attribute(value=ast.Name(id="__all__")), args=[ast.List() | ast.Constant() as names])
                )
            ):
                self.exports += [str(each.value) for each in ast.walk(names) if isinstance(each, ast.Constant)]
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=kind))):
                self._instances[name] = kind
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)):
                self.imported.setdefault(name, (self._module, other))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(value=ast.Name(id=owner), attr=member)):
                bound = self.definitions.get(self._instances.get(owner, ""))  # such as `choice = _inst.choice`
                self.definitions.update((name, each) for each in _members(bound) if each.name == member)
                self.imported.setdefault(name, (owner, member))

    def _origin(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        parts = self.package.split(".")
        return ".".join([*parts[: len(parts) - statement.level + 1], *filter(None, [statement.module])])


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            handlers = statement.handlers if isinstance(statement, ast.Try) else []
            yield from _flat(chain(statement.body, *(each.body for each in handlers), statement.orelse))


def _members(owner: object) -> list[Function]:
    body = _flat(owner.body) if isinstance(owner, ast.ClassDef) else ()
    return [each for each in body if isinstance(each, Function)]


class Library:
    """The standard library of this Python."""

    def __init__(self) -> None:
        self._root = Path(sysconfig.get_path("stdlib"))
        self._sources: dict[str, Source | None] = {}

    def entries(self) -> Iterator[Entry]:
        """Everything public that says something about itself; each module before what is in it."""
        top = {name for name in sys.stdlib_module_names if not name.startswith("_")} | {"__future__", "_thread"}
        for module in sorted((top | OWN_PAGE | set(PAGES["on_a_page_above"].split())) - set(PAGES["without"].split())):
            place = SOURCE_OF.get(module, module)
            described = self._source(place) or self._compiled(place)
            doc = described.doc if isinstance(described, Source) else getattr(described, "__doc__", None) or ""
            names, context = dict.fromkeys(self._names(place)), doc.strip().split("\n")[0]
            inside = [entry for name in names for entry in self._named(module, name, context)]
            if described and (inside or doc):
                contents = "\n".join(f"* {entry.title}" for entry in inside if entry.kind != "method")
                text = f"module {module}\n\n{doc}\n\n{contents}".rstrip()
                yield Entry(module, "module", module, url_of(module), doc, "", text)
                yield from inside

    def _named(self, module: str, name: str, context: str) -> Iterator[Entry]:
        defined_in, thing = self._find(SOURCE_OF.get(module, module), name) or ("", None)
        prefix = "" if module == "builtins" else f"{module}."
        for suffix, kind, each in _with_members(thing):
            dotted, doc = f"{prefix}{name}{suffix}", _doc(each)
            if doc or kind != "method":
                url = url_of(module, name + suffix, defined_in=defined_in)
                text = f"{_signature(dotted, each)}\n\n{doc}".rstrip()
                yield Entry(dotted, kind, module, url, doc, context, text)

    def _names(self, module: str, hops: int = 4) -> list[str]:
        source = self._source(module)
        if source is None:
            return [name for name in vars(self._compiled(module) or object) if not name.startswith("_")]
        own = source.exports or [name for name in source.definitions if not name.startswith("_")]
        return [*own, *(name for star in source.stars if hops for name in self._names(star, hops - 1))]

    def _find(self, module: str, name: str, hops: int = 4) -> tuple[str, object] | None:
        """Follow `name` through imports to its definition: a syntax node, or an object of a C module."""
        source = self._source(module)
        if source is None:
            thing = getattr(self._compiled(module), name, None)
            return (module, thing) if inspect.isclass(thing) or inspect.isroutine(thing) else None
        if name in source.definitions:
            return module, source.definitions[name]
        ways = [source.imported[name]] if name in source.imported else [(star, name) for star in source.stars]
        if not ways and source.package == module and name in source.exports:  # made on first use, by __getattr__
            ways = [(f"{module}.{path.stem}", name) for path in self._path(module).parent.glob("[!_]*.py")]
        found = (self._find(*way, hops - 1) for way in ways if hops)
        return next(filter(None, found), None)

    def _path(self, module: str) -> Path:
        path = self._root.joinpath(*module.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    def _source(self, module: str) -> Source | None:
        if module not in self._sources:
            path = self._path(module) if module else Path()
            self._sources[module] = Source(path, module) if path.is_file() else None
        return self._sources[module]

    def _compiled(self, module: str) -> ModuleType | None:
        if module in PAGES["harmless_to_import"].split() or module in sys.builtin_module_names:
            with suppress(ImportError):
                return importlib.import_module(module)
        return None


def _with_members(thing: object) -> Iterator[tuple[str, str, object]]:
    is_class = inspect.isclass(thing) or isinstance(thing, ast.ClassDef)
    if thing is not None:
        yield "", "class" if is_class else "function", thing
    members = vars(thing).items() if inspect.isclass(thing) else ((each.name, each) for each in _members(thing))
    yield from ((f".{name}", "method", each) for name, each in members if not name.startswith("_"))


def _made_by(thing: object) -> list[Function]:
    return [each for each in _members(thing) if each.name == "__init__"]


def _doc(thing: object) -> str:
    if isinstance(thing, Definition):
        return next(filter(None, (ast.get_docstring(each) for each in (thing, *_made_by(thing)))), "")
    documented = inspect.isclass(thing) or inspect.isroutine(thing) or inspect.isdatadescriptor(thing)
    return (inspect.getdoc(thing) or "") if documented else ""


def _signature(dotted: str, thing: object) -> str:
    if isinstance(thing, ast.ClassDef):
        return "class " + next((_signature(dotted, each) for each in _made_by(thing)), dotted)
    if isinstance(thing, Function):
        arguments = re.sub(r"^(self|cls)(, /)?(, |$)", "", ast.unparse(thing.args))
        return f"{dotted}({arguments})" + (f" -> {ast.unparse(thing.returns)}" if thing.returns else "")
    with suppress(Exception):  # many C functions do not tell, and some tell what does not evaluate
        return dotted + str(inspect.signature(thing))  # type: ignore[arg-type] # what cannot be called raises, too
    return dotted


@dataclass(frozen=True)
class Hit:
    """One search result."""

    id: str
    title: str
    url: str


@dataclass(frozen=True)
class Hits:
    """What `search` answers."""

    results: list[Hit]


@dataclass(frozen=True)
class Document:
    """What `fetch` answers."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, str]


INSERT = "INSERT OR IGNORE INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# A name that was typed as it is comes first, then names that end so, then what the words weigh: most in a name.
SEARCH = """
SELECT entry.id, title, url FROM found JOIN entry ON entry.number = found.rowid WHERE found MATCH :match ORDER BY
    (entry.id = :typed) * 4 + (lower(entry.id) = lower(:typed)) * 3 + (kind <> 'method')
        * (substr(lower(entry.id), -length(:typed) - 1) = '.' || lower(:typed)) * 2
        + (substr(entry.id, -length(:typed) - 1) = '.' || :typed) DESC, bm25(found, 10.0, 5.0, 2.0, 1.0) LIMIT 10
"""
FETCH = "SELECT id, title, text, url, kind, module FROM entry WHERE id = ?"
MOST_WORDS = 24  # of a query; a question has fewer
IDLE_WORDS = re.compile("a|an|and|can|do|does|for|from|how|i|in|is|it|of|on|or|the|to|use|what|with", re.IGNORECASE)


def cache_folder() -> Path:
    """Return the user's own cache folder, or a new temporary one where it cannot be written to."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-ballast"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="mcp-ballast-"))


class Index:
    """A full-text index of the library in one file, named after the Python it describes and the code that made it."""

    def __init__(self, folder: Path) -> None:
        makers = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("pydocs*.*")))
        self.path = folder / f"pydocs-{PYTHON}-{zlib.crc32(sys.version.encode() + makers):08x}.sqlite3"

    def build(self) -> None:
        """Make the file unless it is there. Several processes may do so at once: each replaces it as a whole."""
        if self._is_whole():
            return
        handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".new")
        os.close(handle)
        try:
            gc.disable()  # halves the time: parsing makes millions of objects, and none of them is garbage
            with closing(sqlite3.connect(name)) as database, database:
                database.executescript(SCHEMA)
                database.executemany(INSERT, (_row(entry) for entry in Library().entries()))
                database.execute("INSERT INTO found (found) VALUES ('rebuild')")
            Path(name).replace(self.path)
        finally:
            gc.enable()
            Path(name).unlink(missing_ok=True)

    def search(self, query: str) -> list[Hit]:
        """Return what fits best: what has all the words, then what has any."""
        words = list(dict.fromkeys(re.findall(r"\w+", query[:2000])))
        words = ([word for word in words if not IDLE_WORDS.fullmatch(word)] or words)[:MOST_WORDS]
        hits: dict[Hit, None] = {}
        with self._open() as database:
            for joint in (" AND ", " OR ") if words else ():
                asked = {"match": joint.join(f'"{word}"' for word in words), "typed": ".".join(words)}
                hits |= dict.fromkeys(Hit(*row) for row in database.execute(SEARCH, asked))
        return list(hits)[:10]

    def fetch(self, name: str) -> Document | None:
        """Return the entry called `name`, or None."""
        with self._open() as database:
            row = database.execute(FETCH, [name]).fetchone() if name.isprintable() else None
        if row is None:
            return None
        name, title, text, url, kind, module = row
        return Document(name, title, text, url, metadata={"kind": kind, "module": module, "python": PYTHON})

    def _is_whole(self) -> bool:
        with suppress(sqlite3.Error), self._open() as database:
            return bool(database.execute("SELECT count(*) FROM entry").fetchone()[0])
        return False

    def _open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True))


def _row(entry: Entry) -> tuple[str, ...]:
    # "ThreadPoolExecutor" is also found by "thread pool".
    words = " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", entry.id))
    return (entry.id, entry.kind, entry.module, entry.url, entry.title, entry.text, words, entry.context, entry.doc)


class PyDocs(Connector):
    """Documentation of Python's standard library, as installed here: modules, classes, methods and functions.

    `search` with a name ("asyncio.timeout") or a few words ("read a csv file"), then `fetch` an id for the full text.
    """

    name = "pydocs"
    version = "1.0.0"
    title = "Python documentation"

    def __init__(self, *, folder: Path | None = None, **options: Any) -> None:
        super().__init__(lifespan=self._prepared, **options)
        self._folder = folder

    @asynccontextmanager
    async def _prepared(self, _: object) -> AsyncIterator[None]:
        self._index = Index(self._folder or cache_folder())
        await anyio.to_thread.run_sync(self._index.build)
        yield

    @tool(read_only=True, open_world=False, idempotent=True, title="Search the Python documentation")
    def search(self, query: str) -> Hits:
        """Search names and docstrings of Python's standard library. Returns at most ten results, best first."""
        return Hits(results=self._index.search(query))

    @tool(read_only=True, open_world=False, idempotent=True, title="Fetch a Python documentation entry")
    def fetch(self, id: str) -> Document:  # noqa: A002 - the contract's name
        """Return the full text of one entry by the id that `search` gave, such as "json.loads"."""
        document = self._index.fetch(id)
        if document is None:
            raise ToolFailed(f"There is no entry {id[:100]!a}. Call search first and use an id from its results.")
        return document


connector = PyDocs()

if __name__ == "__main__":
    connector.serve()
