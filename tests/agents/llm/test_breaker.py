"""The breaker, as several processes see it, and the gate before a provider."""

import multiprocessing
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections

from agents import llm
from agents.llm import circuits, gate
from agents.llm.catalogue import current
from agents.llm.routes import Route
from agents.llm.routes import plan as plan_call
from agents.llm.types import ModelError
from agents.models import Circuit
from lib import clock


@pytest.fixture
def route():
    models = current()
    return Route(models.models["claude-haiku-5-5"], models.providers["anthropic"], "http://127.0.0.1:1", "sk-one")


@pytest.fixture
def processes(transactional_db):
    """The same act in several processes at the same moment; what each of them answered."""

    def run(act, count, times=1):
        context = multiprocessing.get_context("fork")
        barrier, answers = context.Barrier(count), context.Queue()

        def work():
            barrier.wait(120)
            for _ in range(times):
                answers.put(act())
            connections.close_all()

        # A child must not inherit the parent's connection.
        connections.close_all()
        started = [context.Process(target=work) for _ in range(count)]
        for process in started:
            process.start()
        found = [answers.get(timeout=120) for _ in range(count * times)]
        for process in started:
            process.join(30)
        return found

    return run


def fail(route, code="overloaded", times=1, **fields):
    for _ in range(times):
        circuits.note_failure(route, ModelError(code, "x", **fields))


def is_open(route):
    try:
        circuits.enter(route)
    except ModelError as error:
        return error.code == "circuit_open" and (error.retry_after_s or 0) >= 1
    return False


def test_failures_of_all_processes_count_and_one_of_them_tries_again(processes, route):
    processes(lambda: fail(route), count=3)
    assert Circuit.objects.get().failures == 3
    assert set(processes(lambda: is_open(route), count=2, times=2)) == {True}
    # The pause is over: of all that come now, one goes ahead.
    Circuit.objects.update(open_until=clock.now() - timedelta(seconds=1))
    assert sorted(processes(lambda: is_open(route), count=4, times=5)) == [False] + [True] * 19


@pytest.mark.django_db
class TestBreaker:
    def test_two_failures_leave_it_closed_and_the_third_opens_it(self, route):
        fail(route, times=2)
        assert not is_open(route)
        fail(route)
        assert is_open(route)

    @pytest.mark.parametrize("code", sorted(circuits.COUNTS))
    def test_troubles_of_the_provider_count(self, route, code):
        fail(route, code, times=3)
        assert is_open(route)

    @pytest.mark.parametrize("code", ["bad_request", "too_long", "not_found", "refused", "empty", "bad_output"])
    def test_troubles_of_the_request_do_not_count(self, route, code):
        fail(route, code, times=5)
        assert not Circuit.objects.exists()

    def test_old_failures_are_forgotten(self, route):
        fail(route, times=2)
        with clock.shifted(circuits.WINDOW + timedelta(seconds=1)):
            fail(route)
            assert not is_open(route)
            fail(route, times=2)
            assert is_open(route)

    @pytest.mark.parametrize("code", sorted(circuits.KEY_CODES))
    def test_a_refused_key_is_left_alone_at_once_with_all_its_models(self, route, code):
        fail(route, code)
        other_model = replace(route, model=current().models["claude-opus-5-5"])
        assert is_open(route)
        assert is_open(other_model)
        assert not is_open(replace(route, key="sk-two"))

    def test_another_model_of_the_same_key_stays_open_for_business(self, route):
        fail(route, times=3)
        assert not is_open(replace(route, model=current().models["claude-opus-5-5"]))

    def test_after_the_pause_one_trial_and_success_closes_it(self, route):
        fail(route, times=3)
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert not is_open(route)
            assert is_open(route)
            circuits.note_success(route)
            assert not is_open(route)
            fail(route, times=2)
            assert not is_open(route)

    def test_a_failed_trial_opens_it_again(self, route):
        fail(route, times=3)
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert not is_open(route)
            fail(route)
            assert is_open(route)
            with clock.shifted(circuits.OPEN - timedelta(seconds=5)):
                assert is_open(route)
            with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
                assert not is_open(route)

    def test_a_trial_whose_worker_died_is_given_to_another(self, route):
        fail(route, times=3)
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert not is_open(route)
        with clock.shifted(circuits.OPEN + circuits.TRIAL + timedelta(seconds=2)):
            assert not is_open(route)

    def test_a_trial_that_did_not_take_place_is_given_back(self, route):
        fail(route, times=3)
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert not is_open(route)
            circuits.give_back(route)
            assert not is_open(route)

    @pytest.mark.parametrize("code", sorted(circuits.ANSWERS))
    def test_a_trial_that_is_answered_with_a_no_closes_it(self, route, code):
        fail(route, times=3)
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert not is_open(route)
            circuits.note_end(route, code)
            assert [is_open(route), is_open(route)] == [False, False]

    def test_a_trial_that_ends_nowhere_is_for_the_next(self, route):
        fail(route, times=3)
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert not is_open(route)
            circuits.note_end(route, "stopped")
            assert [is_open(route), is_open(route)] == [False, True]

    def test_who_is_refused_by_the_key_takes_no_trial_of_the_model(self, route):
        fail(route, times=3)
        fail(route, "unauthorized")
        with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
            assert is_open(route)
            assert not Circuit.objects.exclude(trial_until=None).exists()

    def test_it_stays_open_as_long_as_the_provider_asked_for(self, route):
        fail(route, "rate_limited", times=3, retry_after_s=90)
        with clock.shifted(timedelta(seconds=80)):
            assert is_open(route)
        with clock.shifted(timedelta(seconds=92)):
            assert not is_open(route)


