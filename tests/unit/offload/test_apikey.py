"""Where a key may come from, and where a service may listen without one."""

import pytest

from offload.apikey import KeyProblem, read_key
from offload.service.auth import require_key_unless_loopback

KEY = "0123456789abcdef0123"


def test_there_is_no_default():
    assert read_key({}) is None


def test_the_environment_or_a_private_file(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    assert read_key({"OFFLOAD_API_KEY": KEY}) == KEY
    assert read_key({"OFFLOAD_API_KEY_FILE": str(file)}) == KEY


def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o640)
    with pytest.raises(KeyProblem, match=r"mode 0640, expected 0600.*chmod 600"):
        read_key({"OFFLOAD_API_KEY_FILE": str(file)})


def test_absent_and_short_keys_are_refused(tmp_path):
    with pytest.raises(KeyProblem, match="No such file"):
        read_key({"OFFLOAD_API_KEY_FILE": str(tmp_path / "absent")})
    with pytest.raises(KeyProblem, match="has 5 characters"):
        read_key({"OFFLOAD_API_KEY": "short"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_key(host):
    require_key_unless_loopback(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "scanner.local", ""])
def test_everything_else_does(host):
    with pytest.raises(KeyProblem, match="without a key"):
        require_key_unless_loopback(host, None)
    require_key_unless_loopback(host, KEY)
