import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketing.processes import spawn
from marketing.supervisor import BACKOFF_S, Console, Program, StopRequested, Supervisor, describe_exit
from tests.waiting import wait_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    running = Supervisor(Console(io.StringIO()))
    yield running
    running.stop()


def shell(name: str, script: str, **options: object) -> Program:
    return Program(name, lambda: spawn(["/bin/sh", "-c", script], output=subprocess.PIPE), **options)


def output(supervisor: Supervisor) -> str:
    return str(supervisor.console.stream.getvalue())


def watch_until(supervisor: Supervisor, is_done: Callable[[], bool]) -> None:
    wait_for(lambda: supervisor.watch() or is_done(), what=lambda: output(supervisor))


def test_output_carries_the_name_of_its_program(supervisor: Supervisor) -> None:
    supervisor.start(shell("web", "echo hello; sleep 30"))
    watch_until(supervisor, lambda: "web       hello\n" in output(supervisor))


def test_errors_are_part_of_the_stream(supervisor: Supervisor) -> None:
    supervisor.start(shell("web", "echo oops >&2; sleep 30"))
    watch_until(supervisor, lambda: "web       oops\n" in output(supervisor))


def test_bytes_that_are_no_text_do_not_stop_the_stream(supervisor: Supervisor) -> None:
    supervisor.start(shell("web", r"printf '\377\n'; echo after; sleep 30"))
    watch_until(supervisor, lambda: "after" in output(supervisor))


def test_closed_terminal_does_not_block_a_program(tmp_path: Path) -> None:
    done = tmp_path / "done"
    closed = io.StringIO()
    supervisor = Supervisor(Console(closed))
    closed.close()
    supervisor.start(shell("web", f"yes | head -c 300000; touch {done}; sleep 30"))
    wait_for(done.exists)
    supervisor.stop()


