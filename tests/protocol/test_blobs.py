"""BLOB text: base64 in pieces, in both directions, and zlib."""

from __future__ import annotations

import base64
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indipyclient.protocol import growing
from indipyclient.protocol.blobs import Base64Decoder, encode_base64, inflate

LIMIT = 1_000_000
BIG = bytes(range(256)) * 3000  # 768 000 bytes, many spans of text


def decode(*pieces: bytes, limit: int = LIMIT, length: int | None = None) -> tuple[bytes, str]:
    decoder = Base64Decoder(limit)
    for piece in pieces:
        decoder.feed(piece)
    return bytes(decoder.finish(length)), decoder.error


def cut_at(text: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def wrapped(text: bytes, columns: int, end: bytes) -> bytes:
    return b"".join(text[i : i + columns] + end for i in range(0, len(text), columns))


places = st.lists(st.integers(0, 10_000), max_size=8)
ends = st.sampled_from([b"\n", b"\r\n", b"\r\n    ", b"\n\t", b" ", b""])


# -- well-formed text ------------------------------------------------------------------------


@given(st.binary(max_size=600), st.integers(1, 80), ends, st.booleans(), places)
def test_any_wrapping_and_any_cut_give_the_payload(
    payload: bytes, columns: int, end: bytes, padded: bool, cuts: list[int]
) -> None:
    text = base64.b64encode(payload)
    if not padded:
        text = text.rstrip(b"=")
    text = b"\n   " + wrapped(text, columns, end) + b"\n"
    assert decode(*cut_at(text, cuts)) == (payload, "")


@pytest.mark.parametrize("payload", [b"", b"A", b"AB", b"ABC", b"ABCD"])
def test_text_that_comes_a_byte_at_a_time_is_decoded(payload: bytes) -> None:
    text = base64.b64encode(payload)
    assert decode(*(text[i : i + 1] for i in range(len(text)))) == (payload, "")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n      "])
@pytest.mark.parametrize("size", [len(BIG), len(BIG) - 1, len(BIG) - 2])
def test_a_payload_of_many_spans_is_decoded(size: int, end: bytes) -> None:
    text = wrapped(base64.b64encode(BIG[:size]), 72, end)
    assert decode(text) == (BIG[:size], "")
    assert decode(*(text[i : i + 99_991] for i in range(0, len(text), 99_991))) == (BIG[:size], "")


@given(st.lists(st.binary(max_size=40), max_size=6), places)
def test_texts_set_end_to_end_give_their_payloads_end_to_end(payloads: list[bytes], cuts: list[int]) -> None:
    text = b"".join(map(base64.b64encode, payloads))
    assert decode(*cut_at(text, cuts)) == (b"".join(payloads), "")


@pytest.mark.parametrize("text", [b"=", b"====", b"QQ===", b"QQ=", b"Q Q\n=\n=\n="])
def test_too_much_and_too_little_padding_are_tolerated(text: bytes) -> None:
    assert decode(text) == (b"A" if b"Q" in text else b"", "")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_text_may_come_in_any_kind_of_buffer(kind: type) -> None:
    assert decode(kind(b"QU"), kind(b"JD")) == (b"ABC", "")


def test_a_buffer_may_be_reused_after_it_was_fed() -> None:
    decoder = Base64Decoder()
    buffer = bytearray(b"QUJDRA")
    decoder.feed(buffer)
    buffer[:] = b"!" * 100
    assert bytes(decoder.finish()) == b"ABCD"


def test_received_counts_the_bytes_decoded_so_far() -> None:
    decoder = Base64Decoder(LIMIT)
    assert decoder.received == 0
    decoder.feed(b"QUJDR")
    assert decoder.received == 3


def test_the_payload_is_a_read_only_view_of_what_was_collected() -> None:
    decoder = Base64Decoder(LIMIT)
    decoder.feed(base64.b64encode(BIG))
    tracemalloc.start()
    view = decoder.finish(len(BIG))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert view.readonly
    assert view == BIG
    assert peak < 10_000


def test_memory_is_one_payload_and_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on systems without large pages; what those take is seen where they are tested."""
    monkeypatch.setattr(growing, "_large_pages", lambda length: None)
    payload = bytes(8_000_000)
    pieces = cut_at(base64.b64encode(payload), [i * 100_000 for i in range(100)])
    decoder = Base64Decoder(len(payload))
    tracemalloc.start()
    for piece in pieces:
        decoder.feed(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert decoder.received == len(payload)
    assert peak < 1.25 * len(payload) + 1_000_000


# -- announced lengths -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "payload", "error"),
    [
        (None, b"ABC\0\0\0", ""),
        (-1, b"ABC\0\0\0", ""),
        (0, b"", ""),
        (3, b"ABC", ""),
        (6, b"ABC\0\0\0", ""),
        (10**30, b"ABC\0\0\0", f"only 6 of {10**30} bytes arrived"),
    ],
)
def test_the_payload_is_cut_to_the_announced_length(length: int | None, payload: bytes, error: str) -> None:
    assert decode(b"QUJDAAAA", length=length) == (payload, error)


def test_no_content_is_no_damage_whatever_was_announced() -> None:
    assert decode(b"\n   \n", length=20) == (b"", "")


# -- damage ----------------------------------------------------------------------------------


@pytest.mark.parametrize("illegal", [b"-", b"\0", b"\x0b", b"\xff", b"&", b"!"])
def test_an_illegal_character_ends_the_payload_before_its_group(illegal: bytes) -> None:
    payload, error = decode(b"QUJD" + b"QU" + illegal + b"JDQUJD")
    assert payload == b"ABC"
    assert error == f"illegal character {illegal!r} in base64"


@pytest.mark.parametrize("text", [b"QUJDQ", b"QUJDQ=", b"QUJDQ===", b"QUJD Q\n", b"QUJDQ=QUJD"])
def test_a_single_character_over_is_reported(text: bytes) -> None:
    assert decode(text) == (b"ABC", "base64 ends within a byte")


@given(st.text("QUJD/+= \n\r\t-\0", max_size=60).map(str.encode), places, st.integers(0, 30))
@example(b"QUJDQUJD-", [], 5)
@example(b"QQ==QQ=QUJDQ=QUJD", [3, 4, 7], 30)
def test_damaged_text_gives_the_same_however_it_is_cut(text: bytes, cuts: list[int], limit: int) -> None:
    expected = decode(text, limit=limit)
    assert decode(*cut_at(text, cuts), limit=limit) == expected
    assert decode(*(text[i : i + 1] for i in range(len(text))), limit=limit) == expected


@given(st.binary(max_size=200), places)
def test_no_bytes_raise(text: bytes, cuts: list[int]) -> None:
    payload, _ = decode(*cut_at(text, cuts))
    assert len(payload) <= len(text)


def test_a_payload_of_exactly_the_limit_is_whole() -> None:
    assert decode(b"QUJDRA==", limit=4) == (b"ABCD", "")


def test_what_exceeds_the_limit_is_dropped_and_takes_no_memory() -> None:
    text = b"QUJD" * 10_000
    decoder = Base64Decoder(5)
    tracemalloc.start()
    for _ in range(1000):
        decoder.feed(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert decoder.error == "longer than the limit of 5 bytes"
    assert bytes(decoder.finish()) == b"ABCAB"
    assert peak < 3 * len(text)


@pytest.mark.parametrize("text", [b"=" * 2_000_000, b"QQ=" * 100_000, b"\n" * 2_000_000, b"Q=" * 500_000])
def test_megabytes_of_odd_text_are_survived(text: bytes) -> None:
    """Quadratic time would take hours here."""
    payload, _ = decode(text, text)
    assert set(payload) <= {ord("A")}


# -- sending ---------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_encoded_text_is_one_line_that_decodes_to_the_payload(payload: bytes) -> None:
    text = encode_base64(payload)
    assert text == base64.b64encode(payload)
    assert decode(text) == (payload, "")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_kind_of_buffer_is_encoded(kind: type) -> None:
    assert encode_base64(kind(b"ABC")) == b"QUJD"


# -- zlib ------------------------------------------------------------------------------------


@given(st.binary(max_size=2000), st.sampled_from([b"", b"\0", b"\0" * 5000, b"junk"]))
def test_compressed_data_is_inflated_whatever_follows_it(payload: bytes, after: bytes) -> None:
    data = zlib.compress(payload) + after
    assert inflate(memoryview(data), len(payload)) == payload


def test_compressed_data_of_many_spans_is_inflated() -> None:
    payload = b"".join(i.to_bytes(4, "big") * 2 for i in range(200_000))
    stored = zlib.compress(payload, 0)
    assert inflate(memoryview(stored), len(payload)) == payload
    assert inflate(memoryview(zlib.compress(payload)), len(payload)) == payload


@pytest.mark.parametrize("lost", [1, 4, 20])
def test_truncated_compressed_data_is_refused(lost: int) -> None:
    data = zlib.compress(BIG)[:-lost]
    with pytest.raises(ValueError, match="incomplete"):
        inflate(memoryview(data), LIMIT)


@pytest.mark.parametrize("data", [b"", b"\x78"])
def test_hardly_any_compressed_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="incomplete"):
        inflate(memoryview(data), LIMIT)


@pytest.mark.parametrize("data", [b"no zlib at all", bytes(100), zlib.compress(BIG)[:-4] + b"\0\0\0\0"])
def test_damaged_compressed_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        inflate(memoryview(data), LIMIT)


def test_one_byte_more_than_the_limit_is_refused() -> None:
    data = memoryview(zlib.compress(b"x" * 1000))
    assert len(inflate(data, 1000)) == 1000
    with pytest.raises(ValueError, match="more than 999 bytes"):
        inflate(data, 999)


def test_nothing_inflates_to_nothing_within_a_limit_of_nothing() -> None:
    assert inflate(memoryview(zlib.compress(b"")), 0) == b""


def test_a_bomb_takes_no_more_memory_than_the_limit_allows() -> None:
    bomb = memoryview(zlib.compress(bytes(100_000_000), 9))
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than 1000000 bytes"):
        inflate(bomb, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * LIMIT


@given(st.binary(max_size=300))
def test_inflating_any_bytes_ends_in_bytes_or_a_value_error(data: bytes) -> None:
    try:
        assert len(inflate(memoryview(data), 1000)) <= 1000
    except ValueError as error:
        assert "compressed data" in str(error)
