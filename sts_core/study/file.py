"""Study file to text and back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.study.types import Study

_STUDY = TypeAdapter(Study)


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML that keeps dates as text and refuses a key given twice."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for number, key in enumerate(keys):
        if key in keys[:number]:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# Dates stay text, and only true/false are booleans: a level "yes", "no" or "on" is a word.
_TIMESTAMP, _BOOL = "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"
_UniqueKeyLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_TIMESTAMP, _BOOL)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_UniqueKeyLoader.add_implicit_resolver(
    _BOOL, re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)


def load_study(text: str, *, name: str = "study.yaml") -> Study:
    """Read a study file.

    Parameters
    ----------
    text
        YAML (or JSON) of schema version 1.
    name
        Name for messages.

    Raises
    ------
    StudyError
        One finding for each wrong key or value, with its path in the file.
    """
    try:
        # _UniqueKeyLoader is a SafeLoader: it builds plain values only
        document = yaml.load(text, Loader=_UniqueKeyLoader)
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", None) or "the text is not YAML"
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise StudyError(
            _invalid(f"The study file can't be read: {problem}{line}.", name)
        ) from None
    if not isinstance(document, Mapping):
        raise StudyError(_invalid("The study file holds no settings.", name))
    try:
        return _STUDY.validate_python(document)
    except ValidationError as error:
        raise StudyError(
            _invalid(f"{_path(part['loc'])}: {part['msg']}.", name)
            for part in error.errors(include_url=False, include_context=False)
        ) from None


def dump_study(study: Study) -> str:
    """Write a study file; reading it back gives an equal study.

    Fields that hold their default are left out, so that the file stays readable.
    """
    document = {"title": study.title, "schema_version": study.schema_version}
    document.update(_plain(study))
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


class _Dumper(yaml.SafeDumper):
    """Safe YAML that escapes what some readers take for the end of a line."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if re.search("[\x85\u2028\u2029]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _plain(value: Any) -> Any:
    """Reduce dataclasses to mappings without defaults, tuples to lists, enums to values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out = {}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if field.name != "kind" and item == _default(field):
                continue
            out[field.name] = _plain(item)
        return out
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.value if hasattr(value, "value") else value


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return dataclasses.MISSING


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location) or "the document"


def _invalid(message: str, name: str) -> Finding:
    return Finding(
        FindingCode.STUDY_FILE_INVALID,
        Severity.ERROR,
        message,
        "Correct the file, or build a new one on the Data page and keep your choices from there.",
        file=name,
    )
