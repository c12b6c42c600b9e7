"""What botocore's exceptions are called in `cockpit.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import botocore.exceptions as aws

from cockpit.errors import CockpitError, NotFound, Rejected, Throttled, Unauthorized, Unreachable, UsageError
from cockpit.redact import told

LOGIN = "log in again (aws sso login, or renew AWS_ACCESS_KEY_ID and its fellows), then retry"
_THROTTLED = {"RequestLimitExceeded", "RequestThrottled", "TooManyRequestsException", "SlowDown", "PriorRequestNotComplete"}
_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "AuthFailure",
    "IncompleteSignature",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "OptInRequired"}
_SILENT = (aws.HTTPClientError, aws.ConnectionError)


@contextmanager
def aws_words(action: str, where: str) -> Iterator[None]:
    """Failures inside become errors that name the IAM `action` (`elasticloadbalancing:ModifyRule`) or the address `where`."""
    try:
        yield
    except aws.ClientError as error:
        raise refused(error, action) from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError) as error:
        raise Unauthorized(f"no AWS credentials for {action}: set AWS_PROFILE, or {LOGIN}") from error
    except (aws.NoRegionError, aws.ProfileNotFound, aws.ConfigParseError, aws.InvalidConfigError) as error:
        raise UsageError(f"AWS settings: {told(str(error), 300)}; set region and profile (AWS_REGION, AWS_PROFILE)") from error
    except _SILENT as error:
        raise Unreachable(f"AWS at {where}: {_cause(error)}") from error
    except (aws.CredentialRetrievalError, aws.TokenRetrievalError, aws.SSOError, aws.UnauthorizedSSOTokenError) as error:
        # Their text can quote the output of a credential process.
        raise Unauthorized(f"AWS credentials for {action} could not be had ({type(error).__name__}): {LOGIN}") from error
    except aws.BotoCoreError as error:
        raise Unreachable(f"AWS at {where}: {type(error).__name__}: {told(str(error), 300)}") from error
    except (LookupError, TypeError, ValueError) as error:
        # What botocore's parsers raise of well-formed XML that is something else, as a proxy's page is.
        raise Unreachable(f"AWS at {where}: its answer to {action} cannot be read: is a proxy in between?") from error


def refused(error: aws.ClientError, action: str) -> CockpitError:
    """The error for what AWS answered."""
    said = error.response.get("Error", {})
    code, message = told(str(said.get("Code", "")), 80), told(str(said.get("Message", "")), 500)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if "Throttl" in code or code in _THROTTLED or status == 429:
        return Throttled(f"AWS asks to wait: {action} is throttled ({code})", status=status, reason=code)
    if code in _EXPIRED:
        return Unauthorized(f"AWS credentials expired or refused for {action} ({code}): {LOGIN}")
    if code in _DENIED or status == 403:
        return Unauthorized(f"not allowed: {action} ({code}: {message}); ask for this permission")
    if code.endswith("NotFound"):
        return NotFound(f"{action}: {code}: {message}", status=status, reason=code)
    if status in (502, 503, 504) or code in {"ServiceUnavailable", "InternalFailure"}:
        return Unreachable(f"AWS {action}: HTTP {status} {code}: {message}")
    return Rejected(f"{action}: {code}: {message}", status=status, reason=code)


def _cause(error: Exception) -> str:
    match error:
        case aws.ConnectTimeoutError():
            return "no answer to connecting in time"
        case aws.ReadTimeoutError():
            return "no answer in time"
        case aws.SSLError():
            return "TLS failed"
        case aws.EndpointConnectionError():
            return "could not be connected to"
        case aws.ConnectionClosedError():
            return "it broke off before answering"
    return type(error).__name__
