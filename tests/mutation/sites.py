"""Where the code emits: found in the source text, whatever it is called and wherever it moves.

A site is one place that can be taken out by itself:

- a call on a metric of the catalogue, on a handle bound from one, or on what such a handle gives
  (`catalogue.X.inc()`, `self._series.observe(1)`, `count()` after `count = catalogue.X.bind().one`), followed
  through variables, attributes, tuples, arguments and returned values of one module;
- a call of what measures or counts losses for others (`count_error`, `track_job`, `losses.drop`);
- a call of a function of the same module that does nothing but emit;
- an entry of a table of metrics (`{catalogue.X: value}`, `for metric, amount in ((catalogue.X, 1), ...)`).

Rather a site too many than one too few: one that is none of these would be noticed when it is gone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

K = TypeVar("K")

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("metrics", "scout", "webapp", "workers")
#: What is no part of emitting: the declarations, the test kit, and what stands in for the exporter.
_LEFT_OUT = ("metrics/catalogue.py", "metrics/testing.py", "metrics/pytest_plugin.py", "metrics/embedded/")

#: What measures for others, by module, each with a word that tests of it use.
MEASURING: dict[str, dict[str, str]] = {
    "metrics": {"start": "metrics"},
    "metrics.database": {"instrument": "DB_"},
    "metrics.http": {"instrument": "HTTP_"},
    "metrics.instruments": {
        "count_error": "APP_ERRORS", "counted": "", "gauged": "", "in_progress": "", "timed": "",
        "track_query": "DB_",
    },
    "metrics.losses": {"drop": "DROPPED", "mistake": "mistake", "overflow": "OVERFLOW"},
    "metrics.process": {"also": "process", "count": "PROCESS_CPU", "sample": "PROCESS_"},
    "metrics.push": {"forget_source": "DELETE", "push_scan": "push"},
    "metrics.queue": {"track_job": "RQ_JOB"},
}  # fmt: skip
#: Those among them that stand around a block or a function.
_AROUND = frozenset({"counted", "gauged", "in_progress", "timed", "track_job", "track_query"})
_EMITS = frozenset({"add", "append", "follow", "inc", "observe", "one", "set", "time"})
_HANDS_ON = frozenset({*_EMITS, "bind", "get", "items", "pending", "pop", "popleft", "setdefault", "values"})
_PASSES = frozenset({"dict", "enumerate", "iter", "list", "reversed", "set", "sorted", "tuple", "zip"})

_Metrics = frozenset[str]
_NONE: _Metrics = frozenset()
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Site:
    """One emission.

    Attributes:
        key: Where it is, as `file:line:column`.
        text: The source of it, on one line.
        metrics: The names in the catalogue that it may be about.
        hints: Words that a test of it is likely to use.
    """

    key: str
    text: str
    metrics: tuple[str, ...]
    hints: tuple[str, ...]

    @property
    def file(self) -> str:
        return self.key.split(":")[0]

    def __str__(self) -> str:
        return f"{self.key.rpartition(':')[0]}  {', '.join(self.metrics) or '-'}  {self.text}"


def files() -> Iterator[Path]:
    """The source files that may emit."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if mine(path):
                yield path


def mine(path: Path) -> bool:
    """Whether a file is one of those that may emit."""
    if not path.is_relative_to(ROOT):
        return False
    name = path.relative_to(ROOT).as_posix()
    return name.split("/")[0] in PACKAGES and not name.startswith(_LEFT_OUT)


def everywhere() -> list[Site]:
    """Every site of the tree."""
    return [site for path in files() for site in read(path).sites]


def read(path: Path) -> Source:
    """One file of the tree."""
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


