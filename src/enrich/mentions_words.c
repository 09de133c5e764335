/* What is not looked at, and the word lists of the guards. */
#include "enrich/mentions_int.h"

static const char *const stop_words[] = {
    "A",    "I",    "AH",  "AI",   "ALL",  "AM",   "AN",    "AND",  "ANY",  "APE",   "APES", "ARE",  "AT",   "ATH",
    "ATM",  "BE",   "BIG", "BOE",  "BTFD", "BUT",  "BUY",   "BY",   "CAN",  "CEO",   "CFO",  "CIA",  "COO",  "CPI",
    "CTO",  "DCA",  "DD",  "DIP",  "DO",   "DOJ",  "DTE",   "ECB",  "EDIT", "ELON",  "EOD",  "EOW",  "EPS",  "ER",
    "ESG",  "EST",  "ETF", "EU",   "EV",   "FBI",  "FD",    "FDA",  "FED",  "FOMC",  "FOMO", "FOR",  "FREE", "FUD",
    "FUND", "FYI",  "GDP", "GET",  "GO",   "GOAT", "GOOD",  "GTFO", "HAS",  "HF",    "HODL", "HOLD", "HQ",   "IMO",
    "IN",   "IPO",  "IQ",  "IRS",  "IS",   "IT",   "ITM",   "IV",   "JPOW", "KYS",   "LETS", "LFG",  "LINE", "LMAO",
    "LOL",  "LOVE", "LOW", "MACD", "MARK", "MAX",  "ME",    "MEME", "MM",   "MOASS", "MOON", "MORE", "MSM",  "NEW",
    "NEXT", "NFA",  "NFT", "NO",   "NOT",  "NOW",  "NYC",   "NYSE", "OF",   "OK",    "ON",   "ONE",  "OP",   "OPEN",
    "OR",   "OTM",  "OUT", "PDT",  "PE",   "PM",   "POS",   "PR",   "PS",   "PT",    "PUMP", "PUTS", "QE",   "QT",
    "RC",   "REAL", "RED", "RH",   "RIDE", "RIP",  "ROFL",  "ROPE", "RSI",  "SAFE",  "SEC",  "SEE",  "SELL", "SHORT",
    "SI",   "SIX",  "SO",  "SP",   "SPAC", "STAY", "STOCK", "TA",   "THE",  "THIS",  "TL",   "TLDR", "TO",   "TOS",
    "TV",   "UK",   "US",  "USA",  "USD",  "VERY", "VIX",   "WE",   "WELL", "WHO",   "WILL", "WSB",  "WTF",  "YOLO",
    "YOU",  "YTD",
};

static const char *const trading_words[] = {
    "call",   "calls", "put",     "puts",  "share",   "shares",   "long",      "short",  "buy",
    "buying", "sell",  "selling", "hold",  "holding", "bought",   "sold",      "strike", "earnings",
    "iv",     "leap",  "leaps",   "stock", "ticker",  "position", "positions",
};

bool nx__mentions_ambiguous(nx_str symbol)
{
    if (symbol.n < 2)
        return true;
    for (size_t i = 0; i < NX_COUNT_OF(stop_words); i++)
        if (nx_str_is(symbol, stop_words[i]))
            return true;
    return false;
}

bool nx__mentions_trading_word(nx_str word)
{
    for (size_t i = 0; i < NX_COUNT_OF(trading_words); i++)
        if (nx_str_eq_nocase(word, nx_str_of(trading_words[i])))
            return true;
    return false;
}

bool nx__is_word(nx_str t, size_t i)
{
    unsigned char c = (unsigned char)t.p[i];
    if (c < 0x80)
        return nx__is_letter((char)c) || nx__is_digit((char)c) || c == '_';
    size_t lead = i;
    while (lead > 0 && i - lead < 3 && ((unsigned char)t.p[lead] & 0xC0) == 0x80)
        lead--;
    bool typographic = (unsigned char)t.p[lead] == 0xE2 && lead + 1 < t.n &&
                       ((unsigned char)t.p[lead + 1] == 0x80 || (unsigned char)t.p[lead + 1] == 0x81);
    bool emoji = (unsigned char)t.p[lead] >= 0xF0;
    return !typographic && !emoji;
}

static bool at(nx_str t, size_t i, const char *word)
{
    nx_str w = nx_str_of(word);
    return t.n - i >= w.n && nx_str_eq_nocase(nx_str_sub(t, i, i + w.n), w);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t fill(char *mask, size_t from, size_t to)
{
    memset(mask + from, 1, to - from);
    return to;
}

/* Past a fenced or inline code block that starts at i; i itself when it is not closed. */
static size_t code_end(nx_str t, size_t i)
{
    bool fence = at(t, i, "```");
    size_t from = i + (fence ? 3 : 1);
    size_t end = nx_str_find(t, fence ? NX_STR("```") : NX_STR("`"), from);
    if (end == SIZE_MAX)
        return fence ? t.n : i;
    return end + (fence ? 3 : 1);
}

static size_t url_end(nx_str t, size_t i)
{
    while (i < t.n && !is_blank(t.p[i]) && t.p[i] != ')' && t.p[i] != ']' && t.p[i] != '"' && t.p[i] != '<')
        i++;
    return i;
}

static size_t line_end(nx_str t, size_t i)
{
    while (i < t.n && t.p[i] != '\n')
        i++;
    return i;
}

static size_t name_end(nx_str t, size_t i)
{
    while (i < t.n && (nx__is_letter(t.p[i]) || nx__is_digit(t.p[i]) || t.p[i] == '_' || t.p[i] == '-'))
        i++;
    return i;
}

/* "&amp;" and its like; 0 when there is none. */
static size_t entity_end(nx_str t, size_t i)
{
    size_t k = i + 1;
    while (k < t.n && k - i < 10 && (nx__is_letter(t.p[k]) || nx__is_digit(t.p[k]) || t.p[k] == '#'))
        k++;
    return k < t.n && k > i + 1 && t.p[k] == ';' ? k + 1 : 0;
}

void nx__mentions_mask(nx_str t, char *mask)
{
    bool line_start = true;
    for (size_t i = 0; i < t.n;) {
        char c = t.p[i];
        bool word_start = i == 0 || !nx__is_word(t, i - 1);
        size_t end = i;
        if (line_start && (c == '>' || at(t, i, "&gt;")))
            end = line_end(t, i);
        else if (c == '`')
            end = code_end(t, i);
        else if (word_start && (at(t, i, "http://") || at(t, i, "https://") || at(t, i, "www.")))
            end = url_end(t, i);
        else if (c == ']' && i + 1 < t.n && t.p[i + 1] == '(')
            end = url_end(t, i + 2);
        else if (word_start && (at(t, i, "u/") || at(t, i, "r/")))
            end = name_end(t, i + 2);
        else if (c == '&')
            end = entity_end(t, i);
        if (c != ' ' && c != '\t')
            line_start = c == '\n';
        i = end > i ? fill(mask, i, end) : i + 1;
    }
}
