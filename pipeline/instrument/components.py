"""Splits the variance of answers into persons, rounds, items and what they do together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from data.errors import RapportError
from pipeline.instrument.answers_matrix import Floats

Numbers = NDArray[np.int64]

FACETS = {"p": (0,), "t": (1,), "i": (2,), "pt": (0, 1), "pi": (0, 2), "ti": (1, 2)}
WITHIN, ACROSS = ("p", "pt", "pi"), ("t", "i", "ti")
MAX_WORK = 1e8  # patterns × cells² × effects of a person in one step of REML; beyond, sums of squares


@dataclass(frozen=True)
class Answers:
    """One row an answer: codes of person, round and item (n, 3), how many of each, and the value (n,)."""

    codes: Numbers
    n_levels: tuple[int, int, int]
    value: Floats

    @property
    def is_balanced(self) -> bool:
        return len(self.value) == int(np.prod(self.n_levels))


def anova(answers: Answers) -> dict[str, float]:
    """Components by equating mean squares with their expectations, for a balanced design; may be negative."""
    p, t, i = answers.n_levels
    cube = np.empty((p, t, i))
    cube[tuple(answers.codes.T)] = answers.value - answers.value.mean()  # keeps sums of squares exact
    share = {name: cube.size / np.prod([answers.n_levels[axis] for axis in axes]) for name, axes in FACETS.items()}
    total = {name: float((_margin(cube, axes) ** 2).sum() * share[name]) for name, axes in FACETS.items()}
    zero = float(cube.mean() ** 2 * cube.size)
    ms = {name: (total[name] - zero) / (answers.n_levels[FACETS[name][0]] - 1) for name in "pti"}
    for name in ("pt", "pi", "ti"):
        df = np.prod([answers.n_levels[axis] - 1 for axis in FACETS[name]])
        ms[name] = (total[name] - total[name[0]] - total[name[1]] + zero) / df
    rest = (
        float((cube**2).sum())
        - sum(total[name] for name in ("pt", "pi", "ti"))
        + sum(total[name] for name in "pti")
        - zero
    )
    ms["e"] = rest / ((p - 1) * (t - 1) * (i - 1))
    found = {name: (ms[name] - ms["e"]) / share[name] for name in ("pt", "pi", "ti")}
    for name, left, right in (("p", "pt", "pi"), ("t", "pt", "ti"), ("i", "pi", "ti")):
        found[name] = (ms[name] - ms[left] - ms[right] + ms["e"]) / share[name]
    return {name: float(component) for name, component in {**found, "e": ms["e"]}.items()}


def sums_of_squares(answers: Answers, facets: tuple[str, ...] = tuple(FACETS)) -> dict[str, float]:
    """Components of any design by the analogous-ANOVA procedure; unbiased, may be negative, one pass over the answers.

    Uncorrected sums of squares T_k = Σ_a n_a ȳ_a² of every facet are equated with their expectations, which the
    counts of answers in the cells of two facets give. Equals `anova` in a balanced design.
    Henderson (1953), Biometrics 9, method 1; Brennan (2001), Generalizability Theory, chapter 7.
    """
    axes = {"": (), **{name: FACETS[name] for name in facets}, "e": (0, 1, 2)}
    count = {name: _counts(answers, of) for name, of in axes.items()}
    squares = {name: _square(answers, of, count[name]) for name, of in axes.items()}
    effects = [*facets, "e"]
    expected = {
        name: np.array([_expected(answers, of, axes[effect], count[name]) for effect in effects])
        for name, of in axes.items()
    }
    left = np.array([expected[name] - expected[""] for name in effects])
    right = np.array([squares[name] - squares[""] for name in effects])
    found = np.linalg.lstsq(left, right, rcond=None)[0]
    return dict(zip(effects, found.tolist(), strict=True))


def reml(answers: Answers, facets: tuple[str, ...] = tuple(FACETS)) -> dict[str, float]:
    """Components ≥ 0 of any design by restricted maximum likelihood with one mean, normal effects.

    Persons are independent given rounds and items, so V is a block a person plus effects of the round × item
    cells: each step costs one inverse a pattern of missing cells. Minimised over ratios to the error variance by
    a bounded quasi-Newton method with exact slopes. Patterson & Thompson (1971), Biometrika 58,
    doi:10.1093/biomet/58.3.545.
    """
    blocks = _Blocks.of(answers)
    start = sums_of_squares(answers, facets)
    error = max(start["e"], 0.05 * float(answers.value.var()), 1e-12)
    at = np.clip([start[name] / error for name in facets], 0.02, 20.0)
    found = optimize.minimize(
        lambda ratio: _deviance(dict(zip(facets, ratio, strict=True)), blocks)[:2],
        at,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * len(facets),
        options={"ftol": 1e-12, "gtol": 1e-7, "maxiter": 500},
    )
    ratio = dict(zip(facets, found.x.tolist(), strict=True))
    error = _deviance(ratio, blocks)[2]
    return {**{name: share * error for name, share in ratio.items()}, "e": error}


def is_small_enough(answers: Answers) -> bool:
    """Whether REML answers in seconds."""
    n_cells = answers.n_levels[1] * answers.n_levels[2]
    n_patterns = 1 if answers.is_balanced else min(answers.n_levels[0], 2.0**n_cells)
    n_effects = 1 + answers.n_levels[1] + answers.n_levels[2]
    return n_patterns * n_cells**2 * n_effects <= MAX_WORK and answers.n_levels[0] * n_cells <= 5e6


def _margin(cube: Floats, axes: tuple[int, ...]) -> Floats:
    found: Floats = cube.mean(axis=tuple(axis for axis in range(3) if axis not in axes))
    return found


def _cell(answers: Answers, axes: tuple[int, ...]) -> Numbers:
    code = np.zeros(len(answers.value), dtype=np.int64)
    for axis in axes:
        code = code * answers.n_levels[axis] + answers.codes[:, axis]
    return code


def _counts(answers: Answers, axes: tuple[int, ...]) -> Floats:
    """How many answers each cell of the facet holds, as an array over its levels; one each for the whole design."""
    if len(axes) == 3:
        return np.ones(1)
    shape = tuple(answers.n_levels[axis] if axis in axes else 1 for axis in range(3))
    size = int(np.prod(shape))
    return np.bincount(_cell(answers, axes), minlength=size).reshape(shape).astype(float)


def _square(answers: Answers, axes: tuple[int, ...], count: Floats) -> float:
    """T = Σ_a n_a ȳ_a², about the mean of all answers."""
    value = answers.value - answers.value.mean()
    if len(axes) == 3:
        return float(value @ value)
    total = np.bincount(_cell(answers, axes), weights=value, minlength=count.size)
    return float((total**2 / np.maximum(count.ravel(), 1)).sum())


def _expected(answers: Answers, axes: tuple[int, ...], effect: tuple[int, ...], count: Floats) -> float:
    """Coefficient of the effect's variance in T of the facet: Σ_a Σ_b n_ab² / n_a."""
    union = tuple(sorted({*axes, *effect}))
    if len(axes) == 3 or union == axes:
        return float(len(answers.value))
    if len(union) == 3:  # one answer a cell
        return float((count > 0).sum())
    return float((_counts(answers, union) ** 2 / np.maximum(count, 1)).sum())


