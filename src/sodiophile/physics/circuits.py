r"""Equivalent circuits: complex impedance and its exact derivatives, for many sets of parameters at once.

Parameters are handled in *coordinates*: the natural logarithm of everything that must be positive, exponents alpha as they
are. Derivatives are with respect to coordinates.

===== ======================================= ================================================================
kind  parameters                              impedance
===== ======================================= ================================================================
R     R / ohm                                 :math:`R`
C     C / F                                   :math:`1/(i\omega C)`
L     L / H                                   :math:`i\omega L`
CPE   Q / ohm^-1 s^alpha, alpha               :math:`1/(Q (i\omega)^\alpha)`
Zarc  R / ohm, tau / s, alpha                 :math:`R/(1+(i\omega\tau)^\alpha)`, the same as p(R,CPE), tau = (RQ)^(1/alpha)
W     sigma / ohm s^-1/2                      :math:`\sigma(1-i)/\sqrt\omega`, semi-infinite diffusion
Ws    R / ohm, tau / s                        :math:`R\tanh\sqrt{i\omega\tau}/\sqrt{i\omega\tau}`, transmissive boundary
Wo    R / ohm, tau / s                        :math:`R\coth\sqrt{i\omega\tau}/\sqrt{i\omega\tau}`, blocking boundary
G     R / ohm, tau / s                        :math:`R/\sqrt{1+i\omega\tau}`, Gerischer
===== ======================================= ================================================================

References
----------
M. E. Orazem, B. Tribollet, Electrochemical Impedance Spectroscopy, 2nd ed. (Wiley, 2017).
A. Lasia, Electrochemical Impedance Spectroscopy and its Applications (Springer, 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError
from sodiophile.physics.circuit_parser import Element, Node, Parallel, Series, elements, parse_circuit, written

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a circuit.

    Parameters
    ----------
    name
        ``R0``, ``CPE1.Q``, ``CPE1.alpha``.
    role
        What it is, whatever the element: R, C, L, Q, sigma, tau or alpha.
    unit
        Its unit, for people.
    """

    name: str
    role: str
    unit: str

    @property
    def logarithmic(self) -> bool:
        """True if its coordinate is its natural logarithm."""
        return self.role != "alpha"


Evaluate = Callable[[Array, Array], tuple[ComplexArray, ComplexArray]]


