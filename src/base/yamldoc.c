/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamldoc.h"

#include "base/text.h"
#include "base/yamlscalar.h"

#include <stdarg.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 64
#define NODES_MAX 100000
#define WORD_SIZE 80 /* of a key that an error quotes */

struct position {
    size_t line, column; /* from 1 */
};

struct mark {
    size_t parent;   /* the collection that it is in; the root is its own */
    size_t children; /* whose parts stand below it: its own, or those of what an alias means */
    char *key;       /* in a mapping; NULL in a sequence and for the root */
    size_t index;    /* in a sequence */
    struct position key_at, at;
};

struct yamldoc {
    char *name;
    json_t *root;
    struct mark *marks; /* [0] is the root; parts come after what they are in */
    size_t marks_len, marks_cap;
};

struct builder {
    yaml_parser_t *parser;
    const char *text;
    size_t len;
    struct yamldoc *doc;
    json_t *anchors;      /* name -> its value, once that is whole */
    json_t *anchor_marks; /* name -> index of its mark */
    size_t nodes;         /* in the tree so far, those of aliases included */
    struct casb_error *err;
};

static int build(struct builder *b, const yaml_event_t *event, size_t mark, size_t depth,
                 json_t **ret);

static struct position position_of(yaml_mark_t at)
{
    return (struct position){at.line + 1, at.column + 1};
}

static int fail_at(struct builder *b, struct position at, const char *format, ...) _printf_(3, 4);

static int fail_at(struct builder *b, struct position at, const char *format, ...)
{
    char text[CASB_ERROR_TEXT_BYTES];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return err_set(b->err, CASB_EINVALID, "%s:%zu:%zu: %s", b->doc->name, at.line, at.column, text);
}

/* A reader's error has only an offset in bytes. */
static struct position position_of_offset(const struct builder *b, size_t offset)
{
    struct position at = {1, 1};

    for (size_t i = 0; i < offset && i < b->len; i++) {
        bool newline = b->text[i] == '\n';

        at.line += newline;
        at.column = newline ? 1 : at.column + 1;
    }
    return at;
}

