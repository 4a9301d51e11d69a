/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamldoc.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "base/yamlevents.h"
#include "base/yamlmarks.h"
#include "base/yamlscalar.h"

#include <string.h>

#define DEPTH_MAX 64
#define NODES_MAX 100000
#define WORD_SIZE 80 /* of a key that an error quotes */

struct yamldoc {
    char *name;
    json_t *root;
    struct yamlmarks marks;
};

struct builder {
    struct yamlevents events;
    struct yamldoc *doc;
    json_t *anchors;      /* name -> its value, once that is whole */
    json_t *anchor_marks; /* name -> index of its mark */
    size_t nodes;         /* in the tree so far, those of aliases included */
    bool lax;             /* read as kubectl reads its own files */
};

static int build(struct builder *b, const yaml_event_t *event, size_t mark, size_t depth,
                 json_t **ret);

static int add_node(struct builder *b, struct yamlposition at, size_t depth)
{
    if (depth > DEPTH_MAX)
        return yamlevents_fail(&b->events, at, "nested more than %d levels deep", DEPTH_MAX);
    if (++b->nodes > NODES_MAX)
        return yamlevents_fail(&b->events, at, "more than %d values", NODES_MAX);
    return 0;
}

/* Consumes mark.key, also on failure. */
static int add_mark(struct builder *b, struct yamlmark mark, size_t *ret_index)
{
    return yamlmarks_add(&b->doc->marks, mark, ret_index) < 0 ? err_nomem(b->events.err) : 0;
}

/* A tag of somebody's own says nothing to kubectl: the value is a string. */
static bool is_own_tag(const char *tag)
{
    static const char core[] = "tag:yaml.org,2002:";

    return tag && strncmp(tag, core, sizeof core - 1) != 0;
}

static int build_scalar(struct builder *b, const yaml_event_t *event, json_t **ret)
{
    struct yamlscalar scalar = {
        .text = (const char *)event->data.scalar.value,
        .len = event->data.scalar.length,
        .tag = (const char *)event->data.scalar.tag,
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
        .lax = b->lax,
    };
    const char *problem = NULL;

    if (b->lax && is_own_tag(scalar.tag))
        scalar.tag = YAML_STR_TAG;
    if (yamlscalar_resolve(&scalar, ret, &problem) == 0)
        return 0;
    if (!problem)
        return err_nomem(b->events.err);
    return yamlevents_fail(&b->events, yamlevents_position(event->start_mark), "%s", problem);
}

/* Counts an alias's value into the bounds before anything is copied. */
static int count_copy(struct builder *b, const json_t *value, struct yamlposition at, size_t depth)
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
    struct yamlposition at = yamlevents_position(event->start_mark);
    int rc;

    if (!value)
        return yamlevents_fail(&b->events, at, "alias '*%.40s' of nothing before it", name);
    rc = count_copy(b, value, at, depth);
    if (rc < 0)
        return rc;
    b->doc->marks.list[mark].children =
        (size_t)json_integer_value(json_object_get(b->anchor_marks, name));
    *ret = json_deep_copy(value);
    return *ret ? 0 : err_nomem(b->events.err);
}

static int check_tag(struct builder *b, const yaml_event_t *event, const yaml_char_t *tag,
                     const char *wanted)
{
    if (!tag || b->lax || strcmp((const char *)tag, wanted) == 0)
        return 0;
    return yamlevents_fail(&b->events, yamlevents_position(event->start_mark),
                           "tag '%.60s' is not supported here", (const char *)tag);
}

static int build_sequence(struct builder *b, const yaml_event_t *start, size_t mark, size_t depth,
                          json_t **ret)
{
    json_auto_t *array = json_array();
    int rc = check_tag(b, start, start->data.sequence_start.tag, YAML_SEQ_TAG);

    if (rc < 0)
        return rc;
    if (!array)
        return err_nomem(b->events.err);
    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};
        struct yamlmark item = {.parent = mark, .index = json_array_size(array)};
        json_t *value = NULL;
        size_t part;

        rc = yamlevents_next(&b->events, &event);
        if (rc < 0)
            return rc;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        item.at = item.key_at = yamlevents_position(event.start_mark);
        rc = add_mark(b, item, &part);
        if (rc == 0)
            rc = build(b, &event, part, depth + 1, &value);
        if (rc < 0)
            return rc;
        if (json_array_append_new(array, value) < 0)
            return err_nomem(b->events.err);
    }
    *ret = TAKE_PTR(array);
    return 0;
}

static bool is_merge(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp((const char *)event->data.scalar.value, "<<") == 0;
}

/* As go-yaml does: over the keys so far, and of several maps the first one wins. */
static int merge(struct builder *b, json_t *object, const json_t *value, struct yamlposition at)
{
    const bool list = json_is_array(value);

    for (size_t i = list ? json_array_size(value) : 1; i-- > 0;) {
        const json_t *map = list ? json_array_get(value, i) : value;

        if (!json_is_object(map))
            return yamlevents_fail(&b->events, at, "'<<' takes a map, or a list of maps");
        if (json_object_update(object, (json_t *)map))
            return err_nomem(b->events.err);
    }
    return 0;
}

/* The text of a key that is none, as kubectl writes it. */
static int key_text(struct builder *b, const json_t *key, char **ret)
{
    if (json_is_string(key))
        return text_dup(json_string_value(key), ret) ? err_nomem(b->events.err) : 0;
    return jsonx_dump(key, ret, b->events.err);
}

/*
 * A key is a string that the mapping does not have. '<<' is an error and no key: who writes it
 * means a merge, and would lose settings without a word.
 */
