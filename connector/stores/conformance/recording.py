"""Records: conditional writes, taking, expiry, and paging in the order of code points."""

from ..port import Record, Store
from .bench import LONG, SHORT, Bench, begun, checks, eventually, expect, wish

ODD_KEYS = (
    " ", "a b", "a/b", "a:b", "a%b", "a_b", "a*b", "a?b", "[a]", "{a}", "a'b", 'a"b', "a\\b", "a\nb", "a\tb", "a\x01b",
    "--", ";", "ä", "a\u0308", "ß", "İ", "ﬁ", "\u200b", "\u202e", "\ue000", "\uffff", "😀", "\U0010ffff",
    "é" * 512, "😀" * 512,
)  # fmt: skip
"""What patterns, separators, quoting, normalisation and case folding would change; the last are the longest."""


async def _written(store: Store, key: str = "key", value: bytes = b"1", **changes: float | None) -> int:
    """The version of an unconditional write."""
    version = await store.put("kind", key, value, **changes)  # type: ignore[arg-type]  # only expires_in is given
    if version is None:
        raise AssertionError("A write without a condition is always done. Seen: None.")
    return version


async def _expired(store: Store, key: str = "key") -> None:
    await eventually(lambda: store.get("kind", key), lambda seen: seen is None, "A record expires in time.")


def _keys(records: object) -> list[str]:
    return [record.key for record in records] if isinstance(records, list | tuple) else []


async def what_is_put_is_got(bench: Bench) -> None:
    """`get` and `put`, by any client."""
    expect(await bench.store.get("kind", "key") is None, "A record that was never put is None.")
    version = await _written(bench.store)
    expect(version > 0, "A version is above 0.", version)
    seen = await bench.again().get("kind", "key")
    expect(seen == Record(key="key", value=b"1", version=version, expires_at=None), "It is got as it was put.", seen)
    later = await _written(bench.again(), value=b"2")
    expect(later != version, "Every write gets another version, with the same value too.", version, later)
    seen = await bench.store.get("kind", "key")
    expect(seen is not None and (seen.value, seen.version) == (b"2", later), "The last write is what is got.", seen)


async def kinds_are_apart(bench: Bench) -> None:
    """One key in two kinds is two records."""
    await bench.store.put("tokens", "key", b"token")
    expect(await bench.store.get("token", "key") is None, "A kind is matched as a whole.")
    await bench.store.put("clients", "key", b"client")
    expect(await bench.store.take("grants", "key") is None, "Nothing is taken of another kind.")
    taken = await bench.store.take("tokens", "key")
    left = await bench.store.get("clients", "key")
    expect(taken is not None and taken.value == b"token", "A record is taken by kind and key.", taken)
    expect(left is not None and left.value == b"client", "The other kind keeps its record.", left)


async def a_conditional_write_needs_its_version(bench: Bench) -> None:
    """`put` with a version: 0 for what is not there, else the one that was read."""
    expect(await bench.store.put("kind", "key", b"x", version=7) is None, "No version fits what is not there.")
    expect(await bench.store.get("kind", "key") is None, "A refused write writes nothing.")
    first = await bench.store.put("kind", "key", b"1", version=0)
    expect(first is not None, "Version 0 writes what is not there.")
    expect(await bench.store.put("kind", "key", b"1", version=0) is None, "Version 0 does not write what is there.")
    second = await bench.again().put("kind", "key", b"2", version=first)
    expect(second is not None and second != first, "The version that was read writes.", first, second)
    expect(await bench.store.put("kind", "key", b"3", version=first) is None, "A version that is over does not.")
    seen = await bench.store.get("kind", "key")
    expect(seen is not None and (seen.value, seen.version) == (b"2", second), "A refused write changes nothing.", seen)


async def no_version_comes_twice(bench: Bench) -> None:
    """`Record.version`: who has read a record that was deleted and written anew cannot overwrite the new one."""
    versions = [await _written(bench.store)]
    await bench.store.take("kind", "key")
    versions.append(await _written(bench.again(), expires_in=SHORT))
    await _expired(bench.store)
    await bench.store.sweep()
    versions.append(await _written(bench.store))
    expect(len(set(versions)) == len(versions), "No two writes of one key get the same version.", *versions)
    stale = await bench.store.put("kind", "key", b"stale", version=versions[0])
    expect(stale is None, "The version of a deleted record writes nothing.", stale)


async def what_is_taken_is_gone(bench: Bench) -> None:
    """`take`, once, by any client."""
    expect(await bench.store.take("kind", "key") is None, "There is nothing to take.")
    version = await _written(bench.store)
    taken = await bench.again().take("kind", "key")
    expect(taken == Record(key="key", value=b"1", version=version, expires_at=None), "What is taken is given.", taken)
    expect(await bench.store.get("kind", "key") is None, "What was taken is gone.")
    expect(await bench.store.take("kind", "key") is None, "It is taken once.")


async def what_has_expired_is_not_there(bench: Bench) -> None:
    """Guarantee 5, for every operation, without a sweep."""
    old = await _written(bench.store, expires_in=SHORT)
    await _written(bench.store, "taken", expires_in=SHORT)
    await _written(bench.store, "kept", expires_in=LONG)
    await _expired(bench.store)
    await _expired(bench.store, "taken")
    page = await bench.store.page("kind")
    expect([record.key for record in page] == ["kept"], "What has expired is on no page.", page)
    expect(await bench.store.put("kind", "key", b"2", version=old) is None, "What has expired has no version.")
    expect(await bench.store.put("kind", "key", b"2", version=0) is not None, "Version 0 writes where one has expired.")
    expect(await bench.store.take("kind", "taken") is None, "What has expired is not taken.")
    seen = await bench.store.get("kind", "key")
    expect(seen is not None and seen.value == b"2", "And it is a record like any other.", seen)


