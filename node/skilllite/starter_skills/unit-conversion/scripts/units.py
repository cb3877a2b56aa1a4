"""The units: quantity, symbol, other names, and the exact factor to the unit of the quantity.

Every factor is a fraction, so that a conversion is rounded once, at the end. The only one that is
not exact by definition is pi, which is given with fifty digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

PI = Fraction("3.14159265358979323846264338327950288419716939937510")


@dataclass(frozen=True)
class Unit:
    """value in the quantity's own unit = (value in this unit + offset) * factor."""

    quantity: str
    symbol: str
    names: tuple[str, ...]
    factor: Fraction
    offset: Fraction = Fraction(0)


# quantity -> lines of "symbol | factor | names"; the factor is a decimal, a ratio, or a product.
TABLES = {
    "length": """
        m | 1 | metre meter
        km | 1000 | kilometre kilometer
        dm | 0.1 | decimetre decimeter
        cm | 0.01 | centimetre centimeter
        mm | 0.001 | millimetre millimeter
        um | 1/1000000 | µm μm micrometre micrometer micron
        nm | 1/1000000000 | nanometre nanometer
        in | 0.0254 | inch inches
        ft | 0.3048 | foot feet
        yd | 0.9144 | yard
        mi | 1609.344 | mile
        nmi | 1852 | nautical_mile
        au | 149597870700 | astronomical_unit
        ly | 9460730472580800 | light_year
    """,
    "mass": """
        kg | 1 | kilogram kilogramme kilo
        g | 0.001 | gram gramme
        mg | 1/1000000 | milligram
        ug | 1/1000000000 | µg μg microgram
        t | 1000 | tonne metric_ton
        lb | 0.45359237 | lbs pound
        oz | 0.45359237/16 | ounce
        st | 0.45359237*14 | stone stones
        ton_us | 0.45359237*2000 | short_ton us_ton
        ton_uk | 0.45359237*2240 | long_ton imperial_ton
        ct | 0.0002 | carat
    """,
    "volume": """
        m3 | 1 | m³ cubic_metre cubic_meter
        l | 0.001 | litre liter
        dl | 0.0001 | decilitre deciliter
        cl | 0.00001 | centilitre centiliter
        ml | 0.000001 | millilitre milliliter cc cm3 cm³
        in3 | 0.000016387064 | in³ cubic_inch
        ft3 | 0.028316846592 | ft³ cubic_foot cubic_feet
        gal | 0.003785411784 | gallon us_gallon
        qt | 0.003785411784/4 | quart us_quart
        pt | 0.003785411784/8 | pint us_pint
        cup | 0.003785411784/16 | us_cup
        floz | 0.003785411784/128 | fl_oz fluid_ounce us_fluid_ounce
        tbsp | 0.003785411784/256 | tablespoon
        tsp | 0.003785411784/768 | teaspoon
        gal_uk | 0.00454609 | imperial_gallon uk_gallon
        pt_uk | 0.00454609/8 | imperial_pint uk_pint
        floz_uk | 0.00454609/160 | imperial_fluid_ounce uk_fluid_ounce
        bbl | 0.158987294928 | barrel oil_barrel
    """,
    "area": """
        m2 | 1 | m² sqm square_metre square_meter
        km2 | 1000000 | km² square_kilometre square_kilometer
        cm2 | 0.0001 | cm² square_centimetre square_centimeter
        mm2 | 0.000001 | mm² square_millimetre square_millimeter
        ha | 10000 | hectare
        a | 100 | are
        in2 | 0.00064516 | in² square_inch
        ft2 | 0.09290304 | ft² sqft square_foot square_feet
        yd2 | 0.83612736 | yd² square_yard
        mi2 | 2589988.110336 | mi² square_mile
        acre | 4046.8564224 | ac
    """,
    "speed": """
        m/s | 1 | mps metre_per_second meter_per_second
        km/h | 1/3.6 | kmh kph kilometre_per_hour kilometer_per_hour
        mph | 0.44704 | mi/h mile_per_hour miles_per_hour
        kn | 1852/3600 | kt knot
        ft/s | 0.3048 | fps foot_per_second feet_per_second
        c | 299792458 | speed_of_light
    """,
    "time": """
        s | 1 | sec second
        ms | 0.001 | millisecond
        us | 0.000001 | µs μs microsecond
        ns | 1/1000000000 | nanosecond
        min | 60 | minute
        h | 3600 | hr hour
        d | 86400 | day
        wk | 604800 | week
        mo | 31556952/12 | month mean_month
        yr | 31556952 | year mean_year
    """,
    "pressure": """
        Pa | 1 | pascal
        hPa | 100 | hectopascal
        kPa | 1000 | kilopascal
        MPa | 1000000 | megapascal
        bar | 100000 | bars
        mbar | 100 | millibar
        atm | 101325 | atmosphere
        torr | 101325/760 | Torr
        mmHg | 133.322387415 | millimetre_of_mercury millimeter_of_mercury
        inHg | 3386.388640341 | inch_of_mercury
        psi | 4.4482216152605/0.00064516 | pound_per_square_inch
    """,
    "energy": """
        J | 1 | joule
        kJ | 1000 | kilojoule
        MJ | 1000000 | megajoule
        Wh | 3600 | watt_hour
        kWh | 3600000 | kilowatt_hour
        MWh | 3600000000 | megawatt_hour
        cal | 4.184 | calorie
        kcal | 4184 | kilocalorie Cal
        BTU | 1055.05585262 | btu british_thermal_unit
        eV | 1.602176634*0.0000000000000000001 | electronvolt
        ftlb | 1.3558179483314004 | ft-lb foot_pound
    """,
    "angle": """
        rad | 1 | radian
        mrad | 0.001 | milliradian
        deg | pi/180 | ° degree
        arcmin | pi/10800 | minute_of_arc arcminute
        arcsec | pi/648000 | second_of_arc arcsecond
        grad | pi/200 | gon gradian
        turn | pi*2 | revolution rev
    """,
}
SI_PREFIXES = "k kilo,M mega,G giga,T tera,P peta,E exa"
IEC_PREFIXES = "Ki kibi,Mi mebi,Gi gibi,Ti tebi,Pi pebi,Ei exbi"


