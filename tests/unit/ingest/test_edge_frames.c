#include "unit/ingest/edge_kit.h"

static size_t speakers(const nx_contracts *s, const char *feed)
{
    size_t n = 0;
    for (size_t i = 0; i < nx_contracts_count(s); i++)
        n += nx_contract_speaks(nx_contracts_at(s, i), feed);
    return n;
}

static void test_which_tables(void **state)
{
    edge *e = *state;
    must(nx_contracts_load("contracts", &e->contracts, &e->err), &e->err);
    assert_int_equal(speakers(e->contracts, "alpaca.stocks"), 8);
    assert_int_equal(speakers(e->contracts, "nobody"), 0);
    nx_contracts_drop(e->contracts);
    e->contracts = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which_tables, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
