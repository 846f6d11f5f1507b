"""Make mutants of a module: the same syntax tree with one small fault in it, each under a name that stays.

The faults are those that people make: a condition turned around, a statement left out, a bound moved by one, an order
forgotten, two arguments exchanged, an error that names nothing.
"""

from __future__ import annotations

import ast
import copy
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_SHOWN = 70
Change = tuple[str, ast.AST | None]  # what was done, and the new node; None: the statement is left out
Step = tuple[str, int | None]


@dataclass(frozen=True)
class Mutant:
    """One fault in one module; without a place, no fault.

    name: function, fault, and the text before and after; without line numbers, so that it outlives other changes.
    line: where it is now.
    """

    module: str
    name: str
    operator: str
    line: int
    source: str
    place: tuple[Step, ...] = ()
    new: ast.AST | None = None

    def load(self) -> types.ModuleType:
        """Run the module with the fault in it; it is not put into `sys.modules`."""
        made = types.ModuleType(self.module)
        made.__file__ = f"<mutant of {self.module}>"
        from mlcore.errors import MlcoreError

        vars(made)["MlcoreError"] = MlcoreError  # a plainer error needs the name
        tree = ast.parse(self.source)
        if self.place:
            _replace(tree, self.place, self.new)
        code = compile(ast.fix_missing_locations(tree), made.__file__, "exec", dont_inherit=True)
        exec(code, vars(made))  # noqa: S102  # our own source, with one change
        return made


