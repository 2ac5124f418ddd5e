"""A mixture of voices as it is written, `piano:0.6,strings:0.4`; pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mixture:
    """Which voices sound together, and how much of each."""

    parts: tuple[tuple[str, float], ...]
    """Each voice once, with its share of the amplitude; shares are 0 or above and add up to 1."""

    def __post_init__(self) -> None:
        names = [name for name, _ in self.parts]
        shares = [share for _, share in self.parts]
        if not names or len(set(names)) < len(names) or not all(names):
            raise ValueError(f"{', '.join(names) or 'nothing'}: a mixture names each of its voices once")
        if min(shares) < 0 or not abs(sum(shares) - 1) < 1e-6:
            raise ValueError(f"the shares of a mixture are 0 or above and add up to 1, not {shares}")

    @classmethod
    def read(cls, text: str) -> "Mixture":
        """Read `organ`, `piano,strings` (equal shares) or `piano:3,strings:1` (scaled to 1). Raises ValueError."""
        parts = []
        for part in text.split(","):
            name, colon, share = part.partition(":")
            try:
                parts.append((name.strip(), float(share) if colon else 1.0))
            except ValueError:
                raise ValueError(
                    f"{part.strip()!r}: a share is a number, as in piano:0.6,strings:0.4"
                ) from None
        total = sum(share for _, share in parts)
        if not 0 < total < float("inf"):
            raise ValueError(
                f"{text!r}: the shares of a mixture add up to more than 0, as in piano:0.6,strings:0.4"
            )
        return cls(tuple((name, share / total) for name, share in parts))

    def __str__(self) -> str:
        return ",".join(f"{name}:{share:.3g}" for name, share in self.parts)

    def blended(self, position: float) -> "Mixture":
        """The same voices, from the first alone (0) to the others alone (1). Raises ValueError if there is one only."""
        if len(self.parts) < 2:
            raise ValueError(
                f"{self.parts[0][0]} is one voice: blending takes two, as in piano:0.6,strings:0.4"
            )
        (first, _), *others = self.parts
        rest = sum(share for _, share in others)
        among = [share / rest if rest else 1 / len(others) for _, share in others]
        blended = [(name, position * share) for (name, _), share in zip(others, among, strict=True)]
        return Mixture(((first, 1 - position), *blended))


def is_mixture(name: str) -> bool:
    """Whether a voice's name is written as a mixture; a path of weights is none."""
    return not name.endswith(".safetensors") and (":" in name or "," in name)
