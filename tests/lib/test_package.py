"""The library as others get it: public names, imports, README, generated pages, and an installation of its own."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
import transformer_dropout
from transformer_dropout import blocked, consistency, functional, fused, hf, masks, spec
from transformer_dropout.docs.__main__ import files

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "worker" / "lib"

# Adding a name here is a decision; taking one away breaks other people's scripts.
PUBLIC = {
    transformer_dropout: """PRESETS Consistency DropoutError DropoutSpec InjectionError LinearRate PerLayer ShapeError
        Site SpecError UnsupportedModelError catalogue describe formula preset""",
    spec: """CONSISTENCY CONSISTENCY_KINDS POSITIONS PRESETS RESCALES STRUCTURES Cell Consistency ConsistencyKind
        DropoutSpec LinearRate PerLayer Preset Rate Site SpecError catalogue cell describe formula preset""",
    masks: """NATIVE_ATTENTION_STREAM NATIVE_STREAM NOISE_STREAM AttentionKeep Draw Rows VectorKeep
        attention_keep counter_numbers embedding_noise head_keep kept key_words
        native_attention_keep native_keep vector_keep""",
    hf: """FAMILIES ConsistencyMixin ConsistencyTrainer DropoutCallback Family HookedSite Injection NativeDropout Report
        disable_native_dropout families family_of inject_dropout injection_of two_pass_loss""",
}
FUNCTIONS = {
    functional: "as_bits attention attention_weights drop_hidden group_size rescued",
    blocked: "dropped_attention",
    fused: "key_attention shifted_attention",
    consistency: "consistency_kind consistency_loss regression_loss task_loss",
}


@pytest.mark.parametrize("module", PUBLIC, ids=lambda m: m.__name__)
def test_public_names(module: object) -> None:
    assert sorted(module.__all__) == sorted(PUBLIC[module].split())  # type: ignore[attr-defined, index]
    for name in PUBLIC[module].split():  # type: ignore[index]
        found = getattr(module, name)
        assert found.__doc__ or not callable(found), name


@pytest.mark.parametrize("module", FUNCTIONS, ids=lambda m: m.__name__)
def test_public_functions(module: object) -> None:
    defined = {n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__}  # type: ignore[attr-defined]
    assert {name for name in defined if not name.startswith("_")} == set(FUNCTIONS[module].split())  # type: ignore[index]


def test_there_is_no_such_name_in_hf() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Trainer'"):
        importlib.import_module("transformer_dropout.hf").Trainer  # noqa: B018


def python(code: str, *options: str, path: Path | None = None) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | (
        {"PYTHONPATH": str(path)} if path else {}
    )
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_spec_needs_the_standard_library_only() -> None:
    """-I -S: no site-packages at all, so nothing else could be imported."""
    code = f"""
import sys; sys.path.insert(0, {str(LIBRARY)!r})
from transformer_dropout.spec import DropoutSpec, preset, describe
import transformer_dropout
assert DropoutSpec.from_dict(preset('hiddenkey').to_dict()) == preset('hiddenkey')
known = {{*sys.stdlib_module_names, 'transformer_dropout', '__main__'}}
print(sorted({{m.split('.')[0] for m in sys.modules}} - known))
"""
    assert python(code, "-I", "-S").strip() == "[]"


@pytest.mark.slow
def test_importing_the_hf_door_needs_no_peft_and_no_trainer() -> None:
    code = (
        "import sys, transformer_dropout.hf; print([m for m in ('peft', 'transformers.trainer') if m in sys.modules])"
    )
    assert python(code, path=LIBRARY).strip() == "[]"


def test_generated_pages_are_current() -> None:
    for name, text in files().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, (
            f"docs/{name} is stale: .venv/bin/python -m transformer_dropout.docs docs"
        )
        assert "{{" not in text


def test_every_preset_and_cell_is_on_the_methods_page() -> None:
    page = files()["methods.md"]
    for name in spec.PRESETS:
        assert f"### `{name}`" in page
    for found in spec.catalogue():
        assert (f"| `{found.position}` | `{found.structure}` |" in page) == found.valid


def test_the_readme_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (LIBRARY / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python runnable\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert "hides one run of keys" in printed
    assert "step 9: loss" in printed


@pytest.mark.slow
def test_pip_installs_it_into_an_empty_environment(tmp_path: Path) -> None:
    """`pip install ./worker/lib[hf]` away from the product; torch and transformers are lent by path, not downloaded."""
    source = tmp_path / "lib"
    shutil.copytree(LIBRARY, source, ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__"))
    home = tmp_path / "venv"
    venv.create(home)
    inside = home / "bin" / "python"
    site = Path(
        subprocess.check_output(
            [inside, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        ).strip()
    )
    empty = "import importlib.util as u; print([m for m in ('torch', 'backend', 'worker') if u.find_spec(m)])"
    assert subprocess.check_output([inside, "-c", empty], text=True, cwd=tmp_path).strip() == "[]"
    lent = tmp_path / "lent"
    lent.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if (
            not entry.name.lower().startswith(("__editable__", "transformer_dropout", "dropscope", "_pytest"))
            and entry.suffix != ".pth"
        ):
            (lent / entry.name).symlink_to(entry)
    (site / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(inside)]
    command = [*pip, "install", "--quiet", "--no-build-isolation", "--no-index", f"{source}[hf]"]
    subprocess.run(command, check=True, cwd=tmp_path)
    code = """
import pathlib, transformer_dropout, transformer_dropout.hf, transformer_dropout.docs, importlib.util as u
folder = pathlib.Path(transformer_dropout.__file__).parent
assert 'site-packages' in folder.parts, folder
assert (folder / 'py.typed').exists()
assert transformer_dropout.docs.methods_page()
print(u.find_spec('backend'), u.find_spec('worker'))
"""
    assert subprocess.check_output([inside, "-c", code], text=True, cwd=tmp_path).strip() == "None None"