def all_units() -> list[Unit]:
    """Return every unit, in the order in which they are listed."""
    units: list[Unit] = []
    for quantity, table in TABLES.items():
        for line in table.strip().splitlines():
            symbol, factor, names = (part.strip() for part in line.split("|"))
            units.append(Unit(quantity, symbol, tuple(names.split()), _factor(factor)))
    return units + _temperatures() + _data()


def _factor(text: str) -> Fraction:
    for sign in "*/":
        left, found, right = text.partition(sign)
        if found:
            first, second = _factor(left), _factor(right)
            return first * second if sign == "*" else first / second
    return PI if text == "pi" else Fraction(text)


def _temperatures() -> list[Unit]:
    ninths = Fraction(5, 9)
    return [
        Unit("temperature", "K", ("kelvin",), Fraction(1)),
        Unit("temperature", "C", ("°C", "celsius", "centigrade"), Fraction(1), Fraction("273.15")),
        Unit("temperature", "F", ("°F", "fahrenheit"), ninths, Fraction("459.67")),
        Unit("temperature", "R", ("°R", "rankine"), ninths),
    ]


def _data() -> list[Unit]:
    units = [
        Unit("data", "B", ("byte", "octet"), Fraction(8)),
        Unit("data", "bit", ("b",), Fraction(1)),
    ]
    for base, prefixes in ((1000, SI_PREFIXES), (1024, IEC_PREFIXES)):
        for power, entry in enumerate(prefixes.split(","), start=1):
            short, long = entry.split()
            size = Fraction(base) ** power
            bits = (f"{short}b", f"{long}bit")
            units.append(Unit("data", f"{short}B", (f"{long}byte",), size * 8))
            units.append(Unit("data", f"{short}bit", bits, size))
    return units
