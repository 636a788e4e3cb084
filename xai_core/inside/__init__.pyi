from .units import (
    Unit as Unit,
    parse_unit as parse_unit,
    parse_weighted_units as parse_weighted_units,
    step_unit as step_unit,
)
