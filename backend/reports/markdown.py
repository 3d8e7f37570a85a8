"""Markdown that people write, made into HTML that cannot do anything: no raw HTML, no pictures, no odd links.

CommonMark by markdown-it; it refuses javascript:, vbscript:, file: and data: addresses by itself.
"""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

LOWEST = 6


def html(text: str, under: int = 0) -> str:
    """Return safe HTML. Headings sink by `under` levels, so that they stand below those around the text."""
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    # A picture would be fetched from another host, which the page forbids and a saved file must not need.
    parser.enable(["table", "strikethrough"]).disable("image")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(LOWEST, int(token.tag[1]) + under)}"
    return str(parser.renderer.render(tokens, parser.options, {}))


class _Renderer(RendererHTML):
    """markdown-it's own, but links tell neither where they are followed from nor reach back to this page."""

    def link_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        tokens[index].attrSet("rel", "noopener noreferrer nofollow")
        return self.renderToken(tokens, index, options, env)

    def table_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        tokens[index].attrSet("tabindex", "0")  # wide tables scroll; the keyboard must reach them
        return self.renderToken(tokens, index, options, env)
