/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "base/identity.h"
#include "discovery-static/static_settings.h"
#include "unit/recording_host.h"

#include <cas-backup/discovery.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BOOT "2a3c5b1e-0f5d-4c3a-9d7e-6f1b2c3d4e5f"

struct fixture {
    struct recording_host host;
    struct static_settings settings;
    json_t *trees; /* what the settings borrow */
    char *folder;  /* where commands leave notes */
    int listener;  /* where a backup CAS would be; -1: none */
    char address[64];
    void *self;
};

static const struct casb_discovery_ops *ops(void)
{
    return casb_plugin.ops;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    assert_non_null(f);
    assert_int_equal(file_private_dir("test-static", 0, &f->folder, NULL), 0);
    recording_host_init(&f->host, "me");
    f->trees = json_array();
    f->settings.ready_timeout_ns = f->settings.command_timeout_ns = 10 * CLOCK_S;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &len), 0);
    snprintf(f->address, sizeof f->address, "127.0.0.1:%d", ntohs(at.sin_port));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->self)
        casb_plugin.close(f->self);
    closep(&f->listener);
    file_remove_tree(f->folder, NULL);
    free(f->folder);
    json_decref(f->trees);
    free(f);
    return 0;
}

/* A tree from JSON with ' in place of " and FOLDER and ADDRESS put in. */
static const json_t *tree(struct fixture *f, const char *text)
{
    const char *const marks[] = {"FOLDER", "ADDRESS"}, *const values[] = {f->folder, f->address};
    struct buf out = BUF_INIT(4096);
    json_t *json;

    while (*text) {
        size_t i = 0;

        while (i < ELEMENTS(marks) && strncmp(text, marks[i], strlen(marks[i])) != 0)
            i++;
        if (i < ELEMENTS(marks))
            assert_int_equal(buf_puts(&out, values[i]), 0);
        else
            assert_int_equal(buf_append(&out, *text == '\'' ? "\"" : text, 1), 0);
        text += i < ELEMENTS(marks) ? strlen(marks[i]) : 1;
    }
    json = json_loads(buf_text(&out), 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_array_append_new(f->trees, json), 0);
    buf_free(&out);
    return json;
}

static void open_source(struct fixture *f)
{
    struct casb_error err = {0};
    int r;

    if (!f->settings.hosts)
        f->settings.hosts = tree(f, "[{'name':'a','address':'ADDRESS'}]");
    r = casb_plugin.open(&f->host.host, &f->settings, &f->self, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(r, 0);
}

static struct casb_node node_a(void)
{
    return (struct casb_node){.uid = "src.a", .name = "a"};
}

/* Did a command leave this note? */
static bool has_note(const struct fixture *f, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    return access(path, F_OK) == 0;
}

/* ---- scan */

static int note_node(const struct casb_node *node, void *arg)
{
    assert_false(identity_is_known(&node->machine.las));
    assert_false(identity_is_known(&node->machine.boot));
    assert_null(node->blocked);
    assert_false(node->control_plane);
    return buf_printf(arg, "%s %s %s;", node->uid, node->name,
                      node->las_source ? *node->las_source ? "?" : "ask" : "-");
}

static void every_host_is_a_node_of_its_source(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf nodes = BUF_INIT(1024);

    f->settings.hosts =
        tree(f, "[{'name':'b','address':'h','identify':[]},{'name':'a','address':'h'}]");
    f->settings.commands[COMMAND_IDENTIFY] = tree(f, "['cat']");
    open_source(f);
    assert_int_equal(ops()->scan(f->self, &call, note_node, &nodes, NULL), 0);
    assert_string_equal(buf_text(&nodes), "src.a a ask;src.b b -;");
}

static int stop(const struct casb_node *node, void *arg)
{
    (void)node;
    ++*(int *)arg;
    return CASB_ECANCELLED;
}

static void the_taker_can_end_the_scan(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    int n = 0;

    f->settings.hosts = tree(f, "[{'name':'b','address':'h'},{'name':'a','address':'h'}]");
    open_source(f);
    assert_int_equal(ops()->scan(f->self, &call, stop, &n, NULL), CASB_ECANCELLED);
    assert_int_equal(n, 1);
}

/* ---- open */

static void assert_refused(struct fixture *f, const char *want)
{
    struct casb_error err = {0};

    assert_int_equal(casb_plugin.open(&f->host.host, &f->settings, &f->self, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, want));
    assert_null(f->self);
}

static void wrong_settings_are_refused(void **state)
{
    struct fixture *f = *state;
    char name[320];

    assert_refused(f, "no machines: give hosts, hosts_file or --host");
    f->settings.hosts = tree(f, "[{'name':'a','address':'ADDRESS'}]");
    f->settings.commands[COMMAND_SPAWN] = tree(f, "['']");
    assert_refused(f, "spawn: a command is a list of texts, a program in front");
    f->settings.commands[COMMAND_SPAWN] = NULL;
    f->host.host.source = "a b";
    assert_refused(f, "the source's name 'a b' cannot begin a uid");
    f->host.host.source = "src";
    snprintf(name, sizeof name, "[{'name':'%0251d','address':'h'}]", 1);
    f->settings.hosts = tree(f, name);
    assert_refused(f, "is too long");
}

/* ---- spawn */

static void a_backup_that_runs_is_ready(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_backup backup;

    open_source(f);
    assert_int_equal(listen(f->listener, 1), 0);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, NULL), 0);
    assert_string_equal(backup.address, f->address);
}

