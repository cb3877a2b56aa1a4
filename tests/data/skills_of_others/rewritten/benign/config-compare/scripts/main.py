#!/usr/bin/env python3
"""Compare settings."""


def flatten(node, prefix=()):
    if isinstance(node, dict):
        for key, sub in node.items():
            yield from flatten(sub, prefix + (key,))
    else:
        yield ".".join(prefix), node


def main(p):
    left, right = dict(flatten(p["left"])), dict(flatten(p["right"]))
    return {
        "removed": sorted(left.keys() - right.keys()),
        "added": sorted(right.keys() - left.keys()),
        "changed": sorted(k for k in left.keys() & right.keys() if left[k] != right[k]),
    }

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
