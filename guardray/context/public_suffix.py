"""The domain that somebody registered, told from a full name by the public suffix list, without a network.

The list comes with a package, newer than the one that the parser brings along. Its private part counts too: a
customer's bucket or dynamic name below a provider's suffix is a domain of its own.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import polars as pl
import polars_tldextract

_LIST = resources.files("publicsuffixlist") / "public_suffix_list.dat"
_UNLIKE_HOSTS = r"[^\w.-]"


def registered_domain(name: str) -> str | None:
    """`example.co.uk` for `www.example.co.uk`; None for a suffix, an address or a name below no public suffix."""
    domain: str | None = registered_domains(pl.Series([name], dtype=pl.String))[0]
    return domain


def registered_domains(names: pl.Series) -> pl.Series:
    """String or Categorical [n] to String [n]: `registered_domain` of each, found once a distinct name, lower case."""
    _load_list()
    distinct = names.unique().drop_nulls()
    domains = distinct.cast(pl.String).to_frame("name").select(_registered(pl.col("name"))).to_series()
    return names.replace_strict(distinct, domains, default=None, return_dtype=pl.String)


def _registered(name: pl.Expr) -> pl.Expr:
    """Queries may hold any byte, which a parser of URLs would cut at; a domain with one in it is nobody's."""
    plain = name.str.to_lowercase().str.strip_chars_end(".")
    domain = polars_tldextract.registrable_domain(
        plain.str.replace_all(_UNLIKE_HOSTS, "-"), include_private=True, parallel=False
    )
    return pl.when(plain.str.ends_with(domain)).then(domain)


@cache
def _load_list() -> str:
    """Once a process: the parser keeps one list."""
    version: str = polars_tldextract.load_psl(_LIST.read_text(encoding="utf-8"))
    return version
