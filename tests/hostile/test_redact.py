"""Secrets are taken out of text in every form in which they come, and nothing else is."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.redact import HIDDEN, know, know_environment, know_key, know_url, redact, redact_json, shown, told, without_known

SECRET = "cAn4ry/+=s3cret&value"
know(SECRET)


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_a_known_secret_is_found_in_base64_at_any_offset(before: bytes, after: bytes) -> None:
    for encode in (b64encode, urlsafe_b64encode):
        hidden = redact(encode(before + SECRET.encode() + after).decode())
        assert HIDDEN in hidden
        assert len(hidden) < len(HIDDEN) + 24  # what its neighbours had a part in may stay


@given(st.text("abc .:", max_size=20), st.text("abc .:", max_size=20))
def test_a_known_secret_is_found_in_each_form(before: str, after: str) -> None:
    for form in (
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps(SECRET)[1:-1],
        f"https://u:{quote(SECRET, safe='')}@h",
    ):
        hidden = redact(before + form + after)
        assert form not in hidden
        assert SECRET not in hidden


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefghijk123",
        '{"headers": {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}}',
        "authorization=AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=fe5f80",
        "the key AKIAIOSFODNN7EXAMPLE was refused",
        "X-Amz-Security-Token: IQoJb3JpZ2luX2VjEXAMPLE",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl is bad",
        "k8s-aws-v1.aHR0cHM6Ly9zdHM",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nMIIEow cut off",
        "password=hunter2",
        '"client_secret": "hunter2hunter2"',
        "https://host/path?X-Amz-Signature=fe5f80f77d5fa3beca",
        "proxy http://ana:hunter2@proxy.example.com:3128",
        "Set-Cookie: session=abc; Path=/",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    hidden = redact(text)
    assert HIDDEN in hidden
    for secret in ("abcdefghijk123", "dXNlcj", "AKIAIOSF", "fe5f80", "IQoJ", "eyJhb", "aHR0", "MIIEow", "hunter2", "session=abc"):
        assert secret not in hidden


@pytest.mark.parametrize(
    "text",
    [
        "Prometheus refuses the credentials (HTTP 401): check bearer_token_file",
        "registry.example.com: its token server gave no token (HTTP 200)",
        "basic authentication is not supported",
        "weights: rule …/9683b2d02a6cabee (amd64 100 to 95, arm64 0 to 5)",
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/payments-arm64/73e2d6bc24d8a067",
        "image registry.example.com/payments@sha256:" + "0" * 64,
        "https://10.0.0.1:6443: no answer in time",
        "user ana@bastion takes the controls",
        "lb_cookie: stickiness lasts 300 s",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("word", ["", "short", "testing", "rehearsal"])
def test_short_and_plain_words_are_no_secrets(word: str) -> None:
    know(word)
    assert redact(f"this is {word}, said twice: {word}") == f"this is {word}, said twice: {word}"


def test_the_environment_tells_its_secrets() -> None:
    know_environment({"AWS_SESSION_TOKEN": "sess1on-value", "TOKEN_FILE": "/var/t0ken", "HTTPS_PROXY": "http://u:pr0xy-pw@h:1"})
    assert redact("sess1on-value pr0xy-pw /var/t0ken") == f"{HIDDEN} {HIDDEN} /var/t0ken"


def test_a_key_is_hidden_line_by_line_and_an_address_by_its_password() -> None:
    know_key("-----BEGIN PRIVATE KEY-----\nQUJDREVGR0hJSktMTU5P\nUFFSU1RVVldYWVphYmNk\n-----END PRIVATE KEY-----\n")
    know_url("https://ana:p%40ss-word1@host")
    assert redact("saw UFFSU1RVVldYWVphYmNk") == f"saw {HIDDEN}"
    assert redact("p@ss-word1 or p%40ss-word1") == f"{HIDDEN} or {HIDDEN}"


def test_what_was_hidden_before_does_not_hide_what_comes_after() -> None:
    once = redact("it said Authorization: Bearer abc123def456") + "; the way out is here"
    assert redact(once) == once


def test_the_beginning_of_a_long_secret_is_hidden_as_well() -> None:
    know("long-s3cret-that-somebody-cuts")
    assert redact("saw long-s3cret-that-some…") == f"saw {HIDDEN}…"


def test_a_secret_is_hidden_before_the_text_is_cut() -> None:
    assert "cAn4" not in told("x" * 15 + SECRET, 20)


@given(
    st.recursive(
        st.text(max_size=30) | st.none() | st.integers(), lambda c: st.lists(c) | st.dictionaries(st.text(), c), max_leaves=8
    )
)
def test_json_stays_json_of_the_same_shape(value: object) -> None:
    assert isinstance(json.loads(json.dumps(redact_json(value))), type(value))  # type: ignore[arg-type]


@given(st.text(max_size=40))
def test_lines_on_stdout_stay_json(text: str) -> None:
    line = json.dumps({"message": f'{text} "{SECRET}" {text}'})
    assert SECRET not in json.dumps(json.loads(without_known(line)))


def test_a_message_of_several_lines_keeps_them() -> None:
    assert shown(f"a\x1b[2J\n{SECRET}\nc") == f"a␛[2J\n{HIDDEN}\nc"
