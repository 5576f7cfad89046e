"""The import laws of the house and the habits that a machine can check, read off the syntax tree."""

import ast
import functools
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SOURCES = sorted(file for room in ("core", "apps") for file in (ROOT / room).rglob("*.py"))
MAX_LINES = 400

DOORS = {
    "timm": ("core/backbones/",),
    "torchvision": ("core/backbones/",),
    "transformers": ("core/backbones/",),
    "peft": ("core/backbones/",),
    "gradio": ("core/ui/", "apps/*/ui"),
    "fastapi": ("core/ui/", "core/serving/"),
    "uvicorn": ("core/ui/", "core/serving/"),
    "faiss": ("core/retrieval/",),
    "bm25s": ("core/retrieval/",),
    "jieba": ("core/retrieval/",),
    "pypdf": ("core/retrieval/",),
    "accelerate": ("core/training/",),
    "pydicom": ("core/data/",),
    "datasets": ("core/data/",),
    "onnxruntime": ("core/export/", "core/optimization/"),
    "onnx": ("core/export/", "core/optimization/"),
    "matplotlib": ("core/evaluation/",),
    "sqlalchemy": ("core/serving/",),
    "sklearn": ("core/evaluation/", "core/export/", "core/backbones/item_factors.py"),
    "importlib.metadata": ("apps/__init__.py", "core/run_environment.py", "core/export/"),
    "pytest": ("core/testing/",),
}
"""Package to the places that may import it; everyone else goes through them."""

TORCH_FREE = (
    "core.serving.predictor",
    "core.serving.store",
    "core.serving.conversations",
    "core.data.personal_data",
    "core.tasks.text",
    "core.retrieval.knowledge_base",
    "core.retrieval.knowledge_files",
    "core.retrieval.policy",
    "core.retrieval.clusters",
    "core.retrieval.encoder",
    "apps.customer_service.assistant",
    "apps.customer_service.test_stories",
    "core.ui.launch",
    "core.evaluation.report",
    "core.evaluation.classification_report",
    "core.tasks.task",
    "core.tasks.image",
    "core.export.bundle",
    "core.export.session",
    "core.data.images",
    "core.cli",
    "core.config",
)
"""Right of the bundle, and what runs without a model."""

MACHINE_QUESTIONS = {
    "torch.cuda.is_available",
    "torch.cuda.device_count",
    "torch.cuda.get_device_properties",
    "torch.cuda.get_device_name",
    "torch.cuda.mem_get_info",
    "torch.backends.mps.is_available",
    "os.cpu_count",
    "os.sched_getaffinity",
    "os.sysconf",
    "multiprocessing.cpu_count",
    "psutil.cpu_count",
    "psutil.virtual_memory",
    "platform.processor",
}
UNSAFE_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "numpy.lib.format.read_array"}
ALLOWED_HOSTS = {"", "127.0.0.1", "localhost", "0.0.0.0"}
MACHINE_PATHS = ("/home/", "/work/", "/root/", "/Users/", "/mnt/", "/tmp/", "C:\\")


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, anywhere in it, with its line."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def is_in(file: Path, places: tuple[str, ...]) -> bool:
    """`apps/*/ui` lets in ui.py and a folder ui/ of every app."""
    here = place(file)
    for where in places:
        parts = where.split("/")
        if "*" in parts:
            own = here.split("/")
            is_app = len(own) >= 3 and own[0] == parts[0] and own[2].removesuffix(".py").startswith(parts[2])
            if is_app:
                return True
        elif here.startswith(where):
            return True
    return False


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`torch.cuda.is_available` of an expression, with aliases resolved; empty if it is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


@functools.cache
def aliases(file: Path) -> dict[str, str]:
    """What each imported name stands for in a file."""
    names: dict[str, str] = {}
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def uses_of(file: Path) -> Iterator[tuple[str, ast.expr]]:
    """Every dotted name that a file reads or calls."""
    names = aliases(file)
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node, names)):
            yield name, node


