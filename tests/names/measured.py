"""How well the model of names does on families of generators that it never saw, beside simple ways.

`python tests/names/measured.py DOMAINS` prints the tables of docs/names-model.md. The simple ways: the entropy of the
label's characters; and the same kind of regression, learned from all families but the fold's. For its ordinary names
it has the small public-domain list, or else half of the very list that it is measured on, which flatters it.
"""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from guardray.context.public_suffix import registered_domains
from guardray.names import train
from guardray.names.model import NameModel, shipped

FOLDS, SEED = 5, 0
WAYS = ("model", "entropy", "regression", "flattered regression")
FIGURES = ("auc", "recall_0.1%", "recall_1%", "recall_3%")


def labels(domains: pl.Series) -> pl.Series:
    return domains.str.split(".").list.first()


def generated(folder: Path) -> pl.DataFrame:
    """Each family's labels, once a registered domain, and the fold of the family."""
    listed = pl.read_csv(folder / "dga.csv.gz")
    listed = listed.with_columns(domain=registered_domains(listed["domain"]).fill_null(listed["domain"]))
    once = listed.unique(["family", "domain"], maintain_order=True)
    names = np.random.default_rng(SEED).permutation(once["family"].unique().sort().to_numpy())
    folds = pl.DataFrame({"family": names, "fold": np.arange(len(names)) % FOLDS})
    return once.select("family", label=labels(once["domain"])).join(folds, on="family", maintain_order="left")


def popular(folder: Path) -> pl.Series:
    """Domains of the list that the model learned from too."""
    return registered_domains(pl.Series((folder / "benign-opendns-top-10k.txt").read_text().split())).drop_nulls()


def ordinary(folder: Path) -> pl.Series:
    """Labels of ordinary domains without those of the list that the model learned from."""
    text = gzip.decompress((folder / "benign-cloudflare-sample.txt.gz").read_bytes()).decode()
    domains = registered_domains(pl.Series(text.split())).drop_nulls().unique(maintain_order=True)
    return labels(domains.filter(~domains.is_in(popular(folder).implode()) & ~domains.str.starts_with("xn--")))


def entropy(texts: pl.Series) -> np.ndarray:
    shares = ((n / len(text) for n in Counter(text).values()) for text in texts)
    return np.array([-sum(share * np.log2(share) for share in of) for of in shares])


def area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Under the ROC curve: how often a positive scores above a negative; ties count half."""
    below, upto = (np.searchsorted(np.sort(negative), positive, side) for side in ("left", "right"))
    return float((below + upto).mean() / 2 / len(negative))


def figures(positive: np.ndarray, negative: np.ndarray) -> tuple[float, ...]:
    recalls = [float((positive > np.quantile(negative, 1 - rate)).mean()) for rate in (0.001, 0.01, 0.03)]
    return area(positive, negative), *recalls


def measure(folder: Path) -> pl.DataFrame:
    """One row a family and way: `family`, `fold`, `names`, `way` and the figures."""
    bad, good = generated(folder), ordinary(folder)
    half = np.random.default_rng(SEED).random(len(good)) < 0.5
    learned, unseen = good.filter(pl.Series(half)), good.filter(pl.Series(~half))
    rows = []
    for (fold,), of_fold in bad.group_by("fold", maintain_order=True):
        others = bad.filter(pl.col("fold") != fold)["label"].to_list()
        simple = NameModel(train.fit(others, labels(popular(folder)).to_list()), 0.0)
        flattered = NameModel(train.fit(others, learned.to_list()), 0.0)
        scorers = (shipped().log_odds, entropy, simple.log_odds, flattered.log_odds)
        for way, scorer in zip(WAYS, scorers, strict=True):
            negative = scorer(unseen)
            for (family,), names in of_fold.group_by("family", maintain_order=True):
                found = figures(scorer(names["label"]), negative)
                rows.append((family, fold, names.height, way, *found))
    return pl.DataFrame(rows, schema=["family", "fold", "names", "way", *FIGURES], orient="row")


def means(table: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Means of the figures over families, each counting alike."""
    return table.group_by(*by, maintain_order=True).agg(pl.col(FIGURES).mean())


if __name__ == "__main__":
    found = measure(Path(sys.argv[1]))
    with pl.Config(tbl_rows=-1, tbl_cols=-1, float_precision=3):
        print(means(found, "way"), means(found, "fold", "way").sort("fold", "way"), sep="\n")
        print(found.filter(pl.col("way") == "model").sort("family"))
