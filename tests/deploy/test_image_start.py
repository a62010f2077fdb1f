"""What the image starts: none of it is compiled at a start, as its root may be read-only."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCKERFILE = (Path(__file__).parents[2] / "Dockerfile").read_text("utf-8")
UNCOMPILED = """
import sys
from pathlib import Path
import exporter.cli
specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
files = [spec.cached for spec in specs if spec and spec.cached]
print(len(files) > 100, [file for file in files if not Path(file).exists()])
"""


@pytest.mark.slow
def test_the_image_compiles_what_a_start_imports_of_its_base(tmp_path):
    (command,) = re.findall(r"^RUN (.*fusionsolar-exporter .*)$", DOCKERFILE, re.MULTILINE)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",  # as in the image
        "PYTHONPYCACHEPREFIX": str(tmp_path),  # in which nothing is compiled, as in its base
    }
    subprocess.run(command.split(), env=environment, check=True)  # noqa: S603  # our Dockerfile's
    found = subprocess.run(  # noqa: S603  # as above
        [sys.executable, "-c", UNCOMPILED], env=environment, capture_output=True, check=True
    )
    assert found.stdout == b"True []\n"
