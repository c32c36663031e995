"""What vendors call their columns, as data: header -> BDF column, unit, sign; each marked tested or assumed.

A header is compared without case, blanks and separators (`units.plain`), its unit apart. Where a vendor has several
names for one column the first that is present is taken. `tested` means that a measured file exercises the name; the
tests read those files and hold the mark to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Header:
    """One name that a vendor gives to a column.

    Parameters
    ----------
    name
        The header without its unit.
    unit
        The unit where the header states none; the BDF unit by default.
    sign
        -1 where the vendor prints the negative of the BDF column.
    tested
        True if a measured file exercises it (for the names of BDF itself: one written from a measured file); False if it
        is assumed from manuals or other programs.
    """

    name: str
    unit: str = ""
    sign: int = 1
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Vendor:
    """The table that one family of instruments writes.

    Parameters
    ----------
    name
        The name of its reader.
    title
        What a person calls it.
    signature
        Sets of headers (without unit); the table is recognized where all of one set are present.
    columns
        BDF column -> names, in order of preference.
    states
        What the state column writes -> +1 charge, -1 discharge, 0 neither; words with "charge" in them need no entry.
    unsigned
        True if the current is printed without its sign, which then comes from the state column.
    """

    name: str
    title: str
    signature: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[Header, ...]]
    states: Mapping[str, int] = field(default_factory=dict)
    unsigned: bool = False


def _t(*names: str, unit: str = "", sign: int = 1) -> tuple[Header, ...]:
    return tuple(Header(name, unit, sign, tested=True) for name in names)


def _a(*names: str, unit: str = "", sign: int = 1) -> tuple[Header, ...]:
    return tuple(Header(name, unit, sign) for name in names)


BDF = Vendor(
    name="bdf",
    title="Battery Data Format",
    signature=(
        ("test_time_second", "current_ampere", "voltage_volt"),
        ("Test Time / s", "Current / A", "Voltage / V"),
    ),
    columns={
        "test_time_second": _t("test_time_second", "Test Time"),
        "current_ampere": _t("current_ampere", "Current"),
        "voltage_volt": _t("voltage_volt", "Voltage"),
        "unix_time_second": (*_t("unix_time_second"), *_a("Unix Time")),
        "cycle_count": _t("cycle_count"),
        "step_count": _t("step_count"),
        "step_id": _t("step_id", "Step Index"),
        "step_type": _t("step_type"),
        "step_time_second": _t("step_time_second", "Step Time"),
        "record_index": _t("record_index"),
        "charging_capacity_ah": (*_t("charging_capacity_ah"), *_t("Charging Capacity")),
        "discharging_capacity_ah": (*_t("discharging_capacity_ah"), *_t("Discharging Capacity")),
        "step_net_capacity_ah": (*_t("step_net_capacity_ah"), *_a("Step Net Capacity")),
        "charging_energy_wh": (*_t("charging_energy_wh"), *_a("Charging Energy")),
        "discharging_energy_wh": (*_t("discharging_energy_wh"), *_a("Discharging Energy")),
        "ambient_temperature_celsius": _a("ambient_temperature_celsius", "Ambient Temperature"),
        "surface_temperature_celsius": (*_t("surface_temperature_celsius"), *_a("Surface Temperature")),
        "frequency_hertz": (*_t("frequency_hertz"), *_a("Frequency")),
        "real_impedance_ohm": (*_t("real_impedance_ohm"), *_a("Real Impedance")),
        "imaginary_impedance_ohm": (*_t("imaginary_impedance_ohm"), *_a("Imaginary Impedance")),
    },
)

ECLAB = Vendor(
    name="eclab",
    title="BioLogic EC-Lab or BT-Lab text export",
    signature=(("time", "Ewe", "I", "mode"), ("time", "Ewe", "<I>", "mode"), ("time", "Ecell", "I", "Ns")),
    columns={
        "test_time_second": _t("time"),
        # of several the working electrode against the reference comes first: the choice is noted
        "voltage_volt": (*_t("Ecell", "Ewe", "<Ewe>"), *_a("<Ecell>")),
        "current_ampere": _t("I", "<I>", unit="mA"),
        "cycle_count": _t("cycle number"),
        "step_id": _t("Ns"),
        "step_time_second": _t("step time"),
        "charging_capacity_ah": _t("Q charge", unit="mA.h"),
        "discharging_capacity_ah": _t("Q discharge", unit="mA.h"),
        "charging_energy_wh": _t("Energy charge", unit="W.h"),
        "discharging_energy_wh": _t("Energy discharge", unit="W.h"),
        "surface_temperature_celsius": _t("Temperature"),
        "frequency_hertz": _t("freq"),
        "real_impedance_ohm": _t("Re(Z)"),
        "imaginary_impedance_ohm": _t("-Im(Z)", sign=-1),
    },
)

LANDT = Vendor(
    name="landt",
    title="LANDT (LAND) csv export",
    signature=(
        ("channel_index", "date_time_iso_string", "test_time", "step_name"),
        ("TestTime", "SysTime", "State", "Current", "Voltage"),
    ),
    columns={
        # what this export calls the index of the channel counts the rows
        "record_index": (*_t("channel_index"), *_a("Record", "Index")),
        "cycle_count": (*_t("cycle_index"), *_a("Cycle", "Cycle Index")),
        "step_id": (*_t("step_index"), *_a("Step", "Step Index")),
        "step_type": (*_t("step_name"), *_a("State")),
        "unix_time_second": (*_t("date_time_iso_string"), *_a("SysTime")),
        "test_time_second": (*_t("test_time"), *_a("TestTime")),
        "step_time_second": (*_t("step_time"), *_a("StepTime")),
        "current_ampere": (*_t("current"), *_a("Current")),
        "voltage_volt": (*_t("voltage"), *_a("Voltage")),
        "charging_capacity_ah": _t("charge_capacity"),
        "discharging_capacity_ah": _t("discharge_capacity"),
        "charging_energy_wh": _t("charge_energy"),
        "discharging_energy_wh": _t("discharge_energy"),
        "surface_temperature_celsius": _t("temperature_1"),
    },
)

NEWARE = Vendor(
    name="neware-export",
    title="Neware BTSDA export",
    signature=(
        ("DataPoint", "Step Type", "Date", "Current", "Voltage"),
        ("Record number", "State", "Cycle", "Steps", "Current", "Voltage", "Absolute Time"),
        ("Record Index", "Status", "Cycle", "Step", "Cur", "Voltage", "Absolute Time"),
        ("Record ID", "Cycle ID", "Step ID", "Voltage", "Current"),
        ("Record ID", "Time", "Voltage", "Current", "Realtime"),
        ("数据序号", "工步类型", "电流", "电压", "绝对时间"),
    ),
    columns={
        "record_index": (*_t("DataPoint"), *_a("Record number", "Record Index", "Record ID", "数据序号")),
        "cycle_count": (*_t("Cycle Index"), *_a("Cycle", "Cycle ID", "循环号", "循环序号")),
        "step_count": _a("Step Number"),
        "step_id": (*_t("Step Index"), *_a("Steps", "Step", "Step ID", "工步号", "工步序号")),
        "step_type": (*_t("Step Type"), *_a("State", "Status", "Step Name", "工步类型", "状态")),
        "step_time_second": (*_t("Time"), *_a("Relative Time", "时间", "相对时间")),
        "test_time_second": (*_t("Total Time", "Cumulative Time"), *_a("总时间", "累计时间")),
        "current_ampere": (*_t("Current"), *_a("Cur", "电流")),
        "voltage_volt": (*_t("Voltage"), *_a("Volt", "电压")),
        "charging_capacity_ah": (*_t("Chg. Cap."), *_a("Capacitance_Chg", "Charge_Capacity", "充电容量")),
        "discharging_capacity_ah": (*_t("DChg. Cap."), *_a("Capacitance_DChg", "Discharge_Capacity", "放电容量")),
        "charging_energy_wh": (*_t("Chg. Energy"), *_a("Engy_Chg", "充电能量")),
        "discharging_energy_wh": (*_t("DChg. Energy"), *_a("Engy_DChg", "放电能量")),
        "unix_time_second": (*_t("Date"), *_a("Absolute Time", "Realtime", "DateTime", "绝对时间")),
    },
)

ARBIN = Vendor(
    name="arbin",
    title="Arbin csv or xlsx export",
    signature=(("Test Time", "Step Index", "Cycle Index", "Charge Capacity", "Discharge Capacity"),),
    columns={
        "record_index": _t("Data Point"),
        "unix_time_second": _t("Date Time"),
        "test_time_second": _t("Test Time"),
        "step_time_second": _t("Step Time"),
        "cycle_count": _t("Cycle Index"),
        "step_id": _t("Step Index"),
        "current_ampere": _t("Current"),
        "voltage_volt": _t("Voltage"),
        "charging_capacity_ah": _t("Charge Capacity"),
        "discharging_capacity_ah": _t("Discharge Capacity"),
        "charging_energy_wh": _t("Charge Energy"),
        "discharging_energy_wh": _t("Discharge Energy"),
        "surface_temperature_celsius": _t("Aux_Temperature_1"),
        "channel": _a("Channel ID", "Channel"),
    },
)

MACCOR = Vendor(
    name="maccor",
    title="Maccor text export",
    signature=(
        ("Rec", "Step", "TestTime", "DPT Time"),
        ("Rec#", "Cyc#", "Step", "Amps", "Volts", "State"),
        ("Rec#", "Cyc#", "Step", "mAmps", "Volts", "State"),
        ("Cyc#", "Step", "TestTime", "StepTime", "DPt Time"),
    ),
    columns={
        "record_index": _t("Rec"),
        "cycle_count": (*_t("Cycle C"), *_a("Cyc#", "Cycle")),
        "step_id": _t("Step"),
        "test_time_second": (*_t("Test Time"), *_a("Test")),
        "step_time_second": (*_t("Step Time"), *_a("Step")),
        "current_ampere": (*_t("Current"), *_a("Amps"), *_a("mAmps", unit="mA")),
        "voltage_volt": (*_t("Voltage"), *_a("Volts"), *_a("mVolts", unit="mV")),
        "step_type": (*_t("Md"), *_a("State")),
        "unix_time_second": _t("DPT Time"),
        "surface_temperature_celsius": _t("Temp 1"),
    },
    states={"C": 1, "D": -1, "R": 0, "P": 0, "S": 0, "O": 0},
    unsigned=True,
)

NOVONIX = Vendor(
    name="novonix",
    title="Novonix UHPC csv",
    signature=(("Date and Time", "Run Time", "Potential", "Current"),),
    columns={
        "unix_time_second": _t("Date and Time"),
        "cycle_count": _t("Cycle Number"),
        "step_id": _t("Step Number"),
        "test_time_second": _t("Run Time"),
        "step_time_second": _t("Step Time"),
        "current_ampere": _t("Current"),
        "voltage_volt": _t("Potential"),
        "surface_temperature_celsius": _t("Temperature"),
    },
)

PEC = Vendor(
    name="pec",
    title="PEC csv export",
    signature=(("Test", "Cell", "Total Time", "Load On Time", "Current", "Voltage"),),
    columns={
        "channel": _t("Cell"),
        "step_id": _t("Step"),
        "step_type": _t("Instruction Name"),
        "cycle_count": _t("Cycle"),
        "test_time_second": _t("Total Time"),
        "step_time_second": _t("Step Time"),
        "unix_time_second": _t("Real Time"),
        "voltage_volt": _t("Voltage"),
        "current_ampere": _t("Current"),
        "charging_capacity_ah": _t("Charge Capacity"),
        "discharging_capacity_ah": _t("Discharge Capacity"),
        "charging_energy_wh": _t("Charge Energy"),
        "discharging_energy_wh": _t("Discharge Energy"),
    },
)

BASYTEC = Vendor(
    name="basytec",
    title="Basytec text export",
    signature=(("~Time", "DataSet", "U", "I"), ("Time", "DataSet", "t-Step", "U", "I"), ("~Time", "t-Step", "U", "I")),
    columns={
        "record_index": _a("DataSet"),
        "unix_time_second": _a("DateTime"),
        "test_time_second": _a("~Time", "Time"),
        "step_time_second": _a("t-Step"),
        "cycle_count": _a("Cyc-Count"),
        "step_id": _a("Line"),
        "step_type": _a("Command"),
        "current_ampere": _a("I"),
        "voltage_volt": _a("U"),
        "charging_capacity_ah": _a("Ah-Ch-Set"),
        "discharging_capacity_ah": _a("Ah-Dis-Set"),
        "surface_temperature_celsius": _a("T1"),
    },
)

PARSTAT = Vendor(
    name="parstat",
    title="Parstat or PowerSuite text export",
    signature=(("Potential", "Current", "Elapsed Time", "Frequency", "Zre", "Zim"),),
    columns={
        "test_time_second": _t("Elapsed Time"),
        "voltage_volt": _t("Potential"),
        "current_ampere": _t("Current"),
        "frequency_hertz": _t("Frequency"),
        "real_impedance_ohm": _t("Zre"),
        "imaginary_impedance_ohm": _t("Zim"),
    },
)

NOVA = Vendor(
    name="nova",
    title="Autolab (NOVA) text export",
    signature=(("WE(1).Current", "WE(1).Potential"),),
    columns={
        "test_time_second": _a("Corrected time", "Time"),
        "voltage_volt": _a("WE(1).Potential"),
        "current_ampere": _a("WE(1).Current"),
        "record_index": _a("Index"),
    },
)

GAMRY = Vendor(
    name="gamry",
    title="Gamry .DTA",
    signature=(),
    columns={
        "test_time_second": _t("T"),
        "voltage_volt": _t("Vf"),
        "current_ampere": _t("Im"),
        "surface_temperature_celsius": _a("Temp"),
    },
)
"""For its own reader, which cuts the tables out of the file."""

GAMRY_TABLE = Vendor(
    name="gamry-export",
    title="Gamry, the table of a .DTA as csv",
    signature=(("Pt", "T", "Vf", "Im"),),
    columns={
        "test_time_second": _a("T"),
        "voltage_volt": _a("Vf"),
        "current_ampere": _a("Im"),
        "surface_temperature_celsius": _a("Temp"),
    },
)

VERSASTUDIO = Vendor(
    name="versastudio",
    title="VersaStudio .par",
    signature=(),
    columns={
        "test_time_second": _t("Elapsed Time"),
        "voltage_volt": _t("E"),
        "current_ampere": _t("I"),
        "step_id": _t("Segment #"),
        "frequency_hertz": _t("Frequency"),
        "real_impedance_ohm": _t("Z Real"),
        "imaginary_impedance_ohm": _t("Z Imag"),
    },
)
"""For its own reader, which cuts the segments out of the file."""

ANY = Vendor(
    name="table",
    title="any delimited text or workbook, columns named or guessed",
    signature=(),
    columns={
        "test_time_second": _a(
            *("test_time_second", "Test Time", "Total Time", "Cumulative Time", "Elapsed Time", "Run Time", "Running Time"),
            *("Time", "t", "Time since start", "测试时间", "总时间", "时间", "Zeit", "Temps"),
            # these may start anew at every step: `times` sees to it
            *("Relative Time", "相对时间"),
        ),
        "current_ampere": _a(
            *("current_ampere", "Current", "I", "<I>", "Curr", "Cell Current", "Measured Current", "Amps", "Im"),
            *("电流", "Strom", "Courant"),
        ),
        "voltage_volt": _a(
            *(
                "voltage_volt",
                "Voltage",
                "Cell Voltage",
                "Ecell",
                "Ewe",
                "<Ewe>",
                "Potential",
                "E",
                "U",
                "V",
                "Volts",
                "Vf",
            ),
            *("电压", "Spannung", "Tension"),
        ),
        "unix_time_second": _a(
            *("unix_time_second", "Unix Time", "Date Time", "Date", "Timestamp", "Real Time", "System Time", "SysTime"),
            *("Absolute Time", "绝对时间", "系统时间"),
        ),
        "cycle_count": _a(
            *("cycle_count", "Cycle Index", "Cycle Number", "Cycle", "Cycle ID", "Cycle No", "Cyc#", "循环号", "循环序号"),
        ),
        "step_count": _a("step_count", "Step Count"),
        "step_id": _a("step_id", "Step Index", "Step ID", "Step Number", "Step", "Ns", "工步号", "工步序号"),
        "step_type": _a(
            "step_type",
            *("Step Type", "Step Name", "Step State", "State", "Status", "Mode", "Md", "工步类型", "状态"),
        ),
        "step_time_second": _a("step_time_second", "Step Time"),
        "record_index": _a("record_index", "Record", "Data Point", "Record Index", "Rec", "数据序号"),
        "charging_capacity_ah": _a("charging_capacity_ah", "Charge Capacity", "Chg. Cap.", "Q charge", "充电容量"),
        "discharging_capacity_ah": _a(
            "discharging_capacity_ah", "Discharge Capacity", "DChg. Cap.", "Q discharge", "放电容量"
        ),
        "surface_temperature_celsius": _a(
            "surface_temperature_celsius", "Temperature", "Cell Temperature", "Temp", "Temp 1"
        ),
        "ambient_temperature_celsius": _a("ambient_temperature_celsius", "Ambient Temperature"),
        "frequency_hertz": _a("frequency_hertz", "Frequency", "freq"),
        "channel": _a("Channel", "Channel ID", "Cell", "Cell ID", "Cell Name", "通道", "通道号"),
    },
)
"""The names by which columns are guessed where no vendor is recognized; every guess is noted in the record."""

VENDORS = (BDF, ECLAB, LANDT, NEWARE, PEC, NOVONIX, MACCOR, ARBIN, BASYTEC, PARSTAT, NOVA, GAMRY_TABLE)
"""In the order of recognition: what is more specific comes first."""
