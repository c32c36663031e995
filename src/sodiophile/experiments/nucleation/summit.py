"""The highest point of a smooth curve between noisy samples, with an uncertainty that holds for sharp tips too.

A parabola through the samples around a tip falls short of it wherever the tip is sharper on one side, which dips are: the
rise is the charging of the interface, the fall the growth of nuclei. So the curve is left free: it is a Gaussian process
about an unknown constant, once continuously differentiable (Matern, 3/2) or twice (5/2). How rough it is, its size and its
correlation time are not chosen but weighed by their likelihood given the samples. Curves are drawn from it; the mean and
the deviation of their maxima are the answer, so what the samples leave open between them is part of it (Rasmussen and
Williams, Gaussian Processes for Machine Learning, 2006, chapters 2, 4 and 5).
"""

from __future__ import annotations

import numpy as np

_MOST_SAMPLES = 50
_SIZES = np.geomspace(0.1, 30.0, 10)
_LENGTHS = np.geomspace(0.3, 2.0, 8)
_NEGLIGIBLE = 0.01
_BETWEEN = 61
_DRAWS = 64
_ODDS = float(np.log(50.0))
_NEAR = 6.0
# three standard deviations of a difference of two samples
_ALIKE = 3.0 * float(np.sqrt(2.0))


def summit(time_s: np.ndarray, values_V: np.ndarray, noise_V: float, height_V: float) -> tuple[float, float, float]:
    """Return the maximum of a curve known at samples.

    Parameters
    ----------
    time_s, values_V
        The samples around the tip, shape (n,), n at least 3.
    noise_V
        Standard deviation of a sample.
    height_V
        Height of the tip, the unit in which the size of the process is counted.

    Returns
    -------
    value_V, uncertainty_V, time_s : float
        The maximum, its standard uncertainty, and where it is.

    Notes
    -----
    With covariance K of the process and the constant eliminated (restricted likelihood), each pair of size and length has
    the weight exp(-[ln|N'(K + noise^2)N| + z'(N'(K + noise^2)N)^-1 z]/2), z = N'y, N the contrasts; the smoother kind
    has a fiftieth of the weight of the rougher, so that it takes evidence to believe a tip to be rounded. The draws are the
    same every time.

    A process as rough at the tip as on its flanks smooths a sharp tip and falls short of it. So the uncertainty is never
    less than that of the mean of the samples that noise does not tell from one at the summit.
    """
    time_s, values_V, noise_V = _averaged(time_s, values_V, noise_V)
    count = time_s.size
    middle, half = (time_s[0] + time_s[-1]) / 2, (time_s[-1] - time_s[0]) / 2
    x = (time_s - middle) / half
    near = np.flatnonzero(values_V >= values_V.max() - _NEAR * noise_V)
    between = np.linspace(x[max(near[0] - 2, 0)], x[min(near[-1] + 2, count - 1)], _BETWEEN)
    apart, apart_between = np.abs(x[:, None] - x), np.abs(between[:, None] - x)
    ones = np.ones((count, 1))
    contrasts = np.linalg.qr(ones, mode="complete")[0][:, 1:]
    z = contrasts.T @ values_V
    # a last digit of the tip's height: keeps the covariance regular where there is no noise
    variance = noise_V**2 + (1e-5 * height_V) ** 2
    kinds = [(kind, length) for kind in (_once, _twice) for length in _LENGTHS]
    sizes = height_V * _SIZES
    likelihood = np.empty((len(kinds), sizes.size))
    for row, (kind, length) in enumerate(kinds):
        spread, axes = np.linalg.eigh(contrasts.T @ kind(apart / length) @ contrasts)
        total = sizes[:, None] ** 2 * np.maximum(spread, 0.0) + variance
        likelihood[row] = -0.5 * np.sum(np.log(total) + (axes.T @ z) ** 2 / total, axis=1)
    likelihood[len(_LENGTHS) :] -= _ODDS
    weight = np.exp(likelihood - likelihood.max())
    draws = np.random.default_rng(0).standard_normal((_BETWEEN, _DRAWS))
    draws = np.concatenate([draws, -draws], axis=1)
    among = np.abs(between[:, None] - between)
    found = []
    for row, column in zip(*np.nonzero(weight > _NEGLIGIBLE), strict=True):
        kind, length = kinds[row]
        size = sizes[column] ** 2
        known, asked = size * kind(apart / length), size * kind(apart_between / length)
        solved = np.linalg.solve(known + variance * np.eye(count), np.column_stack([ones, values_V, asked.T]))
        of_ones, of_values, of_asked = solved[:, 0], solved[:, 1], solved[:, 2:]
        precision = float(of_ones.sum())
        constant = float(of_values.sum()) / precision
        curve = constant + asked @ (of_values - constant * of_ones)
        unexplained = 1.0 - of_asked.sum(axis=0)
        left = size * kind(among / length) - asked @ of_asked + np.outer(unexplained, unexplained) / precision
        # a hundredth of the noise keeps it positive definite
        curves = curve[:, None] + np.linalg.cholesky(left + 0.01 * variance * np.eye(_BETWEEN)) @ draws
        maxima = curves.max(axis=0)
        found.append((weight[row, column], maxima.mean(), maxima.var(), between[curves.argmax(axis=0)].mean()))
    weights, means, variances, places = np.array(found).T
    weights /= weights.sum()
    value = float(weights @ means)
    uncertainty = float(np.sqrt(weights @ (variances + (means - value) ** 2)))
    at_summit = max(int(np.count_nonzero(values_V >= value - _ALIKE * noise_V)), 1)
    return value, max(uncertainty, noise_V / float(np.sqrt(at_summit))), float(middle + half * (weights @ places))


def _averaged(time_s: np.ndarray, values_V: np.ndarray, noise_V: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Average neighbours where there are more samples than a covariance should hold."""
    block = -(-time_s.size // _MOST_SAMPLES)
    if block == 1:
        return time_s, values_V, noise_V
    whole = time_s.size // block * block
    shape = (-1, block)
    return (
        time_s[:whole].reshape(shape).mean(axis=1),
        values_V[:whole].reshape(shape).mean(axis=1),
        noise_V / float(np.sqrt(block)),
    )


def _once(distance: np.ndarray) -> np.ndarray:
    scaled = np.sqrt(3.0) * distance
    return np.asarray((1.0 + scaled) * np.exp(-scaled))


def _twice(distance: np.ndarray) -> np.ndarray:
    scaled = np.sqrt(5.0) * distance
    return np.asarray((1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled))
