import ast, operator as op
OPS = {ast.Add: op.add, ast.Sub: op.sub, ast.Mult: op.mul, ast.Div: op.truediv}
def ev(n):
    if isinstance(n, ast.Constant): return n.value
    if isinstance(n, ast.BinOp): return OPS[type(n.op)](ev(n.left), ev(n.right))
    raise ValueError(n)
def run(p):
    return {"value": ev(ast.parse(p["expr"], mode="eval").body)}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
