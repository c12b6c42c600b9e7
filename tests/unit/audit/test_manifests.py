"""Manifests: several documents, Lists, anchors, any kind with a template; and what is refused names its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cockpit.audit.ask import STDIN
from cockpit.audit.documents import MAX_BYTES, MAX_NODES, MAX_TEXT, Unreadable, documents
from cockpit.audit.manifests import Manifests, read
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark
from cockpit.model.workload import Role, Use
from cockpit.rules.portability.ground import Ground
from cockpit.rules.portability.scheduling import scheduling
from cockpit.rules.portability.used import nameless

POD = "{containers: [{name: main, image: registry.example.com/api:1}]}"


def loaded(text: str | bytes) -> Manifests:
    into = Manifests()
    read(STDIN, text.encode() if isinstance(text, str) else text, into)
    return into


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"kind: Deployment\nmetadata: {{name: x}}\nspec: {{template: {{spec: {POD}}}}}", "deployment/x"),
        (
            f"kind: CronJob\nmetadata: {{name: x, namespace: n}}\nspec: {{jobTemplate: {{spec: {{template: {{spec: {POD}}}}}}}}}",
            "cronjob/n/x",
        ),
        (f"kind: Pod\nmetadata: {{name: x}}\nspec: {POD}", "pod/x"),
        (f"kind: PodTemplate\nmetadata: {{name: x}}\ntemplate: {{spec: {POD}}}", "podtemplate/x"),
        (f"kind: Rollout\nmetadata: {{name: x}}\nspec: {{template: {{spec: {POD}}}}}", "rollout/x"),
        (f"kind: List\nitems:\n- kind: Pod\n  metadata: {{name: x}}\n  spec: {POD}", "pod/x"),
        (json.dumps({"kind": "Pod", "metadata": {"name": "x"}, "spec": yaml.safe_load(POD)}, indent=1), "pod/x"),
        (json.dumps({"kind": "Pod", "metadata": {"name": "x"}, "spec": yaml.safe_load(POD)}, indent="\t"), "pod/x"),
    ],
)
def test_every_kind_with_a_template_is_read(text: str, name: str) -> None:
    found = loaded(text)
    assert not found.faults
    assert [w.name for w in found.workloads] == [name]
    assert found.workloads[0].uses == (Use("main", "registry.example.com/api:1", Role.MAIN),)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "kind: Workflow\nmetadata: {name: x}\nspec: {templates: [{container: {image: registry.example.com/api:1}}]}",
            "workflow/x",
        ),
        ("kind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {template: {spec: {containers: []}}}}}", "cronjob/x"),
        ("kind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {containres: [{name: a, image: b}]}}}", "deployment/x"),
        (f"metadata: {{name: x}}\nspec: {{tasks: [{{template: {{spec: {POD}}}}}]}}", "object/x"),
        (f"- kind: Job\n  apiVersion: batch.volcano.sh/v1\n  metadata: {{name: x}}\n  spec: {{tasks: [{POD}]}}", "job/x"),
    ],
)
def test_what_runs_something_that_is_not_understood_is_not_known_and_never_passes(text: str, name: str) -> None:
    found = loaded(text)
    assert not found.faults
    (made,) = found.workloads
    rows = [*nameless([made], None), *scheduling([made], Ground(Arch.ARM64), None)]
    assert [(row.component, row.mark) for row in rows] == [(f"image/{name}", Mark.UNKNOWN)]
    assert rows[0].used_by == (f"{name} ({made.place})",)


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata: {image: a}",
        "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nmetadata: {name: x}\nspec: {containers: {}}",
        "kind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2\nmetadata: {name: x}\nspec: {metrics: [{container: a}]}",
        "kind: Ingress\napiVersion: networking.k8s.io/v1\nmetadata: {name: x}",
    ],
)
def test_what_runs_nothing_is_passed_over_whatever_words_are_in_it(text: str) -> None:
    found = loaded(text)
    assert not (found.workloads or found.faults)


def test_a_list_in_a_list_is_followed() -> None:
    inner = {"kind": "Pod", "metadata": {"name": "x"}, "spec": yaml.safe_load(POD)}
    text = json.dumps({"kind": "List", "items": [{"kind": "List", "items": [{"kind": "PodList", "items": [inner]}]}]})
    assert [w.name for w in loaded(text).workloads] == ["pod/x"]


def test_each_object_is_placed_on_its_line_and_what_runs_nothing_is_passed_over(tmp_path: Path) -> None:
    one = f"kind: Pod\nmetadata: {{name: a}}\nspec: {POD}\n"
    budget = "kind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {maxUnavailable: 0%, selector: {matchLabels: {app: a}}}\n"
    listed = one.replace("\n", "\n  ")
    text = f"# first\n{one}---\nkind: ConfigMap\nmetadata: {{name: c}}\n---\n{budget}---\n\nkind: List\nitems:\n- {listed}"
    file = tmp_path / "all.yaml"
    file.write_text(text)
    into = Manifests()
    read(file, b"", into)
    assert [w.place for w in into.workloads] == [f"{file}:2", f"{file}:16"]
    assert [(b.place, b.most) for b in into.budgets] == [(f"{file}:9", "0%")]


def test_anchors_and_merge_keys_are_what_kubectl_makes_of_them() -> None:
    text = f"""
