r"""Our models for PyBaMM's users: the symmetric cell of two metal electrodes, and the half cell with its options set.

With sodiophile installed, plain PyBaMM finds them by its entry points ``pybamm_models``: ``pybamm.Model("...")``. The sets
of parameters that fit are those of `sodiophile.physics.pybamm_sets`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sodiophile.physics.pybamm_quiet import pybamm


def MetalHalfCell(options: dict[str, Any] | None = None, name: str = "Doyle-Fuller-Newman half cell") -> Any:
    """Return PyBaMM's Doyle-Fuller-Newman half cell whose metal has an interphase that resists, and the cathode none.

    PyBaMM puts an interphase that is asked for with ``{"SEI": "constant"}`` on *both* electrodes, the particles of the
    cathode included; here it is on the metal alone.

    Parameters
    ----------
    options
        Further options of PyBaMM, or others in place of those set here.
    name
        Of the model.

    Returns
    -------
    pybamm.lithium_ion.DFN
    """
    ours = {"working electrode": "positive", "SEI": ("constant", "none"), "SEI film resistance": "distributed"}
    return pybamm.lithium_ion.DFN({**ours, **(options or {})}, name=name)


class SymmetricMetalCell(pybamm.BaseModel):
    r"""A symmetric cell: metal, interphase, electrolyte in a separator, interphase, metal; for Li|Li, Na|Na, K|K.

    The metal of the negative side is stripped by a positive current (PyBaMM's "discharge") and that of the positive side
    plated. With x from the negative to the positive side and i > 0 that current density,

    .. math::

        \varepsilon c_t &= (\varepsilon^bDc_x)_x,\qquad -\varepsilon^bDc_x\big|_{both\,faces} = (1-t_+)\,i/F\\
        C_{int}\dot u_k &= i_k - u_k/R,\qquad
        C_{dl}\dot v_k = i_k - j_0(c_k,T)\big[e^{(1-\alpha)fv_k}-e^{-\alpha fv_k}\big],\qquad i_n = i = -i_p\\
        V &= (u_p+v_p) - (u_n+v_n) - \int\frac{i}{\kappa\varepsilon^b}dx
             + 2\frac{RT}{F}(1-t_+)\big(1+\tfrac{d\ln f}{d\ln c}\big)\ln\frac{c_p}{c_n}

    It ends when a metal electrode or the salt at a face is used up. Both electrodes are flat and pristine: no deposit, no
    dead metal, no growth of the interphase, no short (for those see ``sodiophile simulate symmetric-cycling``). The
    impedance has both arcs of the interface; ``pybamm.EISSimulation`` needs ``skip_surface_form_check=True`` for it.

    Parameters
    ----------
    name
        Of the model.
    """

    summary_variables: ClassVar[list[str]] = ["Negative electrode metal [A.h]", "Positive electrode metal [A.h]"]

    def __init__(self, name: str = "Symmetric metal cell") -> None:
        super().__init__(name=name)
        # current, area and limits of PyBaMM; its other parameters are symbols that nobody asks for
        common = pybamm.LithiumIonParameters()
        T = pybamm.Parameter("Ambient temperature [K]")
        F, f = pybamm.constants.F, pybamm.constants.F / (pybamm.constants.R * T)
        L, eps = pybamm.Parameter("Separator thickness [m]"), pybamm.Parameter("Separator porosity")
        b = pybamm.Parameter("Separator Bruggeman coefficient (electrolyte)")
        t_plus = pybamm.Parameter("Cation transference number")
        alpha = pybamm.Parameter("Negative electrode charge transfer coefficient")
        c_init = pybamm.Parameter("Initial concentration in electrolyte [mol.m-3]")
        R_int = pybamm.FunctionParameter("Metal interphase resistance [Ohm.m2]", {"Temperature [K]": T})
        C_int = pybamm.Parameter("Metal interphase capacitance [F.m-2]")
        C_dl = pybamm.Parameter("Negative electrode double-layer capacity [F.m-2]")
        metal_Ah = pybamm.Parameter("Metal electrode capacity [A.h]")

        def electrolyte(what: str, c: Any) -> Any:
            inputs = {"Electrolyte concentration [mol.m-3]": c, "Temperature [K]": T}
            return pybamm.FunctionParameter(f"Electrolyte {what}", inputs)

        def exchange(c: Any) -> Any:
            inputs = {
                "Electrolyte concentration [mol.m-3]": c,
                "Lithium metal concentration [mol.m-3]": pybamm.Scalar(0),
                "Temperature [K]": T,
            }
            return pybamm.FunctionParameter("Exchange-current density for lithium metal electrode [A.m-2]", inputs)

        Q = pybamm.Variable("Discharge capacity [A.h]")
        c = pybamm.Variable("Electrolyte concentration [mol.m-3]", domain="separator", bounds=(0, pybamm.Scalar(1e5)))
        i, current = common.current_density_with_time, common.current_with_time
        self.rhs[Q] = current / 3600
        self.initial_conditions[Q] = pybamm.Scalar(0)
        self.rhs[c] = pybamm.div(eps**b * electrolyte("diffusivity [m2.s-1]", c) * pybamm.grad(c)) / eps
        face = {side: pybamm.boundary_value(c, side) for side in ("left", "right")}
        slope = {side: -(1 - t_plus) * i / F / (eps**b * electrolyte("diffusivity [m2.s-1]", face[side])) for side in face}
        self.boundary_conditions[c] = {side: (slope[side], "Neumann") for side in face}
        self.initial_conditions[c] = c_init

        drop: dict[str, Any] = {}
        for name_of, side, sign in (("Negative", "left", 1), ("Positive", "right", -1)):
            u = pybamm.Variable(f"{name_of} interphase overpotential [V]")
            v = pybamm.Variable(f"{name_of} charge-transfer overpotential [V]")
            faradaic = exchange(face[side]) * (pybamm.exp((1 - alpha) * f * v) - pybamm.exp(-alpha * f * v))
            self.rhs[u] = (sign * i - u / R_int) / C_int
            self.rhs[v] = (sign * i - faradaic) / C_dl
            self.initial_conditions[u] = self.initial_conditions[v] = pybamm.Scalar(0)
            drop[side] = u + v
            self.variables |= {
                u.name: u,
                v.name: v,
                f"{name_of} electrode metal [A.h]": metal_Ah - sign * Q,
                f"{name_of} face electrolyte concentration [mol.m-3]": face[side],
            }
            self.events += [
                pybamm.Event(f"{name_of} electrode without metal", metal_Ah - sign * Q),
                pybamm.Event(f"{name_of} face without salt", face[side] - 1e-3 * c_init),
            ]
        ohmic = i * pybamm.Integral(
            1 / (eps**b * electrolyte("conductivity [S.m-1]", c)), pybamm.SpatialVariable("x_s", domain=["separator"])
        )
        diffusion = (
            2 / f * (1 - t_plus) * pybamm.Parameter("Thermodynamic factor") * pybamm.log(face["right"] / face["left"])
        )
        voltage = drop["right"] - drop["left"] - ohmic + diffusion
        x_s = pybamm.SpatialVariable("x_s", domain=["separator"])
        self.variables |= {
            "Time [s]": pybamm.t,
            "Current [A]": current,
            "Current density [A.m-2]": i,
            "Discharge capacity [A.h]": Q,
            "Voltage [V]": voltage,
            "Battery voltage [V]": voltage,
            "Electrolyte concentration [mol.m-3]": c,
            "Electrolyte ohmic overpotential [V]": -ohmic,
            "Concentration overpotential [V]": diffusion,
        }
        self.events += [
            pybamm.Event("Minimum voltage [V]", voltage - pybamm.Parameter("Lower voltage cut-off [V]")),
            pybamm.Event("Maximum voltage [V]", pybamm.Parameter("Upper voltage cut-off [V]") - voltage),
        ]
        self.param = common
        self._default_geometry = {"separator": {x_s: {"min": pybamm.Scalar(0), "max": L}}}
        self._default_submesh_types = {"separator": pybamm.Uniform1DSubMesh}
        self._default_spatial_methods = {"separator": pybamm.FiniteVolume()}
        self._default_var_pts = {"x_s": 60}

    @property
    def default_parameter_values(self) -> Any:
        """Return those of Na|Na."""
        from sodiophile.physics.pybamm_sets import Na_symmetric

        return pybamm.ParameterValues(Na_symmetric())

    @property
    def default_quick_plot_variables(self) -> list[str]:
        """Return what a quick plot shows."""
        return ["Current [A]", "Voltage [V]", "Electrolyte concentration [mol.m-3]", "Concentration overpotential [V]"]
