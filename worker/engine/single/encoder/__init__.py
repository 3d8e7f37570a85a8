"""A hand-written path through BERT-type encoder layers: the numbers of the stock modules in a third of the operations.

Taken where a model is built of such layers and its head reads each row's first token; everything else goes through the
stock modules. What it saves, exactly: one product for query, key and value; all but the first tokens in the last
layer's query and feed-forward block; gradients below the first adapted layer; and embeddings and the first base product
are computed once a batch, for all runs.
"""
