"""Print the lowest version of every requirement in pyproject.toml, as constraints: python scripts/lowest_versions.py

`make test-lowest` installs them and runs the tests, so that the lower bounds are true.
"""

import re
from pathlib import Path

import tomllib


def lowest(requirement: str) -> str | None:
    """`name==version` of a requirement `name[extra]>=version`; None where it has no lower bound."""
    match = re.fullmatch(r"([\w.-]+)(?:\[.*\])?>=([\w.]+)", requirement)
    return f"{match[1]}=={match[2]}" if match else None


def main() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    for requirement in requirements:
        print(lowest(requirement) or f"# {requirement} has no lower bound")


if __name__ == "__main__":
    main()