kind: List
x: &pod {POD}
items:
- {{kind: Pod, metadata: {{name: a}}, spec: *pod}}
- {{kind: Pod, metadata: {{name: b}}, spec: {{<<: *pod, nodeSelector: {{kubernetes.io/arch: amd64}}}}}}
"""
    first, second = loaded(text).workloads
    assert first.uses == second.uses and second.node_selector == {"kubernetes.io/arch": "amd64"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Pod\nmetadata: [a\nspec: 1\n", "stdin:3: a list in [ ] is not closed"),
        ("kind: Pod\nkind: Pod\n", 'stdin:2: the key "kind" is here twice'),
        ("a: 1\nb: *gone\n", "stdin:2: the alias *gone names no anchor"),
        ("a: &a [*a]\n", "stdin:1: the alias *a names no anchor"),
        (b"a: 1\nb: \xff\n", "stdin:2: the byte 0xff is not UTF-8"),
        ("a: 1\n? [x]\n: y\n", "stdin:2: a list or mapping cannot be a key"),
        ("[" * 200 + "]" * 200, "stdin:1: values are nested deeper than"),
        (
            "x: y\n---\nkind: Deployment\nmetadata: {name: 7}\nspec: {template: {}}\n",
            "stdin:3: this Deployment cannot be read: Expected `str`",
        ),
        (f"kind: Pod\nmetadata: {{name: x}}\nspec: {POD}\n---\nname: {{{{ .Values.name }}}}\n", "stdin:5:"),
        (b" " * (MAX_BYTES + 1), "stdin:1: it is larger than 16 MB"),
    ],
)
def test_what_cannot_be_read_names_its_line(text: str | bytes, said: str) -> None:
    (fault,) = loaded(text).faults
    assert fault.startswith(said), fault


def test_a_small_text_becomes_nothing_huge() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    (fault,) = loaded(bomb).faults
    assert f"more than {MAX_NODES:,} values" in fault


def test_one_long_text_named_many_times_is_refused_and_a_text_as_long_as_no_object_is_too() -> None:
    text = f"a: &a {'x' * MAX_TEXT}\nb: [" + ", ".join(["*a"] * 200) + "]\n"
    assert f"more than {MAX_NODES:,} values" in loaded(text).faults[0]
    assert not loaded(f"a: {'x' * MAX_TEXT}\n").faults
    (fault,) = loaded(f"b: 1\na: {'x' * (MAX_TEXT + 1)}\n").faults
    assert fault.startswith("stdin:2: a text of"), fault


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.yaml", tmp_path, Path("a\0b")):
        into = Manifests()
        read(path, b"", into)
        assert len(into.faults) == 1 and "cannot be read" in into.faults[0]


def test_hostile_text_is_cleaned_where_it_enters() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "a\x1b[2J"}, "spec": {"containers": [{"name": "\u202ex", "image": "i\x07"}]}}
    (found,) = loaded(json.dumps(pod)).workloads
    assert all(text.isprintable() for text in (found.name, *(u.image + u.container for u in found.uses)))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(TREES, min_size=1, max_size=3))
def test_values_are_those_that_were_written(trees: list[Any]) -> None:
    written = "\n---\n".join(json.dumps(tree) for tree in trees)
    assert list(documents(written.encode(), {})) == trees


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,-&*!|>'\"% \n\tab1?#", max_size=120).map(str.encode))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        list(documents(data, {}))
    except Unreadable as error:
        assert error.line >= 1 and str(error).isprintable()
    loaded(data)