static bool indented_by_tab(const struct builder *b, size_t line)
{
    const char *at = b->text, *end = b->text + b->len;

    for (size_t i = 1; i < line && at; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static int fail_parser(struct builder *b)
{
    const yaml_parser_t *p = b->parser;
    struct position at = position_of(p->problem_mark);

    if (p->error == YAML_MEMORY_ERROR)
        return err_nomem(b->err);
    if (p->error == YAML_READER_ERROR)
        return fail_at(b, position_of_offset(b, p->problem_offset), "%s", p->problem);
    if (p->error == YAML_SCANNER_ERROR && indented_by_tab(b, at.line))
        return fail_at(b, at, "a tab cannot indent: use spaces");
    if (p->context)
        return fail_at(b, at, "%s %s that began in line %zu", p->problem, p->context,
                       p->context_mark.line + 1);
    return fail_at(b, at, "%s", p->problem);
}

static int next_event(struct builder *b, yaml_event_t *ret)
{
    return yaml_parser_parse(b->parser, ret) ? 0 : fail_parser(b);
}

static int add_node(struct builder *b, struct position at, size_t depth)
{
    if (depth > DEPTH_MAX)
        return fail_at(b, at, "nested more than %d levels deep", DEPTH_MAX);
    if (++b->nodes > NODES_MAX)
        return fail_at(b, at, "more than %d values", NODES_MAX);
    return 0;
}

/* Consumes key, also on failure. */
static int add_mark(struct builder *b, struct mark mark, size_t *ret_index)
{
    struct yamldoc *doc = b->doc;

    if (doc->marks_len == doc->marks_cap) {
        size_t cap = doc->marks_cap ? 2 * doc->marks_cap : 64;
        struct mark *grown = reallocarray(doc->marks, cap, sizeof *grown);

        if (!grown) {
            free(mark.key);
            return err_nomem(b->err);
        }
        doc->marks = grown;
        doc->marks_cap = cap;
    }
    *ret_index = doc->marks_len;
    mark.children = doc->marks_len;
    doc->marks[doc->marks_len++] = mark;
    return 0;
}

static int build_scalar(struct builder *b, const yaml_event_t *event, json_t **ret)
{
    const struct yamlscalar scalar = {
        .text = (const char *)event->data.scalar.value,
        .len = event->data.scalar.length,
        .tag = (const char *)event->data.scalar.tag,
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
    };
    const char *problem = NULL;

    if (yamlscalar_resolve(&scalar, ret, &problem) == 0)
        return 0;
    if (!problem)
        return err_nomem(b->err);
    return fail_at(b, position_of(event->start_mark), "%s", problem);
}

/* Counts an alias's value into the bounds before anything is copied. */
static int count_copy(struct builder *b, const json_t *value, struct position at, size_t depth)
{
    const char *key;
    json_t *part;
    size_t i;
    int rc = add_node(b, at, depth);

    if (rc < 0)
        return rc;
    if (json_is_object(value)) {
        json_object_foreach ((json_t *)value, key, part) {
            rc = count_copy(b, part, at, depth + 1);
            if (rc < 0)
                return rc;
        }
    }
    json_array_foreach (value, i, part) {
        rc = count_copy(b, part, at, depth + 1);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A deep copy: what changes one part of the tree must not change another. */
static int build_alias(struct builder *b, const yaml_event_t *event, size_t mark, size_t depth,
                       json_t **ret)
{
    const char *name = (const char *)event->data.alias.anchor;
    const json_t *value = json_object_get(b->anchors, name);
    struct position at = position_of(event->start_mark);
    int rc;

    if (!value)
        return fail_at(b, at, "alias '*%.40s' of nothing before it", name);
    rc = count_copy(b, value, at, depth);
    if (rc < 0)
        return rc;
    b->doc->marks[mark].children =
        (size_t)json_integer_value(json_object_get(b->anchor_marks, name));
    *ret = json_deep_copy(value);
    return *ret ? 0 : err_nomem(b->err);
}

static int check_tag(struct builder *b, const yaml_event_t *event, const yaml_char_t *tag,
                     const char *wanted)
{
    if (!tag || strcmp((const char *)tag, wanted) == 0)
        return 0;
    return fail_at(b, position_of(event->start_mark), "tag '%.60s' is not supported here",
                   (const char *)tag);
}

static int build_sequence(struct builder *b, const yaml_event_t *start, size_t mark, size_t depth,
                          json_t **ret)
{
    json_auto_t *array = json_array();
    int rc = check_tag(b, start, start->data.sequence_start.tag, YAML_SEQ_TAG);

    if (rc < 0)
        return rc;
    if (!array)
        return err_nomem(b->err);
    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};
        struct position at;
        json_t *value = NULL;
        size_t part;

        rc = next_event(b, &event);
        if (rc < 0)
            return rc;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        at = position_of(event.start_mark);
        rc = add_mark(b,
                      (struct mark){
                          .parent = mark,
                          .index = json_array_size(array),
                          .key_at = at,
                          .at = at,
                      },
                      &part);
        if (rc == 0)
            rc = build(b, &event, part, depth + 1, &value);
        if (rc < 0)
            return rc;
        if (json_array_append_new(array, value) < 0)
            return err_nomem(b->err);
    }
    *ret = TAKE_PTR(array);
    return 0;
}

static size_t line_of_key(const struct yamldoc *doc, size_t parent, const char *key)
{
    for (size_t i = parent + 1; i < doc->marks_len; i++) {
        const struct mark *m = &doc->marks[i];

        if (m->parent == parent && strcmp(m->key, key) == 0)
            return m->key_at.line;
    }
    return 0;
}

/*
 * A key is a string that the mapping does not have. '<<' is an error and no key: who writes it
 * means a merge, which YAML 1.2 does not know, and would lose settings without a word.
 */
static int read_key(struct builder *b, const yaml_event_t *event, const json_t *object,
                    size_t mapping, char **ret)
{
    struct position at = position_of(event->start_mark);
    char word[WORD_SIZE];
    json_auto_t *key = NULL;
    int rc;

    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(b, at, "a key must be a string");
    rc = build_scalar(b, event, &key);
    if (rc < 0)
        return rc;
    text_clean(word, sizeof word, (const char *)event->data.scalar.value);
    if (!json_is_string(key))
        return fail_at(b, at, "key '%s' is not a string: put it in quotes", word);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(word, "<<") == 0)
        return fail_at(b, at, "merge keys ('<<') are not supported");
    if (json_object_get(object, json_string_value(key)))
        return fail_at(b, at, "key '%s' is already in line %zu", word,
                       line_of_key(b->doc, mapping, json_string_value(key)));
    *ret = strdup(json_string_value(key));
    return *ret ? 0 : err_nomem(b->err);
}

/* Reads a key's value and puts both into the object; consumes `key`. */
static int build_member(struct builder *b, json_t *object, char *key, struct position key_at,
                        size_t mapping, size_t depth)
{
    _cleanup_(freep) char *owned = key;
    _cleanup_(yaml_event_delete) yaml_event_t event = {0};
    json_t *value = NULL;
    size_t part;
    int rc = next_event(b, &event);

    if (rc < 0)
        return rc;
    rc = add_mark(b,
                  (struct mark){
                      .parent = mapping,
                      .key = TAKE_PTR(owned),
                      .key_at = key_at,
                      .at = position_of(event.start_mark),
                  },
                  &part);
    if (rc == 0)
        rc = build(b, &event, part, depth + 1, &value);
    if (rc < 0)
        return rc;
    return json_object_set_new(object, b->doc->marks[part].key, value) < 0 ? err_nomem(b->err) : 0;
}

static int build_mapping(struct builder *b, const yaml_event_t *start, size_t mark, size_t depth,
                         json_t **ret)
{
    json_auto_t *object = json_object();
    int rc = check_tag(b, start, start->data.mapping_start.tag, YAML_MAP_TAG);

    if (rc < 0)
        return rc;
    if (!object)
        return err_nomem(b->err);
    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};
        char *key = NULL;

        rc = next_event(b, &event);
        if (rc < 0)
            return rc;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        rc = read_key(b, &event, object, mark, &key);
        if (rc == 0)
            rc = build_member(b, object, key, position_of(event.start_mark), mark, depth);
        if (rc < 0)
            return rc;
    }
    *ret = TAKE_PTR(object);
    return 0;
}

