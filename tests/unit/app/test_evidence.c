/* What a correlation says: vectors computed by hand from Fisher's z, and what is too little to say anything. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "app/evidence.h"

static void near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by))
        fail_msg("got %.10f, expected %.10f", got, want);
}

/* atanh(0.5) = 0.5493061, 28 pairs: deviation 1/5, z = 2.7465307 */
static void test_vector(void **state)
{
    (void)state;
    nx_evidence v = nx_evidence_of(0.5, 28, 1);
    assert_true(v.enough);
    near(v.low, 0.1560, 5e-5); /* tanh(0.5493061 - 0.3919928) */
    near(v.high, 0.7358, 5e-5);
    near(v.chance, 0.006023, 5e-6); /* 2 (1 - Phi(2.7465307)) */
    assert_true(v.linked);
    v = nx_evidence_of(-0.5, 28, 1);
    near(v.low, -0.7358, 5e-5);
    near(v.chance, 0.006023, 5e-6);
    assert_true(v.linked);
}

/* 0.6 % is little for one look and not for ten: 0.05 / 10 = 0.5 % */
static void test_looks(void **state)
{
    (void)state;
    assert_true(nx_evidence_of(0.5, 28, 8).linked);
    assert_false(nx_evidence_of(0.5, 28, 10).linked);
    assert_false(nx_evidence_of(0, 1000, 1).linked);
    near(nx_evidence_of(0, 1000, 1).chance, 1, 1e-12);
}

static void test_edges(void **state)
{
    (void)state;
    assert_false(nx_evidence_of(0.9, NX_EVIDENCE_PAIRS_MIN - 1, 1).enough);
    assert_true(nx_evidence_of(0.9, NX_EVIDENCE_PAIRS_MIN, 1).enough);
    assert_false(nx_evidence_of(NAN, 100, 1).enough);
    assert_false(nx_evidence_of(1.5, 100, 1).enough);
    assert_false(nx_evidence_of(NAN, 100, 1).linked);
    nx_evidence all = nx_evidence_of(1, 100, 0);
    assert_true(all.linked && isfinite(all.low) && isfinite(all.high) && all.high <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
