/* Patterns against what ECMA-262 says they match: the third column is what RegExp.prototype.test (flag u) of a JavaScript engine gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract/pattern_int.h"

static void matches(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool want;
    } v[] = {
        {"a", "xay", true},
        {"a", "xy", false},
        {"^a", "ba", false},
        {"^a", "ab", true},
        {"a$", "ab", false},
        {"a$", "ba", true},
        {"^$", "", true},
        {"^$", "x", false},
        {"", "", true},
        {"", "abc", true},
        {"^ab|cd$", "abx", true},
        {"^ab|cd$", "xcd", true},
        {"^ab|cd$", "xabx", false},
        {"^(ab|cd)$", "cd", true},
        {"^(ab|cd)$", "abcd", false},
        {"^(?:ab)+$", "ababab", true},
        {"^(?:ab)+$", "aba", false},
        {"^a*$", "", true},
        {"^a+$", "", false},
        {"^a?b$", "b", true},
        {"^a?b$", "aab", false},
        {"^a{3}$", "aaa", true},
        {"^a{3}$", "aa", false},
        {"^a{2,}$", "aaaaa", true},
        {"^a{2,}$", "a", false},
        {"^a{1,3}$", "aaaa", false},
        {"^a{0}$", "", true},
        {"^a{0}$", "a", false},
        {"^[A-Z0-9.-]+$", "BRK.B", true},
        {"^[A-Z0-9.-]+$", "brk", false},
        {"^[^a-c]$", "d", true},
        {"^[^a-c]$", "b", false},
        {"^[^a]$", "\xc3\xbc", true},
        {"^[^a]{2}$", "\xc3\xbc", false},
        {"^.$", "\xf0\x9f\x9a\x80", true},
        {"^..$", "\xf0\x9f\x9a\x80", false},
        {"^.$", "\n", false},
        {"^\\d{4}-\\d\\d$", "2024-01", true},
        {"^\\d+$", "12a", false},
        {"^\\w+$", "a_Z9", true},
        {"^\\w+$", "a-b", false},
        {"^\\s$", "\t", true},
        {"^\\S+$", "a b", false},
        {"^\\D$", "\xc3\xbc", true},
        {"^\\W$", "-", true},
        {"^[\\d.]+$", "1.5", true},
        {"^[\\w-]+$", "a-b", true},
        {"^[]a]$", "a", false},
        {"^[a\\]]$", "]", true},
        {"^[-a]$", "-", true},
        {"^[a-]$", "-", true},
        {"^\\.\\*\\$$", ".*$", true},
        {"^\\x41\\u00fc$", "A\xc3\xbc", true},
        {"^\xc3\xbc+$", "\xc3\xbc\xc3\xbc", true},
        {"^a|^b", "b", true},
        {"(^a)b", "cab", false},
        {"a|", "zzz", true},
        {"^(a|ab)(c|bcd)$", "abcd", true},
        {"^(a*)*$", "aaa", true},
        {"^(a*)*$", "b", false},
        {"^t[13]_[0-9a-z]+$", "t3_1kj0ld", true},
        {"^t[13]_[0-9a-z]+$", "t2_1", false},
        {"^(raw|all|(a|b)(,(a|b))*)$", "a,b,a", true},
        {"$^", "", true},
        {"$^", "x", false},
        {"x*", "", true},
        {"^[\\t\\x0a]$", "\n", true},
        {"^a{0,2}b$", "aab", true},
    };
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_pattern *p = NULL;
        nx_err err = {0};
        if (strcmp(v[i].pattern, "^[]a]$") == 0) { /* ECMA-262: [] is empty and matches nothing, "a]" follows */
            assert_int_equal(nx__pattern_compile(nx_str_of(v[i].pattern), &a, &p, &err), NX_INVALID);
            continue;
        }
        if (nx__pattern_compile(nx_str_of(v[i].pattern), &a, &p, &err) != NX_OK)
            fail_msg("%s", err.text);
        if (nx__pattern_match(p, nx_str_of(v[i].text)) != v[i].want)
            fail_msg("/%s/ on '%s' should be %d", v[i].pattern, v[i].text, v[i].want);
    }
}

/* Patterns that take backtracking engines exponential time. */
static void takes_linear_time(void **state)
{
    (void)state;
    nx_arena a NX_ARENA_AUTO;
    nx_buf text NX_BUF_AUTO;
    nx_arena_init(&a, 0);
    nx_buf_init(&text, 0);
    for (int i = 0; i < 1000000; i++)
        assert_int_equal(nx_buf_addc(&text, 'a'), NX_OK);
    assert_int_equal(nx_buf_addc(&text, '!'), NX_OK);
    static const char *const evil[] = {"^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^(.*a){5}$"};
    for (size_t i = 0; i < NX_COUNT_OF(evil); i++) {
        nx_pattern *p = NULL;
        assert_int_equal(nx__pattern_compile(nx_str_of(evil[i]), &a, &p, NULL), NX_OK);
        assert_false(nx__pattern_match(p, nx_buf_str(&text)));
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        nx_status want;
    } v[] = {
        {"(a", NX_INVALID},
        {"a)", NX_INVALID},
        {"[a", NX_INVALID},
        {"*a", NX_INVALID},
        {"a**", NX_INVALID},
        {"a{2,1}", NX_INVALID},
        {"a{x}", NX_INVALID},
        {"a{999}", NX_INVALID},
        {"\\", NX_INVALID},
        {"[z-a]", NX_INVALID},
        {"[\\d-z]", NX_INVALID},
        {"^*", NX_INVALID},
        {"\\x4", NX_INVALID},
        {"a\xff", NX_INVALID},
        {"}", NX_INVALID},
        {"(?=a)", NX_UNSUPPORTED},
        {"(?!a)", NX_UNSUPPORTED},
        {"(?<n>a)", NX_UNSUPPORTED},
        {"(a)\\1", NX_UNSUPPORTED},
        {"a*?", NX_UNSUPPORTED},
        {"\\bword", NX_UNSUPPORTED},
        {"\\p{L}", NX_UNSUPPORTED},
        {"[\xc3\xbc]", NX_UNSUPPORTED},
        {"\\ud800", NX_UNSUPPORTED},
        {"(a|b)*a(a|b){12}$", NX_UNSUPPORTED},
        {"(((a{100}){100}){100}){100}", NX_UNSUPPORTED},
    };
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_pattern *p = NULL;
        nx_err err = {0};
        if (nx__pattern_compile(nx_str_of(v[i].pattern), &a, &p, &err) != v[i].want)
            fail_msg("/%s/: %s", v[i].pattern, err.text);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches), cmocka_unit_test(takes_linear_time),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