def mutants(module: str, text: str) -> list[Mutant]:
    """Return every mutant of the module's source, in the order of its lines."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    tree = ast.parse(text)
    for place, node, path in _sites(tree, ""):
        for operator, new in _changes(node):
            before, after = _shown(node), _shown(new)
            if before == after:
                continue
            name = f"{path or 'module'}: {operator}: {before} -> {after}"
            seen[name] += 1
            number = f" #{seen[name]}" if seen[name] > 1 else ""
            found.append(Mutant(module, name + number, operator, getattr(node, "lineno", 0), text, place, new))
    return sorted(found, key=lambda each: each.line)


def _sites(root: ast.AST, path: str, at: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], ast.AST, str]]:
    """Yield what may be changed: steps from the root, the node, and the dotted name of the function around it."""
    for field, value in ast.iter_fields(root):
        if _is_left_alone(root, field):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(node, ast.AST) or (isinstance(node, ast.Assign) and "TypeVar" in ast.unparse(node)):
                continue
            place = (*at, (field, index))
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield from _sites(node, f"{path}.{node.name}".lstrip("."), place)
                continue
            yield place, node, path
            yield from _sites(node, path, place)


def _is_left_alone(node: ast.AST, field: str) -> bool:
    """Types, decorators, imports, docstrings and the wording of messages are no behaviour."""
    if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    return isinstance(node, ast.ExceptHandler) and field == "type"


def _replace(tree: ast.Module, place: tuple[Step, ...], new: ast.AST | None) -> None:
    node: ast.AST = tree
    for field, index in place[:-1]:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    field, index = place[-1]
    wanted = ast.Pass() if new is None else new
    if index is None:
        setattr(node, field, wanted)
    elif isinstance(wanted, ast.Module):  # several statements in place of one
        getattr(node, field)[index : index + 1] = wanted.body
    else:
        getattr(node, field)[index] = wanted


def _shown(node: ast.AST | None) -> str:
    if node is None:
        return "nothing"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _changes(node: ast.AST) -> Iterator[Change]:
    for kind, make in _OPERATORS.items():
        if isinstance(node, kind):
            yield from make(node)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    yield "negate a condition", _with(node, test=_not(node.test))


def _comprehension(node: ast.comprehension) -> Iterator[Change]:
    for index, test in enumerate(node.ifs):
        yield "negate a condition", _with(node, ifs=[*node.ifs[:index], _not(test), *node.ifs[index + 1 :]])
        yield "drop a condition", _with(node, ifs=[*node.ifs[:index], *node.ifs[index + 1 :]])


def _compare(node: ast.Compare) -> Iterator[Change]:
    other = _COMPARED.get(type(node.ops[0]))
    if other is not None and len(node.ops) == 1:
        yield "swap a comparison", _with(node, ops=[other()])


def _bool_op(node: ast.BoolOp) -> Iterator[Change]:
    yield "swap and with or", _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield "drop an operand", rest[0] if len(rest) == 1 else _with(node, values=rest)


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    yield "drop a sign", node.operand


def _bin_op(node: ast.BinOp) -> Iterator[Change]:
    other = _CALCULATED.get(type(node.op))
    if other is not None:
        yield "swap an operation", _with(node, op=other())


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield "turn a flag", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield "off by one", ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield "change a text", ast.Constant(f"{node.value}XX")


def _call(node: ast.Call) -> Iterator[Change]:
    called = ast.unparse(node.func)
    plain = [each for each in node.args if not isinstance(each, ast.Starred)]
    if called == "sorted":
        yield "forget the order", ast.Call(ast.Name("list", ast.Load()), node.args, [])
    if called == "dict" and len(node.args) == 1:
        yield "share instead of copy", node.args[0]
    if len(plain) >= 2 and called != "isinstance":
        yield "swap arguments", _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for index in range(len(node.keywords)):
        if node.keywords[index].arg == "encoding":
            continue  # UTF-8 is what a machine with tests has anyway
        kept = [*node.keywords[:index], *node.keywords[index + 1 :]]
        yield f"drop the argument {node.keywords[index].arg}", _with(node, keywords=kept)


def _dict(node: ast.Dict) -> Iterator[Change]:
    for index in range(len(node.keys)):
        kept = [n for n in range(len(node.keys)) if n != index]
        new = ast.Dict([node.keys[n] for n in kept], [node.values[n] for n in kept])
        yield "drop a key", new


def _tuple(node: ast.Tuple) -> Iterator[Change]:
    if isinstance(node.ctx, ast.Load) and len(node.elts) >= 2:
        yield "swap elements", _with(node, elts=[node.elts[1], node.elts[0], *node.elts[2:]])


def _slice(node: ast.Slice) -> Iterator[Change]:
    for name in ("lower", "upper"):
        if getattr(node, name) is not None:
            yield f"drop the {name} bound", _with(node, **{name: None})


def _statement(node: ast.stmt) -> Iterator[Change]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Delete) and all(isinstance(each, ast.Name) for each in node.targets):
        return  # it says that an argument is not used
    yield "drop a statement", None


def _return(node: ast.Return) -> Iterator[Change]:
    if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
        return
    yield "return None", ast.Return(ast.Constant(None))
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("tuple", "sorted"):
        yield "return nothing", ast.Return(ast.Tuple([], ast.Load()))


def _raise(node: ast.Raise) -> Iterator[Change]:
    yield "swallow an error", None
    made = node.exc
    if not isinstance(made, ast.Call) or not isinstance(made.func, ast.Name):
        return
    if made.func.id.endswith("Error") and made.func.id != "MlcoreError":
        yield "raise a plainer error", _with(node, exc=_with(made, func=ast.Name("MlcoreError", ast.Load())))
    if made.args and isinstance(made.args[0], ast.JoinedStr):
        yield "name nothing in an error", _with(node, exc=_with(made, args=[ast.Constant("it failed")]))


def _try(node: ast.Try) -> Iterator[Change]:
    if node.handlers:
        yield "let errors pass", ast.Module([*node.body, *node.orelse, *node.finalbody], [])


def _with_block(node: ast.With) -> Iterator[Change]:
    if all(item.optional_vars is None for item in node.items):
        yield "drop a lock", ast.Module(list(node.body), [])


_DROPPED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.Continue, ast.Break)
_OPERATORS: dict[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[Change]]] = {
    (ast.If, ast.While, ast.IfExp): _condition,
    ast.comprehension: _comprehension,
    ast.Compare: _compare,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.BinOp: _bin_op,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Dict: _dict,
    ast.Tuple: _tuple,
    ast.Slice: _slice,
    _DROPPED: _statement,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Try: _try,
    ast.With: _with_block,
}
