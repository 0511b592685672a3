"""Reverse-mode differentiation: what is recorded (graph), when (modes), and how it runs backwards (sweep)."""
