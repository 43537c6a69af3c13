"""What the server does before its first visitor."""

import subprocess
import sys

from app.settings import CHECKOUT

LOAD_AND_RUN_NOTHING_NEW = """
import ast, sys
from app import context
from app.navigation import PAGES_FOLDER
context.load(PAGES_FOLDER)
before = set(sys.modules)
for page in PAGES_FOLDER.rglob("*.py"):
    body = ast.parse(page.read_text()).body
    imports = ast.Module([one for one in body if isinstance(one, (ast.Import, ast.ImportFrom))], [])
    exec(compile(imports, str(page), "exec"), {})
print(sorted(set(sys.modules) - before), "torch" in sys.modules)
"""


def test_a_first_visitor_waits_for_no_import_and_no_net_is_loaded_into_the_server():
    done = subprocess.run(
        [sys.executable, "-c", LOAD_AND_RUN_NOTHING_NEW], cwd=CHECKOUT, capture_output=True, text=True, timeout=250
    )
    assert done.stdout.splitlines()[-1:] == ["[] False"], done.stderr
