"""Keep-masks: shares, nesting, independence, and one answer for padded and packed rows."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout.errors import ShapeError
from transformer_dropout.masks import (
    Draw,
    Rows,
    attention_keep,
    counter_numbers,
    embedding_noise,
    head_keep,
    kept,
    key_words,
    vector_keep,
)
from transformer_dropout.spec import Site

VECTORS = [
    Site("hidden", "element", 0.3),
    Site("hidden", "column", 0.3),
    Site("hidden", "column", 0.3, window=3),
    Site("hidden", "column", 0.3, axis="feature"),
    Site("hidden", "column", 0.3, keep_first=True),
    Site("hidden", "span", 0.3, rescale="normalized"),
    Site("hidden", "span", 0.3, span_length="stochastic"),
]
ATTENTIONS = [
    Site("attention_logits", "element", 0.3),
    Site("attention_logits", "column", 0.3),
    Site("attention_logits", "column", 0.3, window=2, keep_first=True),
    Site("attention_logits", "span", 0.3),
    Site("attention_logits", "span", 0.3, per_row=True),
    Site("attention_logits", "span", 0.3, per_row=True, keep_first=True, keep_diagonal=True),
]


@st.composite
def padded_rows(draw: st.DrawFn) -> Rows:
    width = draw(st.integers(1, 9))
    lengths = draw(st.lists(st.integers(0, width), min_size=1, max_size=4))
    starts = tuple(draw(st.sampled_from([0, width - n])) for n in lengths)
    return Rows(tuple(lengths), starts, width)


def real(rows: Rows) -> torch.Tensor:
    mask = torch.zeros(rows.batch, rows.width or 0, dtype=torch.bool)
    for b, (start, n) in enumerate(zip(rows.starts or (), rows.lengths, strict=True)):
        mask[b, start : start + n] = True
    return mask


@settings(max_examples=100)
@given(rows=padded_rows(), site=st.sampled_from(VECTORS), rate=st.floats(0.01, 0.95), seed=st.integers(0, 2**63))
def test_vectors_are_the_same_padded_and_packed(rows: Rows, site: Site, rate: float, seed: int) -> None:
    draw = Draw(seed, 5)
    packed = vector_keep(site, rate, draw, 2, Rows(rows.lengths), 6)
    padded = vector_keep(site, rate, draw, 2, rows, 6)
    cells = real(rows)
    assert torch.equal(padded.keep[cells], packed.keep)
    assert padded.keep[~cells].all()  # padding is left alone
    if isinstance(packed.scale, torch.Tensor):
        assert isinstance(padded.scale, torch.Tensor)
        assert torch.equal(padded.scale[cells], packed.scale)


@settings(max_examples=100)
@given(rows=padded_rows(), site=st.sampled_from(ATTENTIONS), rate=st.floats(0.01, 0.95))
def test_attention_is_the_same_padded_packed_and_in_groups(rows: Rows, site: Site, rate: float) -> None:
    draw = Draw(11, 5)
    heads = 2
    padded = attention_keep(site, rate, draw, 0, rows, heads).padded()
    packed = attention_keep(site, rate, draw, 0, Rows(rows.lengths), heads)
    for b, (start, n) in enumerate(zip(rows.starts or (), rows.lengths, strict=True)):
        mine = padded[b, :, :, start : start + n]
        group = packed.padded((b,), n + 2)[0]
        assert group[..., n:].all()
        if packed.pairs is not None:
            mine, group = mine[:, start : start + n], group[:, :n]
        assert torch.equal(mine, group[..., :n])
    if rows.batch > 1 and rows.width:
        both = packed.padded((1, 0), rows.width)
        assert torch.equal(both[0], packed.padded((1,), rows.width)[0])
        assert torch.equal(both[1], packed.padded((0,), rows.width)[0])


@settings(max_examples=60)
@given(
    rows=padded_rows(),
    site=st.sampled_from([*VECTORS, *ATTENTIONS]),
    low=st.floats(0.01, 0.5),
    more=st.floats(0.0, 0.45),
    step=st.integers(0, 1000),
)
def test_what_a_low_rate_drops_a_high_rate_drops_too(
    rows: Rows, site: Site, low: float, more: float, step: int
) -> None:
    draw = Draw(3, step)
    if site.position == "hidden":
        few, many = (vector_keep(site, rate, draw, 1, rows, 4).keep for rate in (low, low + more))
    else:
        few, many = (attention_keep(site, rate, draw, 1, rows, 2).padded() for rate in (low, low + more))
    assert not (many & ~few).any()


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.37, 0.9])
def test_dropped_share_within_three_sigma(rate: float) -> None:
    count = 100_000
    rows = Rows((100,) * 10)
    shares = {
        "element": vector_keep(Site("hidden", "element", rate), rate, Draw(1, 0), 0, rows, 100).keep,
        "column": attention_keep(Site("attention_logits", "column", rate), rate, Draw(1, 0), 0, rows, 100).keys,
        "pairs": attention_keep(Site("attention_logits", "element", rate), rate, Draw(1, 0), 0, rows, 1).pairs,
    }
    for name, keep in shares.items():
        assert keep is not None
        assert keep.numel() == count, name
        assert abs((~keep).float().mean().item() - rate) < 3 * math.sqrt(rate * (1 - rate) / count), name


@pytest.mark.parametrize(
    ("length", "rate", "dropped"), [(10, 0.1, 1), (10, 0.01, 1), (100, 0.29, 29), (7, 0.5, 3), (1, 0.1, 1)]
)
def test_span_lengths(length: int, rate: float, dropped: int) -> None:
    keep = attention_keep(Site("attention_logits", "span", rate), rate, Draw(2, 0), 0, Rows((length,) * 50), 8).keys
    assert keep is not None
    by_row = (~keep).view(50, length, 8)
    assert (by_row.sum(1) == dropped).all()
    edges = (by_row[:, 1:] != by_row[:, :-1]).sum(1)
    assert (edges <= 2).all()  # one run


def test_span_starts_are_uniform_and_stochastic_lengths_have_the_rate() -> None:
    rows = Rows((10,) * 20_000)
    keep = vector_keep(Site("hidden", "span", 0.3), 0.3, Draw(4, 0), 0, rows, 1).keep.view(-1, 10)
    starts = (~keep).int().argmax(1)
    counts = torch.bincount(starts, minlength=8)
    assert counts.shape[0] == 8
    assert (counts - 2500).abs().max() < 4 * math.sqrt(2500)
    site = Site("hidden", "span", 0.13, span_length="stochastic")
    share = (~vector_keep(site, 0.13, Draw(4, 0), 0, rows, 1).keep).float().mean().item()
    assert share == pytest.approx(0.13, abs=0.002)


def test_windows_drop_neighbours_together() -> None:
    site = Site("attention_weights", "column", 0.5, window=3)
    keys = attention_keep(site, 0.5, Draw(5, 0), 0, Rows((8, 4)), 4).keys
    assert keys is not None
    for first, last in ((0, 3), (3, 6), (6, 8), (8, 11), (11, 12)):  # a row's windows start at its own first token
        assert (keys[first:last] == keys[first]).all()
    assert len({tuple(row) for row in keys[[0, 3, 6, 8, 11]].tolist()}) > 1


def test_spans_by_row_are_one_run_for_each_query() -> None:
    site = Site("attention_logits", "span", 0.3, per_row=True)
    keep = attention_keep(site, 0.3, Draw(5, 0), 0, Rows((20, 10)), 3).padded((0, 1), 20)
    for b, n in ((0, 20), (1, 10)):
        dropped = ~keep[b, :, :n, :n]
        assert (dropped.sum(-1) == 3 * n // 10).all()
        assert ((dropped[..., 1:] != dropped[..., :-1]).sum(-1) <= 2).all()
        starts = dropped.int().argmax(-1)  # [H, n]
        assert all(len(set(by_head)) > 3 for by_head in starts.tolist())  # queries differ
        assert len({tuple(by_head) for by_head in starts.tolist()}) == 3  # heads differ


@pytest.mark.parametrize(
    "site",
    [
        Site("attention_weights", "column", 0.9, keep_first=True),
        Site("attention_logits", "span", 0.9, keep_first=True),
        Site("attention_logits", "span", 0.9, keep_first=True, per_row=True),
        Site("hidden", "column", 0.9, keep_first=True),
        Site("hidden", "span", 0.9, keep_first=True),
        Site("input", "column", 0.9, keep_first=True),
    ],
    ids=lambda s: f"{s.position}-{s.structure}-{s.per_row}",
)
def test_the_first_token_of_every_row_can_be_protected(site: Site) -> None:
    rows = Rows((6, 3), (0, 4), 7)
    firsts: list[torch.Tensor] = []
    others: list[torch.Tensor] = []
    for step in range(20):
        if site.position.startswith("attention"):
            keep = attention_keep(site, 0.9, Draw(6, step), 0, rows, 2).padded()
            firsts += [keep[0, ..., 0].all(), keep[1, ..., 4].all()]
            others += [keep[0, ..., 1:6].all(), keep[1, ..., 5:].all()]
        else:
            keep = vector_keep(site, 0.9, Draw(6, step), 0, rows, 4).keep
            firsts += [keep[0, 0].all(), keep[1, 4].all()]
            others += [keep[0, 1:6].all(), keep[1, 5:].all()]
    assert all(firsts)
    assert not any(others[::2])


def test_windows_of_tokens_are_dropped_together() -> None:
    site = Site("hidden", "column", 0.5, window=4)
    keep = vector_keep(site, 0.5, Draw(5, 0), 0, Rows((10, 6)), 3).keep[:, 0]
    for first, last in ((0, 4), (4, 8), (8, 10), (10, 14), (14, 16)):
        assert (keep[first:last] == keep[first]).all()
    assert keep.any()
    assert not keep.all()


def test_protected_keys_are_never_dropped() -> None:
    site = Site("attention_logits", "element", 0.9, keep_first=True, keep_diagonal=True)
    keep = attention_keep(site, 0.9, Draw(6, 0), 0, Rows((5, 3), (0, 2), 5), 2).padded()
    assert keep[0, :, :, 0].all()
    assert keep[1, :, 2:, 2].all()
    assert keep.diagonal(dim1=2, dim2=3).all()
    assert not keep.all()


def test_masks_differ_across_everything_that_names_them() -> None:
    def mask(seed: int = 1, step: int = 2, second: int = 0, layer: int = 3, rate: float = 0.5) -> torch.Tensor:
        site = Site("attention_logits", "column", rate)
        return attention_keep(site, rate, Draw(seed, step, second), layer, Rows((32, 32)), 3).padded(None, 32)

    first = mask()
    assert torch.equal(first, mask())
    for other in (mask(seed=2), mask(step=3), mask(second=1), mask(layer=4), mask(seed=2**63 + 1)):
        assert not torch.equal(first, other)
    rows = [first[b, h, 0].tolist() for b in range(2) for h in range(3)]
    assert len({tuple(row) for row in rows}) == 6  # samples and heads
    hidden = [
        vector_keep(Site("hidden", "element", 0.5, place=p), 0.5, Draw(1, 2), 0, Rows((32,)), 4)
        for p in ("ffn_output", "ffn_inner")
    ]
    assert not torch.equal(hidden[0].keep, hidden[1].keep)
    adapters = [
        vector_keep(Site("adapter_input", "element", 0.5), 0.5, Draw(1, 2), 0, Rows((32,)), 4, place)
        for place in (0, 1)
    ]
    assert not torch.equal(adapters[0].keep, adapters[1].keep)


def test_the_stream_is_pinned() -> None:
    """Recorded numbers: a run resumed with a later release must draw the same masks."""
    assert Draw(7, 3, 1).bits(2, 5, 6).tolist() == [3514, 21325, 35115, 65319, 628, 10221]
    assert torch.equal(Draw(7, 3, 1).bits(2, 5, 4), Draw(7, 3, 1).bits(2, 5, 6)[:4])


def test_extreme_rates() -> None:
    bits = Draw(1, 1).bits(0, 0, 10_000)
    assert kept(bits, 0.0).all()
    assert kept(bits, 0.9999999).sum() <= 3


def test_noise_has_neftunes_size() -> None:
    rows = Rows((4, 16), (0, 4), 20)
    noise = embedding_noise(5.0, Draw(1, 0), rows, 64)
    assert noise.shape == (2, 20, 64)
    for b, n in enumerate(rows.lengths):
        bound = 5 / math.sqrt(n * 64)
        mine = noise[b][real(rows)[b]]
        assert mine.abs().max() <= bound
        assert mine.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert not noise[~real(rows)].any()


def test_a_pooled_head_has_one_mask_a_row() -> None:
    found = head_keep(Site("output", "element", 0.25), 0.25, Draw(1, 0), 400, 32)
    assert found.keep.shape == (400, 32)
    assert found.scale == pytest.approx(4 / 3)
    assert (~found.keep).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_normalized_spans_keep_the_sum() -> None:
    site = Site("hidden", "span", 0.3, rescale="normalized")
    found = vector_keep(site, 0.3, Draw(1, 0), 0, Rows((10, 7, 1)), 1)
    assert isinstance(found.scale, torch.Tensor)
    kept_sum = (found.keep * found.scale).view(-1)
    assert kept_sum[:10].sum().item() == pytest.approx(10)
    assert kept_sum[10:17].sum().item() == pytest.approx(7)
    assert kept_sum[17].item() == 0  # a row of one token loses it all; there is nothing to scale


def test_rows_are_read_from_masks_and_refused_with_gaps() -> None:
    mask = torch.tensor([[1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]])
    assert Rows.from_attention_mask(mask) == Rows((3, 2, 4, 0), (0, 2, 0, 0), 4)
    with pytest.raises(ShapeError, match="gaps"):
        Rows.from_attention_mask(torch.tensor([[1, 0, 1]]))
    with pytest.raises(ShapeError, match="row 1"):
        Rows((1, 3), (0, 1), 3)
    with pytest.raises(ShapeError, match="both"):
        Rows((1,), (0,))
    with pytest.raises(ShapeError, match="does not fit a width of 2"):
        attention_keep(ATTENTIONS[1], 0.1, Draw(1, 0), 0, Rows((3,)), 1).padded((0,), 2)


def test_the_stream_of_other_devices_keeps_the_same_promises() -> None:
    """The counter stream makes the bits wherever the device is not 'cpu'; 'cpu:0' takes that route here."""
    rows, packed = Rows((5, 3), (0, 4), 7), Rows((5, 3))
    for site in ATTENTIONS:
        one, two = (attention_keep(site, 0.4, Draw(1, 2, device="cpu:0"), 0, r, 2) for r in (rows, packed))
        assert torch.equal(one.padded()[1, ..., 4:][:, -3:], two.padded((1,), 3)[0][:, -3:])
        higher = attention_keep(site, 0.7, Draw(1, 2, device="cpu:0"), 0, rows, 2)
        assert not (higher.padded() & ~one.padded()).any()
    bits = [Draw(1, step, second, "cpu:0").bits(3, 4, 50_000) for step, second in ((2, 0), (2, 0), (3, 0), (2, 1))]
    assert torch.equal(bits[0], bits[1])
    assert not torch.equal(bits[0], bits[2])
    assert not torch.equal(bits[0], bits[3])
    assert (~kept(bits[0], 0.3)).float().mean().item() == pytest.approx(0.3, abs=0.01)
    uniform = Draw(1, 2, device="cpu:0").uniform(3, 4, 50_000)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.01)


def test_the_counter_stream_is_the_mixer_it_names_and_its_streams_are_unrelated() -> None:
    """Against the mixer written in Python's unbounded integers."""
    whole, key = 0xFFFFFFFF, Draw(5, 7, 1).key(3, 9)

    def word(x: int) -> int:
        x ^= key & whole
        x = (x ^ x >> 17) * 0xED5AD4BB & whole
        x = ((x ^ x >> 11) + (key >> 32)) * 0xAC4C1B51 & whole
        x = (x ^ x >> 15) * 0x31848BAB & whole
        return x ^ x >> 14

    halves = [half ^ 0x8000 for i in range(300) for half in (word(i) & 0xFFFF, word(i) >> 16)]
    assert Draw(5, 7, 1, "cpu:0").bits(3, 9, 599).tolist() == halves[:599]
    keys = [Draw(seed, step, 0).key(layer, 2) for seed in (0, 1) for step in (0, 1) for layer in (0, 1)]
    numbers = counter_numbers(torch.from_numpy(key_words(keys)), 1 << 16).float()
    assert torch.allclose(numbers.mean(1), torch.tensor(-0.5), atol=400)  # 5 standard errors
    apart = torch.corrcoef(torch.cat([numbers[:, :-1], numbers[:, 1:]])) - torch.eye(16)
    assert float(apart.abs().max()) < 0.025  # 6 standard errors