class Source:
    """One module: its sites, and the tree with a switch at each."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._tree = ast.parse(text)
        self._flow = _Flow(self._tree)
        self._calls: dict[ast.Call, Site] = {}
        self._entries: dict[ast.expr, list[tuple[Site, int]]] = {}
        self._around: set[ast.Call] = set()
        self._find()

    @property
    def sites(self) -> list[Site]:
        found = [*self._calls.values(), *(site for some in self._entries.values() for site, _ in some)]
        return sorted(found, key=lambda site: [int(part) for part in site.key.split(":")[1:]])

    def _find(self) -> None:
        own = self._flow.only_emitting()
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                self._look_at(node, own)
            elif isinstance(node, ast.Dict):
                about = [_catalogued(key) if key is not None else _NONE for key in node.keys]
                self._table(node, about, [*node.values])
            elif isinstance(node, (ast.For, ast.comprehension)) and isinstance(
                node.iter, (ast.Tuple, ast.List)
            ):
                elements = node.iter.elts
                about = [_mentioned(each) for each in elements]
                self._table(node.iter, about, elements)

    def _table(self, node: ast.expr, about: list[_Metrics], shown: list[ast.expr]) -> None:
        if (isinstance(node, ast.Dict) and None in node.keys) or any(
            isinstance(each, ast.Starred) for each in shown
        ):
            return  # places are not known before it runs
        for place, (metrics, each) in enumerate(zip(about, shown, strict=True)):
            if metrics:
                self._entries.setdefault(node, []).append((self._site(each, metrics), place))

    def _look_at(self, call: ast.Call, own: dict[str, _Metrics]) -> None:
        name = self._flow.measuring(call.func)
        if name is not None:
            module, _, what = name.rpartition(".")
            if what in _AROUND:
                self._around.add(call)
            self._calls[call] = self._site(call, self._flow.of_all(call.args), MEASURING[module][what])
            return
        emitted = self._flow.emitted_by(call)
        if emitted:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "time":
                self._around.add(call)
            self._calls[call] = self._site(call, emitted)
            return
        called = _called(call.func)
        if called in own and call in self._flow.statements:
            self._calls[call] = self._site(call, own[called])

    def _site(self, node: ast.expr, metrics: _Metrics, hint: str = "") -> Site:
        text = " ".join(ast.unparse(node).split())
        key = f"{self.name}:{node.lineno}:{node.col_offset}"
        hints = (*sorted(metrics), *([hint] if hint else []))
        return Site(key, text if len(text) < 90 else text[:87] + "...", tuple(sorted(metrics)), hints)

    def switched(self) -> ast.Module:
        """The tree, asking `__emission__` and its like (`tests.mutation.switch`) at each site."""
        tree: ast.Module = _Switching(self._calls, self._around, self._entries).visit(self._tree)
        return ast.fix_missing_locations(tree)


class _Switching(ast.NodeTransformer):
    def __init__(
        self,
        calls: dict[ast.Call, Site],
        around: set[ast.Call],
        entries: dict[ast.expr, list[tuple[Site, int]]],
    ) -> None:
        self._calls, self._around, self._entries = calls, around, entries

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        site = self._calls.get(node)
        if site is None:
            return node
        if node in self._around:
            return _asked("__around_emission__", node, ast.Constant(site.key), node)
        test = _asked("__emission__", node, ast.Constant(site.key))
        return ast.copy_location(ast.IfExp(test=test, body=node, orelse=ast.Constant(None)), node)

    def _table(self, node: ast.expr) -> ast.AST:
        self.generic_visit(node)
        found = self._entries.get(node)
        if not found:
            return node
        where = ast.Dict(
            keys=[ast.Constant(place) for _, place in found],
            values=[ast.Constant(site.key) for site, _ in found],
        )
        return _asked("__emission_table__", node, node, where)

    visit_Dict = visit_Tuple = visit_List = _table  # noqa: N815 - ast's names


def _asked(function: str, at: ast.expr, *arguments: ast.expr) -> ast.Call:
    call = ast.Call(func=ast.Name(function, ast.Load()), args=[*arguments], keywords=[])
    return ast.copy_location(call, at)


class _Flow:
    """Which expressions of a module are metrics, or come from one, as far as it is plain."""

    def __init__(self, tree: ast.Module) -> None:
        self._names: dict[tuple[int, str], _Metrics] = {}
        self._attributes: dict[str, _Metrics] = {}
        self._returned: dict[str, _Metrics] = {}
        self._functions: dict[str, list[_Function]] = {}
        self._classes: set[str] = set()
        self._imports: dict[str, str] = {}
        self._scopes: dict[ast.AST, tuple[int, ...]] = {}
        self._owner: dict[ast.AST, str] = {}
        #: Calls that are statements of their own.
        self.statements: set[ast.Call] = set()
        self._nodes = list(ast.walk(tree))
        self._tree = tree
        self._survey(tree, (0,), "")
        before = -1
        while before != (before := self._size()):
            for node in self._nodes:
                self._follow(node)

    def _size(self) -> int:
        held = (self._names, self._attributes, self._returned)
        return sum(len(metrics) for each in held for metrics in each.values())

    def _survey(self, node: ast.AST, scopes: tuple[int, ...], owner: str) -> None:
        self._scopes[node] = scopes
        self._owner[node] = owner
        match node:
            case ast.Import():
                for alias in node.names:
                    self._imports[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    self._imports[alias.asname or alias.name] = f"{module}.{alias.name}"
            case ast.ClassDef():
                self._classes.add(node.name)
            case ast.Expr(value=ast.Call() as call):
                self.statements.add(call)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._functions.setdefault(node.name, []).append(node)
                scopes, owner = (id(node), *scopes), node.name
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            self._survey(child, scopes, owner)

    # --- What an expression is ---

    def _dotted(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._imports.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self._dotted(node.value)
            return f"{base}.{node.attr}" if base else None
        return None

    def measuring(self, function: ast.expr) -> str | None:
        """The dotted name of a function that measures for others."""
        name = self._dotted(function)
        if name is None:
            return None
        module, _, what = name.rpartition(".")
        module = "metrics" if module == "metrics.client" else module
        return f"{module}.{what}" if what in MEASURING.get(module, {}) else None

    def emitted_by(self, call: ast.Call) -> _Metrics:
        """The metrics that a call emits."""
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in _HANDS_ON:
            return self._of(function.value) if function.attr in _EMITS else _NONE
        return self._of(function)

    def _of(self, node: ast.expr | None) -> _Metrics:  # noqa: C901, PLR0911, PLR0912 - one case for each kind
        match node:
            case ast.Attribute():
                if node.attr.isupper() and self._dotted(node.value) == "metrics.catalogue":
                    return frozenset({node.attr})
                if node.attr in _HANDS_ON and self._of(node.value):
                    return self._of(node.value)
                return self._attributes.get(node.attr, _NONE)
            case ast.Name():
                imported = self._imports.get(node.id, "")
                if imported.startswith("metrics.catalogue.") and node.id.isupper():
                    return frozenset({node.id})
                for scope in self._scopes[node]:
                    if (scope, node.id) in self._names:
                        return self._names[scope, node.id]
                return _NONE
            case ast.Call():
                return self._of_call(node)
            case ast.Tuple() | ast.List() | ast.Set():
                return self.of_all(node.elts)
            case ast.Dict():
                return self.of_all([*node.keys, *node.values])
            case ast.Subscript() | ast.Starred() | ast.NamedExpr() | ast.Await():
                return self._of(node.value)
            case ast.IfExp():
                return self.of_all([node.body, node.orelse])
            case ast.BoolOp():
                return self.of_all(node.values)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._of(node.elt)
            case ast.DictComp():
                return self.of_all([node.key, node.value])
            case _:
                return _NONE

    def of_all(self, nodes: list[ast.expr] | list[ast.expr | None]) -> _Metrics:
        """The metrics that some expressions are or come from."""
        return frozenset().union(*(self._of(node) for node in nodes))

    def _of_call(self, node: ast.Call) -> _Metrics:
        called = _called(node.func)
        if called in self._functions:
            return self._returned.get(called, _NONE)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _HANDS_ON - _EMITS | {"time"}:
            return self._of(node.func.value)
        if called in _PASSES:
            return self.of_all(node.args)
        return _NONE

    # --- Where it goes ---

    def _follow(self, node: ast.AST) -> None:
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._give(target, node.value)
            case ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
                self._give(node.target, value)
            case ast.For() | ast.comprehension():
                self._spread(node.target, self._of(node.iter))
            case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
                self._note(self._returned, self._owner[node], self._of(value))
            case ast.Call():
                self._follow_arguments(node)
            case _:
                pass

    def _give(self, target: ast.expr, value: ast.expr) -> None:
        if (
            isinstance(target, (ast.Tuple, ast.List))
            and isinstance(value, (ast.Tuple, ast.List))
            and len(target.elts) == len(value.elts)
        ):
            for each, its in zip(target.elts, value.elts, strict=True):
                self._give(each, its)
        else:
            self._spread(target, self._of(value))

    def _spread(self, target: ast.expr, metrics: _Metrics) -> None:
        match target:
            case ast.Name():
                self._note(self._names, (self._scopes[target][0], target.id), metrics)
            case ast.Attribute():
                self._note(self._attributes, target.attr, metrics)
            case ast.Subscript() | ast.Starred():
                self._spread(target.value, metrics)
            case ast.Tuple() | ast.List():
                for each in target.elts:
                    self._spread(each, metrics)
            case _:
                pass

    def _follow_arguments(self, call: ast.Call) -> None:
        called = _called(call.func)
        given = [(each.arg, each.value) for each in call.keywords if each.arg is not None]
        if called in self._classes:
            for name, value in given:
                self._note(self._attributes, name, self._of(value))
        for function in self._functions.get("__init__" if called in self._classes else called, []):
            names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
            if names and names[0] in {"self", "cls"}:
                del names[0]
            for name, value in (*zip(names, call.args, strict=False), *given):
                self._note(self._names, (id(function), name), self._of(value))

    @staticmethod
    def _note(held: dict[K, _Metrics], key: K, metrics: _Metrics) -> None:
        if metrics:
            held[key] = held.get(key, _NONE) | metrics

    # --- Functions that do nothing but emit ---

    def only_emitting(self) -> dict[str, _Metrics]:
        """The functions of the module whose only effect is to emit, each with its metrics."""
        found: dict[str, _Metrics] = {}
        before = -1
        while before != (before := len(found)):
            for name, functions in self._functions.items():
                emitted = [self._emits_only(each, found) for each in functions]
                if name not in found and len(emitted) == 1 and emitted[0]:
                    found[name] = emitted[0]
        return found

    def _emits_only(self, function: _Function, known: dict[str, _Metrics]) -> _Metrics:
        if function.decorator_list or function.name.startswith("__"):
            return _NONE
        metrics: set[str] = set()
        for node in ast.walk(function):
            match node:
                case ast.Expr(value=ast.Constant()):
                    pass
                case ast.Expr(value=ast.Call() as call):
                    emitted = self.emitted_by(call) or known.get(_called(call.func), _NONE)
                    if not emitted:
                        return _NONE
                    metrics |= emitted
                case ast.Expr() | ast.Yield() | ast.YieldFrom() | ast.Await() | ast.Raise():
                    return _NONE
                case ast.Return(value=ast.expr()):
                    return _NONE
                case ast.Assign() if any(not isinstance(each, ast.Name) for each in node.targets):
                    if not all(isinstance(each, (ast.Tuple, ast.Attribute)) for each in node.targets):
                        return _NONE
                case _:
                    pass
        return frozenset(metrics)


def _called(function: ast.expr) -> str:
    """The bare name of what is called: of a function, or of a method of whatever."""
    match function:
        case ast.Name():
            return function.id
        case ast.Attribute():
            return function.attr
        case _:
            return ""


def _catalogued(node: ast.expr) -> _Metrics:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "catalogue":
        return frozenset({node.attr})
    return _NONE


def _mentioned(node: ast.expr) -> _Metrics:
    return frozenset().union(*(_catalogued(each) for each in ast.walk(node) if isinstance(each, ast.expr)))
