/* data/time.h - dates and instants: RFC 3339 text, days, microseconds, nanoseconds, New York sessions.
 * Proleptic Gregorian calendar, no leap seconds (":60" is refused). Thread   Pure functions. */
#ifndef NX_DATA_TIME_H
#define NX_DATA_TIME_H

#include "base/str.h"

typedef struct nx_civil {
    int year, month, day; /* month 1..12 */
} nx_civil;

int32_t nx_days_of(nx_civil c); /* days since 1970-01-01 */
nx_civil nx_civil_of(int32_t days);
int nx_weekday(int32_t days); /* 0 Monday .. 6 Sunday */
/* "2024-01-02" exactly; false otherwise or when there is no such day. */
bool nx_date_parse(nx_str s, int32_t *ret_days);
size_t nx_date_format(int32_t days, char out[16]); /* "2024-01-02" */
/* RFC 3339: date, T or t or space, time, optional fraction, Z or z or +hh:mm. Nanoseconds since 1970. Refused: no zone,
 * more than 9 fraction digits that are not zero, fields out of range, instants outside 1678..2262 (int64 ns). */
bool nx_time_parse_ns(nx_str s, int64_t *ret_ns);
/* "2024-01-02T03:04:05Z" with as many of 3, 6 or 9 fraction digits as needed (none when 0). */
size_t nx_time_format_ns(int64_t ns, char out[40]);
size_t nx_time_format_us(int64_t us, char out[40]);
/* us rounded down from ns, also for negative ones. */
int64_t nx_us_of_ns(int64_t ns);
/* UTC date of an instant. */
int32_t nx_days_of_us(int64_t us);

/* New York: offset from UTC in seconds (-14400 or -18000) at an instant, by the US rules of 1967, 1974, 1975, 1987 and
 * 2007. Years before 1967 are given the rule of 1967. */
int32_t nx_ny_offset_s(int64_t us);
int32_t nx_ny_date_of_us(int64_t us);
/* UTC instant of a New York wall time on a date. Of a time that comes twice in autumn the first; a time that spring
 * leaves out is counted on from 02:00 (02:30 is 03:30 daylight time). */
int64_t nx_ny_to_us(int32_t days, int hour, int minute);

#endif
