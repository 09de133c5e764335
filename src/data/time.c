#include "data/time.h"

#include <stdio.h>

#include "data/data_int.h"

static const int64_t day_us = INT64_C(86400000000);

/* Division that rounds down, for b > 0. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What floor_div leaves, 0 <= result < b; multiplying back would overflow near INT64_MIN. */
static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t m = a % b;
    return m < 0 ? m + b : m;
}

/* Days from civil date and back: years run from March, so that the leap day is the last of its year, in eras of 400
 * years = 146,097 days (the method is Howard Hinnant's, "chrono-compatible low-level date algorithms"). */
int32_t nx_days_of(nx_civil c)
{
    int y = c.year - (c.month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    int yoe = y - era * 400;
    int doy = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

nx_civil nx_civil_of(int32_t days)
{
    int64_t z = (int64_t)days + 719468;
    int era = (int)floor_div(z, 146097);
    int doe = (int)(z - (int64_t)era * 146097);
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;
    int month = mp < 10 ? mp + 3 : mp - 9;
    return (nx_civil){yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

int nx_weekday(int32_t days)
{
    return (int)(((int64_t)days % 7 + 7 + 3) % 7); /* 1970-01-01 was a Thursday */
}

static const unsigned char month_length[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static int byte_of(uint64_t w, int i)
{
    return (int)(w >> (8 * i) & 0xFF);
}

/* "0000-00-" and its slack: 0x76 for digits, 0x7F for what must match. */
static const uint64_t date_form = 0x2d30302d30303030u, date_slack = 0x7f76767f76767676u;

/* ym: the pairs of "yyyy-mm-". */
static bool days_of_pairs(uint64_t ym, int day, int32_t *ret_days)
{
    static const short before[13] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int century = byte_of(ym, 0), year = century * 100 + byte_of(ym, 2), month = byte_of(ym, 5);
    int leap = year % 4 == 0 && (byte_of(ym, 2) != 0 || century % 4 == 0);
    if (month < 1 || month > 12 || day < 1 || day > month_length[month] + (leap & (month == 2)))
        return false;
    int centuries = (year + 99) / 100; /* begun before this year, since the year 0 */
    int leap_days = (year + 3) / 4 - centuries + (centuries + 3) / 4 + (leap & (month > 2));
    *ret_days = year * 365 + leap_days + before[month] + day - 1 - 719528;
    return true;
}

/* Two digits, or a negative number. */
static int two(const char *p)
{
    unsigned a = (unsigned)(unsigned char)p[0] - '0', b = (unsigned)(unsigned char)p[1] - '0';
    return ((a > 9) | (b > 9)) != 0 ? -1 : (int)(a * 10 + b);
}

bool nx_date_parse(nx_str s, int32_t *ret_days)
{
    uint64_t ym;
    if (s.n != 10 || !nx__read_pairs(nx__load64(s.p), date_form, date_slack, &ym))
        return false;
    int day = two(s.p + 8);
    return day > 0 && days_of_pairs(ym, day, ret_days);
}

size_t nx_date_format(int32_t days, char out[16])
{
    nx_civil c = nx_civil_of(days);
    return (size_t)snprintf(out, 16, c.year < 0 ? "%05d-%02d-%02d" : "%04d-%02d-%02d", c.year, c.month, c.day);
}

/* The fraction from p (behind the point) as nanoseconds; moves *p past it. */
static bool read_fraction(const char **p, const char *end, int32_t *ret_ns)
{
    static const int32_t scale[10] = {0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    const char *start = *p, *q = start;
    uint32_t ns = 0;
    unsigned d;
    if (end - q > 8 && nx__read_digits(nx__load64(q), &ns))
        q += 8;
    else
        ns = 0;
    while (q < end && q - start < 9 && (d = (unsigned)(unsigned char)*q - '0') < 10) {
        ns = ns * 10 + d;
        q++;
    }
    if (q == start)
        return false;
    *ret_ns = (int32_t)ns * scale[q - start];
    while (NX_UNLIKELY(q < end && *q == '0'))
        q++;
    *p = q;
    return true;
}

/* Z, z or +hh:mm up to the end, as seconds east. */
static bool read_zone(const char *p, const char *end, int32_t *ret_s)
{
    *ret_s = 0;
    if (NX_LIKELY(end - p == 1))
        return *p == 'Z' || *p == 'z';
    if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':')
        return false;
    int h = two(p + 1), m = two(p + 4);
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return false;
    *ret_s = (*p == '-' ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

/* "00" "T" "00:00" with the T left open, behind the date's "yyyy-mm-". */
static const uint64_t day_form = 0x30303a3030003030u, day_slack = 0x76767f7676007676u;

bool nx_time_parse_ns(nx_str s, int64_t *ret_ns)
{
    if (s.n < 20)
        return false;
    int32_t days, ns = 0, zone;
    const char *p = s.p, *end = s.p + s.n;
    uint64_t ym, dhm;
    uint64_t t_byte = (uint64_t)(unsigned char)p[10] << 16; /* taken out of the word before it is looked at */
    if (!nx__read_pairs(nx__load64(p), date_form, date_slack, &ym) ||
        !nx__read_pairs(nx__load64(p + 8), day_form ^ t_byte, day_slack, &dhm))
        return false;
    int h = byte_of(dhm, 3), m = byte_of(dhm, 6), sec = two(p + 17);
    if ((p[10] != 'T' && p[10] != 't' && p[10] != ' ') || p[16] != ':' || h > 23 || m > 59 || sec < 0 || sec > 59)
        return false;
    if (!days_of_pairs(ym, byte_of(dhm, 0), &days))
        return false;
    p += 19;
    if (*p == '.') {
        p++;
        if (!read_fraction(&p, end, &ns))
            return false;
    }
    if (!read_zone(p, end, &zone))
        return false;
    int64_t t = (int64_t)days * 86400 + h * 3600 + m * 60 + sec - zone;
    if (t < 0 && ns > 0) { /* so that the product alone does not pass INT64_MIN where the sum would fit */
        t += 1;
        ns -= 1000000000;
    }
    if (__builtin_mul_overflow(t, INT64_C(1000000000), &t) || __builtin_add_overflow(t, ns, &t))
        return false;
    *ret_ns = t;
    return true;
}

/* digits: 0, 3, 6 or 9 of fraction */
static size_t format_instant(int64_t days, int64_t second_of_day, int64_t fraction, int digits, char out[40])
{
    nx_civil c = nx_civil_of((int32_t)days);
    int s = (int)second_of_day;
    int n = snprintf(out, 40, c.year < 0 ? "%05d-%02d-%02dT%02d:%02d:%02d" : "%04d-%02d-%02dT%02d:%02d:%02d", c.year,
                     c.month, c.day, s / 3600, s / 60 % 60, s % 60);
    if (digits > 0)
        n += snprintf(out + n, 40 - (size_t)n, ".%0*d", digits, (int)fraction);
    out[n] = 'Z';
    out[n + 1] = '\0';
    return (size_t)n + 1;
}

size_t nx_time_format_ns(int64_t ns, char out[40])
{
    int64_t s = floor_div(ns, 1000000000), frac = floor_mod(ns, 1000000000);
    int64_t days = floor_div(s, 86400);
    int digits = frac == 0 ? 0 : frac % 1000000 == 0 ? 3 : frac % 1000 == 0 ? 6 : 9;
    return format_instant(days, s - days * 86400,
                          digits == 3   ? frac / 1000000
                          : digits == 6 ? frac / 1000
                                        : frac,
                          digits, out);
}

size_t nx_time_format_us(int64_t us, char out[40])
{
    int64_t s = floor_div(us, 1000000), frac = floor_mod(us, 1000000);
    int64_t days = floor_div(s, 86400);
    int digits = frac == 0 ? 0 : frac % 1000 == 0 ? 3 : 6;
    return format_instant(days, s - days * 86400, digits == 3 ? frac / 1000 : frac, digits, out);
}

int64_t nx_us_of_ns(int64_t ns)
{
    return floor_div(ns, 1000);
}

int32_t nx_days_of_us(int64_t us)
{
    return (int32_t)floor_div(us, day_us);
}

enum { EST = -18000, EDT = -14400 };

/* The n-th Sunday of a month from 1, or the last one for n = 0 (not for February). */
static int32_t sunday(int year, int month, int n)
{
    int32_t from = nx_days_of((nx_civil){year, month, n == 0 ? month_length[month] - 6 : 1 + 7 * (n - 1)});
    return from + (6 - nx_weekday(from));
}

/* The days on which daylight time began and ended, 15 U.S.C. 260a in its forms: Uniform Time Act 1966 (from 1967), the
 * emergency act of 1973 (1974 and 1975), Public Law 99-359 (1987), Energy Policy Act 2005 (2007). */
static void daylight_days(int year, int32_t *ret_from, int32_t *ret_to)
{
    if (year >= 2007) {
        *ret_from = sunday(year, 3, 2);
        *ret_to = sunday(year, 11, 1);
        return;
    }
    *ret_to = sunday(year, 10, 0);
    if (year >= 1987)
        *ret_from = sunday(year, 4, 1);
    else if (year == 1974)
        *ret_from = nx_days_of((nx_civil){1974, 1, 6});
    else if (year == 1975)
        *ret_from = nx_days_of((nx_civil){1975, 2, 23});
    else
        *ret_from = sunday(year, 4, 0);
}

int32_t nx_ny_offset_s(int64_t us)
{
    const int64_t hour_us = INT64_C(3600000000);
    int32_t from, to, today = nx_days_of_us(us);
    /* no change is near New Year: the UTC year is the right one */
    daylight_days(nx_civil_of(today).year, &from, &to);
    int64_t in_day = floor_mod(us, day_us);
    bool begun = today > from || (today == from && in_day >= 7 * hour_us); /* 02:00 EST */
    bool ended = today > to || (today == to && in_day >= 6 * hour_us);     /* 02:00 EDT */
    return begun && !ended ? EDT : EST;
}

int32_t nx_ny_date_of_us(int64_t us)
{
    int64_t in_day = floor_mod(us, day_us);
    return nx_days_of_us(us) - (in_day + nx_ny_offset_s(us) * INT64_C(1000000) < 0);
}

int64_t nx_ny_to_us(int32_t days, int hour, int minute)
{
    int64_t wall_s = (int64_t)days * 86400 + hour * 3600 + minute * 60;
    int64_t as_edt = (wall_s - EDT) * 1000000;
    return nx_ny_offset_s(as_edt) == EDT ? as_edt : (wall_s - EST) * 1000000;
}