# --- the gate ---------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(route):
    return replace(route, provider=replace(route.provider, max_concurrency=2))


def soon(seconds=0.0):
    return time.monotonic() + seconds


def test_no_more_get_in_than_there_are_places(narrow):
    inside, most, lock = [], [], threading.Lock()

    def call(number):
        with gate.place(narrow, hold_s=10, deadline=soon(60)):
            with lock:
                inside.append(number)
                most.append(len(inside))
            time.sleep(0.01)
            with lock:
                inside.remove(number)

    threads = [threading.Thread(target=call, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (8, 2)


def test_who_gets_no_place_in_time_is_told_to_come_back(narrow):
    with gate.place(narrow, hold_s=10, deadline=soon()), gate.place(narrow, hold_s=10, deadline=soon()):
        with pytest.raises(ModelError) as caught, gate.place(narrow, hold_s=10, deadline=soon(0.05)):
            pass
        assert (caught.value.code, caught.value.is_retryable) == ("rate_limited", True)
        with gate.place(replace(narrow, key="sk-two"), hold_s=10, deadline=soon()):
            pass


def test_the_place_of_a_dead_holder_falls_free(narrow):
    for _ in range(2):
        gate.place(narrow, hold_s=0.2, deadline=soon()).__enter__()
    started = time.monotonic()
    with gate.place(narrow, hold_s=10, deadline=soon(60)):
        assert time.monotonic() - started < 30


def test_without_valkey_nobody_is_kept_waiting(narrow, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock?db=0"
    with gate.place(narrow, hold_s=10, deadline=soon()):
        pass


def test_an_error_inside_frees_the_place(narrow):
    for _ in range(4):
        with pytest.raises(ZeroDivisionError), gate.place(narrow, hold_s=10, deadline=soon()):
            raise ZeroDivisionError


@pytest.mark.django_db
def test_our_own_limit_is_no_word_about_the_provider(speaking, payer, models_file, no_long_pauses):
    port = speaking("anthropic")

    def narrow_anthropic(data):
        data["providers"]["anthropic"]["max_concurrency"] = 1

    models_file(narrow_anthropic)
    (route,) = plan_call("chat", (port.case.model,), port.workspace).routes
    with gate.place(route, hold_s=10, deadline=soon()), pytest.raises(ModelError) as caught:
        llm.complete(port.ask(), payer=payer(), deadline_s=0.2)
    assert caught.value.code in ("rate_limited", "timeout")
    assert (port.calls(), Circuit.objects.count()) == ([], 0)
    assert [row.cost_micro for row in port.rows()] == [0]


@pytest.mark.django_db
def test_one_good_answer_closes_the_breaker_for_all(speaking, no_long_pauses):
    port = speaking("anthropic")
    port.fault("http", status=529, count=3)
    assert port.error().code == "overloaded"
    assert port.error().code == "circuit_open"
    with clock.shifted(circuits.OPEN + timedelta(seconds=1)):
        assert port.complete().text
        assert port.complete().text
    assert Circuit.objects.get().open_until is None
    assert len(port.calls()) == 5
