"""A bounded sample of an unbounded sequence, the same for the same sequence."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class SystematicSample(Generic[T]):
    """All of what was added, or each 2nd, 4th, 8th ... of it, so that fewer than `most` are kept.

    Systematic sampling (Cochran, Sampling Techniques, 1977, ch. 8): every part of the sequence keeps its
    share.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._step = 1
        self._skip = 0
        self._kept: list[T] = []

    def add(self, value: T) -> None:
        """The next one of the sequence."""
        if self._skip:
            self._skip -= 1
            return
        self._kept.append(value)
        if len(self._kept) == self._most:
            # The last one kept has an odd place and goes; the next one to keep is a new step after it.
            del self._kept[1::2]
            self._step *= 2
            self._skip = self._step // 2 - 1
        else:
            self._skip = self._step - 1

    def __iter__(self) -> Iterator[T]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)
