"""The form of the engine for a GPU: the runs of a seed as lanes of one stack, which takes every step together.

All lanes read the same batch. A lane is one run's pass over it: the tokens of A lanes make one product with the frozen
base, [A·N, E], adapters and heads are batched products over ranks padded with zeros, and the optimizer updates [K, P]
at once. What a lane computes depends on its own run and on the stack's shape, never on the other lanes.
"""
