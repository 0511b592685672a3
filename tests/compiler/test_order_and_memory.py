"""Groups of kernels can always be run in the order that is given, and memory is never shared by what lives at once."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tinygrad_lite_kernels.expr import inputs, program

from tinygrad_lite.compiler.graph import Buffer, Node, View
from tinygrad_lite.compiler.memory import lay_out
from tinygrad_lite.compiler.order import Order

IDENTITY = program(inputs(1)[0], 1)


def view(buffer):
    return View(buffer, 0, (buffer.size,), (1,), np.dtype(np.uint8))


@st.composite
def graphs(draw):
    """Nodes that read some of the buffers written before and write one, sometimes one that was written already."""
    nodes, buffers = [], [Buffer("input", np.empty(8, np.uint8), 0)]
    for _ in range(draw(st.integers(1, 25))):
        reads = draw(st.lists(st.sampled_from(buffers), min_size=1, max_size=3, unique=True))
        again = draw(st.integers(0, 5)) == 0
        out = (
            draw(st.sampled_from(buffers)) if again else Buffer("inside", np.empty(draw(st.integers(1, 300)), np.uint8))
        )
        buffers.append(out)
        nodes.append(Node("elementwise", None, IDENTITY, [view(b) for b in reads], [view(out)]))
    return nodes


def needs(nodes, i):
    """The earlier nodes whose result node i sees, or whose memory it changes."""
    touched = {v.buffer for v in nodes[i].reads + nodes[i].writes}
    changed = {v.buffer for v in nodes[i].writes}
    return {
        j for j in range(i)
        if touched & {v.buffer for v in nodes[j].writes} or changed & {v.buffer for v in nodes[j].reads}
    }  # fmt: skip


@given(graphs(), st.data())
def test_joined_groups_have_an_order_that_respects_every_need(nodes, data):
    order = Order(nodes)
    for _ in range(data.draw(st.integers(0, 30))):
        a, b = (data.draw(st.integers(0, len(nodes) - 1)) for _ in range(2))
        if order.can_join(a, b):
            order.join(a, b)
            assert order.group(a) == order.group(b)
    groups = order.groups()
    assert sorted(i for g in groups for i in g) == list(range(len(nodes)))
    at = {i: number for number, group in enumerate(groups) for i in group}
    for i in range(len(nodes)):
        assert all(at[j] <= at[i] for j in needs(nodes, i))


@given(graphs(), st.data())
def test_what_cannot_be_joined_would_have_to_run_before_and_after_something(nodes, data):
    order = Order(nodes)
    a, b = sorted(data.draw(st.integers(0, len(nodes) - 1)) for _ in range(2))
    far = {i: set() for i in range(len(nodes))}
    for i in range(len(nodes)):
        far[i] = needs(nodes, i).union(*(far[j] for j in needs(nodes, i)))
    between = [x for x in range(a + 1, b) if a in far[x] and x in far[b]]
    assert order.can_join(a, b) == (a != b and not between)


@given(graphs(), st.data())
def test_buffers_that_live_at_once_lie_apart(nodes, data):
    written = list(dict.fromkeys(v.buffer for n in nodes for v in n.writes if v.buffer.kind == "inside"))
    elsewhere = {b for b in written if data.draw(st.booleans())}
    size, places = lay_out(nodes, elsewhere)
    assert set(places) == set(written) - elsewhere
    uses = {b: [i for i, n in enumerate(nodes) if b in {v.buffer for v in n.reads + n.writes}] for b in places}
    for a in places:
        assert places[a] % 64 == 0
        assert places[a] + a.size <= size
        for b in places:
            together = uses[a][0] <= uses[b][-1] and uses[b][0] <= uses[a][-1]
            if a is not b and together:
                assert places[a] + a.size <= places[b] or places[b] + b.size <= places[a]


def test_a_chain_needs_room_for_two():
    buffers = [Buffer("inside", np.empty(640, np.uint8)) for _ in range(10)]
    nodes = [Node("elementwise", None, IDENTITY, [view(a)], [view(b)]) for a, b in pairwise(buffers)]
    assert lay_out(nodes, set())[0] == 2 * 640
