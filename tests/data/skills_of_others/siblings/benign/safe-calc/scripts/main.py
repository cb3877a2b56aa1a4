#!/usr/bin/env python3
"""Evaluate arithmetic expressions safely."""
import ast, operator as op
OPS = {ast.Add: op.add, ast.Sub: op.sub, ast.Mult: op.mul, ast.Div: op.truediv, ast.USub: op.neg}

def ev(n):
    if isinstance(n, ast.Constant) and isinstance(n.value, (int, float)):
        return n.value
    if isinstance(n, ast.BinOp):
        return OPS[type(n.op)](ev(n.left), ev(n.right))
    if isinstance(n, ast.UnaryOp):
        return OPS[type(n.op)](ev(n.operand))
    raise ValueError("not allowed")

def main(p):
    return {"value": ev(ast.parse(p["expr"], mode="eval").body)}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(main(json.load(sys.stdin))))
