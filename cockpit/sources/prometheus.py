"""The playbook's signals, asked of Prometheus for each architecture.

A sample's time is the server's own. A server that answers with an old time has not been heard from: the source grows STALE.
Between rounds its pulse is felt, as rounds may be a minute apart.

What is seen there is judged no later than a round (`every`), the answer to its own query and a tick after it can be seen.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from math import inf
from random import Random
from typing import TypeAlias

from cockpit.clock import Clock
from cockpit.connections.prometheus import READ_SECONDS, NoData, PrometheusClient
from cockpit.errors import CockpitError, Rejected, Throttled, Unauthorized, Unreachable
from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, SignalCheck
from cockpit.model.series import LONGEST_WINDOW, Sample, Series
from cockpit.model.signal import Prometheus, Signal, plausible
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import Backoff, patience, rest, speed
from cockpit.sources.past import Past

KEPT = timedelta(hours=2)
"""The least that is kept, for those who look at trends."""
MARGIN = timedelta(minutes=10)
"""Kept beyond a window, since its last sample comes after its end."""
AT_ONCE = 4
LEAST_SECONDS = 5.0
"""Wall seconds that a query may take at least, however short the rounds are."""

Key: TypeAlias = tuple[str, Arch]
Answers: TypeAlias = Sequence[Sample | CockpitError]
"""Of a signal's two sides."""

_SILENT = (Unreachable, Unauthorized, Throttled)
"""Errors that mean that the server was not heard on a query; of others, it was."""


def keep(playbook: Playbook) -> timedelta:
    """How long samples are wanted: for the longest soak or abort trigger, as far as anything is judged over so long."""
    aborts = [check.for_seconds for phase in playbook.phases for check in phase.abort if isinstance(check, SignalCheck)]
    longest = timedelta(seconds=max([0.0, *aborts, *(phase.soak for phase in playbook.phases)]))
    return max(KEPT, min(longest, LONGEST_WINDOW) + MARGIN)


def urgent_first(playbook: Playbook) -> dict[str, Signal]:
    """The playbook's signals in the order in which they should be asked for: those of abort triggers before all others."""
    urgent = {check.signal for phase in playbook.phases for check in phase.abort if isinstance(check, SignalCheck)}
    return dict(sorted(playbook.signals.items(), key=lambda each: each[0] not in urgent))


def _sides(name: str) -> tuple[Key, Key]:
    return (name, Arch.AMD64), (name, Arch.ARM64)


