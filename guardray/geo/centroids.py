"""How far apart countries are: their middles in whole degrees and how far their edges are from these, roughly.

Measured on a globe by ourselves, for deciding whether somebody can have travelled from one to the other in some hours.
"""

from __future__ import annotations

from math import acos, cos, radians, sin

EARTH_RADIUS_KM = 6371.0

USUAL_REACH_KM = 400
"""From the middle of a country to its edge, where `REACHES_KM` does not say more."""

# fmt: off
CENTROIDS: dict[str, tuple[int, int]] = {
    "AD": (43, 2), "AE": (24, 54), "AF": (34, 66), "AG": (17, -62), "AL": (41, 20), "AM": (40, 45), "AO": (-12, 18),
    "AR": (-35, -65), "AT": (48, 14), "AU": (-25, 134), "AZ": (40, 48), "BA": (44, 18), "BB": (13, -60),
    "BD": (24, 90), "BE": (51, 5), "BF": (12, -2), "BG": (43, 25), "BH": (26, 51), "BI": (-3, 30), "BJ": (10, 2),
    "BM": (32, -65), "BN": (5, 115), "BO": (-17, -65), "BR": (-11, -53), "BS": (24, -77), "BT": (27, 90),
    "BW": (-22, 24), "BY": (54, 28), "BZ": (17, -89), "CA": (56, -100), "CD": (-3, 24), "CF": (7, 21), "CG": (-1, 16),
    "CH": (47, 8), "CI": (8, -6), "CL": (-34, -71), "CM": (6, 13), "CN": (35, 105), "CO": (4, -73), "CR": (10, -84),
    "CU": (22, -79), "CV": (16, -24), "CW": (12, -69), "CY": (35, 33), "CZ": (50, 15), "DE": (51, 10), "DJ": (12, 43),
    "DK": (56, 10), "DO": (19, -71), "DZ": (28, 3), "EC": (-2, -78), "EE": (59, 26), "EG": (27, 30), "ER": (15, 39),
    "ES": (40, -4), "ET": (9, 40), "FI": (64, 26), "FJ": (-18, 178), "FO": (62, -7), "FR": (47, 2), "GA": (-1, 12),
    "GB": (54, -2), "GE": (42, 43), "GF": (4, -53), "GG": (49, -3), "GH": (8, -1), "GI": (36, -5), "GL": (72, -40),
    "GM": (13, -15), "GN": (10, -11), "GP": (16, -62), "GQ": (2, 10), "GR": (39, 22), "GT": (16, -90),
    "GU": (13, 145), "GY": (5, -59), "HK": (22, 114), "HN": (15, -87), "HR": (45, 16), "HT": (19, -72),
    "HU": (47, 20), "ID": (-2, 118), "IE": (53, -8), "IL": (31, 35), "IM": (54, -4), "IN": (22, 79), "IQ": (33, 44),
    "IR": (32, 54), "IS": (65, -19), "IT": (43, 12), "JE": (49, -2), "JM": (18, -77), "JO": (31, 36), "JP": (36, 138),
    "KE": (0, 38), "KG": (41, 75), "KH": (13, 105), "KR": (36, 128), "KW": (29, 48), "KY": (19, -81), "KZ": (48, 67),
    "LA": (18, 104), "LB": (34, 36), "LI": (47, 10), "LK": (8, 81), "LR": (6, -9), "LS": (-30, 28), "LT": (55, 24),
    "LU": (50, 6), "LV": (57, 25), "LY": (27, 17), "MA": (32, -6), "MC": (44, 7), "MD": (47, 28), "ME": (43, 19),
    "MG": (-19, 47), "MK": (42, 22), "ML": (17, -4), "MM": (21, 96), "MN": (47, 104), "MO": (22, 114),
    "MQ": (15, -61), "MR": (20, -10), "MT": (36, 14), "MU": (-20, 58), "MV": (3, 73), "MW": (-13, 34),
    "MX": (24, -102), "MY": (4, 109), "MZ": (-17, 36), "NA": (-22, 17), "NC": (-21, 165), "NE": (17, 9),
    "NG": (10, 8), "NI": (13, -85), "NL": (52, 5), "NO": (64, 12), "NP": (28, 84), "NZ": (-42, 172), "OM": (21, 56),
    "PA": (9, -80), "PE": (-9, -75), "PF": (-18, -149), "PG": (-6, 145), "PH": (12, 122), "PK": (30, 69),
    "PL": (52, 19), "PR": (18, -66), "PS": (32, 35), "PT": (40, -8), "PY": (-23, -58), "QA": (25, 51),
    "RE": (-21, 56), "RO": (46, 25), "RS": (44, 21), "RU": (60, 80), "RW": (-2, 30), "SA": (24, 45), "SC": (-5, 55),
    "SD": (16, 30), "SE": (62, 16), "SG": (1, 104), "SI": (46, 15), "SK": (49, 20), "SL": (9, -12), "SM": (44, 12),
    "SN": (14, -14), "SO": (6, 46), "SR": (4, -56), "SS": (7, 30), "SV": (14, -89), "SY": (35, 38), "SZ": (-27, 31),
    "TD": (15, 19), "TG": (9, 1), "TH": (15, 101), "TJ": (39, 71), "TM": (39, 59), "TN": (34, 10), "TR": (39, 35),
    "TT": (11, -61), "TW": (24, 121), "TZ": (-6, 35), "UA": (49, 32), "UG": (1, 32), "US": (40, -98),
    "UY": (-33, -56), "UZ": (42, 63), "VE": (7, -66), "VN": (16, 107), "YE": (16, 48), "ZA": (-29, 25),
    "ZM": (-14, 28), "ZW": (-19, 30),
}
"""Latitude and longitude by ISO code. Countries that are missing are as far from others as anybody likes."""

