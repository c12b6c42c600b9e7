"""For each symptom: its name, its likely cause and what mends it. The words are the migration runbook's symptom tables'.

In the texts `{away}` stands for the architecture that is moved to, `{home}` for the one that is left, `{what}` for the workload
or agent, `{image}` for an image, `{arch}` for the architecture that it shows on.
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.finding import FindingKind as K


@dataclass(frozen=True, slots=True)
class Advice:
    """Texts for one kind of finding."""

    title: str
    cause: str
    fix: str


ADVICE: dict[K, Advice] = {
    K.NO_HEALTHY_TARGETS: Advice(
        "ALB group without healthy targets",
        "no target of the group answers its health check (pods not Ready, security group, path, port): requests there fail",
        "mend the health check's answer or its path, port and security group",
    ),
    K.EXEC_FORMAT: Advice(
        "Exec format error",
        "a binary built for another architecture is executed: {image} has no build for {arch}, or one of the wrong arch in it",
        "build and push with --platform linux/amd64,linux/arm64 (docker buildx build) and roll it out; qemu is no fix",
    ),
    K.NO_MANIFEST: Advice(
        "No matching manifest",
        "the image index of {image} has no {arch} variant: it was pushed for other platforms only",
        "rebuild with --platform linux/amd64,linux/arm64, push, and pull anew",
    ),
    K.INVALID_ELF: Advice(
        "Invalid ELF header",
        "a native library or addon in {image} was built for another architecture (node_modules or wheels of an x86 build)",
        "rebuild the addon on {arch} (npm rebuild, pip from source or an aarch64 wheel) and ship a multi-arch image",
    ),
    K.ILLEGAL_INSTRUCTION: Advice(
        "Illegal instruction or segfault on {arch} only",
        "x86 intrinsics or a native library that is wrong on {arch}: the same container is healthy on the other architecture",
        "use a portable build flag, an {arch} code path or another library; until then keep {what} on {home}",
    ),
    K.EMULATED: Advice(
        "Emulated",
        "{image} has no {arch} build, yet it runs on {arch} nodes: under qemu, at a third of the speed or worse",
        "publish a multi-arch manifest list, roll it out, and compare throughput again",
    ),
    K.AGENT_CRASH_LOOP: Advice(
        "Agent crash loop",
        "{what} is not ready for {away}: this version has no working {away} build",
        "pin the version that is certified on {away}; try it on one node group first",
    ),
    K.AGENT_MISSING: Advice(
        "Agent missing",
        "{what} is kept off {away} nodes (nodeSelector, affinity, a taint) or cannot start there; its own count looks complete",
        "let the DaemonSet onto {away} nodes, with an image that has an {away} build",
    ),
    K.PENDING_CAPACITY: Advice(
        "Pending: no room",
        "the nodes that {what} may run on are full",
        "add nodes of that architecture (node group, NodePool limits) or make room on them",
    ),
    K.PENDING_TAINT: Advice(
        "Pending: tainted or cordoned nodes",
        "the nodes that {what} could run on repel it: a taint it does not tolerate, or they are cordoned or not ready",
        "add the toleration, or remove the taint or the cordon",
    ),
    K.PENDING_AFFINITY: Advice(
        "Pending: no node matches",
        "affinity or nodeSelector of {what} asks for nodes that are not there: an arch without nodes, or a leftover selector",
        "add a node group that matches, or mend affinity and nodeSelector",
    ),
    K.QUOTA: Advice(
        "Quota used up",
        "a ResourceQuota of the namespace leaves no room: no further pod is created, nor a surge or a rollback's",
        "raise the quota, or free what is not needed; surge and two paths at once need more than one path does",
    ),
    K.ONE_ARCH_STUCK: Advice(
        "Rollout stuck on one architecture",
        "pods of one revision fail on {arch} and run on the other architecture: something in it is not portable",
        "read the failing container's log; build or configure it for {arch}",
    ),
    K.PROGRESS_DEADLINE: Advice(
        "Rollout past its deadline",
        "the roll of {what} made no progress for its progressDeadlineSeconds; Kubernetes does nothing about it by itself",
        "see the pods that are not Ready, mend why, or roll back",
    ),
    K.HPA_AT_MAXIMUM: Advice(
        "Autoscaler at its maximum",
        "the load asks for more pods than maxReplicas; emulation or slower pods need more of them for the same load",
        "find out whether pods do less each than on {home}; if not, raise maxReplicas",
    ),
    K.ARCH_LABEL_MISMATCH: Advice(
        "Label and kubelet disagree",
        "the node's kubernetes.io/arch label is not what its kubelet reports: it was overwritten, or the node is simulated",
        "remove the label's override and let the kubelet set it; cordon the node until then",
    ),
    K.MIXED_ARCHES: Advice(
        "Both architectures, nothing decides",
        "pods of {what} run on both architectures and neither affinity nor nodeSelector says where they belong",
        "pin it to {home} until it is validated, then prefer {away}",
    ),
}
