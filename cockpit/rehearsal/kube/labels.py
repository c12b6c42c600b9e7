"""The rules for the keys and values of labels, in apimachinery's words."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LENGTH = 63
SUBDOMAIN_LENGTH = 253
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def subdomain_faults(name: str) -> list[str]:
    """What is wrong with the name of an object."""
    out = [f"must be no more than {SUBDOMAIN_LENGTH} bytes"] if len(name) > SUBDOMAIN_LENGTH else []
    return out if _PREFIX.fullmatch(name) else [*out, SUBDOMAIN_RULE]


def key_faults(key: str) -> list[str]:
    """What is wrong with the key of a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    out = []
    if slash and not prefix:
        out.append("prefix part must be non-empty")
    elif slash:
        out += [f"prefix part {why}" for why in subdomain_faults(prefix)]
    if not name:
        out.append("name part must be non-empty")
    elif len(name) > _LENGTH:
        out.append(f"name part must be no more than {_LENGTH} bytes")
    return out if _KEY.fullmatch(name) else [*out, _KEY_RULE]


def value_faults(value: str) -> list[str]:
    """What is wrong with the value of a label."""
    out = [f"must be no more than {_LENGTH} bytes"] if len(value) > _LENGTH else []
    return out if _VALUE.fullmatch(value) else [*out, _VALUE_RULE]


def name_faults(name: str) -> list[str]:
    """What is wrong with the name of a container."""
    out = [f"must be no more than {_LENGTH} bytes"] if len(name) > _LENGTH else []
    return out if _LABEL.fullmatch(name) else [*out, _NAME_RULE]
