"""Frozen, slotted value classes, declared as with `dataclasses` and without what that costs.

A run's own modules define some thirty of them, and every `skilllite run` defines them anew:
`dataclasses` imports inspect and ast (9 ms) and compiles source for each class (0.5 ms). Here a
class costs some 20 µs, because its methods are shared; making an instance costs about 2 µs more.

Type checkers see `dataclasses`, and so does whoever asks an instance: `dataclasses.replace`,
`asdict` and `fields` work on these as on any other. Only `frozen=True, slots=True` exists.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` is another 3 ms
if TYPE_CHECKING:
    from dataclasses import asdict as asdict
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    from operator import attrgetter

    class _Factory:
        """The default of a field that every instance gets a fresh one of."""

        __slots__ = ("make",)

        def __init__(self, make):
            self.make = make

    def field(*, default_factory):
        """Return the default of a field, made anew for each instance."""
        return _Factory(default_factory)

    def dataclass(*, frozen, slots):
        """Return the decorator; see the module."""
        assert frozen and slots, "the other kinds are in dataclasses"
        return _value_class

    def replace(value, /, **changes):
        """Return a copy with other values in these fields."""
        kept = {name: getattr(value, name) for name in value.__match_args__ if name not in changes}
        return type(value)(**kept, **changes)

    def asdict(value):
        """Return the fields as a dict, values in them likewise; containers of others are copied."""
        return {name: _plain(getattr(value, name)) for name in value.__match_args__}

    def _plain(value):
        if hasattr(type(value), "__value_defaults__"):
            return asdict(value)
        if isinstance(value, (list, tuple)):
            return type(value)(map(_plain, value))
        if isinstance(value, dict):
            return {_plain(key): _plain(each) for key, each in value.items()}
        return value

    def _value_class(cls):
        body = dict(cls.__dict__)
        names = tuple(body.get("__annotations__", ()))
        defaults = {name: body.pop(name) for name in names if name in body}
        body.pop("__dict__", None)
        body.pop("__weakref__", None)
        for name, method in _METHODS.items():
            body.setdefault(name, method)
        body.update(
            __slots__=names,
            __match_args__=names,
            __value_defaults__=defaults,
            __dataclass_fields__=_Fields(),
            __qualname__=cls.__qualname__,
        )
        # A class with slots has to be born with them.
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made._set_ = tuple(getattr(made, name).__set__ for name in names)
        made._values_ = _getter_of(names)
        return made

    def _getter_of(names):
        if len(names) > 1:
            return property(attrgetter(*names))
        return property(lambda self: tuple(getattr(self, name) for name in names))

    def _init(self, *given, **named):
        cls = type(self)
        names = cls.__match_args__
        if named or len(given) != len(names):
            given = (*given, *_rest(cls, names[len(given) :], named, len(given) - len(names)))
        for put, value in zip(cls._set_, given, strict=True):
            put(self, value)

    def _rest(cls, names, named, too_many):
        if too_many > 0:
            raise TypeError(f"{cls.__name__} takes {too_many} positional arguments less")
        for name in names:
            if name in named:
                yield named.pop(name)
            elif name in cls.__value_defaults__:
                default = cls.__value_defaults__[name]
                yield default.make() if isinstance(default, _Factory) else default
            else:
                raise TypeError(f"{cls.__name__} needs the argument {name!r}")
        if named:
            raise TypeError(f"{cls.__name__} takes no argument {next(iter(named))!r}, or twice")

    def _refuse(self, name, value=None):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _equal(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return self._values_ == other._values_

    def _repr(self):
        pairs = zip(self.__match_args__, self._values_, strict=True)
        inside = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"{type(self).__qualname__}({inside})"

    _METHODS = {
        "__init__": _init,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__eq__": _equal,
        "__hash__": lambda self: hash(self._values_),
        "__repr__": _repr,
        "__reduce__": lambda self: (type(self), self._values_),
    }

    class _Fields:
        """What `dataclasses` looks for in a class, made when it looks for the first time."""

        def __get__(self, instance, cls):
            import dataclasses

            fields = [
                (name, cls.__annotations__[name], *_described(cls.__value_defaults__, name))
                for name in cls.__match_args__
            ]
            twin = dataclasses.make_dataclass(cls.__name__, fields, frozen=True)
            cls.__dataclass_fields__ = twin.__dataclass_fields__
            return cls.__dataclass_fields__

    def _described(defaults, name):
        import dataclasses

        if name not in defaults:
            return ()
        default = defaults[name]
        if isinstance(default, _Factory):
            return (dataclasses.field(default_factory=default.make),)
        # By a factory too: as a default `dataclasses` takes only what can be hashed.
        return (dataclasses.field(default_factory=lambda: default),)
