"""Generators of domain labels, of our own making, that stand for malware's when the model of names is trained.

Each draws what many generators have in common (an alphabet, lengths, a seed that changes by the day) from a random
stream once a campaign, as two programs of one kind differ. None copies a real one's tables, seeds or constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from guardray.names.model import DATA

Generator = Callable[[np.random.Generator, int], list[str]]
"""A random stream and a number to that many labels of one campaign."""

LETTERS, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
CONSONANTS, VOWELS = "bcdfghjklmnpqrstvwxz", "aeiouy"
PLAIN_FREQUENCIES = (8, 2, 3, 4, 12, 2, 2, 6, 7, 1, 1, 4, 3, 7, 8, 2, 1, 6, 6, 9, 3, 1, 2, 1, 2, 1)
"""Of the letters a to z in ordinary text, in rounded percent."""

WORDS = tuple((DATA / "words.txt").read_text(encoding="utf-8").split())
"""Common English words."""


def _drawn(
    rng: np.random.Generator,
    alphabet: str,
    count: int,
    lengths: tuple[int, int],
    weights: Sequence[float] | None = None,
) -> list[str]:
    """Labels of characters that are drawn one by one."""
    shares = None if weights is None else np.asarray(weights, float) / np.sum(weights)
    sizes = rng.integers(lengths[0], lengths[1] + 1, count)
    drawn = rng.choice(list(alphabet), size=int(sizes.sum()), p=shares)
    return ["".join(part) for part in np.split(drawn, np.cumsum(sizes)[:-1])]


def _lengths(rng: np.random.Generator, least: int, most: int) -> tuple[int, int]:
    """The shortest and the longest label of a campaign; one in three has one length only."""
    low = int(rng.integers(least, most + 1))
    return low, low if rng.random() < 1 / 3 else int(rng.integers(low, most + 1))


def letters(rng: np.random.Generator, count: int) -> list[str]:
    """Letters, each as likely, sometimes from a part of the alphabet."""
    alphabet = LETTERS if rng.random() < 0.5 else LETTERS[: int(rng.integers(12, 26))]
    return _drawn(rng, alphabet, count, _lengths(rng, 6, 26))


def letters_and_digits(rng: np.random.Generator, count: int) -> list[str]:
    """Letters and digits, each as likely."""
    return _drawn(rng, LETTERS + DIGITS, count, _lengths(rng, 8, 28))


def hexadecimal(rng: np.random.Generator, count: int) -> list[str]:
    """The beginning of a digest in hexadecimal digits."""
    return _drawn(rng, "0123456789abcdef", count, _lengths(rng, 8, 32))


def base32(rng: np.random.Generator, count: int) -> list[str]:
    """Bytes in base 32."""
    return _drawn(rng, LETTERS + "234567", count, _lengths(rng, 8, 26))


def frequent_letters(rng: np.random.Generator, count: int) -> list[str]:
    """Letters as frequent as in text, in no order."""
    return _drawn(rng, LETTERS, count, _lengths(rng, 6, 16), PLAIN_FREQUENCIES)


def consonants(rng: np.random.Generator, count: int) -> list[str]:
    """Mostly consonants."""
    weights = [8.0] * len(CONSONANTS) + [float(rng.uniform(1, 8))] * len(VOWELS)
    return _drawn(rng, CONSONANTS + VOWELS, count, _lengths(rng, 6, 18), weights)


def alternating(rng: np.random.Generator, count: int) -> list[str]:
    """Consonants and vowels in turn, from parts of the alphabet, sometimes one too many."""
    low, high = _lengths(rng, 6, 14)
    heads = rng.choice(list(CONSONANTS), size=int(rng.integers(8, len(CONSONANTS) + 1)), replace=False)
    cores = rng.choice(list(VOWELS), size=int(rng.integers(3, len(VOWELS) + 1)), replace=False)
    extra = float(rng.choice([0.0, 0.1, 0.25]))
    return [_alternate(rng, heads, cores, int(rng.integers(low, high + 1)), extra) for _ in range(count)]


def _alternate(rng: np.random.Generator, heads: np.ndarray, cores: np.ndarray, length: int, extra: float) -> str:
    at_core, label = bool(rng.random() < 0.3), ""
    while len(label) < length:
        label += str(rng.choice(cores if at_core else heads))
        at_core = at_core if rng.random() < extra else not at_core
    return label


def syllables(rng: np.random.Generator, count: int) -> list[str]:
    """Syllables from a campaign's own table, two letters to four each."""
    table = [
        "".join(
            rng.choice(list(kind))
            for kind in rng.choice([CONSONANTS, VOWELS], size=int(rng.integers(2, 5)), p=[0.6, 0.4])
        )
        for _ in range(int(rng.integers(12, 80)))
    ]
    parts = _lengths(rng, 2, 5)
    return ["".join(rng.choice(table, size=int(rng.integers(parts[0], parts[1] + 1)))) for _ in range(count)]


