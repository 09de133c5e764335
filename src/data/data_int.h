/* data/data_int.h - shared between the files of data. */
#ifndef NX_DATA_DATA_INT_H
#define NX_DATA_DATA_INT_H

#include "base/str.h"

/* Length of the longest JSON number at the start of s, 0 when there is none. Reading stops at the first byte that cannot
 * belong to it: "1.5x" gives 3, "1." and "1e" give 0. */
size_t nx__num_scan(nx_str s);

#endif
