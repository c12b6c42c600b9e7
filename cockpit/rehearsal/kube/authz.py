"""Who may do what: bearer tokens, rules shaped like RBAC's, and the words of a denial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.rehearsal.kube.errors import KubeError, Obj, forbidden
from cockpit.rehearsal.kube.faults import RequestInfo

_READ = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission; `*` matches everything. `urls` are paths outside of resources."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Whether it allows the verb on the resource (`pods/log` for subresources)."""
        return _in(verb, self.verbs) and _in(group, self.groups) and _in(resource, self.resources)

    def allows_url(self, verb: str, path: str) -> bool:
        """Whether it allows the verb on a path."""
        return _in(verb, self.verbs) and any(path == u or (u.endswith("*") and path.startswith(u[:-1])) for u in self.urls)


def _in(word: str, words: tuple[str, ...]) -> bool:
    return "*" in words or word in words


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a token. `expired` credentials are refused with 401."""

    name: str
    rules: tuple[Rule, ...] = ()
    groups: tuple[str, ...] = ("system:authenticated",)
    expired: bool = False
    role: str = ""


SELF = (
    Rule(("create",), ("authorization.k8s.io",), ("selfsubjectaccessreviews", "selfsubjectrulesreviews")),
    Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
    Rule(("get",), urls=("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
                         "/version", "/version/", "/healthz/*", "/livez/*", "/readyz/*")),
)  # fmt: skip
"""What everybody with a valid token may do: ask about themselves, and read what the server is."""
ANONYMOUS = User(
    "system:anonymous", (Rule(("get",), urls=("/healthz", "/livez", "/readyz", "/version")),), ("system:unauthenticated",)
)
OPERATOR = User("operator", (Rule(("*",), ("*",), ("*",)), Rule(("*",), urls=("*",)), *SELF), role="cluster-admin")
SECOND = User("second", OPERATOR.rules, role="cluster-admin")
OBSERVER = User("observer", (Rule(_READ, ("*",), ("*",)), *SELF), role="view")
EXPIRED = User("expired", expired=True)


def default_users() -> dict[str, User]:
    """Token -> user: two operators (everything), an observer (reads) and one whose credentials have expired."""
    return {u.name: u for u in (OPERATOR, SECOND, OBSERVER, EXPIRED)}


def authenticate(users: Mapping[str, User], authorization: str) -> User | None:
    """The user of an Authorization header; anonymous without one, None when the token is unknown or expired."""
    scheme, _, token = authorization.partition(" ")
    if not authorization:
        return ANONYMOUS
    user = users.get(token.strip()) if scheme.lower() == "bearer" else None
    return None if user is None or user.expired else user


def allowed(user: User, verb: str, group: str, resource: str, subresource: str = "") -> bool:
    """Whether the user may do that to a resource."""
    path = f"{resource}/{subresource}" if subresource else resource
    return any(rule.allows(verb, group, path) for rule in user.rules)


def authorize(user: User, info: RequestInfo) -> None:
    """KubeError 403 when the user may not."""
    if not info.resource:
        if not any(rule.allows_url(info.verb, info.path) for rule in user.rules):
            text = f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"'
            raise KubeError(403, "Forbidden", text, details={})
        return
    if not allowed(user, info.verb, info.group, info.resource, info.subresource):
        raise forbidden(info.resource, info.group, info.name, denial(user, info))


def denial(user: User, info: RequestInfo) -> str:
    """The authorizer's sentence."""
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {where}'


def access_review(user: User, spec: Obj) -> Obj:
    """The status of a SelfSubjectAccessReview."""
    if attributes := spec.get("nonResourceAttributes"):
        yes = any(r.allows_url(attributes.get("verb", ""), attributes.get("path", "")) for r in user.rules)
    else:
        wanted: Obj = spec.get("resourceAttributes") or {}
        words = (wanted.get(k, "") for k in ("verb", "group", "resource", "subresource"))
        yes = allowed(user, *words)
    if not yes:
        return {"allowed": False}
    role = user.role or user.name
    reason = f'RBAC: allowed by ClusterRoleBinding "{user.name}" of ClusterRole "{role}" to User "{user.name}"'
    return {"allowed": True, "reason": reason}


def rules_review(user: User) -> Obj:
    """The status of a SelfSubjectRulesReview."""
    resources = [{"verbs": [*r.verbs], "apiGroups": [*r.groups], "resources": [*r.resources]} for r in user.rules if r.resources]
    urls = [{"verbs": [*r.verbs], "nonResourceURLs": [*r.urls]} for r in user.rules if r.urls]
    return {"resourceRules": resources, "nonResourceRules": urls, "incomplete": False}
