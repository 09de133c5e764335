/* Takes stream frames apart without building trees: a day's tape has 700,000 of them. */
#include "sim/sim_int.h"

/* Position behind the JSON string that begins at i (a quote), or SIZE_MAX. */
static size_t skip_string(nx_str s, size_t i)
{
    for (i++; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return SIZE_MAX;
}

/* Position behind the object that begins at i, and the texts of its own members T, S and t. SIZE_MAX: broken. */
static size_t read_object(nx_str s, size_t i, nx_str *ret_type, nx_str *ret_symbol, nx_str *ret_time)
{
    int depth = 0;
    while (i < s.n) {
        char ch = s.p[i];
        if (ch != '"') {
            depth += (ch == '{' || ch == '[') - (ch == '}' || ch == ']');
            i++;
            if (depth == 0)
                return i;
            continue;
        }
        size_t end = skip_string(s, i);
        if (end == SIZE_MAX)
            return SIZE_MAX;
        /* a key of one letter with a string behind it: "S":"AAPL" */
        if (depth == 1 && end - i == 3 && end + 1 < s.n && s.p[end] == ':' && s.p[end + 1] == '"') {
            size_t value_end = skip_string(s, end + 1);
            if (value_end == SIZE_MAX)
                return SIZE_MAX;
            nx_str value = nx_str_sub(s, end + 2, value_end - 1);
            if (s.p[i + 1] == 'T')
                *ret_type = value;
            else if (s.p[i + 1] == 'S')
                *ret_symbol = value;
            else if (s.p[i + 1] == 't')
                *ret_time = value;
            end = value_end;
        }
        i = end;
    }
    return SIZE_MAX;
}

bool nx__tape_split(nx_str line, nx__feed *f, nx_str *ret_time)
{
    line = nx_str_trim(line);
    f->n_items = 0;
    *ret_time = (nx_str){NULL, 0};
    if (line.n < 2 || line.p[0] != '[' || line.p[line.n - 1] != ']')
        return false;
    size_t i = 1;
    while (i < line.n - 1) {
        if (line.p[i] == ',' || line.p[i] == ' ') {
            i++;
            continue;
        }
        nx_str type = {NULL, 0}, symbol = {"", 0}, time = {NULL, 0};
        size_t end = line.p[i] == '{' ? read_object(line, i, &type, &symbol, &time) : SIZE_MAX;
        if (end == SIZE_MAX || type.n == 0)
            return false;
        if (!nx_grow(&f->items, &f->items_cap, f->n_items + 1, sizeof *f->items))
            return false;
        f->items[f->n_items++] = (nx__item){type.n == 1 ? type.p[0] : '?', symbol, nx_str_sub(line, i, end)};
        if (ret_time->p == NULL)
            *ret_time = time;
        i = end;
    }
    return true;
}
