/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SCONE CLI's output says to a person (FACTS: "The SCONE CLI", "SCONE 6 and 7"). Its
 * texts differ from version to version: they are shown and put in order, nothing is decided by
 * them. Pure and thread-safe.
 */
#ifndef SCONE_CLI_OUTPUT_H
#define SCONE_CLI_OUTPUT_H

#include <stddef.h>

/*
 * What the CLI said on its standard error and then its standard output, as one clean line in
 * out[size]: the texts of its lines `Error:`, `Caused by:`, `[SCONE|FATAL]` (and ERROR) and
 * `Error N of M:`, at any depth, joined by ": ", none twice. What tells most comes first: an
 * enclave that the policy does not know, then the numbered errors, then the others in their order;
 * where not all of it fits, the last cause before the ones that led to it. Without any such line
 * the last one of the standard error, else of the standard output, that is not empty; without that
 * "". Both texts are NUL-terminated. Out of memory gives "".
 */
void cli_output_message(char *out, size_t size, const char *err_text, const char *out_text);

#endif