def texts_of(file: Path) -> Iterator[tuple[str, int]]:
    """Every text in a file, docstrings included."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


# ---- imports -------------------------------------------------------------------------------------


def test_import_contracts_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_every_room_stands_in_the_layers() -> None:
    import tomllib

    with (ROOT / "pyproject.toml").open("rb") as stream:
        contracts = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    listed = {name.strip() for layer in layers for name in layer.split("|")}
    rooms = {path.name for path in (ROOT / "core").iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= listed, "a room outside the layers may import anything"


def test_apps_do_not_import_each_other() -> None:
    apps = {path.parent.name for path in (ROOT / "apps").glob("*/app.py")}
    wrong = [
        f"{place(file)}:{line} imports {module}"
        for file in SOURCES
        for module, line in imports_of(file)
        if module.startswith("apps.")
        and module.split(".")[1] in apps
        and place(file).split("/")[:2] != ["apps", module.split(".")[1]]
    ]
    assert "medical_imaging" in apps
    assert not wrong


@pytest.mark.parametrize("package", DOORS)
def test_heavy_package_has_one_door(package: str) -> None:
    wrong = [
        f"{place(file)}:{line}"
        for file in SOURCES
        for module, line in imports_of(file)
        if is_below(module, package) and not is_in(file, DOORS[package]) and not is_type_only(file, line)
    ]
    assert not wrong, f"{package} is imported outside {DOORS[package]}"


def is_type_only(file: Path, line: int) -> bool:
    """Whether a line stands under `if TYPE_CHECKING:`, and so imports nothing when it runs."""
    return any(
        isinstance(node, ast.If)
        and dotted(node.test, {}).endswith("TYPE_CHECKING")
        and node.lineno < line <= (node.body[-1].end_lineno or 0)
        for node in ast.walk(tree_of(file))
    )


def test_transformers_models_have_one_door() -> None:
    wrong = [
        f"{place(file)}:{line} imports {module}"
        for file in SOURCES
        for module, line in imports_of(file)
        if is_below(module, "transformers") and "Model" in module and not is_in(file, ("core/backbones/",))
    ]
    assert not wrong


def test_only_hardware_asks_what_the_machine_has() -> None:
    wrong = [
        f"{place(file)}:{node.lineno} asks {name}"
        for file in SOURCES
        if place(file) != "core/hardware.py"
        for name, node in uses_of(file)
        if name in MACHINE_QUESTIONS
    ]
    assert not wrong


def test_hardware_asks_what_the_rule_forbids_elsewhere() -> None:
    asked = {name for name, _ in uses_of(ROOT / "core" / "hardware.py")}
    assert {"torch.cuda.is_available", "torch.cuda.device_count", "os.cpu_count"} <= asked, "the rule finds nothing"


@pytest.mark.parametrize("module", TORCH_FREE)
def test_module_imports_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('torch', 'timm', 'transformers') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_packages_export_nothing_from_init() -> None:
    wrong = []
    for file in SOURCES:
        if file.name == "__init__.py":
            used = {node.id for node in ast.walk(tree_of(file)) if isinstance(node, ast.Name)}
            wrong += [f"{place(file)}: {name}" for name in aliases(file) if name not in used]
            wrong += [f"{place(file)}: __all__" for name in used if name == "__all__"]
    assert not wrong, "public names are public by file"


# ---- files ---------------------------------------------------------------------------------------


def test_first_line_of_every_module_is_its_purpose() -> None:
    wrong = [
        place(file)
        for file in SOURCES
        if not (ast.get_docstring(tree_of(file)) and tree_of(file).body[0].lineno == 1)
        or not (ast.get_docstring(tree_of(file)) or "").splitlines()[0].strip()
    ]
    assert not wrong


def test_no_file_is_long() -> None:
    lengths = {place(file): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}
    sizes = sorted(lengths.values())
    spread = f"median {statistics.median(sizes):g}, 90th percentile {sizes[int(len(sizes) * 0.9)]}"
    long = {name: length for name, length in lengths.items() if length > MAX_LINES}
    assert not long, f"longer than {MAX_LINES} lines ({spread})"


def test_public_names_have_docstrings() -> None:
    wrong = [
        f"{place(file)}:{node.lineno} {node.name}"
        for file in SOURCES
        if place(file).startswith("core/")
        for node in tree_of(file).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not wrong


def test_files_are_named_for_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler"}
    wrong = [place(file) for file in SOURCES if set(file.stem.split("_")) & vague or file.stem.startswith("_")]
    assert [name for name in wrong if not name.endswith(("__init__.py", "__main__.py"))] == []


# ---- trust ---------------------------------------------------------------------------------------


def test_nothing_is_unpickled_or_evaluated() -> None:
    imported = [
        f"{place(file)}:{line} imports {module}"
        for file in SOURCES
        for module, line in imports_of(file)
        if module.split(".")[0] in UNSAFE_IMPORTS
    ]
    called = [
        f"{place(file)}:{node.lineno} calls {name}"
        for file in SOURCES
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and (name := dotted(node.func, aliases(file))) in UNSAFE_CALLS
    ]
    assert not imported
    assert not called


@pytest.mark.parametrize(
    ("function", "argument", "value"),
    [("torch.load", "weights_only", True), ("numpy.load", "allow_pickle", False)],
)
def test_files_are_loaded_without_pickle(function: str, argument: str, value: bool) -> None:
    calls = [
        (place(file), node)
        for file in SOURCES
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and dotted(node.func, aliases(file)) == function
    ]
    wrong = [
        f"{name}:{call.lineno}"
        for name, call in calls
        if not any(
            word.arg == argument and isinstance(word.value, ast.Constant) and word.value.value is value
            for word in call.keywords
        )
    ]
    assert calls, "the rule finds nothing to check"
    assert not wrong, f"{function} without {argument}={value}"


def test_no_path_of_a_machine_is_written_down() -> None:
    wrong = [
        f"{place(file)}:{line} {text[:60]!r}"
        for file in SOURCES
        for text, line in texts_of(file)
        if any(path in text for path in MACHINE_PATHS)
    ]
    assert not wrong


def test_no_network_host_is_written_down() -> None:
    wrong = [
        f"{place(file)}:{line} {word}"
        for file in SOURCES
        for text, line in texts_of(file)
        for word in text.split()
        if "://" in word and host_of(word)[:1].isalnum() and host_of(word) not in ALLOWED_HOSTS
    ]
    assert not wrong


def host_of(word: str) -> str:
    after = word.partition("://")[2]
    return after.split("/")[0].split(":")[0].strip("`'\".,)")


def test_test_files_have_names_of_their_own() -> None:
    """pytest imports files of folders that are no packages by their bare name: two alike cannot both be collected."""
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if not (file.parent / "__init__.py").is_file()]
    names = [file.name for file in files]
    assert sorted(set(names)) == sorted(names), sorted({name for name in names if names.count(name) > 1})