REACHES_KM = {
    "AO": 900, "AR": 1900, "AU": 2200, "BO": 800, "BR": 2300, "CA": 3000, "CD": 1200, "CL": 2000, "CN": 2200, "CO": 900,
    "DZ": 1200, "EG": 700, "ES": 800, "ET": 800, "FI": 700, "FR": 900, "GB": 700, "GL": 1300, "ID": 2600, "IN": 1700,
    "IR": 1000, "IT": 800, "JP": 1200, "KZ": 1500, "LY": 900, "MG": 800, "ML": 1000, "MM": 1000, "MN": 1200, "MX": 1800,
    "MY": 1200, "MZ": 1000, "NE": 900, "NG": 700, "NO": 1000, "NZ": 1000, "PE": 1000, "PG": 800, "PH": 1000, "PK": 900,
    "PT": 400, "RU": 3300, "SA": 1200, "SD": 1000, "SE": 900, "TD": 900, "TH": 900, "TR": 900, "TZ": 700, "UA": 700,
    "US": 2600, "VE": 800, "VN": 900, "ZA": 1000, "ZM": 800,
}
"""From the middle to the farthest towns of its mainland, roughly."""
# fmt: on


def apart_km(country: str, other: str) -> float:
    """The least distance between two countries; 0 where they are the same, may touch, or one is not known."""
    if country == other or country not in CENTROIDS or other not in CENTROIDS:
        return 0.0
    reach = sum(REACHES_KM.get(one, USUAL_REACH_KM) for one in (country, other))
    return max(0.0, _between(CENTROIDS[country], CENTROIDS[other]) - reach)


def _between(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Along a great circle. Source: spherical law of cosines."""
    (north, east), (other_north, other_east) = (tuple(map(radians, place)) for place in (one, other))
    cosine = sin(north) * sin(other_north) + cos(north) * cos(other_north) * cos(east - other_east)
    return EARTH_RADIUS_KM * acos(max(-1.0, min(1.0, cosine)))
