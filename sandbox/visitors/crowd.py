"""A crowd at work: bots look, people click, land, decide, join, and some come again."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sandbox.clock import iso
from sandbox.telegram import acts, invites, people
from sandbox.visitors import personas, telling
from sandbox.visitors.browser import Browser, Trail
from sandbox.visitors.manners import Manners, Telling
from sandbox.visitors.personas import Bot, Person
from sandbox.visitors.report import Report
from sandbox.world import World

_T = TypeVar("_T")


@dataclass
class Visitor:
    """A person with a browser that remembers."""

    person: Person
    url: str
    referer: str
    browser: Browser
    variant: str | None = None
    has_joined: bool = False


@dataclass
class Crowd:
    world: World
    manners: Manners
    # What the landing pages themselves say of their rates and calls.
    landings: dict[str, Telling] = field(default_factory=dict)
    report: Report = field(default_factory=Report)

    def everybody(self, act: Callable[[_T], None], some: Iterable[_T]) -> None:
        def unless_stopping(one: _T) -> None:
            if not self.world.stopping.is_set():
                act(one)

        with ThreadPoolExecutor(self.manners.threads) as pool:
            list(pool.map(unless_stopping, some))

    def visitor(self, person: Person, url: str, network: str) -> Visitor:
        keeps_cookies = person.cookies >= self.manners.cookieless
        browser = Browser(person.agent, person.address, person.language, keeps_cookies, self.manners.hosts)
        return Visitor(person, url, personas.REFERERS.get(network, ""), browser)

    def returns(self, visitor: Visitor) -> bool:
        return visitor.person.returns < self.manners.repeat

    def send_bot(self, bot: Bot, url: str) -> None:
        browser = Browser(bot.agent, bot.address, keeps_cookies=False, hosts=self.manners.hosts)
        # Who asks for the head does not look further.
        trail = browser.follow(url, method=bot.method) if bot.method == "GET" else _head(browser, url)
        with self.report.noting() as report:
            report.plain.update(["bots"] + ["heads"] * (bot.method == "HEAD"))
            report.counted["bots_by_kind"][bot.kind] += 1
            report.at(url)["bots"] += 1
            self._note_failure(report, trail)

    def send(self, visitor: Visitor) -> None:
        trail = self._click(visitor, is_first=True)
        if trail.has_arrived:
            self._arrive(visitor, trail)

    def send_again(self, visitor: Visitor) -> None:
        trail = self._click(visitor, is_first=False)
        variant = telling.variant_of(trail.url) if trail.has_arrived else None
        if variant and visitor.variant and variant != visitor.variant:
            with self.report.noting() as report:
                report.plain["switched"] += 1
        elif trail.has_arrived and visitor.variant is None:
            self._arrive(visitor, trail)

    def _click(self, visitor: Visitor, *, is_first: bool) -> Trail:
        trail = visitor.browser.follow(visitor.url, visitor.referer)
        with self.report.noting() as report:
            report.plain.update(["humans", "visitors" if is_first else "repeats"])
            report.at(visitor.url).update(["humans"] + ["visitors"] * is_first)
            self._note_failure(report, trail)
        return trail

    def _note_failure(self, report: Report, trail: Trail) -> None:
        if trail.left:
            report.counted["left"][trail.left] += 1
        elif trail.failure:
            report.counted["failed"][trail.failure] += 1

    def _arrive(self, visitor: Visitor, trail: Trail) -> None:
        variant = telling.variant_of(trail.url)
        if variant is not None:
            visitor.variant = variant
            self._decide(visitor, trail.url, variant)
        elif "/tg/web/+" in trail.url and visitor.person.joins < self.manners.joins and not visitor.has_joined:
            self._join(visitor, trail.url)

    def _decide(self, visitor: Visitor, url: str, variant: str) -> None:
        truth = self.manners.telling.over(self.landings.get(telling.landing_of(url), Telling()))
        rate, value = truth.rate_of(variant), truth.value_for(visitor.person.spends)
        has_converted = visitor.person.luck < rate
        with self.report.noting() as report:
            report.rates[variant] = rate
            report.counted["landed"][variant] += 1
            # Named even when nobody converts: zero is known here.
            report.counted["conversions"][variant] += has_converted
            report.values[variant] += round(value * 100) * has_converted
        if has_converted:
            self._tell(visitor, truth, self._facts(visitor, url, variant, value))

    def _facts(self, visitor: Visitor, url: str, variant: str, value: float) -> dict[str, Any]:
        return {
            **telling.query_of(url),
            "variant": variant,
            "landing": telling.landing_of(url),
            "url": url,
            "visitor": visitor.person.name,
            "order": f"order-{visitor.person.name}",
            "value": value,
            "at": iso(self.world.clock.now()),
        }

    def _tell(self, visitor: Visitor, truth: Telling, facts: dict[str, Any]) -> None:
        times = 2 if visitor.person.repeats < self.manners.repeat_calls else 1
        made = telling.tell(truth, visitor.browser, facts, times)
        with self.report.noting() as report:
            calls = report.counted["calls"]
            calls.update(kind for kind, _ in made)
            calls["repeated"] += len(made) - len(made) // times
            for kind, failure in made:
                if failure:
                    calls["failed"] += 1
                    report.counted["failed"][f"{kind} {failure}"] += 1

    def _join(self, visitor: Visitor, url: str) -> None:
        visitor.has_joined = True
        with self.world.store.transaction() as db:
            invite = invites.find_by_code(db, urlsplit(url).path.rpartition("/")[2])
            if invite is None or not invites.is_open(invite, self.world.clock.now()):
                return
            acts.join(self.world, people.create_user(db, "Guest"), invite["link"])
        with self.report.noting() as report:
            report.counted["joined"][invite["link"]] += 1


def _head(browser: Browser, url: str) -> Trail:
    trail = browser.follow(url, method="HEAD", max_hops=1)
    trail.failure = None if trail.failure == "TooManyRedirects" else trail.failure
    return trail