static void an_address_without_a_port_has_that_of_a_cas(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_backup backup;
    struct casb_error err = {0};

    f->settings.hosts = tree(f, "[{'name':'a','address':'127.0.0.1'}]");
    f->settings.ready_timeout_ns = 1;
    open_source(f);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, &err), CASB_ETIMEOUT);
    assert_non_null(strstr(err.text, "no connection to '127.0.0.1:8081'"));
}

/* Begins to listen once the command opened the pipe. */
static void *listen_later(void *arg)
{
    struct fixture *f = arg;
    char path[512];
    _cleanup_(closep) int fd = -1;

    snprintf(path, sizeof path, "%s/spawned", f->folder);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || listen(f->listener, 1))
        abort();
    return NULL;
}

static void spawn_waits_until_the_address_that_it_printed_connects(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_backup backup;
    pthread_t thread;
    char pipe[512];

    snprintf(pipe, sizeof pipe, "%s/spawned", f->folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    f->settings.hosts = tree(f, "[{'name':'a','address':'192.0.2.1'}]");
    f->settings.commands[COMMAND_SPAWN] =
        tree(f, "['sh', '-c', 'echo ADDRESS; : >FOLDER/spawned']");
    open_source(f);
    assert_int_equal(pthread_create(&thread, NULL, listen_later, f), 0);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(backup.address, f->address);
}

static void a_spawn_that_fails_is_told(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_backup backup = {.address = "untouched"};
    struct casb_error err = {0};

    f->settings.commands[COMMAND_SPAWN] = tree(f, "['sh', '-c', 'echo no room >&2; exit 1']");
    open_source(f);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, &err), CASB_EFAILED);
    assert_string_equal(err.text, "spawn command: exit status 1: no room");
    assert_string_equal(backup.address, "untouched");
}

static void a_backup_that_never_listens_is_a_timeout(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_backup backup;
    struct casb_error err = {0};

    f->settings.ready_timeout_ns = 300 * CLOCK_MS;
    open_source(f);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, &err), CASB_ETIMEOUT);
    assert_non_null(strstr(err.text, f->address));
    assert_non_null(strstr(err.text, "onnect")); /* whatever libcurl says of a refusal */
}

static void a_wait_can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    _cleanup_(closep) int cancel_fd = eventfd(1, EFD_CLOEXEC);
    const struct casb_call call = {clock_now_ns() + 60 * CLOCK_S, cancel_fd};
    const struct casb_node node = node_a();
    struct casb_backup backup;
    int64_t begun_ns = clock_now_ns();

    f->settings.ready_timeout_ns = 60 * CLOCK_S;
    open_source(f);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, NULL), CASB_ECANCELLED);
    assert_true(clock_now_ns() - begun_ns < 5 * CLOCK_S);
}

