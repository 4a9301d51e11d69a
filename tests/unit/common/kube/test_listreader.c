/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/list has the same lists of an API server in both forms. */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "common/kube/listreader.h"

#define BYTES(text) (text), sizeof(text) - 1

static struct buf load(const char *name)
{
    struct buf text = BUF_INIT(1024 * 1024);
    char path[400], chunk[4096];
    size_t n;
    FILE *file = fopen(unit_data(path, sizeof path, name), "rb");

    assert_non_null(file);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        assert_int_equal(buf_append(&text, chunk, n), 0);
    fclose(file);
    return text;
}

static int keep(const json_t *item, void *arg)
{
    return json_array_append(arg, (json_t *)(uintptr_t)item) ? CASB_ENOMEM : 0;
}

struct read {
    int result;
    json_t *items, *meta;
    struct casb_error err;
};

/* Reads a list in pieces of this size. */
static struct read read_list(const char *data, size_t len, size_t piece)
{
    struct read read = {.items = json_array()};
    struct listreader reader = {.each = keep, .arg = read.items, .err = &read.err};

    for (size_t at = 0; at < len && read.result == 0; at += piece)
        read.result = listreader_feed(&reader, data + at, len - at < piece ? len - at : piece);
    if (read.result == 0)
        read.result = listreader_end(&reader);
    read.meta = json_incref(reader.meta);
    listreader_free(&reader);
    return read;
}

static void read_free(struct read *read)
{
    json_decref(read->items);
    json_decref(read->meta);
}

static json_t *pick(const json_t *from, const struct proto_field *fields);

/* What protobuf has of a member of JSON; NULL: nothing. */
static json_t *pick_member(json_t *value, const struct proto_field *field)
{
    json_t *list, *element;
    size_t i;

    if (field->count == PROTO_ONE && (json_is_null(value) || !json_string_length(value)) &&
        (json_is_null(value) || json_is_string(value)))
        return NULL;
    if (field->type != PROTO_MESSAGE)
        return json_incref(value);
    if (field->count != PROTO_LIST)
        return pick(value, field->inner);
    list = json_array();
    json_array_foreach (value, i, element)
        json_array_append_new(list, pick(element, field->inner));
    return list;
}

static json_t *pick(const json_t *from, const struct proto_field *fields)
{
    json_t *object = json_object();

    for (; fields->number; fields++) {
        json_t *value = json_object_get(from, fields->name);

        if (value && (value = pick_member(value, fields)))
            json_object_set_new(object, fields->name, value);
    }
    return object;
}

/* Structs that have no members in JSON, and zeros that JSON leaves out, are there in protobuf. */
static bool covers(const json_t *got, const json_t *want)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(want)) {
        if (json_array_size(got) != json_array_size(want))
            return false;
        json_array_foreach (want, i, value)
            if (!covers(json_array_get(got, i), value))
                return false;
        return true;
    }
    if (!json_is_object(want))
        return json_equal(got, want);
    json_object_foreach ((json_t *)(uintptr_t)want, key, value)
        if (!covers(json_object_get(got, key), value))
            return false;
    json_object_foreach ((json_t *)(uintptr_t)got, key, value)
        if (!json_object_get(want, key) && json_object_size(value) && !json_is_false(value))
            return false;
    return true;
}

static void protobuf_reads_as_the_api_servers_json_does(void **state)
{
    static const struct {
        const char *kind, *proto, *json;
        size_t items;
    } lists[] = {
        {"Node", "list/nodes.pb", "list/nodes.json", 1},
        {"Pod", "list/pods.pb", "list/pods.json", 3},
        {"ConfigMap", "list/configmaps.pb", "list/configmaps.json", 2},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(lists); i++) {
        _cleanup_(buf_free) struct buf proto = load(lists[i].proto), json = load(lists[i].json);
        struct read a = read_list(proto.data, proto.len, proto.len);
        struct read b = read_list(json.data, json.len, json.len);
        json_t *item;
        size_t n;

        if (a.result || b.result)
            fail_msg("%s: %s, %s", lists[i].kind, a.err.text, b.err.text);
        assert_int_equal(json_array_size(b.items), lists[i].items);
        assert_int_equal(json_array_size(a.items), lists[i].items);
        assert_non_null(jsonx_string(a.meta, "resourceVersion"));
        json_array_foreach (b.items, n, item) {
            json_auto_t *want = pick(item, kinds_find(lists[i].kind));
            const json_t *got = json_array_get(a.items, n);

            if (!covers(got, want))
                fail_msg("%s\n%s", json_dumps(got, JSON_INDENT(1)),
                         json_dumps(want, JSON_INDENT(1)));
        }
        read_free(&a);
        read_free(&b);
    }
}

