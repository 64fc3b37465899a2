"""Where profiles are found: a path, the user's own `./profiles`, those that ship."""

from pathlib import Path

from coldbench.core.errors import UsageError
from coldbench.core.profile import Profile, Trace
from coldbench.core.trace import Recording, parse_trace

_OWN = Path("profiles")
_PACKAGE = Path(__file__).parents[1]
# In a wheel they are inside the package, in a source checkout beside it.
_SHIPPED = next(
    (folder for folder in (_PACKAGE / "profiles", _PACKAGE.parent / "profiles") if folder.is_dir()),
    _PACKAGE / "profiles",
)


def find_profile(name: str) -> tuple[str, str]:
    """The text of the profile called `name`, and where it was found, as a person knows the place.

    Raises UsageError for a name that does not exist, with those that do, or a file that cannot be read.
    """
    path = Path(name)
    if path.is_file():
        return read_text(path), name
    if path.name == name:
        for folder in (_OWN, _SHIPPED):
            path = folder / f"{name}.toml"
            if path.is_file():
                return read_text(path), f"profiles/{path.name}"
    names = sorted({path.stem for folder in (_OWN, _SHIPPED) for path in folder.glob("*.toml")})
    hint = f"a TOML file, or one of: {', '.join(names)}"
    raise UsageError("no such profile", place=f"--profile {name}", hint=hint)


def find_recordings(profile: Profile, place: str) -> dict[str, Recording]:
    """What the files that the profile's trace stages name record; `place` is the profile's own.

    Raises UsageError for a file that cannot be read or is no trace.
    """
    names = {stage.file for stage in profile.stages if isinstance(stage, Trace)}
    paths = {name: Path(place).parent / name for name in sorted(names)}
    return {name: parse_trace(read_text(path), str(path)) for name, path in paths.items()}


def read_text(path: Path) -> str:
    """A user's file, as UTF-8. Raises UsageError that names it."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError("not text: not UTF-8", place=str(path)) from None