static void an_unknown_host_cannot_be_started(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = {.uid = "src.z", .name = "z"};
    struct casb_backup backup;

    open_source(f);
    assert_int_equal(ops()->spawn(f->self, &call, &node, &backup, NULL), CASB_ENOTFOUND);
}

/* ---- remove */

static void remove_without_a_command_is_a_success(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();

    open_source(f);
    assert_int_equal(ops()->remove(f->self, &call, &node, NULL), 0);
}

static void remove_runs_its_command(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();

    f->settings.commands[COMMAND_REMOVE] = tree(f, "['touch', 'FOLDER/{instance}-{name}']");
    open_source(f);
    assert_int_equal(ops()->remove(f->self, &call, &node, NULL), 0);
    assert_true(has_note(f, "mycas-backup-a"));
}

static void a_host_that_is_listed_no_more_is_still_cleaned_up(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node gone = {.uid = "src.gone", .name = "gone"};
    const struct casb_node option = {.uid = "src.x", .name = "-rf"};

    f->settings.commands[COMMAND_REMOVE] = tree(f, "['touch', 'FOLDER/{name}']");
    open_source(f);
    assert_int_equal(ops()->remove(f->self, &call, &gone, NULL), 0);
    assert_true(has_note(f, "gone"));
    assert_int_equal(ops()->remove(f->self, &call, &option, NULL), CASB_EINVALID);
}

static void a_remove_that_hangs_is_ended(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(60);
    const struct casb_node node = node_a();
    struct casb_error err = {0};

    f->settings.commands[COMMAND_REMOVE] = tree(f, "['sleep', '60']");
    f->settings.command_timeout_ns = 100 * CLOCK_MS;
    open_source(f);
    assert_int_equal(ops()->remove(f->self, &call, &node, &err), CASB_ETIMEOUT);
    assert_non_null(strstr(err.text, "remove command: "));
}

/* ---- identify */

static void identify_reads_what_its_command_prints(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_machine machine = {0};

    f->settings.commands[COMMAND_IDENTIFY] = tree(f, "['echo', '" BOOT "']");
    open_source(f);
    assert_int_equal(ops()->identify(f->self, &call, &node, &machine, NULL), 0);
    assert_string_equal(identity_text(&machine.boot, CASB_BOOT_ID), BOOT);
    assert_false(identity_is_known(&machine.las));
}

static void trouble_with_identify_is_an_error(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_machine machine = {0};
    struct casb_error err = {0};

    f->settings.commands[COMMAND_IDENTIFY] = tree(f, "['sh', '-c', 'echo " BOOT "; exit 1']");
    open_source(f);
    assert_int_equal(ops()->identify(f->self, &call, &node, &machine, &err), CASB_EFAILED);
    assert_string_equal(err.text, "identify command: exit status 1: " BOOT);
}

static void the_last_key_may_be_among_what_was_cut_off(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_node node = node_a();
    struct casb_machine machine = {0};
    struct casb_error err = {0};

    f->settings.commands[COMMAND_IDENTIFY] = tree(f, "['sh', '-c', 'yes | head -c 2000000']");
    open_source(f);
    assert_int_equal(ops()->identify(f->self, &call, &node, &machine, &err), CASB_EINVALID);
    assert_string_equal(err.text, "identify command: it printed more than 1024 KiB");
}

/* ---- check */

static void note_finding(const struct casb_finding *finding, void *arg)
{
    assert_true(finding->good == !finding->detail);
    assert_true(finding->good || finding->remedy);
    assert_int_equal(buf_printf(arg, "%s %s;", finding->what, finding->good ? "good" : "bad"), 0);
}