static void pieces_of_any_size_give_the_same(void **state)
{
    static const char *const names[] = {"list/nodes.pb", "list/pods.pb", "list/pods.json"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        _cleanup_(buf_free) struct buf text = load(names[i]);
        struct read whole = read_list(text.data, text.len, text.len);

        for (size_t piece = 1; piece < 3000; piece = piece * 2 + 1) {
            struct read read = read_list(text.data, text.len, piece);

            assert_int_equal(read.result, 0);
            assert_true(json_equal(read.items, whole.items));
            assert_true(json_equal(read.meta, whole.meta));
            read_free(&read);
        }
        read_free(&whole);
    }
}

static void what_is_cut_off_is_no_list(void **state)
{
    static const char *const names[] = {"list/nodes.pb", "list/configmaps.json"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        _cleanup_(buf_free) struct buf text = load(names[i]);
        size_t whole = text.len;

        while (text.data[whole - 1] == '\n')
            whole--;
        /* the last fields, an encoding and a type, are empty and may be absent */
        for (size_t len = 0; len + 4 < whole; len++) {
            struct read read = read_list(text.data, len, 512);

            if (read.result != CASB_EINVALID || !strstr(read.err.text, "no list"))
                fail_msg("%s, %zu bytes: %d %s", names[i], len, read.result, read.err.text);
            read_free(&read);
        }
    }
}

/* A list by hand: the magic, a TypeMeta, and ListMeta and one item in the raw bytes. */
static struct read read_item(const char *kind, const char *item, size_t len)
{
    const char type[] = {0x0a, (char)(strlen(kind) + 2), 0x12, (char)strlen(kind)};
    _cleanup_(buf_free) struct buf text = BUF_INIT(1024);
    const char middle[] = {0x12, (char)(len + 7), 0x0a, 3, 0x12, 1, '1', 0x12, (char)len};

    assert_true(len < 100);
    assert_int_equal(buf_append(&text, BYTES("k8s\0")), 0);
    assert_int_equal(buf_append(&text, type, sizeof type), 0);
    assert_int_equal(buf_puts(&text, kind), 0);
    assert_int_equal(buf_append(&text, middle, sizeof middle), 0);
    assert_int_equal(buf_append(&text, item, len), 0);
    return read_list(text.data, text.len, 7);
}

