/* What the JSON reader takes and refuses, by RFC 8259: y_ must be read, n_ must be refused, and for what the RFC leaves
 * open the list says what Nexus does (numbers of any size are kept as text; lone surrogates, byte order marks, other
 * encodings and doubled keys are refused). Names follow the custom of public suites; the cases are written for this
 * reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/json.h"

/* A case may hold zero bytes: its length is that of the literal. */
#define CASE(name, text) {name, "" text, sizeof(text) - 1}

typedef struct sample {
    const char *name, *text;
    size_t n;
} sample;

static const sample taken[] = {
    CASE("y_structure_null", "null"),
    CASE("y_structure_true", "true"),
    CASE("y_structure_false", "false"),
    CASE("y_structure_lonely_int", "42"),
    CASE("y_structure_lonely_negative", "-0.1"),
    CASE("y_structure_lonely_string", "\"asd\""),
    CASE("y_structure_empty_string", "\"\""),
    CASE("y_structure_trailing_newline", "[\"a\"]\n"),
    CASE("y_structure_white_space_around", " \t\r\n[] \t\r\n"),
    CASE("y_array_empty", "[]"),
    CASE("y_array_empty_with_space", "[ \n ]"),
    CASE("y_array_of_empty_string", "[\"\"]"),
    CASE("y_array_ending_with_newline", "[\"a\"\n]"),
    CASE("y_array_heterogeneous", "[null, 1, \"1\", {}, [], false]"),
    CASE("y_array_null", "[null]"),
    CASE("y_array_with_several_null", "[1,null,null,null,2]"),
    CASE("y_array_spaces", "[ 1 , 2 ]"),
    CASE("y_array_nested", "[[[[[[[[[[]]]]]]]]]]"),
    CASE("y_object_empty", "{}"),
    CASE("y_object_basic", "{\"a\":\"b\"}"),
    CASE("y_object_spaces", "{ \"a\" : 1 , \"b\" : 2 }"),
    CASE("y_object_newlines", "{\n\"a\": \"b\"\n}"),
    CASE("y_object_empty_key", "{\"\":0}"),
    CASE("y_object_escaped_null_in_key", "{\"foo\\u0000bar\": 42}"),
    CASE("y_object_extreme_numbers", "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
    CASE("y_object_same_key_in_two_objects", "[{\"a\":1},{\"a\":1}]"),
    CASE("y_object_keys_differing_by_case", "{\"T\":1,\"t\":2,\"S\":3,\"s\":4}"),
    CASE("y_object_key_is_prefix_with_nul", "{\"a\":1,\"a\\u0000\":2}"),
    CASE("y_object_string_unicode", "{\"title\":\"\\u041f\\u043e\"}"),
    CASE("y_object_long_strings",
         "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": \"xxxxxxxxxxxxxxxxxxxx\"}"),
    CASE("y_number_zero", "[0]"),
    CASE("y_number_negative_zero", "[-0]"),
    CASE("y_number_negative_zero_fraction", "[-0.0]"),
    CASE("y_number_zero_exponent", "[0e1]"),
    CASE("y_number_zero_exponent_plus", "[0e+1]"),
    CASE("y_number_0_point", "[0.5]"),
    CASE("y_number_negative_one", "[-1]"),
    CASE("y_number_int_with_exponent", "[20e1]"),
    CASE("y_number_real_capital_e", "[1E22]"),
    CASE("y_number_real_capital_e_minus", "[1E-2]"),
    CASE("y_number_real_capital_e_plus", "[1E+2]"),
    CASE("y_number_real_exponent", "[123e45]"),
    CASE("y_number_real_fraction_exponent", "[123.456e78]"),
    CASE("y_number_exponent_leading_zeros", "[1e001]"),
    CASE("y_number_double_close_to_zero",
         "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
    CASE("y_number_many_digits", "[1234567890123456789012345678901234567890.12345678901234567890]"),
    CASE("y_number_followed_by_space", "[123 ]"),
    CASE("y_number_simple_real", "[123.456789]"),
    CASE("y_number_huge_exponent", "[1e9999]"),
    CASE("y_number_tiny_exponent", "[1e-9999]"),
    CASE("y_number_int_over_64_bits", "[18446744073709551616]"),
    CASE("y_string_1_2_3_bytes_utf8_escapes", "[\"\\u0060\\u012a\\u12AB\"]"),
    CASE("y_string_accepted_surrogate_pair", "[\"\\uD801\\udc37\"]"),
    CASE("y_string_accepted_surrogate_pairs", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    CASE("y_string_highest_code_point", "[\"\\udbff\\udfff\"]"),
    CASE("y_string_allowed_escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    CASE("y_string_backslash_and_u_escaped_zero", "[\"\\\\u0000\"]"),
    CASE("y_string_backslash_doublequotes", "[\"\\\"\"]"),
    CASE("y_string_escaped_backslash_at_end", "[\"a\\\\\"]"),
    CASE("y_string_comments_inside", "[\"a/*b*/c/*d//e\"]"),
    CASE("y_string_escaped_control", "[\"\\u0012\"]"),
    CASE("y_string_escaped_noncharacter", "[\"\\uFFFF\"]"),
    CASE("y_string_escaped_null", "[\"\\u0000\"]"),
    CASE("y_string_in_array_with_leading_space", "[ \"asd\"]"),
    CASE("y_string_last_surrogates_1_and_2", "[\"\\uDBFF\\uDFFF\"]"),
    CASE("y_string_nonbreaking_space", "[\"new\xC2\xA0line\"]"),
    CASE("y_string_noncharacter_u10ffff", "[\"\xF4\x8F\xBF\xBF\"]"),
    CASE("y_string_noncharacter_uffff", "[\"\xEF\xBF\xBF\"]"),
    CASE("y_string_pi", "[\"\xCF\x80\"]"),
    CASE("y_string_replacement_character", "[\"\xEF\xBF\xBD\"]"),
    CASE("y_string_bom_inside", "[\"\xEF\xBB\xBF\"]"),
    CASE("y_string_simple_ascii", "[\"asd \"]"),
    CASE("y_string_three_byte_utf8", "[\"\\u0821\"]"),
    CASE("y_string_u2028_line_separator", "[\"\xE2\x80\xA8\"]"),
    CASE("y_string_u2029_paragraph_separator", "[\"\xE2\x80\xA9\"]"),
    CASE("y_string_uescape_lower_and_upper", "[\"\\uabCD\\uABcd\"]"),
    CASE("y_string_delete_character", "[\"a\x7F"
                                      "a\"]"),
    CASE("y_string_utf8_four_bytes", "[\"\xF0\x9D\x84\x9E\"]"),
    CASE("y_string_slash_unescaped", "[\"/\"]"),
    CASE("y_string_only_spaces", "\" \""),
};

static const sample refused[] = {
    CASE("n_structure_no_data", ""),
    CASE("n_structure_only_white_space", " \n\t "),
    CASE("n_structure_single_point", "."),
    CASE("n_structure_single_star", "*"),
    CASE("n_structure_null_byte", "\0"),
    CASE("n_structure_null_byte_outside_string", "[\0]"),
    CASE("n_structure_null_byte_after_value", "123\0"),
    CASE("n_structure_bom", "\xEF\xBB\xBF{}"),
    CASE("n_structure_incomplete_bom", "\xEF\xBB{}"),
    CASE("n_structure_utf16_le", "\xFF\xFE[\0]\0"),
    CASE("n_structure_utf16_be", "\0[\0]"),
    CASE("n_structure_capitalized_true", "[True]"),
    CASE("n_structure_upper_null", "NULL"),
    CASE("n_structure_incomplete_true", "[tru]"),
    CASE("n_structure_incomplete_false", "[fals]"),
    CASE("n_structure_incomplete_null", "[nul]"),
    CASE("n_structure_word_too_long", "[truex]"),
    CASE("n_structure_trailing_hash", "{\"a\":\"b\"}#{}"),
    CASE("n_structure_two_values", "1 2"),
    CASE("n_structure_two_arrays", "[][]"),
    CASE("n_structure_object_then_comma", "{},"),
    CASE("n_structure_comment_slash", "[1] // one"),
    CASE("n_structure_comment_star", "/* a */ 1"),
    CASE("n_structure_comment_in_object", "{\"a\":/*comment*/\"b\"}"),
    CASE("n_structure_form_feed", "[\f]"),
    CASE("n_structure_vertical_tab", "[\v1]"),
    CASE("n_structure_no_break_space", "[\xC2\xA0]"),
    CASE("n_structure_unicode_space", "\xE2\x81\xA0[]"),
    CASE("n_structure_angle_bracket", "<.>"),
    CASE("n_structure_single_quote", "'a'"),
    CASE("n_structure_lone_quote", "\""),
    CASE("n_structure_end_array", "]"),
    CASE("n_structure_end_object", "}"),
    CASE("n_structure_uescaped_bracket", "[\\u000A\"\"]"),
    CASE("n_structure_open_array_object", "[{\"\":[{\"\":"),
    CASE("n_structure_ndjson", "{}\n{}\n"),
    CASE("n_structure_html", "<html>"),
    CASE("n_array_just_open", "["),
    CASE("n_array_unclosed", "[1"),
    CASE("n_array_unclosed_trailing_comma", "[1,"),
    CASE("n_array_unclosed_with_object", "[{}"),
    CASE("n_array_extra_close", "[1]]"),
    CASE("n_array_extra_comma", "[\"\",]"),
    CASE("n_array_double_comma", "[1,,2]"),
    CASE("n_array_double_extra_comma", "[\"x\",,]"),
    CASE("n_array_just_comma", "[,]"),
    CASE("n_array_just_minus", "[-]"),
    CASE("n_array_comma_before_first", "[,1]"),
    CASE("n_array_colon_instead_of_comma", "[\"\": 1]"),
    CASE("n_array_missing_comma", "[1 true]"),
    CASE("n_array_items_separated_by_semicolon", "[1:2]"),
    CASE("n_array_closed_by_brace", "[1}"),
    CASE("n_array_unquoted_word", "[a]"),
    CASE("n_array_star_inside", "[*]"),
    CASE("n_array_newline_unclosed", "[\"a\",\n4\n,1,"),
    CASE("n_array_invalid_utf8", "[\xFF]"),
    CASE("n_array_number_and_comma", "[1.0e+,]"),
    CASE("n_object_just_open", "{"),
    CASE("n_object_unclosed", "{\"a\":1"),
    CASE("n_object_no_colon", "{\"a\" 1}"),
    CASE("n_object_no_colon_end", "{\"a\""),
    CASE("n_object_double_colon", "{\"x\"::\"b\"}"),
    CASE("n_object_comma_instead_of_colon", "{\"x\", null}"),
    CASE("n_object_missing_value", "{\"a\":"),
    CASE("n_object_missing_value_closed", "{\"a\":}"),
    CASE("n_object_missing_key", "{:\"b\"}"),
    CASE("n_object_trailing_comma", "{\"id\":0,}"),
    CASE("n_object_two_commas", "{\"a\":1,,\"b\":2}"),
    CASE("n_object_lone_comma", "{,}"),
    CASE("n_object_unquoted_key", "{a:\"b\"}"),
    CASE("n_object_single_quoted_key", "{'a':0}"),
    CASE("n_object_number_key", "{1:1}"),
    CASE("n_object_number_key_trailing", "{9999E9999:1}"),
    CASE("n_object_null_key", "{null:null}"),
    CASE("n_object_bad_value", "[\"x\", truth]"),
    CASE("n_object_bracket_key", "{[: \"x\"}\n"),
    CASE("n_object_closed_by_bracket", "{\"a\":1]"),
    CASE("n_object_garbage_at_end", "{\"a\":\"a\" 123}"),
    CASE("n_object_trailing_comment", "{\"a\":\"b\"}/**/"),
    CASE("n_object_doubled_key", "{\"a\":\"b\",\"a\":\"c\"}"),
    CASE("n_object_doubled_key_and_value", "{\"a\":\"b\",\"a\":\"b\"}"),
    CASE("n_object_doubled_key_by_escape", "{\"\\u0061\":1,\"a\":2}"),
    CASE("n_object_doubled_empty_key", "{\"\":1,\"\":2}"),
    CASE("n_object_doubled_key_deep", "[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]"),
    CASE("n_number_plus", "[+1]"),
    CASE("n_number_double_minus", "[--1]"),
    CASE("n_number_minus_space", "[- 1]"),
    CASE("n_number_leading_zero", "[012]"),
    CASE("n_number_negative_leading_zero", "[-012]"),
    CASE("n_number_double_zero", "[00]"),
    CASE("n_number_leading_point", "[.5]"),
    CASE("n_number_negative_leading_point", "[-.123]"),
    CASE("n_number_trailing_point", "[1.]"),
    CASE("n_number_zero_point", "[0.]"),
    CASE("n_number_point_exponent", "[0.e1]"),
    CASE("n_number_exponent_empty", "[1e]"),
    CASE("n_number_exponent_plus_empty", "[1e+]"),
    CASE("n_number_exponent_capital_empty", "[1E]"),
    CASE("n_number_exponent_fraction", "[1e1.5]"),
    CASE("n_number_double_exponent", "[1eE2]"),
    CASE("n_number_exponent_double_sign", "[1e+-2]"),
    CASE("n_number_two_points", "[1.2.3]"),
    CASE("n_number_expression", "[1+2]"),
    CASE("n_number_hex", "[0x42]"),
    CASE("n_number_hex_digit", "[0x]"),
    CASE("n_number_octal", "[0o7]"),
    CASE("n_number_binary", "[0b1]"),
    CASE("n_number_nan", "[NaN]"),
    CASE("n_number_minus_nan", "[-NaN]"),
    CASE("n_number_infinity", "[Infinity]"),
    CASE("n_number_minus_infinity", "[-Infinity]"),
    CASE("n_number_inf_short", "[Inf]"),
    CASE("n_number_with_alpha", "[1.2a-3]"),
    CASE("n_number_with_letter", "[1a]"),
    CASE("n_number_underscore", "[1_000]"),
    CASE("n_number_comma_decimal", "[1,5,]"),
    CASE("n_number_space_inside", "[1 000.0]"),
    CASE("n_number_fullwidth_digit", "[\xEF\xBC\x91]"),
    CASE("n_number_percent", "[5%]"),
    CASE("n_number_bad_utf8_after", "[123\xE5]"),
    CASE("n_number_null_inside", "[1\0002]"),
    CASE("n_string_unterminated", "[\"asd]"),
    CASE("n_string_single_quote", "['single quote']"),
    CASE("n_string_no_quotes_bad_escape", "[\\n]"),
    CASE("n_string_escape_at_end", "[\"\\"),
    CASE("n_string_escaped_quote_at_end", "[\"a\\\"]"),
    CASE("n_string_escape_x", "[\"\\x00\"]"),
    CASE("n_string_escape_a", "[\"\\a\"]"),
    CASE("n_string_escape_zero", "[\"\\0\"]"),
    CASE("n_string_escape_null_byte", "[\"\\\0\"]"),
    CASE("n_string_escape_quote", "[\"\\'\"]"),
    CASE("n_string_escape_capital_u", "[\"\\U0001F600\"]"),
    CASE("n_string_escape_newline", "[\"a\\\nb\"]"),
    CASE("n_string_escape_emoji", "[\"\\\xF0\x9F\x8C\x80\"]"),
    CASE("n_string_incomplete_u", "[\"\\u\"]"),
    CASE("n_string_incomplete_u_3", "[\"\\u00A\"]"),
    CASE("n_string_bad_hex", "[\"\\u00G0\"]"),
    CASE("n_string_u_with_sign", "[\"\\u+123\"]"),
    CASE("n_string_u_with_space", "[\"\\u 123\"]"),
    CASE("n_string_lone_high_surrogate", "[\"\\uD800\"]"),
    CASE("n_string_lone_high_surrogate_then_text", "[\"\\uD800abcdef\"]"),
    CASE("n_string_lone_low_surrogate", "[\"\\uDC00\"]"),
    CASE("n_string_two_high_surrogates", "[\"\\uD800\\uD800\"]"),
    CASE("n_string_surrogates_swapped", "[\"\\uDd1e\\uD834\"]"),
    CASE("n_string_surrogate_incomplete_escape", "[\"\\uD834\\uDd\"]"),
    CASE("n_string_surrogate_then_escape", "[\"\\uD800\\n\"]"),
    CASE("n_string_surrogate_and_escape_u", "[\"\\uD800\\u\"]"),
    CASE("n_string_surrogate_and_ascii_escape", "[\"\\uD800\\u0041\"]"),
    CASE("n_string_raw_newline", "[\"new\nline\"]"),
    CASE("n_string_raw_tab", "[\"\t\"]"),
    CASE("n_string_raw_return", "[\"\r\"]"),
    CASE("n_string_raw_null", "[\"a\0b\"]"),
    CASE("n_string_raw_1f", "[\"\x1F\"]"),
    CASE("n_string_raw_control_in_key", "{\"a\nb\":1}"),
    CASE("n_string_utf8_lone_continuation", "[\"\x81\"]"),
    CASE("n_string_utf8_lone_start", "[\"\xC3\"]"),
    CASE("n_string_utf8_overlong_2", "[\"\xC0\xAF\"]"),
    CASE("n_string_utf8_overlong_3", "[\"\xE0\x80\xAF\"]"),
    CASE("n_string_utf8_overlong_4", "[\"\xF0\x80\x80\xAF\"]"),
    CASE("n_string_utf8_overlong_null", "[\"\xC0\x80\"]"),
    CASE("n_string_utf8_surrogate", "[\"\xED\xA0\x80\"]"),
    CASE("n_string_utf8_surrogate_pair_cesu8", "[\"\xED\xA0\xBD\xED\xB8\x80\"]"),
    CASE("n_string_utf8_above_10ffff", "[\"\xF4\x90\x80\x80\"]"),
    CASE("n_string_utf8_five_bytes", "[\"\xFB\xBF\xBF\xBF\xBF\"]"),
    CASE("n_string_utf8_truncated_in_key", "{\"\xE2\x82\":1}"),
    CASE("n_string_latin1", "[\"\xE9\"]"),
    CASE("n_string_with_trailing_garbage", "\"\"x"),
};

static void acceptable_texts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(taken); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_val *v = NULL;
        nx_err err;
        if (nx_json_parse((nx_str){taken[i].text, taken[i].n}, NULL, &a, &v, &err) != NX_OK)
            fail_msg("%s: %s", taken[i].name, err.text);
    }
}

/* Written and read again, the text no longer changes. */
static void what_is_read_survives_writing(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(taken); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        NX_BUF_AUTO nx_buf once;
        nx_buf_init(&once, 0);
        NX_BUF_AUTO nx_buf twice;
        nx_buf_init(&twice, 0);
        nx_val *v = NULL;
        nx_err err;
        assert_int_equal(nx_json_parse((nx_str){taken[i].text, taken[i].n}, NULL, &a, &v, &err), NX_OK);
        assert_int_equal(nx_val_to_json(v, &once), NX_OK);
        if (nx_json_parse(nx_buf_str(&once), NULL, &a, &v, &err) != NX_OK)
            fail_msg("%s: written as %s: %s", taken[i].name, once.p, err.text);
        assert_int_equal(nx_val_to_json(v, &twice), NX_OK);
        assert_string_equal(once.p, twice.p);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(refused); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_val *v = NULL;
        nx_err err;
        if (nx_json_parse((nx_str){refused[i].text, refused[i].n}, NULL, &a, &v, &err) != NX_INVALID)
            fail_msg("%s was taken", refused[i].name);
        if (strstr(err.text, "could not read JSON at line ") != err.text)
            fail_msg("%s: no place in \"%s\"", refused[i].name, err.text);
    }
}

/* No beginning of a good text that ends inside its array or object is taken. */
static void beginnings_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(taken); i++) {
        nx_str t = nx_str_trim((nx_str){taken[i].text, taken[i].n});
        for (size_t n = 0; (t.p[0] == '[' || t.p[0] == '{' || t.p[0] == '"') && n < t.n; n++) {
            NX_ARENA_AUTO nx_arena a;
            nx_arena_init(&a, 0);
            nx_val *v = NULL;
            if (nx_json_parse((nx_str){t.p, n}, NULL, &a, &v, NULL) != NX_INVALID)
                fail_msg("%s: its first %zu bytes were taken", taken[i].name, n);
        }
    }
}

int main(void)
{
    _Static_assert(NX_COUNT_OF(taken) + NX_COUNT_OF(refused) >= 240, "the list is not shortened by accident");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acceptable_texts_are_read),
        cmocka_unit_test(what_is_read_survives_writing),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(beginnings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
