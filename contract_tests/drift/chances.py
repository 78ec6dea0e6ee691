"""How likely counts are by chance: tails of Poisson and of binomial distributions, exact enough to tell 1e-3. Pure."""

from math import exp, lgamma, log


def poisson_at_least(count: int, expected: float) -> float:
    """The probability of `count` or more where `expected` come on average."""
    if count <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    terms = (exp(k * log(expected) - expected - lgamma(k + 1)) for k in range(count))
    return max(0.0, 1.0 - sum(terms))


def binomial_at_least(count: int, of: int, share: float) -> float:
    """The probability that `count` or more of `of` do what each does with probability `share`."""
    if count <= 0:
        return 1.0
    if share >= 1 or count > of:
        return 1.0 if count <= of else 0.0
    if share <= 0:
        return 0.0
    return min(1.0, sum(_binomial(k, of, share) for k in range(count, of + 1)))


def binomial_at_most(count: int, of: int, share: float) -> float:
    """The probability that `count` or fewer of `of` do what each does with probability `share`."""
    return binomial_at_least(of - count, of, 1 - share)


def _binomial(k: int, of: int, share: float) -> float:
    ways = lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1)
    return exp(ways + k * log(share) + (of - k) * log(1 - share))