static int read_key(struct builder *b, const yaml_event_t *event, const json_t *object,
                    size_t mapping, size_t *ret_mark)
{
    struct yamlmark mark = {.parent = mapping, .key_at = yamlevents_position(event->start_mark)};
    struct yamlposition at = mark.key_at;
    char word[WORD_SIZE];
    json_auto_t *key = NULL;
    int rc;

    if (event->type != YAML_SCALAR_EVENT)
        return yamlevents_fail(&b->events, at, "a key must be a string");
    rc = build_scalar(b, event, &key);
    if (rc < 0)
        return rc;
    text_clean(word, sizeof word, (const char *)event->data.scalar.value);
    if (json_is_null(key) || (!b->lax && !json_is_string(key)))
        return yamlevents_fail(&b->events, at, "key '%s' is not a string: put it in quotes", word);
    if (!b->lax && is_merge(event))
        return yamlevents_fail(&b->events, at,
                               "merge keys ('<<') are not supported: write the keys out");
    rc = key_text(b, key, &mark.key);
    if (rc < 0)
        return rc;
    if (!b->lax && json_object_get(object, mark.key)) {
        size_t line = yamlmarks_line_of_key(&b->doc->marks, mapping, mark.key);

        free(mark.key);
        return yamlevents_fail(&b->events, at, "key '%s' is already in line %zu", word, line);
    }
    return add_mark(b, mark, ret_mark);
}

/* Reads the value that a mark is for: a key's, or the document's. */
static int read_value(struct builder *b, size_t mark, size_t depth, json_t **ret)
{
    _cleanup_(yaml_event_delete) yaml_event_t event = {0};
    int rc = yamlevents_next(&b->events, &event);

    if (rc < 0)
        return rc;
    b->doc->marks.list[mark].at = yamlevents_position(event.start_mark);
    return build(b, &event, mark, depth, ret);
}

static int build_mapping(struct builder *b, const yaml_event_t *start, size_t mark, size_t depth,
                         json_t **ret)
{
    json_auto_t *object = json_object();
    int rc = check_tag(b, start, start->data.mapping_start.tag, YAML_MAP_TAG);

    if (rc < 0)
        return rc;
    if (!object)
        return err_nomem(b->events.err);
    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};
        json_auto_t *value = NULL;
        size_t part;

        rc = yamlevents_next(&b->events, &event);
        if (rc < 0)
            return rc;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        rc = read_key(b, &event, object, mark, &part);
        if (rc == 0)
            rc = read_value(b, part, depth + 1, &value);
        if (rc == 0 && is_merge(&event))
            rc = merge(b, object, value, yamlevents_position(event.start_mark));
        else if (rc == 0 && json_object_set(object, b->doc->marks.list[part].key, value) < 0)
            rc = err_nomem(b->events.err);
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
        return err_nomem(b->events.err);
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
    rc = add_node(b, yamlevents_position(event->start_mark), depth);
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
static int next_document(struct builder *b, bool *ret_more, struct yamlposition *ret_at)
{
    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {0};
        int rc = yamlevents_next(&b->events, &event);

        if (rc < 0)
            return rc;
        *ret_at = yamlevents_position(event.start_mark);
        *ret_more = event.type == YAML_DOCUMENT_START_EVENT;
        if (*ret_more || event.type == YAML_STREAM_END_EVENT)
            return 0;
    }
}

static int build_document(struct builder *b)
{
    struct yamldoc *doc = b->doc;
    struct yamlposition at;
    size_t root;
    bool more;
    int rc = next_document(b, &more, &at);

    if (rc == 0)
        rc = add_mark(b, (struct yamlmark){.key_at = at, .at = at}, &root);
    if (rc == 0 && more)
        rc = read_value(b, root, 1, &doc->root);
    if (rc == 0 && more && !b->lax)
        rc = next_document(b, &more, &at);
    if (rc < 0)
        return rc;
    if (more && !b->lax)
        return yamlevents_fail(&b->events, at, "a second document: only one is allowed");
    if (!doc->root || json_is_null(doc->root)) {
        json_decref(doc->root);
        doc->root = json_object();
    }
    return doc->root ? 0 : err_nomem(b->events.err);
}

static int parse(const char *text, size_t len, const char *name, bool lax, struct yamldoc **ret,
                 struct casb_error *err)
{
    _cleanup_(yamldoc_freep) struct yamldoc *doc = calloc(1, sizeof *doc);
    json_auto_t *anchors = json_object(), *anchor_marks = json_object();
    _cleanup_(yaml_parser_delete) yaml_parser_t parser = {0};
    struct builder b = {
        .events = {&parser, text, len, name, err},
        .doc = doc,
        .anchors = anchors,
        .anchor_marks = anchor_marks,
        .lax = lax,
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

int yamldoc_parse(const char *text, size_t len, const char *name, struct yamldoc **ret,
                  struct casb_error *err)
{
    return parse(text, len, name, false, ret, err);
}

int yamldoc_parse_lax(const char *text, size_t len, const char *name, struct yamldoc **ret,
                      struct casb_error *err)
{
    return parse(text, len, name, true, ret, err);
}

json_t *yamldoc_root(const struct yamldoc *doc)
{
    return doc->root;
}

const char *yamldoc_name(const struct yamldoc *doc)
{
    return doc->name;
}

void yamldoc_mark(const struct yamldoc *doc, const char *path, bool key, size_t *ret_line,
                  size_t *ret_column)
{
    const struct yamlmark *mark = yamlmarks_find(&doc->marks, path);
    const struct yamlposition *at = key ? &mark->key_at : &mark->at;

    *ret_line = at->line;
    *ret_column = at->column;
}

void yamldoc_free(struct yamldoc *doc)
{
    if (!doc)
        return;
    yamlmarks_free(&doc->marks);
    json_decref(doc->root);
    free(doc->name);
    free(doc);
}
