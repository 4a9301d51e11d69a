/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name with two addresses, of which the first drops packets: a test that links this file resolves
 * TWO_ADDRESSES so, in this process and in libcurl. What cannot work ends the process.
 */
#ifndef TESTS_UNIT_TWOADDRESSES_H
#define TESTS_UNIT_TWOADDRESSES_H

#define TWO_ADDRESSES "two.test"

struct twoaddresses;

/* Drops what comes to the first address at this port; the second one is 127.0.0.1. */
struct twoaddresses *twoaddresses_start(unsigned port);

/* Ends it. */
void twoaddresses_stop(struct twoaddresses *two);

#endif
