def run(p):
    x = []
    while True:
        x.append(bytearray(1 << 24))

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
