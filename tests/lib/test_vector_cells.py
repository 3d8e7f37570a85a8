"""Every hidden, input, output and adapter cell against loops over tokens and features, padded and packed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout.functional import drop_hidden
from transformer_dropout.masks import Draw, Rows, vector_keep
from transformer_dropout.spec import Site, catalogue

CELLS = [
    Site(found.position, found.structure, 0.4, rescale, axis=axis)
    for found in catalogue()
    if found.valid and not found.position.startswith("attention_")
    for rescale in found.rescales
    for axis in (("token", "feature") if "axis" in found.options else ("token",))
]


def reference(
    x: torch.Tensor, site: Site, rate: float, draw: Draw, lengths: tuple[int, ...], starts: tuple[int, ...]
) -> torch.Tensor:
    """The cell token by token, from the raw random numbers of its stream."""
    features = x.shape[-1]
    threshold = round(rate * 65536)
    element = draw.bits(2, site.stream, sum(lengths) * features).tolist() if site.structure == "element" else []
    column = draw.bits(2, site.stream, max(sum(lengths), len(lengths) * features)).tolist()
    places = draw.uniform(2, site.stream, len(lengths)).tolist()
    out = x.clone()
    token = 0
    for b, (n, start) in enumerate(zip(lengths, starts, strict=True)):
        span = min(n, max(1, int(rate * n + 1e-9)))
        first = int(places[b] * (n - span + 1))
        for t in range(n):
            for e in range(features):
                if site.structure == "element":
                    kept = element[token * features + e] >= threshold
                elif site.structure == "span":
                    kept = not first <= t < first + span
                elif site.axis == "feature":
                    kept = column[b * features + e] >= threshold
                else:
                    kept = column[token] >= threshold
                scale = {"inverted": 1 / (1 - rate), "none": 1.0, "normalized": n / (n - span) if n > span else 1.0}
                value = x[b, start + t, e].item() * scale[site.rescale or ""]
                out[b, start + t, e] = value if kept else 0.0
            token += 1
    return out


@pytest.mark.parametrize("site", CELLS, ids=lambda s: f"{s.position}-{s.structure}-{s.axis}-{s.rescale}")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@settings(max_examples=8)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    left=st.booleans(),
    rate=st.sampled_from([0.1, 0.4, 0.75]),
    step=st.integers(0, 100),
)
def test_equals_the_loops(
    site: Site, dtype: torch.dtype, lengths: list[int], left: bool, rate: float, step: int
) -> None:
    draw = Draw(9, step)
    width = 5
    starts = tuple(width - n if left else 0 for n in lengths)
    x = torch.randn(len(lengths), width, 3, generator=torch.Generator().manual_seed(step)).to(dtype)
    expected = reference(x, site, rate, draw, tuple(lengths), starts)
    found = vector_keep(site, rate, draw, 2, Rows(tuple(lengths), starts, width), 3)
    tolerance = 1e-6 if dtype == torch.float32 else 1e-2

    def real(padded: torch.Tensor) -> torch.Tensor:  # what becomes of padding does not matter
        return torch.cat([padded[b, s : s + n] for b, (n, s) in enumerate(zip(lengths, starts, strict=True))])

    dropped = drop_hidden(x, found.keep, found.scale)
    torch.testing.assert_close(real(dropped), real(expected), atol=tolerance, rtol=tolerance)
    packed = vector_keep(site, rate, draw, 2, Rows(tuple(lengths)), 3)
    assert torch.equal(drop_hidden(real(x), packed.keep, packed.scale), real(dropped))
