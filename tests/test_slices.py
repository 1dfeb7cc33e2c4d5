"""The tests of the widgets run only the cells that a widget needs: which are these?"""

import pytest
from slices import needed


@pytest.mark.parametrize(
    "sources, kept",
    [
        (["a = 1", "b = 2", "a"], [0, 2]),
        (["a = 1", "b = a", "c = 3", "b"], [0, 1, 3]),
        (["import x", "def f():\n    return x.y", "f()"], [0, 1, 2]),
        (["a = 1", "def f(a):\n    return a", "f(2)"], [1, 2]),
        (["a = 1", "[a for a in range(3)]"], [1]),
        (["a = []", "a.append(1)", "print(a)", "a"], [0, 1, 3]),
        (["a = {}", "a['x'] = 1", "a"], [0, 1, 2]),
        (["a = b", "a.x = 1", "a"], [0, 1, 2]),
        (["a = 1", "a = 2", "a"], [1, 2]),
        (["a = 1", "if b:\n    a = 2", "a"], [0, 1, 2]),
        (["a = 1", "a += 1", "a"], [0, 1, 2]),
        (["a = 1", "a"], [0, 1]),
        (["def f():\n    return g()", "b = 2", "def g():\n    return 1", "f()"], [0, 2, 3]),
        (["a = 1", "a = 2\nprint(a)"], [1]),
        (["i = 1", "for i in range(3):\n    j = i\n    print(j)"], [1]),
        (["a = 1", "b = 2", "with open(a) as b:\n    print(b)"], [0, 2]),
        (["a = 1", "class C(A):\n    a = 3", "A = int", "C()"], [1, 2, 3]),  # A may be read later
    ],
)
def test_a_cell_brings_along_what_made_its_names(sources, kept):
    assert needed(sources, {len(sources) - 1}) == kept
