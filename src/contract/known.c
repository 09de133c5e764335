/* When a bar could be known: at its end. Minutes and hours run on the clock; days, weeks and months begin at midnight New York. */
#include "contract/decode_int.h"
#include "data/time.h"

static bool parse_timeframe(nx_decoder *d, nx_str s)
{
    static const struct {
        const char *name;
        char unit;
    } units[] = {{"Min", 'm'}, {"T", 'm'},    {"Hour", 'h'}, {"H", 'h'},     {"Day", 'd'},
                 {"D", 'd'},   {"Week", 'w'}, {"W", 'w'},    {"Month", 'M'}, {"M", 'M'}};
    size_t i = 0;
    int n = 0;
    for (; i < s.n && i < 3 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        n = n * 10 + (s.p[i] - '0');
    if (n == 0 || s.n > sizeof d->timeframe_text)
        return false;
    for (size_t k = 0; k < NX_COUNT_OF(units); k++)
        if (nx_str_is(nx_str_sub(s, i, s.n), units[k].name)) {
            memcpy(d->timeframe_text, s.p, s.n);
            d->timeframe = (nx_str){d->timeframe_text, s.n};
            d->timeframe_n = n;
            d->timeframe_unit = units[k].unit;
            return true;
        }
    return false;
}

bool nx__bar_end(nx_decoder *d, nx_str timeframe, int64_t us, int64_t *ret_us)
{
    if (!nx_str_eq(timeframe, d->timeframe) && !parse_timeframe(d, timeframe))
        return false;
    int64_t n = d->timeframe_n;
    int32_t days = nx_ny_date_of_us(us);
    nx_civil c = nx_civil_of(days);
    switch (d->timeframe_unit) {
    case 'm':
        return !__builtin_add_overflow(us, n * 60000000, ret_us);
    case 'h':
        return !__builtin_add_overflow(us, n * INT64_C(3600000000), ret_us);
    case 'd':
        *ret_us = nx_ny_to_us(days + (int32_t)n, 0, 0);
        return true;
    case 'w':
        *ret_us = nx_ny_to_us(days + 7 * (int32_t)n, 0, 0);
        return true;
    default: /* months: the first of the month n later */
        c.month += (int)n - 1;
        c.year += c.month / 12;
        c.month = c.month % 12 + 1;
        c.day = 1;
        *ret_us = nx_ny_to_us(nx_days_of(c), 0, 0);
        return true;
    }
}
