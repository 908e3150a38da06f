"""Chinese numerals as numbers: 六千七百一十亿, 二〇二五, 三点五."""

from decimal import Decimal

DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
SMALL = {"十": 10, "百": 100, "千": 1000}
LARGE = {"万": 10**4, "亿": 10**8, "兆": 10**12}
NUMERALS = "".join(DIGITS) + "".join(SMALL) + "万亿"


def chinese_number(text: str) -> Decimal | None:
    """The value of a Chinese numeral (六千七百一十亿, 二〇二五, 三点五), None when it is none.

    >>> chinese_number("一百零五")
    Decimal('105')
    """
    whole, _, fraction = text.partition("点")
    if "点" in text and not (fraction and all(c in DIGITS for c in fraction)):
        return None
    value = _digits_only(whole) if all(c in DIGITS for c in whole) else _positional(whole)
    if value is None:
        return None
    decimals = "".join(str(DIGITS[c]) for c in fraction)
    return Decimal(f"{value}.{decimals}") if decimals else Decimal(value)


def _digits_only(text: str) -> int | None:
    # 二〇二五 is read digit by digit; 三五 means "three to five" and is no number.
    return int("".join(str(DIGITS[c]) for c in text)) if text and len(text) != 2 else None


def _positional(text: str) -> int | None:
    """Sections of 亿, 万 and ones; 二百五 and 一万五 give their last digit the next place."""
    total = section = 0
    digit: int | None = None
    last_unit = 1
    zero = False
    for character in text:
        if character in DIGITS:
            if digit is not None and digit != 0:
                return None
            digit = DIGITS[character]
            zero = zero or digit == 0
        elif character in SMALL:
            unit = SMALL[character]
            section += (1 if digit is None or (digit == 0 and unit == 10) else digit) * unit
            digit, last_unit, zero = None, unit, False
        elif character in LARGE:
            unit = LARGE[character]
            section += digit or 0
            if section == 0 and total == 0:
                return None
            total = (total + section) * unit if total < unit else total + section * unit
            section, digit, last_unit, zero = 0, None, unit, False
        else:
            return None
    if digit:
        section += digit * (last_unit // 10 if last_unit >= 100 and not zero else 1)
    return total + section
