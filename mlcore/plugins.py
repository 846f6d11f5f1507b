"""Find plugins by their metadata, load them when their key is asked for, and call their hooks.

Nothing else calls pluggy. A plugin module is imported at the first call that needs it and never before; what it
raises then hurts only who asked for it.
"""

from __future__ import annotations

import functools
import importlib
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from mlcore.errors import PluginConflictError, PluginError, PluginNotFoundError, PluginVersionError
from mlcore.plugin_bridges import BRIDGE, Bridge, asked, offered
from mlcore.plugin_index import PluginEntry, Selection, kernel_mismatch, not_found, read_index
from mlcore.plugin_trace import IMPORT
from mlcore.plugin_trace import from_environ as trace_from_environ
from mlcore.settings import Settings
from mlcore.uris import scheme

if TYPE_CHECKING:
    import pluggy

P = ParamSpec("P")
T = TypeVar("T")

logger: logging.Logger = logging.getLogger(__name__)

ALWAYS = ""  # the hook name of plugins in the group `mlcore`: they may implement any hook


class Plugins:
    """The installed plugins, and those registered by hand."""

    def __init__(self, entries: Iterable[PluginEntry] = (), *, selection: Selection | None = None) -> None:
        """Know *entries*; load none of them.

        selection: which of them may be used, and which is preferred where two collide.
        """
        self._selection = selection or Selection()
        self._entries = tuple(entries)
        self._made: pluggy.PluginManager | None = None
        self._making = threading.Lock()
        self._loaded: dict[str, object] = {}
        self._failed: dict[str, BaseException] = {}
        self._always_loaded = False
        self._callers: dict[tuple[str, int], Callable[..., Any]] = {}
        self._trace = trace_from_environ()

    @classmethod
    def discover(cls, settings: Settings | None = None) -> Plugins:
        """Index the installed distributions' entry points; imports none of them, but the bridges that are switched on."""
        chosen = settings or Settings.load()
        plugins = cls(read_index(), selection=Selection(chosen.plugins, chosen.disable_plugins, chosen.prefer))
        for name, wanted in asked(chosen.bridges).items():
            plugins._cross(name, wanted)
        return plugins

    @property
    def _manager(self) -> pluggy.PluginManager:
        """Pluggy and the hooks with all their types, which cost more than all metadata, at the first need."""
        if self._made is None:
            with self._making:
                if self._made is None:
                    import pluggy

                    from mlcore.hookspecs import PROJECT, HookSpecs

                    made = pluggy.PluginManager(PROJECT)
                    made.add_hookspecs(HookSpecs)
                    self._made = made
        return self._made

    def installed(self) -> tuple[PluginEntry, ...]:
        """Return every entry point that was found, switched off ones included, by hook and key."""
        return self._entries

    def is_enabled(self, entry: PluginEntry) -> bool:
        """Whether the switches allow the entry to be used."""
        return self._selection.allows(entry)

    def keys(self, hook: str) -> tuple[str, ...]:
        """Return the keys that can be asked of *hook*, sorted."""
        return tuple(sorted({e.key for e in self._entries if e.hook == hook and self._selection.allows(e)}))

    def failures(self) -> Mapping[str, BaseException]:
        """Return what went wrong so far, by entry point."""
        return dict(self._failed)

    def register(self, plugin: object, name: str | None = None) -> Callable[[], None]:
        """Add a plugin object by hand, for tests and for single-file plugins; return what removes it."""
        self._manager.register(plugin, name)
        self._callers.clear()

        def undo() -> None:
            self._manager.unregister(plugin)
            self._callers.clear()

        return undo

    def entry(self, hook: str, key: str) -> PluginEntry | None:
        """Return the one entry that answers *key* of *hook*; None when there is none.

        Raises PluginConflictError: two distributions offer it and no setting prefers one.
        """
        found = [e for e in self._entries if e.hook == hook and e.key == key and self._selection.allows(e)]
        if len(found) < 2:  # one or none: nothing to choose
            return found[0] if found else None
        preferred = self._selection.prefer.get(f"{hook}:{key}")
        for candidate in found:
            if preferred == candidate.dist:
                return candidate
        names = " and ".join(f"{e.dist} {e.version}" for e in sorted(found, key=lambda e: e.dist))
        hint = f" (preferred is {preferred!r}, which does not offer it)" if preferred else ""
        raise PluginConflictError(
            f"{names} both offer {key!r} for {hook}{hint}: choose one with the setting "
            f'prefer = {{"{hook}:{key}" = "{found[0].dist}"}} or MLCORE_PREFER={hook}:{key}={found[0].dist}'
        )

    def is_answered(self, hook: str) -> bool:
        """Whether some plugin is there for *hook*, by an entry point of its own or always on."""
        self._load_always_on()
        return any(e.hook == hook and self._selection.allows(e) for e in self._entries) or bool(
            self._caller(hook).get_hookimpls()
        )

    def load(self, hook: str, key: str) -> object:
        """Import and register the plugin for *key* of *hook*; return its module.

        Raises PluginNotFoundError, PluginConflictError, PluginVersionError; PluginError: its import failed.
        """
        entry = self.entry(hook, key)
        if entry is None:
            raise not_found(hook, key, self.keys(hook), self._entries)
        return self._load(entry)

    def first(self, spec: Callable[Concatenate[Any, P], T | None], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the plugin that is responsible, typed by the hook spec: `first(HookSpecs.artifact_repo, uri=uri)`.

        The key is the scheme of `uri`, or `name`.
        Raises PluginNotFoundError: nobody answers. PluginError: the plugin broke; its own MlcoreError passes.
        """
        if args:
            raise TypeError(f"arguments of hook {spec.__name__!r} are passed by name")
        hook = spec.__name__
        key = self._key(kwargs)
        self._load_always_on()
        entry = self.entry(hook, key)
        answer = self._call(self._load(entry), entry, hook, kwargs) if entry else None
        for plugin in [] if answer is not None else self._unkeyed(hook):
            answer = self._call(plugin, None, hook, kwargs)
            if answer is not None:
                break
        if answer is None:
            uri = kwargs.get("uri")
            raise not_found(hook, key, self.keys(hook), self._entries, uri if isinstance(uri, str) else None)
        return answer  # type: ignore[no-any-return]  # pluggy is untyped here; the spec says T

    def every(self, spec: Callable[Concatenate[Any, P], T | None], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """Ask every plugin that implements the hook and gather the answers that are not None.

        A plugin that raises is reported once and left out.
        """
        if args:
            raise TypeError(f"arguments of hook {spec.__name__!r} are passed by name")
        hook = spec.__name__
        self._load_always_on()
        for entry in self._entries:
            if entry.hook == hook and self._selection.allows(entry):
                self._load_or_report(entry)
        answers: list[T] = []
        for impl in reversed(self._caller(hook).get_hookimpls()):
            if impl.hookwrapper or impl.wrapper:
                continue
            try:
                answer = self._subset(hook, impl.plugin)(**kwargs)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as err:  # noqa: BLE001  # a listener must not disturb the one who reports
                self._report(impl.plugin_name, f"hook {hook!r}", err)
            else:
                # one implementation was called: a hook with firstresult returns its answer, others a list of it
                single = answer if self._is_firstresult(hook) else next(iter(answer), None)
                answers += [] if single is None else [single]
        return answers

    def strictly(
        self, spec: Callable[Concatenate[Any, P], T | None], *args: P.args, **kwargs: P.kwargs
    ) -> list[tuple[str, T]]:
        """Ask every plugin that implements the hook, and gather the answers that are not None with who gives them.

        Raises PluginError: one cannot be loaded, or raised; for hooks that must not be passed by. Its cause is that error.
        """
        if args:
            raise TypeError(f"arguments of hook {spec.__name__!r} are passed by name")
        hook = spec.__name__
        self._load_always_on()
        for entry in self._entries:
            if entry.hook == hook and self._selection.allows(entry):
                self._load(entry)
        answers: list[tuple[str, T]] = []
        for impl in reversed(self._caller(hook).get_hookimpls()):
            if impl.hookwrapper or impl.wrapper:
                continue
            shown = self._shown(hook, impl.plugin)
            try:
                found = self._subset(hook, impl.plugin)(**kwargs)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as err:
                raise PluginError(f"plugin {shown} failed in hook {hook!r}: {type(err).__name__}: {err}") from err
            answers += [(shown, each) for each in found]
        return answers

    def finish(self, hook: str, answer: Callable[[], None]) -> None:
        """Call what a plugin answered to *hook* for the end; what it raises is reported and disturbs nobody."""
        try:
            answer()
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as err:  # noqa: BLE001  # the end of what is watched must not fail for who watches
            where = getattr(answer, "__module__", type(answer).__name__)
            logger.warning("what %s answered to hook %r failed with %s: %s", where, hook, type(err).__name__, err)

    def _key(self, kwargs: Mapping[str, object]) -> str:
        uri = kwargs.get("uri")
        return scheme(uri) if isinstance(uri, str) else str(kwargs.get("name", ""))

    def _load(self, entry: PluginEntry) -> object:
        if entry.value in self._loaded:
            return self._loaded[entry.value]
        if problem := kernel_mismatch(entry):
            raise PluginVersionError(problem)
        try:
            module = self._import(entry)
            if entry.foreign:
                module = cast(Bridge, module).plugin(entry)
            if not self._manager.is_registered(module):
                self._register(module, entry)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as err:
            self._failed[entry.value] = err
            raise PluginError(
                f"plugin {entry} failed to load: {type(err).__name__}: {err}. "
                f"Reinstall or remove it: pip uninstall {entry.dist}"
            ) from err
        self._loaded[entry.value] = module
        self._callers.clear()
        return module

    def _cross(self, name: str, wanted: tuple[str, ...]) -> None:
        """Add what a bridge finds; one that is missing or broken is reported, and everything else goes on."""
        try:
            bridge = cast(Bridge, self.load(BRIDGE, name))
            found = bridge.installed(wanted)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as err:  # noqa: BLE001  # a bridge must not disturb those who do not need it
            self._report(f"{BRIDGE}:{name}", "looking for what it bridges", err)
        else:
            self._entries += offered(found, self._entries, self._selection)

    def _register(self, module: object, entry: PluginEntry) -> None:
        """Register a module; warnings about what is to go, which point to a line of it, name the plugin besides."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            self._manager.register(module, entry.value)
        for each in said:
            warnings.warn_explicit(f"plugin {entry}: {each.message}", each.category, each.filename, each.lineno)

    def _import(self, entry: PluginEntry) -> object:
        name = entry.value.partition(":")[0]
        if self._trace is None:
            return importlib.import_module(name)
        return self._trace.timed(IMPORT, str(entry), lambda: importlib.import_module(name))

    def _load_or_report(self, entry: PluginEntry) -> None:
        if entry.value in self._failed:
            return
        try:
            self._load(entry)
        except PluginError as err:
            self._report(entry.value, "loading", err.__cause__ or err, str(entry))

    def _load_always_on(self) -> None:
        if self._always_loaded:
            return
        self._always_loaded = True
        for entry in self._entries:
            if entry.hook == ALWAYS and self._selection.allows(entry):
                self._load_or_report(entry)

    def _report(self, name: str, action: str, err: BaseException, shown: str = "") -> None:
        if name in self._failed and not shown:
            return
        self._failed[name] = err
        entry = next((str(e) for e in self._entries if e.value == name), name)
        logger.warning("plugin %s is left out: %s failed with %s: %s", shown or entry, action, type(err).__name__, err)

    def _shown(self, hook: str, plugin: object) -> str:
        name = self._manager.get_name(plugin) or repr(plugin)
        found = sorted((e for e in self._entries if e.value == name), key=lambda e: e.hook != hook)  # its own first
        return str(found[0]) if found else name

    def _unkeyed(self, hook: str) -> list[object]:
        """Plugins that implement *hook* without an entry for it: always-on ones and those registered by hand."""
        keyed = {id(self._loaded[e.value]) for e in self._entries if e.hook == hook and e.value in self._loaded}
        impls = [i for i in self._caller(hook).get_hookimpls() if not (i.hookwrapper or i.wrapper)]
        return [i.plugin for i in reversed(impls) if id(i.plugin) not in keyed]

    def _call(self, plugin: object, entry: PluginEntry | None, hook: str, kwargs: Mapping[str, object]) -> Any:
        from mlcore.errors import MlcoreError

        try:
            return self._subset(hook, plugin)(**kwargs)
        except (MlcoreError, KeyboardInterrupt, GeneratorExit) as err:
            if entry:
                err.add_note(f"raised by plugin {entry}")
            raise
        except BaseException as err:
            raise PluginError(
                f"plugin {entry or self._manager.get_name(plugin)} failed in hook {hook!r}: {type(err).__name__}: {err}"
            ) from err

    def _is_firstresult(self, hook: str) -> bool:
        spec = self._caller(hook).spec
        return bool(spec and spec.opts.get("firstresult"))

    def _caller(self, hook: str) -> pluggy.HookCaller:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller

    def _subset(self, hook: str, plugin: object) -> Callable[..., Any]:
        """A caller that reaches *plugin* and all wrappers, and no other."""
        key = (hook, id(plugin))
        if key not in self._callers:
            others = [
                i.plugin
                for i in self._caller(hook).get_hookimpls()
                if i.plugin is not plugin and not (i.hookwrapper or i.wrapper)
            ]
            caller: Callable[..., Any] = self._manager.subset_hook_caller(hook, others)
            if self._trace is not None:
                caller = self._trace.wrap(hook, self._shown(hook, plugin), caller)
            self._callers[key] = caller
        return self._callers[key]


def hook_names() -> tuple[str, ...]:
    """Return the names of all hooks, in the order of the specs."""
    import inspect

    from mlcore.hookspecs import PROJECT, HookSpecs

    return tuple(n for n, f in vars(HookSpecs).items() if inspect.isfunction(f) and hasattr(f, f"{PROJECT}_spec"))


@functools.lru_cache(maxsize=1)
def current() -> Plugins:
    """Return the plugins of this process, found at the first call; what the fluent API uses."""
    return Plugins.discover()


__all__ = ["PluginEntry", "PluginNotFoundError", "Plugins", "current", "hook_names"]