/* An anchor counts from here on, so that no value can have itself within it. */
static int keep_anchor(struct builder *b, const yaml_char_t *anchor, json_t *value, size_t mark)
{
    const char *name = (const char *)anchor;

    if (!name)
        return 0;
    if (json_object_set(b->anchors, name, value) < 0 ||
        json_object_set_new(b->anchor_marks, name, json_integer((json_int_t)mark)) < 0)
        return err_nomem(b->err);
    return 0;
}

static int build(struct builder *b, const yaml_event_t *event, size_t mark, size_t depth,
                 json_t **ret)
{
    const yaml_char_t *anchor = NULL;
    json_auto_t *value = NULL;
    int rc;

    if (event->type == YAML_ALIAS_EVENT)
        return build_alias(b, event, mark, depth, ret);
    rc = add_node(b, position_of(event->start_mark), depth);
    if (rc < 0)
        return rc;
    switch (event->type) {
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        rc = build_sequence(b, event, mark, depth, &value);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        rc = build_mapping(b, event, mark, depth, &value);
        break;
    default: /* the grammar leaves only a scalar */
        anchor = event->data.scalar.anchor;
        rc = build_scalar(b, event, &value);
        break;
    }
    if (rc == 0)
        rc = keep_anchor(b, anchor, value, mark);
    if (rc == 0)
        *ret = TAKE_PTR(value);
    return rc;
}