def _resistor(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    shape = np.broadcast_shapes(log_omega.shape, (len(u), 1))
    Z = np.broadcast_to(np.exp(u[:, 0, None]), shape).astype(np.complex128)
    return Z, Z[:, None]


def _capacitor(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    Z = np.asarray(-1j * np.exp(-u[:, 0, None] - log_omega))
    return Z, -Z[:, None]


def _inductor(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    Z = np.asarray(1j * np.exp(u[:, 0, None] + log_omega), dtype=np.complex128)
    return Z, Z[:, None]


def _constant_phase(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    alpha = u[:, 1, None]
    Z = np.exp(-u[:, 0, None] - alpha * log_omega) * np.exp(-0.5j * np.pi * alpha)
    return Z, np.stack([-Z, -Z * (log_omega + 0.5j * np.pi)], axis=1)


def _zarc(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    alpha = u[:, 2, None]
    log_x = log_omega + u[:, 1, None]
    x = np.exp(alpha * log_x) * np.exp(0.5j * np.pi * alpha)
    Z = np.exp(u[:, 0, None]) / (1 + x)
    slope = -Z * x / (1 + x)
    return Z, np.stack([Z, alpha * slope, slope * (log_x + 0.5j * np.pi)], axis=1)


def _warburg(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    Z = (1 - 1j) * np.exp(u[:, 0, None] - 0.5 * log_omega)
    return Z, Z[:, None]


def _root(u: Array, log_omega: Array) -> ComplexArray:
    return np.asarray(np.exp(0.5 * (log_omega + u[:, 1, None])) * np.exp(0.25j * np.pi))


def _warburg_short(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    x = _root(u, log_omega)
    t = np.tanh(x)
    R = np.exp(u[:, 0, None])
    Z = R * t / x
    return Z, np.stack([Z, 0.5 * (R * (1 - t * t) - Z)], axis=1)


def _warburg_open(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    x = _root(u, log_omega)
    c = 1 / np.tanh(x)
    R = np.exp(u[:, 0, None])
    Z = R * c / x
    return Z, np.stack([Z, 0.5 * (R * (1 - c * c) - Z)], axis=1)


def _gerischer(u: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
    x = 1j * np.exp(log_omega + u[:, 1, None])
    Z = np.asarray(np.exp(u[:, 0, None]) / np.sqrt(1 + x), dtype=np.complex128)
    slope = np.asarray(-0.5 * Z * x / (1 + x), dtype=np.complex128)
    return Z, np.stack([Z, slope], axis=1)


_DIFFUSION = (("R", "ohm"), ("tau", "s"))
ELEMENTS: Mapping[str, tuple[tuple[tuple[str, str], ...], Evaluate]] = {
    "R": ((("R", "ohm"),), _resistor),
    "C": ((("C", "F"),), _capacitor),
    "L": ((("L", "H"),), _inductor),
    "CPE": ((("Q", "ohm^-1 s^alpha"), ("alpha", "1")), _constant_phase),
    "Zarc": ((("R", "ohm"), ("tau", "s"), ("alpha", "1")), _zarc),
    "W": ((("sigma", "ohm s^-1/2"),), _warburg),
    "Ws": (_DIFFUSION, _warburg_short),
    "Wo": (_DIFFUSION, _warburg_open),
    "G": (_DIFFUSION, _gerischer),
}
"""Kind -> (role and unit of each parameter, impedance and derivatives)."""


@dataclass(frozen=True)
class Circuit:
    """An equivalent circuit.

    Parameters
    ----------
    text
        Its string, such as ``R0-p(R1,CPE1)-p(R2,CPE2)-W1``.

    Raises
    ------
    InputError
        If the string is no circuit.

    Examples
    --------
    >>> import numpy as np
    >>> circuit = Circuit("R0-p(R1,C1)")
    >>> circuit.impedance_ohm(np.array([1e-9, 1e9]), {"R0": 10.0, "R1": 90.0, "C1": 1e-6}).real.round(6)
    array([100.,  10.])
    """

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", written(self.tree))

    @cached_property
    def tree(self) -> Node:
        """The circuit as a tree."""
        return parse_circuit(self.text, ELEMENTS)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, in the order of the string."""
        found = []
        for element in elements(self.tree):
            roles = ELEMENTS[element.kind][0]
            for role, unit in roles:
                found.append(Parameter(element.name if len(roles) == 1 else f"{element.name}.{role}", role, unit))
        return tuple(found)

    @cached_property
    def _places(self) -> dict[str, slice]:
        places, start = {}, 0
        for element in elements(self.tree):
            size = len(ELEMENTS[element.kind][0])
            places[element.name] = slice(start, start + size)
            start += size
        return places

    @cached_property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which coordinates are logarithms, shape (p,)."""
        return np.array([parameter.logarithmic for parameter in self.parameters])

    def index(self, name: str) -> int:
        """Return the place of a parameter.

        Raises
        ------
        InputError
            If the circuit has none of that name.
        """
        names = [parameter.name for parameter in self.parameters]
        if name not in names:
            raise InputError(f"no parameter {name!r}; {self.text} has {', '.join(names)}", "circuit")
        return names.index(name)

    def coordinates(self, values: Mapping[str, float]) -> Array:
        """Return the coordinates, shape (p,), of parameters given by name in their units.

        Raises
        ------
        InputError
            If one is missing, unknown, or not positive.
        """
        for name in values:
            self.index(name)
        u = np.empty(len(self.parameters))
        for place, parameter in enumerate(self.parameters):
            if parameter.name not in values:
                raise InputError(f"no value for {parameter.name!r} of {self.text}", "circuit")
            value = float(values[parameter.name])
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{parameter.name} is {value:g}, expected a positive number", "circuit")
            u[place] = np.log(value) if parameter.logarithmic else value
        return u

    def values(self, coordinates: Array) -> Array:
        """Return parameters in their units from coordinates, shape (..., p)."""
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, coordinates, 0.0)), coordinates)

    def impedance_ohm(self, frequency_Hz: Array, values: Mapping[str, float]) -> ComplexArray:
        """Return the impedance, ohm, shape (n,), for parameters given by name in their units."""
        log_omega = np.log(2 * np.pi * np.asarray(frequency_Hz, dtype=float))[None]
        return self.evaluate(self.coordinates(values)[None], log_omega)[0][0]

    def evaluate(self, coordinates: Array, log_omega: Array) -> tuple[ComplexArray, ComplexArray]:
        """Return impedances and their derivatives for several sets of parameters.

        Parameters
        ----------
        coordinates
            Shape (b, p).
        log_omega
            Natural logarithm of the angular frequency in rad/s, shape (b, n) or (1, n).

        Returns
        -------
        impedance, derivatives
            ohm, shapes (b, n) and (b, p, n).
        """
        shape = (len(coordinates), len(self.parameters), log_omega.shape[-1])
        derivatives = np.empty(shape, dtype=complex)
        Z = self._walk(self.tree, np.asarray(coordinates, dtype=float), log_omega, derivatives)
        return np.broadcast_to(Z, (shape[0], shape[2])), derivatives

    def _walk(self, node: Node, u: Array, log_omega: Array, derivatives: ComplexArray) -> ComplexArray:
        if isinstance(node, Element):
            place = self._places[node.name]
            Z, derivatives[:, place] = ELEMENTS[node.kind][1](u[:, place], log_omega)
            return Z
        if isinstance(node, Series):
            total = self._walk(node.parts[0], u, log_omega, derivatives)
            for part in node.parts[1:]:
                total = total + self._walk(part, u, log_omega, derivatives)
            return total
        return self._parallel(node, u, log_omega, derivatives)

    def _parallel(self, node: Parallel, u: Array, log_omega: Array, derivatives: ComplexArray) -> ComplexArray:
        branches = [self._walk(branch, u, log_omega, derivatives) for branch in node.branches]
        Z = np.asarray(1 / sum(1 / branch for branch in branches))
        for branch, impedance in zip(node.branches, branches, strict=True):
            share = ((Z / impedance) ** 2)[:, None]
            for element in elements(branch):
                derivatives[:, self._places[element.name]] *= share
        return Z
