"""Methods as data: what is legal, what is refused and why, and what survives JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout.spec import (
    CONSISTENCY_KINDS,
    POSITIONS,
    PRESETS,
    STRUCTURES,
    Consistency,
    DropoutSpec,
    LinearRate,
    PerLayer,
    Site,
    SpecError,
    catalogue,
    describe,
    formula,
    preset,
)

LEGAL = [found for found in catalogue() if found.valid]
OPTION_VALUES: dict[str, list[object]] = {
    "axis": ["token", "feature"],
    "place": ["ffn_output", "ffn_inner"],
    "window": [1, 3],
    "per_row": [False, True],
    "span_length": ["floor", "stochastic"],
    "keep_first": [False, True],
    "keep_diagonal": [False, True],
}

rates = st.floats(0, 1, exclude_max=True)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    found = draw(st.sampled_from(LEGAL))
    options = {name: draw(st.sampled_from(OPTION_VALUES[name])) for name in found.options}
    if options.get("axis") == "feature":
        options |= {name: value for name, value in (("window", 1), ("keep_first", False)) if name in options}
    once = found.position in ("input", "output")
    rate = draw(
        rates if once else st.one_of(rates, st.lists(rates, min_size=6, max_size=6).map(lambda r: PerLayer(tuple(r))))
    )
    layers = None if once else draw(st.sampled_from([None, "all", "latter_half", (0,), (1, 4)]))
    rescale = draw(st.sampled_from([None, *found.rescales]))
    return Site(found.position, found.structure, rate, rescale, layers, **options)  # type: ignore[arg-type]


@settings(max_examples=200)
@given(
    chosen=st.lists(sites(), max_size=3, unique_by=lambda s: (s.position, s.structure)),
    kind=st.sampled_from(CONSISTENCY_KINDS),
    weight=st.floats(0, 10),
    native=st.booleans(),
)
def test_every_legal_method_survives_json(chosen: list[Site], kind: str, weight: float, native: bool) -> None:
    if sum(site.position == "attention_weights" for site in chosen) > 1 or (kind != "none" and not (chosen or native)):
        return
    spec = DropoutSpec(tuple(chosen), Consistency(kind, weight), native)
    written = json.loads(json.dumps(spec.to_dict()))
    assert DropoutSpec.from_dict(written) == spec
    assert DropoutSpec.from_dict(written).to_dict() == spec.to_dict()
    assert describe(spec).endswith(".")
    assert formula(spec)
    resolved = spec.resolve(6, decoder=True)
    assert resolved.resolve(6, decoder=False) == resolved
    assert DropoutSpec.from_dict(resolved.to_dict()) == resolved


@pytest.mark.parametrize("found", [f for f in catalogue() if not f.valid], ids=lambda f: f"{f.position}-{f.structure}")
def test_illegal_cells_say_why(found: object) -> None:
    position, structure = found.position, found.structure  # type: ignore[attr-defined]
    with pytest.raises(SpecError) as caught:
        Site(position, structure, 0.1)
    assert caught.value.pointer == "/structure"
    assert found.reason in caught.value.message  # type: ignore[attr-defined]


def test_the_catalogue_is_the_whole_grid() -> None:
    assert [(f.position, f.structure) for f in catalogue()] == [(p, s) for p in POSITIONS for s in STRUCTURES]
    for found in catalogue():
        assert bool(found.reason) != found.valid
        assert bool(found.rescales and found.source and found.cost) == found.valid


SITE = {"position": "hidden", "structure": "element", "rate": 0.1}
KEY = {"position": "attention_logits", "structure": "column", "rate": 0.1}


@pytest.mark.parametrize(
    ("method", "pointer", "words"),
    [
        ([], "", "object"),
        ({"site": []}, "/site", "no key 'site'"),
        ({"a/b~": 1}, "/a~1b~0", "no key"),
        ({"sites": {}}, "/sites", "list"),
        ({"sites": [SITE, 3]}, "/sites/1", "object"),
        ({"sites": [SITE | {"rat": 1}]}, "/sites/0/rat", "no key 'rat'"),
        ({"sites": [{"position": "hidden", "rate": 0.1}]}, "/sites/0", "structure missing"),
        ({"sites": [{"position": "hidden"}]}, "/sites/0", "structure and rate missing"),
        ({"sites": [SITE | {"position": "logits"}]}, "/sites/0/position", "attention_logits"),
        ({"sites": [SITE | {"structure": "row"}]}, "/sites/0/structure", "element, column or span"),
        ({"sites": [SITE | {"rate": 1}]}, "/sites/0/rate", "below 1"),
        ({"sites": [SITE | {"rate": -0.1}]}, "/sites/0/rate", "at least 0"),
        ({"sites": [SITE | {"rate": float("nan")}]}, "/sites/0/rate", "at least 0"),
        ({"sites": [SITE | {"rate": True}]}, "/sites/0/rate", "number"),
        ({"sites": [SITE | {"rate": "0.1"}]}, "/sites/0/rate", "number"),
        ({"sites": [SITE | {"rate": None}]}, "/sites/0/rate", "number"),
        ({"sites": [SITE | {"rate": {"by_layer": []}}]}, "/sites/0/rate", "per_layer"),
        ({"sites": [SITE | {"rate": {"per_layer": [0.1, 1.5]}}]}, "/sites/0/rate/per_layer/1", "below 1"),
        ({"sites": [SITE | {"rate": {"per_layer": []}}]}, "/sites/0/rate/per_layer", "each layer"),
        ({"sites": [SITE | {"rate": {"first": 0.1, "last": 1}}]}, "/sites/0/rate/last", "below 1"),
        ({"sites": [KEY | {"rescale": "inverted"}]}, "/sites/0/rescale", "softmax already"),
        ({"sites": [KEY | {"rescale": "half"}]}, "/sites/0/rescale", "normalized"),
        ({"sites": [SITE | {"rescale": "normalized"}]}, "/sites/0/rescale", "inverted"),
        ({"sites": [SITE | {"layers": "first"}]}, "/sites/0/layers", "latter_half"),
        ({"sites": [SITE | {"layers": []}]}, "/sites/0/layers", "at least one"),
        ({"sites": [SITE | {"layers": [0, -1]}]}, "/sites/0/layers", "counted from 0"),
        ({"sites": [SITE | {"layers": [True]}]}, "/sites/0/layers", "layer numbers"),
        ({"sites": [SITE | {"window": 2}]}, "/sites/0/window", "means nothing"),
        ({"sites": [KEY | {"window": 0}]}, "/sites/0/window", "at least 1"),
        ({"sites": [KEY | {"window": 2.0}]}, "/sites/0/window", "int"),
        ({"sites": [KEY | {"keep_first": 1}]}, "/sites/0/keep_first", "bool"),
        ({"sites": [SITE | {"place": "attention"}]}, "/sites/0/place", "ffn_inner"),
        ({"sites": [SITE, SITE]}, "/sites/1", "already dropped by site 0"),
        (
            {"sites": [KEY | {"position": "attention_weights", "structure": s} for s in ("column", "span")]},
            "/sites/1",
            "already dropped",
        ),
        (
            {"sites": [{"position": "input", "structure": "column", "rate": 0.1, "layers": "all"}]},
            "/sites/0/layers",
            "once",
        ),
        (
            {"sites": [{"position": "output", "structure": "element", "rate": {"per_layer": [0.1]}}]},
            "/sites/0/rate",
            "once",
        ),
        (
            {"sites": [{"position": "input", "structure": "column", "rate": 0.1, "axis": "feature", "window": 2}]},
            "/sites/0/axis",
            "token columns",
        ),
        ({"consistency": {"kind": "kl"}}, "/consistency/kind", "add one"),
        ({"sites": [SITE], "consistency": {"kind": "KL"}}, "/consistency/kind", "kl_both"),
        ({"sites": [SITE], "consistency": {"kind": "kl", "weight": -1}}, "/consistency/weight", "at least 0"),
        ({"sites": [SITE], "consistency": {"kind": "kl", "w": 1}}, "/consistency/w", "no key"),
        ({"sites": [SITE], "consistency": {"kind": "kl", "regression": "l1"}}, "/consistency/regression", "mse"),
        ({"sites": [SITE], "consistency": "kl"}, "/consistency", "object"),
        ({"native": 1}, "/native", "true or false"),
        ({"noise_alpha": -5}, "/noise_alpha", "at least 0"),
    ],
)
def test_refusals_point_at_the_value(method: object, pointer: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        DropoutSpec.from_dict(method, "/arms/2")
    assert caught.value.pointer == "/arms/2" + pointer
    assert words in caught.value.message


def test_defaults_are_resolved_by_the_cell() -> None:
    assert Site("hidden", "element", 0.1).rescale == "inverted"
    assert Site("hidden", "span", 0.1).rescale == "none"
    assert Site("attention_weights", "column", 0.1).rescale == "normalized"
    assert Consistency("none", 3.0) == Consistency()
    assert DropoutSpec.from_dict({}).is_plain


def test_layers_resolve_by_kind_of_model() -> None:
    site = Site("attention_logits", "column", 0.1)
    assert site.resolve(5, decoder=False).layers == (0, 1, 2, 3, 4)
    assert site.resolve(5, decoder=True).layers == (2, 3, 4)
    assert Site("adapter_input", "element", 0.1).resolve(4, decoder=True).layers == (0, 1, 2, 3)
    line = Site("attention_logits", "column", LinearRate(0.2, 0.0), layers="all").resolve(5, decoder=True)
    assert [line.rate_at(layer) for layer in range(5)] == [0.2, 0.15, 0.1, 0.05, 0.0]
    with pytest.raises(SpecError, match="layer 7"):
        DropoutSpec((Site("hidden", "element", 0.1, layers=(7,)),)).resolve(6, decoder=False)
    with pytest.raises(SpecError) as caught:
        DropoutSpec((Site("hidden", "element", PerLayer((0.1, 0.2))),)).resolve(6, decoder=False)
    assert caught.value.pointer == "/sites/0/rate/per_layer"
    with pytest.raises(SpecError, match="resolve"):
        site.rate_at(0)


def test_streams_differ_by_what_is_dropped_and_not_by_order() -> None:
    alone, pair = preset("hiddencut"), preset("hiddenkey")
    assert alone.sites[0].stream == pair.sites[1].stream
    streams = {
        Site(f.position, f.structure, 0.1, **({name: value} if name else {})).stream  # type: ignore[arg-type]
        for f in LEGAL
        for name, value in [("", ""), *(o for o in (("axis", "feature"), ("place", "ffn_inner")) if o[0] in f.options)]
    }
    assert len(streams) == len(LEGAL) + 2 + 3  # hidden and input features; three inner places


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    found = PRESETS[name]
    spec = preset(name)
    assert spec == found.spec()
    assert (found.default_rate is None) == (not found.sites)
    assert found.sentence.endswith(".")
    if found.default_rate is None:
        with pytest.raises(SpecError, match="no rate to set"):
            preset(name, rate=0.2)
    else:
        assert all(site.rate == 0.2 for site in preset(name, rate=0.2).sites)
    assert spec.is_plain == (name == "none")


def test_unknown_presets_name_their_neighbours() -> None:
    with pytest.raises(SpecError, match="hiddenkey"):
        preset("hiddnkey")
    with pytest.raises(SpecError, match="below 1"):
        preset("hiddenkey", rate=1.0)
    assert preset("hiddenkey", 0.2, Consistency("js", 2.0)).consistency == Consistency("js", 2.0)


def test_what_the_paper_defines_is_what_the_presets_are() -> None:
    hiddenkey = preset("hiddenkey", rate=0.1)
    assert [(s.position, s.structure, s.rescale) for s in hiddenkey.sites] == [
        ("attention_logits", "column", "none"),
        ("hidden", "element", "inverted"),
    ]
    assert hiddenkey.consistency.kind == "kl"
    assert preset("hiddenkey_minus").consistency.kind == "none"
    assert preset("hiddenkey_minus").sites == preset("hiddenkey").sites
