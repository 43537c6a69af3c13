"""What to label next: a registry of strategies, and batches that keep budget, quotas and a random arm."""

from core.errors import NotFound
from core.learn.select.pool import Strategy
from core.learn.select.strategies import (
    at_random,
    badge,
    disagreement,
    entropy,
    k_center,
    least_confidence,
    margin,
    mixed,
    novelty,
    relabel,
)

STRATEGIES: dict[str, Strategy] = {
    one.STRATEGY.name: one.STRATEGY
    for one in (
        mixed,
        k_center,
        entropy,
        margin,
        least_confidence,
        badge,
        novelty,
        disagreement,
        relabel,
        at_random,
    )
}


def strategy_named(name: str) -> Strategy:
    """One strategy.

    Raises:
        NotFound: naming those there are.
    """
    if name not in STRATEGIES:
        raise NotFound(f"There is no strategy '{name}': there are {', '.join(sorted(STRATEGIES))}.")
    return STRATEGIES[name]