static void check_looks_for_every_program_once(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf findings = BUF_INIT(1024);

    f->settings.hosts = tree(f, "[{'name':'a','address':'h'},{'name':'b','address':'h',"
                                "'remove':['/no/such/program']}]");
    f->settings.commands[COMMAND_SPAWN] = tree(f, "['sh','-c','exit 1']");
    f->settings.commands[COMMAND_REMOVE] = tree(f, "['sh','-c','exit 1']");
    open_source(f);
    assert_int_equal(casb_plugin.check(f->self, &call, note_finding, &findings, NULL), 0);
    assert_string_equal(buf_text(&findings), "program 'sh' good;program '/no/such/program' bad;");
}

#define WITH_SOURCE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- tell */

static void what_became_of_a_machine_is_told_to_the_command(void **state)
{
    static const struct {
        enum casb_outcome outcome;
        const char *name, *note; /* what the command leaves */
    } rows[] = {
        {CASB_OUTCOME_REGISTERED, "a", "a-registered"},
        {CASB_OUTCOME_FAILED, "a", "a-failed"},
        {CASB_OUTCOME_HARDWARE_CHANGED, "a", "a-hardware-changed"},
        {CASB_OUTCOME_UNPROTECTED, "a", "a-unprotected"},
        {CASB_OUTCOME_DROPPED, "gone", "gone-dropped"}, /* it is not in the list any more */
    };
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);

    f->settings.commands[COMMAND_NOTIFY] =
        tree(f, "['sh','-c','case $1 in it?broke) touch FOLDER/$0;; esac','{name}-{outcome}',"
                "'{message}']");
    open_source(f);
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct casb_news news = {.uid = "src.a",
                                       .name = rows[i].name,
                                       .outcome = rows[i].outcome,
                                       .message = "it\n\tbroke"};

        assert_int_equal(ops()->tell(f->self, &call, &news, NULL), 0);
        assert_true(has_note(f, rows[i].note));
    }
}

static void who_has_no_such_command_is_not_told(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    struct casb_news news = {.name = "a", .outcome = CASB_OUTCOME_FAILED, .message = ""};
    struct casb_error err = {0};

    open_source(f);
    assert_int_equal(ops()->tell(f->self, &call, &news, &err), 0);
    news.name = "-rf";
    assert_int_equal(ops()->tell(f->self, &call, &news, &err), CASB_EINVALID);
}

static void a_notify_command_that_fails_says_so(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_news news = {.name = "a", .outcome = CASB_OUTCOME_FAILED, .message = ""};
    struct casb_error err = {0};

    f->settings.commands[COMMAND_NOTIFY] = tree(f, "['sh','-c','echo no mail >&2; exit 1']");
    open_source(f);
    assert_int_equal(ops()->tell(f->self, &call, &news, &err), CASB_EFAILED);
    assert_string_equal(err.text, "notify command: exit status 1: no mail");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SOURCE(every_host_is_a_node_of_its_source),
        WITH_SOURCE(the_taker_can_end_the_scan),
        WITH_SOURCE(wrong_settings_are_refused),
        WITH_SOURCE(a_backup_that_runs_is_ready),
        WITH_SOURCE(an_address_without_a_port_has_that_of_a_cas),
        WITH_SOURCE(spawn_waits_until_the_address_that_it_printed_connects),
        WITH_SOURCE(a_spawn_that_fails_is_told),
        WITH_SOURCE(a_backup_that_never_listens_is_a_timeout),
        WITH_SOURCE(a_wait_can_be_cancelled),
        WITH_SOURCE(an_unknown_host_cannot_be_started),
        WITH_SOURCE(remove_without_a_command_is_a_success),
        WITH_SOURCE(remove_runs_its_command),
        WITH_SOURCE(a_host_that_is_listed_no_more_is_still_cleaned_up),
        WITH_SOURCE(a_remove_that_hangs_is_ended),
        WITH_SOURCE(identify_reads_what_its_command_prints),
        WITH_SOURCE(trouble_with_identify_is_an_error),
        WITH_SOURCE(the_last_key_may_be_among_what_was_cut_off),
        WITH_SOURCE(check_looks_for_every_program_once),
        WITH_SOURCE(what_became_of_a_machine_is_told_to_the_command),
        WITH_SOURCE(who_has_no_such_command_is_not_told),
        WITH_SOURCE(a_notify_command_that_fails_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
