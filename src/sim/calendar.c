#include "sim/sim_int.h"

/* Easter Sunday of a Gregorian year (Meeus, Jones, Butcher). */
static int32_t easter(int y)
{
    int a = y % 19, b = y / 100, c = y % 100, d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
    int h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
    int m = (a + 11 * h + 22 * l) / 451, month = (h + l - 7 * m + 114) / 31, day = (h + l - 7 * m + 114) % 31 + 1;
    return nx_days_of((nx_civil){y, month, day});
}

/* The nth (from 1) given weekday of a month; n 5 means the last. */
static int32_t nth_weekday(int year, int month, int weekday, int n)
{
    if (n == 5) {
        int32_t last = nx_days_of(month == 12 ? (nx_civil){year + 1, 1, 1} : (nx_civil){year, month + 1, 1}) - 1;
        return last - (nx_weekday(last) - weekday + 7) % 7;
    }
    int32_t first = nx_days_of((nx_civil){year, month, 1});
    return first + (weekday - nx_weekday(first) + 7) % 7 + 7 * (n - 1);
}

/* Saturday holidays are kept on Friday, Sunday ones on Monday. */
static bool observed(int32_t days, int year, int month, int day)
{
    int32_t at = nx_days_of((nx_civil){year, month, day});
    int wd = nx_weekday(at);
    return days == (wd == 5 ? at - 1 : wd == 6 ? at + 1 : at);
}

static bool is_holiday(int32_t days)
{
    int y = nx_civil_of(days).year;
    int32_t new_year = nx_days_of((nx_civil){y, 1, 1});
    if (days == (nx_weekday(new_year) == 6 ? new_year + 1 : new_year)) /* never kept on 31 December */
        return true;
    return (y >= 1998 && days == nth_weekday(y, 1, 0, 3)) || days == nth_weekday(y, 2, 0, 3) || days == easter(y) - 2 ||
           days == nth_weekday(y, 5, 0, 5) || (y >= 2022 && observed(days, y, 6, 19)) || observed(days, y, 7, 4) ||
           days == nth_weekday(y, 9, 0, 1) || days == nth_weekday(y, 11, 3, 4) || observed(days, y, 12, 25);
}

bool nx__is_session(int32_t days)
{
    return nx_weekday(days) < 5 && !is_holiday(days);
}

int32_t nx__session_after(int32_t days)
{
    do
        days++;
    while (!nx__is_session(days));
    return days;
}

int64_t nx__ny_ns(int32_t days, int minute)
{
    return nx_ny_to_us(days, minute / 60, minute % 60) * 1000;
}
