"""What is wrong with the packages that the shipped data is made of is said, and the data stays as it is."""

from __future__ import annotations

import pytest

from guardray.geo.build import main
from guardray.geo.shipped import ABOUT, DATA


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "usage: .* COUNTRY ASN"),
        (["nowhere.tgz", "asn"], r"nowhere\.tgz: no asn-country-ipv4-num\.csv can be read from it: .* No such file"),
        (["folder", "asn"], r"folder: no asn-country-ipv4-num\.csv"),
        (["text.tgz", "asn"], r"text\.tgz: no asn-country-ipv4-num\.csv"),
    ],
)
def test_packages_that_cannot_be_read_are_named(tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.tgz").write_text("not packed")
    before = (DATA / ABOUT).read_bytes()
    with pytest.raises(SystemExit, match=reason):
        main(arguments)
    assert (DATA / ABOUT).read_bytes() == before
