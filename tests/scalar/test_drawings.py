"""Drawings show every value once, every edge, and operands left of what is computed from them."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from tinygrad_lite_kernels.expr import inputs

from tinygrad_lite import scalar
from tinygrad_lite.scalar import Value

SVG = "{http://www.w3.org/2000/svg}"
graphs = st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=25)


def build(steps):
    """Values computed from earlier ones; the last is the root. Values off its history must not appear."""
    nodes = [Value(1.5), Value(-2.0)]
    for unary, i, j in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(a.tanh() if unary else a - b)
    return nodes[-1]


def history(root):
    """Its values and its edges, by recursion."""
    nodes, edges = {id(root): root}, []
    for parent in root.parents:
        below, more = history(parent) if id(parent) not in nodes else ({}, [])
        nodes |= below
        edges += [e for e in more if e not in edges]
    edges += [(id(p), id(root), k) for k, p in enumerate(root.parents)]
    return nodes, edges


@given(graphs)
def test_svg_and_dot(steps):
    root = build(steps)
    root.backward()
    nodes, edges = history(root)
    picture = ElementTree.fromstring(scalar.svg(root))
    boxes = [(float(r.get("x")), float(r.get("y"))) for r in picture.iter(f"{SVG}rect")]
    assert len(boxes) == len(set(boxes)) == len(nodes)
    paths = [p.get("d").replace("M", "").replace("C", " ").split() for p in picture.iter(f"{SVG}path")]
    assert len(paths) == len(edges)
    assert all(float(p[0]) < float(p[-2]) for p in paths)
    labels = sorted(t.text for t in picture.iter(f"{SVG}text"))
    assert labels == sorted(f"{v.op or 'leaf'} | data {v.data:.4g} | grad {v.grad:.4g}" for v in nodes.values())
    text = scalar.dot(root)
    assert text.count("[label=") == len(nodes) and text.count(" -> ") == len(edges)
    width, height = float(picture.get("width")), float(picture.get("height"))
    assert all(0 <= x < width and 0 <= y < height for x, y in boxes)


def test_text():
    x = Value(2.0)
    y = (x * 3 + 1).relu()
    assert scalar.tree(y).splitlines()[:2] == ["relu | data 7 | grad 0", "  add | data 7 | grad 0"]
    z = y * y
    assert scalar.tree(z).count("(see above)") == 1
    assert scalar.tree(z, limit=2).splitlines()[2:] == ["..."]


def test_traced_expressions():
    x, y = inputs(2)
    picture = scalar.svg(scalar.where(x < y, x, 2.0))
    assert all(f">{label}<" in picture for label in ("x0", "x1", "2.0", "less", "where"))
    assert scalar.tree(x * y).splitlines() == ["multiply", "  x0", "  x1"]


def test_long_histories():
    x = Value(1.0)
    y = x
    for _ in range(5000):
        y = y * x
    assert scalar.svg(y).count("<rect") == scalar.dot(y).count("[label=") == 5001
    assert scalar.tree(y).count("\n") == 200
