"""The tokenizer of a GGUF file, unpacked into files: `python -m worker.models.tokenizer_files FILE FOLDER`.

It is what `convert` writes beside the weights, made without reading these.
"""

import sys
from pathlib import Path

from transformers import AutoTokenizer


def main(file: Path, folder: Path) -> None:
    """Write the tokenizer of a GGUF file into a folder."""
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