/* Goes on to the next document; *ret_more is false where the stream ends. */
static int next_document(struct builder *b, bool *ret_more, struct position *ret_at)
{
    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};
        int rc = next_event(b, &event);

        if (rc < 0)
            return rc;
        *ret_at = position_of(event.start_mark);
        *ret_more = event.type == YAML_DOCUMENT_START_EVENT;
        if (*ret_more || event.type == YAML_STREAM_END_EVENT)
            return 0;
    }
}

static int build_document(struct builder *b)
{
    struct yamldoc *doc = b->doc;
    struct position at;
    size_t root;
    bool more;
    int rc = next_document(b, &more, &at);

    if (rc == 0)
        rc = add_mark(b, (struct mark){.key_at = {1, 1}, .at = {1, 1}}, &root);
    if (rc == 0 && more) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};

        rc = next_event(b, &event);
        if (rc == 0) {
            doc->marks[root].key_at = doc->marks[root].at = position_of(event.start_mark);
            rc = build(b, &event, root, 1, &doc->root);
        }
        if (rc == 0)
            rc = next_document(b, &more, &at);
        if (rc == 0 && more)
            rc = fail_at(b, at, "a second document: only one is allowed");
    }
    if (rc < 0)
        return rc;
    if (!doc->root || json_is_null(doc->root)) {
        json_decref(doc->root);
        doc->root = json_object();
    }
    return doc->root ? 0 : err_nomem(b->err);
}

int yamldoc_parse(const char *text, size_t len, const char *name, struct yamldoc **ret,
                  struct casb_error *err)
{
    _cleanup_(yamldoc_freep) struct yamldoc *doc = calloc(1, sizeof *doc);
    json_auto_t *anchors = json_object(), *anchor_marks = json_object();
    _cleanup_(yaml_parser_delete) yaml_parser_t parser = {0};
    struct builder b = {
        .parser = &parser,
        .text = text,
        .len = len,
        .doc = doc,
        .anchors = anchors,
        .anchor_marks = anchor_marks,
        .err = err,
    };
    int rc;

    if (!doc || !anchors || !anchor_marks || text_dup(name, &doc->name) < 0 ||
        !yaml_parser_initialize(&parser))
        return err_nomem(err);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    rc = build_document(&b);
    if (rc == 0)
        *ret = TAKE_PTR(doc);
    return rc;
}

json_t *yamldoc_root(const struct yamldoc *doc)
{
    return doc->root;
}

const char *yamldoc_name(const struct yamldoc *doc)
{
    return doc->name;
}

/* How much of the path names this part: 0 for another one. Keys may have dots in them. */
static size_t match_part(const struct mark *m, const char *path)
{
    char index[32];
    const char *key = m->key;
    size_t dot = *path == '.', len;

    if (!key) {
        snprintf(index, sizeof index, "[%zu]", m->index);
        return strncmp(path, index, strlen(index)) == 0 ? strlen(index) : 0;
    }
    len = strlen(key);
    if (strncmp(path + dot, key, len) != 0 || !strchr(".[", path[dot + len]))
        return 0;
    return dot + len;
}

void yamldoc_mark(const struct yamldoc *doc, const char *path, bool key, size_t *ret_line,
                  size_t *ret_column)
{
    const struct mark *found = &doc->marks[0];
    const struct position *at;
    size_t len;

    do {
        const struct mark *parent = found;

        len = 0;
        for (size_t i = parent->children + 1; i < doc->marks_len; i++) {
            const struct mark *m = &doc->marks[i];
            size_t matched = m->parent == parent->children ? match_part(m, path) : 0;

            if (matched > len) {
                len = matched;
                found = m;
            }
        }
        path += len;
    } while (len);
    at = key ? &found->key_at : &found->at;
    *ret_line = at->line;
    *ret_column = at->column;
}

void yamldoc_free(struct yamldoc *doc)
{
    if (!doc)
        return;
    for (size_t i = 0; i < doc->marks_len; i++)
        free(doc->marks[i].key);
    free(doc->marks);
    json_decref(doc->root);
    free(doc->name);
    free(doc);
}
