"""An adapter merged into its base model: a folder that stock transformers loads without PEFT.

`python -m worker.models.merge HOME ADAPTER OUT`, where ADAPTER is an unpacked adapter with its `environment.json`.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import safe_open

from backend.shared.errors import DropscopeError, InvalidInput
from backend.shared.specs import ModelRef, Task
from worker.models.base import load_base, save_tokenizer
from worker.models.quiet import quiet


def merge(
    home: Path, adapter: Path, out: Path, model: ModelRef, task: Task, names: Mapping[str, str] | None = None
) -> None:
    """Write base and adapter as one model in fp32, with its tokenizer, into the new folder `out`.

    names: the classes by the numbers of the outputs, which the model then says in place of LABEL_0.

    Raises:
        InvalidInput: `out` is there already.
        TrainingError: the base model is not on this machine, or is another revision.
    """
    from peft import PeftModel

    if out.exists():
        raise InvalidInput(f"{out} is there already; give a new folder.")
    base = load_base(model, task, _outputs(adapter), "fp32", home)
    with quiet():
        merged = PeftModel.from_pretrained(base.model, str(adapter)).merge_and_unload()
        if names is not None and len(names) == base.labels:
            merged.config.id2label = {int(number): name for number, name in names.items()}
            merged.config.label2id = {name: int(number) for number, name in names.items()}
        merged.save_pretrained(out)
        save_tokenizer(base.tokenizer, out)


def _outputs(adapter: Path) -> int:
    """Outputs of the adapter's classification head: rows of its last matrix; 1 where it has none."""
    with safe_open(adapter / "adapter_model.safetensors", framework="pt") as file:
        heads = [name for name in file.keys() if ".lora_" not in name and name.endswith(".weight")]  # noqa: SIM118
        sizes = [file.get_slice(name).get_shape() for name in heads if not name.endswith((".dense.weight",))]
    return int(min((size[0] for size in sizes if len(size) == 2), default=1))


def main(arguments: Sequence[str]) -> int:
    """Merge; return the exit code."""
    home, adapter, out = (Path(argument) for argument in arguments)
    try:
        about = json.loads((adapter / "environment.json").read_text(encoding="utf-8"))
        merge(home, adapter, out, ModelRef.model_validate(about["model"]), about["task"], about.get("id2label"))
    except DropscopeError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 1
    except (OSError, ValueError, KeyError) as error:
        print(f"{adapter} is not an adapter as Dropscope hands it out ({error}).", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
