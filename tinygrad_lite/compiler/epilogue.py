"""Matrix products that feed one elementwise kernel become one step with it, so that the product is never stored."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_lite_kernels.cpu import matmul_then

from .graph import Buffer, Node, Then, View, readers
from .order import Order


def fuse_epilogues(nodes: Sequence[Node], needed: set[Buffer]) -> list[Node]:
    """The nodes with every product joined to its only reader where that is an elementwise node of the same shape."""
    order, read_by = Order(nodes), readers(nodes)
    number = {id(node): i for i, node in enumerate(nodes)}
    for i, node in enumerate(nodes):
        if _is_plain_product(node) and node.writes[0].buffer not in needed:
            found = read_by.get(node.writes[0].buffer, [])
            if len(found) == 1 and _follows(node, found[0]):
                reader = number[id(found[0])]
                if len(order.group(reader)) == 1 and order.can_join(i, reader):  # it takes one product only
                    order.join(i, reader)
    return [_joined([nodes[i] for i in group]) for group in order.groups()]


def _is_plain_product(node: Node) -> bool:
    """A product of two matrices into memory from inside that nothing else writes to."""
    return (
        node.kind == "matmul"
        and not node.what
        and node.writes[0].buffer.kind == "inside"
        and all(len(v.shape) == 2 and min(v.shape) > 1 for v in node.reads)
    )


def _pays(product: Node) -> bool:
    (m, k), b = product.reads[0].shape, product.reads[1]
    return matmul_then.pays(m, b.shape[1], k, *b.strides, b.dtype.itemsize)


def _follows(product: Node, node: Node) -> bool:
    """Whether an elementwise node can take the product block by block."""
    view = product.writes[0]
    return (
        node.kind == "elementwise"
        and node.device is product.device
        and _pays(product)
        and [v for v in node.reads if v.buffer is view.buffer] == [view]
        and all(w.shape == view.shape and _in_rows(w) and w.buffer is not view.buffer for w in node.writes)
        and not any(w.overlaps(r) for w in node.writes for r in product.reads)
    )


def _in_rows(view: View) -> bool:
    return view.strides == (view.shape[1] * view.dtype.itemsize, view.dtype.itemsize)


def _joined(members: Sequence[Node]) -> Node:
    if len(members) == 1:
        return members[0]
    product, node = members
    at = node.reads.index(product.writes[0])
    others = [v for i, v in enumerate(node.reads) if i != at]
    return Node("matmul_then", node.device, Then(node.what, at), [*product.reads, *others], node.writes)