def test_dead_program_is_started_again_and_the_reason_is_said(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(shell("worker", f"echo >> {tmp_path}/starts; exit 3"))
    starts = tmp_path / "starts"
    watch_until(supervisor, lambda: starts.exists() and starts.read_text().count("\n") == 2)
    assert "worker    stopped unexpectedly (exit code 3); starting it again in 0.5 s" in output(supervisor)


def test_program_that_keeps_dying_is_started_ever_later(supervisor: Supervisor) -> None:
    program = shell("worker", "exit 1")
    for _ in range(len(BACKOFF_S) + 2):
        supervisor.start(program)
        assert program.process is not None
        program.process.wait()
        supervisor.watch()
    waits = [float(wait) for wait in re.findall(r"again in ([\d.]+) s", output(supervisor))]
    assert waits == [*BACKOFF_S, BACKOFF_S[-1], BACKOFF_S[-1]]


def test_failure_after_a_steady_time_counts_as_the_first(supervisor: Supervisor) -> None:
    program = shell("worker", "exit 1", failures=4)
    supervisor.start(program)
    assert program.process is not None
    program.process.wait()
    program.started_at -= 60
    supervisor.watch()
    assert "again in 0.5 s" in output(supervisor)


def test_one_death_leaves_the_other_programs_alone(supervisor: Supervisor) -> None:
    steady, brief = shell("web", "sleep 30"), shell("worker", "exit 1")
    supervisor.start(steady)
    supervisor.start(brief)
    process = steady.process
    watch_until(supervisor, lambda: brief.failures > 0)
    assert process is not None
    assert process.poll() is None
    assert steady.process is process


def test_forked_children_of_a_dead_program_are_removed(supervisor: Supervisor, tmp_path: Path) -> None:
    program = shell("web", f"sleep 30 & echo $! > {tmp_path}/pid; wait")
    supervisor.start(program)
    watch_until(supervisor, lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    forked = int((tmp_path / "pid").read_text())
    assert program.process is not None
    program.process.kill()
    watch_until(supervisor, lambda: program.failures == 1)
    watch_until(supervisor, lambda: not Path(f"/proc/{forked}/exe").exists())


def test_programs_stop_stage_by_stage(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = "trap 'sleep 0.2; echo {} >> {}; exit' TERM; echo ready; while :; do sleep 0.05; done"
    for stage, name in ((2, "database"), (0, "worker"), (1, "web")):
        supervisor.start(shell(name, script.format(name, order), stop_stage=stage))
    watch_until(supervisor, lambda: output(supervisor).count("ready") == 3)
    supervisor.stop()
    assert order.read_text().split() == ["worker", "web", "database"]


def test_program_waiting_to_be_started_again_does_not_hold_up_the_stop(supervisor: Supervisor) -> None:
    program = shell("worker", "exit 1")
    supervisor.start(program)
    watch_until(supervisor, lambda: program.start_again_at is not None)
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 10


def test_first_signal_asks_to_stop(supervisor: Supervisor) -> None:
    with pytest.raises(StopRequested):
        supervisor.on_signal(signal.SIGINT, None)


def test_same_wish_arriving_twice_is_one_wish(supervisor: Supervisor) -> None:
    program = shell("worker", "sleep 30")
    supervisor.start(program)
    with pytest.raises(StopRequested):
        supervisor.on_signal(signal.SIGTERM, None)
    supervisor.on_signal(signal.SIGTERM, None)
    assert program.process is not None
    assert program.process.poll() is None


def test_signal_while_stopping_after_an_error_does_not_break_it_off(supervisor: Supervisor) -> None:
    supervisor.stop()
    supervisor.on_signal(signal.SIGTERM, None)


def test_second_signal_kills_at_once(supervisor: Supervisor) -> None:
    program = shell("worker", "trap '' TERM; echo ready; sleep 30")
    supervisor.start(program)
    watch_until(supervisor, lambda: "ready" in output(supervisor))
    supervisor.asked_to_stop_at = time.monotonic() - 2
    supervisor.on_signal(signal.SIGINT, None)
    assert program.process is not None
    assert program.process.wait(30) == -signal.SIGKILL


def test_second_signal_lets_the_database_write_its_last_page(supervisor: Supervisor) -> None:
    program = shell("postgres", "trap 'exit 5' QUIT; echo ready; while :; do sleep 0.05; done", stop_signal=2)
    supervisor.start(program)
    watch_until(supervisor, lambda: "ready" in output(supervisor))
    supervisor.asked_to_stop_at = time.monotonic() - 2
    supervisor.on_signal(signal.SIGINT, None)
    assert program.process is not None
    assert program.process.wait(30) == 5


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_supervisor(signum: signal.Signals) -> None:
    code = (
        "import sys, time; from marketing.supervisor import *\n"
        "try: Supervisor(Console(sys.stdout)).listen_for_signals(); print('ready', flush=True); time.sleep(30)\n"
        "except StopRequested: print('asked to stop')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signum)
    assert process.communicate()[0] == "asked to stop\n"


def test_hangup_that_nohup_ignores_stays_ignored() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        Supervisor(Console(io.StringIO())).listen_for_signals()
        os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, former)
        for signum, handler in others.items():
            signal.signal(signum, handler)


def test_step_shows_how_long_it_took() -> None:
    console = Console(io.StringIO())
    with console.step("Starting"):
        pass
    assert console.stream.getvalue() == "Starting… 0.0 s\n"


def test_step_that_is_interrupted_by_output_names_itself_again() -> None:
    console = Console(io.StringIO())
    with console.step("Starting"):
        console.line("web", "hello")
    assert console.stream.getvalue() == "Starting… \nweb       hello\nStarting: 0.0 s\n"


def test_failed_step_leaves_the_error_on_its_own_line() -> None:
    console = Console(io.StringIO())
    with pytest.raises(ValueError, match="no"), console.step("Starting"):
        raise ValueError("no")
    console.say("sorry")
    assert console.stream.getvalue() == "Starting… \nsorry\n"


def test_programs_have_colours_of_their_own_on_a_terminal() -> None:
    console = Console(Terminal())
    console.line("web", "a")
    console.line("worker", "b")
    console.line("web", "c")
    first, second, third = re.findall(r"\033\[(\d+)m", re.sub(r"\033\[0m", "", console.stream.getvalue()))
    assert first == third != second


def test_no_colour_codes_reach_a_file() -> None:
    console = Console(io.StringIO())
    console.line("web", "a")
    assert "\033" not in console.stream.getvalue()


@pytest.mark.parametrize(("code", "words"), [(1, "exit code 1"), (0, "exit code 0"), (-9, "killed by SIGKILL")])
def test_exit_is_told_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
