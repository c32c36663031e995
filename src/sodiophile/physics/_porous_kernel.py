r"""The equations of `sodiophile.physics.porous_cell` in time: residual, Jacobian and the implicit steps, as compiled loops.

The unknowns are ordered so that the Jacobian is a band of five on either side:

    deposit, drop over both interphases, overpotential, current | c, phi_e of each layer | c, phi_e, phi_s, x of the cathode

with c in parts of the mean concentration and x the filling at the surface of a particle. The inside of the particles is
linear and is eliminated: for one time step, x = g - j / s with the same s for all of them. Time derivatives are those of
the backward differentiation formula of second order with variable steps (C. W. Gear, Numerical Initial Value Problems in
Ordinary Differential Equations, 1971); it conserves salt, sodium and charge to the tolerance of Newton's method, whatever
the step. The loops are compiled once, in half a minute; numba keeps the machine code.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sodiophile.physics._porous_numerics import BAND, interpolate, particle_response, solve_band

METAL = 5
DEPOSIT, DROP_B, DROP_D, ETA, CURRENT = range(METAL)

# places of the scalars in the array of parameters
(
    F_RT,  # F/(RT), 1/V
    FARADAY,  # C/mol
    C_MEAN,  # mol/m3
    SALT,  # (1 - t+)
    DIFFUSION_V,  # (nu/nu+)(RT/F)(1 - t+)(1 + dlnf/dlnc), V
    METAL_J0,  # A/m2
    METAL_ALPHA,
    R_METAL,  # ohm m2, interphase on the metal
    R_DEPOSIT,  # ohm m2, interphase on the deposit, per real area
    C_ON_METAL,  # F/m2, of the interphase on the metal
    C_ON_DEPOSIT,  # F/m2, of that on the deposit
    C_METAL,  # F/m2
    METAL_LEFT,  # 0 where no metal is left under the interphase to be stripped, else 1
    KEPT,  # 1 - x, the part of the stripped deposit that is not cut off
    CATHODE_J0,  # A/m2
    CATHODE_C,  # F/m2
    CATHODE_AREA,  # 1/m
    SIGMA,  # S/m, effective
    R_CONTACT,  # ohm m2
    PLATEAU,  # V
    SOFTNESS,  # V
    PARAMETERS,
) = range(22)

DONE, LIMIT, CUT_OFF, SALT_GONE, METAL_GONE, FAILED = range(6)

_LEAST_SALT = 1e-9
_LEAST_FILLING = 1e-9


@njit(cache=True)
def assemble(  # type: ignore[no-untyped-def]  # noqa: C901  one compiled loop
    y, old, lead, base, stiffness, mode, value, stripping, p, dx, eps, path, ns, tables, metal, r, ab
):  # fmt: skip
    """Fill the residual r, shape (n,), and the band ab, shape (2 BAND + 1, n), ab[BAND + i - j, j] = dr_i/dy_j.

    `lead` y + `old` is the time derivative of y; a particle of the cathode fills as x = base - j / stiffness. `mode` is 0
    for the current density `value` (A/m2, positive discharges) and 1 for the voltage `value`; `stripping` is 1, -1 for
    plating, 0 at rest. `tables` hold concentration, diffusivity and conductivity; `metal` the deposit (C/m2) and its
    area, F|eta|/RT and the logarithm of the factor by which the rate there falls behind Butler-Volmer.
    """
    n, nodes = y.size, dx.size
    for i in range(ab.shape[0]):
        for k in range(n):
            ab[i, k] = 0.0
    f, faraday, c0, salt, diffusion = p[F_RT], p[FARADAY], p[C_MEAN], p[SALT], p[DIFFUSION_V]
    c1, i_cell, eta = y[METAL], y[CURRENT], y[ETA]
    D1, dD1 = interpolate(tables[0], tables[1], c1)
    k1, dk1 = interpolate(tables[0], tables[2], c1)
    half = 0.5 * dx[0] / path[0]
    # the face of the metal: concentration and potential there
    rise = salt / faraday / c0 * half / D1
    cf = c1 + rise * i_cell
    cf_c1, cf_i = 1.0 - rise * i_cell * dD1 / D1, rise
    if cf < _LEAST_SALT:
        cf, cf_c1, cf_i = _LEAST_SALT, 0.0, 0.0
    # both surfaces of the metal
    alpha = p[METAL_ALPHA]
    j0 = p[METAL_J0] * cf ** (1.0 - alpha)
    j0_cf = (1.0 - alpha) * j0 / cf
    total_eta = 0.0
    deposit = y[DEPOSIT]
    area, area_q = interpolate(metal[0], metal[1], deposit)
    total = 0.0
    total_cf = 0.0
    deposit_i = 0.0
    deposit_e = 0.0
    deposit_cf = 0.0
    for branch in range(2):
        row = DROP_B if branch == 0 else DROP_D
        drop = y[row]
        drive = min(max(f * (eta - drop), -80.0), 80.0)
        forward, backward = np.exp((1.0 - alpha) * drive), np.exp(-alpha * drive)
        behind, behind_x = interpolate(metal[2], metal[3], abs(drive))
        factor = np.exp(behind)
        faradaic = factor * j0 * (forward - backward)
        slope = factor * j0 * f * ((1.0 - alpha) * forward + alpha * backward)
        slope += faradaic * behind_x * f * np.sign(drive)
        cf_slope = factor * j0_cf * (forward - backward)
        # charging of the double layer follows eta - drop, of the interphase the drop
        charging = p[C_METAL] * (lead * (eta - drop) + old[ETA] - old[row])
        through = faradaic + charging
        through_e = slope + p[C_METAL] * lead
        resistance = p[R_METAL] if branch == 0 else p[R_DEPOSIT]
        film = p[C_ON_METAL] if branch == 0 else p[C_ON_DEPOSIT]
        relax = film * (lead * drop + old[row])
        r[row] = drop - resistance * (through - relax)
        ab[BAND, row] = 1.0 + resistance * (through_e + film * lead)
        ab[BAND + row - ETA, ETA] = -resistance * through_e
        ab[BAND + row - CURRENT, CURRENT] = -resistance * cf_slope * cf_i
        ab[BAND + row - METAL, METAL] = -resistance * cf_slope * cf_c1
        weight = p[METAL_LEFT] if branch == 0 else area
        total += weight * through
        total_eta += weight * through_e
        total_cf += weight * cf_slope
        ab[BAND + ETA - row, row] = -weight * through_e
        if branch == 1:
            deposit_i, deposit_e, deposit_cf = through, through_e, cf_slope
    # their currents add up to that of the cell
    r[ETA] = total - i_cell
    ab[BAND, ETA] = total_eta
    ab[BAND + ETA - CURRENT, CURRENT] = total_cf * cf_i - 1.0
    ab[BAND + ETA - METAL, METAL] = total_cf * cf_c1
    ab[BAND + ETA - DEPOSIT, DEPOSIT] = area_q * deposit_i
    # what becomes of the deposit
    change = lead * deposit + old[DEPOSIT]
    ab[BAND, DEPOSIT] = lead if lead != 0.0 else 1.0
    if stripping > 0:
        r[DEPOSIT] = change + area * deposit_i / p[KEPT]
        ab[BAND, DEPOSIT] += area_q * deposit_i / p[KEPT]
        ab[BAND + DEPOSIT - DROP_D, DROP_D] = -area * deposit_e / p[KEPT]
        ab[BAND + DEPOSIT - ETA, ETA] = area * deposit_e / p[KEPT]
        ab[BAND + DEPOSIT - CURRENT, CURRENT] = area * deposit_cf * cf_i / p[KEPT]
        ab[BAND + DEPOSIT - METAL, METAL] = area * deposit_cf * cf_c1 / p[KEPT]
    elif stripping < 0:
        r[DEPOSIT] = change + i_cell
        ab[BAND + DEPOSIT - CURRENT, CURRENT] = 1.0
    else:
        r[DEPOSIT] = change
    # from the face of the metal to the middle of the first cell
    ohmic = half / k1
    r[CURRENT] = -eta - y[METAL + 1] + diffusion * (np.log(max(c1, _LEAST_SALT)) - np.log(cf)) - i_cell * ohmic
    ab[BAND + CURRENT - ETA, ETA] = -1.0
    ab[BAND + CURRENT - (METAL + 1), METAL + 1] = -1.0
    ab[BAND, CURRENT] = -diffusion * cf_i / cf - ohmic
    ab[BAND + CURRENT - METAL, METAL] = diffusion * (1.0 / max(c1, _LEAST_SALT) - cf_c1 / cf) + i_cell * ohmic * dk1 / k1
    # the pores; fluxes through the left face of each cell are those through the right face of the one before
    salt_in = salt / faraday / c0 * i_cell
    r[METAL] = eps[0] * dx[0] * (lead * c1 + old[METAL]) - salt_in
    ab[BAND, METAL] = eps[0] * dx[0] * lead
    ab[BAND + METAL - CURRENT, CURRENT] = -salt / faraday / c0
    r[METAL + 1] = -i_cell
    ab[BAND + METAL + 1 - CURRENT, CURRENT] = -1.0
    at = METAL
    for k in range(nodes):
        in_cathode = k >= ns
        size = 4 if in_cathode else 2
        following = at + size
        if k > 0:
            r[at] += eps[k] * dx[k] * (lead * y[at] + old[at])
            ab[BAND, at] += eps[k] * dx[k] * lead
        if k + 1 < nodes:
            ca, cb = y[at], y[following]
            Da, dDa = interpolate(tables[0], tables[1], ca)
            Db, dDb = interpolate(tables[0], tables[1], cb)
            ka, dka = interpolate(tables[0], tables[2], ca)
            kb, dkb = interpolate(tables[0], tables[2], cb)
            la, lb = 0.5 * dx[k] / path[k], 0.5 * dx[k + 1] / path[k + 1]
            G = 1.0 / (la / Da + lb / Db)
            G_a, G_b = G * G * la * dDa / Da**2, G * G * lb * dDb / Db**2
            flux = G * (ca - cb)
            flux_a, flux_b = G + G_a * (ca - cb), -G + G_b * (ca - cb)
            K = 1.0 / (la / ka + lb / kb)
            K_a, K_b = K * K * la * dka / ka**2, K * K * lb * dkb / kb**2
            pa, pb = max(ca, _LEAST_SALT), max(cb, _LEAST_SALT)
            drive_V = y[at + 1] - y[following + 1] + diffusion * (np.log(pb) - np.log(pa))
            through = K * drive_V
            through_a, through_b = K_a * drive_V - K * diffusion / pa, K_b * drive_V + K * diffusion / pb
            r[at] += flux
            r[at + 1] += through
            r[following] = -flux
            r[following + 1] = -through
            ab[BAND, at] += flux_a
            ab[BAND + at - following, following] += flux_b
            ab[BAND + following - at, at] -= flux_a
            ab[BAND, following] -= flux_b
            ab[BAND + 1, at] += through_a
            ab[BAND + at + 1 - following, following] += through_b
            ab[BAND, at + 1] += K
            ab[BAND + at - following, following + 1] -= K
            ab[BAND + following + 1 - at, at] -= through_a
            ab[BAND + 1, following] -= through_b
            ab[BAND + following - at, at + 1] -= K
            ab[BAND, following + 1] += K
        if in_cathode:
            m = k - ns
            s, x = at + 2, at + 3
            filling = min(max(y[x], _LEAST_FILLING), 1.0 - _LEAST_FILLING)
            j = stiffness * (base[m] - y[x])
            tension = y[s] - y[at + 1]
            amount = p[CATHODE_AREA] * dx[k]
            charging = p[CATHODE_C] * (lead * tension + old[s] - old[at + 1])
            source, source_v = amount * (j + charging), amount * p[CATHODE_C] * lead
            source_x = -amount * stiffness
            share = salt / faraday / c0
            r[at] -= share * source
            r[at + 1] -= source
            ab[BAND + at - s, s] -= share * source_v
            ab[BAND - 1, at + 1] += share * source_v
            ab[BAND + at - x, x] -= share * source_x
            ab[BAND + at + 1 - s, s] -= source_v
            ab[BAND, at + 1] += source_v
            ab[BAND + at + 1 - x, x] -= source_x
            # the solid: its current falls by what leaves it
            r[s] = source
            ab[BAND, s] += source_v
            ab[BAND + s - (at + 1), at + 1] -= source_v
            ab[BAND + s - x, x] += source_x
            if k > ns:
                g = p[SIGMA] / (0.5 * (dx[k] + dx[k - 1]))
                r[s] -= g * (y[s - 4] - y[s])
                ab[BAND, s] += g
                ab[BAND + 4, s - 4] -= g
            if k + 1 < nodes:
                g = p[SIGMA] / (0.5 * (dx[k] + dx[k + 1]))
                r[s] += g * (y[s] - y[s + 4])
                ab[BAND, s] += g
                ab[BAND - 4, s + 4] -= g
            elif mode == 0:
                r[s] += value
            else:
                g = 1.0 / (0.5 * dx[k] / p[SIGMA] + p[R_CONTACT])
                r[s] += g * (y[s] - value)
                ab[BAND, s] += g
            # charge transfer, as a voltage
            c = max(y[at], _LEAST_SALT)
            exchange = p[CATHODE_J0] * np.sqrt(c * 4.0 * filling * (1.0 - filling))
            ratio = 0.5 * j / exchange
            U = p[PLATEAU] + p[SOFTNESS] * (1.0 / filling - 1.0 / (1.0 - filling))
            U_x = -p[SOFTNESS] * (1.0 / filling**2 + 1.0 / (1.0 - filling) ** 2)
            r[x] = tension - U - 2.0 / f * np.arcsinh(ratio)
            steep = 2.0 / f / np.sqrt(1.0 + ratio * ratio)
            ab[BAND + x - s, s] = 1.0
            ab[BAND + x - (at + 1), at + 1] = -1.0
            ab[BAND + x - at, at] = steep * ratio * 0.5 / c
            ab[BAND, x] = -U_x - steep * (
                -0.5 * stiffness / exchange - 0.5 * ratio * (1.0 / filling - 1.0 / (1.0 - filling))
            )
        at = following


@njit(cache=True)
def lowest_salt(y, ns, m):  # type: ignore[no-untyped-def]
    """Return the lowest concentration in parts of the mean."""
    lowest = y[METAL]
    for k in range(ns):
        lowest = min(lowest, y[METAL + 2 * k])
    for k in range(m):
        lowest = min(lowest, y[y.size - 4 - 4 * k])
    return lowest


@njit(cache=True)
def newton(  # type: ignore[no-untyped-def]
    guess, old, lead, base, stiffness, mode, value, stripping, p, dx, eps, path, ns, tables, metal, r, ab, work
):  # fmt: skip
    """Bring `guess` to the solution of one step by Newton's method; return whether it was found.

    A concentration is never brought further than nine tenths of the way to its bound in one iteration.
    """
    for _ in range(12):
        assemble(guess, old, lead, base, stiffness, mode, value, stripping, p, dx, eps, path, ns, tables, metal, r, ab)
        if not solve_band(ab, r, work):
            return False
        scale, at = 1.0, METAL
        for k in range(dx.size):
            if r[at] > 0 and guess[at] > 0 and r[at] * scale > 0.9 * guess[at]:
                scale = 0.9 * guess[at] / r[at]
            if k >= ns:
                x = guess[at + 3]
                if r[at + 3] * scale > 0.9 * x:
                    scale = 0.9 * x / r[at + 3]
                if -r[at + 3] * scale > 0.9 * (1.0 - x):
                    scale = -0.9 * (1.0 - x) / r[at + 3]
            at += 4 if k >= ns else 2
        # the deposit is no unknown to judge by, and a current counts in parts of 1000 A/m2
        change = max(abs(r[DROP_B]), abs(r[DROP_D]), abs(r[ETA]), 1e-3 * abs(r[CURRENT]))
        for k in range(METAL, guess.size):
            change = max(change, abs(r[k]))
        if not np.isfinite(change):
            return False
        for k in range(guess.size):
            guess[k] -= scale * r[k]
        # the last change squared is the error that is left
        if change < 1e-6 and scale == 1.0:
            return True
    return False


@njit(cache=True)
def step_error(found, predicted, mode, ns, nodes):  # type: ignore[no-untyped-def]
    """Return how far the solution of a step lies from its prediction, in mV, 1e-3 of a concentration, 1e-3 of a current."""
    error = max(abs(found[found.size - 2] - predicted[found.size - 2]), abs(found[ETA] - predicted[ETA]))
    at = METAL
    for k in range(nodes):
        error = max(error, abs(found[at] - predicted[at]))
        if k >= ns:
            error = max(error, abs(found[at + 3] - predicted[at + 3]))
        at += 4 if k >= ns else 2
    if mode == 1:
        error = max(error, abs(found[CURRENT] - predicted[CURRENT]) / (1.0 + abs(found[CURRENT])))
    return 1e3 * error


@njit(cache=True)
def advance(  # type: ignore[no-untyped-def]  # noqa: C901  one compiled loop
    y, particles, p, dx, eps, path, ns, tables, metal, rate, volume, surface, outer,
    mode, value, stripping, duration, first_dt, most_dt, tolerance, limit, direction, cut_off, metal_left,
    out_t, out_v, out_i, out_c,
):  # fmt: skip
    """Advance y, shape (n,), and particles, shape (m, nr), in place until a time, a limit or an end; return (reason, rows).

    `limit` is the voltage that ends the step: from below if `direction` is 1, from above if it is -1, none if it is 0;
    `cut_off` (A/m2) ends a hold; `metal_left` (C/m2) is what the interphase still covers. `tolerance` is the error of a
    step in mV and in 1e-3 of a concentration. Each row of the outputs is a step; the first is the state at the beginning.
    """
    n, m, nr = y.size, particles.shape[0], volume.size
    r, ab, work = np.empty(n), np.empty((2 * BAND + 1, n)), np.empty((n, 3 * BAND + 1))
    guess, old = np.empty(n), np.zeros(n)
    y1, y2 = y.copy(), y.copy()
    particles1 = particles.copy()
    inside, unit, base = np.empty((m, nr)), np.empty(nr), np.empty(m)
    old_inside = np.empty((m, nr))
    t, dt, dt1, dt2, done, rows, landing = 0.0, first_dt, 0.0, 0.0, 0, 1, 0
    tail = 0.5 * dx[dx.size - 1] / p[SIGMA] + p[R_CONTACT]
    v_last = y[n - 2] - y[CURRENT] * tail if mode == 0 else value
    # the voltage of before, with the current that flows from now on
    out_t[0], out_v[0], out_c[0] = 0.0, v_last, lowest_salt(y, ns, m)
    out_i[0] = value if mode == 0 else y[CURRENT]
    least_dt = 1e-9 * max(1.0, first_dt)
    stripped, deposit_begin = 0.0, y[DEPOSIT]
    while t < duration * (1.0 - 1e-12) and rows < out_t.size:
        dt = min(dt, most_dt, duration - t)
        ratio = dt / dt1 if done >= 1 else 0.0
        lead = (1.0 + 2.0 * ratio) / ((1.0 + ratio) * dt)
        now, before = -(1.0 + ratio) / dt, ratio * ratio / ((1.0 + ratio) * dt)
        for k in range(n):
            old[k] = now * y[k] + before * y1[k]
            guess[k] = y[k]
        for q in range(m):
            for k in range(nr):
                old_inside[q, k] = now * particles[q, k] + before * particles1[q, k]
        stiffness = particle_response(lead, old_inside, rate, volume, surface, outer, base, inside, unit)
        if done >= 2:
            for k in range(n):
                first = (y[k] - y1[k]) / dt1
                bend = (first - (y1[k] - y2[k]) / dt2) / (dt1 + dt2)
                guess[k] = y[k] + dt * (first + bend * (dt + dt1))
        for k in range(m):
            at = n - 1 - 4 * k
            guess[at] = min(max(guess[at], 0.5 * min(y[at], 1.0)), 1.0 - 0.5 * (1.0 - max(y[at], 0.0)))
        predicted = guess.copy()
        converged = newton(
            guess, old, lead, base, stiffness, mode, value, stripping, p, dx, eps, path, ns, tables, metal, r, ab, work
        )
        # the prediction is of second order: of its distance from the solution, 0.18 is the solution's own error
        error = 0.18 / tolerance * step_error(guess, predicted, mode, ns, dx.size) if converged and done >= 2 else 0.0
        if not converged or (error > 2.0 and dt > 1e-4):
            dt *= 0.25 if not converged else max(0.2, 0.8 * error ** (-1.0 / 3.0))
            landing = 0
            if dt < least_dt:
                return (SALT_GONE if lowest_salt(y, ns, m) < 0.02 else FAILED), rows
            continue
        current = guess[CURRENT]
        voltage = guess[n - 2] - current * tail if mode == 0 else value
        stripped_now = stripped + dt * current
        if stripping > 0 and p[METAL_LEFT] > 0 and stripped_now - p[KEPT] * (deposit_begin - guess[DEPOSIT]) > metal_left:
            if dt > 1e-3:
                dt *= 0.5
                continue
            return METAL_GONE, rows
        over = direction * (voltage - limit) if direction != 0 else -1.0
        if mode == 1 and cut_off > 0:
            over = cut_off - abs(current)
        if over > 0 and landing < 40:
            # shorten the step until it ends within 1 uV of the limit (0.01 % of the current that ends a hold)
            last = direction * (v_last - limit) if mode == 0 else cut_off - abs(y[CURRENT])
            close = 1e-6 if mode == 0 else 1e-4 * cut_off
            if over > close and dt > 1e-7:
                part = -last / (over - last) if last < 0 and rows > 1 else 0.5
                dt *= min(max(part * 1.0000001, 0.02), 0.98) if landing % 3 != 2 else 0.5
                landing += 1
                continue
        # the step is taken
        for q in range(m):
            j = stiffness * (base[q] - guess[n - 1 - 4 * (m - 1 - q)])
            for k in range(nr):
                particles1[q, k] = particles[q, k]
                particles[q, k] = inside[q, k] + j * unit[k]
        for k in range(n):
            y2[k] = y1[k]
            y1[k] = y[k]
            y[k] = guess[k]
        dt2, dt1 = dt1, dt
        t += dt
        done += 1
        stripped, v_last = stripped_now, voltage
        out_t[rows], out_v[rows], out_i[rows], out_c[rows] = t, voltage, current, lowest_salt(y, ns, m)
        rows += 1
        if over > 0:
            return (LIMIT if mode == 0 else CUT_OFF), rows
        if landing > 0:
            # on the way to a limit: the rest of the step that met it, once more
            landing = 0
        elif done >= 3:
            dt *= min(2.0, max(0.5, 0.8 * (error + 1e-12) ** (-1.0 / 3.0)))
        else:
            dt *= 2.0
    return (DONE if rows < out_t.size else FAILED), rows
