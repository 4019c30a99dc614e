import argparse
import signal
from pathlib import Path
from types import FrameType

from sandbox import platforms, visitors
from sandbox.server import SandboxServer, serve_until_stopped
from sandbox.world import open_world


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="Local stand-ins for the outside platforms.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated audience")
    parser.add_argument("--demo", action="store_true", help="let somebody write to @sandbox_demo")
    parser.add_argument("--visitors", action="store_true", help="let people follow the links in posts")
    options = parser.parse_args()

    world = open_world(options.data, platforms.SCHEMAS, options.seed)

    def stop(signum: int, frame: FrameType | None) -> None:
        world.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    platforms.furnish(world)
    if options.demo:
        platforms.furnish_demo(world)
    with world.store.transaction():
        visitors.obey_flag(world, is_given=options.visitors)
    played = platforms.all_platforms()
    server = SandboxServer((options.host, options.port), world, played)
    for platform in played:
        platform.start(world)
    print(f"sandbox on http://{options.host}:{server.server_port}", flush=True)
    serve_until_stopped(server)


if __name__ == "__main__":
    main()
