"""What a loader of transformers is shown of a model's folder: weights, tokenizer and the settings that we know.

Whatever else lies in the folder (code, adapters, keys that name kernels or classes) does not exist for the loader, so
no release of it can be talked into running or fetching anything.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backend.shared.catalogue.config_checks import read_config
from backend.shared.catalogue.config_keys import read_keys
from backend.shared.catalogue.inspect_model import weight_files

_LINKED = (
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "model.safetensors.index.json",
)
# Of tokenizer_config.json: how texts are cut and marked; never classes of other places, files or kernels.
_TOKENIZER_KEYS = frozenset(
    {
        "add_bos_token", "add_eos_token", "add_prefix_space", "added_tokens_decoder", "additional_special_tokens",
        "bos_token", "chat_template", "clean_up_tokenization_spaces", "cls_token", "do_basic_tokenize",
        "do_lower_case", "eos_token", "errors", "extra_special_tokens", "legacy", "mask_token", "max_length",
        "model_input_names", "model_max_length", "never_split", "pad_to_multiple_of", "pad_token", "pad_token_type_id",
        "padding_side", "sep_token", "spaces_between_special_tokens", "split_special_tokens", "stride",
        "strip_accents", "tokenize_chinese_chars", "tokenizer_class", "trim_offsets", "truncation_side",
        "truncation_strategy", "unk_token", "use_default_system_prompt", "backend",
    }
)  # fmt: skip


@contextmanager
def shown(folder: Path) -> Iterator[Path]:
    """A folder of links and cleaned settings that stands for `folder` until the block ends; weights may stay mapped."""
    with TemporaryDirectory(prefix="dropscope-model-") as made:
        seen = Path(made)
        for path in [*weight_files(folder), *(folder / name for name in _LINKED)]:
            if path.is_file():
                (seen / path.name).symlink_to(path.resolve())
        _write(seen / "config.json", read_keys(read_config(folder / "config.json")))
        words = folder / "tokenizer_config.json"
        if words.is_file():
            _write(seen / words.name, {k: v for k, v in read_config(words).items() if k in _TOKENIZER_KEYS})
        yield seen


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
