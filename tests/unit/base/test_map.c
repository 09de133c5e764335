#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/rand.h"

static int dropped;

static void count_drop(void *value)
{
    dropped++;
    free(value);
}

static void map_drop(nx_map *m)
{
    nx_map_drop(m);
}

static void set_get_replace_remove(void **state)
{
    (void)state;
    NX_AUTO(map_drop) nx_map m;
    nx_map_init(&m, count_drop);
    dropped = 0;
    assert_null(nx_map_get(&m, NX_STR("a")));
    assert_false(nx_map_remove(&m, NX_STR("a")));
    char *one = malloc(1), *two = malloc(1), *three = malloc(1);
    assert_int_equal(nx_map_set(&m, NX_STR("a"), one), NX_OK);
    assert_int_equal(nx_map_set(&m, NX_STR(""), two), NX_OK);
    assert_ptr_equal(nx_map_get(&m, NX_STR("a")), one);
    assert_ptr_equal(nx_map_get(&m, NX_STR("")), two);
    assert_int_equal(nx_map_set(&m, NX_STR("a"), three), NX_OK);
    assert_int_equal(dropped, 1);
    assert_int_equal(nx_map_set(&m, NX_STR("a"), three), NX_OK); /* the same value again is not dropped */
    assert_int_equal(dropped, 1);
    assert_ptr_equal(nx_map_get(&m, NX_STR("a")), three);
    assert_int_equal(nx_map_count(&m), 2);
    assert_true(nx_map_remove(&m, NX_STR("a")));
    assert_int_equal(dropped, 2);
    assert_false(nx_map_has(&m, NX_STR("a")));
    assert_true(nx_map_has(&m, NX_STR("")));
    nx_map_drop(&m);
    assert_int_equal(dropped, 3);
    assert_int_equal(nx_map_count(&m), 0);
}

static void keys_are_bytes(void **state)
{
    (void)state;
    NX_AUTO(map_drop) nx_map m;
    nx_map_init(&m, NULL);
    int a, b;
    assert_int_equal(nx_map_set(&m, (nx_str){"x\0y", 3}, &a), NX_OK);
    assert_int_equal(nx_map_set(&m, (nx_str){"x\0z", 3}, &b), NX_OK);
    assert_ptr_equal(nx_map_get(&m, (nx_str){"x\0y", 3}), &a);
    assert_ptr_equal(nx_map_get(&m, (nx_str){"x\0z", 3}), &b);
    assert_false(nx_map_has(&m, NX_STR("x")));
    assert_int_equal(nx_map_set(&m, NX_STR("null"), NULL), NX_OK);
    assert_true(nx_map_has(&m, NX_STR("null")));
    assert_null(nx_map_get(&m, NX_STR("null")));
}

static void iteration_keeps_the_order(void **state)
{
    (void)state;
    NX_AUTO(map_drop) nx_map m;
    nx_map_init(&m, NULL);
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(nx_map_set(&m, nx_str_of(key), NULL), NX_OK);
    }
    for (int i = 0; i < 1000; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(nx_map_remove(&m, nx_str_of(key)));
    }
    assert_int_equal(nx_map_set(&m, NX_STR("last"), NULL), NX_OK);
    int want = 1;
    const nx_map_entry *e;
    for (size_t i = 0; (e = nx_map_next(&m, &i)) != NULL; want += 2) {
        snprintf(key, sizeof key, want < 1000 ? "k%d" : "last", want);
        assert_true(nx_str_is(e->key, key));
    }
    assert_int_equal(want, 1003);
}

/* Against an array that is searched: ten thousand random steps over few keys, so that slots are reused again and again.
 */
static void agrees_with_a_plain_list(void **state)
{
    (void)state;
    enum { KEYS = 97 };
    NX_AUTO(map_drop) nx_map m;
    nx_map_init(&m, NULL);
    static int marks[64];
    void *model[KEYS] = {NULL};
    size_t live = 0;
    nx_rand r;
    nx_rand_seed(&r, 3);
    for (int step = 0; step < 10000; step++) {
        size_t k = (size_t)nx_rand_below(&r, KEYS);
        char key[16];
        snprintf(key, sizeof key, "%zu", k);
        if (nx_rand_below(&r, 3) == 0) {
            assert_int_equal(nx_map_remove(&m, nx_str_of(key)), model[k] != NULL);
            live -= model[k] != NULL;
            model[k] = NULL;
        } else {
            void *v = &marks[nx_rand_below(&r, 64)];
            assert_int_equal(nx_map_set(&m, nx_str_of(key), v), NX_OK);
            live += model[k] == NULL;
            model[k] = v;
        }
        assert_int_equal(nx_map_count(&m), live);
        assert_true(m.n <= 4 * KEYS); /* what was removed does not pile up */
        for (size_t i = 0; i < KEYS; i++) {
            snprintf(key, sizeof key, "%zu", i);
            assert_ptr_equal(nx_map_get(&m, nx_str_of(key)), model[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_get_replace_remove),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(iteration_keeps_the_order),
        cmocka_unit_test(agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
