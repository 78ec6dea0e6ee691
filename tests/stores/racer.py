"""A process that claims many keys as fast as it can, to race with others like it.

Run as `python -m tests.stores.racer URL COUNT`: it begins when a line comes in, and says which keys it was granted.
"""

import asyncio
import json
import subprocess
import sys
import uuid

from connector.stores.opening import open_store
from connector.stores.port import Claim, Verdict
from tests.proxies.processes import ROOT, python_module


def race(url: str, *, processes: int, keys: int) -> list[list[str]]:
    """What each of several processes was granted of the same keys, all beginning at once with their first use."""
    command = python_module("tests.stores.racer", url, str(keys))
    running = [_started(command) for _ in range(processes)]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(process.communicate(timeout=50)[0]) for process in running]
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _started(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def _granted(url: str, count: int) -> list[str]:
    holder = uuid.uuid4().hex
    async with open_store(url) as store:

        async def claim(key: str) -> Verdict:
            return (await store.claim(Claim(key=key, fingerprint="f", holder=holder, lease=600, window=600))).verdict

        keys = [f"key-{number}" for number in range(count)]
        verdicts = await asyncio.gather(*map(claim, keys))
    return [key for key, verdict in zip(keys, verdicts, strict=True) if verdict is Verdict.CLAIMED]


def main(url: str, count: int) -> None:
    """Race once."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(asyncio.run(_granted(url, count))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
