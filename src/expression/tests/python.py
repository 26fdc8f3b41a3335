# Evaluates expressions with CPython's own parser and eval, for comparison. Reads JSON lines from standard input:
# {"text": expression, "names": {name: value}, "bare": evaluate exactly as Python does}. Answers each with one line:
# {"value": result}, {"error": "..."} where evaluating fails, {"refused": "..."} where reading does.
import ast
import json
import sys
import warnings

warnings.simplefilter("ignore")

KEPT = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Eq, ast.NotEq, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.IfExp, ast.Attribute, ast.Subscript, ast.List,
    ast.Tuple, ast.Constant, ast.Name, ast.Load,
)


class Names(dict):
    def __missing__(self, name):
        return None


def member(value, name):
    return value.get(name) if isinstance(value, dict) else None


def element(value, key):
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return None


def negated(value):
    value = -value
    if isinstance(value, int) and not -(2**127) <= value < 2**127:
        raise OverflowError("beyond 128 bits")
    return value


FUNCTIONS = {"__truth": bool, "__member": member, "__element": element, "__negated": negated}
LITERALS = {"true": True, "false": False, "null": None, "none": None}


def call(function, *arguments):
    return ast.Call(func=ast.Name(id=function, ctx=ast.Load()), args=list(arguments), keywords=[])


class Cured(ast.NodeTransformer):
    """Puts in place of some operators what expressions mean by them."""

    def visit_BoolOp(self, node):
        return call("__truth", self.generic_visit(node))

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return call("__negated", node.operand) if isinstance(node.op, ast.USub) else node

    def visit_Attribute(self, node):
        return call("__member", self.visit(node.value), ast.Constant(node.attr))

    def visit_Subscript(self, node):
        return call("__element", self.visit(node.value), self.visit(node.slice))

    def visit_Tuple(self, node):
        return ast.List(elts=[self.visit(item) for item in node.elts], ctx=ast.Load())


def answer(case):
    text = case["text"].strip()
    if case["bare"]:
        try:
            return {"value": eval(text, {}, {**case["names"], **LITERALS})}
        except Exception as error:
            return {"error": repr(error)}
    if text.lower() in ("true", "1", "false", "0"):
        return {"value": text.lower() in ("true", "1")}
    try:
        tree = ast.parse(text, mode="eval")
    except Exception as error:
        return {"refused": repr(error)}
    foreign = [type(node).__name__ for node in ast.walk(tree) if not isinstance(node, KEPT)]
    if foreign:
        return {"refused": foreign[0]}
    try:
        tree = ast.fix_missing_locations(Cured().visit(tree))
        names = Names({**case["names"], **LITERALS, **FUNCTIONS})
        return {"value": eval(compile(tree, "expression", "eval"), {}, names)}
    except Exception as error:
        return {"error": repr(error)}


for line in sys.stdin.read().split("\n"):
    if line:
        print(json.dumps(answer(json.loads(line)), default=lambda value: type(value).__name__))