async def a_write_sets_the_expiry_anew(bench: Bench) -> None:
    """`expires_in` of the last write counts, and None ends it."""
    await _written(bench.store, expires_in=SHORT)
    kept = await bench.store.put("kind", "key", b"2")
    await _written(bench.store, "clock", expires_in=SHORT)
    await _expired(bench.store, "clock")
    await bench.store.sweep()
    seen = await bench.store.get("kind", "key")
    expect(seen is not None and (seen.version, seen.expires_at) == (kept, None), "None keeps the record.", seen)
    await bench.store.put("kind", "key", b"3", expires_in=SHORT, version=kept)
    await _expired(bench.store)


async def an_expiry_is_told_on_the_clock_of_the_store(bench: Bench) -> None:
    """Guarantee 2: calls and records are counted on one clock."""
    await _written(bench.store, expires_in=LONG)
    entry = await begun(bench.store, wish())
    record = await bench.again().get("kind", "key")
    told = record.expires_at if record else None
    expect(told is not None and told - LONG <= entry.begun_at + 1, "An expiry counts from the write.", record, entry)
    expect(told is not None and told > entry.begun_at, "What has not expired, expires later.", record, entry)


async def a_page_is_sorted_and_bounded(bench: Bench) -> None:
    """`page`: by code point, which is neither the order of UTF-16 nor of any language."""
    keys = ["B", "a", "aa", "ab", "b", "z", "ä", "\uffff", "😀"]
    for key in reversed(keys):
        await _written(bench.store, key, key.encode())
    await bench.store.put("another", "a", b"")
    whole = await bench.again().page("kind")
    expect([record.key for record in whole] == keys, "A page is sorted by code point.", whole)
    expect([record.value for record in whole] == [key.encode() for key in keys], "With the values.", whole)
    first = await bench.store.page("kind", limit=4)
    second = await bench.store.page("kind", after=first[-1].key, limit=4)
    third = await bench.store.page("kind", after=second[-1].key, limit=4)
    expect([r.key for part in (first, second, third) for r in part] == keys, "Pages follow each other.", first, second)
    expect(list(await bench.store.page("kind", after=keys[-1])) == [], "After the last key there is nothing.")
    between = await bench.store.page("kind", after="aaa", limit=1)
    expect([record.key for record in between] == ["ab"], "`after` need not be there.", between)


async def a_prefix_is_taken_literally(bench: Bench) -> None:
    """`page(prefix=...)`: no pattern, no case folding, and up to the last code point."""
    keys = ["a%b", "a%c", "a*b", "a\\b", "a_b", "aXb", "A%b", "a\U0010ffffb", "[a]", "a", "\U0010ffff", "\U0010ffff1"]
    for key in keys:
        await _written(bench.store, key)
    prefixes = ("a%", "a_", "a*", "a\\", "a", "A", "[", "\U0010ffff", "a\U0010ffff", "nothing")
    for prefix in prefixes:
        expected = sorted(key for key in keys if key.startswith(prefix))
        seen = [record.key for record in await bench.store.page("kind", prefix=prefix)]
        expect(seen == expected, f"A page of {prefix!r} has the keys that begin with it.", *seen)
    rest = [record.key for record in await bench.store.page("kind", prefix="a", after="a%b", limit=2)]
    expect(rest == ["a%c", "a*b"], "Prefix, `after` and `limit` hold together.", *rest)


async def a_key_may_hold_any_character(bench: Bench) -> None:
    """What separators, quoting, patterns and normalisation would change."""
    for number, key in enumerate(ODD_KEYS):
        await _written(bench.store, key, str(number).encode())
    other = bench.again()
    for number, key in enumerate(ODD_KEYS):
        seen = await other.get("kind", key)
        expect(seen is not None and seen.key == key, "A key comes back as it was.", key[:20], seen and seen.key[:20])
        expect(seen is not None and seen.value == str(number).encode(), "No two keys are one.", key[:20], seen)
    page = [record.key for record in await bench.store.page("kind")]
    expect(page == sorted(ODD_KEYS), "All of them are on a page.", len(page), len(ODD_KEYS))


async def a_value_comes_back_as_it_was(bench: Bench) -> None:
    """No bytes, NUL bytes, what is not text, and a megabyte."""
    other = bench.again()
    for number, value in enumerate([b"", b"\0", b"a\0b\0", bytes(range(256)), b"\xff\xfe", b"\0\xff" * 524_288]):
        await _written(bench.store, f"key-{number}", value)
        seen = await other.get("kind", f"key-{number}")
        expect(seen is not None and seen.value == value, "A value comes back byte by byte.", value[:16])
        taken = await bench.store.take("kind", f"key-{number}")
        expect(taken is not None and taken.value == value, "Also when it is taken.", value[:16])


CHECKS = checks(
    what_is_put_is_got,
    kinds_are_apart,
    a_conditional_write_needs_its_version,
    no_version_comes_twice,
    what_is_taken_is_gone,
    what_has_expired_is_not_there,
    a_write_sets_the_expiry_anew,
    an_expiry_is_told_on_the_clock_of_the_store,
    a_page_is_sorted_and_bounded,
    a_prefix_is_taken_literally,
    a_key_may_hold_any_character,
    a_value_comes_back_as_it_was,
)
