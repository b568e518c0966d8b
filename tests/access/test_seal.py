"""The sealing key, and what is sealed with it."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.access.seal import ENVIRONMENT, FILE_NAME, Seal, make_seal, new_key, read_seal
from guardray.errors import UsageError

SEAL = Seal(new_key())


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_opens_with_its_binding(secret, binding):
    assert SEAL.open(SEAL.close(secret, binding), binding) == secret


def test_it_does_not_open_with_another_key_or_binding():
    sealed = SEAL.close("secret", "a|reader")
    assert SEAL.open(sealed, "a|admin") is None
    assert Seal(new_key()).open(sealed, "a|reader") is None


@given(st.integers(0, 33), st.integers(1, 255))
def test_it_does_not_open_once_it_was_changed(position, difference):
    whole = bytearray(b64decode(SEAL.close("secret", "b")))
    whole[position] ^= difference
    assert SEAL.open(b64encode(whole).decode(), "b") is None


@pytest.mark.parametrize("sealed", ["", "no base64!", "AAAA", "ü"])
def test_what_was_never_sealed_does_not_open(sealed):
    assert SEAL.open(sealed, "b") is None


def test_the_same_secret_is_sealed_differently_each_time():
    assert SEAL.close("secret", "b") != SEAL.close("secret", "b")


def test_a_tokens_hash_is_of_the_token_its_binding_and_the_key():
    hashed = SEAL.hashed("token", "b")
    assert hashed == SEAL.hashed("token", "b")
    others = {SEAL.hashed("token", "c"), SEAL.hashed("oken", "bt"), Seal(new_key()).hashed("token", "b")}
    assert hashed not in others
    assert len(others) == 3


def test_a_new_key_file_is_for_its_owner_only_and_is_read_again(tmp_path):
    seal = make_seal(tmp_path)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert read_seal(tmp_path, environment={}).name == seal.name


def test_a_key_file_is_never_overwritten(tmp_path):
    make_seal(tmp_path)
    with pytest.raises(UsageError, match="File exists"):
        make_seal(tmp_path)


def test_a_key_file_that_others_may_read_is_refused_with_what_to_do(tmp_path):
    make_seal(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(UsageError, match=f"chmod 600 {tmp_path}/{FILE_NAME}"):
        read_seal(tmp_path, environment={})


def test_a_named_file_comes_before_the_environment_and_that_before_the_folder(tmp_path):
    folder = make_seal(tmp_path)
    named, variable = new_key(), new_key()
    (tmp_path / "named").write_bytes(b64encode(named))
    environment = {ENVIRONMENT: b64encode(variable).decode()}
    assert read_seal(tmp_path, tmp_path / "named", environment).name == Seal(named).name
    assert read_seal(tmp_path, None, environment).name == Seal(variable).name
    assert read_seal(tmp_path, None, {}).name == folder.name
    assert read_seal(tmp_path / "elsewhere", None, {}) is None


@pytest.mark.parametrize("content", [b"", b"secret", b"\xff\xfe", b64encode(b"short"), b64encode(bytes(33))])
def test_what_is_no_sealing_key_is_named(tmp_path, content):
    (tmp_path / "x.key").write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.key: is no sealing key"):
        read_seal(tmp_path, tmp_path / "x.key")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"x\.key: No such file"):
        read_seal(tmp_path, tmp_path / "x.key")


def test_an_environment_that_holds_no_sealing_key_is_named_without_what_it_holds(tmp_path):
    with pytest.raises(UsageError, match=ENVIRONMENT) as caught:
        read_seal(tmp_path, None, {ENVIRONMENT: "hunter2"})
    assert "hunter2" not in str(caught.value)
