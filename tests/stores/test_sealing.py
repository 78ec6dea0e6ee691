"""What is sealed opens for whom it was sealed, and for nobody else; digests stay when secrets rotate."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.errors import DeclarationError
from connector.stores.sealing import Keyring, NotReadable

OLD, NEW = b"o" * 32, "n" * 43
PARTS = st.lists(st.text(alphabet=st.characters()), max_size=5)


@given(plain=st.binary(), bound_to=st.binary())
def test_what_was_sealed_is_opened_as_it_was(plain: bytes, bound_to: bytes) -> None:
    """Ours; also across processes, so by another object."""
    sealed = Keyring([OLD]).seal(plain, bound_to=bound_to)
    assert Keyring([OLD]).open(sealed, bound_to=bound_to) == plain


@given(plain=st.binary(min_size=4))
def test_nothing_of_it_can_be_seen_and_no_two_seals_are_alike(plain: bytes) -> None:
    """Ours: 4 bytes, since shorter ones occur in any random text."""
    ring = Keyring([OLD])
    first, second = ring.seal(plain, bound_to=b""), ring.seal(plain, bound_to=b"")
    assert first != second
    assert plain not in first[21:] or plain in second[:21]


@given(plain=st.binary(), bound_to=st.binary(), other=st.binary())
def test_it_opens_only_for_what_it_was_bound_to(plain: bytes, bound_to: bytes, other: bytes) -> None:
    """Issue 4, part 4: a row moved to another key must not be replayed there."""
    assume(bound_to != other)
    sealed = Keyring([OLD]).seal(plain, bound_to=bound_to)
    with pytest.raises(NotReadable, match="sealed for something else"):
        Keyring([OLD]).open(sealed, bound_to=other)


@given(plain=st.binary(), data=st.data())
def test_a_changed_bit_anywhere_makes_it_unreadable(plain: bytes, data: st.DataObject) -> None:
    """Ours."""
    sealed = bytearray(Keyring([OLD]).seal(plain, bound_to=b"key"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotReadable):
        Keyring([OLD]).open(bytes(sealed), bound_to=b"key")


@given(sealed=st.binary())
def test_anything_else_is_not_readable(sealed: bytes) -> None:
    """Ours: a result that was kept in clear before sealing was switched on, or a cut one."""
    with pytest.raises(NotReadable):
        Keyring([OLD]).open(sealed, bound_to=b"")


@pytest.mark.parametrize("length", range(40))
def test_a_cut_seal_is_not_readable(length: int) -> None:
    """Ours."""
    with pytest.raises(NotReadable):
        Keyring([OLD]).open(Keyring([OLD]).seal(b"answer", bound_to=b"")[:length], bound_to=b"")


def test_secrets_rotate() -> None:
    """Issue 4, part 4: the first seals, all open, and a seal whose secret is gone says what to do."""
    old, both, new = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    before, after = old.seal(b"before", bound_to=b"k"), both.seal(b"after", bound_to=b"k")
    assert both.open(before, bound_to=b"k") == b"before"
    assert new.open(after, bound_to=b"k") == b"after"
    with pytest.raises(NotReadable, match="is not on the key ring: add it as a further secret"):
        new.open(before, bound_to=b"k")
    with pytest.raises(NotReadable, match="is not on the key ring"):
        old.open(after, bound_to=b"k")


def test_digests_stay_while_the_last_secret_does() -> None:
    """Ours: a retry must find its call on both sides of a rotation, and during a rolling one."""
    assert Keyring([OLD]).digest("tool", "key") == Keyring([NEW, OLD]).digest("tool", "key")
    assert Keyring([NEW]).digest("tool", "key") != Keyring([NEW, OLD]).digest("tool", "key")
    own = Keyring([NEW], digest_secret=OLD)
    assert own.digest("tool", "key") == Keyring([OLD]).digest("tool", "key")


def test_a_digest_is_the_same_for_ever() -> None:
    """Keys outlive the process: a change of this value forgets every call that is kept."""
    assert Keyring([OLD]).digest("key", "ü", "") == "29a450727d8e4f95d4d3499b469e6c2414b3dcb9bab89d961c4a029da94ee346"


@given(first=PARTS, second=PARTS)
def test_digests_are_equal_for_equal_parts_only(first: list[str], second: list[str]) -> None:
    """Ours: ("ab", "c") is not ("a", "bc"), and no part is not an empty part."""
    ring = Keyring([OLD])
    assert (ring.digest(*first) == ring.digest(*second)) == (first == second)
    assert ring.digest(*first, "") != ring.digest(*first)


@given(text=st.text(min_size=1, max_size=20), cut=st.integers(0, 20))
def test_where_parts_end_counts(text: str, cut: int) -> None:
    """Ours."""
    ring = Keyring([OLD])
    assert ring.digest(text[:cut], text[cut:]) != ring.digest(text)
    assert ring.digest("a\0" + text) != ring.digest("a", text)


def test_a_lone_surrogate_can_be_digested() -> None:
    """JSON may carry one, and a model may send it."""
    assert len(Keyring([OLD]).digest("\ud800")) == 64


@pytest.mark.parametrize("secrets", [[], [b""], ["short"], ["x" * 32, "short"], "x" * 32, b"x" * 32])
def test_a_secret_that_can_be_guessed_is_refused(secrets: list[str | bytes]) -> None:
    """Ours; a text instead of a list would be a ring of its letters."""
    with pytest.raises(DeclarationError) as refused:
        Keyring(secrets)
    assert "short" not in str(refused.value)


def test_a_key_ring_shows_names_and_no_secrets() -> None:
    """Common ground: no secret reaches a log."""
    shown = repr(Keyring([NEW, OLD]))
    assert shown.startswith("Keyring(sealing=")
    assert "nnnn" not in shown
    assert "oooo" not in shown
