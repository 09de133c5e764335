#include <stdio.h>

#include "sim/sim_int.h"

/* ------------------------------------------------------------------ ids */

void nx__base36_write(uint64_t v, char out[16])
{
    char text[16];
    size_t n = sizeof text;
    text[--n] = '\0';
    do {
        text[--n] = "0123456789abcdefghijklmnopqrstuvwxyz"[v % 36];
        v /= 36;
    } while (v > 0);
    memcpy(out, text + n, sizeof text - n);
}

/* A stable id of a name: FNV-1a, cut to five or seven digits of base 36. */
void nx__id_of_name(const char *name, uint64_t most, char out[16])
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const char *p = name; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    nx__base36_write(h % most, out);
}

bool nx__base36_read(nx_str s, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *digit = memchr("0123456789abcdefghijklmnopqrstuvwxyz", s.p[i], 36);
        if (digit == NULL || __builtin_mul_overflow(v, 36, &v) ||
            __builtin_add_overflow(v, (uint64_t)(digit - "0123456789abcdefghijklmnopqrstuvwxyz"), &v))
            return false;
    }
    *ret = v;
    return s.n > 0;
}

/* ------------------------------------------------------------------ things */

void nx__text_member(nx__out *o, const char *key, const char *text)
{
    nx_jw_key(&o->w, key);
    if (o->raw_json || text == NULL || strpbrk(text, "&<>") == NULL) {
        nx_jw_cstr(&o->w, text);
        return;
    }
    nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = NX_OK;
    for (const char *p = text; *p != '\0' && st == NX_OK; p++)
        st = *p == '&'   ? nx_buf_adds(&b, "&amp;")
             : *p == '<' ? nx_buf_adds(&b, "&lt;")
             : *p == '>' ? nx_buf_adds(&b, "&gt;")
                         : nx_buf_addc(&b, *p);
    nx_jw_str(&o->w, nx_buf_str(&b));
    nx_buf_drop(&b);
    if (st != NX_OK && o->w.st == NX_OK)
        o->w.st = st;
}

void nx__seconds_member(nx_jw *w, const char *key, int64_t s)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%lld.0", (long long)s);
    nx_jw_key(w, key);
    nx_jw_raw(w, (nx_str){text, (size_t)n});
}

void nx__int_member(nx_jw *w, const char *key, int64_t v)
{
    nx_jw_key(w, key);
    nx_jw_i64(w, v);
}

void nx__bool_members(nx_jw *w, const char *const *keys, size_t n, bool v)
{
    for (size_t i = 0; i < n; i++) {
        nx_jw_key(w, keys[i]);
        nx_jw_bool(w, v);
    }
}

static void write_common(nx__out *o, const nx__message *m, const char *id, bool post)
{
    nx_jw *w = &o->w;
    char sub[16], author[16];
    nx__id_of_name(m->subreddit, 60466176, sub);
    nx_jw_key(w, "id");
    nx_jw_cstr(w, id);
    nx_jw_key(w, "name");
    nx_jw_strf(w, "%s_%s", post ? "t3" : "t1", id);
    nx__text_member(o, "subreddit", m->subreddit);
    nx_jw_key(w, "subreddit_id");
    nx_jw_strf(w, "t5_%s", sub);
    nx_jw_key(w, "subreddit_name_prefixed");
    nx_jw_strf(w, "r/%s", m->subreddit);
    nx__text_member(o, "subreddit_type", "public");
    nx__text_member(o, "author", m->author == NULL ? "[deleted]" : m->author);
    if (m->author != NULL) {
        nx__id_of_name(m->author, UINT64_C(78364164096), author);
        nx_jw_key(w, "author_fullname");
        nx_jw_strf(w, "t2_%s", author);
    }
    nx_jw_key(w, "author_flair_text");
    nx_jw_null(w);
    nx_jw_key(w, "distinguished");
    nx_jw_null(w);
    nx__seconds_member(w, "created_utc", m->created);
    nx__seconds_member(w, "created", m->created);
    if (m->edited != 0)
        nx__seconds_member(w, "edited", m->edited);
    else
        nx__bool_members(w, (const char *const[]){"edited"}, 1, false);
    nx__int_member(w, "score", m->score);
    nx__int_member(w, "ups", m->score);
    nx__int_member(w, "downs", 0);
    static const char *const off[] = {"stickied", "locked", "archived", "saved", "can_mod_post"};
    nx__bool_members(w, off, NX_COUNT_OF(off), false);
}