def congruential(rng: np.random.Generator, count: int) -> list[str]:
    """A linear congruential sequence that starts at the date; each state gives one letter by its remainder."""
    state, multiplier, increment = (int(number) for number in rng.integers(1 << 16, 1 << 31, 3))
    base, length = int(rng.integers(20, 27)), int(rng.integers(7, 20))
    labels = []
    for _ in range(count):
        label = ""
        for _ in range(length):
            state = (state * (multiplier | 1) + increment) & 0xFFFFFFFF
            label += LETTERS[(state >> 8) % base]
        labels.append(label)
    return labels


def counters(rng: np.random.Generator, count: int) -> list[str]:
    """A number that grows by a constant step, written with letters and digits in a campaign's own order."""
    order = rng.permutation(list(LETTERS + DIGITS))
    number, step, length = (
        int(rng.integers(1 << 30, 1 << 62)),
        int(rng.integers(1 << 30, 1 << 60)),
        int(rng.integers(8, 13)),
    )
    return ["".join(order[(number + i * step) // 36**place % 36] for place in range(length)) for i in range(count)]


def mutated(rng: np.random.Generator, count: int) -> list[str]:
    """A long stem whose first letters change."""
    stem = "".join(rng.choice(WORDS, size=3))
    return [head + stem for head in _drawn(rng, LETTERS, count, (4, 6))]


def shuffled(rng: np.random.Generator, count: int) -> list[str]:
    """The letters of two words, shuffled."""
    return ["".join(rng.permutation(list("".join(rng.choice(WORDS, size=2))))) for _ in range(count)]


def word_and_noise(rng: np.random.Generator, count: int) -> list[str]:
    """A word between drawn letters or digits."""
    noise = _drawn(rng, LETTERS + DIGITS, count, (5, 9))
    return [str(rng.choice(WORDS)) + tail for tail in noise]


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Two or three words in a row."""
    return ["".join(rng.choice(WORDS, size=int(rng.integers(2, 4)))) for _ in range(count)]


SHARES: dict[Generator, float] = {
    letters: 4,
    congruential: 4,
    frequent_letters: 1.5,
    consonants: 1.5,
    alternating: 1,
    syllables: 1,
    letters_and_digits: 1,
    hexadecimal: 0.3,
    base32: 0.3,
    mutated: 0.3,
    shuffled: 0.3,
    counters: 0.2,
    word_and_noise: 0.1,
    words: 0,
}
"""Parts of the training set. Most generators that are known write letters alone, so these have the most; ordinary
names with digits would be taken for generated ones otherwise. Rows of words look like ordinary names to characters:
learning them costs more than it finds."""


def generated(seed: int, count: int) -> list[str]:
    """About `count` labels of all generators in their shares."""
    return [
        label
        for number, (generator, share) in enumerate(SHARES.items())
        for label in campaigns(
            np.random.default_rng((seed, number)), generator, round(count * share / sum(SHARES.values()))
        )
    ]


def campaigns(rng: np.random.Generator, generator: Generator, count: int, size: int = 50) -> list[str]:
    """At least `count` labels, in campaigns of `size`."""
    return [label for _ in range(-(-count // size)) for label in generator(rng, size)]
