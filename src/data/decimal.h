/* data/decimal.h - exact decimals: text on the wire, an integer times 10^-scale inside. Never a double.
 * Thread   Pure functions. */
#ifndef NX_DATA_DECIMAL_H
#define NX_DATA_DECIMAL_H

#include "base/str.h"

typedef enum nx_dec_result {
    NX_DEC_OK,
    NX_DEC_SYNTAX,    /* not a JSON number */
    NX_DEC_SCALE,     /* more digits behind the point than the scale holds (trailing zeros do not count) */
    NX_DEC_PRECISION, /* too large for the precision */
} nx_dec_result;

/* Reads a JSON number ("-12.50", "1e3", "1.5E-2") as an unscaled integer of the given precision (1..38) and scale.
 * What does not fit exactly is refused, never rounded. Exponents of any length cost bounded work. */
nx_dec_result nx_dec_parse(nx_str text, int precision, int scale, __int128 *ret);
/* Text with exactly `scale` digits behind the point: "-12.500000". out needs 42 bytes; returns the length. */
size_t nx_dec_format(__int128 unscaled, int scale, char out[48]);
/* The shortest exact text: no trailing zeros, no point when whole: "-12.5", "3". */
size_t nx_dec_format_short(__int128 unscaled, int scale, char out[48]);

#endif
