"""Tokens: told once, kept as hashes, in a file that only the daemon's user can read."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scannerd.control.rest.tokens import MOST_TOKENS, TokenBook, TooManyTokens


class Calendar:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_token_counts_and_is_not_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    token, entry = TokenBook(file).issue("tablet")
    again = TokenBook(file)
    found = again.find(token)
    assert found is not None
    assert found.token_id == entry.token_id
    assert again.find(token + "x") is None
    assert token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token) * 6 >= 256


def test_a_revoked_token_counts_no_more(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "tokens.json")
    (kept, _), (lost, entry) = book.issue("tablet"), book.issue("phone")
    assert book.revoke(entry.token_id)
    assert not book.revoke(entry.token_id)
    for reader in (book, TokenBook(tmp_path / "tokens.json")):
        assert reader.find(lost) is None
        assert reader.find(kept) is not None


def test_last_use_is_written_now_and_then(tmp_path: Path) -> None:
    calendar, file = Calendar(), tmp_path / "tokens.json"
    book = TokenBook(file, calendar)
    token, _ = book.issue("tablet")
    book.find(token)
    book.save()
    written = file.stat().st_mtime_ns
    calendar.now += timedelta(minutes=9)
    book.find(token)
    book.save()
    assert file.stat().st_mtime_ns == written
    calendar.now += timedelta(minutes=2)
    book.find(token)
    book.save()
    assert TokenBook(file).entries()[0].last_used_at == calendar.now


def test_there_is_an_end_to_pairing(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "tokens.json")
    for number in range(MOST_TOKENS):
        book.issue(f"tablet {number}")
    with pytest.raises(TooManyTokens):
        book.issue("one more")


def test_a_broken_file_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text('{"tokens": [')
    book = TokenBook(file)
    assert book.entries() == []
    assert (tmp_path / "tokens.broken").read_text() == '{"tokens": ['
    token, _ = book.issue("tablet")
    assert TokenBook(file).find(token) is not None
