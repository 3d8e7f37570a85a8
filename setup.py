"""The Python client lives in backend/client and is imported as `dropscope`; the rest is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["backend*", "worker*"]), "dropscope"],
    package_dir={"dropscope": "backend/client"},
)
