"""The form of the engine for a processor: a run trained by itself, step by step; the runs of a pack take turns.

What several runs read in common, embeddings and the first product of a batch, is computed once and kept with the batch.
"""
