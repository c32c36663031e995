"""The figure of lifespans among published ones: bars at the same conditions, or all over the current density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodiophile.result import Result

# M. Okabe and K. Ito, Color Universal Design (2008): one's own stands out of greys for all eyes
_OWN = "#0072B2"
_NAMED, _UNNAMED = "#7f7f7f", "#c4c4c4"
_CLASSES = (("up to 1", 1.0, "#56B4E9", "o"), ("up to 5", 5.0, "#E69F00", "^"), ("above 5", 1e9, "#009E73", "D"))
_AXES = {
    "hours": ("lifespan_h", "lifespan (h)"),
    "cycles": ("cycles", "lifespan (cycles)"),
    "plated capacity": ("plated_capacity_mAh_cm2", "plated before failure (mAh/cm²)"),
}
_MOST_BARS = 14
_LONGEST_LABEL = 26


def draw(result: Result, ax: Axes) -> None:
    """Draw what is compared; an arrow means that the cell had not failed when its test ended."""
    column, label = _AXES[result.inputs["axis"]]
    rows = result.table("lifespans").to_dicts()
    if result.inputs["show"] == "all":
        _scatter(rows, column, label, ax)
    else:
        _bars(rows, column, label, ax)


def _bars(rows: list[dict[str, Any]], column: str, label: str, ax: Axes) -> None:
    left_out = max(0, len(rows) - _MOST_BARS)
    # one's own are never the ones left out
    kept = sorted(range(len(rows)), key=lambda at: rows[at]["whose"] == "published")[:_MOST_BARS]
    rows = [rows[at] for at in sorted(kept)]
    longest = max((row[column] for row in rows), default=1.0)
    y, ticks, names, condition = 0.0, [], [], None
    for row in rows:
        if row["condition"] != condition:
            condition = row["condition"]
            ax.text(0.0, y - 0.1, f" {condition}", fontsize="small", fontweight="bold", va="center")
            y += 1
        own = row["whose"] != "published"
        colour = _OWN if own else _UNNAMED if row["electrolyte_state"] == "not named" else _NAMED
        hatch = "////" if row["electrolyte_state"] == "solid" else None
        outlined = row["whose"] == "simulated"
        ax.barh(
            y, row[column], height=0.7, color="white" if outlined else colour, hatch=hatch,
            edgecolor=colour if outlined else "white", linewidth=1.0 if outlined else 0,
        )  # fmt: skip
        end = row[column]
        if row["bound"] == "at least":
            ax.annotate(
                "", (end + 0.09 * longest, y), (end - 0.002 * longest, y),
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0},
            )  # fmt: skip
            end += 0.09 * longest
        sign = {"at least": "> ", "less than": "< ", "about": "≈ "}.get(row["bound"], "")
        ax.text(end + 0.02 * longest, y, f"{sign}{row[column]:.4g}", va="center", fontsize="small")
        ticks.append(y)
        names.append(_short(row["key"] if own else row["key"].replace("-", " ")))
        y += 1
    ax.set_yticks(ticks, names, fontsize="small")
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        if row["whose"] != "published":
            tick.set_color(_OWN)
            tick.set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(y - 0.3, -0.8)
    ax.set_xlim(0, 1.3 * longest)
    ax.locator_params(axis="x", nbins=4)
    legend = "→ had not failed; light: electrolyte not named"
    if any(row["electrolyte_state"] == "solid" for row in rows):
        legend += "; hatched: solid"
    if any(row["whose"] == "simulated" for row in rows):
        legend += "; outlined: simulated"
    if left_out:
        legend += f"\n{left_out} more in the table"
    if not rows:
        legend = "nothing to show at these conditions"
    ax.set_xlabel(label)
    # below: the title is where a report says that something is simulated
    ax.text(1.0, -0.24, legend, fontsize="small", transform=ax.transAxes, ha="right", va="top")


def _scatter(rows: list[dict[str, Any]], column: str, label: str, ax: Axes) -> None:
    rows = [row for row in rows if row["current_density_mA_cm2"]]
    seen: set[str] = set()
    for row in rows:
        own = row["whose"] != "published"
        name, colour, marker = _look(row)
        x, y = row["current_density_mA_cm2"], row[column]
        bare = not own and name == "not stated"
        ax.plot(
            x, y, linestyle="none", marker="*" if own else marker, markersize=12 if own else 5,
            color=_OWN if own else colour, markerfacecolor="none" if bare else None,
            label=None if name in seen or own else name, zorder=4 if own else 3,
            markeredgecolor="white" if own else None, markeredgewidth=0.6 if own else None,
        )  # fmt: skip
        if not own:
            seen.add(name)
        else:
            ax.annotate(
                _short(row["key"]), (x, y), (6, -3), textcoords="offset points", fontsize="small", color=_OWN, zorder=5,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
        if row["bound"] == "at least":
            ax.annotate(
                "", (x, y * 1.6), (x, y),
                arrowprops={"arrowstyle": "-|>", "color": _OWN if own else colour, "linewidth": 0.9, "shrinkA": 2},
            )  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    for one in (ax.xaxis, ax.yaxis):
        one.set_major_formatter("{x:g}")
    ax.margins(x=0.12, y=0.16)
    ax.set_xlabel("current density (mA/cm²)")
    ax.set_ylabel(label)
    handles, names = ax.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda at: [*(one[0] for one in _CLASSES), "not stated"].index(names[at]))
    ax.legend(
        [handles[at] for at in order], [names[at] for at in order], title="mAh/cm² a half cycle; ↑ had not failed",
        title_fontsize="small", loc="best", ncols=2,
    )  # fmt: skip


def _look(row: dict[str, Any]) -> tuple[str, str, str]:
    capacity = row["areal_capacity_mAh_cm2"]
    if not capacity:
        return "not stated", _NAMED, "s"
    return next((name, colour, marker) for name, top, colour, marker in _CLASSES if capacity <= top)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