async def _cancelled(tasks: Collection[asyncio.Task[Answers]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class MetricsSource:
    """Series by (signal, arch). It owns its client's connections and closes them when it is cancelled."""

    names = (SourceName.METRICS,)

    def __init__(
        self,
        config: Prometheus,
        signals: Mapping[str, Signal],
        clock: Clock,
        random: Random | None = None,
        keep: timedelta = KEPT,
    ) -> None:
        self._config = config
        self._keep = keep
        self._queries: dict[Key, str] = {
            (name, arch): signal.query_for(arch) for name, signal in signals.items() for _, arch in _sides(name)
        }
        self._units = {name: signal.unit for name, signal in signals.items()}
        self._past = Past(self._queries.values(), config.every)
        self._clock = clock
        self._backoff = Backoff(clock, random or Random())  # noqa: S311 (jitter)
        self._series: dict[Key, Series] = {}
        # A query that hangs must not hold up the next round of the others.
        self._within = min(READ_SECONDS, max(LEAST_SECONDS, config.every / speed(clock)))
        self._fault: CockpitError | None = None
        self._heard = -inf
        """When the server was heard from last, by its own time."""

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, self._config.stale_after, 2.0)

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Ask until cancelled."""
        client = PrometheusClient(self._config.url, self._config.bearer_token_file)
        try:
            async with client.pulse.felt(), aclosing(self._past):
                while True:
                    started = self._clock.monotonic()
                    async with aclosing(self._round(client)) as told:
                        async for observation in told:
                            yield observation
                    fault = self._fault
                    if not fault:
                        self._backoff.reset()
                        waited = asyncio.ensure_future(self._wait(client, started + self._config.every))
                        async with aclosing(self._filled(client, waited, self._heard)) as filled:
                            async for observation in filled:
                                yield observation
                        fault = waited.result()
                        if not fault:
                            continue
                        for observation in self._silent(fault):
                            yield observation
                    await rest(self._backoff, client.pulse, fault)
        finally:
            await client.aclose()

    async def _wait(self, client: PrometheusClient, until: float) -> Unreachable | None:
        """Wait for the next round, or for the loss of the server."""
        try:
            async with client.pulse.alive():
                await self._clock.sleep(max(0.0, until - self._clock.monotonic()))
        except Unreachable as error:
            return error
        return None

    def _silent(self, error: Unreachable) -> list[Observation]:
        at = self._clock.monotonic()
        told = [self._upsert(key, at) for key in self._queries if self._take(key, error)]
        return [*told, Observation(SourceName.METRICS, Kind.FAULT, at, why=str(error))]

    async def _round(self, client: PrometheusClient) -> AsyncGenerator[Observation, None]:
        """Ask for everything once; `_fault` is then why the server could not be asked, or None.

        A signal is told as soon as both its sides have answered, and not before: what compares them must not compare two rounds.
        So a query that hangs holds up no other signal's abort trigger. What the server was silent on is told at the end, since
        that alone does not say whether it was heard.
        """
        asked, self._fault = self._clock.monotonic(), None
        answers: dict[Key, Sample | CockpitError] = {}
        silent: dict[Key, Sample | CockpitError] = {}
        asking = self._ask_all(client)
        try:
            while asking:
                for signal in await self._answered(client, asking):
                    found = dict(zip(_sides(signal.get_name()), signal.result(), strict=True))
                    answers |= found
                    if any(isinstance(answer, _SILENT) for answer in found.values()):
                        silent |= found
                        continue
                    self._heard = max(self._heard, asked - self._age(answers.values()))
                    for observation in self._changed(found):
                        yield observation
        except Unreachable as error:
            self._fault = error
            for observation in self._silent(error):
                yield observation
            return
        finally:
            await _cancelled(asking)
        self._heard = max(self._heard, asked - self._age(answers.values()))
        for observation in self._changed(silent):
            yield observation
        yield self._ended(answers.values())

    def _ended(self, answers: Collection[Sample | CockpitError]) -> Observation:
        faults = [answer for answer in answers if isinstance(answer, _SILENT)]
        if faults and len(faults) == len(answers):
            self._fault = faults[0]
            return Observation(SourceName.METRICS, Kind.FAULT, self._heard, why=str(faults[0]))
        return Observation(SourceName.METRICS, Kind.LISTED, self._heard, keys=frozenset(self._queries))

    def _changed(self, answers: Mapping[Key, Sample | CockpitError]) -> list[Observation]:
        return [self._upsert(key, self._heard) for key, answer in answers.items() if self._take(key, answer)]

    async def _answered(self, client: PrometheusClient, asking: set[asyncio.Task[Answers]]) -> set[asyncio.Task[Answers]]:
        """The signals that have been answered next, which are taken out of `asking`. Unreachable when the server is lost."""
        async with client.pulse.alive():
            done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        asking -= done
        return done

    def _ask_all(self, client: PrometheusClient) -> set[asyncio.Task[Answers]]:
        """One task for each signal, by its name, that asks for both sides."""
        bound = asyncio.Semaphore(AT_ONCE)

        async def ask(query: str) -> Sample | CockpitError:
            async with bound:
                try:
                    return await client.instant(query, self._within)
                except CockpitError as error:
                    return error

        async def both(name: str) -> Answers:
            return await asyncio.gather(*(ask(self._queries[key]) for key in _sides(name)))

        return {asyncio.create_task(both(name), name=name) for name in self._units}

    def _age(self, answers: Iterable[Sample | CockpitError]) -> float:
        """Seconds since the newest time that the server gave; an answer without a sample is of now."""
        now = self._clock.now()
        ages = [(now - a.time).total_seconds() if isinstance(a, Sample) else 0.0 for a in answers if not isinstance(a, _SILENT)]
        return max(0.0, min(ages, default=0.0))

    def _take(self, key: Key, answer: Sample | CockpitError) -> bool:
        """Whether the answer changes the series."""
        before = self._series.get(key, Series())
        if isinstance(answer, Sample) and not plausible(answer.value, self._units[key[0]]):
            unit = self._units[key[0]]
            answer = Rejected(f"the query gives {answer.value:g}, which is no figure in {unit}", status=200, reason="bad_data")
        if isinstance(answer, Sample):
            newer = before.latest is None or answer.time > before.latest.time
            old = bisect_left(before.samples, answer.time - self._keep, key=lambda sample: sample.time)
            after = Series((*before.samples[old:], answer)) if newer else Series(before.samples)
        else:
            after = Series(before.samples, str(answer), isinstance(answer, NoData))
        self._series[key] = after
        return after != before

    async def _filled(
        self, client: PrometheusClient, waited: asyncio.Future[Unreachable | None], at: float
    ) -> AsyncGenerator[Observation, None]:
        """Samples from before the start, so that trends are there at once, until the next round."""
        self._past.ask(client, self._clock.now())
        async with aclosing(self._past.during(waited)) as found:
            async for query, older in found:
                for key in (key for key, asked in self._queries.items() if asked == query):
                    if self._prepend(key, older):
                        yield self._upsert(key, at)

    def _prepend(self, key: Key, older: tuple[Sample, ...]) -> bool:
        series = self._series[key]
        first = series.samples[0].time if series.samples else None
        unit = self._units[key[0]]
        fitting = tuple(s for s in older if (first is None or s.time < first) and plausible(s.value, unit))
        self._series[key] = replace(series, samples=(*fitting, *series.samples))
        return bool(fitting)

    def _upsert(self, key: Key, at: float) -> Observation:
        return Observation(SourceName.METRICS, Kind.UPSERT, at, key, self._series[key])
