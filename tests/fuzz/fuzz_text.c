/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts from outside: cleaned ones are one line, and clean; addresses, times and durations are what
 * they say.
 */
#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *data, size_t size)
{
    for (size_t room = 1; room < 80; room += 13) {
        char *out = malloc(room), *again = malloc(room);
        uint32_t c;

        if (!out || !again)
            abort();
        text_clean_bytes(out, room, data, size);
        if (strcmp(text_clean(again, room, out), out) != 0)
            abort();
        for (size_t i = 0, n; out[i]; i += n) {
            n = text_utf8(out + i, strlen(out + i), &c);
            if (!n || text_is_control(c))
                abort();
        }
        free(out);
        free(again);
    }
}

static void check_address(const char *text)
{
    char host[256], again[256], joined[300];
    uint16_t port, port_again;

    if (address_parse(text, 8081, host, &port))
        return;
    if (address_join(joined, sizeof joined, host, port) ||
        address_parse(joined, 1, again, &port_again) || port != port_again ||
        strcmp(host, again) != 0)
        abort();
}

static void check_times(const char *text)
{
    char formatted[CLOCK_RFC3339_BYTES];
    int64_t time, again, ns;

    if (clock_parse(text, &time) == 0 &&
        (clock_parse(clock_format(formatted, time, true), &again) || time != again))
        abort();
    if (text_parse_duration(text, &ns) == 0 && ns <= 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_clean((const char *)data, size);
    check_address(text);
    check_times(text);
    free(text);
    return 0;
}
