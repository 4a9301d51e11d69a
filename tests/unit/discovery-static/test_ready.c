/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"
#include "unit/base/twoaddresses.h"

#include "base/clock.h"
#include "discovery-static/ready.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_anywhere(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Half of each try is for the first address, however short the wait is. */
static void the_second_address_of_a_name_is_tried_in_time(void **state)
{
    static const int64_t waits_ms[] = {2500, 60000};
    unsigned port;
    int fd = listen_anywhere(&port);
    struct twoaddresses *two = twoaddresses_start(port);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(waits_ms); i++) {
        const struct casb_call call = {clock_now_ns() + waits_ms[i] * CLOCK_MS, -1};
        struct casb_error err = {0};
        int64_t begun_ns = clock_now_ns();
        char address[64];

        snprintf(address, sizeof address, TWO_ADDRESSES ":%u", port);
        if (ready_wait(&call, address, &err))
            fail_msg("%s", err.text);
        assert_true(clock_now_ns() - begun_ns > CLOCK_S / 2); /* the first one did hold it up */
        assert_true(clock_now_ns() - begun_ns < 30 * CLOCK_S);
    }
    twoaddresses_stop(two);
    close(fd);
}

static void a_first_address_that_drops_packets_alone_is_a_timeout(void **state)
{
    unsigned port;
    int fd = listen_anywhere(&port);
    struct twoaddresses *two = twoaddresses_start(port);
    const struct casb_call call = {clock_now_ns() + 300 * CLOCK_MS, -1};
    struct casb_error err = {0};
    char address[64];

    (void)state;
    close(fd);
    snprintf(address, sizeof address, "127.0.0.2:%u", port);
    assert_int_equal(ready_wait(&call, address, &err), CASB_ETIMEOUT);
    assert_non_null(strstr(err.text, address));
    twoaddresses_stop(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_address_of_a_name_is_tried_in_time),
        cmocka_unit_test(a_first_address_that_drops_packets_alone_is_a_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