static void odd_encodings_are_read_or_refused(void **state)
{
    static const struct {
        const char *item;
        size_t len;
        const char *want; /* NULL: refused */
        const char *kind; /* NULL: NodeList */
    } cases[] = {
        {BYTES(""), "{}"},
        {BYTES("\x0a\x03\x0a\x01n"), "{\"metadata\":{\"name\":\"n\"}}"},
        /* empty strings are left out, as in JSON, but for those of maps and lists */
        {BYTES("\x0a\x02\x0a\x00"), "{\"metadata\":{}}"},
        {BYTES("\x0a\x07\x5a\x05\x0a\x01k\x12\x00"), "{\"metadata\":{\"labels\":{\"k\":\"\"}}}"},
        {BYTES("\x0a\x05\x5a\x03\x0a\x01k"), "{\"metadata\":{\"labels\":{\"k\":\"\"}}}"},
        {BYTES("\x0a\x02\x5a\x00"), "{\"metadata\":{\"labels\":{\"\":\"\"}}}"},
        {BYTES("\x1a\x08\x12\x06\x0a\x02ns\x12\x00"),
         "{\"status\":{\"allocatable\":{\"ns\":\"\"}}}"},
        {BYTES("\x1a\x06\x12\x04\x0a\x02ns"), "{\"status\":{\"allocatable\":{\"ns\":\"\"}}}"},
        {BYTES("\x0a\x02\x72\x00"), "{\"metadata\":{\"finalizers\":[\"\"]}}", "PodList"},
        {BYTES("\x1a\x08\x0a\x01k\x12\x03\xff\0b"), "{\"binaryData\":{\"k\":\"/wBi\"}}",
         "ConfigMapList"},
        {BYTES("\x20\x01"), "{\"immutable\":true}", "ConfigMapList"},
        /* the last one counts, messages are merged */
        {BYTES("\x0a\x06\x0a\x01n\x0a\x01m"), "{\"metadata\":{\"name\":\"m\"}}"},
        {BYTES("\x0a\x03\x0a\x01n\x0a\x03\x2a\x01u"),
         "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\"}}"},
        /* what nobody knows, of every type */
        {BYTES("\x78\x05\x7d\x01\x02\x03\x04\x79\x01\x02\x03\x04\x05\x06\x07\x08\x7a\x01z"), "{}"},
        {BYTES("\x80\x01\x00"), "{}"},
        /* no UTF-8, and NUL */
        {BYTES("\x0a\x05\x0a\x03n\xffm"), "{\"metadata\":{\"name\":\"n\\uFFFDm\"}}"},
        {BYTES("\x0a\x08\x5a\x06\x0a\x01\xc3\x12\x01\xc3"),
         "{\"metadata\":{\"labels\":{\"\\uFFFD\":\"\\uFFFD\"}}}"},
        {BYTES("\x0a\x05\x0a\x03n\0m"), "{\"metadata\":{\"name\":\"n\\u0000m\"}}"},
        /* times: of 1970, none, before, the last one, and one too late */
        {BYTES("\x0a\x06\x4a\x04\x08\x00\x10\x00"),
         "{\"metadata\":{\"deletionTimestamp\":\"1970-01-01T00:00:00Z\"}}"},
        {BYTES("\x0a\x02\x4a\x00"), "{\"metadata\":{}}"},
        {BYTES("\x0a\x0d\x4a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "{\"metadata\":{\"deletionTimestamp\":\"1969-12-31T23:59:59Z\"}}"},
        {BYTES("\x0a\x09\x4a\x07\x08\xff\x82\xd1\xff\xaf\x07"),
         "{\"metadata\":{\"deletionTimestamp\":\"9999-12-31T23:59:59Z\"}}"},
        {BYTES("\x0a\x09\x4a\x07\x08\x80\x83\xd1\xff\xaf\x07"), NULL},
        /* numbers: negative, a bool that is not 0 or 1 */
        {BYTES("\x0a\x0b\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "{\"metadata\":{\"deletionGracePeriodSeconds\":-1}}", "PodList"},
        {BYTES("\x12\x02\x20\x07"), "{\"spec\":{\"unschedulable\":true}}"},
        {BYTES("\x12\x02\x20\x00"), "{\"spec\":{\"unschedulable\":false}}"},
        /* longer than it need be */
        {BYTES("\x12\x03\x20\x81\x00"), "{\"spec\":{\"unschedulable\":true}}"},
        {BYTES("\x8a\x00\x00"), "{\"metadata\":{}}"},
        /* a number that is none, a field 0, groups, other types, more than 64 bits */
        {BYTES("\x0a"), NULL},
        {BYTES("\x0a\x05\x0a"), NULL},
        {BYTES("\x0a\xff"), NULL},
        {BYTES("\x02\x00"), NULL},
        {BYTES("\x0b\x0c"), NULL},
        {BYTES("\x0c"), NULL},
        {BYTES("\x0e"), NULL},
        {BYTES("\x08\x00"), NULL},
        {BYTES("\x0a\x02\x08\x01"), NULL},
        {BYTES("\x12\x02\x22\x00"), NULL},
        {BYTES("\x0a\x02\x58\x00"), NULL},
        {BYTES("\x0a\x04\x5a\x02\x08\x01"), NULL},
        {BYTES("\x7d\x01"), NULL},
        {BYTES("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), NULL},
        {BYTES("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
        {BYTES("\xff\xff\xff\xff\xff\x01\x00"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct read read =
            read_item(cases[i].kind ? cases[i].kind : "NodeList", cases[i].item, cases[i].len);
        json_auto_t *want = cases[i].want
                                ? json_loads(cases[i].want, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL)
                                : NULL;

        assert_int_equal(!want, !cases[i].want);
        if (read.result != (want ? 0 : CASB_EINVALID) ||
            (want && !json_equal(json_array_get(read.items, 0), want)))
            fail_msg("case %zu: %d %s %s", i, read.result, read.err.text,
                     json_dumps(read.items, 0));
        read_free(&read);
    }
}

static void what_is_no_list_is_told_apart(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } cases[] = {
        {BYTES("<html>"), "no list"},
        {BYTES("[]"), "no list"},
        {BYTES("k8s"), "no list"},
        {BYTES("k8s\1\x0a\x00"), "no list"},
        {BYTES("k8s\0"), "no list"},
        {BYTES("k8s\0\x12\x00"), "no list"},
        {BYTES("k8s\0\x0a\x0a\x12\x08NodeList\x12\x00"), "no list"}, /* without metadata */
        {BYTES("k8s\0\x0a\x0b\x12\x09LeaseList\x12\x02\x0a\x00"), "a 'LeaseList', no list"},
        {BYTES("k8s\0\x0a\x08\x12\x06Status\x12\x02\x0a\x00"), "a 'Status', no list"},
        {BYTES("k8s\0\x0a\x0a\x12\x08NodeList\x1a\x04gzip\x12\x02\x0a\x00"), "encoding"},
        {BYTES("k8s\0\x0a\x0a\x12\x08NodeList\x12\x02\x0a\x00\x12\x02\x0a\x00"), "no list"},
        {BYTES("k8s\0\x0a\x0a\x12\x08NodeList\x12\x02\x0a\x00z"), "no list"},
        {BYTES("{\"metadata\":{}} x"), "no list"},
        {BYTES("{\"metadata\":{},}"), "no list"},
        {BYTES("{,\"metadata\":{}}"), "no list"},
        {BYTES("{\"metadata\" {}}"), "no list"},
        {BYTES("{metadata:{}}"), "no list"},
        {BYTES("{\"metadata\":{},\"items\":[{}{}]}"), "no list"},
        {BYTES("{\"metadata\":{},\"items\":[{},]}"), "no list"},
        {BYTES("{\"metadata\":{},\"items\":[,{}]}"), "no list"},
        {BYTES("{\"metadata\":{},\"items\":{}}"), "no JSON array"},
        {BYTES("{\"metadata\":{},\"items\":[1]}"), "item of the list"},
        {BYTES("{\"metadata\":{},\"items\":[{\"a\":}]}"), "item of the list"},
        {BYTES("{\"metadata\":5}"), "metadata of the list"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        for (size_t piece = 1; piece < 100; piece += 98) {
            struct read read = read_list(cases[i].text, cases[i].len, piece);

            if (read.result != CASB_EINVALID || !strstr(read.err.text, cases[i].want))
                fail_msg("case %zu: %d %s", i, read.result, read.err.text);
            read_free(&read);
        }
    }
}

static int keep_none(const json_t *item, void *arg)
{
    (void)item;
    (void)arg;
    return 0;
}

static void a_page_has_limits(void **state)
{
    static const struct {
        const char *begin, *more;
        size_t times;
        const char *want;
    } cases[] = {
        {"{\"items\":[{}", ",{}", 65536, "more than 65536 items"},
        {"{\"items\":[\"", "xxxxxxxxxxxxxxxx", 131073, "larger than any object"},
        {"{", "                ", 16 * 1024 * 1024, "larger than 268435456 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_error err = {0};
        struct listreader reader = {.each = keep_none, .err = &err};
        int r = listreader_feed(&reader, cases[i].begin, strlen(cases[i].begin));

        for (size_t n = 0; n < cases[i].times && r == 0; n++)
            r = listreader_feed(&reader, cases[i].more, strlen(cases[i].more));
        assert_int_equal(r, CASB_EINVALID);
        assert_non_null(strstr(err.text, cases[i].want));
        assert_true(reader.pending.len <= 2 * 1024 * 1024);
        listreader_free(&reader);
    }
}

static void metadata_in_protobuf_reads_as_in_json(void **state)
{
    _cleanup_(buf_free) struct buf proto = load("list/metadata.pb");
    _cleanup_(buf_free) struct buf json = load("list/metadata.json");
    json_auto_t *got = NULL, *all = json_loads(json.data, 0, NULL), *want = NULL;

    (void)state;
    assert_int_equal(
        kinds_decode((struct wire_bytes){(const unsigned char *)proto.data, proto.len}, &got), 0);
    assert_string_equal(jsonx_string(got, "kind"), "PartialObjectMetadata");
    want = pick(all, kinds_find("PartialObjectMetadata"));
    assert_int_equal(json_object_size(json_object_get(want, "metadata")), 8);
    assert_true(json_equal(json_object_get(got, "metadata"), json_object_get(want, "metadata")));
}

static void a_refusal_in_protobuf_is_a_status(void **state)
{
    _cleanup_(buf_free) struct buf text = load("list/status.pb");
    json_auto_t *status = NULL;

    (void)state;
    assert_int_equal(
        kinds_decode((struct wire_bytes){(const unsigned char *)text.data, text.len}, &status), 0);
    assert_string_equal(jsonx_string(status, "kind"), "Status");
    assert_string_equal(jsonx_string(status, "status"), "Failure");
    assert_string_equal(jsonx_string(status, "reason"), "BadRequest");
    assert_int_equal(jsonx_int(status, "code", 0), 400);
    assert_non_null(strstr(jsonx_string(status, "message"), "continue token"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protobuf_reads_as_the_api_servers_json_does),
        cmocka_unit_test(pieces_of_any_size_give_the_same),
        cmocka_unit_test(what_is_cut_off_is_no_list),
        cmocka_unit_test(odd_encodings_are_read_or_refused),
        cmocka_unit_test(what_is_no_list_is_told_apart),
        cmocka_unit_test(a_page_has_limits),
        cmocka_unit_test(metadata_in_protobuf_reads_as_in_json),
        cmocka_unit_test(a_refusal_in_protobuf_is_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
