/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_process.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define WORDS_MAX 32

/* Makes the words in one allocation, of which the first is the start. */
static void split(char *command, const char *ip, char **words)
{
    char *rest = command, *word;
    size_t n = 0;

    while ((word = strsep(&rest, " ")) && n < WORDS_MAX - 1) {
        char *place = strstr(word, "{ip}");

        if (asprintf(&words[n++], "%.*s%s%s", place ? (int)(place - word) : (int)strlen(word), word,
                     place ? ip : "", place ? place + strlen("{ip}") : "") < 0)
            errx(3, "sandbox: out of memory");
    }
    words[n] = NULL;
}

/* Between fork() and exec, only what is safe in a process with threads. */
static _Noreturn void become(char **words, pid_t parent)
{
    sigset_t none;
    int null_fd;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (getppid() != parent || null_fd < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
        _exit(127);
    execv(words[0], words);
    _exit(127);
}

pid_t process_start(const char *command, const char *ip)
{
    char *words[WORDS_MAX];
    char *copy = strdup(command);
    pid_t parent = getpid(), pid;

    if (!copy)
        errx(3, "sandbox: out of memory");
    split(copy, ip, words);
    pid = fork();
    if (pid < 0)
        err(3, "sandbox: fork");
    if (pid == 0)
        become(words, parent);
    for (char **word = words; *word; word++)
        free(*word);
    free(copy);
    return pid;
}

bool process_ended(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) != 0;
}

void process_stop(pid_t pid, bool now)
{
    if (pid > 0)
        kill(pid, now ? SIGKILL : SIGTERM);
}

void process_kill(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

bool process_listens(const char *ip, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good;

    inet_pton(AF_INET, ip, &address.sin_addr);
    good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return good;
}
