/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/cli_output.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define LINE_BYTES 512
#define LINES      64
#define SAID_BYTES (64 * 1024)

/* How much a line tells; the most first. */
enum rank {
    RANK_TELLING,  /* a text known to name the cause */
    RANK_NUMBERED, /* `Error N of M:`: what each of several ways failed by */
    RANK_CHAIN,    /* the error and its causes, from the outside to the inside */
};

/* The marked lines of an output. */
struct said {
    struct buf text; /* of all lines, each with its NUL */
    struct {
        size_t at;
        enum rank rank;
    } lines[LINES];
    size_t n;
    char last[LINE_BYTES]; /* the last line of all that is not empty */
};

/* Takes the next line off *text, cleaned. False at the end. */
static bool next_line(const char **text, char line[static LINE_BYTES], bool *ret_indented)
{
    size_t len = strcspn(*text, "\r\n");

    if (!**text)
        return false;
    *ret_indented = **text == ' ' || **text == '\t';
    text_clean_bytes(line, LINE_BYTES, *text, len);
    *text += len + ((*text)[len] != 0);
    return true;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

/* "src/process/init.c:476:function(): text": the place is of no use to an operator. */
static const char *behind_place(const char *text)
{
    const char *blank = strchr(text, ' ');

    if (!blank || blank - text < 4 || strncmp(blank - 3, "():", 3) != 0)
        return text;
    return skip_blanks(blank);
}

/* The text behind a marker at the line's beginning; NULL: the line has none. */
static const char *behind_marker(const char *line)
{
    static const struct {
        const char *text;
        bool place;
    } markers[] = {
        {"Error:", false},
        {"Caused by:", false},
        {"[SCONE|FATAL]", true},
        {"[SCONE|ERROR]", true},
    };

    for (size_t i = 0; i < ELEMENTS(markers); i++) {
        size_t len = strlen(markers[i].text);
        const char *text;

        if (strncasecmp(line, markers[i].text, len) != 0)
            continue;
        text = skip_blanks(line + len);
        return markers[i].place ? behind_place(text) : text;
    }
    return NULL;
}

/* The text behind "Error 1 of 2:"; NULL: the line does not begin so. */
static const char *behind_count(const char *line)
{
    int end = 0;

    if (strncasecmp(line, "Error ", strlen("Error ")) != 0)
        return NULL;
    if (sscanf(line + strlen("Error "), "%*9u of %*9u:%n", &end) != 0 || end == 0)
        return NULL;
    return skip_blanks(line + strlen("Error ") + end);
}

/* A list of causes may number them: "0: ...". */
static const char *behind_number(const char *line)
{
    size_t digits = strspn(line, "0123456789");

    return digits > 0 && line[digits] == ':' ? skip_blanks(line + digits + 1) : line;
}

static enum rank rank_of(const char *text, bool numbered)
{
    static const char *const telling[] = {"Unexpected enclave measurement"};

    for (size_t i = 0; i < ELEMENTS(telling); i++) {
        if (strcasestr(text, telling[i]))
            return RANK_TELLING;
    }
    return numbered ? RANK_NUMBERED : RANK_CHAIN;
}

/* Keeps a line, unless it was said before. Where there are too many the last one stays. */
static void keep(struct said *said, const char *text, bool numbered)
{
    for (size_t i = 0; i < said->n; i++) {
        if (text_equal(said->text.data + said->lines[i].at, text))
            return;
    }
    if (said->n == LINES)
        said->n--;
    said->lines[said->n].at = said->text.len;
    said->lines[said->n].rank = rank_of(text, numbered);
    said->n += buf_append(&said->text, text, strlen(text) + 1) == 0;
}

static void collect(struct said *said, const char *text)
{
    char line[LINE_BYTES];
    bool indented, in_list = false;

    while (next_line(&text, line, &indented)) {
        const char *numbered = behind_count(line);
        const char *marked = numbered ? numbered : behind_marker(line);

        if (!line[0])
            continue;
        if (!marked || *marked)
            memcpy(said->last, line, strlen(line) + 1);
        /* A marker alone announces a list: its lines are indented. */
        in_list = (marked && !*marked) || (in_list && indented);
        if (!marked && in_list)
            marked = behind_number(line);
        if (!text_empty(marked))
            keep(said, marked, numbered);
    }
}

static void append(struct buf *joined, const struct said *said, size_t i)
{
    const char *text = said->text.data + said->lines[i].at;

    if (joined->len > 0)
        buf_append_cut(joined, ": ", 2);
    buf_append_cut(joined, text, strlen(text));
}

/* The last cause, which goes to the front of its chain where the whole message does not fit. */
static size_t last_cause(const struct said *said, size_t size)
{
    size_t last = LINES, len = 0;

    for (size_t i = 0; i < said->n; i++) {
        len += strlen(said->text.data + said->lines[i].at) + 2;
        if (said->lines[i].rank == RANK_CHAIN)
            last = i;
    }
    return len > size + 1 ? last : LINES; /* the last line has no ": " but a NUL */
}

static void join(const struct said *said, size_t size, struct buf *joined)
{
    size_t early = last_cause(said, size);

    for (int rank = RANK_TELLING; rank <= RANK_CHAIN; rank++) {
        if (rank == RANK_CHAIN && early < LINES)
            append(joined, said, early);
        for (size_t i = 0; i < said->n; i++) {
            if (said->lines[i].rank == (enum rank)rank && i != early)
                append(joined, said, i);
        }
    }
}

static void said_freep(struct said **said)
{
    if (!*said)
        return;
    buf_free(&(*said)->text);
    free(*said);
}

void cli_output_message(char *out, size_t size, const char *err_text, const char *out_text)
{
    _cleanup_(said_freep) struct said *said = calloc(1, sizeof *said);
    _cleanup_(buf_free) struct buf joined = BUF_INIT(SAID_BYTES);
    char last[LINE_BYTES];

    out[0] = 0;
    if (!said)
        return;
    said->text = BUF_INIT(SAID_BYTES);
    collect(said, err_text);
    memcpy(last, said->last, sizeof last);
    collect(said, out_text);
    join(said, size, &joined);
    text_clean(out, size, joined.len > 0 ? buf_text(&joined) : last[0] ? last : said->last);
}
