/* data/float.h - binary floating point as text: the fewest digits that read back equal. On the path of prices a float exists
 * only because a peer's wire has no other number (msgpack); it becomes this text's decimal and nothing else.
 * Thread   Pure functions (the process keeps the C locale). */
#ifndef NX_DATA_FLOAT_H
#define NX_DATA_FLOAT_H

#include "base/str.h"

enum { NX_FLOAT_TEXT_MAX = 40 };

/* A JSON number, "0.1", "1e+30": of all texts that strtod() reads back as v one with the fewest digits, the nearest of those.
 * Returns its length; 0 for NaN and infinities, which no decimal is. out is 0-terminated. */
size_t nx_f64_text(double v, char out[NX_FLOAT_TEXT_MAX]);
/* The same for single precision: 3.14f is "3.14". */
size_t nx_f32_text(float v, char out[NX_FLOAT_TEXT_MAX]);

#endif