@dataclass(frozen=True)
class _Blocks:
    """Persons by pattern of answered cells of the round × item grid.

    seen (q, m); values (persons, m), 0 where missing, sorted by pattern; `starts` of each pattern; n answers;
    kernels: which cells of one person share an effect, (m, m), by facet.
    """

    seen: Floats
    values: Floats
    starts: Numbers
    count: Floats
    n: int
    kernels: dict[str, Floats]
    members: dict[str, Floats]

    @classmethod
    def of(cls, answers: Answers) -> "_Blocks":
        p, t, i = answers.n_levels
        cell = answers.codes[:, 1] * i + answers.codes[:, 2]
        there, values = np.zeros((p, t * i), dtype=bool), np.zeros((p, t * i))
        there[answers.codes[:, 0], cell] = True
        values[answers.codes[:, 0], cell] = answers.value - answers.value.mean()
        seen, of_person = np.unique(there, axis=0, return_inverse=True)
        of_person = of_person.ravel()
        count = np.bincount(of_person)
        by_round, by_item = np.kron(np.eye(t), np.ones((i, 1))), np.kron(np.ones((t, 1)), np.eye(i))
        members: dict[str, Floats] = {"p": np.ones((t * i, 1)), "pt": by_round, "pi": by_item}
        members |= {"t": by_round, "i": by_item, "ti": np.eye(t * i)}
        kernels: dict[str, Floats] = {name: indicator @ indicator.T for name, indicator in members.items()}
        starts = np.r_[0, np.cumsum(count)]
        order = np.argsort(of_person, kind="stable")
        return cls(seen.astype(float), values[order], starts, count.astype(float), len(answers.value), kernels, members)


