#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/rand.h"
#include "data/batch.h"

static const nx_field level_fields[] = {
    {"price", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
    {"note", {.kind = NX_STRING}, true, NULL},
};
static const nx_field level = {"element", {.kind = NX_STRUCT, .fields = level_fields, .n_fields = 2}, true, NULL};
static const nx_field pair_fields[] = {
    {"a", {.kind = NX_INT32}, true, NULL},
    {"b", {.kind = NX_LIST, .fields = &level, .n_fields = 1}, true, NULL},
};
static const nx_field fields[] = {
    {"flag", {.kind = NX_BOOL}, true, NULL},
    {"day", {.kind = NX_DATE}, true, NULL},
    {"ts", {.kind = NX_TIMESTAMP}, true, NULL},
    {"x", {.kind = NX_DOUBLE}, true, NULL},
    {"price", {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, true, NULL},
    {"big", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
    {"text", {.kind = NX_STRING}, true, NULL},
    {"books", {.kind = NX_LIST, .fields = &level, .n_fields = 1}, true, NULL},
    {"pair", {.kind = NX_STRUCT, .fields = pair_fields, .n_fields = 2}, true, NULL},
};
static const nx_schema schema = {fields, NX_COUNT_OF(fields)};
enum { FLAG, DAY, TS, X, PRICE, BIG, TEXT, BOOKS, PAIR };

static void assert_sound(const nx_batch *b)
{
    nx_err err;
    if (nx_batch_check(b, &err) != NX_OK)
        fail_msg("%s", err.text);
}

static nx_status add_levels(nx_batch *b, nx_col *list, nx_rand *r)
{
    size_t n = (size_t)nx_rand_below(r, 4);
    nx_col *element = &list->child[0];
    for (size_t i = 0; i < n; i++) {
        if (nx_rand_below(r, 5) == 0) {
            NX_TRY(nx_col_null(b, element));
            continue;
        }
        NX_TRY(nx_col_i128(b, &element->child[0], (__int128)nx_rand_u64(r) << 40));
        NX_TRY(nx_rand_below(r, 3) == 0 ? nx_col_null(b, &element->child[1])
                                        : nx_col_str(b, &element->child[1], NX_STR("note")));
        NX_TRY(nx_col_struct_end(b, element));
    }
    return nx_col_list_end(b, list);
}

/* One value in each column: one in four of them null. */
static nx_status add_values(nx_batch *b, nx_rand *r)
{
    for (size_t i = 0; i < schema.n_fields; i++) {
        nx_col *c = &b->cols[i];
        if (nx_rand_below(r, 4) == 0) {
            NX_TRY(nx_col_null(b, c));
            continue;
        }
        char text[24];
        int n = snprintf(text, sizeof text, "%llu", (unsigned long long)nx_rand_u64(r));
        switch (i) {
        case FLAG:
            NX_TRY(nx_col_bool(b, c, true));
            break;
        case DAY:
            NX_TRY(nx_col_i32(b, c, (int32_t)nx_rand_u64(r)));
            break;
        case TS:
        case PRICE:
            NX_TRY(nx_col_i64(b, c, (int64_t)nx_rand_u64(r)));
            break;
        case X:
            NX_TRY(nx_col_f64(b, c, nx_rand_unit(r)));
            break;
        case BIG:
            NX_TRY(nx_col_i128(b, c, -(__int128)nx_rand_u64(r) * 1000));
            break;
        case TEXT:
            NX_TRY(nx_col_str(b, c, (nx_str){text, (size_t)nx_rand_below(r, (uint64_t)n + 1)}));
            break;
        case BOOKS:
            NX_TRY(add_levels(b, c, r));
            break;
        default:
            NX_TRY(nx_col_i32(b, &c->child[0], 5));
            NX_TRY(add_levels(b, &c->child[1], r));
            NX_TRY(nx_col_struct_end(b, c));
        }
    }
    return NX_OK;
}

static void batch_drop(nx_batch *b)
{
    nx_batch_drop(b);
}

static void values_and_nulls(void **state)
{
    (void)state;
    NX_AUTO(batch_drop) nx_batch b;
    assert_int_equal(nx_batch_init(&b, &schema, 0, 0), NX_OK);
    assert_sound(&b);
    assert_int_equal(b.cols[TEXT].off[0], 0);
    assert_int_equal(nx_col_bool(&b, &b.cols[FLAG], true), NX_OK);
    assert_int_equal(nx_col_i32(&b, &b.cols[DAY], -1), NX_OK);
    assert_int_equal(nx_col_null(&b, &b.cols[TS]), NX_OK);
    assert_int_equal(nx_col_f64(&b, &b.cols[X], 0.5), NX_OK);
    assert_int_equal(nx_col_i64(&b, &b.cols[PRICE], -12500000), NX_OK);
    assert_int_equal(nx_col_i128(&b, &b.cols[BIG], (__int128)1 << 100), NX_OK);
    assert_int_equal(nx_col_str(&b, &b.cols[TEXT], NX_STR("caf\xC3\xA9")), NX_OK);
    nx_col *element = &b.cols[BOOKS].child[0];
    assert_int_equal(nx_col_i128(&b, &element->child[0], 7), NX_OK);
    assert_int_equal(nx_col_null(&b, &element->child[1]), NX_OK);
    assert_int_equal(nx_col_struct_end(&b, element), NX_OK);
    assert_int_equal(nx_col_list_end(&b, &b.cols[BOOKS]), NX_OK);
    assert_int_equal(nx_col_null(&b, &b.cols[PAIR]), NX_OK);
    nx_batch_end_row(&b);
    assert_sound(&b);
    assert_int_equal(b.n, 1);
    assert_true(nx_col_is_null(&b.cols[TS], 0) && nx_col_get_i64(&b.cols[TS], 0) == 0);
    assert_int_equal(b.cols[TS].n_nulls, 1);
    assert_false(nx_col_is_null(&b.cols[DAY], 0));
    assert_int_equal(nx_col_get_i32(&b.cols[DAY], 0), -1);
    assert_true(nx_str_is(nx_col_get_str(&b.cols[TEXT], 0), "caf\xC3\xA9"));
    assert_true(((__int128 *)b.cols[BIG].data)[0] == (__int128)1 << 100);
    assert_int_equal(b.cols[BOOKS].off[1], 1);
    assert_int_equal(b.cols[PAIR].child[0].n, 1); /* a null struct has null children */
    assert_true(nx_col_is_null(&b.cols[PAIR].child[1], 0));
}

static void grows_over_many_rows(void **state)
{
    (void)state;
    NX_AUTO(batch_drop) nx_batch b;
    nx_rand r;
    nx_rand_seed(&r, 1);
    assert_int_equal(nx_batch_init(&b, &schema, 0, 0), NX_OK);
    size_t bytes = nx_batch_bytes(&b);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(add_values(&b, &r), NX_OK);
        nx_batch_end_row(&b);
        if (i % 500 == 0)
            assert_sound(&b);
        assert_true(nx_batch_bytes(&b) > bytes);
        bytes = nx_batch_bytes(&b);
    }
    assert_sound(&b);
    nx_batch_clear(&b);
    assert_int_equal(b.n, 0);
    assert_sound(&b);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(add_values(&b, &r), NX_OK);
        nx_batch_end_row(&b);
    }
    assert_sound(&b);
}

/* However far a row got before it was given up, truncation takes all of it back and the next row is whole. */
static void unfinished_rows_are_taken_back(void **state)
{
    (void)state;
    NX_AUTO(batch_drop) nx_batch b;
    NX_AUTO(batch_drop) nx_batch want;
    nx_rand r, again;
    nx_rand_seed(&r, 2);
    assert_int_equal(nx_batch_init(&b, &schema, 0, 0), NX_OK);
    assert_int_equal(nx_batch_init(&want, &schema, 0, 0), NX_OK);
    for (size_t i = 0; i < 300; i++) {
        again = r;
        assert_int_equal(add_values(&b, &r), NX_OK);
        nx_batch_truncate(&b, b.n);
        assert_sound(&b);
        /* elements of a list that is never closed */
        assert_int_equal(nx_col_null(&b, &b.cols[BOOKS].child[0]), NX_OK);
        assert_int_equal(nx_col_i32(&b, &b.cols[PAIR].child[0], 1), NX_OK);
        nx_batch_truncate(&b, b.n);
        assert_sound(&b);
        r = again;
        assert_int_equal(add_values(&b, &r), NX_OK);
        nx_batch_end_row(&b);
        r = again;
        assert_int_equal(add_values(&want, &r), NX_OK);
        nx_batch_end_row(&want);
    }
    assert_sound(&b);
    assert_int_equal(nx_batch_bytes(&b), nx_batch_bytes(&want));
    for (size_t n = 300; n > 0; n -= 50) {
        nx_batch_truncate(&b, n - 1);
        nx_batch_truncate(&want, n - 1);
        assert_sound(&b);
        assert_int_equal(nx_batch_bytes(&b), nx_batch_bytes(&want));
    }
}

static void limits_hold_and_leave_it_sound(void **state)
{
    (void)state;
    static const nx_field two[] = {{"n", {.kind = NX_INT64}, false, NULL}, {"s", {.kind = NX_STRING}, false, NULL}};
    static const nx_schema s = {two, 2};
    NX_AUTO(batch_drop) nx_batch b;
    assert_int_equal(nx_batch_init(&b, &s, 100, 1000), NX_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(nx_col_i64(&b, &b.cols[0], i), NX_OK);
        assert_int_equal(nx_col_str(&b, &b.cols[1], NX_STR("0123456789")), NX_OK);
        nx_batch_end_row(&b);
    }
    assert_int_equal(nx_col_i64(&b, &b.cols[0], 1), NX_LIMIT); /* rows */
    assert_sound(&b);
    nx_batch_truncate(&b, 99);
    assert_int_equal(nx_col_i64(&b, &b.cols[0], 1), NX_OK);
    assert_int_equal(nx_col_str(&b, &b.cols[1], NX_STR("0123456789x")), NX_LIMIT); /* bytes */
    nx_batch_truncate(&b, 99);
    assert_sound(&b);
    nx_str huge = {"", SIZE_MAX - 5};
    assert_int_equal(nx_col_grow_heap(&b, &b.cols[1], huge.n), NX_LIMIT);
    /* the elements of a list are bounded by bytes, whatever the number of rows */
    static const nx_field element = {"element", {.kind = NX_INT64}, true, NULL};
    static const nx_field list = {"l", {.kind = NX_LIST, .fields = &element, .n_fields = 1}, true, NULL};
    static const nx_schema ls = {&list, 1};
    NX_AUTO(batch_drop) nx_batch l;
    assert_int_equal(nx_batch_init(&l, &ls, 1, 8000), NX_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(nx_col_i64(&l, &l.cols[0].child[0], i), NX_OK);
    assert_int_equal(nx_col_i64(&l, &l.cols[0].child[0], 0), NX_LIMIT);
    assert_int_equal(nx_col_list_end(&l, &l.cols[0]), NX_OK);
    nx_batch_end_row(&l);
    assert_sound(&l);
}

static void check_finds_what_is_broken(void **state)
{
    (void)state;
    static const struct {
        int how;
        const char *text;
    } v[] = {{0, "has 2 rows, not 3"},   {1, "offsets fall"},          {2, "beyond the last offset"},
             {3, "a null has a value"},  {4, "number of nulls"},       {5, "not UTF-8"},
             {6, "beyond the last row"}, {7, "first offset is not 0"}, {8, "a null has bytes"},
             {9, "column \"element\""}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_AUTO(batch_drop) nx_batch b;
        assert_int_equal(nx_batch_init(&b, &schema, 0, 0), NX_OK);
        for (int row = 0; row < 3; row++) {
            for (size_t k = 0; k < schema.n_fields; k++)
                assert_int_equal(k == TEXT ? nx_col_str(&b, &b.cols[k], NX_STR("ab")) : nx_col_null(&b, &b.cols[k]),
                                 NX_OK);
            nx_batch_end_row(&b);
        }
        assert_sound(&b);
        nx_col *text = &b.cols[TEXT];
        switch (v[i].how) {
        case 0:
            b.cols[DAY].n = 2;
            break;
        case 1:
            text->off[2] = 1;
            break;
        case 2:
            text->heap_n++;
            break;
        case 3:
            ((int64_t *)b.cols[TS].data)[1] = 1;
            break;
        case 4:
            b.cols[X].n_nulls--;
            break;
        case 5:
            text->heap[3] = '\xFF';
            break;
        case 6:
            text->valid[0] |= 8;
            break;
        case 7:
            text->off[0] = 1;
            break;
        case 8:
            text->valid[0] &= ~UINT64_C(2);
            text->n_nulls++;
            break;
        default:
            b.cols[BOOKS].child[0].n = 1; /* the list claims one element, a null, and a bit behind it is set */
            b.cols[BOOKS].child[0].n_nulls = 1;
            b.cols[BOOKS].off[3] = 1;
            b.cols[BOOKS].valid[0] = 4;
            b.cols[BOOKS].n_nulls = 2;
            b.cols[BOOKS].child[0].valid[0] = 2;
        }
        nx_err err;
        assert_int_equal(nx_batch_check(&b, &err), NX_CORRUPT);
        if (strstr(err.text, v[i].text) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", v[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_nulls),
        cmocka_unit_test(grows_over_many_rows),
        cmocka_unit_test(unfinished_rows_are_taken_back),
        cmocka_unit_test(limits_hold_and_leave_it_sound),
        cmocka_unit_test(check_finds_what_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
