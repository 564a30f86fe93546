"""Codes: one at a time, for a short time, for few tries, once."""

import pytest

from scannerd.control.rest.pairing import CODE_LENGTH, DIGITS, MOST_TRIES, VALID_S, PairingCodes, WrongCode


class Watch:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def another(code: str) -> str:
    return ("2" if code[0] == "1" else "1") + code[1:]


def test_a_code_is_as_a_lamp_can_blink_it() -> None:
    codes = PairingCodes()
    seen = {codes.new_code() for _ in range(200)}
    assert len(seen) > 150
    assert all(len(code) == CODE_LENGTH and set(code) <= set(DIGITS) for code in seen)


def test_a_code_pairs_once() -> None:
    codes = PairingCodes()
    code = codes.new_code()
    codes.redeem(code)
    with pytest.raises(WrongCode, match="no code is shown"):
        codes.redeem(code)


def test_wrong_tries_void_the_code() -> None:
    codes = PairingCodes()
    code = codes.new_code()
    for left in range(MOST_TRIES - 1, 0, -1):
        with pytest.raises(WrongCode, match=f"{left} more"):
            codes.redeem(another(code))
    with pytest.raises(WrongCode, match="counts no more"):
        codes.redeem(another(code))
    with pytest.raises(WrongCode, match="no code is shown"):
        codes.redeem(code)


def test_a_code_ends_with_its_time() -> None:
    watch = Watch()
    codes = PairingCodes(watch)
    code = codes.new_code()
    watch.now_s = VALID_S
    with pytest.raises(WrongCode, match="no code is shown"):
        codes.redeem(code)


def test_a_new_code_replaces_the_old_one() -> None:
    codes = PairingCodes()
    old = codes.new_code()
    while (new := codes.new_code()) == old:
        pass
    with pytest.raises(WrongCode):
        codes.redeem(old)
    codes.redeem(new)


def test_a_code_of_strange_letters_is_only_wrong() -> None:
    codes = PairingCodes()
    codes.new_code()
    with pytest.raises(WrongCode, match="4 more"):
        codes.redeem("١٢٣٤٥٦")
