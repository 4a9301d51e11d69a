/* SPDX-License-Identifier: Apache-2.0 */
#include "base/laslog.h"

#include <cas-backup/error.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* What LAS prints before an identity, and what that looks like. */
static const struct form {
    const char *mark;
    enum casb_identity_kind kind;
    size_t length;
    int (*in_case)(int);
} key_form = {"public key", CASB_LAS_KEY, CASB_LAS_KEY_LENGTH, toupper},
  qe_form = {"Intel QE ID", CASB_LAS_QE_ID, CASB_LAS_QE_ID_LENGTH, tolower};

static int take(const struct form *form, const char *text, size_t len, struct casb_identity *ret)
{
    struct casb_identity identity = {.kind = form->kind};

    if (len != form->length)
        return CASB_EINVALID;
    for (size_t i = 0; i < len; i++)
        if (!isxdigit((unsigned char)text[i]))
            return CASB_EINVALID;
    for (size_t i = 0; i < len; i++)
        identity.text[i] = (char)form->in_case((unsigned char)text[i]);
    *ret = identity;
    return 0;
}

int laslog_take_key(const char *text, size_t len, struct casb_identity *ret)
{
    return take(&key_form, text, len, ret);
}

/* The word after any blanks: a longer run of digits than the form's is something else. */
static int take_next_word(const struct form *form, const char *text, const char *end,
                          struct casb_identity *ret)
{
    const char *word_end;

    while (text < end && (*text == ' ' || *text == '\t' || *text == ':'))
        text++;
    for (word_end = text; word_end < end && isalnum((unsigned char)*word_end);)
        word_end++;
    return take(form, text, (size_t)(word_end - text), ret);
}

/* Where the last identity of the form stands, or NULL. */
static const char *find_last(const struct form *form, const char *text, const char *end,
                             struct casb_identity *ret)
{
    const char *last = NULL;

    while ((text = memmem(text, (size_t)(end - text), form->mark, strlen(form->mark)))) {
        text += strlen(form->mark);
        if (take_next_word(form, text, end, ret) == 0)
            last = text;
    }
    return last;
}

int laslog_parse(const char *text, size_t len, struct casb_identity *ret)
{
    struct casb_identity key, qe;
    const char *key_at = find_last(&key_form, text, text + len, &key);
    const char *qe_at = find_last(&qe_form, text, text + len, &qe);

    if (!key_at && !qe_at)
        return CASB_ENOTFOUND;
    *ret = !qe_at || (key_at && key_at > qe_at) ? key : qe;
    return 0;
}
