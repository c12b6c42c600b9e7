"""What the names of a version's files say of an architecture, beside the reference implementation of tags and versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from cockpit.model.arch import Arch
from cockpit.rules.portability.versions import is_final, version_key
from cockpit.rules.portability.wheels import Fit, Fitting, fitting, normal, sdist_version, wheel


def fits(*names: str, arch: Arch = Arch.ARM64, sdist: bool = False, python: str = "", least: str = "") -> Fitting:
    return fitting([found for n in names if (found := wheel(n))], arch, sdist=sdist, python=python, least=least)


X86 = "grpcio-1.50.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
ARM = "grpcio-1.50.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
MUSL_X86 = "grpcio-1.50.0-cp311-cp311-musllinux_1_1_x86_64.whl"
MUSL_ARM = "grpcio-1.50.0-cp311-cp311-musllinux_1_1_aarch64.whl"
MAC = "grpcio-1.50.0-cp311-cp311-macosx_10_10_universal2.whl"
WIN = "grpcio-1.50.0-cp311-cp311-win_amd64.whl"


@pytest.mark.parametrize(
    ("names", "sdist", "fit"),
    [
        (["six-1.16.0-py2.py3-none-any.whl"], True, Fit.PURE),
        ([X86, ARM], True, Fit.NATIVE),
        ([X86, ARM, MAC, WIN], False, Fit.NATIVE),
        ([X86, ARM, MUSL_X86], False, Fit.PARTLY),
        ([X86, ARM, MUSL_X86, MUSL_ARM], False, Fit.NATIVE),
        ([X86], True, Fit.FOREIGN),
        ([X86, MAC, WIN], False, Fit.FOREIGN),
        ([MAC, WIN], True, Fit.SOURCE),
        ([MAC, WIN], False, Fit.ELSEWHERE),
        ([], True, Fit.SOURCE),
        ([], False, Fit.NOTHING),
        (["a-1-cp39-abi3-manylinux_2_28_aarch64.whl", "a-1-cp311-cp311-manylinux1_x86_64.whl"], False, Fit.NATIVE),
        (["a-1-cp312-abi3-manylinux_2_28_aarch64.whl", "a-1-cp311-cp311-manylinux1_x86_64.whl"], False, Fit.PARTLY),
        (["a-1-cp39-abi3-manylinux_2_28_aarch64.whl", "a-1-cp313-cp313t-manylinux1_x86_64.whl"], False, Fit.PARTLY),
        (["a-1-py3-none-manylinux_2_17_aarch64.whl", "a-1-py3-none-manylinux_2_17_x86_64.whl"], False, Fit.NATIVE),
        (["a-1-cp311-cp311-linux_aarch64.whl"], False, Fit.NATIVE),
        (["a-1-cp311-cp311-linux_armv7l.whl"], False, Fit.FOREIGN),
        (["a-1-cp311-cp311-manylinux_2_17_ppc64le.whl", X86], False, Fit.FOREIGN),
        (["a-1-pp39-pypy39_pp73-manylinux_2_17_x86_64.whl", X86, ARM], False, Fit.NATIVE),
        (["coverage-5.2-pp36.pp37-none-any.whl", "coverage-5.2-cp38-cp38-manylinux1_x86_64.whl"], False, Fit.FOREIGN),
        (["foo-1.0-py2-none-any.whl", "foo-1.0-cp311-cp311-manylinux2014_x86_64.whl"], True, Fit.FOREIGN),
        (["foo-1.0-cp38-none-any.whl"], False, Fit.PURE),
        (["foo-1.0-py2-none-any.whl"], True, Fit.SOURCE),
        (["foo-1.0-py2-none-any.whl"], False, Fit.NOTHING),
    ],
)
def test_files_fit_an_architecture(names: list[str], sdist: bool, fit: Fit) -> None:
    found = fits(*names, sdist=sdist)
    assert found.fit is fit, found


def test_a_known_python_leaves_no_doubt() -> None:
    wheels = [X86, ARM, "grpcio-1.50.0-cp37-cp37m-manylinux_2_17_x86_64.whl"]
    assert fits(*wheels).missing == ("cp37",)
    assert fits(*wheels, python="3.11").fit is Fit.NATIVE
    assert fits(*wheels, python="3.7").fit is Fit.FOREIGN
    assert fits(*wheels, least="3.8").fit is Fit.NATIVE
    assert fits("a-1-cp39-abi3-manylinux_2_17_aarch64.whl", python="3.12").fit is Fit.NATIVE
    assert fits("foo-1.0-py2-none-any.whl", python="2.7").fit is Fit.PURE
    assert fits("foo-1.0-py2-none-any.whl", "foo-1.0-cp311-cp311-manylinux2014_x86_64.whl", least="3.9").fit is Fit.FOREIGN
    assert fits("foo-1.0-py2-none-manylinux1_aarch64.whl", X86, least="3.9").native == ()
    assert fits("a-1-cp39-abi3-manylinux_2_17_aarch64.whl", python="3.8", sdist=True).fit is Fit.SOURCE


def test_what_is_for_arm_alone_does_not_fit_x86() -> None:
    assert fits(ARM, arch=Arch.AMD64).fit is Fit.FOREIGN
    assert fits(X86, arch=Arch.AMD64).fit is Fit.NATIVE


PYTHONS = st.sampled_from(["py3", "py2.py3", "cp38", "cp311", "cp313", "pp310"])
ABIS = st.sampled_from(["none", "abi3", "cp38", "cp311", "cp313t", "pypy310_pp73"])
PLATFORMS = st.sampled_from(
    [
        *("any", "linux_aarch64", "manylinux2014_aarch64", "manylinux_2_28_x86_64", "musllinux_1_2_aarch64", "win_amd64"),
        *("manylinux_2_17_aarch64.manylinux2014_aarch64", "macosx_11_0_arm64", "manylinux1_i686"),
    ]
)
NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.]{0,10}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(
    r"([0-9]!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?(\+[a-z0-9]{1,4})?", fullmatch=True
)
BUILDS = st.sampled_from(["", "-1", "-20abc"])


@given(NAMES, VERSIONS, BUILDS, PYTHONS, ABIS, PLATFORMS)
def test_a_wheels_name_is_read_as_the_reference_reads_it(
    name: str, version: str, build: str, python: str, abi: str, platform: str
) -> None:
    filename = f"{name}-{version}{build}-{python}-{abi}-{platform}.whl"
    theirs_name, theirs_version, _, theirs_tags = parse_wheel_filename(filename)
    found = wheel(filename)
    assert found is not None
    assert normal(found.name) == theirs_name
    assert version_key(found.version) == version_key(str(theirs_version))
    assert {(t.python, t.abi, t.platform) for t in found.tags} == {(t.interpreter, t.abi, t.platform) for t in theirs_tags}


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_the_reference_orders_them(one: str, other: str) -> None:
    mine, theirs = version_key(one), version_key(other)
    assert mine is not None
    assert theirs is not None
    assert (mine < theirs) == (Version(one) < Version(other))
    assert (mine == theirs) == (Version(one) == Version(other))
    assert is_final(one) == (not Version(one).is_prerelease)


@given(st.text(max_size=30))
def test_what_is_no_version_has_no_key(text: str) -> None:
    try:
        Version(text)
    except InvalidVersion:
        assert version_key(text) is None


@given(NAMES, VERSIONS, st.sampled_from([".tar.gz", ".zip"]))
def test_a_source_distribution_is_known_by_its_name(name: str, version: str, suffix: str) -> None:
    assert sdist_version(f"{name}-{version}{suffix}", name) == version_key(version)
    assert sdist_version(f"{name}-{version}{suffix}", f"other-{name}") is None
    assert sdist_version(f"{name}-x-{version}{suffix}", f"{name}.x") == version_key(version)


@given(st.lists(st.tuples(PYTHONS, ABIS, PLATFORMS), max_size=6), st.booleans())
def test_nothing_fits_that_has_no_file_for_the_architecture(tags: list[tuple[str, str, str]], sdist: bool) -> None:
    names = [f"a-1-{python}-{abi}-{platform}.whl" for python, abi, platform in tags]
    mine = any("aarch64" in name or (name.endswith("-any.whl") and "-pp310-" not in name) for name in names)
    found = fits(*names, sdist=sdist).fit
    assert (found in (Fit.PURE, Fit.NATIVE, Fit.PARTLY)) == mine


@given(st.text(max_size=60).map(lambda text: f"{text}.whl"))
def test_any_text_is_a_wheel_or_none(text: str) -> None:
    found = wheel(text)
    assert found is None or found.tags


def test_names_are_normal_as_indexes_have_them() -> None:
    assert normal("Zope.Interface__x") == canonicalize_name("Zope.Interface__x")
