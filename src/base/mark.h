/* base/mark.h - words the compiler understands. */
#ifndef NX_BASE_MARK_H
#define NX_BASE_MARK_H

#define NX_MUST_USE __attribute__((warn_unused_result))
#define NX_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NX_AUTO(drop_fn) __attribute__((cleanup(drop_fn)))
#define NX_UNUSED __attribute__((unused))
#define NX_LIKELY(x) __builtin_expect(!!(x), 1)
#define NX_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NX_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
