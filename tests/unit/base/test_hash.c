#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/hash_int.h"

static void crc32c_vectors(void **state)
{
    (void)state;
    unsigned char up[32], zero[32] = {0}, ones[32];
    for (int i = 0; i < 32; i++)
        up[i] = (unsigned char)i;
    memset(ones, 0xFF, sizeof ones);
    /* RFC 3720 B.4, and the check value of the catalogue of CRCs */
    assert_int_equal(nx_crc32c(0, zero, 32), 0x8a9136aa);
    assert_int_equal(nx_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(nx_crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(nx_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(nx_crc32c(0, "", 0), 0);
}

static void crc32c_paths_agree_at_any_length_and_split(void **state)
{
    (void)state;
    unsigned char b[300];
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (unsigned char)(i * 7 + (i >> 3));
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; n + from <= sizeof b; n += 13) {
            uint32_t whole = nx_crc32c(0, b + from, n);
            assert_int_equal(whole, nx__crc32c_soft(0, b + from, n));
            assert_int_equal(whole, nx_crc32c(nx_crc32c(0, b + from, n / 3), b + from + n / 3, n - n / 3));
        }
}

static void sha256_vectors(void **state)
{
    (void)state;
    char hex[65];
    nx_sha256_hex(NX_STR(""), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    nx_sha256_hex(NX_STR("abc"), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    nx_sha256_hex(NX_STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char as[1000];
    memset(as, 'a', sizeof as);
    nx_sha256 s;
    unsigned char out[32];
    nx_sha256_init(&s);
    for (int i = 0; i < 1000; i++) /* a million times "a", in pieces that straddle blocks */
        nx_sha256_add(&s, as, sizeof as);
    nx_sha256_end(&s, out);
    nx_hex(out, sizeof out, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_pieces_equal_the_whole(void **state)
{
    (void)state;
    char text[200], whole[65], pieces[65];
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n <= sizeof text; n++) {
        nx_sha256 s;
        unsigned char out[32];
        nx_sha256_hex((nx_str){text, n}, whole);
        nx_sha256_init(&s);
        for (size_t i = 0; i < n; i += 7)
            nx_sha256_add(&s, text + i, n - i < 7 ? n - i : 7);
        nx_sha256_end(&s, out);
        nx_hex(out, sizeof out, pieces);
        assert_string_equal(whole, pieces);
    }
}

static void md5_vectors(void **state)
{
    (void)state;
    /* RFC 1321 A.5 */
    static const char *const v[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char hex[33];
        nx_md5_hex(nx_str_of(v[i][0]), hex);
        assert_string_equal(hex, v[i][1]);
    }
}

static void base64_vectors(void **state)
{
    (void)state;
    /* RFC 4648 section 10 */
    static const char *const v[][2] = {{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_BUF_AUTO nx_buf e;
        NX_BUF_AUTO nx_buf d;
        nx_buf_init(&e, 0);
        nx_buf_init(&d, 0);
        assert_int_equal(nx_base64_encode(&e, v[i][0], strlen(v[i][0])), NX_OK);
        assert_true(nx_str_is(nx_buf_str(&e), v[i][1]));
        assert_int_equal(nx_base64_decode(&d, nx_str_of(v[i][1])), NX_OK);
        assert_true(nx_str_is(nx_buf_str(&d), v[i][0]));
    }
}

static void base64_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm-v", "Zh==", "Zm9=", "Zg==="};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        NX_BUF_AUTO nx_buf d;
        nx_buf_init(&d, 0);
        assert_int_equal(nx_buf_adds(&d, "kept"), NX_OK);
        assert_int_equal(nx_base64_decode(&d, nx_str_of(bad[i])), NX_INVALID);
        assert_int_equal(d.n, 4);
    }
}

static void hash64_tells_near_keys_apart(void **state)
{
    (void)state;
    enum { N = 4096 };
    static uint64_t seen[N];
    for (uint32_t i = 0; i < N; i++) {
        seen[i] = nx_hash64(&i, sizeof i, 7);
        for (uint32_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    }
    /* zero bytes at the end count, and so does the seed */
    assert_true(nx_hash64("a\0", 2, 0) != nx_hash64("a", 1, 0));
    assert_true(nx_hash64("a", 1, 0) != nx_hash64("a", 1, 1));
    assert_true(nx_hash64(NULL, 0, 1) == nx_hash64("x", 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_vectors), cmocka_unit_test(crc32c_paths_agree_at_any_length_and_split),
        cmocka_unit_test(sha256_vectors), cmocka_unit_test(sha256_pieces_equal_the_whole),
        cmocka_unit_test(md5_vectors),    cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_refuses), cmocka_unit_test(hash64_tells_near_keys_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