def _deviance(ratio: dict[str, float], blocks: _Blocks) -> tuple[float, Floats, float]:
    """−2 × profiled restricted log-likelihood (constants apart), its slope by ratio, and the error variance."""
    persons = _persons(ratio, blocks)
    inverse = persons.inverse
    k = np.tensordot(blocks.count, inverse, axes=1)
    g = sum((ratio[name] * blocks.kernels[name] for name in ratio if name in ACROSS), np.zeros_like(k))
    spread = np.eye(len(k)) + g @ k
    shrink: Floats = np.linalg.solve(spread, g)  # V⁻¹ = B⁻¹ − B⁻¹ Z shrink Z' B⁻¹, Z: answers × cells
    solved = _by_pattern(blocks, inverse, blocks.values)
    u, ones = solved.sum(axis=0), k.sum(axis=1)
    ones_left = 1 - shrink @ ones
    information = float(ones @ ones_left)
    mean = float(ones_left @ u) / information
    fitted = mean + shrink @ (u - mean * ones)
    weighted = solved - _by_pattern(blocks, inverse, np.broadcast_to(fitted, solved.shape))  # P y
    quadratic = float((weighted * blocks.values).sum())
    error = quadratic / (blocks.n - 1)
    value = persons.log_det + np.linalg.slogdet(spread)[1] + np.log(information) + (blocks.n - 1) * np.log(quadratic)
    middle = _Middle(persons.pulled, k, shrink, ones_left, weighted)
    slope = [
        _slope_within(name, blocks, middle) if name in WITHIN else _slope_across(name, blocks, middle) for name in ratio
    ]
    return float(value), np.array([trace - lost / information - pull / error for trace, lost, pull in slope]), error


@dataclass(frozen=True)
class _Middle:
    """What the value and its slopes share."""

    pulled: dict[str, Floats]
    k: Floats
    shrink: Floats
    ones_left: Floats
    weighted: Floats


def _slope_within(name: str, blocks: _Blocks, middle: _Middle) -> tuple[float, float, float]:
    """tr(V⁻¹K), 1'V⁻¹KV⁻¹1 and y'PKPy for an effect inside persons."""
    member = blocks.members[name]
    pulled = middle.pulled[name] * np.sqrt(blocks.count)[:, None, None]
    flat = pulled.transpose(1, 0, 2).reshape(len(member), -1)
    around = flat @ flat.T
    trace = float((middle.k * blocks.kernels[name]).sum() - (middle.shrink * around).sum())
    return trace, float(middle.ones_left @ around @ middle.ones_left), float(((middle.weighted @ member) ** 2).sum())


def _slope_across(name: str, blocks: _Blocks, middle: _Middle) -> tuple[float, float, float]:
    """The same for an effect that persons share."""
    k, member = middle.k, blocks.members[name]
    left = member.T @ (k - k @ middle.shrink @ k) @ member
    lost, total = member.T @ (k @ middle.ones_left), member.T @ middle.weighted.sum(axis=0)
    return float(np.trace(left)), float(lost @ lost), float(total @ total)


@dataclass(frozen=True)
class _Persons:
    """Inverse B⁻¹ of each pattern's block (q, m, m), 0 where nothing was asked; B⁻¹ Z by facet (q, m, r); Σ log |B|."""

    inverse: Floats
    pulled: dict[str, Floats]
    log_det: float


def _persons(ratio: dict[str, float], blocks: _Blocks) -> _Persons:
    """B = I + Z D Z', inverted in the few effects of a person instead of in their many answers."""
    names = [name for name in ratio if name in WITHIN]
    widths = [blocks.members[name].shape[1] for name in names]
    size = np.repeat([ratio[name] for name in names], widths)
    effects = blocks.seen[:, :, None] * np.hstack([blocks.members[name] for name in names])
    crossed = effects.transpose(0, 2, 1) @ effects
    spread = np.eye(len(size)) + size[:, None] * crossed
    half = effects @ np.linalg.solve(spread, np.broadcast_to(np.diag(size), spread.shape))
    inverse = blocks.seen[:, :, None] * np.eye(blocks.seen.shape[1]) - half @ effects.transpose(0, 2, 1)
    pulled = np.split(effects - half @ crossed, np.cumsum(widths)[:-1], axis=2)
    log_det = float(blocks.count @ np.linalg.slogdet(spread)[1])
    return _Persons(inverse, dict(zip(names, pulled, strict=True)), log_det)


def _by_pattern(blocks: _Blocks, inverse: Floats, values: Floats) -> Floats:
    """Each person's values times the inverse of their pattern's block."""
    if len(inverse) == len(values):
        found: Floats = (inverse @ values[:, :, None])[:, :, 0]
        return found
    ends = zip(blocks.starts[:-1], blocks.starts[1:], inverse, strict=True)
    return np.concatenate([values[start:end] @ block for start, end, block in ends])


def refuse_too_small(answers: Answers) -> None:
    if min(answers.n_levels) < 2:
        p, t, i = answers.n_levels
        raise RapportError(
            f"Generalizability needs two persons, rounds and items at least; there are {p}, {t} and {i}."
        )
