"""Two pictures as SVG: where each position sits in a transformer block, and what each structure drops."""

from html import escape

from transformer_dropout.masks import Draw, Rows, attention_keep, vector_keep
from transformer_dropout.spec import Site

_INK, _QUIET, _DROP, _BOX, _PAPER = "#1f2933", "#66727f", "#d1495b", "#e8eef4", "#ffffff"
_FONT = "font-family='system-ui, sans-serif'"


# The way of one text through the model: a box, then the position that sits behind it (or None).
_WAY: tuple[tuple[str, tuple[str, str] | None], ...] = (
    ("embeddings", ("input", "what the first layer reads: tokens, spans or features cut off")),
    ("the layer's input x", ("adapter_input", "what LoRA's A reads: PEFT's lora_dropout")),
    ("LoRA's A, beside the frozen weights", ("adapter_rank", "between A and B: DropLoRA")),
    ("LoRA's B, added to q and v", None),
    ("attention logits q·k / √d", ("attention_logits", "before the softmax: DropKey")),
    ("softmax", ("attention_weights", "after the softmax: DropAttention")),
    ("weighted values, + residual", None),
    ("first linear, activation", ("hidden, place ffn_inner", "the activation, an option of hidden")),
    ("second linear", ("hidden", "before the residual: HiddenCut")),
    ("+ residual", ("output", "what the head reads, after the last layer")),
    ("head → logits, loss", None),
)
_STEP, _HEIGHT = 62, 36


def block_picture() -> str:
    """Return the transformer block with every position marked, as SVG text."""
    first, last = 1, len(_WAY) - 2  # the boxes inside a layer
    top, bottom = 30 + first * _STEP - 12, 30 + last * _STEP + _HEIGHT + 12
    frame = f"<rect x='24' y='{top}' width='292' height='{bottom - top}' rx='10' fill='none' stroke='{_QUIET}'"
    parts = [f"{frame} stroke-dasharray='5 4'/>", _side("one layer, L times", 16, bottom)]
    for i, (words, mark) in enumerate(_WAY):
        y = 30 + i * _STEP
        parts.append(_box(40, y, 260, _HEIGHT, words))
        if i + 1 < len(_WAY):
            parts.append(f"<path d='M170 {y + _HEIGHT} V{y + _STEP}' stroke='{_QUIET}'/>")
        if mark is not None:
            middle = y + (_HEIGHT + _STEP) // 2
            parts.append(f"<path d='M170 {middle} H350' stroke='{_DROP}'/>")
            parts.append(f"<circle cx='170' cy='{middle}' r='6' fill='{_DROP}'/>")
            parts.append(_text(358, middle - 1, mark[0], _DROP, weight=600))
            parts.append(_text(358, middle + 15, mark[1], _QUIET, size=12))
    return _svg(740, 30 + len(_WAY) * _STEP, "Where each position sits in a transformer block", parts)


def structures_picture() -> str:
    """Return grids of dropped cells for every structure, drawn by the library's own masks, as SVG text."""
    rate, size = 0.25, 12
    draw = Draw(seed=8, step=0)
    parts = []
    for row, (title, axes) in enumerate(
        (("attention: one head", ("keys", "queries")), ("hidden and input: one text", ("features", "tokens")))
    ):
        top = 60 + row * 250
        parts.append(_text(20, top - 22, title, _INK, weight=600))
        for column, structure in enumerate(("element", "column", "span")):
            left = 40 + column * 220
            grid = (
                _attention_grid(structure, rate, size, draw) if row == 0 else _hidden_grid(structure, rate, size, draw)
            )
            parts.append(_text(left, top - 4, structure, _QUIET))
            parts += [_squares(left, top + 4, grid, True, _BOX), _squares(left, top + 4, grid, False, _DROP)]
            parts.append(_text(left, top + 4 + 15 * size + 13, f"{axes[0]} →", _QUIET, size=12))
        parts.append(_side(f"← {axes[1]}", 30, top + 150))
    parts.append(
        _text(
            20,
            530,
            "Red is dropped, rate 0.25. A hidden column can also be a feature (axis: feature).",
            _QUIET,
            size=12,
        )
    )
    return _svg(700, 550, "What each structure drops", parts)


def _attention_grid(structure: str, rate: float, size: int, draw: Draw) -> list[list[bool]]:
    site = Site("attention_logits", structure, rate)
    keep = attention_keep(site, rate, draw, 0, Rows.full(1, size), 1).padded()
    grid: list[list[bool]] = keep.expand(1, 1, size, size)[0, 0].tolist()
    return grid


def _hidden_grid(structure: str, rate: float, size: int, draw: Draw) -> list[list[bool]]:
    keep = vector_keep(Site("hidden", structure, rate), rate, draw, 0, Rows.full(1, size), size).keep
    grid: list[list[bool]] = keep.expand(1, size, size)[0].tolist()
    return grid


def _squares(left: int, top: int, grid: list[list[bool]], kept: bool, fill: str) -> str:
    places = [(left + 15 * j, top + 15 * i) for i, row in enumerate(grid) for j, cell in enumerate(row) if cell == kept]
    path = "".join(f"M{x} {y}h13v13h-13z" for x, y in places)
    return f"<path d='{path}' fill='{fill}'/>"


def _svg(width: int, height: int, title: str, parts: list[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' role='img'>"
    paper = f"<rect width='{width}' height='{height}' rx='8' fill='{_PAPER}'/>"
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *(part for part in parts if part), "</svg>", ""])


def _text(x: int, y: int, words: str, colour: str, size: int = 14, weight: int = 400) -> str:
    look = f"{_FONT} font-size='{size}' font-weight='{weight}' fill='{colour}'"
    return f"<text x='{x}' y='{y}' {look}>{escape(words)}</text>"


def _side(words: str, x: int, y: int) -> str:
    return f"<g transform='translate({x} {y}) rotate(-90)'>{_text(0, 0, words, _QUIET, size=12)}</g>"


def _box(x: int, y: int, width: int, height: int, words: str) -> str:
    place = f"x='{x + width // 2}' y='{y + height // 2 + 5}' text-anchor='middle'"
    middle = f"<text {place} {_FONT} font-size='14' fill='{_INK}'>"
    shape = f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='6' fill='{_BOX}'/>"
    return f"{shape}{middle}{escape(words)}</text>"
