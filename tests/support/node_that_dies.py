"""Runs a node on loopback that kills itself with SIGKILL at a named point of a task's life.

    python node_that_dies.py --name NAME PORT POINT NTH

NTH (from 1) says which time the point is reached.
"""

from __future__ import annotations

import argparse
import os
import signal

from skilllite.daemon import run_node
from skilllite.home import Home
from skilllite.tasks.failpoints import OnPoint, Point


def dying_at(point: Point, nth: int) -> OnPoint:
    """Return what kills this process when `point` is reached for the nth time."""
    left = nth

    def on_point(reached: Point) -> None:
        nonlocal left
        if reached is point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return on_point


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("port", type=int)
    parser.add_argument("point", type=Point)
    parser.add_argument("nth", type=int)
    args = parser.parse_args()
    flags: dict[str, object] = {
        "node.name": args.name,
        "node.host": "127.0.0.1",
        "node.port": args.port,
        "node.join_port": 0,
        "node.discovery": False,
    }
    return run_node(
        Home.locate(),
        flags=flags,
        project=None,
        quiet=False,
        on_point=dying_at(args.point, args.nth),
    )


if __name__ == "__main__":
    raise SystemExit(main())
