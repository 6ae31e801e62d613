"""What may import what: ``search`` imports ``gallery``, and never the other way round."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {"search", "torch", "torchvision", "elasticsearch", "elasticsearch_dsl", "elastic_transport"}


def imports(path: Path) -> set[str]:
    """The top names of all modules that a file imports, at any depth and inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and _is_import_call(node):
            names |= {
                str(argument.value).partition(".")[0] for argument in node.args if isinstance(argument, ast.Constant)
            }
    return names


def _is_import_call(node: ast.Call) -> bool:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__", "import_string")


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", modules("gallery"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_gallery_knows_nothing_of_search(path):
    assert not imports(path) & FORBIDDEN


def test_the_check_itself_sees_imports(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "def later():\n    from search.models import Change\n    import torch.nn as nn\n"
        "    import_module('elasticsearch.dsl')\n"
    )
    assert imports(file) >= {"search", "torch", "elasticsearch"}
    assert len(modules("gallery")) > 30


def test_the_client_of_the_cluster_stays_in_one_package():
    users = {path for path in modules("search") if imports(path) & {"elasticsearch", "elastic_transport"}}
    assert users
    assert all(path.is_relative_to(ROOT / "search" / "engines" / "elastic") for path in users)
