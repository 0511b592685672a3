"""Operations on tensors: a few primitives, each with one derivative rule, and what is composed of them."""
