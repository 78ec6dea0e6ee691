"""The world outside: a process that writes down what happened, in the order in which it heard of it.

The framework under test knows nothing of it, and no fault is done to it. Workers tell it by lines of JSON; each line is
in the file before it is answered. It stamps every line with its own clock, since those of workers may be wrong.
Run as `python -m tests.chaos.ledger PORT FILE`.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, Final

Line = dict[str, Any]

_LONGEST: Final = 1 << 16


class Book:
    """The lines so far. A line `once` is a payment provider's idempotency key: the second with it changes nothing."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._effects: dict[str, Line] = {}
        self._tries: Counter[str] = Counter()

    def told(self, line: Line) -> Line:
        """Write a line down, and answer it."""
        said = line["says"]
        if said == "asked":
            return {"effect": self._effects.get(line["key"])}
        if said == "effect":
            if line.get("once") and (first := self._effects.get(line["key"])):
                return {"effect": first}
            self._effects.setdefault(line["key"], line)
        if said == "tried":
            self._tries[line["wish"]] += 1
        os.write(self._file, json.dumps({"at": time.time(), **line}).encode() + b"\n")
        return {"effect": line, "tries": self._tries[line["wish"]]}


class Outside:
    """A worker's line to the ledger. It may be used from one loop; answers find whoever asked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._waiting: dict[int, asyncio.Future[Line]] = {}
        self._numbers = count()
        self._opening = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def tell(self, **line: Any) -> Line:
        """Tell the ledger something; it is written down when this returns, and may be if this is cancelled."""
        async with self._opening:
            if self._writer is None:
                reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_LONGEST)
                self._reading = asyncio.create_task(self._read(reader))
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps({"number": number, "pid": os.getpid(), **line}).encode() + b"\n")
        return await self._waiting[number]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while raw := await reader.readline():
            line = json.loads(raw)
            waiting = self._waiting.pop(line["number"])
            if not waiting.done():
                waiting.set_result(line)


def lines_of(file: Path) -> list[Line]:
    """What the ledger has written down so far."""
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


async def _serve(port: int, file: Path) -> None:
    book = Book(file)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while raw := await reader.readline():
            line = json.loads(raw)
            answer = book.told({name: value for name, value in line.items() if name != "number"})
            writer.write(json.dumps({"number": line["number"], **answer}).encode() + b"\n")
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", port, limit=_LONGEST)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
