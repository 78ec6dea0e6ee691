"""`Connector`: the class to subclass. It wires the rooms together and decides nothing itself."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from typing import Any, ClassVar, Literal, get_args

from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, Icon, InputRequiredResult
from mcp_types import Tool as Descriptor
from pydantic import AnyUrl
from starlette.applications import Starlette
from starlette.types import ASGIApp

from .calls.answering import ToolResult, compact, told
from .calls.archive import Archive
from .calls.handing_over import run_once
from .calls.parcels import SCHEME
from .calls.partial import CONTINUE
from .calls.running import Workers, names_its_wish, tool_function
from .construction import configured, logging_untouched, store_of
from .declaration import declared_tools
from .errors import DeclarationError
from .files.declaring import file_parameters, spell_out, with_file_params
from .fronting import front_of
from .guard import Guard
from .http.assembly import House, Running, assemble
from .http.drain import Drain
from .http.exchange import REPLY
from .http.kernel import Kernel, answer_courtesies, core_of, without_sdk_spans
from .http.load.watchdog import Watchdog
from .http.selfcheck import probe_public_stream
from .http.serving import serve
from .listing.roster import Roster, warn_of_refusals
from .listing.widgets import with_widgets
from .oauth.chain import at_the_lock
from .oauth.fitting import fit
from .oauth.lock import Fitted, Lock, ToolAccess
from .oauth.noticed import Notices
from .recorder.book import open_book
from .recorder.visits import visits
from .settings import Settings
from .stores.metered import Metered
from .stores.port import Store
from .telemetry.meters import Meters
from .telemetry.pseudonyms import pseudonyms
from .telemetry.setup import export_from_environment, flush
from .telemetry.spans import RequestSpans
from .telemetry.watched import Watched

logger = logging.getLogger("ballast")

SELF_CHECK_AFTER = 5.0
"""Seconds after start-up: by then a server listens, and a balancer has noticed."""

Sessions = Literal["none", "sticky"]


class Connector(MCPServer[Any]):
    """An MCP server that hosts can rely on. Subclass it and declare tools with `@tool`.

    Everything of the SDK's `MCPServer` works as before: `.tool()`, `.resource()`, `.prompt()`, extensions,
    middleware, custom routes, `run("stdio")`. The class docstring becomes the server's instructions; hosts read at
    least its first 512 characters.

    Args:
        public_url: The origin people and platforms use. Default: `BALLAST_PUBLIC_URL`, else loopback only.
        sessions: `sticky` puts the SDK's own sessions behind the same door, for hosts that need requests from the
            server (sampling, elicitation). They are tied to one process. Default: none; any worker answers anything.
        store: Where calls that ran once are kept, as a URL (docs/stores.md) or a store of your own. Default:
            `BALLAST_STORE`, else a file under `.ballast`.
        auth: Who may come in: a `connector.oauth.ResourceServer` or `AuthorizationServer`, or the SDK's `AuthSettings`
            with its `token_verifier`. Needs a public URL. Default: anybody.
        settings: All settings at once. Default: `Settings.from_environment()`.
        options: What `MCPServer` takes (`lifespan`, `extensions`, `middleware`, `token_verifier`, ...).

    Raises:
        DeclarationError: No name; two tools with one name; a public URL without scheme; a setting that cannot be
            read. The sentence says what to change.
    """

    name: str = ""
    version: str = ""
    title: str | None = None
    description: str | None = None
    instructions: str | None = None
    website_url: str | None = None
    icons: list[Icon] | None = None

    tombstones: ClassVar[Mapping[str, str]] = {}
    """Names of tools that are gone, each with the tool to call instead or with a sentence for the model: platforms keep
    old lists, and call what is in them.
    """

    _identity: ClassVar = ("name", "version", "title", "description", "instructions", "website_url", "icons")

    def __init__(
        self,
        *,
        public_url: str | None = None,
        store: str | Store | None = None,
        auth: Lock | AuthSettings | None = None,
        settings: Settings | None = None,
        sessions: Sessions = "none",
        **options: Any,
    ) -> None:
        if sessions not in get_args(Sessions):
            raise DeclarationError(f"sessions={sessions!r} is not known: leave it out, or set 'sticky'")
        self._configuration = configured(settings, public_url)
        self._sessions = sessions
        self._beside: list[Running] = []
        for member in self._identity:
            setattr(self, member, options.pop(member, None) or getattr(type(self), member))
        self.instructions = self.instructions or _docstring_of(type(self))
        if not self.name:
            raise DeclarationError(
                f"{type(self).__qualname__} has no name, under which hosts list it: add `name = '...'` to the class"
            )
        lock = auth if isinstance(auth, Lock) else None
        options["auth"] = None if lock is not None else auth
        widgets = [each.widget for _, each in declared_tools(type(self)) if each.widget is not None]
        options["extensions"] = tuple(with_widgets(options.get("extensions") or (), widgets))
        with logging_untouched():
            super().__init__(**{member: getattr(self, member) for member in self._identity}, **options)
        self._tool_manager = self._roster = Roster(self._tool_manager, type(self).tombstones)
        self._front = front_of(
            self._configuration.answer,
            self._tool_manager,
            audience=self.name,
            lock=lambda: self._fitted,
            guard_of=self._guard_of,
        )
        self._workers = Workers(self._configuration.limits.threads, self._configuration.files, self._front.pace)
        self._guards: dict[str, Guard | None] = {}
        self._access: dict[str, ToolAccess] = {}
        self._register_tools()
        self._store = store_of(self.name, store, self._configuration)
        self._meters = Meters()
        metered = Metered(self._store, self._meters)
        self._archive = Archive(metered, self._configuration.store, self._meters, self._configuration.answer)
        self._tool_manager._tools[CONTINUE] = self._front.continuation(self._archive)  # noqa: SLF001
        self.alarms = self._meters.alarms
        """Says when streams break far more often than usual: `connector.alarms.when_spiking(tell)`."""
        spans = RequestSpans(
            self._meters,
            is_method=self._has_method,
            is_tool=self._has_tool,
            is_prompt=self._has_prompt,
            pseudonym=pseudonyms(self._configuration.store.secrets),
            reply_of=lambda scope: scope.get(REPLY),
            mode=self._configuration.telemetry.spans,
        )
        notices = Notices(meters=self._meters)
        scopes = [scope for access in self._access.values() for scope in access.scopes]
        self._book = open_book(self.name, self._store, self._configuration, version=self.version, scopes=scopes)
        if (book := self._book) is not None:
            notices.listeners.append(book.notice)
            self._meters.watch(Watched.NEW_SHAPES, book.new_shapes)
            self._meters.watch(Watched.SKIPPED, lambda: book.skipped)
        self._fitted = _fitted(lock, self._configuration, metered, self._access, notices)
        locked = [] if self._fitted is None else [at_the_lock(self._fitted)]
        self.middleware[:] = [spans, *locked, answer_courtesies, *without_sdk_spans(self.middleware)]
        self._drain = Drain(self._configuration.drain, self._meters, tell=spans.tell)
        self._kernel = Kernel(self, on_refusal=spans.refused, settings=self._configuration)

    @property
    def configuration(self) -> Settings:
        """The settings in force. (`settings` is the SDK's own.)"""
        return self._configuration

    @property
    def store(self) -> Store:
        """Where this connector keeps what must outlive a process."""
        return self._store

    def app(self) -> ASGIApp:
        """The connector as an ASGI app: the endpoint on `path`, `/health`, and the SDK's custom and OAuth routes."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with self.running():
                yield

        fitted = self._fitted
        house = House(
            server=self,
            kernel=self._kernel,
            settings=self._configuration,
            drain=self._drain,
            meters=self._meters,
            guard=None if fitted is None else fitted.guard,
            beside=() if fitted is None else fitted.routes(),
            visits=None if self._book is None else visits(self._book),
        )
        app, running = assemble(house, is_sticky=self._sessions == "sticky", lifespan=lifespan)
        self._beside.append(running)
        return app

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What `.app()` does in its lifespan. Enter it yourself where the app is mounted without one."""
        exports = export_from_environment(service=self.name, version=self.version)
        watchdog = Watchdog(
            self._configuration.watchdog, on_block=lambda block: self._meters.blocked(block.seconds, block.tool)
        )
        async with self._kernel.lifespan(), AsyncExitStack() as beside:
            for each in (*self._beside, *(() if self._fitted is None else (self._fitted.running,))):
                await beside.enter_async_context(each())
            try:
                await warn_of_refusals(self)
                with self._drain.on_signals(), watchdog.watching(), self._checking_public_stream():
                    async with (
                        self._archive.running(drain=self._drain.remaining),
                        nullcontext() if self._book is None else self._book.running(),
                    ):
                        yield
            finally:
                await self._workers.aclose()
                if exports:
                    await self._workers.in_thread(lambda: flush(exports))

    @contextmanager
    def _checking_public_stream(self) -> Iterator[None]:
        """Look once, in the background, whether event streams come through the public address as they leave here."""
        access = self._configuration.access
        if access.public_url is None or not access.self_check:
            yield
            return
        task = asyncio.create_task(_check_public_stream(access.public_url.rstrip("/") + access.path))
        try:
            yield
        finally:
            task.cancel()

    def serve(self, *, host: str = "127.0.0.1", port: int = 8000, workers: int = 1, factory: str | None = None) -> None:
        """Serve over HTTP until SIGINT or SIGTERM.

        Args:
            host: The address to listen on.
            port: The port to listen on.
            workers: How many processes serve. Each makes its own connector, by `factory`.
            factory: `module:function` that returns the ASGI app. `mcp-ballast serve --workers N` gives its own.

        Raises:
            DeclarationError: Several workers and no factory.
        """
        if workers > 1 and factory is None:
            raise DeclarationError(
                f"workers={workers} needs factory='module:function', because each process makes its own connector; "
                "`mcp-ballast serve module:connector --workers N` does that for you"
            )
        logging.basicConfig(level=self.settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        app = factory if workers > 1 and factory is not None else self.app()
        serve(app, host=host, port=port, settings=self._configuration, workers=workers)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> ToolResult:
        """Call a tool. Without a context (from Python) it raises as the SDK's does, and no guard stands before it; from
        the wire a failure is an `isError` result, and a tool that writes runs once.

        Raises:
            MCPError: -32602 for an unknown tool (MCP, tools, "Error Handling").
            ToolError: Only without a context.
        """
        if context is None:
            return await super().call_tool(name, arguments)
        tool = self._tool_manager.get_tool(name)
        if tool is None and (said := self._roster.epitaph(name)):
            return told(name, ToolError(said))
        if tool is None:
            known = ", ".join(tool.name for tool in await self.list_tools())
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {name[:64]!r}. Known: {known or 'none'}")
        arguments = self._roster.today(tool.name, arguments)
        guard, answer_by = self._guard_of(tool), self._front.begin(context)
        if guard is None:  # said once more, not shared: every frame here is kept by every quiet stream
            try:
                result = compact(await tool.run(arguments, context, convert_result=True))
            except ToolError as failed:
                return told(name, failed)
        else:
            result = await run_once(self._front.handing(tool, arguments, context, guard, answer_by), self._archive)
        return await self._front.fitted(result, tool, context, self._archive)

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource: the SDK's, or what was kept back of a result."""
        if context is not None and str(uri).startswith(SCHEME):
            kept = await self._front.parcel(str(uri), context, self._archive)
            if kept is not None:
                return [kept]
        return await super().read_resource(uri, context)

    async def list_tools(self) -> list[Descriptor]:
        """The tools as hosts see them."""
        return self._front.listed(await super().list_tools())

    def _guard_of(self, tool: Tool) -> Guard | None:
        """What was declared; for a tool that came by the SDK's `.tool()`, what its annotations imply."""
        if tool.name in self._guards:
            return self._guards[tool.name]
        is_read_only = tool.annotations is not None and tool.annotations.read_only_hint
        return None if is_read_only else Guard()

    def _register_tools(self) -> None:
        taken = {tool.lower() for tool in self._tool_names()}
        for attribute, declaration in declared_tools(type(self)):
            name = declaration.name or attribute
            if hasattr(Connector, attribute):
                raise DeclarationError(
                    f"the tool {type(self).__qualname__}.{attribute} hides a method of the server itself: "
                    f"rename the method and write @tool(name={attribute!r})"
                )
            if name.lower() in taken:
                raise DeclarationError(
                    f"{type(self).__qualname__} declares two tools called {name!r} (hosts ignore case): "
                    "rename one of the methods, or give one of them @tool(name=...)"
                )
            taken.add(name.lower())
            method = getattr(self, attribute)
            self._guards[name] = self._front.guard_for(name, method, declaration)
            files = file_parameters(method)
            self._access[name] = ToolAccess(scopes=frozenset(declaration.scopes), anonymous=declaration.anonymous)
            self.add_tool(
                tool_function(method, declaration, self._workers),
                name=name,
                title=declaration.title,
                description=declaration.description or inspect.getdoc(method),
                annotations=declaration.annotations(names_its_wish=names_its_wish(method, declaration)),
                meta=with_file_params(declaration.described(), files),
            )
            spell_out(self._tool_manager.get_tool(name), files)
            self._front.fit(self._tool_manager.get_tool(name))
            old_names = self._roster.succeed(name, declaration.aliases, declaration.argument_aliases)
            self._access.update(dict.fromkeys(old_names, self._access[name]))
        self._access[CONTINUE] = ToolAccess(anonymous=self._front.serves_anybody(self._access))
        self._roster.check()

    def _tool_names(self) -> Iterator[str]:
        return (tool.name for tool in self._tool_manager.list_tools())

    def _has_method(self, method: str) -> bool:
        return method == "initialize" or core_of(self).get_request_handler(method) is not None

    def _has_tool(self, name: str) -> bool:
        return self._tool_manager.get_tool(name) is not None

    def _has_prompt(self, name: str) -> bool:
        return self._prompt_manager.get_prompt(name) is not None


async def _check_public_stream(url: str) -> None:
    await asyncio.sleep(SELF_CHECK_AFTER)
    if (sentence := await probe_public_stream(url)) is not None:
        logger.warning("%s", sentence)


def _docstring_of(cls: type) -> str | None:
    for each in cls.__mro__:
        if each is Connector:
            return None
        if each.__doc__:
            return inspect.cleandoc(each.__doc__)
    return None


def _fitted(
    lock: Lock | None, settings: Settings, store: Store, tools: dict[str, ToolAccess], notices: Notices
) -> Fitted | None:
    if lock is None:
        return None
    access = settings.access
    return fit(
        lock,
        public_url=access.public_url,
        path=access.path,
        store=store,
        secrets=settings.store.secrets,
        tools=tools,
        notice=notices,
        meters=notices.meters,
    )
