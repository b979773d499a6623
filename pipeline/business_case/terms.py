"""Turns named covariates, or the right-hand side of a formula, into the columns of a model."""

import ast
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Factor = tuple[str, str]  # ("number", "age"), ("category", "department") or ("expression", "age ** 2")
Term = frozenset[Factor]

ARITHMETIC: Mapping[type[ast.operator], Callable[..., Floats]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
FUNCTIONS: Mapping[str, Callable[..., Floats]] = {"log": np.log, "log1p": np.log1p, "exp": np.exp, "sqrt": np.sqrt}
INTERCEPT: Term = frozenset()


class FormulaError(ValueError):
    """A covariate formula that says something else than sums, products and categories."""


def columns_used(covariates: str | Sequence[str]) -> list[str]:
    """The columns of the frame that the covariates name, each once."""
    if not isinstance(covariates, str):
        return list(dict.fromkeys(covariates))
    factors = chain.from_iterable(sorted(term) for term in _terms(covariates))
    names = [node.id for _, text in factors for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    return [name for name in dict.fromkeys(names) if name not in FUNCTIONS]


def categories_used(frame: pd.DataFrame, covariates: str | Sequence[str]) -> list[str]:
    """Those of the columns that enter the model as categories: by their type, or because a formula says `C(…)`."""
    named = {factor for term in _terms(covariates) for factor in term} if isinstance(covariates, str) else set()
    return [
        name
        for name in columns_used(covariates)
        if ("category", name) in named or not pd.api.types.is_numeric_dtype(frame[name].dtype)
    ]


def model_matrix(frame: pd.DataFrame, covariates: str | Sequence[str]) -> tuple[list[str], Floats]:
    """Names and columns (rows of the frame × terms, the intercept first).

    A formula knows `a + b`, `C(a)` (a category), `I(a**2)` and other arithmetic, `log(a)`, `a:b` (product) and
    `a*b` (`a + b + a:b`); a list is the sum of its columns. Text, category and truth values become one column
    a level but the first; a product whose margin is not in the model keeps every level.
    """
    terms = _terms(covariates) if isinstance(covariates, str) else [_named(name) for name in covariates]
    known = {INTERCEPT, *terms}
    blocks = [(["intercept"], np.ones((len(frame), 1)))]
    blocks += [_block(frame, term, known) for term in dict.fromkeys(terms) if term]
    names = [name for block, _ in blocks for name in block]
    return names, np.column_stack([columns for _, columns in blocks])


def _named(name: str) -> Term:
    return frozenset({("number", name)})


def _terms(formula: str) -> list[Term]:
    """The terms of a formula in the order of writing; `:` is read as Python's `@`, which binds like `*`."""
    text = formula.rpartition("~")[2].replace(":", "@").replace("^", "**").strip()
    try:
        return list(dict.fromkeys(_expand(ast.parse(text, mode="eval").body)))
    except SyntaxError as error:
        raise FormulaError(f"{formula!r} is not a formula; expected for example 'age + C(department)'") from error


def _expand(node: ast.expr) -> list[Term]:
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return _expand(left) + _expand(right)
        case ast.BinOp(left, ast.Mult(), right):
            first, second = _expand(left), _expand(right)
            return first + second + [a | b for a in first for b in second]
        case ast.BinOp(left, ast.MatMult(), right):
            first, second = _expand(left), _expand(right)
            if len(first) + len(second) > 2:
                raise FormulaError("a:b stands between two single terms; write sums of products out")
            return [first[0] | second[0]]
        case ast.Constant(1):
            return [INTERCEPT]
        case _:
            return [frozenset({_factor(node)})]


def _factor(node: ast.expr) -> Factor:
    match node:
        case ast.Name(name):
            return "number", name
        case ast.Call(ast.Name("C"), [ast.Name(name)], []):
            return "category", name
        case ast.Call(ast.Name("I"), [inner], []):
            return "expression", ast.unparse(inner)
        case ast.Call(ast.Name(name), [_], []) if name in FUNCTIONS:
            return "expression", ast.unparse(node)
    raise FormulaError(f"{ast.unparse(node)!r} is not a term; expected a column, C(column), I(…) or log(column)")


def _block(frame: pd.DataFrame, term: Term, known: set[Term]) -> tuple[list[str], Floats]:
    """The columns of one term: every product of its factors' columns."""
    names, columns = [""], np.ones((len(frame), 1))
    for factor in sorted(term):
        labels, own = _columns(frame, factor, is_whole=term - {factor} not in known)
        width = columns.shape[1] * own.shape[1]
        columns = (columns[:, :, None] * own[:, None, :]).reshape(len(frame), width)
        names = [f"{name}:{label}" if name else label for name in names for label in labels]
    return names, columns


def _columns(frame: pd.DataFrame, factor: Factor, *, is_whole: bool) -> tuple[list[str], Floats]:
    kind, text = factor
    if kind == "expression":
        return [text], _evaluate(ast.parse(text, mode="eval").body, frame)[:, None]
    column = frame[text]
    if kind == "number" and pd.api.types.is_numeric_dtype(column.dtype):
        return [text], column.to_numpy(dtype=float)[:, None]
    codes, levels = pd.factorize(column, sort=True)
    kept = range(0 if is_whole else 1, len(levels))
    labels = [f"{text}={levels[level]}" for level in kept]
    return labels, (codes[:, None] == np.array(kept, dtype=int)[None, :]).astype(float)


def _evaluate(node: ast.expr, frame: pd.DataFrame) -> Floats:
    match node:
        case ast.Name(name):
            return frame[name].to_numpy(dtype=float)  # type: ignore[no-any-return]
        case ast.Constant(int() | float() as value):
            return np.full(len(frame), float(value))
        case ast.UnaryOp(ast.USub(), inner):
            return -_evaluate(inner, frame)
        case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC:
            return ARITHMETIC[type(operator)](_evaluate(left, frame), _evaluate(right, frame))
        case ast.Call(ast.Name(name), [inner], []) if name in FUNCTIONS:
            return FUNCTIONS[name](_evaluate(inner, frame))
    raise FormulaError(f"{ast.unparse(node)!r} is not arithmetic of columns")
