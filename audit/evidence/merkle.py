"""The hash tree of RFC 6962 §2.1, leaf by leaf, in memory that grows with its height only."""

from collections.abc import Iterable
from hashlib import sha256


class Tree:
    """Takes leaves from left to right; `root()` is the tree's hash."""

    def __init__(self) -> None:
        self.count = 0
        self._whole: list[bytes] = []  # roots of complete subtrees, the largest first

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append the hashes of leaves."""
        whole, count = self._whole, self.count
        for node in leaves:
            full = count
            while full & 1:
                node = sha256(b"\x01" + whole.pop() + node).digest()
                full >>= 1
            whole.append(node)
            count += 1
        self.count = count

    def root(self) -> bytes:
        """Return the hash of all leaves; of none, the hash of nothing."""
        if not self._whole:
            return sha256().digest()
        *rest, node = self._whole
        for left in reversed(rest):
            node = sha256(b"\x01" + left + node).digest()
        return node
