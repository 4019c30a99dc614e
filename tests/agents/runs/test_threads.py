"""One run of a thread works at a time; what a new one does to the others is its caller's choice."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from agents.models import Message, Run
from agents.runs.errors import ThreadBusy
from agents.runs.worker import advance, claim_due
from lib import clock

pytestmark = pytest.mark.django_db
Status = Run.Status


@pytest.fixture
def plain(define):
    return define(lambda flow: flow.input)


def statuses(*runs):
    return [Run.objects.get(pk=run.pk).status for run in runs]


def test_runs_of_a_thread_go_one_after_the_other(plain, start, go, thread):
    first, second = start(thread=thread), start(thread=thread)
    assert go(second).status == Status.QUEUED
    assert go(first).status == Status.SUCCEEDED
    assert go(second).status == Status.SUCCEEDED


def test_runs_without_a_thread_do_not_wait_for_each_other(plain, start, go):
    _first, second = start(), start()
    assert go(second).status == Status.SUCCEEDED


def test_only_the_oldest_of_a_thread_is_handed_out(plain, start, thread):
    first, second, other = start(thread=thread), start(thread=thread), start()
    with clock.shifted(timedelta(seconds=61)):
        assert set(claim_due(10)) == {first.pk, other.pk}
        advance(first.pk)
        assert claim_due(10) == [second.pk]


def test_the_end_of_a_run_wakes_the_next_of_its_thread(plain, start, go, thread, django_capture_on_commit_callbacks):
    from marketing.celery import app

    first, second = start(thread=thread), start(thread=thread)
    app.conf.task_always_eager = True
    try:
        with django_capture_on_commit_callbacks(execute=True):
            go(first)
    finally:
        app.conf.task_always_eager = False
    assert statuses(first, second) == [Status.SUCCEEDED] * 2


def test_the_database_allows_one_running_run_per_thread(plain, start, thread):
    start(thread=thread)
    start(thread=thread)
    with pytest.raises(IntegrityError, match="one_running_per_thread"), transaction.atomic():
        Run.objects.update(status=Status.RUNNING)


def test_a_run_that_waits_for_a_person_holds_nobody_up(define, start, go, thread):
    define(lambda flow: flow.approve("go", action="a", args={}) if flow.input.get("ask") else "done")
    first, second = start(input={"ask": True}, thread=thread), start(thread=thread)
    assert go(first).status == Status.WAITING
    assert go(second).status == Status.SUCCEEDED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_reject_refuses_while_one_is_at_work(plain, start, thread, status):
    first = start(thread=thread)
    Run.objects.filter(pk=first.pk).update(status=status)
    with pytest.raises(ThreadBusy):
        start(thread=thread, multitask="reject")
    assert Run.objects.count() == 1


@pytest.mark.parametrize("status", [Status.WAITING, *Run.ENDED])
def test_reject_does_not_mind_one_that_is_not(plain, start, thread, status):
    first = start(thread=thread)
    Run.objects.filter(pk=first.pk).update(status=status)
    assert start(thread=thread, multitask="reject").status == Status.QUEUED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.WAITING])
@pytest.mark.parametrize("multitask", ["interrupt", "rollback"])
def test_interrupt_and_rollback_stop_the_others_at_once(plain, start, go, thread, status, multitask):
    first = start(thread=thread)
    Run.objects.filter(pk=first.pk).update(status=status)
    second = start(thread=thread, multitask=multitask)
    assert statuses(first, second) == [Status.CANCELED, Status.QUEUED]
    assert go(second).status == Status.SUCCEEDED


@pytest.mark.parametrize(("multitask", "left"), [("interrupt", ["Half of it"]), ("rollback", [])])
def test_rollback_takes_back_what_was_said_and_interrupt_does_not(define, start, go, thread, multitask, left):
    def work(flow):
        flow.say("Half of it")
        flow.approve("go", action="a", args={})

    define(work)
    go(start(thread=thread))
    start(thread=thread, multitask=multitask)
    assert list(Message.objects.values_list("text", flat=True)) == left


def test_another_threads_runs_are_left_alone(plain, start, thread, in_workspace):
    from agents.models import Thread

    elsewhere = start(thread=Thread.objects.create(workspace=in_workspace))
    start(thread=thread, multitask="interrupt")
    assert statuses(elsewhere) == [Status.QUEUED]