static void write_post(nx__out *o, const nx__message *m, const char *id)
{
    nx_jw *w = &o->w;
    nx__text_member(o, "title", m->title);
    nx__text_member(o, "selftext", m->text);
    nx_jw_key(w, "permalink");
    nx_jw_strf(w, "/r/%s/comments/%s/", m->subreddit, id);
    nx_jw_key(w, "url");
    nx_jw_strf(w, "https://www.reddit.com/r/%s/comments/%s/", m->subreddit, id);
    nx_jw_key(w, "domain");
    nx_jw_strf(w, "self.%s", m->subreddit);
    nx_jw_key(w, "upvote_ratio");
    nx_jw_f64(w, m->ratio / 100.0);
    nx__int_member(w, "num_comments", m->num_comments);
    nx__int_member(w, "num_crossposts", 0);
    nx_jw_key(w, "link_flair_text");
    nx_jw_null(w);
    nx_jw_key(w, "removed_by_category");
    nx_jw_null(w);
    static const char *const off[] = {"over_18", "spoiler", "is_video",  "is_original_content",
                                      "is_meta", "hidden",  "quarantine"};
    static const char *const on[] = {"is_self", "is_robot_indexable", "send_replies"};
    nx__bool_members(w, off, NX_COUNT_OF(off), false);
    nx__bool_members(w, on, NX_COUNT_OF(on), true);
}

static void write_comment(nx__out *o, const nx__message *m, const char *id)
{
    nx_jw *w = &o->w;
    char post[16];
    nx__base36_write(m->parent, post);
    nx__text_member(o, "body", m->text);
    nx_jw_key(w, "link_id");
    nx_jw_strf(w, "t3_%s", post);
    nx_jw_key(w, "parent_id");
    nx_jw_strf(w, "t3_%s", post);
    nx_jw_key(w, "permalink");
    nx_jw_strf(w, "/r/%s/comments/%s/_/%s/", m->subreddit, post, id);
    nx__text_member(o, "replies", "");
    nx__int_member(w, "controversiality", 0);
    static const char *const off[] = {"is_submitter", "score_hidden", "collapsed"};
    nx__bool_members(w, off, NX_COUNT_OF(off), false);
}

void nx__write_thing(nx__out *o, const nx__message *m, bool post)
{
    char id[16];
    nx__base36_write(m->id, id);
    nx_jw_obj(&o->w);
    nx__text_member(o, "kind", post ? "t3" : "t1");
    nx_jw_key(&o->w, "data");
    if (m->raw != NULL) {
        nx_jw_raw(&o->w, (nx_str){m->raw, m->raw_n});
    } else {
        nx_jw_obj(&o->w);
        write_common(o, m, id, post);
        if (post)
            write_post(o, m, id);
        else
            write_comment(o, m, id);
        nx_jw_obj_end(&o->w);
    }
    nx_jw_obj_end(&o->w);
}

/* Bodies are pure ASCII: what is not, and <, > and &, becomes \u escapes (these can only stand inside strings). */
nx_status nx__to_ascii(nx_buf *body)
{
    nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = NX_OK;
    nx_str s = nx_buf_str(body);
    for (size_t i = 0; i < s.n && st == NX_OK;) {
        size_t from = i;
        while (i < s.n && (unsigned char)s.p[i] < 0x80 && s.p[i] != '<' && s.p[i] != '>' && s.p[i] != '&')
            i++;
        st = nx_buf_add(&b, nx_str_sub(s, from, i));
        if (i == s.n || st != NX_OK)
            break;
        uint32_t cp = nx_utf8_get(s, &i);
        if (cp >= 0x10000)
            st = nx_buf_addf(&b, "\\u%04x\\u%04x", 0xD800 + ((cp - 0x10000) >> 10), 0xDC00 + ((cp - 0x10000) & 0x3FF));
        else
            st = nx_buf_addf(&b, cp < 0x80 ? "\\u%04X" : "\\u%04x", cp);
    }
    if (st == NX_OK) {
        nx_buf_drop(body);
        *body = b;
    } else {
        nx_buf_drop(&b);
    }
    return st;
}
