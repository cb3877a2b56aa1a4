#!/usr/bin/env python3
"""Make a thumbnail of a video with ffmpeg."""
import pathlib, shutil, subprocess

def main(p):
    if not shutil.which("ffmpeg"):
        raise RuntimeError("ffmpeg is not installed")
    out = pathlib.Path(p["video"]).with_suffix(".jpg")
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", "-ss", str(float(p.get("at", 1))), "-i", p["video"], "-frames:v", "1", str(out)], check=True, timeout=120)
    return {"thumb": str(out)}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
