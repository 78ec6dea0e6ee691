"""The search and fetch example, through HTTP."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.pydocs import PyDocs
from tests.examples.conftest import Host, HostOf

DOCS = f"https://docs.python.org/{sys.version_info.major}.{sys.version_info.minor}/library/"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pydocs")


@pytest.fixture(scope="module")
def host(host_of: HostOf, cache: Path) -> Host:
    return host_of(PyDocs(folder=cache))


def first(host: Host, query: str) -> dict[str, Any]:
    result: dict[str, Any] = host.read("search", query=query)["results"][0]
    return result


def test_search_answers_ids_titles_and_urls_as_structure_and_as_the_same_json_text(host: Host) -> None:
    """chatgpt-wire section 4: the search/fetch contract."""
    result = host.call("search", query="json.loads")
    assert list(result["structuredContent"]) == ["results"]
    assert all(list(hit) == ["id", "title", "url"] for hit in result["structuredContent"]["results"])
    assert [block["type"] for block in result["content"]] == ["text"]
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


def test_fetch_answers_one_document_as_structure_and_as_the_same_json_text(host: Host) -> None:
    """chatgpt-wire section 4: the search/fetch contract."""
    result = host.call("fetch", id="json.loads")
    document = result["structuredContent"]
    assert list(document) == ["id", "title", "text", "url", "metadata"]
    assert document["id"] == "json.loads"
    assert document["url"] == DOCS + "json.html#json.loads"
    assert document["text"].startswith("json.loads(s, *, cls=None")
    assert document["metadata"]["kind"] == "function"
    assert json.loads(result["content"][0]["text"]) == document


def test_both_tools_take_one_string_and_say_that_they_only_read(host: Host) -> None:
    """chatgpt-wire section 4: the check reads input schemas; three hints are required."""
    tools = {tool["name"]: tool for tool in host.ask("tools/list")["tools"]}
    assert sorted(tools) == ["fetch", "search"]
    for name, argument in (("search", "query"), ("fetch", "id")):
        schema = tools[name]["inputSchema"]
        assert schema["required"] == [argument]
        assert schema["properties"][argument]["type"] == "string"
        assert tools[name]["outputSchema"]["type"] == "object"
        hints = tools[name]["annotations"]
        assert (hints["readOnlyHint"], hints["destructiveHint"], hints["openWorldHint"]) == (True, False, False)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("pathlib", "pathlib.html#module-pathlib"),
        ("pathlib.Path", "pathlib.html#pathlib.Path"),
        ("os.path.join", "os.path.html#os.path.join"),
        ("os.getcwd", "os.html#os.getcwd"),
        ("print", "functions.html#print"),
        ("str.join", "stdtypes.html#str.join"),
        ("ValueError", "exceptions.html#ValueError"),
        ("asyncio.sleep", "asyncio-task.html#asyncio.sleep"),
        ("asyncio.Queue", "asyncio-queue.html#asyncio.Queue"),
        ("collections.deque", "collections.html#collections.deque"),
        ("collections.abc", "collections.abc.html#module-collections.abc"),
        ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.html#concurrent.futures.ThreadPoolExecutor"),
        ("unittest.TestCase", "unittest.html#unittest.TestCase"),
        ("unittest.mock.Mock", "unittest.mock.html#unittest.mock.Mock"),
        ("xml.etree.ElementTree", "xml.etree.elementtree.html#module-xml.etree.ElementTree"),
        ("random.choice", "random.html#random.choice"),
        ("math.sqrt", "math.html#math.sqrt"),
    ],
)
def test_a_name_is_found_first_and_leads_to_its_place_in_the_documentation(host: Host, name: str, page: str) -> None:
    """Ours: a citation must open where the thing is described."""
    hit = first(host, name)
    assert hit["id"] == name
    assert hit["url"] == DOCS + page
    assert host.read("fetch", id=name)["url"] == DOCS + page


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("thread pool executor", "concurrent.futures.ThreadPoolExecutor"),
        ("how to join path components", "os.path.join"),
        ("regular expression match", "re.match"),
        ("temporary directory", "tempfile.TemporaryDirectory"),
    ],
)
def test_words_of_a_question_find_what_it_is_about(host: Host, question: str, answer: str) -> None:
    """Ours: deep research asks with words, not with names."""
    assert answer in [hit["id"] for hit in host.read("search", query=question)["results"][:3]]


@pytest.mark.parametrize("query", ["", "   ", '"', '"""', "☃", "\x00", "_", "a" * 100_000, "( ) * ^ : -"])
def test_a_query_without_words_that_occur_finds_nothing_and_is_no_error(host: Host, query: str) -> None:
    """Ours: what people type is not the index's query language."""
    assert host.read("search", query=query) == {"results": []}


@pytest.mark.parametrize(
    "query", ['json "loads', "json AND", "NEAR(json, loads)", "json* OR", "id:json", "json\x00loads", "json ☃ ü " * 999]
)
def test_the_index_s_own_syntax_in_a_query_is_only_words(host: Host, query: str) -> None:
    """Ours: what people type is not the index's query language."""
    assert any("json" in hit["id"] for hit in host.read("search", query=query)["results"])


@pytest.mark.parametrize("name", ["", "json.nonsense", "' OR 1=1 --", "\x00", "x" * 100_000, "☃"])
def test_an_unknown_id_is_an_error_that_says_what_to_do(host: Host, name: str) -> None:
    """Ours."""
    assert host.refusal("fetch", id=name).endswith("Call search first and use an id from its results.")


def test_a_module_lists_what_is_in_it(host: Host) -> None:
    """Ours: a model that opened the module knows what to fetch next."""
    text = host.read("fetch", id="json")["text"]
    assert "* json.dumps: Serialize ``obj`` to a JSON formatted ``str``." in text


def test_private_undocumented_and_foreign_modules_are_left_out(host: Host) -> None:
    """Ours: reading must not wake modules such as `antigravity`, and cites nothing that has no page."""
    for name in ("antigravity", "this", "idlelib", "json.scanner", "asyncio.base_events", "pytest", "_json"):
        host.refusal("fetch", id=name)
    assert "antigravity" not in sys.modules
    assert "idlelib" not in sys.modules


def test_the_index_is_built_once_and_then_reused(host: Host, host_of: HostOf, cache: Path) -> None:
    """Ours: only the first start under a Python version takes seconds."""
    first(host, "json")
    (index,) = cache.iterdir()
    built = index.stat().st_mtime_ns
    assert first(host_of(PyDocs(folder=cache)), "json")["id"] == "json"
    assert [file.stat().st_mtime_ns for file in cache.iterdir()] == [built]


def test_an_index_that_is_damaged_is_built_again(host_of: HostOf, host: Host, tmp_path: Path, cache: Path) -> None:
    """Ours: a full disk or a copy that broke off must not stay."""
    first(host, "json")
    (index,) = cache.iterdir()
    (tmp_path / index.name).write_bytes(index.read_bytes()[:5000])
    assert first(host_of(PyDocs(folder=tmp_path)), "json.loads")["id"] == "json.loads"
