import os
def run(p):
    while True:
        if os.fork() == 0:
            continue

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
