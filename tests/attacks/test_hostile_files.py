"""Delimited files made to cost more than they are worth are refused before they are read through."""

import pytest

from data.errors import RapportError
from data.imports.delimited import read_delimited
from data.imports.sheet import LIMITS, Layout


def test_a_row_of_commas_is_refused_after_a_few_thousand_cells():
    content = b"person_id,name\n" + b"," * 20_000_000
    with pytest.raises(RapportError, match="Row 2 has more than 10000 cells"):
        list(read_delimited(content, Layout(), LIMITS))
