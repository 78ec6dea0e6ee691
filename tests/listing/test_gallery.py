"""The example with a page, in a browser, inside a host that speaks both bridges."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from examples.gallery import Gallery
from tests.chrome import Tab, chromium
from tests.loopback import served

HOST = Path(__file__).with_name("host.html").read_text(encoding="utf-8")


async def host(_: Request) -> Response:
    return HTMLResponse(HOST)


@pytest.fixture(scope="module")
def around() -> Iterator[tuple[Tab, str]]:
    gallery = Gallery(store="memory:")
    app = Starlette(routes=[Route("/host", host), Mount("/", gallery.app())], lifespan=lambda _: gallery.running())
    with served(app) as url, chromium() as tab:
        yield tab, url


@pytest.mark.parametrize("dialect", ["apps", "skybridge"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_widget_shows_the_result_and_calls_a_tool(around: tuple[Tab, str], dialect: str, theme: str) -> None:
    """Issue 8 item 6, incident P-14: one declaration, both dialects, under the policy that each asks for."""
    tab, url = around
    tab.open(f'{url}/host?dialect={dialect}&theme={theme}&arguments={{"craft":"tartan"}}')
    tab.wait_for("!!window.seen && window.seen.text.includes('Dress Stewart')")

    assert "Konya" not in tab.say("window.seen.text")
    assert tab.say("window.seen.background") == {"light": "rgb(255, 255, 255)", "dark": "rgb(28, 28, 30)"}[theme]
    mime = {"apps": "text/html;profile=mcp-app", "skybridge": "text/html+skybridge"}[dialect]
    assert tab.say("window.said[0]") == mime
    assert tab.say("window.said.includes('ui/initialize')") is (dialect == "apps")

    marks = "Number((window.seen.text.match(/Favourite \\((\\d+)\\)/) || [0, 0])[1])"
    before = tab.say(marks)
    tab.say("press(0)")
    tab.wait_for(f"{marks} === {before + 1}")
    if folder := os.environ.get("BALLAST_PICTURES"):
        Path(folder, f"gallery-{dialect}-{theme}.png").write_bytes(tab.picture())
